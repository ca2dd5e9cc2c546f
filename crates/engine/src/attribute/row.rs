//! Rows of numbers: A、B、C分别增长17.4%、14.3%和2.1%.

use std::ops::Range;

use super::window::{Window, noun_before, trim_start};
use super::{Fact, antecedent, codes, label, metric, period};
use crate::lexicon::Class;
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{COPIED_CHARS, Metric, QuantityKind};
use crate::source::Glyphs;
use crate::words::{Words, words};

/// The rule that a number of a row has in its derivation.
const NEXT: &str = "next_in_the_row";

/// Whether nothing but 、 or 和 stands between a number and the one before it, of the same kind.
pub fn goes_on(reading: &Reading<'_, '_>, last: &Fact, q: &QuantityMention, window: &Window) -> bool {
    let between = reading.source.text(last.window.right.start..q.range.start);
    let joined = matches!(between, "、" | "和" | "及" | "与" | "以及" | "、约" | "和约");
    joined && last.kind == q.kind && last.unit == q.unit && last.window.left.end < q.range.start && !label::follows(reading, window)
}

/// A number of a row reads like the one before it.
pub fn next(reading: &Reading<'_, '_>, last: &Fact, q: &QuantityMention, quantity: usize, window: Window) -> Fact {
    let mut fact = Fact { quantity, window, part_of: None, ..last.clone() };
    let own = super::owner(reading, quantity, q, last.metric);
    fact.owner = own.map(|(owner, _)| owner);
    fact.doubts.add(super::Field::Institution, own.is_some_and(|(_, in_doubt)| in_doubt));
    // Of the steps before it one is enough: a row may be as long as the text.
    fact.derivation.steps.retain(|(rule, _)| *rule != NEXT);
    let left = last.window.left.start.max(last.window.left.end.saturating_sub(COPIED_CHARS))..last.window.left.end;
    fact.derivation.steps.push((NEXT, reading.source.text(left).to_owned()));
    fact
}

/// Whether a fact goes on with the row before it.
pub fn is_next(fact: &Fact) -> bool {
    fact.derivation.steps.iter().any(|(rule, _)| *rule == NEXT)
}

/// Shares the things named before a row out among its numbers; a row without
/// names of its own takes those of the row before it.
pub fn share_out(reading: &Reading<'_, '_>, facts: &mut [Fact], range: Range<usize>) {
    let mut before: Option<Range<usize>> = None;
    let mut start = range.start;
    while start < range.end {
        let length = 1 + (start + 1..range.end).take_while(|&i| facts.get(i).is_some_and(is_next)).count();
        let row = start..start + length;
        start = row.end;
        if length < 2 {
            continue;
        }
        if let Some(periods) = facts.get(row.start).and_then(|head| period::of_row(reading, &head.window, length)) {
            for (fact, period) in facts.get_mut(row.clone()).unwrap_or_default().iter_mut().zip(periods) {
                fact.period = Some(period);
            }
            before = Some(row);
            continue;
        }
        if let Some(head) = facts.get(row.start)
            && let Some(joint) = deposits_and_loans(reading, head).filter(|_| length == 2)
        {
            for (fact, (metric, label)) in facts.get_mut(row.clone()).unwrap_or_default().iter_mut().zip(joint) {
                (fact.metric, fact.label) = (metric, label);
            }
        } else if let Some(items) = facts.get(row.start).and_then(|head| items(reading, head, length)) {
            let tail = items.last().and_then(|last| shared_tail(reading, last));
            for (fact, item) in facts.get_mut(row.clone()).unwrap_or_default().iter_mut().zip(items) {
                name(reading, fact, item);
                if let Some(tail) = tail.filter(|tail| fact.label.ends_with("贷款") && !fact.label.ends_with(tail)) {
                    fact.label.push_str(tail);
                }
            }
        } else if let Some(above) = models(reading, facts, range.start, &row, before.clone()) {
            for (index, model) in row.clone().zip(above) {
                let Some(model) = facts.get(model).cloned() else { continue };
                if let Some(fact) = facts.get_mut(index).filter(|f| f.change.is_some() || f.metric == model.metric) {
                    fact.metric = model.metric;
                    fact.label = model.label;
                    fact.purposes = model.purposes;
                    fact.segments = model.segments;
                }
            }
        }
        before = Some(row);
    }
}

