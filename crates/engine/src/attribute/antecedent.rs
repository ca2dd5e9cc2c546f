//! What a number goes on with: the earlier figure whose metric, label and codes it takes.

use super::Fact;
use super::change::{Baseline, Shift};
use super::label::same_act;
use super::window::Window;
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{Metric, QuantityKind};
use crate::words::words;

/// The last fact of the sentence that states a level which a number of this kind may be about.
#[must_use]
pub fn last_level(before: &[Fact], kind: QuantityKind) -> Option<&Fact> {
    let fits = |f: &Fact| kind != QuantityKind::PercentagePoint || moves_by_points(f.kind);
    let states = |f: &Fact| !matches!(f.metric, Metric::Share | Metric::ProcessingTime | Metric::LoanTerm | Metric::Condition);
    before.iter().rev().find(|f| f.change.is_none() && states(f) && fits(f))
}

/// Whether what is counted so, or its growth, can move by percentage points.
const fn moves_by_points(kind: QuantityKind) -> bool {
    matches!(kind, QuantityKind::Percent | QuantityKind::PercentagePoint | QuantityKind::Money)
}

/// The share right before: 代偿率0.83%,低于全省0.4个百分点.
fn share(before: &[Fact]) -> Option<&Fact> {
    before.last().filter(|f| f.kind == QuantityKind::Percent && f.metric == Metric::Share && f.change.is_none())
}

/// What a gap in percentage points is about: the growth or the share right before it, else the last level.
#[must_use]
pub fn compared<'f>(reading: &Reading<'_, '_>, window: &Window, before: &'f [Fact], kind: QuantityKind) -> Option<&'f Fact> {
    let of_growth = reading.any(window.left.clone(), words!["增速", "增幅", "增长"]);
    grown(before).or_else(|| share(before).filter(|_| !of_growth)).or_else(|| last_level(before, kind))
}

/// The growth right before: what a gap of growth is about.
#[must_use]
pub fn grown(before: &[Fact]) -> Option<&Fact> {
    before.last().filter(|f| f.kind == QuantityKind::Percent && f.change.is_some())
}

/// What a change is a change of: the last level it can be one of, in its own act first, else the last change.
#[must_use]
pub fn topic<'f>(
    reading: &Reading<'_, '_>,
    q: &QuantityMention,
    window: &Window,
    before: &'f [Fact],
    shift: Option<&Shift>,
) -> Option<&'f Fact> {
    let shift = shift?;
    let fits = |f: &&Fact| match q.kind {
        QuantityKind::Percent | QuantityKind::Multiple => !matches!(f.kind, QuantityKind::Duration),
        QuantityKind::PercentagePoint => moves_by_points(f.kind),
        kind => f.kind == kind && (kind != QuantityKind::Count || f.unit == q.unit),
    };
    if shift.baseline == Baseline::Before {
        return before.last();
    }
    // 同比分别多增1万亿元、1861亿元: the first of a row changes the first of the row before.
    if reading.any(window.left.clone(), words!["分别"]) {
        let row = before.iter().rposition(|f| !super::row::is_next(f));
        if let Some(head) = row.and_then(|i| before.get(i)).filter(|_| before.last().is_some_and(super::row::is_next)) {
            return Some(head);
        }
    }
    let last = || before.iter().rev().filter(fits);
    let level = last().find(|f| states(f) && stands(f, shift));
    if q.kind == QuantityKind::PercentagePoint {
        return grown(before).or_else(|| share(before)).or(level).or_else(|| last().next());
    }
    // 新增存款92.5亿元,同比多增15.7亿元: within its act an increase may itself have grown.
    let here = last().take_while(|f| same_act(reading, f, window));
    let grown_here = here.clone().find(|f| states(f)).is_none().then(|| here.clone().last()).flatten();
    grown_here.or(level).or_else(|| last().next())
}

/// Whether a fact is a level that a change can be one of.
pub fn states(fact: &Fact) -> bool {
    fact.change.is_none() && !matches!(fact.metric, Metric::Share | Metric::Condition | Metric::ProcessingTime)
}

/// What was lent in a period did not stand at the year's start: 较年初 is a change of a stock.
fn stands(fact: &Fact, shift: &Shift) -> bool {
    shift.baseline != Baseline::YearStart || fact.metric != Metric::LoanDisbursed
}

/// What a percentage without a noun of its own goes on with: the last that states a level in its act.
#[must_use]
pub fn elliptic_ratio<'f>(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &'f [Fact]) -> Option<&'f Fact> {
    let nameless = q.kind == QuantityKind::Percent && window.noun_before(reading).is_empty() && window.noun_after(reading).is_empty();
    let last = before.iter().rev().take_while(|f| same_act(reading, f, window));
    last.filter(|f| nameless && f.kind == QuantityKind::Percent).find(|f| f.change.is_none())
}
