//! The text's own words for what a number counts.

use super::Fact;
use super::antecedent::last_level;
use super::change::{Baseline, Shift};
use super::window::{Window, noun_before};
use crate::lexicon::Role;
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{COPIED_CHARS, Metric, QuantityKind};
use crate::source::Glyphs;
use crate::words::words;

/// Nouns that say nothing of their own: the number goes on with what was counted.
const ELLIPTIC: &[&str] = &[
    "金额",
    "总金额",
    "涉及金额",
    "总额",
    "余额",
    "资金",
    "合计",
    "涉及",
    "规模",
    "户数",
    "笔数",
    "涉及贷款",
    "合同金额",
    "涉及资金",
    "款项",
    "价值",
    "价值约",
    "总价值",
    "人民币",
    "户",
    "单户",
    "每户",
    "单笔",
];

/// The label of a number and the noun phrase it comes from.
#[must_use]
pub fn label(
    reading: &Reading<'_, '_>,
    q: &QuantityMention,
    window: &Window,
    metric: Metric,
    before: &[Fact],
    shift: Option<&Shift>,
    topic: Option<&Fact>,
) -> (String, Glyphs) {
    if let Some(column) = &window.column {
        return in_column(reading, window, column, before);
    }
    if let Some(shift) = shift {
        return changed(reading, q, window, shift, topic, before);
    }
    if let Some(cell) = row_head(reading, window) {
        return (reading.source.text(cell.clone()).to_owned(), cell);
    }
    if let Some((text, noun)) = gap(reading, q, window, metric, before) {
        return (text, noun);
    }
    if matches!(metric, Metric::Share | Metric::NonPerformingRatio) {
        return share(reading, window, before);
    }
    if let Some(from_to) = from_to(reading, window).filter(|_| q.kind == QuantityKind::Duration) {
        return (reading.source.text(from_to.clone()).to_owned(), from_to);
    }
    if metric == Metric::InterestRate && q.kind == QuantityKind::PercentagePoint {
        let behind = window.noun_after(reading);
        let at = behind.end.max(window.right.start);
        if behind.is_empty() && reading.source.starts_with(at, "的利率优惠") {
            return ("利率优惠".to_owned(), at..at);
        }
    }
    let (left, right) = (window.noun_before(reading), window.noun_after(reading));
    let noun = match q.kind {
        QuantityKind::Count => window.counted(reading, q).noun,
        _ if metric == Metric::Condition && !right.is_empty() => right,
        _ if left.is_empty() => right,
        _ if metric == Metric::Condition => left,
        QuantityKind::Money if !right.is_empty() && starts_noun(reading, &right) && attributive(reading, window, &left) => right,
        _ => left,
    };
    let noun = quoted_whole(reading, without_act(reading, without_counted(noun, before)));
    let noun = if metric == Metric::Condition { loan_class(reading, noun) } else { noun };
    let noun = if noun.is_empty() && q.kind == QuantityKind::Money { fronted(reading, &window.left) } else { noun };
    let text = reading.source.text(noun.clone());
    let says_nothing = metric != Metric::Condition && ELLIPTIC.contains(&text);
    let elliptic = text.is_empty() || (says_nothing && !before.is_empty() && window.left.start > window.sentence.start);
    let goes_on = |metric| goes_on(reading, q, window, before).filter(|last| last.kind == QuantityKind::Count || last.metric == metric);
    if elliptic && let Some(last) = goes_on(metric) {
        return (last.label.clone(), noun.start..noun.start);
    }
    if elliptic && window.clause.start > window.sentence.start {
        let named = noun_before(reading, &(reading.clause_start(window.clause.start - 1, window.sentence.start)..window.clause.start - 1));
        if named.len() >= 2 && !text.is_empty() && reading.quantities_in(&named).is_empty() {
            return (reading.source.text(named.clone()).to_owned(), named);
        }
    }
    if text.is_empty() && q.kind == QuantityKind::Duration {
        return fallback(reading, window);
    }
    if text.is_empty()
        && let Some(last) = super::antecedent::elliptic_ratio(reading, q, window, before).filter(|l| l.metric == metric)
    {
        return (last.label.clone(), noun);
    }
    // 由年初的5.85%降至5.12%, 由12.2万元提升至20万元: the second is what the first was.
    let reached = || words!["至", "到", "为"].end_before(reading.source, q.range.start);
    if text.is_empty() && (q.kind == QuantityKind::Percent || q.kind == QuantityKind::Money && reached()) {
        let same = |l: &&Fact| l.metric == metric && l.window.clause == window.clause;
        if let Some(last) = before.last().filter(same) {
            return (last.label.clone(), noun);
        }
    }
    if says_nothing && text != "余额" {
        return (String::new(), noun.end..noun.end);
    }
    (text.to_owned(), noun)
}

