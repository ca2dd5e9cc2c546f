//! What a sum measures: the strongest cue beside it, else what its act, its clause or its sentence was about.

use super::change::Shift;
use super::metric::{Found, strongest};
use super::window::{Window, noun_before, without_brackets};
use super::{Fact, part};
use crate::lexicon::Class;
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{Metric, Qualifier, QuantityKind};
use crate::source::Glyphs;
use crate::words::words;

/// A metric, the rule that gave it, and the words it saw.
type Why = (Metric, &'static str, String);

/// What a sum measures.
pub fn money(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact], shift: Option<&Shift>) -> Why {
    let noun = window.noun_after(reading);
    if matches!(q.qualifier, Qualifier::AtMost | Qualifier::AtLeast) && size_class(reading, q, &noun) {
        return (Metric::Condition, "size_class", reading.source.text(noun).to_owned());
    }
    let left = own_left(window, before);
    let cue = beside(reading, window, &left);
    if limits(reading, q, window, cue) {
        return (Metric::Condition, "limit", reading.source.text(window.left.clone()).to_owned());
    }
    match cue {
        Some(found) => by_cue(reading, q, window, before, shift, found),
        None => without_cue(reading, q, window, before, shift),
    }
}

/// What stands before a sum and is not the noun of the sum before it: 8.8亿元|存款、|6.9亿元|贷款.
fn own_left(window: &Window, before: &[Fact]) -> Glyphs {
    let left = without_noun(window, before);
    left.min(window.left.end)..window.left.end
}

fn without_noun(window: &Window, before: &[Fact]) -> usize {
    let behind = before.last().filter(|last| last.window.right.start == window.left.start && last.noun.start == last.window.right.start);
    behind.map_or(window.left.start, |last| last.noun.end)
}

/// The strongest cue beside a sum.
fn beside(reading: &Reading<'_, '_>, window: &Window, left: &Glyphs) -> Option<Found> {
    let limit = window.right.end.min(window.right.start + 24);
    let tail = window.right.start..(window.right.clone()).find(|&i| matches!(reading.source.at(i), '、' | '(')).unwrap_or(limit).min(limit);
    let listed = window.right.start..limit;
    let found = strongest(reading, QuantityKind::Money, &without_brackets(reading, left), &tail);
    found.or_else(|| strongest(reading, QuantityKind::Money, &(0..0), &listed))
}

/// Whether a word right before a sum makes it a limit: 每户最高20万元. What was paid has a highest sum, too.
fn limits(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, cue: Option<Found>) -> bool {
    let open = cue.is_none_or(|found| found.metric == Metric::CreditLine || found.strength <= 1);
    let ends = |class: Class| {
        let before = reading.hits.inside(window.left.clone()).filter(|hit| hit.end() == window.left.end);
        let mut written = before.chain(reading.hits.inside(window.left.end..q.core.start));
        written.any(|hit| reading.lexicon.classes(hit).has(class))
    };
    open && ends(Class::Limiting)
}

/// 100万元以下抵押贷款, 单户100万元以下的占93%: a class of loans by size.
fn size_class(reading: &Reading<'_, '_>, q: &QuantityMention, noun: &Glyphs) -> bool {
    let bounded = q.range.end > q.core.end;
    let named = !noun.is_empty() && reading.any(noun.clone(), words!["贷", "融资", "授信", "企业", "客户", "项目", "债", "权限", "审批权"]);
    bounded && (named || reading.source.starts_with(q.range.end, "的占") || reading.source.starts_with(q.range.end, "占比"))
}

/// A sum with a cue beside it.
fn by_cue(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact], shift: Option<&Shift>, found: Found) -> Why {
    let words = || reading.source.text(found.start..found.end).to_owned();
    let weak = found.strength <= 1;
    let level = |f: &&Fact| f.kind == QuantityKind::Money && f.change.is_none() && f.metric != Metric::Condition;
    if let Some(total) = before.iter().rev().find(level).filter(|_| weak && part::opened(reading, window)) {
        return (total.metric, "part_of_the_total", total.label.clone());
    }
    if found.metric == Metric::LoanDisbursed && weak && reading.any(window.left.clone(), words!["余额"]) {
        return (Metric::LoanBalance, "cue_in_window", words());
    }
    if weak && let Some(act) = involved(reading, q, window) {
        return act;
    }
    if weak && (shift.is_some() || beside_a_stock(reading, window, before)) {
        return (Metric::LoanBalance, "growth_of_a_stock", words());
    }
    // What is handed out is no loan where the noun says so: 发放消费券.
    let behind = window.noun_after(reading);
    let noun = if behind.is_empty() { window.noun_before(reading) } else { behind };
    if found.metric == Metric::LoanDisbursed && ends_with(reading, &noun, Class::Handout) {
        return (Metric::Other, "handed_out_not_lent", reading.source.text(noun).to_owned());
    }
    // 累计投放信贷资金: funds that are given out are lent.
    let funds = ends_with(reading, &(found.start..found.end), Class::MoneyNoun);
    let lent = funds && found.metric == Metric::FinancingProvided && reading.is_said(window.clause.start..window.left.end, Class::Lending);
    if lent {
        return (Metric::LoanDisbursed, "funds_given_out", words());
    }
    (found.metric, "cue_in_window", words())
}

