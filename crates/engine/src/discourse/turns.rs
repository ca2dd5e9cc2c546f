//! The walk through the text that notes where the talk turns to another institution.

use std::collections::{BTreeMap, BTreeSet};

use super::role::Role;
use super::sector::{Sector, Sectors};
use super::{Discourse, Entity, Parallel, is_company, oversees};
use crate::lexicon::{Class, Classes, Hits, In, Lexicon, Role as WordRole, Scope, Trade};
use crate::outline::{Outline, ParagraphKind, Sentence, inside, is_bullet, is_numbered};
use crate::recognize::date::DateMention;
use crate::recognize::institution::{InstitutionMention, NameForm};
use crate::recognize::name::Borrower;
use crate::report::InstitutionType;
use crate::source::{Glyphs, SourceText};

/// What a place of the text may turn to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// A mention, by its index.
    Mention(usize),
    /// A word that stands for one told of, with its classes.
    Anaphor(Classes),
}

/// A name or an anaphor with its place and role.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub range: Glyphs,
    pub name: Name,
    pub role: Role,
}

/// Walks the text and notes where the talk turns to another institution.
pub(super) struct Turns<'a, 't> {
    /// The text.
    pub source: &'a SourceText<'t>,
    /// Words found in it.
    pub hits: &'a Hits,
    /// The words.
    pub lexicon: &'a Lexicon,
    /// Sections and sentences.
    pub outline: &'a Outline,
    /// Mentions by place, nouns of groups among them.
    pub mentions: &'a [&'a InstitutionMention],
    /// The entity of each mention; of a noun of a group once the walk has come to it.
    pub entity_of: Vec<Option<usize>>,
    /// Names and anaphors, by place.
    pub spots: &'a [Spot],
    /// Borrowers, by place.
    pub borrowers: &'a [Borrower],
    /// Dates, by place.
    pub dates: &'a [DateMention],
    /// The sectors that the text names.
    pub sectors: Sectors,
    /// The regions of the institutions named, and those that hold them.
    pub regions: BTreeSet<String>,
    /// Who was told of last.
    pub told: Told,
    /// The first institution of each type.
    pub first_of: BTreeMap<InstitutionType, usize>,
    /// The first noun of a group of each trade, without a scope.
    pub bare_of: BTreeMap<Trade, &'a InstitutionMention>,
    /// Where the turns are noted.
    pub out: &'a mut Discourse,
}

/// Who was told of last, of each kind.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// A body or a sector, and where.
    overseer: Option<(usize, usize)>,
    /// A sector that is not the insurers', and where.
    lenders: Option<(usize, usize)>,
    /// The last sector of each trade.
    by_trade: BTreeMap<Trade, usize>,
    /// The last subject of each type.
    by_kind: BTreeMap<InstitutionType, (usize, usize)>,
    /// The last single institution that was a subject, and where.
    single: Option<(usize, usize)>,
    /// The last bank named in any role.
    named_bank: Option<usize>,
    /// The bank visited last, and in which sentence.
    visited: Option<(usize, usize)>,
}

/// Where the walk stands.
#[derive(Debug, Default)]
struct Here {
    /// The number of the sentence.
    sentence: usize,
    /// The section's institution.
    owner: Option<usize>,
    /// Whether it is a single institution.
    bank_section: bool,
    /// Who is told of.
    current: Option<usize>,
    /// The institution whose name opens the paragraph, and that paragraph.
    topic: Option<(usize, usize)>,
    /// The last institution was named in a row of a table.
    in_rows: bool,
    /// A body is the subject of the sentence.
    body_subject: bool,
    /// Who was told of before a list of subjects, to come back to behind its sentence.
    before_list: Option<usize>,
}