/// A number in a table is labelled by its row if that names a thing, else by its column.
fn in_column(reading: &Reading<'_, '_>, window: &Window, column: &Glyphs, before: &[Fact]) -> (String, Glyphs) {
    if let Some(cell) = row_head(reading, window).filter(|cell| reading.institutions_in(cell).is_empty()) {
        return (reading.source.text(cell.clone()).to_owned(), cell);
    }
    let noun = super::window::without_brackets(reading, column);
    let dated = reading.dates_in(&noun).last().map_or(noun.start, |date| date.range.end);
    let until = super::change::compares(reading, column).then(|| noun.clone().find(|&i| "比较增降减同".contains(reading.source.at(i))));
    let noun = dated..until.flatten().unwrap_or(noun.end).max(dated);
    let text = reading.source.text(noun.clone());
    match before.last().filter(|_| text.is_empty()) {
        Some(last) => (last.label.clone(), column.clone()),
        None => (text.to_owned(), noun),
    }
}

/// What an elliptic number counts: what was counted before it in the same act. A rate or a share counts nothing.
fn goes_on<'f>(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &'f [Fact]) -> Option<&'f Fact> {
    let mut act = before.iter().rev().take_while(|l| same_act(reading, l, window));
    match q.kind {
        // 30分钟完成授信审批、半天内放款: each time has an act of its own.
        QuantityKind::Duration if window.right.len() >= 2 => None,
        QuantityKind::Duration => act.next().filter(|l| l.kind == QuantityKind::Duration),
        QuantityKind::Money | QuantityKind::Count => {
            // 发放4263户、3.82亿元 counts one thing twice; the sum behind 惠及户数 is none of the customers.
            let paired = |l: &Fact| reading.source.at(l.window.right.start) == '、';
            let customers = |l: &Fact| q.kind == QuantityKind::Money && l.metric == Metric::CustomerCount && !paired(l);
            act.find(|l| matches!(l.kind, QuantityKind::Money | QuantityKind::Count) && l.metric != Metric::Condition && !customers(l))
        }
        _ => None,
    }
}

/// The first cell of a table's row, unless it is the total's.
pub fn row_head(reading: &Reading<'_, '_>, window: &Window) -> Option<Glyphs> {
    let index = reading.outline.sentences.partition_point(|s| s.range.start < window.sentence.start);
    let row = reading.outline.sentences.get(index).filter(|s| s.row)?.range.clone();
    let mut tabs = reading.source.marks(row.clone()).iter().copied().filter(|&at| reading.source.at(at) == '\t');
    let mut cell = row.start..tabs.next()?;
    // What stands before the name may be its number.
    if cell.clone().all(|at| reading.source.at(at).is_ascii_digit()) {
        cell = cell.end + 1..tabs.next()?;
    }
    cell.end = cell.end.min(cell.start + COPIED_CHARS);
    let total = words!["合计", "总计"].start_at(reading.source, cell.start);
    (!total && !cell.is_empty()).then_some(cell)
}

