//! What does not add up: one check for each finding code.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::attribute::{Fact, iso};
use super::lexicon::{Hit, Role};
use super::outline::ParagraphKind;
use super::reading::Reading;
use super::recognize::date::DateShape;
use super::recognize::quantity::QuantityMention;
use super::report::{Finding, FindingCode, Metric, Qualifier, QuantityKind, QuantityRole, Severity, Span, clip};
use super::source::Glyphs;
use crate::words::words;

/// What the checks look at.
#[derive(Debug)]
pub struct Case<'a, 'r, 't> {
    /// The text.
    pub reading: &'a Reading<'r, 't>,
    /// The facts of running text and headings.
    pub facts: &'a [Fact],
    /// The role of each quantity.
    pub roles: &'a [QuantityRole],
    /// Whether any institution reports.
    pub reporters: bool,
    /// What of the headings the body states again.
    pub restated: &'a Restated<'r>,
}

/// Most cells that are added up to a table's total.
const MAX_TABLE: usize = 256;
/// How many numbers behind a heading's are looked at for one that differs in a digit.
const MAX_RESTATED: usize = 128;

type Check = fn(&Case<'_, '_, '_>, &mut Vec<Finding>);

/// Every check, in the order of the codes.
const CHECKS: &[Check] = &[
    part_exceeds_total,
    parts_do_not_sum,
    change_mismatch,
    conflicting_figures,
    date_repaired,
    date_implausible,
    unit_missing,
    contradictory_qualifier,
    unattributed_quantity,
    heading_mismatch,
    no_institution_found,
    text_suspect,
];

/// Runs every check; findings by place.
#[must_use]
pub fn audit(case: &Case<'_, '_, '_>) -> Vec<Finding> {
    let mut out = Vec::new();
    for check in CHECKS {
        check(case, &mut out);
    }
    out.sort_by_key(|f| (f.spans.first().copied().unwrap_or_default(), f.code));
    out
}

impl Case<'_, '_, '_> {
    fn quantity(&self, fact: &Fact) -> Option<&QuantityMention> {
        self.reading.quantities.get(fact.quantity)
    }

    fn span(&self, range: &Glyphs) -> Span {
        self.reading.source.span(range.clone())
    }

    fn text(&self, range: &Glyphs) -> String {
        super::assemble::in_short(self.reading, range)
    }

    fn finding(
        &self,
        code: FindingCode,
        severity: Severity,
        ranges: &[&Glyphs],
        message: String,
        stated: String,
        expected: String,
    ) -> Finding {
        let [stated, expected] = [stated, expected].map(|mut text| {
            clip(&mut text);
            text
        });
        Finding { code, severity, message, spans: ranges.iter().map(|r| self.span(r)).collect(), stated, expected }
    }
}

/// A value with what its rounding allows: half a unit of its last written digit either way.
#[derive(Clone, Copy, Debug)]
struct Interval {
    low: Decimal,
    high: Decimal,
}

/// The interval of a stated value; `None` if it is not stated exactly.
fn interval(case: &Case<'_, '_, '_>, fact: &Fact) -> Option<Interval> {
    let q = case.quantity(fact)?;
    if q.qualifier != Qualifier::Exact || q.upper.is_some() {
        return None;
    }
    let value = q.value?;
    let text = case.reading.source.text(q.number.clone());
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let written: Decimal = digits.parse().ok()?;
    let places = u32::try_from(digits.split_once('.').map_or(0, |(_, d)| d.len())).ok()?;
    if written.is_zero() {
        return None;
    }
    let scale = value.checked_div(written)?.abs();
    let half = Decimal::new(5, places.checked_add(1).filter(|p| *p <= 20)?).checked_mul(scale)?;
    Some(Interval { low: value.checked_sub(half)?, high: value.checked_add(half)? })
}