impl Turns<'_, '_> {
    /// Walks the whole text.
    pub fn run(&mut self) {
        let (mut spot, mut section, mut paragraph) = (0, None, 0);
        let mut here = Here::default();
        let named = self.out.entities.len();
        let first_sector = self.out.entities.iter().position(|e| e.sector.is_some());
        for (number, sentence) in self.outline.sentences.iter().enumerate() {
            (here.sentence, here.body_subject) = (number, false);
            let own = self.outline.section_index_at(sentence.range.start);
            here.owner = own.and_then(|i| self.out.section_owner.get(i).copied());
            if own != section {
                section = own;
                here.current = here.owner;
            }
            here.bank_section = here.owner.and_then(|o| self.out.entities.get(o)).is_some_and(|e| !oversees(e.kind));
            if here.bank_section && !self.opens_with_anaphor(sentence.range.start) {
                here.current =
                    here.topic.filter(|&(_, paragraph)| paragraph == sentence.paragraph).map(|(entity, _)| entity).or(here.owner);
            }
            if sentence.paragraph != paragraph {
                paragraph = sentence.paragraph;
                here.current =
                    self.lenders_again(paragraph, here.current).or_else(|| self.sector_again(paragraph, here.current)).or(here.current);
            }
            // 引导银行机构…: behind a bank's example the body goes on that guides.
            if !here.bank_section && self.class_at(sentence.range.start, Class::Guiding) {
                here.current = self.guide_again(here.current).or(here.current);
            }
            if sentence.row && here.in_rows && self.class_at(sentence.range.start, Class::SumRow) {
                // A sector that the text names by its scope alone has been added since.
                let added = || (named..self.out.entities.len()).find(|&i| self.out.entities.get(i).is_some_and(|e| e.sector.is_some()));
                here.current = first_sector.or_else(added);
            }
            here.current = here.before_list.take().or(here.current);
            self.turn(sentence.range.start, here.current);
            while let Some(next) = self.spots.get(spot).filter(|spot| spot.range.start < sentence.range.end) {
                if next.range.start >= sentence.range.start {
                    self.meet(next, sentence, &mut here);
                }
                spot += 1;
            }
            // Where one bank alone is told of, 全省 is its own area: 全省小微企业贷款余额.
            let alone = self.told.single.is_some() && self.told.overseer.is_none();
            if !here.bank_section && !alone {
                self.implied_sector(sentence, &mut here.current);
            }
        }
        self.fill_start();
    }

    /// Comes to a name or an anaphor: who is told of from there on.
    fn meet(&mut self, spot: &Spot, sentence: &Sentence, here: &mut Here) {
        let entity = match spot.name {
            Name::Anaphor(classes) => self.anaphor(spot, classes, here),
            Name::Mention(index) => self.mention(index, spot, here),
        };
        if let Name::Mention(index) = spot.name
            && let Some(entity) = self.entity_of.get(index).copied().flatten()
            && !matches!(spot.role, Role::Adjunct | Role::Title | Role::Source)
        {
            self.out.named.push((spot.range.start, entity));
        }
        self.note_name(spot, here);
        if matches!(spot.name, Name::Anaphor(_)) && entity.is_some() {
            self.out.anaphors.push(spot.range.start);
        }
        if spot.role == Role::Source
            && let Name::Mention(index) = spot.name
        {
            self.note(spot.range.start, self.entity_of.get(index).copied().flatten());
        }
        let Some(entity) = entity else { return };
        let before = here.current.replace(entity);
        here.in_rows = sentence.row;
        here.body_subject |= self.is_body(entity);
        let at = spot.range.start;
        if let Name::Mention(index) = spot.name
            && let Some(m) = self.mentions.get(index)
        {
            if self.opens_paragraph(at, sentence.paragraph) && (!oversees(m.kind) || self.is_bodys_own(m, sentence.paragraph, here.owner)) {
                here.topic = Some((entity, sentence.paragraph));
            }
            self.out.subjects.push((at, entity));
            self.turn(at, here.current);
            if self.parallel(index, sentence.range.end) && !here.bank_section {
                here.before_list = here.before_list.or(before.filter(|&before| self.oversees(before)));
            }
        } else {
            self.turn(at, here.current);
        }
    }

    /// Who is told of from a mention on, if it turns the talk.
    fn mention(&mut self, index: usize, spot: &Spot, here: &Here) -> Option<usize> {
        let m = *self.mentions.get(index)?;
        let (subject, source) = (spot.role == Role::Subject, spot.role == Role::Source);
        if !(subject || source || self.is_founded(m, spot)) {
            return None;
        }
        if m.form == NameForm::Sector {
            if here.bank_section {
                return None;
            }
            let entity = self.entity_of.get(index).copied().flatten().or_else(|| self.bare(m, !(subject || source), here))?;
            if let Some(slot) = self.entity_of.get_mut(index) {
                *slot = Some(entity);
            }
            return Some(entity);
        }
        let entity = self.entity_of.get(index).copied().flatten()?;
        if here.bank_section && here.owner != Some(entity) {
            // Inside a bank's own section another body must open its clause.
            let before = self.source.before(spot.range.start);
            let opens = matches!(before, ',' | '。' | ';' | ':' | '\n' | '“') || self.opens_item(spot.range.start);
            let other = if oversees(m.kind) { matches!(before, '。' | '\n') && m.form == NameForm::Proper } else { opens };
            return (other && subject && self.source.at(spot.range.end) != '的').then_some(entity);
        }
        if oversees(m.kind) && source { self.spoken_for(entity, spot) } else { Some(entity) }
    }

