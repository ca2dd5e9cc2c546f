//! Who is meant: mentions to entities, and which of them each place in the text is about.

mod entities;

use std::collections::BTreeMap;

use super::lexicon::{Hits, Lexicon, Role, Sense};
use super::outline::{Outline, ParagraphKind};
use super::recognize::date::DateMention;
use super::recognize::institution::{InstitutionMention, NameForm};
use super::recognize::name::Borrower;
use super::report::{InstitutionType, MeasureCategory, Metric};
use super::source::{Glyphs, SourceText};
use crate::engine::words::{Words, words};

/// An institution of the text with all its mentions.
#[derive(Clone, Debug)]
pub struct Entity {
    /// The fullest form in the text.
    pub name: String,
    /// Its abbreviations expanded.
    pub canonical: String,
    /// What kind of body it is.
    pub kind: InstitutionType,
    /// The head office of a branch.
    pub head_office: String,
    /// Region code and name.
    pub region: (String, String),
    /// Where it is named, as glyphs.
    pub mentions: Vec<Glyphs>,
    /// A sector that the text names by its scope alone: 全省.
    pub implied: bool,
    /// Row of the operator's register.
    pub register: Option<u32>,
}

/// Several owners of one row of figures: A、B、C分别发放1.2亿元、0.8亿元、5600万元.
#[derive(Clone, Debug)]
pub struct Parallel {
    /// From 分别 to the end of the clause group.
    pub range: Glyphs,
    /// The owners in order.
    pub owners: Vec<usize>,
}

/// Who each place in the text is about.
#[derive(Clone, Debug, Default)]
pub struct Discourse {
    /// The institutions, in order of first mention.
    pub entities: Vec<Entity>,
    /// From which glyph on which entity is meant.
    turns: Vec<(usize, Option<usize>)>,
    /// Rows of figures with several owners.
    pub parallels: Vec<Parallel>,
    /// The entity of each section of the outline.
    pub section_owner: Vec<usize>,
    /// The sector of insurers, that of lenders, the central bank.
    overseen: (Option<usize>, Option<usize>, Option<usize>),
}

impl Discourse {
    /// The sector a body oversees: of insurers for insurance, else of lenders; else any the text names.
    #[must_use]
    pub fn sector(&self, metric: Metric) -> Option<usize> {
        if matches!(metric, Metric::Premium | Metric::InsuredAmount | Metric::ClaimPaid) { self.overseen.0 } else { self.overseen.1 }
    }

    /// The sector that answers for what another one's words report: lenders for loans behind insurers' figures, and the other way round.
    #[must_use]
    pub fn sector_of_trade(&self, owner: usize, metric: Metric) -> Option<usize> {
        let key = |of: usize| self.entities.get(of).filter(|e| e.kind == InstitutionType::BankingSector).map(|e| sector_key(&e.name));
        let (owned, sector, wanted) = match metric {
            Metric::Premium | Metric::InsuredAmount | Metric::ClaimPaid => ("金融机构", self.overseen.0?, "保险"),
            Metric::LoanBalance
            | Metric::LoanDisbursed
            | Metric::LoanRenewed
            | Metric::DepositBalance
            | Metric::NonPerformingLoan
            | Metric::NonPerformingRatio
            | Metric::InterestRate => ("保险", self.overseen.1?, "金融机构"),
            _ => return None,
        };
        (key(owner)? == owned && key(sector)? == wanted).then_some(sector)
    }

    /// Notes the sectors, once all entities are known.
    fn note_sectors(&mut self) {
        let central_bank = self.entities.iter().position(|e| e.kind == InstitutionType::CentralBank);
        self.overseen = (self.find_sector(true), self.find_sector(false), central_bank);
    }

    fn find_sector(&self, insurance: bool) -> Option<usize> {
        let sectors = || self.entities.iter().enumerate().filter(|(_, e)| e.kind == InstitutionType::BankingSector);
        let wanted = if insurance { "保险" } else { "金融机构" };
        let fits = |e: &Entity| sector_key(&e.name) == wanted || (!insurance && e.implied);
        let whole = |e: &Entity| e.implied || is_whole(&e.name);
        sectors()
            .find(|(_, e)| fits(e) && whole(e))
            .or_else(|| sectors().find(|(_, e)| whole(e)))
            .or_else(|| sectors().find(|(_, e)| fits(e)))
            .or_else(|| sectors().next())
            .map(|(i, _)| i)
    }

