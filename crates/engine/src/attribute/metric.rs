//! What a number measures: the strongest cue near it, or what the sentence was about.

use super::change::Shift;
use super::window::Window;
use super::{Fact, count, money, ratio};
use crate::lexicon::{Class, Hit, In, Sense};
use crate::reading::Reading;
use crate::recognize::name::Product;
use crate::recognize::quantity::QuantityMention;
use crate::report::{Metric, QuantityKind};
use crate::source::Glyphs;
use crate::words::words;

/// A metric with the kind and unit the sentence gives the number, and the words that showed it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The metric.
    pub metric: Metric,
    /// The kind.
    pub kind: QuantityKind,
    /// The unit.
    pub unit: String,
    /// Rule and words.
    pub why: (&'static str, String),
    /// Whether it rests on a default or on words that no table knows.
    pub doubt: bool,
}

/// Rules that give a metric for want of a better one.
const DEFAULTS: &[&str] = &[
    "no_cue",
    "no_metric",
    "multiple",
    "cue_in_sentence",
    "sum_of_a_product",
    "growth_of_something_else",
    "ratio_without_cue",
    "named_by_its_column",
    "nothing_known",
];

/// A cue found near a number.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// What it shows.
    pub metric: Metric,
    /// How strongly: 1 for 贷款, which leaves open what is done with it.
    pub strength: u8,
    /// First glyph.
    pub start: usize,
    /// Glyph after the last.
    pub end: usize,
}

impl Found {
    /// What it means where a stock is told of: 贷款 alone is what is outstanding.
    pub fn stock(self) -> Metric {
        if self.metric == Metric::LoanDisbursed && self.strength <= 1 { Metric::LoanBalance } else { self.metric }
    }
}

/// What `q` measures.
#[must_use]
pub fn metric(
    reading: &Reading<'_, '_>,
    q: &QuantityMention,
    window: &Window,
    before: &[Fact],
    shift: Option<&Shift>,
    topic: Option<&Fact>,
) -> Measured {
    let (kind, unit) = settle_kind(reading, q, window);
    let built = |metric: Metric, rule: &'static str, words: String| Measured {
        metric,
        kind,
        unit: unit.to_owned(),
        why: (rule, words),
        doubt: DEFAULTS.contains(&rule),
    };
    if let Some(column) = &window.column {
        return in_column(reading, window, column, kind, unit, before);
    }
    if kind == QuantityKind::PercentagePoint
        && shift.is_some()
        && (reading.source.ends_with(window.left.end, "优惠")
            || reading.any(window.right.start..window.right.end.min(window.right.start + 6), words!["利率优惠", "优惠"]))
    {
        return built(Metric::InterestRate, "discount_of_a_rate", "利率".to_owned());
    }
    if let (Some(shift), Some(topic)) = (shift, topic)
        && !names_its_own(reading, q, window, shift, kind)
    {
        return built(topic.metric, "change_of_the_topic", topic.label.clone());
    }
    match kind {
        QuantityKind::Money => {
            let (metric, rule, words) = money::money(reading, q, window, before, shift);
            built(metric, rule, words)
        }
        QuantityKind::Percent | QuantityKind::PercentagePoint => {
            let said = ratio::Said { reading, q, window, before, shift, topic, kind };
            let (metric, rule, words) = ratio::ratio(&said);
            built(metric, rule, words)
        }
        QuantityKind::Count | QuantityKind::Number => {
            let verdict = count::count(reading, q, window, before);
            let words = reading.source.text(window.counted(reading, q).noun).to_owned();
            Measured { doubt: verdict.default, ..built(verdict.metric, verdict.rule, words) }
        }
        QuantityKind::Duration => duration(reading, window, built),
        QuantityKind::Mass | QuantityKind::Area | QuantityKind::Length => built(Metric::PhysicalQuantity, "unit_of_goods", q.unit.clone()),
        QuantityKind::Multiple => topic
            .or_else(|| super::antecedent::last_level(before, kind))
            .map_or_else(|| built(Metric::Other, "multiple", String::new()), |t| built(t.metric, "multiple_of_the_topic", t.label.clone())),
        QuantityKind::Date | QuantityKind::Time | QuantityKind::Ordinal | QuantityKind::Identifier => {
            built(Metric::Other, "no_metric", String::new())
        }
    }
}