    /// Whether a group is founded and counted, so that it is told of next: 已组建|村镇银行|1600家.
    fn is_founded(&self, m: &InstitutionMention, spot: &Spot) -> bool {
        let founding = |hit: &crate::lexicon::Hit| hit.end() == spot.range.start && self.lexicon.classes(*hit).has(Class::Founding);
        m.form == NameForm::Sector
            && self.source.at(spot.range.end).is_ascii_digit()
            && (2..=4).any(|back| spot.range.start.checked_sub(back).is_some_and(|at| self.hits.at(at).iter().any(founding)))
    }

    /// Of whom a body speaks that is a source: of its sector, unless it tells of its own plan.
    fn spoken_for(&mut self, body: usize, spot: &Spot) -> Option<usize> {
        let mut rest = (spot.range.end..self.source.len()).take_while(|&i| !matches!(self.source.at(i), '。' | '\n'));
        let plans = rest.any(|i| matches!(self.source.at(i), ',' | ':') && self.class_at(i + 1, Class::Intending));
        if plans { Some(body) } else { self.sector_of(body).or(Some(body)) }
    }

    /// The sector that a body oversees: of its region or the text's own area, and of its trade.
    fn sector_of(&mut self, body: usize) -> Option<usize> {
        let entity = self.out.entities.get(body)?;
        let trades: &[Trade] = match entity.speaks_for {
            Some(Trade::Insurance) => &[Trade::Insurance, Trade::PropertyInsurance],
            Some(Trade::Guarantee) => &[Trade::Guarantee],
            Some(Trade::MicroLoans) => &[Trade::MicroLoans],
            _ => &[Trade::Banking, Trade::Finance, Trade::BankingAndInsurance],
        };
        let region = entity.region.0.clone();
        let scoped = trades.iter().find_map(|&trade| {
            let sector = Sector { trade, scope: Some(Scope::Own), place: region.clone(), qualifier: String::new(), named: false };
            self.sectors.find(&sector).or_else(|| self.sectors.find(&Sector { place: String::new(), ..sector }))
        });
        let told = || trades.iter().find_map(|trade| self.told.by_trade.get(trade).copied());
        let named = || trades.iter().find_map(|&trade| self.sectors.of_trade(trade));
        scoped.or_else(told).or_else(named).or_else(|| {
            let noun = *trades.iter().rev().find_map(|trade| self.bare_of.get(trade).filter(|noun| noun.range.len() > 2))?;
            let index = self.add_sector(Entity::of(noun, &noun.canonical), Sector::of(noun));
            self.told.by_trade.insert(noun.group.as_ref()?.trade, index);
            Some(index)
        })
    }

    /// Notes a name in whatever role, for the anaphors to come.
    fn note_name(&mut self, spot: &Spot, here: &Here) {
        let Name::Mention(index) = spot.name else { return };
        let entity = self.entity_of.get(index).copied().flatten().filter(|&e| self.is_single(e));
        let Some(entity) = entity else { return };
        let visited = matches!(spot.role, Role::Object | Role::Adjunct)
            && (1..=4).any(|back| {
                spot.range.start.checked_sub(back).is_some_and(|at| {
                    self.hits.at(at).iter().any(|hit| hit.end() == spot.range.start && self.lexicon.classes(*hit).has(Class::Visiting))
                })
            });
        if visited {
            self.told.visited = Some((here.sentence, entity));
        }
        if self.is_bank(entity) {
            self.told.named_bank = Some(entity);
        }
    }

