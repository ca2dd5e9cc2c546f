//! Which part a number plays: a figure, a date, a list marker, someone else's.

use super::window::Window;
use super::{Attribution, Fact};
use crate::discourse::is_company;
use crate::lexicon::{Class, Role};
use crate::mood::Mood;
use crate::outline::ParagraphKind;
use crate::reading::Reading;
use crate::recognize::quantity::{QuantityMention, Script};
use crate::report::{Metric, Qualifier, QuantityKind, QuantityRole};
use crate::source::Glyphs;
use crate::words::{Words, words};
use rust_decimal::Decimal;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// Roles of numbers that stand in no sentence: in headings and in lines about the text.
pub fn outside_sentences(reading: &Reading<'_, '_>, roles: &mut [QuantityRole]) {
    for (q, slot) in reading.quantities.iter().zip(roles) {
        let heading = reading.outline.paragraph_at(q.core.start).is_some_and(|p| p.kind == ParagraphKind::Heading);
        *slot = match q.kind {
            QuantityKind::Date | QuantityKind::Time => QuantityRole::Date,
            QuantityKind::Ordinal => QuantityRole::Enumeration,
            QuantityKind::Identifier => QuantityRole::Identifier,
            QuantityKind::Count if heading && (counts_items(reading, q) || idiomatic(reading, q)) => QuantityRole::Enumeration,
            _ if heading && idiomatic(reading, q) => QuantityRole::Idiom,
            _ if heading => QuantityRole::Heading,
            _ => QuantityRole::Context,
        };
    }
}