fn part_exceeds_total(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for part in case.facts {
        let Some(total) = part.part_of.and_then(|t| case.facts.get(t)) else { continue };
        let (Some(p), Some(t)) = (interval(case, part), interval(case, total)) else { continue };
        let (Some(pq), Some(tq)) = (case.quantity(part), case.quantity(total)) else { continue };
        if p.low > t.high {
            out.push(case.finding(
                FindingCode::PartExceedsTotal,
                Severity::Error,
                &[&pq.range, &tq.range],
                "a part is larger than the total it is a part of".to_owned(),
                case.text(&pq.range),
                format!("at most {}", case.text(&tq.range)),
            ));
        }
    }
}

/// Parts that claim to be all of them (the last is 其他, or a row 合计 closes the table) add up to the total.
fn parts_do_not_sum(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    let mut parts_of: BTreeMap<usize, Vec<&Fact>> = BTreeMap::new();
    for fact in case.facts {
        if let Some(total) = fact.part_of {
            parts_of.entry(total).or_default().push(fact);
        }
    }
    for (index, total) in case.facts.iter().enumerate() {
        let parts: Vec<&Fact> = if is_table_total(case, total) {
            table_rows(case, index)
        } else {
            let parts = parts_of.remove(&index).unwrap_or_default();
            let all = parts.last().is_some_and(|last| {
                ["其他", "其余", "其它"].iter().any(|w| case.reading.source.text(last.window.left.clone()).contains(w))
            });
            let listed = parts.len() >= 3
                && same_head(&parts)
                && parts.iter().filter_map(|p| case.quantity(p)?.value).sum::<Decimal>()
                    > case.quantity(total).and_then(|q| q.value).unwrap_or_default();
            if all || listed { parts } else { Vec::new() }
        };
        if parts.len() < 2 {
            continue;
        }
        let Some(t) = interval(case, total) else { continue };
        let Some(sum) = parts.iter().try_fold(Interval { low: Decimal::ZERO, high: Decimal::ZERO }, |sum, part| {
            let p = interval(case, part)?;
            Some(Interval { low: sum.low.checked_add(p.low)?, high: sum.high.checked_add(p.high)? })
        }) else {
            continue;
        };
        let Some(q) = case.quantity(total) else { continue };
        if sum.low > t.high || sum.high < t.low {
            let added = parts.iter().filter_map(|p| case.quantity(p)?.value).sum::<Decimal>().normalize();
            let mut ranges = vec![&q.range];
            ranges.extend(parts.iter().filter_map(|p| case.quantity(p)).map(|p| &p.range));
            out.push(case.finding(
                FindingCode::PartsDoNotSum,
                Severity::Error,
                &ranges,
                "the parts do not add up to their total".to_owned(),
                q.value.map(|v| v.normalize().to_string()).unwrap_or_default(),
                added.to_string(),
            ));
        }
    }
}

/// Whether parts are called by one noun: 小微企业担保余额, 创业担保余额.
fn same_head(parts: &[&Fact]) -> bool {
    let tail = |f: &&Fact| f.label.chars().rev().take(4).collect::<String>();
    parts.first().map(tail).is_some_and(|first| first.chars().count() == 4 && parts.iter().all(|p| tail(p) == first))
}

fn is_row(case: &Case<'_, '_, '_>, fact: &Fact) -> bool {
    fact.sentence.and_then(|s| case.reading.outline.sentences.get(s)).is_some_and(|s| s.row)
}

fn is_table_total(case: &Case<'_, '_, '_>, fact: &Fact) -> bool {
    is_row(case, fact)
        && !matches!(fact.kind, QuantityKind::Percent | QuantityKind::PercentagePoint)
        && case
            .reading
            .any(fact.window.sentence.start..fact.window.sentence.end.min(fact.window.sentence.start + 4), words!["合计", "总计"])
}

/// The cells above a table's total: same kind and unit in the rows right before it.
fn table_rows<'f>(case: &Case<'f, '_, '_>, total: usize) -> Vec<&'f Fact> {
    let Some(sum) = case.facts.get(total) else { return Vec::new() };
    let mut rows = Vec::new();
    let mut sentence = sum.sentence;
    for fact in case.facts.get(total.saturating_sub(MAX_TABLE)..total).unwrap_or_default().iter().rev() {
        if !is_row(case, fact) || fact.sentence.zip(sentence).is_none_or(|(a, b)| b - a > 1) {
            break;
        }
        sentence = fact.sentence;
        if fact.kind == sum.kind && fact.unit == sum.unit && fact.sentence != sum.sentence && fact.window.column == sum.window.column {
            rows.push(fact);
        }
    }
    rows
}

