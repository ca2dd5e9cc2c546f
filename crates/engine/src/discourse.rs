//! Who is meant: mentions to entities, and which of them each place in the text is about.

mod entities;
mod implied;
mod role;
mod sector;
mod turns;

use std::collections::{BTreeMap, BTreeSet};

use super::lexicon::{Class, Classes, Hits, Lexicon, Trade};
use super::outline::Outline;
use super::recognize::date::DateMention;
use super::recognize::institution::{InstitutionMention, NameForm};
use super::recognize::name::Borrower;
use super::report::{InstitutionType, MeasureCategory, Metric};
use super::source::{Glyphs, SourceText};
use role::Clauses;
use sector::{Sector, Sectors};
use turns::{Name, Spot, Told, Turns};

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
    pub scope_alone: bool,
    /// What tells it from others, if it is a sector.
    pub sector: Option<Sector>,
    /// The trade of the sector that a body speaks for, where its name says so.
    pub speaks_for: Option<Trade>,
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
    /// Where each mention is that turned the talk, and to whom.
    subjects: Vec<(usize, usize)>,
    /// Where every institution is named that might be a subject, and which.
    named: Vec<(usize, usize)>,
    /// Where each single institution is named first, by place.
    singles: Vec<usize>,
    /// The sectors that no noun names: 全省.
    implied: BTreeSet<usize>,
    /// Whom what stands before the first subject is taken to be about.
    assumed: Option<usize>,
    /// Where the words stand that mean an institution told of: 该行, 该公司.
    anaphors: Vec<usize>,
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
        let insures = |of: usize| self.entities.get(of)?.sector.as_ref().map(|sector| sector.trade);
        let own = insures(owner)?;
        match metric {
            Metric::Premium | Metric::InsuredAmount | Metric::ClaimPaid if own.is_general() && own != Trade::BankingAndInsurance => {
                self.overseen.0.filter(|&sector| insures(sector).is_some_and(Trade::insures))
            }
            Metric::LoanBalance
            | Metric::LoanDisbursed
            | Metric::LoanRenewed
            | Metric::DepositBalance
            | Metric::NonPerformingLoan
            | Metric::NonPerformingRatio
            | Metric::InterestRate
                if own.insures() =>
            {
                self.overseen.1.filter(|&sector| insures(sector).is_some_and(Trade::is_general))
            }
            _ => None,
        }
    }

    /// Notes the sectors, once all entities are known.
    fn note_sectors(&mut self) {
        let central_bank = self.entities.iter().position(|e| e.kind == InstitutionType::CentralBank);
        self.overseen = (self.find_sector(true), self.find_sector(false), central_bank);
    }

    fn find_sector(&self, insurance: bool) -> Option<usize> {
        let sectors = || self.entities.iter().enumerate().filter_map(|(i, e)| Some((i, e.sector.as_ref()?)));
        let fits = |sector: &Sector| if insurance { sector.trade.insures() } else { sector.trade.is_general() };
        sectors()
            .find(|(_, sector)| fits(sector) && sector.is_whole())
            .or_else(|| sectors().find(|(_, sector)| sector.is_whole()))
            .or_else(|| sectors().find(|(_, sector)| fits(sector)))
            .or_else(|| sectors().next())
            .map(|(i, _)| i)
    }

    /// How many single institutions are named before a glyph.
    #[must_use]
    pub fn singles_before(&self, at: usize) -> usize {
        self.singles.partition_point(|&place| place < at)
    }

    /// Whether another reading has another owner for what stands at a glyph: the institution named last in its sentence is not
    /// the one told of, or none has been told of yet, or the one told of is a place's sector that no noun names.
    #[must_use]
    pub fn is_owner_in_doubt(&self, at: usize, sentence: usize, owner: usize) -> bool {
        let last = self.named.partition_point(|&(place, _)| place < at).checked_sub(1).and_then(|i| self.named.get(i));
        let other = last.is_some_and(|&(place, entity)| place >= sentence && entity != owner);
        let assumed = self.assumed == Some(owner) && self.subjects.first().is_none_or(|&(start, _)| at < start);
        other || assumed || self.implied.contains(&owner)
    }

    /// Whether the word at a glyph means an institution told of.
    #[must_use]
    pub fn is_anaphor(&self, at: usize) -> bool {
        self.anaphors.binary_search(&at).is_ok()
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

/// Works out who is meant where. `groups` are nouns of groups without a scope (金融机构): they stand for a sector told of.
#[must_use]
pub fn discourse(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, outline: &Outline, marks: Marks<'_>) -> Discourse {
    let Marks { institutions, groups, borrowers, dates } = marks;
    let mut out = Discourse::default();
    let mut sectors = Sectors::default();
    let of = entities::entities(outline, institutions, &mut sectors, &mut out);
    for (index, mention) in of.iter().zip(institutions) {
        if let Some(entity) = index.and_then(|index| out.entities.get_mut(index)) {
            entity.speaks_for = entity.speaks_for.or_else(|| speaks_for(source, hits, lexicon, mention));
        }
    }
    out.section_owner = outline.sections.iter().map(|s| of.get(s.mention).copied().flatten().unwrap_or(0)).collect();
    let mut first_of = BTreeMap::new();
    for (index, entity) in out.entities.iter().enumerate() {
        first_of.entry(entity.kind).or_insert(index);
    }
    let (mentions, entity_of) = with_groups(outline, institutions, groups, &of);
    let spots = spots(&Clauses { source, hits, lexicon, dates }, &mentions);
    let mut turns = Turns {
        source,
        hits,
        lexicon,
        outline,
        mentions: &mentions,
        entity_of,
        spots: &spots,
        borrowers,
        dates,
        sectors,
        regions: regions(institutions),
        told: Told::default(),
        first_of,
        bare_of: bare_of(groups),
        out: &mut out,
    };
    turns.run();
    let implied = |(index, entity): (usize, &Entity)| (entity.sector.is_some() && entity.scope_alone).then_some(index);
    let first = |entity: &Entity| (!oversees(entity.kind)).then(|| entity.mentions.first().map(|mention| mention.start));
    out.singles = out.entities.iter().filter_map(first).flatten().collect();
    out.singles.sort_unstable();
    out.implied = out.entities.iter().enumerate().filter_map(implied).collect();
    name_a_sector(outline, groups, &mut out);
    out.note_sectors();
    out
}

/// The first noun of a group of each trade.
fn bare_of(groups: &[InstitutionMention]) -> BTreeMap<Trade, &InstitutionMention> {
    let mut first = BTreeMap::new();
    for group in groups {
        if let Some(trade) = group.group.as_ref().map(|group| group.trade) {
            first.entry(trade).or_insert(group);
        }
    }
    first
}

/// The codes of the regions that institutions are named by, and of those that hold them.
fn regions(institutions: &[InstitutionMention]) -> BTreeSet<String> {
    let codes = institutions.iter().map(|m| m.region_code.as_str()).filter(|code| !code.is_empty());
    let part = |code: &str, digits: usize, rest: &str| code.get(..digits).map(|part| [part, rest].concat());
    codes.flat_map(|code| [part(code, 6, ""), part(code, 4, "00"), part(code, 2, "0000")]).flatten().collect()
}

/// The trade of the sector that a body's name says it speaks for.
fn speaks_for(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, body: &InstitutionMention) -> Option<Trade> {
    if !oversees(body.kind) || body.form == NameForm::Sector {
        return None;
    }
    hits.inside(body.range.clone()).find_map(|hit| {
        let classes = lexicon.classes(hit);
        if classes.has(Class::OfInsurers) && !matches!(source.before(hit.start()), '银' | '行' | '业') {
            Some(Trade::Insurance)
        } else if classes.has(Class::OfGuarantors) {
            Some(Trade::Guarantee)
        } else {
            classes.has(Class::OfMicroLenders).then_some(Trade::MicroLoans)
        }
    })
}

/// The mentions with the nouns of groups between them, by place, and the entity of each that is known.
fn with_groups<'a>(
    outline: &Outline,
    mentions: &'a [InstitutionMention],
    groups: &'a [InstitutionMention],
    of: &[Option<usize>],
) -> (Vec<&'a InstitutionMention>, Vec<Option<usize>>) {
    let mut all: Vec<(&InstitutionMention, Option<usize>)> = mentions.iter().zip(of.iter().copied()).collect();
    let in_heading = |g: &InstitutionMention| outline.section_at(g.range.start).is_some_and(|s| s.heading.contains(&g.range.start));
    all.extend(groups.iter().filter(|g| !in_heading(g)).map(|g| (g, None)));
    // Of those that overlap the named one stays, which sorts before a group at its place.
    all.sort_by_key(|(m, entity)| (m.range.start, entity.is_none()));
    let mut end = 0;
    let mut next_named = mentions.iter().map(|m| m.range.start).peekable();
    all.retain(|(m, _)| {
        while next_named.next_if(|&start| start <= m.range.start).is_some() {}
        let runs_into = next_named.peek().is_some_and(|&start| start < m.range.end);
        let keeps = m.range.start >= end && !runs_into;
        if keeps {
            end = m.range.end;
        }
        keeps
    });
    all.into_iter().unzip()
}