/// What the numbers of a row without names go on with, one for each: the row right before it; if 分别 stands before them,
/// the last levels of the sentence (存款700亿元,贷款500亿元,分别增加40亿元和50亿元); else the row before that.
fn models(reading: &Reading<'_, '_>, facts: &[Fact], first: usize, row: &Range<usize>, above: Option<Range<usize>>) -> Option<Vec<usize>> {
    let above = above.filter(|above| above.len() == row.len());
    let levels = || {
        let head = facts.get(row.start).filter(|head| reading.any(head.window.left.clone(), words!["分别"]))?;
        let alike = |f: &Fact| f.kind == head.kind || matches!(head.kind, QuantityKind::Percent | QuantityKind::PercentagePoint);
        let level = |i: &usize| facts.get(*i).is_some_and(|f| antecedent::states(f) && alike(f));
        let mut levels: Vec<usize> = (first..row.start).rev().filter(level).take(row.len()).collect();
        levels.reverse();
        (levels.len() == row.len()).then_some(levels)
    };
    match above {
        Some(above) if above.end == row.start => Some(above.collect()),
        above => levels().or_else(|| above.map(Iterator::collect)),
    }
}

/// 各项存贷款余额分别为a、b: one word for two stocks.
fn deposits_and_loans(reading: &Reading<'_, '_>, head: &Fact) -> Option<[(Metric, String); 2]> {
    let said = head.window.clause.start..head.window.left.end;
    let joint = reading.hits.inside(said.clone()).find(|hit| reading.lexicon.classes(*hit).has(Class::DepositsAndLoans))?;
    let source = reading.source;
    let noun = noun_before(reading, &(said.start..joint.end()));
    let before = source.text(noun.start.min(joint.start())..joint.start());
    let behind = noun_before(reading, &(joint.end()..head.window.left.end));
    let behind = if behind.start == joint.end() { source.text(behind) } else { "" };
    let (first, last) = (source.at(joint.start()), source.at(joint.end() - 1));
    let second = source.text(joint.end() - 2..joint.end());
    Some([(Metric::DepositBalance, format!("{before}{first}{last}{behind}")), (Metric::LoanBalance, format!("{before}{second}{behind}"))])
}

/// 企业贷款、普惠小微贷款加权平均利率: what the last thing named is measured by, all are.
fn shared_tail(reading: &Reading<'_, '_>, last: &Glyphs) -> Option<&'static str> {
    const TAILS: &[&str] = &["加权平均利率", "平均利率", "利率", "余额", "户数", "增速", "占比"];
    TAILS.iter().copied().find(|tail| reading.source.ends_with(last.end, tail))
}

/// Gives a fact of a row the thing it is about.
fn name(reading: &Reading<'_, '_>, fact: &mut Fact, item: Glyphs) {
    reading.source.text(item.clone()).clone_into(&mut fact.label);
    let named = if fact.change.is_some() { metric::of_noun(reading, &item) } else { metric::named(reading, fact.kind, &item) };
    if let Some(named) = named {
        fact.metric = named;
    }
    fact.noun = item;
    fact.purposes = Vec::new();
    fact.segments = Vec::new();
    codes::own(reading, fact);
}

/// The things named before a row of `length` numbers, from the clause's start to 分别, 累计 or what they do:
/// one for each 、 or 和, or for each 、 where 和 joins words of one thing.
fn items(reading: &Reading<'_, '_>, head: &Fact, length: usize) -> Option<Vec<Glyphs>> {
    const ENDS: &Words = words!["分别", "累计", "同比", "近", "较", "比", "均", "增", "下降", "减", "达", "已", "年", "过去"];
    let source = reading.source;
    let list = head.window.clause.start..head.window.left.end;
    let named = reading.institutions_in(&list).iter().map(|m| m.range.end);
    let dated = reading.dates_in(&list).iter().map(|d| d.range.end);
    let respectively = (list.clone()).find(|&i| source.starts_with(i, "分别")).unwrap_or(list.end);
    let said = named.chain(dated).filter(|&e| e <= respectively).max().unwrap_or(list.start);
    // 平均 is a word of what is named, not where it ends.
    let ends = |i: usize| ENDS.start_at(source, i) && !source.ends_with(i + 1, "平均") || source.at(i).is_ascii_digit();
    let end = (said..list.end).find(|&i| ends(i))?;
    let start = said;
    let start = if words!["该行", "该社", "全行", "我行"].start_at(source, start) { start + 2 } else { start };
    let parted = |between: &[char]| {
        let mut items = Vec::new();
        let mut from = start;
        for at in (start..end).filter(|&at| between.contains(&source.at(at))) {
            items.push(trim_start(reading, from..at));
            from = at + 1;
        }
        items.push(trim_start(reading, from..end));
        (items.len() == length && items.iter().all(|item| item.len() >= 2)).then_some(items)
    };
    parted(&['、', '和', '与', '及']).or_else(|| parted(&['、']))
}
