//! Parts and totals: what 其中 opens.

use std::ops::Range;

use super::Fact;
use crate::lexicon::Role;
use crate::reading::Reading;
use crate::report::{Metric, QuantityKind};

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
            let broken = !initial && reading.semicolon_in(&(open..at));
            let lower = if initial { range.start.saturating_sub(24) } else { range.start };
            let Some(total) = total_of(facts, lower, index, open, fact) else { continue };
            let same = facts.get(total).is_some_and(|t| t.metric == fact.metric) || metrics == Some(fact.metric);
            // 其中A贷款余额…;B贷款余额…: a semicolon ends the parts, unless the next is named like them.
            let alike = made.and_then(|i| facts.get(i)).is_some_and(|first| one_make(&first.label, &fact.label));
            if broken && !alike || metrics.is_some() && !same {
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
