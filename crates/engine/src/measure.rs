//! What institutions did: cues of categories, and the measures they make.

mod frame;

use std::cell::OnceCell;

use super::attribute::Fact;
use super::discourse::oversees;
use super::lexicon::{Class, Classes, Hit, In, Role, Sense};
use super::mood::Mood;
use super::outline::ParagraphKind;
use super::reading::Reading;
use super::report::{InstitutionType, MeasureCategory};
use super::source::Glyphs;
use crate::words::{Words, words};

/// Widest gap between the parts of a discontinuous form, in glyphs.
const MAX_GAP: usize = 18;
/// How far a clause reaches to either side of its cue or figure, in glyphs.
const MAX_CLAUSE: usize = 600;

/// A word, or two that belong together, that show an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// What kind of act.
    pub category: MeasureCategory,
    /// The words.
    pub range: Glyphs,
    /// Somebody is told to do it.
    pub demanded: bool,
    /// It will be done.
    pub planned: bool,
}

/// How far before a line the word that grants it may stand, in glyphs.
const LONGEST_GRANT: usize = 60;

/// An act of an institution before it is reported.
#[derive(Clone, Debug)]
pub struct Act {
    /// Whose.
    pub owner: usize,
    /// What kind.
    pub category: MeasureCategory,
    /// Its clause, inside one sentence.
    pub range: Glyphs,
    /// The words that show it.
    pub words: Glyphs,
    /// Indices of its facts.
    pub facts: Vec<usize>,
    /// Said to be intended, not done.
    pub planned: bool,
}

/// Finds the cues of running text, by place.
#[must_use]
pub fn cues(reading: &Reading<'_, '_>) -> Vec<Cue> {
    let mut out = Vec::with_capacity(reading.source.len() / 32);
    let mut begun = vec![Begun::default(); reading.lexicon.tables().category_forms.len()];
    let words = reading.hits.of(In::CATEGORIES);
    let mut words = words.as_slice();
    for sentence in &reading.outline.sentences {
        if reading.outline.paragraphs.get(sentence.paragraph).is_none_or(|p| p.kind != ParagraphKind::Body) {
            continue;
        }
        if is_boilerplate(reading, &sentence.range) {
            continue;
        }
        words = from(words, sentence.range.start);
        let mut demanded = false;
        for clause in reading.clauses(&sentence.range) {
            demanded |= demands(reading, &clause);
            if demanded && !guides(reading, clause.start) {
                break;
            }
            words = from(words, clause.start);
            let behind = from(words, clause.end);
            let own = words.get(..words.len() - behind.len()).unwrap_or_default();
            clause_cues(reading, clause, own, demanded, &mut begun, &mut out);
            words = behind;
        }
    }
    out
}

/// Those of some words, by place, that start at `at` or behind it.
fn from(words: &[Hit], at: usize) -> &[Hit] {
    words.get(words.iter().take_while(|word| word.start() < at).count()..).unwrap_or_default()
}

/// What a site adds below an article: whom to ask, who may copy it.
#[must_use]
pub fn is_boilerplate(reading: &Reading<'_, '_>, sentence: &Glyphs) -> bool {
    reading.words(sentence.clone(), Role::Boilerplate).next().is_some()
}

/// A clause and what it says as a whole, looked up when first asked.
struct Clause<'r, 'a, 't> {
    reading: &'r Reading<'a, 't>,
    range: Glyphs,
    slogan: OnceCell<bool>,
    trains: OnceCell<bool>,
    appraises: OnceCell<bool>,
}

impl<'r, 'a, 't> Clause<'r, 'a, 't> {
    const fn new(reading: &'r Reading<'a, 't>, range: Glyphs) -> Self {
        Self { reading, range, slogan: OnceCell::new(), trains: OnceCell::new(), appraises: OnceCell::new() }
    }

    fn says(&self, words: &Words) -> bool {
        self.reading.any(self.range.clone(), words)
    }