/// What was done with stands before its verb: 设备更新改造贷款签约23.8亿元.
fn fronted(reading: &Reading<'_, '_>, left: &Glyphs) -> Glyphs {
    let verb = reading
        .hits
        .inside(left.clone())
        .filter(|h| h.end() == left.end && h.end() - h.start() >= 2 && super::window::cuts(reading, *h))
        .map(super::super::lexicon::Hit::start)
        .min();
    let noun = verb.map_or(left.end..left.end, |start| noun_before(reading, &(left.start..start)));
    if ends_noun(reading, &noun) { noun } else { left.end..left.end }
}

/// A class of loans by size ends with the word for the loan: 农户贷款审批权限 → 农户贷款.
fn loan_class(reading: &Reading<'_, '_>, noun: Glyphs) -> Glyphs {
    let end = (noun.clone()).find_map(|i| words!["贷款", "授信额度", "授信", "融资"].end_at(reading.source, i));
    let limit = (noun.clone()).skip(1).find(|&i| words!["最高", "可贷", "不超过", "上限"].start_at(reading.source, i));
    noun.start..end.unwrap_or(noun.end).min(limit.unwrap_or(noun.end)).min(noun.end)
}

/// Whether a fact stands in the same act: nothing but commas between.
pub fn same_act(reading: &Reading<'_, '_>, last: &Fact, window: &Window) -> bool {
    !reading.semicolon_in(&(last.window.right.start..window.left.end))
}

/// 为3126户茶农授信2.74亿元: what the count before has counted is no part of the noun.
fn without_counted(noun: Glyphs, before: &[Fact]) -> Glyphs {
    let counted = before.last().filter(|last| last.kind == QuantityKind::Count).map_or(noun.start, |last| last.noun.end);
    if noun.contains(&counted) { counted..noun.end } else { noun }
}

/// 完成5000万元的贷款发放: the act behind the noun is no part of it.
fn without_act(reading: &Reading<'_, '_>, noun: Glyphs) -> Glyphs {
    let act = words!["发放", "投放", "审批"].end_before(reading.source, noun.end) && noun.len() >= 4;
    noun.start..noun.end - if act { 2 } else { 0 }
}

/// “金融知识进万家”活动, “惠农e贷”余额: a noun that closes a quotation opens it too, and one that opens it closes it.
fn quoted_whole(reading: &Reading<'_, '_>, noun: Glyphs) -> Glyphs {
    /// Longest quotation that is a name, in glyphs.
    const QUOTED: usize = 16;
    let is_quote = |at: &usize| matches!(reading.source.at(*at), '“' | '”');
    let first = reading.source.marks(noun.clone()).iter().copied().find(is_quote);
    if first.is_none_or(|at| reading.source.at(at) != '”') {
        let last = reading.source.marks(noun.clone()).iter().rev().copied().find(is_quote);
        let open = last.is_some_and(|at| reading.source.at(at) == '“') && reading.source.at(noun.end) == '”';
        return noun.start..noun.end + usize::from(open);
    }
    let before = noun.start.saturating_sub(QUOTED)..noun.start;
    let opens = before.rev().take_while(|&at| !"。；，,;\n".contains(reading.source.at(at))).find(is_quote);
    opens.filter(|&at| reading.source.at(at) == '“').unwrap_or(noun.start)..noun.end
}

/// Whether a sum belongs to the noun behind it: no noun stands before it, one that is joined on (100亿元…和50亿元…),
/// or the verb of a grant (向…企业授信4亿元应急贷款).
fn attributive(reading: &Reading<'_, '_>, window: &Window, left: &Glyphs) -> bool {
    let short = left.len() <= 3 && !ends_noun(reading, left);
    let joined = words!["和", "及", "与", "以及", "、"].end_before(reading.source, window.left.end);
    let receiver = || window.clause.start..left.end;
    let granted = reading.source.ends_with(left.end, "授信") && reading.any(receiver(), words!["向", "为", "给", "对"]);
    short || joined || granted
}

fn starts_noun(reading: &Reading<'_, '_>, noun: &Glyphs) -> bool {
    reading.any(noun.clone(), words!["贷", "资金", "款", "融资", "授信", "基金", "债", "保费", "保障", "贴现", "额度"])
}

