//! From numbers to facts: what each number measures, whose it is, and how it reads.
//!
//! One pass over the sentences; within a sentence the numbers are read in order,
//! each in its window (from the number before it to the one after it, inside its
//! clause), with what the sentence has said so far.

mod antecedent;
mod category;
mod change;
mod codes;
mod count;
mod doubt;
mod label;
mod metric;
mod money;
mod part;
mod period;
mod phrase;
mod ratio;
mod role;
mod row;
mod window;

pub use change::iso;
pub use codes::codes_in;
pub use doubt::{Doubts, Field};
pub use window::Window;

use super::discourse::{is_sector_statistic, oversees};
use super::measure::Cue;
use super::reading::Reading;
use super::recognize::quantity::QuantityMention;
use super::report::{Change, Derivation, InstitutionType, MeasureCategory, Metric, Period, QuantityKind, QuantityRole, clip};
use super::source::Glyphs;
use crate::words::words;

/// A number that has been understood as a figure.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Index of the quantity.
    pub quantity: usize,
    /// Whose it is.
    pub owner: Option<usize>,
    /// What it measures.
    pub metric: Metric,
    /// What kind of quantity, as the sentence settles it.
    pub kind: QuantityKind,
    /// The unit, as the sentence settles it.
    pub unit: String,
    /// The text's words for what is counted.
    pub label: String,
    /// The noun phrase the label and the codes come from.
    pub noun: Glyphs,
    /// When.
    pub period: Option<Period>,
    /// The change it is.
    pub change: Option<Change>,
    /// Called cumulative.
    pub cumulative: bool,
    /// Who got it.
    pub beneficiary: String,
    /// Through which product.
    pub product: String,
    /// Purpose codes.
    pub purposes: Vec<String>,
    /// Segment codes.
    pub segments: Vec<String>,
    /// Index of the fact it is a part of.
    pub part_of: Option<usize>,
    /// Said to be intended or expected, not done.
    pub planned: bool,
    /// The measure it belongs to.
    pub category: Option<MeasureCategory>,
    /// Index of its sentence; `None` in a heading.
    pub sentence: Option<usize>,
    /// Its window.
    pub window: Window,
    /// Why.
    pub derivation: Derivation,
    /// What of it is in doubt.
    pub doubts: Doubts,
}

impl Fact {
    /// What other facts may take over from this one stays short.
    fn clip(&mut self) {
        let of_period = self.period.as_mut().map(|period| &mut period.text);
        let of_change = self.change.as_mut().map(|change| &mut change.text);
        let own = [&mut self.label, &mut self.beneficiary, &mut self.product];
        let of_steps = self.derivation.steps.iter_mut().map(|(_, words)| words);
        own.into_iter().chain(of_period).chain(of_change).chain(of_steps).for_each(clip);
    }
}

/// What attribution makes of the numbers of a text.
#[derive(Debug)]
pub struct Attribution {
    /// The facts, by place.
    pub facts: Vec<Fact>,
    /// The role of each quantity.
    pub roles: Vec<QuantityRole>,
}

/// Reads every number of the text.
#[must_use]
pub fn attribute(reading: &Reading<'_, '_>, cues: &[Cue]) -> Attribution {
    let mut out =
        Attribution { facts: Vec::with_capacity(reading.quantities.len()), roles: vec![QuantityRole::Context; reading.quantities.len()] };
    role::outside_sentences(reading, &mut out.roles);
    let repeats = role::Repeats::default();
    for (index, sentence) in reading.outline.sentences.iter().enumerate() {
        let first = out.facts.len();
        for quantity in reading.quantities_in(&sentence.range) {
            let Some(q) = reading.quantities.get(quantity) else { continue };
            let window = Window::new(reading, quantity, &sentence.range);
            let verdict = role::role(reading, q, &window, out.facts.get(first..).unwrap_or_default());
            if let Some(slot) = out.roles.get_mut(quantity) {
                *slot = verdict;
            }
            if verdict == QuantityRole::Figure {
                let fact = read(reading, q, quantity, index, window, &out.facts, first);
                out.facts.push(fact);
            }
        }
        role::announced(reading, &mut out, first, index, &repeats);
        let facts = out.facts.len();
        if facts == first {
            continue;
        }
        row::share_out(reading, &mut out.facts, first..facts);
        part::parts(reading, &mut out.facts, first..facts);
        category::settle(reading, cues, &mut out.facts, first..facts);
        codes::share(reading, &mut out.facts, first..facts);
        explain_doubts(out.facts.get_mut(first..).unwrap_or_default());
    }
    out
}

/// Says in the derivation of each fact what of it is in doubt.
fn explain_doubts(facts: &mut [Fact]) {
    for fact in facts {
        let doubts = fact.doubts;
        fact.derivation.steps.extend(doubts.names().map(|name| ("in_doubt", name.to_owned())));
    }
}

/// How many steps lead to most facts, at the most.
const STEPS: usize = 4;