/// Balance, increase and growth rate of one thing against one day: (L − D)·(1 + r) = L within rounding.
fn change_mismatch(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for (index, rate) in case.facts.iter().enumerate() {
        let Some(change) = rate.change.as_ref().filter(|_| rate.kind == QuantityKind::Percent && index >= 2) else { continue };
        let (Some(level), Some(moved)) = (case.facts.get(index - 2), index.checked_sub(1).and_then(|i| case.facts.get(i))) else {
            continue;
        };
        let triple = moved.change.as_ref().is_some_and(|c| c.direction == change.direction && c.baseline == change.baseline)
            && level.change.is_none()
            && level.kind == moved.kind
            && level.unit == moved.unit
            && matches!(level.kind, QuantityKind::Money | QuantityKind::Count)
            && level.sentence == rate.sentence
            && level.owner == rate.owner
            && level.metric == rate.metric
            && level.metric == moved.metric
            && level.label == rate.label
            && level.label == moved.label;
        if !triple || !stock(level) {
            continue;
        }
        let (Some(l), Some(d), Some(r)) = (interval(case, level), interval(case, moved), interval(case, rate)) else { continue };
        let up = change.direction == super::report::ChangeDirection::Increase;
        let bounds = growth(l.high, d.low, up).zip(growth(l.low, d.high, up));
        let Some((a, b)) = bounds else { continue };
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        if r.high < low || r.low > high {
            let Some(q) = case.quantity(rate) else { continue };
            let exact = case
                .quantity(level)
                .and_then(|l| l.value)
                .zip(case.quantity(moved).and_then(|m| m.value))
                .and_then(|(l, d)| growth(l, d, up))
                .unwrap_or_default();
            let ranges: Vec<&Glyphs> = [rate, moved, level].iter().filter_map(|f| case.quantity(f)).map(|q| &q.range).collect();
            out.push(case.finding(
                FindingCode::ChangeMismatch,
                Severity::Error,
                &ranges,
                "balance, change and growth rate disagree beyond what their rounding allows".to_owned(),
                case.text(&q.range),
                format!("{}%", exact.round_dp(2).normalize()),
            ));
        }
    }
}

const fn stock(fact: &Fact) -> bool {
    matches!(
        fact.metric,
        Metric::LoanBalance
            | Metric::DepositBalance
            | Metric::TotalAssets
            | Metric::CustomerCount
            | Metric::FinancingProvided
            | Metric::CreditLine
    )
}

/// Growth in percent of a level that moved by `moved`.
fn growth(level: Decimal, moved: Decimal, up: bool) -> Option<Decimal> {
    let before = if up { level.checked_sub(moved)? } else { level.checked_add(moved)? };
    if before <= Decimal::ZERO {
        return None;
    }
    moved.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(before)
}