    /// The entity that an anaphor stands for, if it is the subject of its clause.
    fn anaphor(&self, spot: &Spot, classes: Classes, here: &Here) -> Option<usize> {
        if spot.role != Role::Subject && spot.role != Role::Source {
            return None;
        }
        let last = |kinds: &[InstitutionType]| {
            let told = kinds.iter().filter_map(|kind| self.told.by_kind.get(kind)).max().map(|&(_, entity)| entity);
            told.or_else(|| kinds.iter().find_map(|kind| self.first_of.get(kind).copied()))
        };
        let topic = |fits: &dyn Fn(InstitutionType) -> bool| {
            here.current.filter(|&e| self.out.entities.get(e).is_some_and(|entity| fits(entity.kind)))
        };
        if classes.has(Class::AnaphorBank) {
            return self.bank_told(here);
        }
        if classes.has(Class::AnaphorCooperative) {
            let kinds =
                [InstitutionType::RuralCreditCooperative, InstitutionType::RuralCommercialBank, InstitutionType::RuralCooperativeBank];
            return topic(&|kind| kinds.contains(&kind)).or_else(|| last(&kinds)).or(here.owner);
        }
        if classes.has(Class::AnaphorInsurer) {
            return topic(&|kind| kind == InstitutionType::Insurer).or_else(|| last(&[InstitutionType::Insurer])).or(here.owner);
        }
        if classes.has(Class::AnaphorRegulator) {
            return topic(&|kind| kind == InstitutionType::Regulator).or_else(|| last(&[InstitutionType::Regulator]));
        }
        if classes.has(Class::AnaphorCentralBank) {
            return topic(&|kind| kind == InstitutionType::CentralBank).or_else(|| last(&[InstitutionType::CentralBank]));
        }
        if classes.has(Class::AnaphorAssociation) {
            return topic(&|kind| kind == InstitutionType::Association).or_else(|| last(&[InstitutionType::Association]));
        }
        if classes.has(Class::AnaphorCompany) {
            return self.company_told(spot, here);
        }
        here.current
    }

    /// The single bank told of: who was visited just now, the last subject, the section's, the last one named.
    fn bank_told(&self, here: &Here) -> Option<usize> {
        let single = self.told.single.map(|(_, entity)| entity).filter(|&e| self.is_bank(e));
        let visited = self.told.visited.filter(|&(sentence, _)| sentence + 1 >= here.sentence).map(|(_, entity)| entity);
        let topic = here.current.filter(|&e| self.is_bank(e));
        visited.or(topic).or(single).or_else(|| here.owner.filter(|&e| self.is_bank(e))).or(self.told.named_bank)
    }

    /// The insurer, guarantor, broker or lender told of, unless a borrower has been named since.
    fn company_told(&self, spot: &Spot, here: &Here) -> Option<usize> {
        let companies = self.told.by_kind.iter().filter(|(kind, _)| is_company(**kind)).map(|(_, &last)| last).max();
        let (place, entity) = companies?;
        let borrower = self.borrowers.partition_point(|b| b.range.start < spot.range.start).checked_sub(1);
        let since = borrower.and_then(|i| self.borrowers.get(i)).is_some_and(|b| !b.person && b.range.start > place);
        (!since && !here.bank_section || here.owner == Some(entity)).then_some(entity)
    }

    /// The sector that a noun of a group without a scope means: the last one told of its trade, one that holds it, or one
    /// that it names itself.
    fn bare(&mut self, m: &InstitutionMention, founded: bool, here: &Here) -> Option<usize> {
        let group = m.group.as_ref()?;
        let (start, end) = (m.range.start, m.range.end);
        let clause = (start.saturating_sub(8)..start).rev().take_while(|&i| !matches!(self.source.at(i), ',' | '。' | ';' | '\n')).last();
        let among = clause.is_some_and(|at| self.class_at(at, Class::Among));
        let overseen = here.current.is_some_and(|e| self.out.entities.get(e).is_some_and(|entity| oversees(entity.kind)));
        if self.class_at(end, Class::NoGroup)
            || self.source.at(self.behind_brackets(end)).is_ascii_digit() && !founded
            || among && overseen
            || here.body_subject && self.class_at(end, Class::CountsGroup)
        {
            return None;
        }
        if let Some(sector) = Sector::of(m).filter(|sector| !sector.is_bare()) {
            let known = self.sectors.find(&sector);
            return Some(known.unwrap_or_else(|| self.add_sector(Entity::of(m, &m.canonical), Some(sector))));
        }
        let told = self.told.by_trade.get(&group.trade).copied().or_else(|| {
            let covers = |(trade, _): &(&Trade, &usize)| trade.covers(group.trade);
            self.told.by_trade.iter().find(covers).map(|(_, &entity)| entity)
        });
        let named = || self.sectors.of_trade(group.trade);
        told.or_else(named).or_else(|| {
            let short = end - start < 3 && !group.counted;
            // 3家银行 behind named banks are these.
            let named = end - start < 3 && self.told.named_bank.is_some();
            let single = named || self.told.single.is_some() && self.told.overseer.is_none();
            (!single && !short).then(|| self.add_sector(Entity::of(m, &m.canonical), Sector::of(m)))
        })
    }