    fn is_slogan(&self) -> bool {
        *self.slogan.get_or_init(|| self.reading.words(self.range.clone(), Role::Slogan).next().is_some())
    }

    fn trains_others(&self) -> bool {
        *self.trains.get_or_init(|| self.says(words!["企业培训", "农户培训", "技术培训"]))
    }

    /// 把续贷指标纳入考核: what is counted in an appraisal is not done by it.
    fn appraises(&self) -> bool {
        *self.appraises.get_or_init(|| self.says(words!["纳入"]) && self.says(words!["考核", "评价", "指标", "评级"]))
    }
}

/// A form of several parts of which the first have been met.
#[derive(Clone, Debug, Default)]
struct Begun {
    /// The last part met.
    part: u8,
    /// From the first glyph of the first part to the last of that.
    range: Glyphs,
}

/// The cues that `words` are in one clause, put in their places among `out`.
fn clause_cues(reading: &Reading<'_, '_>, clause: Glyphs, words: &[Hit], demanded: bool, begun: &mut [Begun], out: &mut Vec<Cue>) {
    if circumstantial(reading, &clause) {
        return;
    }
    let tables = reading.lexicon.tables();
    let first = out.len();
    let clause = Clause::new(reading, clause);
    // A single glyph that is part of a form may be part of a word, too: 减…费.
    let stands = |hit: &&Hit| hit.end() - hit.start() == 1 || reading.stands(**hit);
    for hit in words.iter().filter(|hit| hit.end() <= clause.range.end).filter(stands) {
        for sense in reading.lexicon.senses(*hit) {
            let (category, start) = match *sense {
                Sense::Cue(category) => (category, hit.start()),
                Sense::Category(form, part) => {
                    let Some(&(category, ref parts)) = tables.category_forms.get(form as usize) else { continue };
                    let Some(begun) = begun.get_mut(usize::from(form)) else { continue };
                    let near = begun.range.end..=begun.range.end + MAX_GAP;
                    let goes_on = !begun.range.is_empty() && begun.part + 1 == part && near.contains(&hit.start());
                    let start = if part == 0 { hit.start() } else { begun.range.start };
                    if part > 0 && !(goes_on && start >= clause.range.start) {
                        continue;
                    }
                    if usize::from(part) + 1 < parts.len() {
                        *begun = Begun { part, range: start..hit.end() };
                        continue;
                    }
                    (category, start)
                }
                _ => continue,
            };
            add(&clause, category, start..hit.end(), demanded, out);
        }
    }
    for (category, range) in frame::acts(reading, &clause.range) {
        add(&clause, category, range, demanded, out);
    }
    // By place: forms of several parts begin before cues found earlier, and frames are found last.
    if let Some(own) = out.get_mut(first..) {
        own.sort_by_key(|cue| (cue.range.start, cue.range.end, cue.category));
    }
}

/// Adds a cue, if it stands.
fn add(clause: &Clause<'_, '_, '_>, category: MeasureCategory, range: Glyphs, demanded: bool, out: &mut Vec<Cue>) {
    let planned = clause.reading.moods.has(range.start, Mood::Coming);
    let cue = Cue { category, range, demanded, planned };
    if stands(clause, &cue) {
        out.push(cue);
    }
}

/// 要坚持…, 应进一步…: from here on the sentence says what somebody is told to do, not what is done.
fn demands(reading: &Reading<'_, '_>, clause: &Glyphs) -> bool {
    /// The longest subject of a demand, in glyphs.
    const SUBJECT: usize = 16;
    const MODALS: &Words = words!["要", "应", "应当", "须", "必须", "需要", "务必"];
    const OTHER: &Words = words![
        "要求", "要素", "要约", "要闻", "应用", "应对", "应急", "应收", "应贷", "应赔", "应付", "应税", "应届", "应延", "应续", "应保",
        "应享", "应放", "应邀",
    ];
    let source = reading.source;
    let opens = |c: char| matches!(c, '“' | '"' | '‘' | ' ');
    let start = clause.clone().find(|&at| !opens(source.at(at))).unwrap_or(clause.start);
    let said = reading.institutions_in(&(start..start + 1)).first().map_or(start, |subject| subject.range.end);
    // 保险公司主要负责人要深入一线
    let told = (said + 1..clause.end.min(said + SUBJECT)).find(|&at| source.at(at) == '要');
    let addressed = told.filter(|&at| words!["人", "单位", "机构", "协会", "公司", "银行", "各行", "局", "部门"].end_before(source, at));
    let modal = |at: usize| MODALS.start_at(source, at) && !OTHER.start_at(source, at);
    modal(said) || addressed.is_some_and(modal)
}