/// One institution's stock of one thing on one day with two values.
fn conflicting_figures(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(usize, Metric, &str, &str, &str), &Fact> = BTreeMap::new();
    for fact in case.facts {
        let settled = matches!(
            fact.metric,
            Metric::LoanBalance | Metric::DepositBalance | Metric::TotalAssets | Metric::NonPerformingRatio | Metric::NonPerformingLoan
        ) && fact.change.is_none()
            && fact.label.chars().count() >= 3;
        let (Some(owner), Some(period), true) = (fact.owner, fact.period.as_ref(), settled) else { continue };
        if period.end.is_empty()
            || fact.sentence.is_none()
            || !fact.beneficiary.is_empty()
            || matches!(fact.kind, QuantityKind::PercentagePoint)
        {
            continue;
        }
        if fact.metric != Metric::NonPerformingRatio && fact.kind != QuantityKind::Money || of_a_group(case, fact) {
            continue;
        }
        let Some(&first) = seen.get(&(owner, fact.metric, fact.label.as_str(), period.end.as_str(), fact.product.as_str())) else {
            seen.insert((owner, fact.metric, &fact.label, &period.end, &fact.product), fact);
            continue;
        };
        let (Some(a), Some(b)) = (case.quantity(first), case.quantity(fact)) else { continue };
        let apart = interval(case, first).zip(interval(case, fact)).is_some_and(|(x, y)| x.high < y.low || y.high < x.low);
        if apart && first.part_of == fact.part_of {
            out.push(case.finding(
                FindingCode::ConflictingFigures,
                Severity::Error,
                &[&b.range, &a.range],
                "one figure is stated with two values".to_owned(),
                case.text(&b.range),
                case.text(&a.range),
            ));
        }
    }
}

/// Whether a figure is about a part of its owner only: 其中…, 股份制商业银行不良贷款率.
fn of_a_group(case: &Case<'_, '_, '_>, fact: &Fact) -> bool {
    const GROUPS: &[&str] = &[
        "商业银行",
        "股份制",
        "大型银行",
        "城商行",
        "法人银行",
        "外资银行",
        "村镇银行",
        "农商行",
        "政策性银行",
        "分行",
        "支行",
        "财务公司",
        "信托公司",
    ];
    let owner = fact.owner.and_then(|o| case.reading.discourse.entities.get(o)).map_or("", |e| e.name.as_str());
    let before = fact.window.clause.start..fact.window.left.end;
    let part = case.reading.any(fact.window.sentence.start..fact.window.left.end, words!["其中"]);
    part || GROUPS.iter().any(|g| !owner.contains(g) && case.reading.source.text(before.clone()).contains(g))
}

fn date_repaired(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for date in case.reading.dates.iter().filter(|d| d.repaired) {
        let expected = match (date.start, date.end) {
            (Some(a), Some(b)) if a != b => format!("{}..{}", iso(a), iso(b)),
            (Some(a), _) => iso(a),
            _ => String::new(),
        };
        out.push(case.finding(
            FindingCode::DateRepaired,
            Severity::Warning,
            &[&date.range],
            "a damaged date was repaired".to_owned(),
            case.text(&date.range),
            expected,
        ));
    }
}

fn date_implausible(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    let periods = Periods::default();
    for date in case.reading.dates.all() {
        let late = case.reading.published.zip(date.end.or(date.start)).is_some_and(|(published, day)| day > published)
            && date.shape == DateShape::Day
            && !date.repaired
            && as_of(case, &date.range, &periods);
        if date.impossible || late {
            let message = if late { "figures are dated after the day of publication" } else { "there is no such date" };
            let expected = case.reading.published.filter(|_| late).map(|p| format!("not after {}", iso(p))).unwrap_or_default();
            out.push(case.finding(
                FindingCode::DateImplausible,
                Severity::Error,
                &[&date.range],
                message.to_owned(),
                case.text(&date.range),
                expected,
            ));
        }
    }
}

/// The ends of the texts of all periods, looked up when first asked.
#[derive(Default)]
struct Periods<'f>(OnceCell<BTreeSet<&'f str>>);

impl<'f> Periods<'f> {
    fn end_with(&self, case: &Case<'f, '_, '_>, date: &str) -> bool {
        let ends = self.0.get_or_init(|| {
            let texts: BTreeSet<&str> = case.facts.iter().filter_map(|f| f.period.as_ref()).map(|p| p.text.as_str()).collect();
            texts.into_iter().flat_map(|text| text.char_indices().filter_map(move |(at, _)| text.get(at..))).collect()
        });
        ends.contains(date)
    }
}

