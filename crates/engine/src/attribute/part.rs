//! Parts and totals: what 其中 opens.

use std::ops::Range;

use super::window::Window;
use super::{Fact, count};
use crate::lexicon::Role;
use crate::reading::Reading;
use crate::report::{Metric, QuantityKind};
use crate::source::Glyphs;

/// Whether 其中 stands before a number and its parts still go on: no new 累计 opens another sum.
pub fn opened(reading: &Reading<'_, '_>, window: &Window) -> bool {
    let until = window.left.end;
    let Some(open) = reading.words(window.sentence.start..until, Role::Part).last() else { return false };
    !another_sum(reading, &(open.end()..until))
}

/// Whether a word of a sum opens a clause in `range`, behind its first: 其中累计发放… is a part, …,累计发放… is none.
fn another_sum(reading: &Reading<'_, '_>, range: &Glyphs) -> bool {
    reading.words(range.clone(), Role::Cumulative).any(|word| matches!(reading.source.before(word.start()), ',' | ';'))
}

/// Whether what stands before a number behind a semicolon has a verb, a date or an owner of its own: no further part.
fn apart(reading: &Reading<'_, '_>, clause: &Glyphs) -> bool {
    let dated = !reading.dates_in(clause).is_empty() || !reading.institutions_in(clause).is_empty();
    dated || count::holds_verb(reading, clause)
}

/// Finds the total of each fact of a sentence that 其中 makes a part.
pub fn parts(reading: &Reading<'_, '_>, facts: &mut [Fact], range: Range<usize>) {
    let Some(sentence) = facts.get(range.start).and_then(|f| f.sentence).and_then(|s| reading.outline.sentences.get(s)) else { return };
    if sentence.row {
        return;
    }
    let opens: Vec<usize> = reading.words(sentence.range.clone(), Role::Part).map(super::super::lexicon::Hit::start).collect();
    for &open in &opens {
        let until = opens.iter().copied().find(|&o| o > open).unwrap_or(sentence.range.end);
        let initial = open == sentence.range.start;
        let mut metrics: Option<Metric> = None;
        let mut made: Option<usize> = None;
        for index in range.clone() {
            let Some(fact) = facts.get(index) else { continue };
            let at = fact.window.left.end;
            if at < open || at >= until || !can_be_part(fact) {
                continue;
            }
            if another_sum(reading, &(open..at)) {
                break;
            }
            let broken = !initial && reading.semicolon_in(&(open..at)) && apart(reading, &(fact.window.clause.start..at));
            let lower = if initial { range.start.saturating_sub(24) } else { range.start };
            let Some(total) = total_of(facts, lower, index, open, fact) else { continue };
            let same = facts.get(total).is_some_and(|t| t.metric == fact.metric) || metrics == Some(fact.metric);
            // 其中A贷款余额…;B贷款余额…: a semicolon ends the parts, unless the next is named like them.
            let alike = made.and_then(|i| facts.get(i)).is_some_and(|first| one_make(&first.label, &fact.label));
            if broken && !alike {
                break;
            }
            if metrics.is_some() && !same {
                continue;
            }
            if metrics.is_none() {
                metrics = Some(fact.metric);
                made = Some(index);
            }
            if let Some(fact) = facts.get_mut(index) {
                fact.part_of = Some(total);
                fact.derivation.steps.push(("part_of_the_total_before", "其中".to_owned()));
            }
        }
    }
}

/// Whether two names end in the same words: 大型商业银行资产余额, 股份制商业银行资产余额.
fn one_make(a: &str, b: &str) -> bool {
    const SAME: usize = 4;
    a != b && a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).count() >= SAME
}

/// A level with a unit can be a part; a share, rate, time or growth is none.
fn can_be_part(fact: &Fact) -> bool {
    fact.change.is_none()
        && matches!(fact.kind, QuantityKind::Money | QuantityKind::Count | QuantityKind::Mass | QuantityKind::Area)
        && !matches!(fact.metric, Metric::Share | Metric::InterestRate | Metric::Condition)
}

/// The nearest fact before 其中 of the same kind and unit.
fn total_of(facts: &[Fact], lower: usize, index: usize, open: usize, part: &Fact) -> Option<usize> {
    let fits = |same_metric: bool, i: &usize| {
        facts.get(*i).is_some_and(|t| {
            let sentence = t.sentence.zip(part.sentence).is_some_and(|(a, b)| a == b || a + 1 == b);
            let unit = t.unit == part.unit || t.kind == QuantityKind::Count && part.kind == QuantityKind::Count && t.metric == part.metric;
            t.window.left.end < open
                && sentence
                && can_be_part(t)
                && t.kind == part.kind
                && unit
                && t.owner == part.owner
                && (!same_metric || t.metric == part.metric)
        })
    };
    // 授信总额…,用信余额…。其中脱贫户授信…: the total measures what the part does, if there is one.
    (lower..index).rev().find(|i| fits(true, i)).or_else(|| (lower..index).rev().find(|i| fits(false, i)))
}