/// Whether the talk is of a body that guides others: what it tells them to do is its own act.
fn guides(reading: &Reading<'_, '_>, at: usize) -> bool {
    reading.discourse.owner_at(at).and_then(|owner| reading.discourse.entities.get(owner)).is_some_and(|e| oversees(e.kind))
}

/// 在降低融资成本方面, 在接到报案后, 按照…的要求: a clause that says where, when or by what an act is done.
fn circumstantial(reading: &Reading<'_, '_>, clause: &Glyphs) -> bool {
    const PLACE: &Words = words!["方面", "后", "时", "之际", "过程中", "期间", "基础上", "背景下", "情况下", "前提下", "之后", "以来"];
    const RULE: &Words = words!["要求", "部署", "精神", "规定", "指示"];
    let source = reading.source;
    let ends = |words: &Words| words.end_before(source, clause.end);
    if source.at(clause.start) == '在' && ends(PLACE) && !source.ends_with(clause.end, "同时") || ends(words!["过程中"]) {
        return true;
    }
    // 据微信公众号消息, 记者从某行获悉: where the news comes from.
    if words!["据", "记者"].start_at(source, clause.start) && ends(words!["消息", "获悉", "了解", "报道", "显示", "介绍"]) {
        return true;
    }
    // 这是…的缩影, 此举…, and the headline that a news item repeats: told of an act, not one.
    words!["这是", "这仅是", "这也是", "这标志", "标志着", "此举", "彰显", "体现了"].start_at(source, clause.start)
        || words!["按照", "根据", "依据", "遵照", "按"].start_at(source, clause.start) && ends(RULE)
        || source.ends_with(clause.start, "原标题:")
}