/// Whether a date says as of when figures hold.
fn as_of<'f>(case: &Case<'f, '_, '_>, range: &Glyphs, periods: &Periods<'f>) -> bool {
    let source = case.reading.source;
    let body = case.reading.outline.paragraph_at(range.start).is_some_and(|p| matches!(p.kind, ParagraphKind::Body | ParagraphKind::Row));
    let opened = words!["截至", "截止", "截止到", "截至到"].end_before(source, range.start);
    let text = source.text(range.clone());
    let stated = (text.ends_with('末') || text.ends_with('底'))
        && !case.reading.any(range.start.saturating_sub(6)..range.start, words!["到", "至", "前", "计划", "预计", "力争", "将"]);
    body && (opened || stated && periods.end_with(case, source.original_text(range.clone())))
        && !source.starts_with(range.end, "到期")
        && !source.starts_with(range.end, "前")
}

fn unit_missing(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for fact in case.facts.iter().filter(|f| f.kind == QuantityKind::Money) {
        let Some(q) = case.quantity(fact).filter(|q| q.unit_missing) else { continue };
        let text = case.text(&q.range);
        out.push(case.finding(
            FindingCode::UnitMissing,
            Severity::Warning,
            &[&q.range],
            "a sum of money stands without its unit".to_owned(),
            text.clone(),
            format!("{text}元"),
        ));
    }
}

fn contradictory_qualifier(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for q in case.reading.quantities.iter().filter(|q| q.contradictory) {
        out.push(case.finding(
            FindingCode::ContradictoryQualifier,
            Severity::Warning,
            &[&q.range],
            "two qualifiers contradict each other".to_owned(),
            case.text(&q.range),
            String::new(),
        ));
    }
}

fn unattributed_quantity(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for (q, _) in case.reading.quantities.iter().zip(case.roles).filter(|(_, role)| **role == QuantityRole::Unattributed) {
        out.push(case.finding(
            FindingCode::UnattributedQuantity,
            Severity::Info,
            &[&q.range],
            "no institution could be found for this quantity".to_owned(),
            case.text(&q.range),
            String::new(),
        ));
    }
}

/// A heading states a value that its section states otherwise: 2.3亿元 over 2.03亿元.
fn heading_mismatch(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    for (index, q) in case.reading.quantities.iter().enumerate() {
        if case.roles.get(index) != Some(&QuantityRole::Heading)
            || q.kind != QuantityKind::Money && q.kind != QuantityKind::Count
            || q.value.is_none()
        {
            continue;
        }
        let Some(other) = case.restated.find(case.reading, q, index).filter(|other| other.value != q.value) else { continue };
        out.push(case.finding(
            FindingCode::HeadingMismatch,
            Severity::Warning,
            &[&q.range, &other.range],
            "heading and body state different values".to_owned(),
            case.text(&q.range),
            case.text(&other.range),
        ));
    }
}

/// Where the numbers of the body stand, by what they say.
#[derive(Debug)]
pub struct Restated<'a> {
    /// The body's quantities with their indices, ascending.
    body: Vec<(usize, &'a QuantityMention)>,
    /// Places in `body` of each kind, unit and value that a heading has.
    by_value: BTreeMap<(QuantityKind, &'a str, Option<Decimal>), Vec<usize>>,
}

impl<'a> Restated<'a> {
    /// Looks the body's numbers up, if any number stands in a heading.
    #[must_use]
    pub fn new(reading: &Reading<'a, '_>, roles: &[QuantityRole]) -> Self {
        let mut out = Self { body: Vec::new(), by_value: BTreeMap::new() };
        if !roles.contains(&QuantityRole::Heading) {
            return out;
        }
        let in_headings = reading.quantities.all().iter().zip(roles).filter(|(_, role)| **role == QuantityRole::Heading);
        out.by_value = in_headings.map(|(q, _)| ((q.kind, q.unit.as_str(), q.value), Vec::new())).collect();
        for (index, q) in reading.quantities.all().iter().enumerate() {
            if reading.outline.paragraph_at(q.core.start).is_some_and(|p| matches!(p.kind, ParagraphKind::Body | ParagraphKind::Row)) {
                if let Some(places) = out.by_value.get_mut(&(q.kind, q.unit.as_str(), q.value)) {
                    places.push(out.body.len());
                }
                out.body.push((index, q));
            }
        }
        out
    }

    /// Where the body under a heading states the heading's number again, or another one in its place
    /// (one digit lost, added or changed).
    #[must_use]
    pub fn find(&self, reading: &Reading<'a, '_>, q: &QuantityMention, index: usize) -> Option<&'a QuantityMention> {
        let end = reading.outline.section_at(q.core.start).map_or(reading.source.len(), |s| s.range.end);
        let from = self.body.partition_point(|(i, _)| *i <= index);
        let equal = self.by_value.get(&(q.kind, q.unit.as_str(), q.value)).map(Vec::as_slice).unwrap_or_default();
        let same = equal.get(equal.partition_point(|place| *place < from)).and_then(|place| self.body.get(*place)).map(|(_, other)| *other);
        if let Some(same) = same.filter(|other| other.core.start < end) {
            return Some(same);
        }
        let digits =
            |m: &QuantityMention| m.number.clone().map(|i| reading.source.at(i)).filter(char::is_ascii_digit).collect::<Vec<char>>();
        let own = digits(q);
        if own.len() < 2 {
            return None;
        }
        let behind = self
            .body
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take(MAX_RESTATED)
            .map(|(_, other)| *other)
            .take_while(|other| other.core.start < end);
        behind.filter(|o| o.kind == q.kind && o.unit == q.unit).find(|o| one_edit_apart(&own, &digits(o)))
    }
}

