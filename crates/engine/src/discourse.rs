//! Who is meant: mentions to entities, and which of them each place in the text is about.

mod entities;
mod role;
mod turns;

use std::collections::BTreeMap;

use super::lexicon::{Hits, Lexicon};
use super::outline::Outline;
use super::recognize::date::DateMention;
use super::recognize::institution::InstitutionMention;
use super::recognize::name::Borrower;
use super::report::{InstitutionType, MeasureCategory, Metric};
use super::source::{Glyphs, SourceText};
use role::Clauses;
use turns::{Told, Turns};

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

/// Kinds whose bulletins call the institution itself 公司.
#[must_use]
pub const fn is_company(kind: InstitutionType) -> bool {
    matches!(
        kind,
        InstitutionType::Insurer | InstitutionType::SecuritiesFirm | InstitutionType::GuaranteeCompany | InstitutionType::NonBankLender
    )
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
        return [legal, "金融机构"].concat();
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
    let roles = role::roles(&Clauses { source, hits, lexicon, dates }, &mentions);
    let mut builder = Turns {
        source,
        hits,
        lexicon,
        outline,
        mentions: &mentions,
        entity_of: &entity_of,
        borrowers,
        dates,
        roles,
        sector: None,
        told: Told::default(),
        out: &mut out,
    };
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