fn ends_noun(reading: &Reading<'_, '_>, noun: &Glyphs) -> bool {
    words!["贷款", "资金", "款", "额", "贷", "费", "息", "授信", "融资", "债", "保障"].end_before(reading.source, noun.end)
}

/// A change is labelled by what changes.
fn changed(
    reading: &Reading<'_, '_>,
    q: &QuantityMention,
    window: &Window,
    shift: &Shift,
    topic: Option<&Fact>,
    before: &[Fact],
) -> (String, Glyphs) {
    if shift.new {
        let behind = shift.noun_end.max(window.left.start);
        let noun = noun_before(reading, &(behind..window.left.end));
        if noun.len() >= 2 {
            return (reading.source.text(noun.clone()).to_owned(), noun);
        }
    }
    // 贷款新增311亿元 names what grows before the word.
    if !shift.new || shift.noun_end + 2 >= window.left.end {
        let moved = noun_before(reading, &(shift.noun_end.min(window.left.end)..window.left.end));
        if moved.len() >= 2 && words!["利率", "成本", "费率"].end_before(reading.source, moved.end) {
            return (reading.source.text(moved.clone()).to_owned(), moved);
        }
        // 利率较普通农户贷款下浮20%: what is compared stands before the word that compares.
        let until = shift.noun_end.clamp(window.left.start, q.range.start);
        let stretch = if shift.baseline == Baseline::None { window.left.start..until } else { until..until };
        let versus = stretch.rev().find(|&i| matches!(reading.source.at(i), '较' | '比'));
        let noun = noun_before(reading, &(window.left.start..versus.unwrap_or(until)));
        let text = reading.source.text(noun.clone());
        if noun.len() >= 2 && !matches!(text, "增速" | "增幅" | "同比" | "增长" | "余额" | "户数") {
            return (text.to_owned(), noun);
        }
        let behind = window.noun_after(reading);
        if reading.any(behind.clone(), words!["利率", "优惠"]) {
            return (reading.source.text(behind.clone()).to_owned(), behind);
        }
    }
    if let Some(topic) = topic.or_else(|| last_level(before, q.kind)) {
        return (topic.label.clone(), topic.noun.start..topic.noun.start);
    }
    let clause = noun_before(reading, &(window.clause.start..shift.noun_end.max(window.clause.start)));
    if clause.is_empty() {
        let right = window.noun_after(reading);
        return (reading.source.text(right.clone()).to_owned(), right);
    }
    (reading.source.text(clause.clone()).to_owned(), clause)
}

/// 高于各项贷款增速10.45个百分点: the gap is labelled by what is compared.
fn gap(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, metric: Metric, before: &[Fact]) -> Option<(String, Glyphs)> {
    if !matches!(q.kind, QuantityKind::PercentagePoint | QuantityKind::Percent) {
        return None;
    }
    let at = super::change::comparison(reading, &window.left)?.start;
    let noun = noun_before(reading, &(window.left.start..at));
    let text = reading.source.text(noun.clone());
    let names = |least: usize| text.chars().count() >= least;
    let level = super::antecedent::compared(reading, window, before, q.kind);
    let Some(level) = level.filter(|_| !names(3)) else { return names(2).then(|| (text.to_owned(), noun)) };
    let grows = matches!(
        metric,
        Metric::LoanBalance
            | Metric::DepositBalance
            | Metric::FinancingProvided
            | Metric::LoanDisbursed
            | Metric::TotalAssets
            | Metric::Premium
    );
    let label = if grows && !level.label.ends_with("增速") { format!("{}增速", level.label) } else { level.label.clone() };
    Some((label, level.noun.start..level.noun.start))
}

