//! Which entry of the report answers which entry of the gold, and what they differ in.

use std::collections::BTreeMap;

use super::figures::{Placed, placed};
use super::gold::{Attribute, Gold, GoldFigure, GoldInstitution};
use super::place::{Place, is_digit};
use super::tally::Tally;
use jianbao_engine::report::{ChangeDirection, Figure, FindingCode, Institution, MeasureCategory, Report, Span};

/// How far the ends of two spans of one figure may lie apart.
const SLACK: usize = 4;
/// How near a finding must come to the words the gold names.
const NEAR: usize = 2;
/// The attributes that a figure must have right to be strictly right.
const ESSENTIAL: &[&str] = &["institution", "metric", "value", "upper_value", "kind", "unit", "period", "change.direction"];

/// Matches everything and counts it. What comes first in the gold is answered first, by the first entry that fits.
pub fn score(place: &Place, gold: &Gold, report: &Report, tally: &mut Tally) {
    let answers = institutions(gold, report, tally);
    figures(place, gold, report, &answers, tally);
    measures(place, gold, report, &answers, tally);
    findings(place, gold, report, tally);
}

/// The institution of the report that answers each of the gold.
fn institutions(gold: &Gold, report: &Report, tally: &mut Tally) -> Vec<Option<usize>> {
    let mut taken = vec![false; report.institutions.len()];
    let mut answers = Vec::with_capacity(gold.institutions.len());
    for want in &gold.institutions {
        let fits = |(i, taken): (usize, &bool)| !taken && report.institutions.get(i).is_some_and(|r| same_name(want, &r.institution));
        let answer = taken.iter().enumerate().position(fits);
        answers.push(answer);
        let Some(got) = answer.and_then(|i| report.institutions.get(i)) else {
            tally.institutions.misses += 1;
            tally.mistakes.push(format!("institution missed: {}", want.name));
            continue;
        };
        tally.institutions.hits += 1;
        if let Some(slot) = answer.and_then(|i| taken.get_mut(i)) {
            *slot = true;
        }
        identity(want, &got.institution, tally);
    }
    for (got, _) in report.institutions.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        tally.institutions.extras += 1;
        tally.mistakes.push(format!("institution not in gold: {}", got.institution.name));
    }
    answers
}

fn same_name(want: &GoldInstitution, got: &Institution) -> bool {
    let names = || [&want.name, &want.canonical_name].into_iter().chain(&want.aliases);
    names().any(|name| *name == got.name || *name == got.canonical_name)
}

/// Compares names, type and region.
fn identity(want: &GoldInstitution, got: &Institution, tally: &mut Tally) {
    let kind = got.kind.map_or("", |kind| kind.code());
    let attributes = [
        ("institution.name", want.name.as_str(), got.name.as_str()),
        ("institution.canonical_name", &want.canonical_name, &got.canonical_name),
        ("institution.type", want.kind.code(), kind),
        ("institution.region_code", &want.region_code, &got.region_code),
    ];
    for (attribute, wanted, found) in attributes {
        if !tally.attribute(attribute, wanted == found) {
            tally.mistakes.push(format!("{}: {attribute} want `{wanted}` got `{found}`", want.name));
        }
    }
}

