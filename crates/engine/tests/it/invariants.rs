//! The contract's invariants, checked on one report: what every other test here asks of every text.
//!
//! Offsets are counted in code points and sentences end where the contract says,
//! so that this is a second opinion and shares nothing with the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jianbao_engine::report::{Figure, OffsetEncoding, QuantityKind, QuantityRole, Report, Span};
use jianbao_engine::{Bulletin, Engine};

/// One engine for all tests.
pub static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().expect("the built-in lexicon loads"));

/// The report of a text, with byte offsets.
pub fn report(text: &str) -> Report {
    ENGINE.extract(&Bulletin { id: "test".to_owned(), text: text.to_owned(), ..Bulletin::default() })
}

/// The report of a text, with its offsets encoded.
pub fn encoded(text: &str, encoding: OffsetEncoding) -> Report {
    let mut report = report(text);
    report.encode_offsets(text, encoding);
    report
}

/// Every figure of a report, in and outside measures.
pub fn figures(report: &Report) -> Vec<&Figure> {
    let mut all = Vec::new();
    for institution in &report.institutions {
        all.extend(institution.measures.iter().flat_map(|measure| &measure.figures));
        all.extend(&institution.figures);
    }
    all
}

/// Fails with every broken invariant of the text's report, if there is any.
pub fn hold(text: &str) -> Result<(), String> {
    let broken = broken(text, &encoded(text, OffsetEncoding::Utf32));
    if broken.is_empty() { Ok(()) } else { Err(format!("{}\nin {text:?}", broken.join("\n"))) }
}

/// Every broken invariant of a report whose offsets are code points.
pub fn broken(text: &str, report: &Report) -> Vec<String> {
    let mut check = Check { text: text.chars().collect(), broken: Vec::new() };
    check.spans(report);
    check.ledger(report);
    check.pointers(report);
    check.measures(report);
    check.values(report);
    check.broken
}

/// Whether a character is a digit that the ledger must hold.
pub const fn is_digit(c: char) -> bool {
    matches!(c, '0'..='9' | '０'..='９')
}

struct Check {
    text: Vec<char>,
    broken: Vec<String>,
}

impl Check {
    fn cut(&self, span: Span) -> Option<String> {
        (span.start <= span.end).then(|| self.text.get(span.start..span.end)).flatten().map(|chars| chars.iter().collect())
    }

    fn cuts(&mut self, what: &str, span: Span, text: &str) {
        let cut = self.cut(span);
        if cut.as_deref() != Some(text) {
            self.broken.push(format!("{what}: span {}..{} cuts {cut:?}, the text beside it is {text:?}", span.start, span.end));
        }
    }

    fn lies_inside(&mut self, what: &str, span: Span) {
        if self.cut(span).is_none() {
            self.broken.push(format!("{what}: span {}..{} leaves the text of {} characters", span.start, span.end, self.text.len()));
        }
    }

    /// Invariant 1: spans lie inside the bulletin and cut out the text beside them.
    fn spans(&mut self, report: &Report) {
        for quantity in &report.quantities {
            self.cuts("quantity", quantity.span, &quantity.text);
        }
        for figure in figures(report) {
            self.cuts("figure", figure.span, &figure.text);
        }
        for institution in &report.institutions {
            for measure in &institution.measures {
                self.cuts("measure", measure.span, &measure.text);
            }
            for span in institution.institution.mentions.iter().chain(&institution.sections) {
                self.lies_inside("mention or section", *span);
            }
        }
        for span in report.findings.iter().flat_map(|finding| &finding.spans) {
            self.lies_inside("finding", *span);
        }
    }

    /// Invariant 2: every digit lies in exactly one entry.
    fn ledger(&mut self, report: &Report) {
        let mut held = vec![0_u32; self.text.len()];
        for quantity in &report.quantities {
            for count in held.get_mut(quantity.span.start..quantity.span.end).unwrap_or_default() {
                *count += 1;
            }
        }
        for (at, (c, count)) in self.text.iter().zip(&held).enumerate() {
            if is_digit(*c) && *count != 1 {
                let around: String = self.text[at.saturating_sub(8)..self.text.len().min(at + 8)].iter().collect();
                self.broken.push(format!("digit {c:?} at {at} lies in {count} ledger entries: …{around}…"));
            }
        }
    }

    /// Invariant 3: figures and ledger entries of role FIGURE point at each other one to one.
    fn pointers(&mut self, report: &Report) {
        let mut pointed: BTreeMap<usize, usize> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for figure in figures(report) {
            let index = figure.quantity_index as usize;
            *pointed.entry(index).or_default() += 1;
            if !ids.insert(figure.id.clone()) {
                self.broken.push(format!("two figures have the id {:?}", figure.id));
            }
            if report.quantities.get(index).is_none_or(|quantity| quantity.span != figure.span) {
                self.broken.push(format!("figure {:?} points at entry {index}, which lies elsewhere", figure.text));
            }
        }
        let entries: BTreeSet<usize> = report
            .quantities
            .iter()
            .enumerate()
            .filter(|(_, quantity)| quantity.role == QuantityRole::Figure)
            .map(|(index, _)| index)
            .collect();
        for index in entries.iter().chain(pointed.keys().filter(|index| !entries.contains(index))) {
            let count = pointed.get(index).copied().unwrap_or(0);
            if count != 1 || !entries.contains(index) {
                self.broken
                    .push(format!("ledger entry {index} (role figure: {}) is pointed at by {count} figures", entries.contains(index)));
            }
        }
        for figure in figures(report).into_iter().filter(|figure| !figure.part_of.is_empty()) {
            if !ids.contains(&figure.part_of) || figure.part_of == figure.id {
                self.broken.push(format!("figure {} is a part of {:?}, which is no other figure", figure.id, figure.part_of));
            }
        }
    }