/// The role of a number in running text.
#[must_use]
pub fn role(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> QuantityRole {
    match q.kind {
        QuantityKind::Date | QuantityKind::Time => return QuantityRole::Date,
        QuantityKind::Ordinal => return QuantityRole::Enumeration,
        QuantityKind::Identifier => return QuantityRole::Identifier,
        _ => {}
    }
    if in_a_name(reading, q) || in_a_benchmark(reading, q) {
        return QuantityRole::Identifier;
    }
    if counts_items(reading, q) || counts_the_named(reading, q) {
        return QuantityRole::Enumeration;
    }
    if idiomatic(reading, q) || round_the_clock(reading, q) {
        return QuantityRole::Idiom;
    }
    if q.kind == QuantityKind::Number && !q.unit_missing || q.value.is_none() {
        return if reading.source.before(q.core.start).is_ascii_alphabetic() { QuantityRole::Identifier } else { QuantityRole::Context };
    }
    if matches!(q.unit.as_str(), "版" | "级" | "届")
        || q.kind == QuantityKind::Count && reading.any(window.clause.clone(), words!["之一", "上市银行"])
    {
        return QuantityRole::Context;
    }
    if in_a_headline(reading, q) {
        return QuantityRole::Heading;
    }
    if is_benchmark(reading, q, window) || crate::measure::is_boilerplate(reading, &window.clause) {
        return QuantityRole::Context;
    }
    let others = reading.moods.has(q.core.start, Mood::Denied) || reading.moods.has(q.core.start, Mood::Others);
    if others || is_an_age(reading, q) || earned_by_a_borrower(reading, q, window, before) {
        return QuantityRole::Context;
    }
    if duration_of_something_else(reading, q, window) || someone_elses(reading, q, window, before) {
        return QuantityRole::Context;
    }
    QuantityRole::Figure
}

/// 52岁: how old somebody is.
fn is_an_age(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    let unit = reading.hits.at(q.core.end).iter().chain(reading.hits.at(q.range.end.saturating_sub(1)));
    q.kind == QuantityKind::Count && unit.copied().any(|hit| reading.lexicon.classes(hit).has(Class::CountsAges))
}

/// 发放贷款30万元,当年获利20万元: what is earned behind a loan, in a clause that names no institution, its borrower earns.
fn earned_by_a_borrower(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> bool {
    let lent = || before.iter().any(|fact| matches!(fact.metric, Metric::LoanDisbursed | Metric::LoanApproved | Metric::CreditLine));
    let ours = || {
        let clause = &window.clause;
        !reading.institutions_in(clause).is_empty() || reading.words(clause.clone(), Role::Anaphor).next().is_some()
    };
    q.kind == QuantityKind::Money && reading.is_said(window.left.clone(), Class::Earning) && lent() && !ours()
}

/// How far into a news item its dateline may stand, in glyphs.
const DATELINE: usize = 200;

/// Whether a number stands in the headline that runs into a news item's dateline, and again below it.
fn in_a_headline(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    const MARKS: &Words = words!["日电", "日讯", "讯(", "电(", "消息", "获悉"];
    if q.core.start >= DATELINE {
        return false;
    }
    let dateline = (q.range.end..DATELINE.min(reading.source.len())).any(|i| MARKS.start_at(reading.source, i));
    dateline
        && reading
            .quantities
            .iter()
            .any(|other| other.core.start > q.core.start && other.kind == q.kind && other.unit == q.unit && other.value == q.value)
}

/// 五台县联社: a numeral inside the name of an institution, a region or a product.
fn in_a_name(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    let at = q.core.start;
    let named = reading.institutions_in(&(at.saturating_sub(40)..at + 1)).iter().any(|m| m.range.start <= at && at < m.range.end);
    let product = reading.products_in(&(at.saturating_sub(20)..at + 1)).iter().any(|p| p.range.start <= at && at < p.range.end);
    let region = q.script == Script::Han
        && reading
            .hits
            .at(at)
            .iter()
            .any(|h| h.end() > at + 1 && reading.lexicon.senses(*h).iter().any(|s| matches!(s, crate::lexicon::Sense::Region(_))));
    named || product || region
}

/// 3家银行: as many institutions as have been named before, taken up again.
fn counts_the_named(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    let counted = reading.is_said(q.range.end..q.range.end + 4, Class::Institutions);
    let named = || Decimal::from(reading.discourse.singles_before(q.core.start));
    counted && q.value.is_some_and(|value| value > Decimal::ONE && value == named())
}

/// 1年期LPR, 5年期以上国债: a term that is part of what a market's rate is called.
fn in_a_benchmark(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    let source = reading.source;
    if q.kind != QuantityKind::Duration || source.at(q.core.end) != '期' {
        return false;
    }
    let at = q.core.end + 1;
    let at = words!["以上", "以内", "及以上", "以下"].end_at(source, at).unwrap_or(at);
    let at = at + usize::from(matches!(source.at(at), '的' | '"' | '“'));
    reading.hits.at(at).iter().any(|hit| reading.lexicon.classes(*hit).has(Class::Benchmark))
}

/// 1年期LPR为3.45%: the market's rate, which is nobody's figure.
fn is_benchmark(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> bool {
    /// Most glyphs of a rate's name.
    const LONGEST: usize = 12;
    if q.kind != QuantityKind::Percent {
        return false;
    }
    let end = super::window::trimmed_end(reading, &window.left);
    let end = end - usize::from(end > window.left.start && reading.source.before(end) == '报');
    let named = reading.hits.starting_in(end.saturating_sub(LONGEST).max(window.left.start)..end).iter();
    named.filter(|hit| hit.end() == end).any(|hit| reading.lexicon.classes(*hit).has(Class::Benchmark))
}

/// 三项措施, 四个坚持: the text counts its own items.
fn counts_items(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    const ITEMS: &Words = words![
        "措施",
        "举措",
        "坚持",
        "原则",
        "方面",
        "任务",
        "要求",
        "内容",
        "机制",
        "办法",
        "条件",
        "目标",
        "行动",
        "重点",
        "环节",
        "到位",
        "确保",
        "强化",
        "关键",
        "维度",
        "步骤",
        "优先",
        "专项行动",
        "工程",
        "提升",
        "结合",
        "转变",
        "聚焦",
        "抓手",
        "统筹",
        "着力",
        "围绕",
        "政策",
        "工作",
        "条款",
        "领域",
        "问题",
        "层面",
        "渠道",
        "特点",
        "一律",
        "注重",
        "突破",
        "加强",
        "延伸",
    ];
    if q.kind != QuantityKind::Count || !matches!(q.unit.as_str(), "项" | "个" | "大" | "条" | "方面" | "种" | "点" | "类") {
        return false;
    }
    if q.unit == "条"
        && q.value.is_some_and(|v| v <= Decimal::from(100))
        && (matches!(reading.source.at(q.range.end), '”' | '、' | '》' | '"' | ',' | '。')
            && !matches!(reading.source.before(q.core.start), '路' | '线' | '道' | '桥'))
        && reading
            .any(q.core.start.saturating_sub(8)..q.core.start, words!["政策", "金融", "增长", "措施", "意见", "十六", "“", "纾困", "稳"])
    {
        return true;
    }
    let small = q.value.is_some_and(|v| v <= Decimal::from(60));
    let end = q.range.end;
    let near = end..end + 7;
    small
        && q.qualifier == Qualifier::Exact
        && (ITEMS.start_at(reading.source, end)
            || q.unit == "项" && reading.any(near, words!["措施", "举措", "政策", "行动", "制度", "机制", "任务"])
            || matches!(reading.source.at(end), '“' | '"'))
}

/// The marks of the quotation that a number stands in, if it is short.
fn in_quotes(reading: &Reading<'_, '_>, q: &QuantityMention) -> Option<Glyphs> {
    /// How far the marks may stand from the number, in glyphs.
    const REACH: usize = 40;
    let source = reading.source;
    let ends = |at: &&usize| matches!(source.at(**at), '“' | '”' | '。' | ';' | '\n');
    let open = *source.marks(q.core.start.saturating_sub(REACH)..q.core.start).iter().rev().find(ends)?;
    let close = *source.marks(q.range.end..q.range.end + REACH).iter().find(ends)?;
    (source.at(open) == '“' && source.at(close) == '”').then_some(open..close)
}

/// “1名行领导+1名客户经理+1个团队”: how many make up one of something, joined by + in quotation marks.
fn in_a_formula(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    let few = q.kind == QuantityKind::Count && q.numeral.or(q.value).is_some_and(|value| value <= Decimal::TEN);
    let joined = |quoted: Glyphs| reading.source.marks(quoted).iter().any(|&at| reading.source.at(at) == '+');
    few && in_quotes(reading, q).is_some_and(joined)
}

/// A number that is a manner of speaking: 一户一策, 每一家, 两不误.
fn idiomatic(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    if in_a_formula(reading, q) {
        return true;
    }
    if q.script != Script::Han
        || matches!(q.kind, QuantityKind::Percent | QuantityKind::PercentagePoint | QuantityKind::Money)
            && q.value.is_some_and(|v| v != Decimal::ONE)
    {
        return false;
    }
    let value = q.numeral.or(q.value).unwrap_or_default();
    // “百名行长进千企”: what a campaign is called.
    let round = value == Decimal::ONE_HUNDRED || value == Decimal::ONE_THOUSAND || value == Decimal::from(10_000);
    if round && in_quotes(reading, q).is_some() {
        return true;
    }
    let timed = q.kind == QuantityKind::Duration
        && (q.qualifier != Qualifier::Exact
            || words!["最快", "仅用", "期限", "期限为", "最长", "展期", "延长"].end_before(reading.source, q.core.start));
    if value == Decimal::ONE || value == Decimal::ZERO {
        return !timed;
    }
    match q.kind {
        QuantityKind::Number => !q.unit_missing,
        QuantityKind::Multiple | QuantityKind::Length => true,
        // 两场硬仗 is no event.
        QuantityKind::Count if matches!(q.unit.as_str(), "场" | "场次") && value < Decimal::from(10) => {
            !reading.any(q.range.end..q.range.end + 12, words!["活动", "对接", "宣", "培训", "讲座", "会", "直播", "路演", "沙龙"])
        }
        QuantityKind::Count => {
            let real = matches!(
                q.unit.as_str(),
                "款" | "家"
                    | "户"
                    | "名"
                    | "人"
                    | "次"
                    | "台"
                    | "笔"
                    | "人次"
                    | "户次"
                    | "场"
                    | "场次"
                    | "只"
                    | "头"
                    | "位"
                    | "份"
                    | "辆"
            );
            let vague = matches!(
                q.unit.as_str(),
                "个" | "项"
                    | "种"
                    | "类"
                    | "条"
                    | "批"
                    | "支"
                    | "张"
                    | "点"
                    | "大"
                    | "级"
                    | "步"
                    | "对"
                    | "面"
                    | "手"
                    | "道"
                    | "轮"
                    | "块"
                    | "口"
                    | "句"
                    | "片"
                    | "间"
                    | "门"
                    | "关"
                    | "期"
            );
            if vague {
                value < Decimal::from(10)
            } else {
                !real && value < Decimal::from(10)
                    || matches!(q.unit.as_str(), "名" | "位" | "人" | "只" | "头") && value < Decimal::from(3)
            }
        }
        QuantityKind::Duration => !timed && !matches!(q.unit.as_str(), "d" | "h" | "min"),
        _ => false,
    }
}

/// 24小时, 7×24小时: round the clock.
fn round_the_clock(reading: &Reading<'_, '_>, q: &QuantityMention) -> bool {
    let day = q.kind == QuantityKind::Duration && q.unit == "h" && q.value == Some(Decimal::from(24)) && q.qualifier == Qualifier::Exact;
    let timed = words!["仅用", "从", "只用", "在", "用时", "最快", "仅需", "只需", "压缩至", "缩短至", "不到"]
        .end_before(reading.source, q.core.start);
    let week = matches!(reading.source.at(q.core.end), '*' | '×' | 'x' | 'X') && reading.source.at(q.core.end + 1).is_ascii_digit();
    day && !timed || week
}

/// 近3年, 连续5年, 成立20年: no time to finish and no term.
fn duration_of_something_else(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> bool {
    if q.kind != QuantityKind::Duration {
        return false;
    }
    let long = matches!(q.unit.as_str(), "a" | "mo" | "季度") || q.unit == "wk" && q.qualifier != Qualifier::AtMost;
    let left = q.range.start.saturating_sub(12).max(window.sentence.start)..q.core.start;
    let near = q.range.start.saturating_sub(4).max(window.sentence.start)..q.core.start;
    let ago = words!["以来", "来", "前", "后", "间", "多来", "期间"].start_at(reading.source, q.range.end)
        && !reading.source.starts_with(q.range.end, "后放")
        && !reading.source.starts_with(q.range.end, "前放");
    let span = reading.any(
        near,
        words![
            "近", "连续", "过去", "未来", "每", "成立", "历时", "坚守", "已有", "距今", "长达", "为期", "满", "今后", "第", "这", "时隔",
            "最近", "坚持",
        ],
    );
    let term = reading.any(
        left,
        words![
            "期限",
            "期",
            "最长",
            "贷款",
            "办",
            "审批",
            "放款",
            "到账",
            "仅用",
            "压缩",
            "缩短",
            "时间",
            "时限",
            "最快",
            "用时",
            "延长",
            "宽限",
            "结案",
            "受理",
            "完成",
            "不超过",
            "仅需",
            "只需",
            "时效",
            "在",
            "由",
            "至",
            "内",
        ],
    );
    let done = reading.any(
        window.right.start..window.right.end.min(window.right.start + 14),
        words![
            "办", "放款", "到账", "完成", "审批", "结案", "发放", "投放", "授信", "期", "赔付", "落地", "进行", "实现", "赔款", "到位",
            "复勘", "查勘", "支付", "答复", "响应", "拿到", "获得", "收到", "拨付", "下款", "出具", "批",
        ],
    );
    if long {
        let termed = reading.any(window.left.clone(), words!["期限", "最长", "延长", "宽限期", "展期", "延期", "贷款期", "授信期", "循环"])
            || reading.source.starts_with(q.range.end, "期");
        return !termed || ago;
    }
    ago && q.qualifier == Qualifier::Exact || span && !done || !term && !done && q.qualifier != Qualifier::AtMost
}

/// Whether a number belongs to a borrower, a market or a region: its clause speaks of their affairs.
fn someone_elses(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window, before: &[Fact]) -> bool {
    let noun = window.noun_after(reading);
    let stretch = window.clause.start..noun.end.max(window.right.end.min(window.right.start + 10)).max(q.range.end);
    // 下游客户: a word that ends where another begins is none.
    let market = reading
        .words(stretch.clone(), Role::Context)
        .filter(|h| !reading.source.starts_with(h.end() - 1, "客户"))
        .any(|h| h.end() <= q.range.start && h.start() >= window.left.start.saturating_sub(16) || h.start() >= q.range.end);
    let own = || {
        reading.any(
            window.clause.clone(),
            words![
                "贷",
                "授信",
                "融资",
                "放款",
                "存款",
                "保费",
                "保障",
                "赔",
                "利率",
                "信贷",
                "让利",
                "手续费",
                "承保",
                "投保",
                "续贷",
                "展期",
                "捐",
                "不良",
                "用信",
                "结算",
                "代发",
                "理赔",
                "兑换",
                "POS",
            ],
        )
    };
    // 带动农户860户增收: whom it serves, whatever they gain.
    let served = || q.unit.starts_with('户') && reading.any(window.left.clone(), words!["惠及", "带动", "帮助", "支持", "扶持", "覆盖"]);
    if market && !own() && !served() {
        return true;
    }
    if people_present(reading, q, window) || owned_by_a_borrower(reading, q, window) {
        return true;
    }
    let continued = |unit: &str| before.last().is_some_and(|f| f.unit == unit && f.window.clause.end + 1 >= window.clause.start);
    !continued(&q.unit) && borrower_speaks(reading, q, window) && !own()
}

/// 牧民扎西的27头牦牛: what a named person or company has.
fn owned_by_a_borrower(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> bool {
    let left = window.clause.start..q.range.start;
    reading.source.before(q.range.start) == '的'
        && !matches!(q.kind, QuantityKind::Money)
        && reading.borrowers_in(&left).last().is_some_and(|b| b.range.end + 1 == q.range.start)
}

/// 共60余人参加: people at an event.
fn people_present(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> bool {
    matches!(q.unit.as_str(), "人" | "名" | "位" | "余人")
        && reading.any(window.right.start..window.clause.end, words!["参加了", "参会", "出席", "参加会议", "参加活动", "参加此次"])
}

/// Whether the clause's subject is a borrower: 该公司现有气调库6座.
fn borrower_speaks(reading: &Reading<'_, '_>, q: &QuantityMention, window: &Window) -> bool {
    let acts = words!["发放", "投放", "办理", "提供", "支持", "授信", "贷款", "抵押", "质押", "审批", "惠及", "支付", "赔付"];
    let mut clause = window.clause.clone();
    loop {
        let head = clause.start..q.core.start.min(clause.end);
        if reading.any(head.clone(), acts) || reading.any(clause.clone(), words!["抵押", "质押"]) {
            return false;
        }
        // An insurer's or a guarantor's own article calls it 公司.
        let owner = reading.discourse.owner_at(q.core.start).and_then(|owner| reading.discourse.entities.get(owner));
        let company = owner.is_some_and(|owner| is_company(owner.kind));
        let anaphor = reading.words(head.clone(), Role::BorrowerAnaphor).any(|h| {
            !reading.discourse.is_anaphor(h.start())
                && !(company && h.end() - h.start() == 2)
                && h.start() <= clause.start + 3
                && !matches!(reading.source.before(h.start()), '向' | '为' | '对' | '给')
        });
        let named = reading.borrowers_in(&head).iter().any(|b| {
            b.range.start <= clause.start + 12
                && !(clause.start..b.range.start).any(|i| matches!(reading.source.at(i), '向' | '为' | '对' | '给' | '与'))
        });
        if anaphor || named {
            return true;
        }
        let institution = !reading.institutions_in(&head).is_empty() || reading.words(head, Role::Anaphor).next().is_some();
        if institution || clause.start <= window.sentence.start {
            return false;
        }
        let end = clause.start - 1;
        clause = reading.clause_start(end, window.sentence.start)..end;
    }
}

/// Where each value stands last, looked up when first asked.
#[derive(Debug, Default)]
pub struct Repeats(OnceCell<BTreeMap<(QuantityKind, Option<Decimal>), usize>>);

impl Repeats {
    fn last_place(&self, reading: &Reading<'_, '_>, q: &QuantityMention) -> Option<usize> {
        let places = self.0.get_or_init(|| reading.quantities.iter().map(|q| ((q.kind, q.value), q.core.start)).collect());
        places.get(&(q.kind, q.value)).copied()
    }
}

/// Figures announced before their sentence says whose: 近2000亿元、超1800亿元和622亿元。 Each stands again further on.
pub fn announced(reading: &Reading<'_, '_>, out: &mut Attribution, first: usize, sentence: usize, repeats: &Repeats) {
    let facts = out.facts.get(first..).unwrap_or_default();
    if facts.is_empty()
        || !facts.iter().all(|f| {
            matches!(f.metric, Metric::Other | Metric::Share)
                && f.derivation.steps.first().is_some_and(|(rule, _)| matches!(*rule, "no_cue" | "ratio_without_cue" | "goes_on_with"))
        })
    {
        return;
    }
    let after = reading.outline.sentences.get(sentence).map_or(0, |s| s.range.end);
    let again = |f: &Fact| {
        let Some(q) = reading.quantities.get(f.quantity) else { return false };
        repeats.last_place(reading, q).is_some_and(|place| place >= after)
    };
    if facts.iter().all(again) {
        for fact in out.facts.drain(first..) {
            if let Some(role) = out.roles.get_mut(fact.quantity) {
                *role = QuantityRole::Heading;
            }
        }
    }
}
