//! What must hold of every report, whatever the text.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::placed;
use super::place::{Place, is_digit};
use jianbao_engine::report::{QuantityRole, Report, Span};

/// Every way in which `report` breaks an invariant, as lines for a person.
pub fn broken(place: &Place, report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    quantities(place, report, &mut out);
    ledger(report, &mut out);
    for figure in placed(report) {
        out.extend(miscut(place, "figure", figure.figure.span, &figure.figure.text));
    }
    measures(place, report, &mut out);
    for figure in placed(report).iter().filter(|placed| !is_plain_decimal(&placed.figure.value)) {
        out.push(format!("value `{}` is not a plain decimal", figure.figure.value));
    }
    out
}

/// A span that does not cut out the text beside it.
fn miscut(place: &Place, what: &str, span: Span, text: &str) -> Option<String> {
    let cut = place.cut(span);
    (cut.as_deref() != Some(text)).then(|| {
        let cut = cut.unwrap_or_default();
        format!("{what}: span [{},{}) cuts `{cut}`, the text says `{text}`", span.start, span.end)
    })
}

/// Every digit of the text lies in exactly one entry of the ledger.
fn quantities(place: &Place, report: &Report, out: &mut Vec<String>) {
    let mut covered = vec![0_u32; place.chars().len()];
    for quantity in &report.quantities {
        out.extend(miscut(place, "quantity", quantity.span, &quantity.text));
        let inside = quantity.span.start.min(covered.len())..quantity.span.end.min(covered.len());
        for count in covered.get_mut(inside).unwrap_or_default() {
            *count += 1;
        }
    }
    for (at, (c, count)) in place.chars().iter().zip(covered).enumerate() {
        if is_digit(*c) && count != 1 {
            out.push(format!("digit `{c}` at {at} lies in {count} ledger entries"));
        }
    }
}

/// Every figure points at one entry with the role FIGURE, and every such entry is pointed at once.
fn ledger(report: &Report, out: &mut Vec<String>) {
    let mut pointed: BTreeMap<usize, u32> = BTreeMap::new();
    for (index, quantity) in report.quantities.iter().enumerate() {
        if quantity.role == QuantityRole::Figure {
            pointed.insert(index, 0);
        }
    }
    let entries: BTreeSet<usize> = pointed.keys().copied().collect();
    for placed in placed(report) {
        *pointed.entry(placed.figure.quantity_index as usize).or_default() += 1;
    }
    for (index, count) in pointed {
        let is_figure = entries.contains(&index);
        if count != 1 || !is_figure {
            out.push(format!("ledger entry {index} (figure role: {is_figure}) is pointed at by {count} figures"));
        }
    }
}

/// A measure stays inside one sentence and one of its institution's sections, one to a category.
fn measures(place: &Place, report: &Report, out: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for institution in &report.institutions {
        for measure in &institution.measures {
            let span = measure.span;
            out.extend(miscut(place, "measure", span, &measure.text));
            let sentence = place.sentence(span.start);
            if span.end > sentence.end {
                out.push(format!("measure [{},{}) leaves its sentence [{},{})", span.start, span.end, sentence.start, sentence.end));
            }
            if !institution.sections.iter().any(|section| section.contains(span)) {
                out.push(format!("measure [{},{}) lies outside its institution's sections", span.start, span.end));
            }
            if !seen.insert((&institution.institution.name, measure.category, sentence)) {
                let (name, category) = (&institution.institution.name, measure.category.code());
                out.push(format!("two measures of {name}, {category}, in the sentence [{},{})", sentence.start, sentence.end));
            }
        }
    }
}

/// Digits with a sign and a point where needed; no exponent, no zeros to spare.
fn is_plain_decimal(value: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, fraction)| (whole, Some(fraction)));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(|f| digits(f) && !f.ends_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jianbao_engine::{Bulletin, Engine, report::OffsetEncoding};

    const TEXT: &str = "富平县农村商业银行:截至6月末,累计发放春耕贷款3200万元,支持农户410户。";

    fn report() -> Report {
        let engine = Engine::new().unwrap();
        let mut report = engine.extract(&Bulletin { text: TEXT.to_owned(), ..Bulletin::default() });
        report.encode_offsets(TEXT, OffsetEncoding::Utf32);
        assert!(!report.institutions.is_empty());
        report
    }

    fn broken_by(change: impl FnOnce(&mut Report)) -> Vec<String> {
        let mut report = report();
        change(&mut report);
        broken(&Place::new(TEXT, None), &report)
    }

    #[test]
    fn a_sound_report_breaks_nothing() {
        assert_eq!(broken_by(|_| ()), [""; 0]);
    }

    #[test]
    fn a_lost_ledger_entry_is_told() {
        let told = broken_by(|report| report.quantities.clear());
        assert!(told.iter().any(|line| line.contains("digit `6`")) && told.iter().any(|line| line.contains("pointed at by 1")), "{told:?}");
    }

    #[test]
    fn a_span_beside_its_text_is_told() {
        let told = broken_by(|report| report.institutions[0].measures[0].text.push('。'));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("measure: span"));
    }

    #[test]
    fn a_measure_outside_its_section_or_twice_is_told() {
        let told = broken_by(|report| {
            report.institutions[0].sections.clear();
            let mut again = report.institutions[0].measures[0].clone();
            again.figures.clear();
            report.institutions[0].measures.push(again);
        });
        assert!(told.iter().any(|line| line.contains("outside")) && told.iter().any(|line| line.starts_with("two measures")), "{told:?}");
    }

    #[test]
    fn decimals_are_plain() {
        assert!(["0", "-1.5", "58350000", "0.06"].iter().all(|value| is_plain_decimal(value)));
        assert!(["", "01", "1.", "1.0", ".5", "1e3", "+1", "--1", "1.2.3"].iter().all(|value| !is_plain_decimal(value)));
    }
}