/// Whether one digit lost, added or changed, or two swapped, turns one number into the other.
fn one_edit_apart(a: &[char], b: &[char]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() || long.len() - short.len() > 1 {
        return false;
    }
    let same_head = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let same_tail = short.iter().rev().zip(long.iter().rev()).take_while(|(x, y)| x == y).count();
    if short.len() < long.len() {
        return same_head + same_tail >= short.len();
    }
    let swapped = same_head + same_tail + 2 == short.len()
        && short.get(same_head) == long.get(same_head + 1)
        && short.get(same_head + 1) == long.get(same_head);
    short.len() >= 3 && same_head + same_tail + 1 == short.len() || swapped
}

fn no_institution_found(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    if !case.reporters {
        out.push(Finding {
            code: FindingCode::NoInstitutionFound,
            severity: Severity::Info,
            message: "no institution was found that reports anything".to_owned(),
            spans: Vec::new(),
            stated: String::new(),
            expected: String::new(),
        });
    }
}

/// Replacement characters and the marks of a wrong decoding.
fn text_suspect(case: &Case<'_, '_, '_>, out: &mut Vec<Finding>) {
    /// How many glyphs of a wrong decoding show it, and how near to each other they stand.
    const SHOW: usize = 4;
    const NEAR: usize = 10;
    /// Most glyphs of them that are told.
    const STATED: usize = 32;
    let source = case.reading.source;
    let mut end = 0;
    let words: Vec<Hit> = case.reading.words(0..source.len(), Role::Mojibake).collect();
    for (index, hit) in words.iter().enumerate() {
        if hit.start() < end {
            continue;
        }
        let mut range = hit.range();
        if range.len() == 1 && source.at(range.start) != '\u{fffd}' {
            let near = |other: &&Hit| other.start() < range.start + NEAR;
            if words.iter().skip(index).take_while(near).count() < SHOW {
                continue;
            }
            // To the last of them: one finding for a stretch.
            let run = words.iter().skip(index).scan(range.end, |end, other| {
                let goes_on = other.start() < *end + NEAR;
                *end = other.end().max(*end);
                goes_on.then_some(*end)
            });
            range.end = run.last().unwrap_or(range.end);
        }
        end = range.end;
        while source.at(range.start) == '\u{fffd}' && source.at(end) == '\u{fffd}' {
            end += 1;
        }
        out.push(case.finding(
            FindingCode::TextSuspect,
            Severity::Warning,
            &[&(range.start..end)],
            "characters were lost in extraction".to_owned(),
            case.text(&(range.start..end.min(range.start + STATED))),
            String::new(),
        ));
    }
}