/// Whether a cue stands for an act where it is: not in a title, not wished for, not somebody else's.
fn stands(clause: &Clause<'_, '_, '_>, cue: &Cue) -> bool {
    let Clause { reading, range: ref within, .. } = *clause;
    let source = reading.source;
    let (start, end) = (cue.range.start, cue.range.end);
    if reading.moods.is_no_act(start) || is_dateline(reading, end, within) || is_in_relative_clause(reading, start) {
        return false;
    }
    let ahead = source.marks(within.start.saturating_sub(30)..start);
    let bracket = ahead.iter().rev().map(|&at| source.at(at)).find(|c| matches!(c, '《' | '》' | '。'));
    let titled = bracket == Some('《');
    if titled && cue.category != MeasureCategory::InternalManagement {
        return false;
    }
    if clause.is_slogan() && !matches!(cue.category, MeasureCategory::Lending | MeasureCategory::PriorityChannel) {
        return false;
    }
    if clause.appraises() && cue.category != MeasureCategory::InternalManagement {
        return false;
    }
    if names_receiver(reading, cue, within) {
        return false;
    }
    let before = source.before(start);
    let ends = |words: &Words| words.start_at(source, end);
    match cue.category {
        MeasureCategory::Lending => {
            // 新发放贷款利率 speaks of the rate.
            let rate = reading.any(start..(end + 7).min(within.end), words!["利率", "加权平均"])
                && !reading.any(start..within.end, words!["亿元", "万元"]);
            let central = clause.says(words!["再贷款再贴现", "再贷款资金", "再贴现"]) || reading.any(start..end + 3, words!["再贷款"]);
            !rate && !central
        }
        MeasureCategory::LoanRestructuring => !ends(words!["资产"]) && !words!["兼并", "并购", "资产"].end_before(source, start),
        MeasureCategory::RepaymentDeferral => {
            !(source.ends_with(start, "再贷款") || ends(words!["投放"]) || source.ends_with(end, "展期") && ends(words!["间"]))
        }
        MeasureCategory::CustomerOutreach => {
            let learnt = source.starts_with(start, "了解到");
            let poor = ends(words!["立卡", "贷款余额"]);
            // 深入开展企业服务工程: how thoroughly, not where to.
            let thorough = words!["深入开展", "深入推进", "深入贯彻", "深入实施", "深入学习", "深入落实"].start_at(source, start);
            !learnt
                && !thorough
                && !poor
                && !is_visited(reading, start)
                && !is_taught(reading, start)
                && !reading.any(start..end + 2, words!["排查风险", "走访慰问", "摸排风险"])
                && !source.ends_with(end, "走进大众")
        }
        // 小微企业转贷款: funds that one bank lends another to lend on.
        MeasureCategory::LoanRenewal => !(source.starts_with(start, "转贷") && ends(words!["款"])),
        MeasureCategory::UnsecuredLending => !ends(words!["风险", "费", "评估"]) && before != '减',
        MeasureCategory::CollateralInnovation => !(source.ends_with(start, "传统") || is_denied(reading, start)),
        // 不再贷款 is no 再贷款.
        MeasureCategory::CentralBankFunding => before != '不',
        MeasureCategory::PublicWelfare => !ends(words!["林", "贷"]),
        MeasureCategory::RiskSharing => {
            // 融资担保公司, 再担保机构, 担保体系: what somebody is called, not what is done.
            let called = ends(words!["机构", "公司", "体系", "集团", "行业", "费率", "要求", "方式", "能力"]);
            let name = called
                || reading.institutions_in(&(start.saturating_sub(16)..end)).iter().any(|m| m.range.start <= start && end <= m.range.end);
            !(name || is_denied(reading, start) || source.starts_with(start, "增信") && (before == '新' || ends(words!["贷"])))
        }
        MeasureCategory::InsuranceProtection
            if ends(words![
                "绿色",
                "手续",
                "流程",
                "服务的",
                "材料",
                "程序",
                "时效",
                "案件",
                "管理部",
                "中心",
                "通道",
                "工作专班",
                "专班",
                "工作组",
                "窗口",
                "热线",
                "咨询"
            ]) =>
        {
            false
        }
        MeasureCategory::InsuranceProtection => !(source.starts_with(start, "续保") && matches!(before, '继' | '持' | '手' | '连' | '后')),
        // Who gets it is one borrower.
        MeasureCategory::DedicatedQuota => !reading.is_said(within.start.max(start.saturating_sub(LONGEST_GRANT))..start, Class::Granting),
        MeasureCategory::RateReduction if source.ends_with(start, "票面") => false,
        MeasureCategory::RateReduction => !(source.starts_with(start, "让利") && source.ends_with(start, "降费")),
        MeasureCategory::OnlineService => {
            !ends(words!["监控", "记者", "客户端", "群", "朋友圈", "年费", "手续费", "服务费"])
                && !matches!(before, '电' | '川')
                && !source.ends_with(start, "企业")
        }
        // 督导银行机构走访: what follows is guided, and is the act.
        MeasureCategory::InternalManagement => !clause.trains_others() && reading.institutions_in(&(end..end + 1)).is_empty(),
        _ => true,
    }
}

/// 浙江在线10月29日讯(…): the cue is part of who reports.
fn is_dateline(reading: &Reading<'_, '_>, end: usize, clause: &Glyphs) -> bool {
    /// Farthest that 讯 stands behind the name of a newspaper or site.
    const REACH: usize = 16;
    let source = reading.source;
    (end..clause.end.min(end + REACH))
        .any(|at| matches!(source.at(at), '讯' | '电') && (matches!(source.at(at + 1), '(' | ' ') || source.before(at) == '日'))
}