/// The names and the words that stand for one, by place, with their roles.
fn spots(text: &Clauses<'_, '_>, mentions: &[&InstitutionMention]) -> Vec<Spot> {
    let mut all: Vec<(Glyphs, Name)> = mentions.iter().enumerate().map(|(i, m)| (m.range.clone(), Name::Mention(i))).collect();
    for hit in text.hits.inside(0..text.source.len()) {
        let classes = text.lexicon.classes(hit);
        if classes.meets(ANAPHORS) {
            all.push((hit.range(), Name::Anaphor(classes)));
        }
    }
    all.sort_by_key(|(range, name)| (range.start, matches!(name, Name::Anaphor(_)), std::cmp::Reverse(range.end)));
    let mut end = 0;
    all.retain(|(range, _)| {
        let keeps = range.start >= end;
        if keeps {
            end = range.end;
        }
        keeps
    });
    let roles = role::roles(text, all.iter().map(|(range, _)| range));
    all.into_iter().zip(roles).map(|((range, name), role)| Spot { range, name, role }).collect()
}

/// The classes of words that stand for an institution.
const ANAPHORS: Classes = Classes::of(&[
    Class::AnaphorBank,
    Class::AnaphorCooperative,
    Class::AnaphorInsurer,
    Class::AnaphorRegulator,
    Class::AnaphorCentralBank,
    Class::AnaphorAssociation,
    Class::AnaphorCompany,
    Class::AnaphorWhole,
]);

/// Where a body speaks for a sector that no mention names, the text's first noun of a group is its name.
fn name_a_sector(outline: &Outline, groups: &[InstitutionMention], out: &mut Discourse) {
    let sector = out.entities.iter().any(|e| e.sector.is_some());
    let overseen = out.entities.iter().any(|e| oversees(e.kind));
    let banks = outline.sections.iter().zip(&out.section_owner).any(|(_, o)| out.entities.get(*o).is_some_and(|e| !oversees(e.kind)));
    if sector || !overseen || banks {
        return;
    }
    let both = |g: &InstitutionMention| g.group.as_ref().is_some_and(|group| group.trade == Trade::BankingAndInsurance);
    let Some(group) = groups.iter().max_by_key(|g| (both(g), std::cmp::Reverse(g.range.start))) else {
        return;
    };
    out.entities.push(Entity { sector: Sector::of(group), ..Entity::of(group, &group.canonical) });
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