    /// The entity a glyph is about.
    #[must_use]
    pub fn owner_at(&self, at: usize) -> Option<usize> {
        let index = self.turns.partition_point(|&(start, _)| start <= at).checked_sub(1)?;
        self.turns.get(index).and_then(|&(_, owner)| owner)
    }
}

/// Kinds that speak about a whole sector.
#[must_use]
pub const fn oversees(kind: InstitutionType) -> bool {
    matches!(
        kind,
        InstitutionType::Association | InstitutionType::Regulator | InstitutionType::CentralBank | InstitutionType::BankingSector
    )
}

/// Whether a sector's name means all of a place's institutions, not some of them.
fn is_whole(name: &str) -> bool {
    !["多家", "各家", "部分", "相关", "一些", "主要", "中小", "大型", "国有", "地方", "法人", "数家", "几家", "有关", "我国"]
        .iter()
        .any(|w| name.contains(w))
}

/// Whether a sector's name means some of its institutions: 多家大型商业银行.
fn is_some_of(name: &str) -> bool {
    ["多家", "部分", "相关", "有关", "一些", "几家", "数家"].iter().any(|w| name.starts_with(w))
}

/// What two names of one sector have in common: the group without its scope.
fn sector_key(name: &str) -> String {
    let both = ["银行业保险业", "银行保险业", "银行业和保险业"];
    if both.iter().any(|b| name.ends_with(b)) {
        return "银行业保险业".to_owned();
    }
    let lenders = ["银行业金融机构", "银行保险机构", "银行机构", "金融机构", "银行业", "银行"];
    let legal = if name.contains("法人") { "法人" } else { "" };
    if name.contains('险') && !name.contains("银行保险") {
        return "保险".to_owned();
    }
    if lenders.iter().any(|l| name.ends_with(l)) {
        return format!("{legal}金融机构");
    }
    name.to_owned()
}

/// What is known of a text before it is told who is meant where.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// Institutions, by place.
    pub institutions: &'a [InstitutionMention],
    /// Nouns of groups, by place.
    pub groups: &'a [InstitutionMention],
    /// Borrowers, by place.
    pub borrowers: &'a [Borrower],
    /// Dates, by place.
    pub dates: &'a [DateMention],
}

/// Works out who is meant where. `groups` are nouns of groups without a scope
/// (金融机构): they stand for the sector that the text names.
#[must_use]
pub fn discourse(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, outline: &Outline, marks: Marks<'_>) -> Discourse {
    let Marks { institutions: mentions, groups, borrowers, dates } = marks;
    let mut out = Discourse::default();
    let mut entity_of = entities::entities(outline, mentions, &mut out);
    out.section_owner = outline.sections.iter().map(|s| entity_of.get(s.mention).copied().flatten().unwrap_or(0)).collect();
    let mentions = with_groups(outline, mentions, groups, &mut entity_of, &out);
    let mut builder =
        Turns { source, hits, lexicon, outline, mentions: &mentions, entity_of: &entity_of, borrowers, dates, sector: None, out: &mut out };
    builder.run();
    name_a_sector(outline, groups, &mut out);
    out.note_sectors();
    out
}

/// The mentions with those nouns of groups between them that stand for a sector of the text.
fn with_groups<'a>(
    outline: &Outline,
    mentions: &'a [InstitutionMention],
    groups: &'a [InstitutionMention],
    entity_of: &mut Vec<Option<usize>>,
    out: &Discourse,
) -> Vec<&'a InstitutionMention> {
    let mut sectors: BTreeMap<String, usize> = BTreeMap::new();
    for (index, entity) in out.entities.iter().enumerate().filter(|(_, e)| e.kind == InstitutionType::BankingSector) {
        sectors.entry(sector_key(&entity.name)).or_insert(index);
    }
    if sectors.is_empty() {
        return mentions.iter().collect();
    }
    let mut all: Vec<&InstitutionMention> = Vec::with_capacity(mentions.len() + groups.len());
    let mut owners = Vec::with_capacity(mentions.len() + groups.len());
    let mut next = 0;
    for group in groups.iter().filter(|g| !outline.section_at(g.range.start).is_some_and(|s| s.heading.contains(&g.range.start))) {
        while let Some(m) = mentions.get(next).filter(|m| m.range.start < group.range.start) {
            all.push(m);
            owners.push(entity_of.get(next).copied().flatten());
            next += 1;
        }
        let free = mentions.get(next).is_none_or(|m| m.range.start >= group.range.end)
            && all.last().is_none_or(|m| m.range.end <= group.range.start);
        if let Some(&sector) = sectors.get(&sector_key(&group.name)).filter(|_| free) {
            all.push(group);
            owners.push(Some(sector));
        }
    }
    all.extend(mentions.get(next..).unwrap_or_default());
    owners.extend(entity_of.get(next..).unwrap_or_default());
    *entity_of = owners;
    all
}