/// 对法人银行办理的|延期还本付息: what a clause before 的 says of the noun is no act of the sentence.
fn is_in_relative_clause(reading: &Reading<'_, '_>, start: usize) -> bool {
    let deed = |hit: &Hit| hit.end() + 1 == start && reading.lexicon.classes(*hit).has(Class::Deed);
    reading.source.before(start) == '的'
        && (2..=5).any(|back| start.checked_sub(back).is_some_and(|at| reading.hits.at(at).iter().any(deed)))
}

/// 无需提供担保, 无质押: what is said not to be asked for.
fn is_denied(reading: &Reading<'_, '_>, start: usize) -> bool {
    words!["无", "免", "无需", "不需", "无须", "不需要", "不用"].end_before(reading.source, start)
}

/// 反诈宣传进社区: what is taught somewhere is teaching.
fn is_taught(reading: &Reading<'_, '_>, start: usize) -> bool {
    const LONGEST: usize = 6;
    const TAUGHT: Classes = Classes::of(&[Class::Lesson, Class::Teaching, Class::Knowledge]);
    (start.saturating_sub(LONGEST)..start)
        .any(|from| reading.hits.at(from).iter().any(|hit| hit.end() == start && reading.lexicon.classes(*hit).meets(TAUGHT)))
}

/// 到某行调研: who comes to an institution is not the institution.
fn is_visited(reading: &Reading<'_, '_>, start: usize) -> bool {
    const LONGEST_NAME: usize = 24;
    let near = start.saturating_sub(LONGEST_NAME)..start;
    let host = reading.institutions_in(&near).iter().find(|institution| institution.range.end == start);
    host.is_some_and(|host| matches!(reading.source.before(host.range.start), '到' | '赴' | '临' | '来'))
}

/// 向互联网企业发放, 向农机服务站发放: the cue is part of what the receiver is called.
fn names_receiver(reading: &Reading<'_, '_>, cue: &Cue, clause: &Glyphs) -> bool {
    const LENDS: &Words = words!["发放", "投放", "放款", "授信"];
    const LONGEST: usize = 8;
    let is_place = cue.category == MeasureCategory::ServiceAccess;
    if !is_place && !matches!(cue.category, MeasureCategory::OnlineService | MeasureCategory::InternalManagement) {
        return false;
    }
    let mut behind = cue.range.end..clause.end.min(cue.range.end + LONGEST);
    let Some(verb) = behind.find(|&i| LENDS.start_at(reading.source, i)) else { return false };
    let ahead = cue.range.start.saturating_sub(LONGEST).max(clause.start)..cue.range.start;
    let opened =
        ahead.clone().any(|i| reading.source.at(i) == '向' && !reading.any(i..cue.range.start, words!["通过", "以", "用", "借助", "依托"]));
    let is_called = || reading.hits.inside(cue.range.end..verb).any(|hit| hit.end() == verb && hit.is_in(In::CODES));
    opened && (is_place && cue.range.end == verb || is_called())
}

/// The sentence of a glyph as measures see it: to 。！？； or a line break of the original.
#[must_use]
pub fn sentence_of(reading: &Reading<'_, '_>, at: usize) -> Glyphs {
    let starts = &reading.outline.measure_starts;
    starts.before(at + 1).unwrap_or(0)..starts.from(at + 1).unwrap_or(reading.source.len())
}

/// What makes an act: a cue, or a fact with a category.
struct Claim {
    /// The first glyph of its sentence, whose it is, and the category: what has these in common is one act.
    of: (usize, usize, MeasureCategory),
    /// Where it stands in its sentence.
    at: usize,
    sentence: Glyphs,
    /// The words of the cue.
    words: Option<Glyphs>,
    /// The fact.
    fact: Option<usize>,
    /// It will be done, or is expected.
    planned: bool,
}