fn figures(place: &Place, gold: &Gold, report: &Report, answers: &[Option<usize>], tally: &mut Tally) {
    let row = placed(report);
    let by_id: BTreeMap<&str, &Figure> = row.iter().map(|placed| (placed.figure.id.as_str(), placed.figure)).collect();
    let mut used = vec![false; row.len()];
    for (institution, answer) in gold.institutions.iter().zip(answers) {
        for want in &institution.figures {
            let core = numeral(place, want.span);
            let fits = |(placed, used): (&Placed<'_>, &bool)| !used && covers(placed.figure.span, core, want.span);
            let found = row.iter().zip(&used).position(fits);
            let (Some(index), Some(got)) = (found, found.and_then(|i| row.get(i))) else {
                tally.figures.misses += 1;
                tally.strict.misses += 1;
                let metric = want.metric.stated().map_or("*", |metric| metric.code());
                tally.mistakes.push(format!("figure missed: {} / {} ({metric})", institution.name, want.text));
                continue;
            };
            if let Some(slot) = used.get_mut(index) {
                *slot = true;
            }
            tally.figures.hits += 1;
            let total = by_id.get(got.figure.part_of.as_str()).filter(|_| !got.figure.part_of.is_empty());
            let verdicts = attributes(want, got, *answer == Some(got.owner), total.copied());
            judge(&institution.name, want, &verdicts, tally);
        }
    }
    for (extra, _) in row.iter().zip(&used).filter(|(_, used)| !**used) {
        tally.figures.extras += 1;
        tally.strict.extras += 1;
        let Figure { text, span, metric, .. } = extra.figure;
        tally.mistakes.push(format!("figure not in gold: `{text}` at [{},{}) ({})", span.start, span.end, metric.code()));
    }
}

/// Whether a span holds the numeral and ends near where the gold does.
const fn covers(got: Span, core: Span, want: Span) -> bool {
    got.contains(core) && got.start.abs_diff(want.start) <= SLACK && got.end.abs_diff(want.end) <= SLACK
}

/// The longest numeral inside `span`, the first of several; all of it if it holds none.
fn numeral(place: &Place, span: Span) -> Span {
    let chars = place.chars().get(span.start..span.end).unwrap_or_default();
    let mut longest = Span::default();
    let mut at = 0;
    while let Some(found) = chars.get(at..).and_then(|rest| rest.iter().position(|c| is_numeral(*c))) {
        let start = at + found;
        let length = chars.iter().skip(start).take_while(|c| is_numeral(**c) || matches!(c, '.' | ',' | '，' | '．')).count();
        at = start + length;
        if length > longest.end - longest.start {
            longest = Span::new(span.start + start, span.start + at);
        }
    }
    if longest == Span::default() { span } else { longest }
}

fn is_numeral(c: char) -> bool {
    is_digit(c) || "〇零一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟".contains(c)
}

/// One attribute compared: its name, whether it is right, and what both sides say.
struct Verdict {
    attribute: &'static str,
    right: bool,
    want: String,
    got: String,
}

impl Verdict {
    fn new(attribute: &'static str, want: String, got: String) -> Self {
        Self { attribute, right: want == got, want, got }
    }
}

/// Compares an attribute, unless the gold leaves it open.
fn verdict(attribute: &'static str, want: Option<impl Into<String>>, got: impl Into<String>) -> Option<Verdict> {
    want.map(|want| Verdict::new(attribute, want.into(), got.into()))
}

/// Compares every attribute that the gold does not leave open.
fn attributes(want: &GoldFigure, got: &Placed<'_>, own: bool, total: Option<&Figure>) -> Vec<Verdict> {
    let figure = got.figure;
    let owner = |own: bool| if own { "its own" } else { "another" }.to_owned();
    let category = |category: Option<MeasureCategory>| category.map_or("", MeasureCategory::code).to_owned();
    let product = if figure.product.is_empty() { got.measure_product } else { &figure.product };
    let period = figure.period.as_ref().map_or_else(String::new, |period| days(&period.start, &period.end));
    let verdicts = [
        verdict("institution", want.institution.stated().map(|_| owner(true)), owner(own)),
        verdict("metric", want.metric.stated().map(|metric| metric.code()), figure.metric.code()),
        verdict("value", want.value.stated().cloned(), figure.value.as_str()),
        verdict("upper_value", text(&want.upper_value), figure.upper_value.as_str()),
        verdict("kind", want.kind.stated().map(|kind| kind.code()), figure.kind.code()),
        verdict("unit", text(&want.unit), figure.unit.as_str()),
        verdict("qualifier", want.qualifier.stated().map(|qualifier| qualifier.code()), figure.qualifier.code()),
        verdict("cumulative", want.cumulative.stated().map(|c| c.unwrap_or_default().to_string()), figure.cumulative.to_string()),
        verdict("planned", want.planned.stated().map(|p| p.unwrap_or_default().to_string()), figure.planned.to_string()),
        verdict("period", wanted_period(want), period),
        direction(want, figure),
        baseline(want, figure),
        text(&want.label)
            .map(|label| Verdict { right: alike(&label, &figure.label), ..Verdict::new("label", label, figure.label.clone()) }),
        verdict("beneficiary", text(&want.beneficiary), figure.beneficiary.as_str()),
        verdict("product", text(&want.product), product),
        verdict("part_of", text(&want.part_of), total.map_or("", |total| &total.text)),
        verdict("category", want.category.stated().map(|wanted| category(*wanted)), category(got.category)),
        verdict("purposes", want.purposes.stated().map(|codes| set(codes.as_deref())), set(Some(&figure.purposes))),
        verdict("segments", want.segments.stated().map(|codes| set(codes.as_deref())), set(Some(&figure.segments))),
    ];
    verdicts.into_iter().flatten().collect()
}

/// What is said of an attribute, empty for nothing; `None` where it is left open.
fn text(attribute: &Attribute<Option<String>>) -> Option<String> {
    attribute.stated().map(|value| value.clone().unwrap_or_default())
}

fn direction(want: &GoldFigure, got: &Figure) -> Option<Verdict> {
    let code = |direction: Option<ChangeDirection>| direction.map_or("", ChangeDirection::code);
    let wanted = want.change.stated().map(|change| code(change.as_ref().and_then(|change| change.direction)));
    verdict("change.direction", wanted, code(got.change.as_ref().map(|change| change.direction)))
}

fn baseline(want: &GoldFigure, got: &Figure) -> Option<Verdict> {
    let wanted = want.change.stated()?.as_ref().map_or_else(|| Some(String::new()), |change| text(&change.baseline));
    verdict("change.baseline", wanted, got.change.as_ref().map_or("", |change| &change.baseline))
}

/// The gold's period written out, unless it or one of its days is left open.
fn wanted_period(want: &GoldFigure) -> Option<String> {
    let Some(period) = want.period.stated()? else { return Some(String::new()) };
    let (start, end) = (period.start.stated()?, period.end.stated()?);
    Some(days(start.as_deref().unwrap_or_default(), end.as_deref().unwrap_or_default()))
}

fn days(start: &str, end: &str) -> String {
    if start.is_empty() && end.is_empty() { String::new() } else { format!("{start}..{end}") }
}

/// Codes without order or repetition.
fn set(codes: Option<&[String]>) -> String {
    let mut codes: Vec<&str> = codes.unwrap_or_default().iter().map(String::as_str).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.join(" ")
}

/// Whether two labels share at least three characters in five.
fn alike(a: &str, b: &str) -> bool {
    let mut counts: BTreeMap<char, (usize, usize)> = BTreeMap::new();
    for c in a.chars() {
        counts.entry(c).or_default().0 += 1;
    }
    for c in b.chars() {
        counts.entry(c).or_default().1 += 1;
    }
    let common: usize = counts.values().map(|(a, b)| a.min(b)).sum();
    let all: usize = counts.values().map(|(a, b)| a + b).sum();
    all == 0 || common * 10 >= all * 3
}

/// Counts the verdicts on one figure.
fn judge(institution: &str, want: &GoldFigure, verdicts: &[Verdict], tally: &mut Tally) {
    for verdict in verdicts {
        tally.attribute(verdict.attribute, verdict.right);
    }
    let wrong: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.right).collect();
    let strict = wrong.iter().all(|verdict| !ESSENTIAL.contains(&verdict.attribute));
    tally.strict.hits += u64::from(strict);
    tally.strict.misses += u64::from(!strict);
    tally.strict.extras += u64::from(!strict);
    if !wrong.is_empty() {
        let told: Vec<String> = wrong.iter().map(|v| format!("{} want `{}` got `{}`", v.attribute, v.want, v.got)).collect();
        tally.mistakes.push(format!("{institution} / {}: {}", want.text, told.join(", ")));
    }
}