/// Where a body speaks for a sector that no mention names, the text's first noun of a group is its name.
fn name_a_sector(outline: &Outline, groups: &[InstitutionMention], out: &mut Discourse) {
    let sector = out.entities.iter().any(|e| e.kind == InstitutionType::BankingSector);
    let overseen = out.entities.iter().any(|e| oversees(e.kind));
    let banks = outline.sections.iter().zip(&out.section_owner).any(|(_, o)| out.entities.get(*o).is_some_and(|e| !oversees(e.kind)));
    if sector || !overseen || banks {
        return;
    }
    let Some(group) = groups.iter().max_by_key(|g| (sector_key(&g.name) == "银行业保险业", std::cmp::Reverse(g.range.start))) else {
        return;
    };
    out.entities.push(Entity {
        name: group.name.clone(),
        canonical: group.canonical.clone(),
        kind: InstitutionType::BankingSector,
        head_office: String::new(),
        region: (group.region_code.clone(), group.region_name.clone()),
        mentions: Vec::new(),
        implied: true,
        register: None,
    });
}

/// What one institution reports of the sector it oversees belongs to the sector.
#[must_use]
pub const fn is_sector_statistic(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::LoanBalance
            | Metric::DepositBalance
            | Metric::NonPerformingLoan
            | Metric::NonPerformingRatio
            | Metric::InterestRate
            | Metric::TotalAssets
            | Metric::LoanDisbursed
            | Metric::Premium
            | Metric::InsuredAmount
            | Metric::ClaimPaid
            | Metric::LoanRenewed
            | Metric::RepaymentDeferred
            | Metric::FinancingProvided
            | Metric::CreditLine
    )
}

impl Discourse {
    /// Whose the act is of telling a sector to do something: the body that guides it, if the text has one.
    #[must_use]
    pub fn guide(&self, owner: usize) -> usize {
        let is_sector = |e: &Entity| e.kind == InstitutionType::BankingSector;
        if !self.entities.get(owner).is_some_and(is_sector) {
            return owner;
        }
        self.entities.iter().position(|e| oversees(e.kind) && !is_sector(e)).unwrap_or(owner)
    }

    /// Whose an act is: what a body says of its sector is the sector's, central bank money is the central bank's.
    #[must_use]
    pub fn actor(&self, owner: usize, category: MeasureCategory, sector_states: bool) -> usize {
        let kind = |e: usize| self.entities.get(e).map(|e| e.kind);
        let lends = matches!(
            category,
            MeasureCategory::Lending
                | MeasureCategory::UnsecuredLending
                | MeasureCategory::RateReduction
                | MeasureCategory::LoanRenewal
                | MeasureCategory::RepaymentDeferral
                | MeasureCategory::InsuranceProtection
        );
        let speaks = kind(owner).is_some_and(|k| oversees(k) && k != InstitutionType::BankingSector);
        if speaks && lends && sector_states {
            let insures = category == MeasureCategory::InsuranceProtection;
            return self.sector(if insures { Metric::Premium } else { Metric::LoanBalance }).unwrap_or(owner);
        }
        if category == MeasureCategory::CentralBankFunding && kind(owner) == Some(InstitutionType::BankingSector) {
            return self.overseen.2.unwrap_or(owner);
        }
        owner
    }
}

/// Walks the text and notes where the talk turns to another institution.
struct Turns<'a, 't> {
    source: &'a SourceText<'t>,
    hits: &'a Hits,
    lexicon: &'a Lexicon,
    outline: &'a Outline,
    mentions: &'a [&'a InstitutionMention],
    entity_of: &'a [Option<usize>],
    borrowers: &'a [Borrower],
    dates: &'a [DateMention],
    /// The sector that scopes stand for, once known.
    sector: Option<usize>,
    out: &'a mut Discourse,
}

