//! What stands around a number.

use std::cell::OnceCell;

use super::count::{Counted, counted};
use super::phrase;
use crate::lexicon::{Hit, In, Role, Sense};
use crate::outline::inside;
use crate::reading::Reading;
use crate::recognize::quantity::QuantityMention;
use crate::report::{MeasureCategory, QuantityKind};
use crate::source::Glyphs;
use crate::words::{Words, words};

/// How far a noun phrase reaches, in glyphs.
const MAX_NOUN: usize = 22;

/// The neighbourhood of a number inside its sentence.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// From the number before, or the clause's start, to the number.
    pub left: Glyphs,
    /// From the number to the next one, or the clause's end.
    pub right: Glyphs,
    /// The whole clause.
    pub clause: Glyphs,
    /// The whole sentence.
    pub sentence: Glyphs,
    /// What the column of a table that holds it is called.
    pub column: Option<Glyphs>,
    noun_before: OnceCell<Glyphs>,
    noun_after: OnceCell<Glyphs>,
    counted: OnceCell<Counted>,
}

impl Window {
    /// The window of a number.
    #[must_use]
    pub fn new(reading: &Reading<'_, '_>, quantity: usize, sentence: &Glyphs) -> Self {
        let Some(q) = reading.quantities.get(quantity) else { return Self::default() };
        let clause = reading.clause_start(q.range.start, sentence.start)..reading.clause_end(q.range.end, sentence.end);
        let counts = |kind: QuantityKind| !matches!(kind, QuantityKind::Ordinal | QuantityKind::Identifier);
        let previous =
            quantity.checked_sub(1).and_then(|i| reading.quantities.get(i)).filter(|p| counts(p.kind)).map_or(0, |p| p.range.end);
        let next = reading.quantities.get(quantity + 1).filter(|n| counts(n.kind)).map_or(usize::MAX, |n| n.range.start);
        Self {
            left: clause.start.max(previous).min(q.range.start)..q.range.start,
            right: q.range.end..clause.end.min(next).max(q.range.end),
            clause,
            sentence: sentence.clone(),
            column: reading.outline.column(q.core.start),
            ..Self::default()
        }
    }

    /// The noun phrase before the number.
    pub fn noun_before(&self, reading: &Reading<'_, '_>) -> Glyphs {
        self.noun_before.get_or_init(|| noun_before(reading, &self.left)).clone()
    }

    /// The noun that a count counts.
    pub fn counted(&self, reading: &Reading<'_, '_>, q: &QuantityMention) -> Counted {
        self.counted.get_or_init(|| counted(reading, q, self)).clone()
    }

    /// The noun phrase behind the number.
    pub fn noun_after(&self, reading: &Reading<'_, '_>) -> Glyphs {
        self.noun_after.get_or_init(|| noun_after(reading, &self.right)).clone()
    }
}

/// Words that trim the end of what stands before a number.
const TRIMS: In = In::roles(&[Role::Level, Role::Increase, Role::Decrease, Role::Cumulative]);

/// Most glyphs that one of them has.
const LONGEST_TRIM: usize = 8;

/// Words that may cut a noun phrase.
const BOUNDARIES: In = In::roles(&[
    Role::Boundary,
    Role::Versus,
    Role::YearOnYear,
    Role::Part,
    Role::Cumulative,
    Role::Receiver,
    Role::Anaphor,
    Role::BorrowerAnaphor,
]);

/// Words that may end the noun phrase behind a number.
const CUTS: In = BOUNDARIES.or(In::roles(&[Role::Increase, Role::Decrease]));

