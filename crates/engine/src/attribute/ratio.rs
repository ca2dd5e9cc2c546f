//! What a percentage or a number of points measures: a rate, a share, the growth of something.

use super::change::{Shift, comparison};
use super::metric::{Found, strongest};
use super::window::{Window, noun_before};
use super::{Fact, antecedent, count};
use crate::lexicon::Class;
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{Metric, QuantityKind};
use crate::source::Glyphs;

/// A metric, the rule that gave it, and the words it saw.
type Why = (Metric, &'static str, String);

/// A ratio and what the sentence has said so far.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a, 'r, 't> {
    /// The text.
    pub reading: &'a Reading<'r, 't>,
    /// The number.
    pub q: &'a QuantityMention,
    /// Around it.
    pub window: &'a Window,
    /// The figures before it.
    pub before: &'a [Fact],
    /// The change it is.
    pub shift: Option<&'a Shift>,
    /// What that is a change of.
    pub topic: Option<&'a Fact>,
    /// Percent or points.
    pub kind: QuantityKind,
}

impl Said<'_, '_, '_> {
    fn cue(&self, kind: QuantityKind, range: &Glyphs) -> Option<Found> {
        strongest(self.reading, kind, range, &(0..0))
    }

    fn words(&self, range: Glyphs) -> String {
        self.reading.source.text(range).to_owned()
    }

    /// The clause up to the number.
    fn clause(&self) -> Glyphs {
        self.window.clause.start..self.q.range.start
    }
}

/// What a ratio measures.
pub fn ratio(said: &Said<'_, '_, '_>) -> Why {
    own_cue(said)
        .or_else(|| elliptic(said).filter(|_| said.shift.is_none()))
        .or_else(|| cue_of_clause(said))
        .or_else(|| gap_or_points(said))
        .or_else(|| growth(said))
        .or_else(|| gap_of_a_noun(said))
        .or_else(|| rate_of_sentence(said))
        .unwrap_or_else(|| {
            let percent = said.kind == QuantityKind::Percent;
            (if percent { Metric::Share } else { Metric::InterestRate }, "ratio_without_cue", String::new())
        })
}

/// A rate or a share that is named beside the number.
fn own_cue(said: &Said<'_, '_, '_>) -> Option<Why> {
    let noun = said.window.noun_after(said.reading);
    by_cue(said, strongest(said.reading, said.kind, &said.window.left, &noun)?)
}

/// One that is named in its clause.
fn cue_of_clause(said: &Said<'_, '_, '_>) -> Option<Why> {
    by_cue(said, said.cue(said.kind, &said.clause())?)
}

fn by_cue(said: &Said<'_, '_, '_>, found: Found) -> Option<Why> {
    // 套保率较上年末提高6.2个百分点: the share itself moves.
    let moves = said.shift.is_some_and(|s| found.end + 1 >= s.noun_end && found.start < s.noun_end);
    if said.kind == QuantityKind::PercentagePoint && found.metric == Metric::Share && !moves {
        return None;
    }
    // 不良贷款余额3.4亿元,占比11.2%: the share of bad loans.
    let partless = || noun_before(said.reading, &(said.window.left.start..found.start.max(said.window.left.start))).is_empty();
    let bad = || antecedent::last_level(said.before, said.kind).is_some_and(|level| level.metric == Metric::NonPerformingLoan);
    let metric = if found.metric == Metric::Share && partless() && bad() { Metric::NonPerformingRatio } else { found.metric };
    Some((metric, "cue_in_window", said.words(found.start..found.end)))
}

/// Points by which a topic moved or differs.
fn gap_or_points(said: &Said<'_, '_, '_>) -> Option<Why> {
    let compared = said.shift.is_some() || comparison(said.reading, &said.clause()).is_some();
    if said.kind != QuantityKind::PercentagePoint || !compared {
        return None;
    }
    let level = said.topic.or_else(|| antecedent::compared(said.reading, said.window, said.before, said.kind))?;
    Some((level.metric, "gap_or_change_of_the_topic", level.label.clone()))
}

/// Growth of what is named before it, of the topic, or of what the sentence is about.
fn growth(said: &Said<'_, '_, '_>) -> Option<Why> {
    let shift = said.shift?;
    let left = &said.window.left;
    let grows = noun_before(said.reading, &(left.start..shift.noun_end.clamp(left.start, left.end)));
    if let Some(loans) = counts(said, &grows) {
        return Some((if loans { Metric::LoanCount } else { Metric::CustomerCount }, "growth_of_a_count", said.words(grows)));
    }
    let of_money = |range: &Glyphs| {
        let found = said.cue(QuantityKind::Money, range)?;
        Some((found.stock(), "growth_of", said.words(found.start..found.end)))
    };
    let of_count = || {
        let head = count::head(said.reading, &grows).filter(|_| said.kind == QuantityKind::Percent)?;
        Some((head.metric, "growth_of_a_count", said.words(grows.clone())))
    };
    of_money(left)
        .or_else(|| of_money(&said.clause()))
        .or_else(of_count)
        .or_else(|| said.topic.map(|level| (level.metric, "growth_of_the_topic", level.label.clone())))
        .or_else(|| rate_of_sentence(said))
        .or_else(|| of_money(&(said.window.sentence.start..said.q.range.start)))
        .or(Some((Metric::Other, "growth_of_something_else", String::new())))
}

/// Whether a noun is a number of something: of loans, or of customers.
fn counts(said: &Said<'_, '_, '_>, noun: &Glyphs) -> Option<bool> {
    let last = said.reading.hits.inside(noun.clone()).filter(|hit| hit.end() == noun.end);
    last.map(|hit| said.reading.lexicon.classes(hit)).find_map(|classes| {
        let loans = classes.has(Class::NumberOfDeals);
        (loans || classes.has(Class::NumberOfPeople)).then_some(loans)
    })
}

/// 绿色贷款增速超各项贷款5.3个百分点: the gap is that of the noun before the comparison.
fn gap_of_a_noun(said: &Said<'_, '_, '_>) -> Option<Why> {
    let word = comparison(said.reading, &said.window.left).filter(|_| said.kind == QuantityKind::PercentagePoint)?;
    let found = said.cue(QuantityKind::Money, &(said.window.left.start..word.start))?;
    Some((found.stock(), "gap_of", said.words(found.start..found.end)))
}

/// Points of a sentence that speaks of a rate.
fn rate_of_sentence(said: &Said<'_, '_, '_>) -> Option<Why> {
    let sentence = said.window.sentence.start..said.q.range.start;
    let found = said.cue(said.kind, &sentence).filter(|_| said.kind == QuantityKind::PercentagePoint)?;
    (found.metric == Metric::InterestRate).then(|| (found.metric, "rate_of_the_sentence", said.words(found.start..found.end)))
}

/// 不良率为1.12%,2016年3月末为1.05%: a ratio without a noun is what the last one was.
fn elliptic(said: &Said<'_, '_, '_>) -> Option<Why> {
    let last = antecedent::elliptic_ratio(said.reading, said.q, said.window, said.before)?;
    Some((last.metric, "goes_on_with", last.label.clone()))
}