/// What a number in a table measures: what its column is called, or if that only compares (比年初), the column before.
fn in_column(reading: &Reading<'_, '_>, window: &Window, column: &Glyphs, kind: QuantityKind, unit: &str, before: &[Fact]) -> Measured {
    let words = |range: Glyphs| reading.source.text(range).to_owned();
    let built = |metric, rule, words| Measured { metric, kind, unit: unit.to_owned(), why: (rule, words), doubt: DEFAULTS.contains(&rule) };
    let cue = strongest(reading, kind, column, &(0..0));
    // 各项存款 in a column called 余额: the row says what is outstanding.
    let elliptic = cue.is_none_or(|cue| reading.source.text(cue.start..cue.end) == "余额");
    let row = super::label::row_head(reading, window).filter(|_| kind == QuantityKind::Money && elliptic);
    let of_row = row.and_then(|row| strongest(reading, kind, &row, &(0..0))).filter(|_| !super::change::compares(reading, column));
    if let Some(found) = of_row {
        let metric = if cue.is_some() { found.stock() } else { found.metric };
        return built(metric, "cue_in_row", words(found.start..found.end));
    }
    if let Some(found) = cue.or_else(|| strongest(reading, QuantityKind::Money, column, &(0..0)).filter(|_| kind == QuantityKind::Percent))
    {
        return built(found.stock(), "cue_in_column", words(found.start..found.end));
    }
    if super::change::compares(reading, column)
        && let Some(last) = super::antecedent::last_level(before, kind)
    {
        return built(last.metric, "change_of_the_column_before", last.label.clone());
    }
    let plain = match kind {
        QuantityKind::Percent | QuantityKind::PercentagePoint => Metric::Share,
        QuantityKind::Count if matches!(unit, "户" | "家" | "人" | "名" | "户次" | "人次") => Metric::CustomerCount,
        QuantityKind::Count if unit == "笔" => Metric::LoanCount,
        QuantityKind::Mass | QuantityKind::Area | QuantityKind::Length => Metric::PhysicalQuantity,
        _ => Metric::Other,
    };
    built(plain, "named_by_its_column", words(column.clone()))
}

/// 2.1亿 is money where the sentence speaks of money, a count where a counted noun follows.
fn settle_kind<'q>(reading: &Reading<'_, '_>, q: &'q QuantityMention, window: &Window) -> (QuantityKind, &'q str) {
    if q.kind != QuantityKind::Number || !q.unit_missing {
        return (q.kind, &q.unit);
    }
    let noun = window.noun_after(reading);
    let left = window.noun_before(reading);
    if words!["人次", "户数", "人数", "笔数", "户次", "件数", "客户数"].end_before(reading.source, left.end) && !left.is_empty()
    {
        return (QuantityKind::Count, "");
    }
    let counted = !noun.is_empty()
        && reading.hits.inside(noun.clone()).any(|h| h.start() <= noun.start + 4 && reading.lexicon.classes(h).has(Class::Customer))
        && !reading.any(noun, words!["贷款", "资金", "赔款", "元"]);
    if counted { (QuantityKind::Count, "") } else { (QuantityKind::Money, "CNY") }
}

/// Whether a change says itself what changes: 贷款加权平均利率较年初下降…
fn names_its_own(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, shift: &Shift, kind: QuantityKind) -> bool {
    // 新增贷款311亿元 names it behind the word, 贷款新增311亿元 before.
    let behind = shift.noun_end.min(q.range.start)..q.range.start;
    if let Some(found) = strongest(reading, kind, &behind, &(0..0)) {
        // 下调利率0.3个百分点: the verb's object.
        let ratio = matches!(kind, QuantityKind::Percent | QuantityKind::PercentagePoint);
        if shift.new || ratio && found.metric == Metric::InterestRate {
            return true;
        }
    }
    let before = window.clause.start.max(window.left.start)..shift.noun_end.min(q.range.start);
    strongest(reading, kind, &before, &(0..0)).is_some_and(|f| f.strength > 1 || f.end == before.end)
}

/// Longest name of a product that is looked at, in glyphs.
const LONGEST_PRODUCT: usize = 16;

/// Most glyphs by which a longer cue begins before the one in it.
const LONGEST_CUE: usize = 8;

/// The strongest cue for `kind` in `left` or `right`; of equals the one nearest to the number.
pub fn strongest(reading: &Reading<'_, '_>, kind: QuantityKind, left: &Glyphs, right: &Glyphs) -> Option<Found> {
    let metrics = &reading.lexicon.tables().metrics;
    let row_of = |sense: &Sense| match sense {
        Sense::Metric(i) => metrics.get(*i as usize).filter(|row| row.kinds.contains(&kind)),
        _ => None,
    };
    let mut best: Option<(Found, usize)> = None;
    for (range, is_left) in [(left, true), (right, false)] {
        for hit in reading.hits.within(range.clone(), In::METRICS) {
            let rows = |hit: Hit| reading.lexicon.senses(hit).iter().filter_map(row_of);
            if rows(hit).next().is_none() || !reading.stands(hit) {
                continue;
            }
            // 授信余额 is one word: the 余额 in it says nothing of its own.
            let wider = |other: &Hit| {
                (other.start() <= hit.start())
                    & (hit.end() <= other.end())
                    & (other.end() - other.start() > hit.end() - hit.start())
                    & (other.end() <= range.end)
                    & other.is_in(In::METRICS)
            };
            let near = hit.start().saturating_sub(LONGEST_CUE).max(range.start)..hit.end();
            if reading.hits.starting_in(near).iter().any(|other| wider(other) && rows(*other).next().is_some() && reading.stands(*other)) {
                continue;
            }
            // “纳税e贷”: what a product is named after measures nothing.
            let named_after = |product: &Product| product.range.start <= hit.start() && hit.end() < product.range.end;
            let near = hit.start().saturating_sub(LONGEST_PRODUCT)..hit.end();
            if reading.products_in(&near).iter().any(named_after) {
                continue;
            }
            for row in rows(hit) {
                let distance = if is_left { range.end - hit.end() } else { hit.start() - range.start };
                let found = Found { metric: row.code, strength: row.strength, start: hit.start(), end: hit.end() };
                let better = best.is_none_or(|(b, d)| {
                    (found.strength, usize::MAX - distance, found.end - found.start) > (b.strength, usize::MAX - d, b.end - b.start)
                });
                if better && !contradicted(reading, found, range) {
                    best = Some((found, distance));
                }
            }
        }
    }
    best.map(|(found, _)| found)
}