impl Turns<'_, '_> {
    fn run(&mut self) {
        let mut mention = 0;
        let mut current = None;
        let mut section = None;
        // The institution whose name opens the paragraph, and that paragraph.
        let mut topic = None;
        for sentence in &self.outline.sentences {
            let at = sentence.range.start;
            let own = self
                .outline
                .sections
                .partition_point(|s| s.range.start <= at)
                .checked_sub(1)
                .filter(|&i| self.outline.sections.get(i).is_some_and(|s| at < s.range.end));
            let owner = own.and_then(|i| self.out.section_owner.get(i).copied());
            if own != section {
                section = own;
                current = owner;
            }
            let bank_section = owner.and_then(|o| self.out.entities.get(o)).is_some_and(|e| !oversees(e.kind));
            if bank_section && !self.opens_with_anaphor(sentence.range.start) {
                current = topic.filter(|&(_, paragraph)| paragraph == sentence.paragraph).map(|(entity, _)| entity).or(owner);
            }
            self.turn(sentence.range.start, current);
            while let Some(m) = self.mentions.get(mention).filter(|m| m.range.start < sentence.range.end) {
                if m.range.start >= sentence.range.start
                    && let Some(entity) = self.entity_of.get(mention).copied().flatten()
                    && self.is_subject(mention, bank_section, owner)
                {
                    current = Some(entity);
                    if self.opens_paragraph(m, sentence.paragraph) && !oversees(m.kind) {
                        topic = Some((entity, sentence.paragraph));
                    }
                    self.turn(m.range.start, current);
                    self.parallel(mention, sentence.range.end);
                }
                mention += 1;
            }
            if !bank_section {
                self.implied_sector(sentence.range.clone(), &mut current);
            }
        }
        self.fill_start();
    }

    fn opens_paragraph(&self, mention: &InstitutionMention, paragraph: usize) -> bool {
        self.outline.paragraphs.get(paragraph).is_some_and(|paragraph| paragraph.range.start == mention.range.start)
    }

    fn turn(&mut self, at: usize, owner: Option<usize>) {
        if self.out.turns.last().is_none_or(|&(_, last)| last != owner) {
            self.out.turns.push((at, owner));
        }
    }

    /// What stands before the first subject belongs to the first institution named.
    fn fill_start(&mut self) {
        let first = self
            .out
            .turns
            .iter()
            .find_map(|&(_, owner)| owner)
            .or_else(|| {
                self.mentions
                    .iter()
                    .zip(self.entity_of)
                    .find(|(m, _)| m.form != NameForm::Sector && !oversees(m.kind))
                    .and_then(|(_, e)| *e)
            })
            .or_else(|| self.entity_of.iter().flatten().next().copied());
        let in_body = self.outline.paragraphs.iter().any(|p| p.kind == ParagraphKind::Body);
        if let Some(first) = first.filter(|_| in_body) {
            for turn in &mut self.out.turns {
                if turn.1.is_none() {
                    turn.1 = Some(first);
                }
            }
        }
    }

    fn opens_with_anaphor(&self, at: usize) -> bool {
        let anaphor = |hit: &super::lexicon::Hit| hit.has_role(Role::Anaphor);
        self.hits.at(at).iter().any(anaphor)
            || self.source.at(at) == '其' && !self.source.starts_with(at, "其中") && !self.source.starts_with(at, "其他")
            || (at..at + 14)
                .take_while(|&i| self.source.at(i) != '。')
                .any(|i| matches!(self.source.before(i), ',' | '。') && self.hits.at(i).iter().any(anaphor))
    }