/// Whose act, what kind, in which sentence. The owner is an institution of the report, or one of the gold
/// that the report misses.
type Act = (Result<usize, usize>, MeasureCategory, Span);

fn measures(place: &Place, gold: &Gold, report: &Report, answers: &[Option<usize>], tally: &mut Tally) {
    let mut want: BTreeMap<Act, String> = BTreeMap::new();
    for (index, (institution, answer)) in gold.institutions.iter().zip(answers).enumerate() {
        for measure in &institution.measures {
            let told = format!("{} / {} / {}", institution.name, measure.category.code(), measure.anchor);
            want.insert((answer.ok_or(index), measure.category, measure.sentence), told);
        }
    }
    let mut got: BTreeMap<Act, &str> = BTreeMap::new();
    for (index, institution) in report.institutions.iter().enumerate() {
        for measure in &institution.measures {
            got.insert((Ok(index), measure.category, place.sentence(measure.span.start)), &measure.text);
        }
    }
    for (act, told) in &want {
        if got.contains_key(act) {
            tally.measures.hits += 1;
        } else {
            tally.measures.misses += 1;
            tally.mistakes.push(format!("measure missed: {told}"));
        }
    }
    for (act, text) in got.iter().filter(|(act, _)| !want.contains_key(*act)) {
        tally.measures.extras += 1;
        tally.mistakes.push(format!("measure not in gold: {}: {text}", act.1.code()));
    }
}

/// Findings by code and place; those on quantities without an owner are not scored.
fn findings(place: &Place, gold: &Gold, report: &Report, tally: &mut Tally) {
    let scored = |code: FindingCode| code != FindingCode::UnattributedQuantity;
    let mut left: Vec<_> = report.findings.iter().filter(|finding| scored(finding.code)).collect();
    for want in gold.findings.iter().filter(|finding| scored(finding.code)) {
        let near = |span: &Span| span.start < want.span.end + NEAR && want.span.start < span.end + NEAR;
        match left.iter().position(|finding| finding.code == want.code && finding.spans.iter().any(near)) {
            Some(index) => {
                left.remove(index);
                tally.findings.hits += 1;
            }
            None => {
                tally.findings.misses += 1;
                tally.mistakes.push(format!("finding missed: {} at `{}`", want.code.code(), want.anchor));
            }
        }
    }
    for extra in left {
        tally.findings.extras += 1;
        let places: Vec<String> = extra.spans.iter().filter_map(|span| place.cut(*span)).collect();
        tally.mistakes.push(format!("finding not in gold: {} {places:?}", extra.code.code()));
    }
}