/// 涉及贷款本金: the clause before says what was done with it.
fn involved(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> Option<Why> {
    if !reading.any(window.left.clone(), words!["涉及", "本金", "利息"]) {
        return None;
    }
    let sentence = window.sentence.start..q.range.start;
    // 减免息费、延长还款期限,涉及贷款本金4.1亿元: principal is put off, not waived.
    if reading.any(window.left.clone(), words!["本金"]) && reading.any(sentence.clone(), words!["延期", "延长", "展期", "延后"]) {
        return Some((Metric::RepaymentDeferred, "cue_in_act", "本金".to_owned()));
    }
    let act = strongest(reading, QuantityKind::Money, &sentence, &(0..0)).filter(|f| f.strength >= 5)?;
    Some((act.metric, "cue_in_act", reading.source.text(act.start..act.end).to_owned()))
}

/// 8.8亿元存款、6.9亿元贷款: what is joined to a stock is one.
fn beside_a_stock(reading: &Reading<'_, '_>, window: &Window, before: &[Fact]) -> bool {
    let joined = words!["、", "和", "及", "与"].end_before(reading.source, window.left.end);
    let stock = |last: &Fact| {
        last.change.is_none()
            && matches!(last.metric, Metric::LoanBalance | Metric::DepositBalance | Metric::TotalAssets | Metric::NonPerformingLoan)
    };
    joined && before.last().is_some_and(|last| last.window.right.start == window.left.start && stock(last))
}

/// Whether a noun phrase ends with a word of `class`.
fn ends_with(reading: &Reading<'_, '_>, noun: &Glyphs, class: Class) -> bool {
    reading.hits.inside(noun.clone()).any(|hit| hit.end() == noun.end && reading.lexicon.classes(hit).has(class))
}

/// A sum whose own words say nothing.
fn without_cue(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact], shift: Option<&Shift>) -> Why {
    let until = shift.map_or(window.left.end, |shift| shift.noun_end.clamp(window.left.start, window.left.end));
    let own = if shift.is_some() { noun_before(reading, &(window.left.start..until)) } else { window.noun_before(reading) };
    if let Some(metric) = by_head(reading, &own, shift.is_some()) {
        return (metric, "head_of_the_noun", reading.source.text(own).to_owned());
    }
    let cue = |range: Glyphs, rule: &'static str| {
        let found = strongest(reading, QuantityKind::Money, &range, &(0..0))?;
        Some((found.metric, rule, reading.source.text(found.start..found.end).to_owned()))
    };
    let goes_on = |last: &Fact| (last.metric, "goes_on_with", last.label.clone());
    let sums = || before.iter().rev().filter(|f| f.kind == QuantityKind::Money);
    // 贷款本金9.62亿元、利息4,105万元: one act, two sums.
    let joined = before.last().filter(|l| {
        let apart = l.kind != QuantityKind::Money || l.metric == Metric::Condition;
        !apart && reading.source.at(l.window.right.start) == '、' && l.window.right.end >= window.left.start
    });
    // An elliptic 金额 or a bare sum goes on with what the clause, or the one before it, was about.
    let near = || {
        let last = sums().find(|f| f.metric != Metric::Condition)?;
        (before.last().is_some_and(|l| l.quantity == last.quantity) || part::opened(reading, window)).then_some(last)
    };
    // A table's row goes on with its header, a sentence that opens with 其中 with the one before.
    let header = || super::period::header_of(reading, window.sentence.start);
    joined
        .map(goes_on)
        .or_else(|| cue(window.clause.start..q.range.start, "cue_in_clause"))
        .or_else(|| near().map(goes_on))
        .or_else(|| cue(window.sentence.start..q.range.start, "cue_in_sentence"))
        .or_else(|| sums().next().map(goes_on))
        .or_else(|| cue(header()?, "cue_in_header"))
        .unwrap_or_else(|| unsaid(reading, window))
}

/// What a noun that is no cue measures by its last word: 小微贷, 全部资产.
fn by_head(reading: &Reading<'_, '_>, noun: &Glyphs, stock_grows: bool) -> Option<Metric> {
    let mut last = reading.hits.inside(noun.clone()).filter(|hit| hit.end() == noun.end);
    last.find_map(|hit| {
        let classes = reading.lexicon.classes(hit);
        // 抵债资产 are not what one has.
        let assets = classes.has(Class::AssetWord) && hit.start() == noun.start;
        let lent = if stock_grows { Metric::LoanBalance } else { Metric::LoanDisbursed };
        classes.has(Class::LoanWord).then_some(lent).or_else(|| assets.then_some(Metric::TotalAssets))
    })
}

/// A sum of which the text says nothing that is known.
fn unsaid(reading: &Reading<'_, '_>, window: &Window) -> Why {
    if let Some(product) = reading.products_in(&window.clause).last() {
        return (Metric::LoanDisbursed, "sum_of_a_product", reading.source.text(product.range.clone()).to_owned());
    }
    // 支持水利建设资金12亿元: money for something, by whatever way.
    let money = window.noun_before(reading);
    if reading.source.ends_with(money.end, "资金") && reading.is_said(window.clause.start..window.left.end, Class::Lending) {
        return (Metric::LoanDisbursed, "funds_given_out", reading.source.text(money).to_owned());
    }
    if reading.source.ends_with(money.end, "资金") && reading.any(window.clause.start..money.start, words!["支持", "助力", "提供", "满足"])
    {
        return (Metric::FinancingProvided, "funds_in_support", reading.source.text(money).to_owned());
    }
    (Metric::Other, "no_cue", String::new())
}