    /// Whether a mention is what its clause is about, not an object or an adjunct.
    fn is_subject(&self, index: usize, bank_section: bool, owner: Option<usize>) -> bool {
        const OBJECT_OF: &str = "向与同跟对为给从经获将把被据按受在和及或自至是";
        const OBJECT_AFTER: &Words = words![
            "联合",
            "委托",
            "协调",
            "引导",
            "指导",
            "推动",
            "督导",
            "支持",
            "通过",
            "按照",
            "根据",
            "依托",
            "会同",
            "携手",
            "走进",
            "来到",
            "前往",
            "获得",
            "鼓励",
            "要求",
            "组织",
            "对接",
            "借助",
            "帮助",
            "协助",
            "配合",
            "贯彻",
            "落实",
            "上级",
            "出席",
            "加入",
            "归还",
            "推荐",
            "走访",
            "联动",
            "依靠",
            "经过",
            "围绕",
            "响应",
            "致电",
            "拨打",
            "到了",
            "成为",
            "选择",
            "作为",
            "感谢",
            "以及",
            "包括",
            "促进",
            "督促",
            "申请",
            "成立",
            "入股",
            "带动",
            "撬动",
            "激励",
            "动员",
            "辅导",
            "发动",
            "邀请",
            "牵头",
            "召开",
            "要求各",
            "发布",
            "以来",
        ];
        let Some(m) = self.mentions.get(index) else { return false };
        let at = m.range.start;
        if m.form == NameForm::Sector && bank_section {
            return false;
        }
        let before = self.source.before(at);
        if before == '、' || "和与及".contains(before) {
            // Second in a list of institutions: the first is the owner.
            if index.checked_sub(1).and_then(|i| self.mentions.get(i)).is_some_and(|p| p.range.end + 1 == at) {
                return false;
            }
        }
        if OBJECT_OF.contains(before) || OBJECT_AFTER.end_before(self.source, at) {
            return false;
        }
        if matches!(before, '(' | '《') {
            return false;
        }
        let after = m.range.end;
        if oversees(m.kind) && m.form != NameForm::Sector && self.speaks(after) {
            return false;
        }
        if bank_section && self.entity_of.get(index).copied().flatten() != owner {
            // Inside a bank's own section another body must open its clause.
            let opens = matches!(before, ',' | '。' | ';' | ':' | '\n' | '“');
            let other_body = if oversees(m.kind) { matches!(before, '。' | '\n') && m.form == NameForm::Proper } else { opens };
            return other_body && !self.source.starts_with(after, "的");
        }
        true
    }

    /// Whether an officer of the institution follows: 副行长, 有关负责人.
    fn speaks(&self, after: usize) -> bool {
        const OFFICERS: &Words = words![
            "党委",
            "行长",
            "副行长",
            "局长",
            "副局长",
            "会长",
            "秘书长",
            "处长",
            "一级巡视员",
            "负责人",
            "有关负责人",
            "相关负责人",
            "新闻发言人",
            "主任",
            "发布",
            "数据",
            "介绍",
            "消息",
            "获悉",
            "公布",
            "统计",
            "有关部门",
            "党组",
            "相关人士",
            "一级调研员",
            "二级巡视员",
            "相关处室",
            "召开",
            "要求",
            "办公室",
            "披露",
            "货币信贷",
        ];
        OFFICERS.start_at(self.source, after)
    }

    /// A、B、C分别…: several owners of the figures that follow.
    fn parallel(&mut self, first: usize, sentence_end: usize) {
        let mut owners: Vec<usize> = self.entity_of.get(first).copied().flatten().into_iter().collect();
        let mut last = first;
        while let (Some(m), Some(next)) = (self.mentions.get(last), self.mentions.get(last + 1)) {
            let joined = next.range.start == m.range.end + 1 && matches!(self.source.at(m.range.end), '、' | '和' | '与' | '及');
            if !joined || next.range.end > sentence_end {
                break;
            }
            owners.extend(self.entity_of.get(last + 1).copied().flatten());
            last += 1;
        }
        let Some(end) = self.mentions.get(last).map(|m| m.range.end) else { return };
        let stop = |c: char| matches!(c, '。' | ';' | '！' | '？' | '\n');
        if owners.len() < 2 {
            return;
        }
        let respectively =
            (end..(end + 30).min(sentence_end)).take_while(|&i| !stop(self.source.at(i))).find(|&i| self.source.starts_with(i, "分别"));
        if let Some(start) = respectively {
            let close = (start..sentence_end).find(|&i| stop(self.source.at(i))).unwrap_or(sentence_end);
            self.out.parallels.push(Parallel { range: start..close, owners });
        }
    }