/// Where the phrase before a number ends once 达, 为, 增长 … are set aside.
#[must_use]
pub fn trimmed_end(reading: &Reading<'_, '_>, left: &Glyphs) -> usize {
    let mut end = left.end;
    loop {
        let near = left.start.max(end.saturating_sub(LONGEST_TRIM))..end;
        let word = reading.hits.within(near, TRIMS).filter(|h| h.end() == end).map(super::super::lexicon::Hit::start).min();
        // 平均 and 当年 stand between the noun and its number.
        let mean = reading.source.ends_with(end, "平均").then(|| end - 2);
        let dated = reading.dates_in(&(left.start..end)).last().filter(|d| d.range.end == end).map(|d| d.range.start);
        let skip = [word, mean, dated]
            .into_iter()
            .flatten()
            .filter(|&start| start > left.start || Some(start) == word || Some(start) == mean)
            .min();
        // 利率可下调15个基点, not 认可.
        let modal = || reading.source.before(end) == '可' && !matches!(reading.source.before(end - 1), '认' | '许');
        let filler = end > left.start
            && (modal() || matches!(reading.source.before(end), '了' | '的' | '额' | '、' | '(' | '"' | '“' | '是' | ':'))
            && skip.is_none()
            && !(reading.source.before(end) == '额'
                && end >= 2
                && "余金总授用限信保销净差定份数面税缺配易交业".contains(reading.source.before(end - 1)));
        match skip {
            Some(start) => end = start,
            None if filler => end -= 1,
            None => return end,
        }
    }
}

/// Whether a boundary word really cuts a noun phrase here: not inside a longer word.
#[must_use]
pub fn cuts(reading: &Reading<'_, '_>, hit: Hit) -> bool {
    if !hit.is_in(BOUNDARIES) || !reading.tokens.are_whole(&hit.range()) {
        return false;
    }
    // 减免手续费: what is waived stands behind the verb.
    let waives = matches!(reading.lexicon.form(hit), "减免" | "免收" | "减收" | "免除");
    let from = hit.start().saturating_sub(8);
    let swallowed = reading.hits.starting_in(from..hit.end()).iter().any(|other| {
        let wider = (other.start() <= hit.start()) & (hit.end() <= other.end()) & (other.end() - other.start() > hit.end() - hit.start());
        wider
            && reading.lexicon.senses(*other).iter().any(|s| match s {
                // A verb with its object (发放贷款) is cut behind the verb, a noun made of one (兑换金额) is not.
                Sense::Metric(_) if waives => false,
                Sense::Metric(_) => {
                    hit.end() - hit.start() < 2 || other.start() < hit.start() || names_a_thing(reading.source.text(hit.end()..other.end()))
                }
                Sense::Role(_)
                | Sense::Cue(_)
                | Sense::Category(..)
                | Sense::Unit(_)
                | Sense::Qualifier(_)
                | Sense::Name(_)
                | Sense::RegionWord(_) => false,
                Sense::Class(_) => reading.lexicon.classes(*other).meets(phrase::WHOLE),
                _ => true,
            })
    });
    if swallowed {
        return false;
    }
    let source = reading.source;
    let (before, after) = (source.before(hit.start()), source.at(hit.end()));
    if hit.end() - hit.start() >= 2
        && !waives
        && (NAMED_BY_AN_ACT.start_at(source, hit.end()) && !words!["员工", "金融"].start_at(source, hit.end()))
    {
        return false;
    }
    match reading.lexicon.form(hit) {
        "服务" => !"点费站业中队专车员领".contains(after) && !"融险".contains(before),
        "发放" => !source.ends_with(hit.start(), "新") || !rate_follows(reading, hit.end()),
        "新发放" | "新投放" => !rate_follows(reading, hit.end()),
        // 公司贷款余额: lent to companies.
        "公司" => !"分子总支母".contains(before) && !reading.hits.at(hit.end()).iter().any(|next| next.is_in(In::METRICS)),
        "宣传" | "培训" => !words!["资料", "材料", "手册", "折页", "活动"].start_at(source, hit.end()),
        // 存贷比71%: a ratio, and no comparison.
        "比" => "年期月季末初底平".contains(before) || !(after.is_ascii_digit() || "为达是约超升降从由分提已控".contains(after)),
        "试点" => after == '“',
        "计划" => !words!["信贷", "投放", "专项", "资金", "培训"].end_before(source, hit.start()),
        "支持" => !source.starts_with(hit.end(), "工具") && !source.starts_with(hit.end(), "力度"),
        "贷" => false,
        _ => true,
    }
}

/// What is called after an act: 审批时长, 授信额, 查勘员.
const NAMED_BY_AN_ACT: &Words = words![
    "时间", "时限", "时长", "周期", "效率", "手续", "流程", "金额", "需求", "环节", "权限", "费", "额", "率", "量", "员", "金", "成本",
];

