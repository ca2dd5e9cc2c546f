//! Sectors that a text names by their scope alone: 全省涉农贷款余额….

use super::Entity;
use super::sector::Sector;
use super::turns::Turns;
use crate::lexicon::{Class, NamePart, Scope, Sense, Trade};
use crate::outline::Sentence;
use crate::report::InstitutionType;
use crate::source::Glyphs;

/// Farthest that what is summed up stands behind its scope, in glyphs.
const SUM_REACH: usize = 18;
/// Farthest that its number does.
const NUMBER_REACH: usize = 40;

/// A scope at the beginning of a clause.
pub(super) struct Implied {
    range: Glyphs,
    scope: Option<Scope>,
    /// The region that is named: code and name.
    region: (String, String),
}

impl Turns<'_, '_> {
    /// Turns to the sector of the first scope that opens a clause of a sentence and sums something up.
    pub(super) fn implied_sector(&mut self, sentence: &Sentence, current: &mut Option<usize>) {
        for at in sentence.range.clone() {
            if !self.may_open(at, sentence) {
                continue;
            }
            let Some(implied) = self.scope_at(at) else { continue };
            if self.is_in_a_name(&implied.range) || !self.is_of_the_text(&implied) {
                continue;
            }
            if let Some(trades) = self.sums_up(implied.range.end, sentence.range.end) {
                let entity = self.sector_for(implied, trades);
                *current = Some(entity);
                self.insert_turn(at, entity);
                return;
            }
        }
    }

    /// Whether a clause may begin at a glyph, or its date ends there.
    fn may_open(&self, at: usize, sentence: &Sentence) -> bool {
        let dated = || {
            let date = self.dates.get(self.dates.partition_point(|date| date.range.end < at));
            date.is_some_and(|date| date.range.end == at)
        };
        matches!(self.source.before(at), ',' | '。' | ';' | ':' | '\n' | '！' | '？') || at == sentence.range.start || dated()
    }

    /// The scope that begins at a glyph: 全省, 云南, 云南全省.
    fn scope_at(&self, at: usize) -> Option<Implied> {
        let region = self.region_at(at);
        let from = region.as_ref().map_or(at, |(end, _)| *end);
        let word = self.hits.at(from).iter().find_map(|hit| {
            let names = &self.lexicon.tables().names;
            let rows = self.lexicon.senses(*hit).iter().filter_map(|sense| match sense {
                Sense::Name(row) => names.get(usize::from(*row)),
                _ => None,
            });
            let row = rows.filter(|row| row.part == NamePart::Scope).find(|row| !matches!(row.scope, Some(Scope::Each | Scope::Some)))?;
            Some((hit.end(), row.scope, row.region.clone()))
        });
        match (region, word) {
            (None, None) => None,
            (Some((end, region)), None) => Some(Implied { range: at..end, scope: None, region }),
            (region, Some((end, scope, code))) => {
                let named = region.map(|(_, region)| region);
                let of_word = || self.lexicon.tables().region(&code).map(|region| (region.code.clone(), region.name.clone()));
                Some(Implied { range: at..end, scope, region: named.or_else(of_word).unwrap_or_default() })
            }
        }
    }

    /// The region named at a glyph: where it ends, its code and name. 河北 is the province before it is a district.
    fn region_at(&self, at: usize) -> Option<(usize, (String, String))> {
        self.hits.at(at).iter().find_map(|hit| {
            let rows = self.lexicon.senses(*hit).iter().filter_map(|sense| match sense {
                Sense::Region(row) => self.lexicon.tables().regions.get(usize::from(*row)),
                _ => None,
            });
            rows.min_by_key(|region| region.level()).map(|region| (hit.end(), (region.code.clone(), region.name.clone())))
        })
    }

    /// Whether the place is part of an institution's or a borrower's name: 白朗县某合作社获得贷款.
    fn is_in_a_name(&self, range: &Glyphs) -> bool {
        let covers = |name: Option<&Glyphs>| name.is_some_and(|name| range.start < name.end);
        let last = |count: usize| count.checked_sub(1);
        let institution = last(self.mentions.partition_point(|m| m.range.start <= range.start)).and_then(|i| self.mentions.get(i));
        let borrower = last(self.borrowers.partition_point(|b| b.range.start <= range.start)).and_then(|i| self.borrowers.get(i));
        covers(institution.map(|m| &m.range)) || covers(borrower.map(|b| &b.range))
    }

    /// Whether it is no region, or one of the text's institutions or one that holds them: a place of a product is none.
    fn is_of_the_text(&self, implied: &Implied) -> bool {
        implied.region.0.is_empty() || implied.scope.is_some() || self.regions.contains(&implied.region.0)
    }

    /// The trades of which a sum and a number follow in the clause.
    fn sums_up(&self, from: usize, end: usize) -> Option<&'static [Trade]> {
        let named = self.mentions.get(self.mentions.partition_point(|m| m.range.start < from)).map_or(end, |m| m.range.start);
        let stop = |at: usize| at == named || matches!(self.source.at(at), ',' | '。' | ';' | '为' | '向' | '加' | '各' | '的');
        let sum = (from..(from + SUM_REACH).min(end)).take_while(|&at| !stop(at)).find(|&at| {
            let social = (2..=4).any(|back| at.checked_sub(back).is_some_and(|before| self.class_at(before, Class::SocialInsurance)));
            self.class_at(at, Class::Aggregate) && !social
        })?;
        let mut clause = (from..end.min(from + NUMBER_REACH)).take_while(|&at| !matches!(self.source.at(at), '。' | ';'));
        clause.any(|at| self.source.at(at).is_ascii_digit()).then(|| {
            if self.class_at(sum, Class::InsuranceSum) {
                [Trade::Insurance, Trade::BankingAndInsurance].as_slice()
            } else if self.class_at(sum, Class::GuaranteeSum) {
                [Trade::Guarantee].as_slice()
            } else {
                [Trade::Finance, Trade::Banking, Trade::BankingAndInsurance].as_slice()
            }
        })
    }

    /// The sector of a scope: the one that the text names, or a new one under the scope's own name.
    fn sector_for(&mut self, implied: Implied, trades: &[Trade]) -> usize {
        let sector =
            |trade| Sector { trade, scope: implied.scope, place: implied.region.0.clone(), qualifier: String::new(), named: false };
        let known = trades.iter().find_map(|&trade| self.sectors.find(&sector(trade)));
        let own = sector(trades.first().copied().unwrap_or(Trade::Finance));
        known.unwrap_or_else(|| {
            let name = self.source.text(implied.range.clone()).to_owned();
            let entity = Entity {
                canonical: name.clone(),
                name,
                kind: InstitutionType::BankingSector,
                head_office: String::new(),
                region: implied.region,
                mentions: vec![implied.range],
                scope_alone: true,
                sector: None,
                speaks_for: None,
                register: None,
            };
            self.add_sector(entity, Some(own))
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
        self.note(at, Some(owner));
    }
}
