//! Which sector a group of institutions is: told apart by trade, scope and what picks some of it, never by its name's text.

use std::collections::{BTreeMap, BTreeSet};

use crate::lexicon::{Scope, Trade};
use crate::recognize::institution::{Group, InstitutionMention, NameForm};

/// What tells a sector from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sector {
    /// Its trade.
    pub trade: Trade,
    /// The scope word before its noun.
    pub scope: Option<Scope>,
    /// The region that is named, as a GB/T 2260 code; an area without a code as the name has it; may be empty.
    pub place: String,
    /// What picks some of it: 主要. Empty: all of it.
    pub qualifier: String,
    /// The region is named, not only meant by a word such as 全疆.
    pub named: bool,
}

impl Sector {
    /// The sector that a mention names.
    pub fn of(mention: &InstitutionMention) -> Option<Self> {
        let Group { trade, scope, qualifier, named, .. } = mention.group.clone()?;
        let area = mention.form == NameForm::Sector && scope.is_none() && mention.scoped();
        let place = if mention.region_code.is_empty() && area { &mention.name } else { &mention.region_code };
        Some(Self { trade, scope, place: place.clone(), qualifier, named })
    }

    /// How much its name tells of its place: a region most, an area least.
    pub fn rank(&self) -> u8 {
        u8::from(!self.place.is_empty()) + u8::from(self.named)
    }

    /// Whether it is all of a trade in its scope.
    pub fn is_whole(&self) -> bool {
        self.qualifier.is_empty() && self.scope != Some(Scope::Some)
    }

    /// Whether neither a region nor an area says where it is: 金融机构, 各家银行.
    pub fn is_bare(&self) -> bool {
        self.place.is_empty() && matches!(self.scope, None | Some(Scope::Each | Scope::Some))
    }
}

/// The sectors of a text by what tells them apart.
#[derive(Debug, Default)]
pub struct Sectors {
    by_region: BTreeMap<(Trade, String, String), usize>,
    by_area: BTreeMap<(Trade, String, Scope), usize>,
    /// The first that names a region of each level.
    by_level: BTreeMap<(Trade, String, u8), usize>,
    /// The first of each trade that names a region and is picked from it: 浙江省政府性融资担保体系.
    picked: BTreeMap<Trade, usize>,
    /// The trades that have one with a region that is all of it.
    plain: BTreeSet<Trade>,
    /// The first of each trade that is not some of it.
    first: BTreeMap<Trade, usize>,
    /// The same, no nation's: what may hold another trade's.
    first_local: BTreeMap<Trade, usize>,
}

/// The areas that a text calls by a word for its own.
const AREAS: [Scope; 5] = [Scope::Province, Scope::City, Scope::County, Scope::District, Scope::Own];

fn level(code: &str) -> u8 {
    if code.ends_with("0000") { 0 } else { u8::from(!code.ends_with("00")) + 1 }
}

fn is_code(place: &str) -> bool {
    place.bytes().all(|byte| byte.is_ascii_digit())
}

impl Sectors {
    /// The entity of a sector with a scope, if the text has named it: 全省银行业 is 云南银行业.
    pub fn find(&self, sector: &Sector) -> Option<usize> {
        self.exact(sector, sector.trade)
            .or_else(|| self.same_place(sector))
            .or_else(|| {
                // 银行业 and 金融机构 are one where one scope is written before both.
                let other = match sector.trade {
                    Trade::Banking => Trade::Finance,
                    Trade::Finance => Trade::Banking,
                    _ => return None,
                };
                self.exact(sector, other)
            })
            // 全省融资担保体系 is 浙江省政府性融资担保体系 where the text names no other.
            .or_else(|| {
                let own = sector.qualifier.is_empty() && sector.place.is_empty() && sector.scope.is_some_and(Scope::is_own);
                self.picked.get(&sector.trade).copied().filter(|_| own && !self.plain.contains(&sector.trade))
            })
    }

    fn exact(&self, sector: &Sector, trade: Trade) -> Option<usize> {
        if !sector.place.is_empty() {
            return self.by_region.get(&(trade, sector.qualifier.clone(), sector.place.clone())).copied();
        }
        self.by_area.get(&(trade, sector.qualifier.clone(), sector.scope?)).copied()
    }

    /// A region that an area means, or the other way round.
    fn same_place(&self, sector: &Sector) -> Option<usize> {
        let key = |scope| (sector.trade, sector.qualifier.clone(), scope);
        if !sector.place.is_empty() {
            return AREAS
                .into_iter()
                .filter(|area| is_code(&sector.place) && area.may_be(&sector.place))
                .find_map(|area| self.by_area.get(&key(area)).copied());
        }
        let scope = sector.scope.filter(|scope| AREAS.contains(scope))?;
        let levels = match scope {
            Scope::Province => 0..1,
            Scope::City => 1..3,
            Scope::County => 2..3,
            Scope::District | Scope::Own => 0..3,
            Scope::Nation | Scope::Each | Scope::Some => 0..0,
        };
        // The innermost: of 山东 and 潍坊 a text of 潍坊 calls the latter its own.
        let mut levels = levels.rev().filter(|level| scope != Scope::District || *level != 1);
        let named = levels.find_map(|level| self.by_level.get(&(sector.trade, sector.qualifier.clone(), level)).copied());
        // 辖内 is the area that any word for the text's own means.
        named.or_else(|| {
            let own = scope == Scope::Own;
            AREAS.into_iter().filter(|area| own || *area == Scope::Own).find_map(|area| self.by_area.get(&key(area)).copied())
        })
    }

    /// The first sector of a trade, or of one that holds it.
    pub fn of_trade(&self, trade: Trade) -> Option<usize> {
        let exact = self.first.get(&trade).copied();
        exact.or_else(|| self.first_local.iter().find(|(other, _)| other.covers(trade)).map(|(_, &entity)| entity))
    }

    /// Notes that an entity is known as a sector.
    pub fn note(&mut self, sector: &Sector, entity: usize) {
        let key = |last| (sector.trade, sector.qualifier.clone(), last);
        if sector.scope != Some(Scope::Some) {
            self.first.entry(sector.trade).or_insert(entity);
            if sector.scope != Some(Scope::Nation) {
                self.first_local.entry(sector.trade).or_insert(entity);
            }
        }
        if !sector.place.is_empty() {
            self.by_region.entry((sector.trade, sector.qualifier.clone(), sector.place.clone())).or_insert(entity);
            if sector.qualifier.is_empty() {
                self.plain.insert(sector.trade);
            } else {
                self.picked.entry(sector.trade).or_insert(entity);
            }
            if is_code(&sector.place) {
                self.by_level.entry((sector.trade, sector.qualifier.clone(), level(&sector.place))).or_insert(entity);
            }
        } else if let Some(scope) = sector.scope {
            self.by_area.entry(key(scope)).or_insert(entity);
        }
    }
}