/// A cue whose place says it means something else.
fn contradicted(reading: &Reading<'_, '_>, found: Found, range: &Glyphs) -> bool {
    let source = reading.source;
    match found.metric {
        // Money of the central bank that is lent on is lending.
        Metric::CentralBankFunding => {
            reading.any(found.end..range.end, words!["发放", "投放", "放款"]) && !source.starts_with(found.end, "工具")
        }
        // 撬动…发放, 撬动…贷款新增: what is lent or grows in the end.
        Metric::FinancingProvided => {
            let grows = source.ends_with(range.end, "贷款") && words!["新增", "增加", "增长"].start_at(source, range.end);
            words!["贷款", "成本", "需求"].start_at(source, found.end)
                || words!["撬动", "带动", "引导"].start_at(source, found.start)
                    && (grows || reading.any(found.end..range.end, words!["发放", "投放", "放款", "贷款新增", "贷款增加", "贷款增长"]))
        }
        // 延期 … 投放: funding programmes put off, not repayments.
        Metric::LoanRepaid | Metric::PipelineAmount => reading.any(found.end..range.end, words!["发放", "投放", "申请贷款", "授信"]),
        // 审批权限, 审批时间: what may be approved and how fast, not what was.
        Metric::LoanApproved => words!["权", "时间", "时限", "时长", "效率", "流程", "链条", "环节", "周期"].start_at(source, found.end),
        // 优惠利率贷款占比: a share of loans, not their rate.
        Metric::InterestRate => reading.any(found.end..range.end, words!["占比", "占全部", "占各项"]),
        Metric::DepositBalance => source.starts_with(found.end, "保险") || source.starts_with(found.end, "利率"),
        // 纳税企业, 纳税信用: what somebody is known by, not a tax.
        Metric::RevenueOrProfit => words!["企业", "人", "户", "信用", "大户", "评级", "等级", "客户", "记录"].start_at(source, found.end),
        Metric::PaymentVolume => source.starts_with(found.end, "手续费"),
        Metric::ConcessionAmount => source.starts_with(found.start, "手续费") && reading.any(found.end..range.end, words!["收入"]),
        _ => false,
    }
}

fn duration(reading: &Reading<'_, '_>, window: &Window, built: impl Fn(Metric, &'static str, String) -> Measured) -> Measured {
    let near = window.left.start..window.right.end.min(window.right.start + 3);
    let term = reading
        .any(window.left.clone(), words!["期限", "贷期", "还款期", "宽限期", "授信期", "展期", "延期", "延长", "最长", "有效期", "周期"]);
    let quick = reading.any(
        near,
        words!["工作日", "最快", "办结", "办理", "审批", "放款", "到账", "仅用", "压缩", "缩短", "时间", "时限", "受理", "结案"],
    );
    if term && !(quick && !reading.any(window.left.clone(), words!["期限", "最长", "延长"])) {
        return built(Metric::LoanTerm, "term_of_a_loan", reading.source.text(window.left.clone()).to_owned());
    }
    if reading.source.starts_with(window.right.start, "期") {
        return built(Metric::LoanTerm, "term_of_a_loan", reading.source.text(window.right.clone()).to_owned());
    }
    built(Metric::ProcessingTime, "time_to_finish", reading.source.text(window.left.clone()).to_owned())
}

/// What grows when a noun does: 贷款, 存款, 总资产.
pub fn of_noun(reading: &Reading<'_, '_>, noun: &Glyphs) -> Option<Metric> {
    let found = strongest(reading, QuantityKind::Money, noun, &(0..0))?;
    Some(found.stock())
}

/// What a level measures that is named by a noun of its own: 资产总额, 保费收入. 贷款 alone says no more than its verb.
pub fn named(reading: &Reading<'_, '_>, kind: QuantityKind, noun: &Glyphs) -> Option<Metric> {
    strongest(reading, kind, noun, &(0..0)).filter(|found| found.strength > 1).map(|found| found.metric)
}