/// What is left of a word behind its verb, when the word is a noun: 额, 点, 人员.
fn names_a_thing(rest: &str) -> bool {
    matches!(
        rest,
        "额" | "金额"
            | "点"
            | "站"
            | "人员"
            | "量"
            | "费"
            | "费用"
            | "户"
            | "率"
            | "期"
            | "时间"
            | "工具"
            | "机"
            | "需求"
            | "余额"
            | "手续费"
            | "项目"
            | "利率"
            | "会"
            | "活动"
            | "支出"
            | "总额"
    )
}

fn rate_follows(reading: &Reading<'_, '_>, at: usize) -> bool {
    (at..at + 24).take_while(|&i| !Reading::is_clause_break(reading.source.at(i))).any(|i| reading.source.starts_with(i, "利率"))
}

/// The noun phrase that ends right before a number.
#[must_use]
pub fn noun_before(reading: &Reading<'_, '_>, left: &Glyphs) -> Glyphs {
    if left.start >= left.end {
        return left.end..left.end;
    }
    let end = bare_end(reading, left);
    let floor = left.start.max(end.saturating_sub(MAX_NOUN));
    let mut start = floor;
    for hit in reading.hits.within(floor..end, BOUNDARIES) {
        if cuts(reading, hit) {
            start = start.max(hit.end());
        }
    }
    for at in floor..end {
        if matches!(reading.source.at(at), ':' | ',' | ';' | '。' | '\t' | '(' | '《' | '》' | '—' | ')') {
            start = start.max(at + 1);
        }
    }
    for range in spoken_for(reading, &(floor..end)) {
        start = start.max(range.end.min(end));
    }
    let start = phrase::start(reading, &(start.min(end)..end));
    trim_start(reading, start.min(end)..end)
}

/// 贷款余额(含个人经营性贷款)超5万亿元: what stands in brackets right before the number only explains the noun.
pub fn without_brackets(reading: &Reading<'_, '_>, left: &Glyphs) -> Glyphs {
    left.start..bracket(reading, left, trimmed_end(reading, left)).unwrap_or(left.end)
}

/// Where the phrase before a number ends once such brackets are set aside, too.
fn bare_end(reading: &Reading<'_, '_>, left: &Glyphs) -> usize {
    let end = trimmed_end(reading, left);
    bracket(reading, left, end).map_or(end, |open| trimmed_end(reading, &(left.start..open)))
}

/// Where the bracket that closes right before `end` opens.
fn bracket(reading: &Reading<'_, '_>, left: &Glyphs, end: usize) -> Option<usize> {
    let source = reading.source;
    if end <= left.start || source.before(end) != ')' {
        return None;
    }
    let open = source.marks(left.start..end).iter().rev().copied().find(|&at| source.at(at) == '(');
    open.filter(|&open| open > left.start)
}

/// Places that are no part of a noun phrase: dates, institutions, borrowers.
fn spoken_for<'a>(reading: &'a Reading<'_, '_>, range: &Glyphs) -> impl Iterator<Item = &'a Glyphs> {
    let wide = range.start.saturating_sub(40)..range.end;
    let start = range.start;
    reading.names.get(inside(reading.names, &wide, |name| name)).unwrap_or_default().iter().filter(move |name| name.end > start)
}