    /// Whether nothing ends a sentence from `start` to `end` but line breaks behind lines as wide as others.
    fn is_only_wrapped(&self, start: usize, end: usize) -> bool {
        let lines: Vec<&[char]> = self.text.split(|c| *c == '\n').collect();
        let is_full = |line: &[char]| lines.iter().filter(|other| columns(other).abs_diff(columns(line)) <= 6).count() >= 3;
        (start..end).all(|at| match self.text.get(at) {
            Some('。' | '！' | '？' | '；' | ';') => at + 1 == end,
            Some('\n') => {
                let before = self.text.get(..at).unwrap_or_default();
                is_full(before.rsplit(|c| *c == '\n').next().unwrap_or_default())
            }
            _ => true,
        })
    }

    /// Invariant 5: measures lie inside a section and a sentence, one for each category of a sentence.
    fn measures(&mut self, report: &Report) {
        let starts = sentence_starts(&self.text);
        let mut seen = BTreeSet::new();
        for institution in &report.institutions {
            for measure in &institution.measures {
                let Span { start, end } = measure.span;
                let sentence = starts.partition_point(|&s| s <= start);
                let sentence_end = starts.get(sentence).copied().unwrap_or(self.text.len());
                if end > sentence_end && !self.is_only_wrapped(start, end) {
                    self.broken.push(format!("measure {start}..{end} leaves its sentence, which ends at {sentence_end}"));
                }
                if !institution.sections.iter().any(|section| section.contains(measure.span)) {
                    self.broken.push(format!("measure {start}..{end} lies outside its institution's sections"));
                }
                if !seen.insert((&institution.institution.name, measure.category, sentence)) {
                    self.broken.push(format!(
                        "two measures of {:?} have the category {:?} in the sentence that ends at {sentence_end}",
                        institution.institution.name, measure.category
                    ));
                }
            }
        }
    }

    /// Values are exact plain decimals; dates are ISO 8601.
    fn values(&mut self, report: &Report) {
        for figure in figures(report) {
            if !is_plain_decimal(&figure.value) || !figure.upper_value.is_empty() && !is_plain_decimal(&figure.upper_value) {
                self.broken.push(format!("figure {:?}: {:?} to {:?} are no plain decimals", figure.text, figure.value, figure.upper_value));
            }
            let period = figure.period.iter().flat_map(|period| [&period.start, &period.end]);
            for date in period.chain(figure.change.iter().map(|change| &change.baseline)) {
                self.is_date(date);
            }
        }
        for quantity in &report.quantities {
            let dated = matches!(quantity.kind, QuantityKind::Date | QuantityKind::Time);
            for value in [&quantity.numeral, &quantity.value, &quantity.upper_value].into_iter().filter(|value| !value.is_empty()) {
                if dated {
                    self.is_date(value);
                } else if !is_plain_decimal(value) {
                    self.broken.push(format!("quantity {:?}: {value:?} is no plain decimal", quantity.text));
                }
            }
        }
        self.is_date(&report.published_on);
    }

    fn is_date(&mut self, date: &str) {
        let shape = date.len() == 10
            && date.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if !date.is_empty() && !shape {
            self.broken.push(format!("{date:?} is no date"));
        }
    }
}

/// The columns of a line, in halves of a full-width character; a digit has one, however it is written.
fn columns(line: &[char]) -> usize {
    line.iter().map(|c| if c.is_ascii() || is_digit(*c) { 1 } else { 2 }).sum()
}

/// Where sentences start: after 。！？；; and line breaks.
fn sentence_starts(text: &[char]) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.iter().enumerate().filter(|(_, c)| matches!(c, '。' | '！' | '？' | '；' | ';' | '\n')).map(|(at, _)| at + 1))
        .collect()
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?`
fn is_plain_decimal(value: &str) -> bool {
    let value = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = value.split_once('.').map_or((value, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|fraction| digits(fraction) && !fraction.ends_with('0'))
}

#[test]
fn the_checker_notices_what_is_broken() {
    let text = "兴和县联社发放春耕贷款３５万元；走访农户12户。";
    let good = encoded(text, OffsetEncoding::Utf32);
    assert_eq!(broken(text, &good), Vec::<String>::new());
    assert!(figures(&good).len() == 2, "{good:?}");
    let spoilt = |spoil: fn(&mut Report)| {
        let mut report = good.clone();
        spoil(&mut report);
        !broken(text, &report).is_empty()
    };
    assert!(spoilt(|r| r.quantities[0].span.start += 1));
    assert!(spoilt(|r| drop(r.quantities.remove(0))));
    assert!(spoilt(|r| r.institutions[0].sections.clear()));
    assert!(spoilt(|r| r.institutions[0].measures[0].span.end += 12));
    assert!(spoilt(|r| r.quantities[0].value = "3.50".to_owned()));
    assert!(spoilt(|r| {
        let twin = r.institutions[0].measures[0].clone();
        r.institutions[0].measures.push(twin);
    }));
    assert!(
        is_plain_decimal("0.05")
            && !is_plain_decimal("1.50")
            && !is_plain_decimal("007")
            && !is_plain_decimal("1.")
            && !is_plain_decimal("")
    );
}