/// A share is labelled by the part: 涉农贷款…占各项贷款的76%.
fn share(reading: &Reading<'_, '_>, window: &Window, before: &[Fact]) -> (String, Glyphs) {
    let of = (window.left.clone())
        .rev()
        .find(|&i| reading.source.at(i) == '占' && !reading.source.starts_with(i, "占比") && !reading.source.starts_with(i, "占领"));
    if let Some(at) = of {
        let noun = noun_before(reading, &(window.left.start..at));
        if noun.len() >= 2 {
            return (reading.source.text(noun.clone()).to_owned(), noun);
        }
        if let Some(last) = last_level(before, QuantityKind::Percent).or(before.last()) {
            return (last.label.clone(), last.noun.start..last.noun.start);
        }
    }
    let noun = window.noun_before(reading);
    // 企业贷款增量中的中长期贷款占比: the part is what stands behind 中的.
    let among = words!["中的", "贷款中", "余额中", "增量中", "客户中", "企业中"];
    let whole = noun.clone().rev().find(|&i| among.end_before(reading.source, i) && i + 2 < noun.end);
    let noun = whole.map_or(noun.clone(), |part| part..noun.end);
    let text = reading.source.text(noun.clone());
    if matches!(text, "占比" | "比例" | "比重" | "占比达" | "") {
        let level = last_level(before, QuantityKind::Percent).filter(|_| !text.is_empty());
        // 权重由8%提高至15%: the second share is what the first was.
        let same = |l: &&Fact| text.is_empty() && l.metric == Metric::Share && l.window.clause == window.clause;
        if let Some(last) = level.or_else(|| before.last().filter(same)) {
            return (last.label.clone(), last.noun.start..last.noun.start);
        }
        let right = window.noun_after(reading);
        return (reading.source.text(right.clone()).to_owned(), right);
    }
    (text.to_owned(), noun)
}

/// 从受理到放款.
fn from_to(reading: &Reading<'_, '_>, window: &Window) -> Option<Glyphs> {
    let from = (window.clause.start..window.left.end).find(|&i| reading.source.at(i) == '从' || reading.source.at(i) == '自')?;
    let to = (from..window.left.end).find(|&i| reading.source.at(i) == '到' || reading.source.at(i) == '至')?;
    let end = (to + 1..window.left.end)
        .find(|&i| words!["仅", "只", "最快", "不", "控制", "用", "平均", "由", "缩", "压", "最", "全程"].start_at(reading.source, i))
        .unwrap_or(window.left.end);
    (end - from <= 18 && end > to + 1).then_some(from..end)
}

/// What is left when no noun stands beside the number: the words behind it.
fn fallback(reading: &Reading<'_, '_>, window: &Window) -> (String, Glyphs) {
    let start = window.right.start;
    // 48小时内完成灌溉项目贷款审批: the act, and what it is done to.
    let acts = words!["审批", "审查", "审核", "放款", "办结", "到账", "发放", "投放", "办理", "受理", "赔付", "答复"];
    let joined = usize::from(reading.source.before(window.right.end) == '、');
    let ends = [window.right.end - joined.min(window.right.len()), window.clause.end];
    if let Some(end) = ends.into_iter().find(|&end| end >= start + 2 && acts.end_before(reading.source, end)) {
        let act = end - 2;
        let done_to = words!["贷款", "授信", "续贷", "理赔", "保险", "资金"].end_before(reading.source, act) && act >= start + 2;
        let named = act - if done_to { 2 } else { 0 }..end;
        return (reading.source.text(named.clone()).to_owned(), named);
    }
    let end = (start..window.right.end.min(start + 8))
        .find(|&i| matches!(reading.source.at(i), '”' | '“' | '、' | '的' | '('))
        .unwrap_or(window.right.end.min(start + 8));
    let mut start = start;
    while start < end
        && end - start > 4
        && let Some(verb) = reading.hits.at(start).iter().find(|h| h.end() <= end && h.end() - h.start() <= 2 && h.has_role(Role::Boundary))
    {
        start = verb.end();
    }
    (reading.source.text(start..end).to_owned(), start..end)
}

/// Whether a noun stands right behind a number, so that it counts something of its own.
pub fn follows(reading: &Reading<'_, '_>, window: &Window) -> bool {
    window.noun_after(reading).len() >= 2
}