/// One number in its window.
fn read(
    reading: &Reading<'_, '_>,
    q: &QuantityMention,
    quantity: usize,
    sentence: usize,
    window: Window,
    facts: &[Fact],
    first: usize,
) -> Fact {
    let before = facts.get(first..).unwrap_or_default();
    if let Some(last) = before.last().filter(|last| row::goes_on(reading, last, q, &window)) {
        return row::next(reading, last, q, quantity, window);
    }
    let shift = change::change(reading, q, &window, before);
    let topic = antecedent::topic(reading, q, &window, before, shift.as_ref());
    let measured = metric::metric(reading, q, &window, before, shift.as_ref(), topic);
    let (mut label, noun) = label::label(reading, q, &window, measured.metric, before, shift.as_ref(), topic);
    if label.is_empty() && measured.why.0 != "unit_of_goods" && !measured.why.1.chars().any(|c| c.is_ascii_digit()) {
        label.clone_from(&measured.why.1);
    }
    let mut fact = Fact {
        quantity,
        owner: None,
        metric: measured.metric,
        kind: measured.kind,
        unit: measured.unit,
        label,
        noun,
        period: period::period(reading, &window, sentence, facts),
        change: None,
        cumulative: false,
        beneficiary: String::new(),
        product: String::new(),
        purposes: Vec::new(),
        segments: Vec::new(),
        part_of: None,
        planned: false,
        category: None,
        sentence: Some(sentence),
        window,
        derivation: Derivation { steps: Vec::with_capacity(STEPS) },
        doubts: Doubts::default(),
    };
    fact.doubts.add(Field::Label, fact.label.is_empty() || !phrase::ends_with_a_noun(reading, &fact.noun));
    fact.doubts.add(Field::Metric, measured.doubt);
    let own = owner(reading, quantity, q, measured.metric);
    fact.owner = own.map(|(owner, _)| owner);
    fact.doubts.add(Field::Institution, own.is_some_and(|(_, in_doubt)| in_doubt));
    fact.derivation.steps.push(measured.why);
    fact.change = shift.as_ref().map(|s| s.resolve(reading, fact.period.as_ref(), topic));
    if let Some(change) = &fact.change {
        fact.derivation.steps.push(("change_against_baseline", change.text.clone()));
    }
    if let Some(period) = &fact.period {
        fact.derivation.steps.push(("period_reaches_forward", period.text.clone()));
    }
    fact.cumulative = period::cumulative(reading, q, sentence, &fact, facts);
    codes::parties(reading, &mut fact);
    codes::own(reading, &mut fact);
    // An elliptic 金额 goes on with what was counted before it, and with whom.
    if let Some(last) = before.last().filter(|last| fact.noun.is_empty() && !fact.label.is_empty() && last.label == fact.label) {
        fact.purposes.clone_from(&last.purposes);
        fact.segments.clone_from(&last.segments);
    }
    let of_product = match fact.label.as_str() {
        "授信" | "贷款" | "放款" | "发放" | "投放" => true,
        "" => matches!(fact.kind, QuantityKind::Money | QuantityKind::Count),
        _ => false,
    };
    if of_product && !fact.product.is_empty() && fact.sentence.is_some() {
        fact.label.clone_from(&fact.product);
    }
    fact.clip();
    fact
}

/// Whose a number is: the institution its place is about, or its share of a parallel row; and whether that is in doubt.
fn owner(reading: &Reading<'_, '_>, quantity: usize, q: &QuantityMention, metric: Metric) -> Option<(usize, bool)> {
    let at = q.core.start;
    let sentences = &reading.outline.sentences;
    let sentence =
        sentences.partition_point(|s| s.range.start <= at).checked_sub(1).and_then(|i| sentences.get(i)).map_or(0, |s| s.range.start);
    let rows = &reading.discourse.parallels;
    let rows = rows.get(rows.partition_point(|p| p.range.start < sentence)..).unwrap_or_default();
    if let Some(row) = rows.iter().take_while(|p| p.range.start <= at).find(|p| p.range.contains(&at)) {
        let place = reading
            .quantities_in(&row.range)
            .filter(|&i| reading.quantities.get(i).is_some_and(|other| other.kind == q.kind && other.unit == q.unit))
            .position(|i| i == quantity);
        if let Some(&owner) = place.and_then(|p| row.owners.get(p)) {
            return Some((owner, false));
        }
    }
    let owner = reading.discourse.owner_at(at)?;
    let body = reading.discourse.entities.get(owner)?;
    let clause = reading.clause_start(at, at.saturating_sub(60))..at;
    let of_loans = matches!(metric, Metric::Share | Metric::CustomerCount | Metric::LoanCount) && reading.any(clause, words!["贷款"]);
    let reports_sector = oversees(body.kind) && body.kind != InstitutionType::BankingSector && (is_sector_statistic(metric) || of_loans);
    let sector = if reports_sector { reading.discourse.sector(metric) } else { reading.discourse.sector_of_trade(owner, metric) };
    Some((sector.unwrap_or(owner), sector.is_some() || reading.discourse.is_owner_in_doubt(at, sentence, owner)))
}

/// A number that stands in a heading alone, as a figure of the section's institution.
#[must_use]
pub fn in_heading(reading: &Reading<'_, '_>, quantity: usize, heading: &Glyphs, owner: usize) -> Option<Fact> {
    let q = reading.quantities.get(quantity)?;
    let window = Window::new(reading, quantity, heading);
    let measured = metric::metric(reading, q, &window, &[], None, None);
    let (label, noun) = label::label(reading, q, &window, measured.metric, &[], None, None);
    let mut fact = Fact {
        quantity,
        owner: Some(owner),
        metric: measured.metric,
        kind: measured.kind,
        unit: measured.unit,
        label,
        noun,
        period: None,
        change: None,
        cumulative: false,
        beneficiary: String::new(),
        product: String::new(),
        purposes: Vec::new(),
        segments: Vec::new(),
        part_of: None,
        planned: false,
        category: None,
        sentence: None,
        window,
        derivation: Derivation { steps: vec![("stated_in_a_heading_alone", String::new()), measured.why] },
        doubts: Doubts::default(),
    };
    fact.doubts.add(Field::Metric, measured.doubt);
    codes::own(reading, &mut fact);
    fact.clip();
    Some(fact)
}