/// The noun phrase that begins right behind a number.
#[must_use]
pub fn noun_after(reading: &Reading<'_, '_>, right: &Glyphs) -> Glyphs {
    let mut start = right.start;
    // 3年|期贷款: what is left of the term.
    let term = reading.source.at(start) == '期' && !matches!(reading.source.at(start + 1), '货' | '限' | '间' | '末' | '初' | '待');
    start += usize::from(term && start < right.end);
    while start < right.end && matches!(reading.source.at(start), '的' | '“' | '"') {
        start += 1;
    }
    if matches!(reading.source.at(start), '、' | '和' | '及' | '与' | '/') {
        return start..start;
    }
    let mut end = right.end.min(start + MAX_NOUN);
    for at in start..end {
        if matches!(reading.source.at(at), '”' | '"' | '(' | ')' | '—' | '《' | '\t') || (reading.source.at(at) == '的' && at > start)
        {
            end = at;
            break;
        }
    }
    for hit in reading.hits.within(start..end, CUTS) {
        if hit.start() >= end {
            break;
        }
        if cuts(reading, hit)
            || hit.has_role(Role::Increase) && hit.end() - hit.start() > 1
            || hit.has_role(Role::Decrease) && hit.end() - hit.start() > 1
        {
            end = end.min(hit.start());
        }
    }
    let reaches_out = |code: MeasureCategory| matches!(code, MeasureCategory::CustomerOutreach | MeasureCategory::CollateralInnovation);
    let acts = |hit: &Hit| {
        reading.lexicon.senses(*hit).iter().any(|s| match s {
            Sense::Cue(code) => reaches_out(*code),
            Sense::Category(form, 0) => {
                let form = reading.lexicon.tables().category_forms.get(*form as usize);
                form.is_some_and(|(code, _)| reaches_out(*code))
            }
            _ => false,
        })
    };
    if let Some(hit) = reading.hits.within(start + 1..end.max(start + 1), In::CATEGORIES).find(acts) {
        end = end.min(hit.start());
    }
    for range in spoken_for(reading, &(start..end)) {
        if range.start >= start {
            end = end.min(range.start);
        }
    }
    while end > start && matches!(reading.source.before(end), '、' | '和' | '及' | '与' | '等') {
        end -= 1;
    }
    start.min(end)..end
}

/// How long the marker of a list's item at `at` is: ①, 2., 二是, a bullet.
fn marker(reading: &Reading<'_, '_>, at: usize) -> usize {
    let source = reading.source;
    if crate::outline::is_bullet(source, at) {
        return 1;
    }
    // 3年|期贷款: what is left of the term before.
    let term = |q: &QuantityMention| q.kind == QuantityKind::Duration && q.range.end == at;
    if source.at(at) == '期' && reading.quantities_in(&(at.saturating_sub(6)..at)).filter_map(|i| reading.quantities.get(i)).any(term) {
        return 1;
    }
    let ordinals = reading.quantities_in(&(at..at + 1)).filter_map(|i| reading.quantities.get(i));
    let ends = ordinals.filter(|q| q.kind == QuantityKind::Ordinal && q.range.start == at && source.at(at) != '第').map(|q| q.range.end);
    ends.map(|end| end - at + usize::from(matches!(source.at(end), '.' | '、' | ')' | '是' | '要'))).next().unwrap_or(0)
}

/// Drops particles, scopes and quotation marks at the head of a noun phrase.
pub fn trim_start(reading: &Reading<'_, '_>, mut noun: Glyphs) -> Glyphs {
    const LEADING: &Words = words![
        "全省", "全市", "全区", "全县", "全疆", "全国", "全州", "辖内", "辖区", "我市", "我省", "我县", "全行", "全辖", "当地", "本地",
        "上述", "相关", "前述", "分行", "支行", "首笔", "首单",
    ];
    loop {
        let source = reading.source;
        let skip = LEADING.end_at(source, noun.start).map_or(0, |end| end - noun.start);
        let region = reading
            .hits
            .at(noun.start)
            .iter()
            .filter(|h| h.end() + 2 <= noun.end && reading.lexicon.senses(**h).iter().any(|s| matches!(s, Sense::Region(_))))
            .map(|h| h.end() - h.start())
            .max()
            .unwrap_or(0);
        let particle = usize::from(
            matches!(source.at(noun.start), '、' | '和' | '及' | '与' | '的' | '等' | '了' | '“' | '"' | '”' | ' ' | '其' | '’' | '‘')
                && reading.tokens.is_border(noun.start + 1),
        );
        let step = skip.max(region).max(particle).max(marker(reading, noun.start));
        if step == 0 || noun.start + step > noun.end {
            break;
        }
        noun.start += step;
    }
    while noun.start < noun.end && matches!(reading.source.before(noun.end), '”' | '"' | '、' | '的' | '“') {
        noun.end -= 1;
    }
    noun
}