    /// 全省涉农贷款余额…: a scope without an institution means the scope's sector.
    fn implied_sector(&mut self, range: Glyphs, current: &mut Option<usize>) {
        const SCOPES: &[&str] = &[
            "全省",
            "全市",
            "全区",
            "全县",
            "全疆",
            "全国",
            "全州",
            "全盟",
            "全旗",
            "全辖",
            "辖内",
            "辖区",
            "我省",
            "我市",
            "我区",
            "我县",
            "全自治区",
        ];
        const AGGREGATES: &Words = words![
            "贷款余额",
            "存款余额",
            "各项贷款",
            "各项存款",
            "社会融资规模",
            "信贷",
            "存贷款",
            "贷款同比",
            "贷款增",
            "保费收入",
            "不良贷款",
            "普惠小微贷款",
            "贷款",
            "保险业",
            "支付手续费",
            "外汇",
            "签约额",
            "跨境",
            "结售汇",
            "利率",
            "存贷",
            "首贷",
            "赔付",
            "风险保障",
            "保险",
            "续贷",
            "授信",
            "再贷款",
            "再贴现",
            "还本付息",
        ];
        let mut at = range.start;
        while at < range.end {
            let dated = || {
                let i = self.dates.partition_point(|d| d.range.end < at);
                self.dates.get(i).is_some_and(|d| d.range.end == at)
            };
            let opens =
                matches!(self.source.before(at), ',' | '。' | ';' | ':' | '\n' | '“' | '！' | '？' | '全') || at == range.start || dated();
            let scope_end = |at: usize| SCOPES.iter().find(|s| self.source.starts_with(at, s)).map(|s| at + s.chars().count());
            let scope = if opens { scope_end(at).or_else(|| self.region_at(at).map(|end| scope_end(end).unwrap_or(end))) } else { None };
            if let Some(end) = scope {
                // 白朗县某合作社获得贷款: the region is part of somebody's name.
                let covers = |range: Option<&Glyphs>| range.is_some_and(|range| at < range.end);
                let last = |count: usize| count.checked_sub(1);
                let institution = last(self.mentions.partition_point(|m| m.range.start <= at)).and_then(|i| self.mentions.get(i));
                let borrower = last(self.borrowers.partition_point(|b| b.range.start <= at)).and_then(|i| self.borrowers.get(i));
                let named = covers(institution.map(|m| &m.range)) || covers(borrower.map(|b| &b.range));
                let window: Vec<usize> = (end..(end + 18).min(range.end))
                    .take_while(|&i| !matches!(self.source.at(i), ',' | '。' | ';' | '为' | '向' | '加' | '贫' | '重' | '各'))
                    .collect();
                let aggregate = !named
                    && !window.is_empty()
                    && window.iter().any(|&i| AGGREGATES.start_at(self.source, i))
                    && self.counts_soon(end, range.end);
                if aggregate {
                    let sector = self.sector_for(at..end);
                    *current = Some(sector);
                    self.insert_turn(at, sector);
                    return;
                }
            }
            at += 1;
        }
    }

    /// Whether a number stands in the clause, so that it states something.
    fn counts_soon(&self, from: usize, end: usize) -> bool {
        (from..end.min(from + 40)).take_while(|&i| !matches!(self.source.at(i), '。' | ';')).any(|i| self.source.at(i).is_ascii_digit())
    }

    fn region_at(&self, at: usize) -> Option<usize> {
        self.hits.at(at).iter().find(|hit| self.lexicon.senses(**hit).iter().any(|s| matches!(s, Sense::Region(_)))).map(|hit| hit.end)
    }

    /// The sector entity a scope word stands for: the one the text names, or a new one under the scope's own name.
    fn sector_for(&mut self, scope: Glyphs) -> usize {
        if self.sector.is_none() {
            self.sector = self.out.entities.iter().position(|e| {
                e.kind == InstitutionType::BankingSector && (sector_key(&e.name) == "金融机构" && is_whole(&e.name) || e.implied)
            });
        }
        self.sector.unwrap_or_else(|| {
            let name = self.source.text(scope.clone());
            let region = self.hits.at(scope.start).iter().find_map(|hit| {
                let named = self.lexicon.senses(*hit).iter().filter_map(|s| match s {
                    Sense::Region(i) => self.lexicon.tables().regions.get(*i as usize),
                    _ => None,
                });
                // 河北 is the province before it is a district.
                named.min_by_key(|r| r.level()).map(|r| (r.code.clone(), r.name.clone()))
            });
            self.out.entities.push(Entity {
                name: name.to_owned(),
                canonical: name.to_owned(),
                kind: InstitutionType::BankingSector,
                head_office: String::new(),
                region: region.unwrap_or_default(),
                mentions: vec![scope],
                implied: true,
                register: None,
            });
            self.out.entities.len() - 1
        })
    }

    /// Adds a turn inside the sentence just walked, before later turns of it.
    fn insert_turn(&mut self, at: usize, owner: usize) {
        let index = self.out.turns.partition_point(|&(start, _)| start < at);
        if self.out.turns.get(index).is_some_and(|&(start, _)| start == at) {
            if let Some(turn) = self.out.turns.get_mut(index) {
                turn.1 = Some(owner);
            }
        } else {
            self.out.turns.insert(index, (at, Some(owner)));
        }
    }
}