    /// The glyph behind a bracket that opens at `at`, or `at`: 城市商业银行(含民营银行)|430件.
    fn behind_brackets(&self, at: usize) -> usize {
        /// Longest bracket, in glyphs.
        const LONGEST: usize = 16;
        let close = (at..at + LONGEST).find(|&i| self.source.at(i) == ')').filter(|_| self.source.at(at) == '(');
        close.map_or(at, |close| close + 1)
    }

    /// Adds a sector that no mention with a scope names.
    pub(super) fn add_sector(&mut self, entity: Entity, sector: Option<Sector>) -> usize {
        let index = self.out.entities.len();
        if let Some(sector) = &sector {
            self.sectors.note(sector, index);
        }
        self.out.entities.push(Entity { sector, ..entity });
        index
    }

    /// The sector of lenders told of before that of insurers, where a paragraph says nothing of insurance.
    fn lenders_again(&self, paragraph: usize, current: Option<usize>) -> Option<usize> {
        let sector = self.out.entities.get(current?)?.sector.as_ref()?;
        if !sector.trade.insures() {
            return None;
        }
        let range = self.outline.paragraphs.get(paragraph)?.range.clone();
        let insures = range.into_iter().any(|i| matches!(self.source.at(i), '险' | '赔' | '保') && self.class_near(i, Class::InsuranceSum));
        self.told.lenders.filter(|_| !insures).map(|(_, lenders)| lenders)
    }

    /// Whether a word of a class stands at or right before a glyph.
    fn class_near(&self, at: usize, class: Class) -> bool {
        self.class_at(at, class) || at.checked_sub(1).is_some_and(|before| self.class_at(before, class))
    }

    /// Whether a word of a class stands at a glyph.
    pub(super) fn class_at(&self, at: usize, class: Class) -> bool {
        self.hits.at(at).iter().any(|hit| self.lexicon.classes(*hit).has(class))
    }

    /// The body or sector told of last before some bank of it.
    fn guide_again(&self, current: Option<usize>) -> Option<usize> {
        self.told.overseer.filter(|_| current.is_some_and(|entity| !self.oversees(entity))).map(|(_, overseer)| overseer)
    }

    /// The same, told of in the paragraph before, where a point with a number of its own opens: (二)减费让利。
    fn sector_again(&self, paragraph: usize, current: Option<usize>) -> Option<usize> {
        let start = |paragraph: usize| self.outline.paragraphs.get(paragraph).map(|paragraph| paragraph.range.start);
        let (before, here) = (start(paragraph.checked_sub(1)?)?, start(paragraph)?);
        let turns = &self.out.turns;
        let &(since, _) = turns.get(turns.partition_point(|&(at, _)| at <= before).saturating_sub(1))?;
        let near = self.told.overseer.is_some_and(|(at, _)| at >= since);
        self.guide_again(current).filter(|_| near && is_numbered(self.source, here))
    }

    fn oversees(&self, entity: usize) -> bool {
        self.out.entities.get(entity).is_some_and(|e| oversees(e.kind))
    }

    fn is_body(&self, entity: usize) -> bool {
        self.out.entities.get(entity).is_some_and(|e| oversees(e.kind) && e.sector.is_none())
    }

    fn is_single(&self, entity: usize) -> bool {
        !self.oversees(entity)
    }

    fn is_bank(&self, entity: usize) -> bool {
        self.out.entities.get(entity).is_some_and(|e| !oversees(e.kind) && !is_company(e.kind))
    }

    fn opens_paragraph(&self, start: usize, paragraph: usize) -> bool {
        self.outline.paragraphs.get(paragraph).is_some_and(|paragraph| paragraph.range.start == start) || self.opens_item(start)
    }