/// Gathers cues and facts into acts: one for each owner, sentence and category.
#[must_use]
pub fn acts(reading: &Reading<'_, '_>, cues: &[Cue], facts: &[Fact]) -> Vec<Act> {
    let mut claims: Vec<Claim> = Vec::with_capacity(cues.len() + facts.len());
    let mut states: Option<(usize, bool)> = None;
    for cue in cues {
        let at = cue.range.start;
        let Some(owner) = reading.discourse.owner_at(at) else { continue };
        let sentence = sentence_of(reading, at);
        let sector = states
            .filter(|&(start, _)| start == sentence.start)
            .map_or_else(|| sector_states(reading, facts, &sentence), |(_, states)| states);
        states = Some((sentence.start, sector));
        let owner = if cue.demanded { reading.discourse.guide(owner) } else { reading.discourse.actor(owner, cue.category, sector) };
        let category = issued(reading, owner, cue);
        claims.push(Claim {
            of: (sentence.start, owner, category),
            at,
            sentence,
            words: Some(cue.range.clone()),
            fact: None,
            planned: cue.planned,
        });
    }
    for (index, fact) in facts.iter().enumerate() {
        let (Some(owner), Some(category), Some(_)) = (fact.owner, fact.category, fact.sentence) else { continue };
        let at = reading.quantities.get(fact.quantity).map_or(0, |q| q.core.start);
        let sentence = sentence_of(reading, at);
        claims.push(Claim { of: (sentence.start, owner, category), at, sentence, words: None, fact: Some(index), planned: fact.planned });
    }
    // The first claim of an act says where it is: cues before facts, and each by place.
    let mut order: Vec<_> = claims.iter().map(|claim| claim.of).zip(0_usize..).collect();
    order.sort_unstable();
    let act = |order: &[((usize, usize, MeasureCategory), usize)]| {
        let planned = order.iter().filter_map(|&(_, index)| claims.get(index)).all(|claim| claim.planned);
        let mut own = order.iter().filter_map(|&(_, index)| claims.get(index)).peekable();
        let first = *own.peek()?;
        let (_, owner, category) = first.of;
        let range = clause_in(reading, first.at, &first.sentence);
        let words = first.words.clone().unwrap_or_else(|| range.clone());
        Some(Act { owner, category, range, words, facts: own.filter_map(|claim| claim.fact).collect(), planned })
    };
    let mut acts: Vec<Act> = order.chunk_by(|a, b| a.0 == b.0).filter_map(act).collect();
    acts.sort_by_key(|a| (a.range.start, a.category, a.owner));
    acts
}

/// The category of a cue, given whose it is: what a body issues is a policy for its sector, where a bank manages itself.
fn issued(reading: &Reading<'_, '_>, owner: usize, cue: &Cue) -> MeasureCategory {
    /// Farthest that the paper's name ends behind the word that it was issued.
    const REACH: usize = 40;
    let body = reading.discourse.entities.get(owner).is_some_and(|e| oversees(e.kind) && e.sector.is_none());
    let end = reading.clause_end(cue.range.end, cue.range.end + REACH);
    if body && cue.category == MeasureCategory::InternalManagement && reading.is_said(cue.range.start..end, Class::PolicyPaper) {
        MeasureCategory::DifferentiatedPolicy
    } else {
        cue.category
    }
}

/// Whether a figure of a sentence is a sector's.
fn sector_states(reading: &Reading<'_, '_>, facts: &[Fact], sentence: &Glyphs) -> bool {
    let from = facts.partition_point(|f| f.window.left.end < sentence.start);
    facts
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|f| f.window.left.end < sentence.end)
        .any(|f| f.owner.and_then(|o| reading.discourse.entities.get(o)).is_some_and(|e| e.kind == InstitutionType::BankingSector))
}

/// The clause of a glyph, inside its sentence, as far as a clause can reach.
fn clause_in(reading: &Reading<'_, '_>, at: usize, sentence: &Glyphs) -> Glyphs {
    let start = reading.clause_start(at, sentence.start.max(at.saturating_sub(MAX_CLAUSE)));
    let end = reading.clause_end(at.max(start), sentence.end.min(at + MAX_CLAUSE)).max(at + 1).min(sentence.end);
    start..end
}