    /// Whether nothing but a bullet stands before a glyph in its paragraph.
    fn opens_item(&self, at: usize) -> bool {
        let bullet = at.checked_sub(1).filter(|&bullet| is_bullet(self.source, bullet));
        bullet.is_some_and(|bullet| self.outline.paragraph_at(at).is_some_and(|paragraph| paragraph.range.start == bullet))
    }

    /// Whether a paragraph of a body's own stands in a bank's section: it opens with the body and does not speak of the bank.
    fn is_bodys_own(&self, mention: &InstitutionMention, paragraph: usize, owner: Option<usize>) -> bool {
        let Some(range) = self.outline.paragraphs.get(paragraph).map(|paragraph| &paragraph.range) else { return false };
        let named = self.entity_of.get(inside(self.mentions, range, |m| &m.range)).unwrap_or_default();
        let anaphor = self.hits.within(range.clone(), const { In::roles(&[WordRole::Anaphor]) }).next().is_some();
        mention.form == NameForm::Proper && mention.range.start == range.start && !named.contains(&owner) && !anaphor
    }

    pub(super) fn turn(&mut self, at: usize, owner: Option<usize>) {
        if self.out.turns.last().is_none_or(|&(_, last)| last != owner) {
            self.out.turns.push((at, owner));
        }
        self.note(at, owner);
    }

    /// Notes who is told of from a glyph on, unless a later turn has been noted.
    pub(super) fn note(&mut self, at: usize, owner: Option<usize>) {
        let Some((entity, of)) = owner.and_then(|entity| Some((entity, self.out.entities.get(entity)?))) else { return };
        let lenders = of.sector.as_ref().is_some_and(|sector| !sector.trade.insures());
        let (kind, sector) = (of.kind, of.sector.as_ref().filter(|sector| sector.scope != Some(Scope::Nation)).map(|sector| sector.trade));
        let single = !oversees(kind);
        for (last, is_one) in [(&mut self.told.overseer, !single), (&mut self.told.lenders, lenders), (&mut self.told.single, single)] {
            if is_one && last.is_none_or(|(place, _)| place <= at) {
                *last = Some((at, entity));
            }
        }
        if let Some(trade) = sector {
            self.told.by_trade.insert(trade, entity);
        }
        let last = self.told.by_kind.entry(kind).or_insert((at, entity));
        *last = (at, entity).max(*last);
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
                    .zip(&self.entity_of)
                    .find(|(m, _)| m.form != NameForm::Sector && !oversees(m.kind))
                    .and_then(|(_, e)| *e)
            })
            .or_else(|| self.entity_of.iter().flatten().next().copied());
        let in_body = self.outline.paragraphs.iter().any(|p| p.kind == ParagraphKind::Body);
        if let Some(first) = first.filter(|_| in_body) {
            self.out.assumed = self.out.turns.first().filter(|turn| turn.1.is_none()).map(|_| first);
            for turn in &mut self.out.turns {
                if turn.1.is_none() {
                    turn.1 = Some(first);
                }
            }
        }
    }

    fn opens_with_anaphor(&self, at: usize) -> bool {
        let anaphor = |at: usize| self.hits.at(at).iter().any(|hit| hit.has_role(WordRole::Anaphor));
        anaphor(at)
            || self.source.at(at) == '其' && !self.source.starts_with(at, "其中") && !self.source.starts_with(at, "其他")
            || (at..at + 14).take_while(|&i| self.source.at(i) != '。').any(|i| matches!(self.source.before(i), ',' | '。') && anaphor(i))
    }

    /// A、B、C分别…: several owners of the figures that follow. Whether it is a list of which the first stands for all.
    fn parallel(&mut self, first: usize, sentence_end: usize) -> bool {
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
        let Some(end) = self.mentions.get(last).map(|m| m.range.end) else { return false };
        let stop = |c: char| matches!(c, '。' | ';' | '！' | '？' | '\n');
        if owners.len() < 2 {
            return false;
        }
        let respectively =
            (end..(end + 30).min(sentence_end)).take_while(|&i| !stop(self.source.at(i))).find(|&i| self.source.starts_with(i, "分别"));
        if let Some(start) = respectively {
            let close = (start..sentence_end).find(|&i| stop(self.source.at(i))).unwrap_or(sentence_end);
            self.out.parallels.push(Parallel { range: start..close, owners });
        }
        respectively.is_none()
    }
}
