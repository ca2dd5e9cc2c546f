//! Regions in names, and which one a name is of.

use std::collections::BTreeSet;

use super::parts::Parts;
use super::{InstitutionMention, NameForm};
use crate::lexicon::{Hit, In, Lexicon, NamePart, NameWord, Region, Sense};
use crate::source::is_ideograph;
use crate::words::words;

/// A word of a name that stands for a region, or for one of several.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegionName {
    pub hit: Hit,
    /// Ordinary words that are also a region's short name count.
    words: bool,
    /// A prefecture is meant if it can be.
    prefecture: bool,
}

impl RegionName {
    /// The rows that the word may mean.
    fn rows(self, lexicon: &Lexicon) -> impl Iterator<Item = &Region> {
        let regions = &lexicon.tables().regions;
        let all = lexicon.senses(self.hit).iter().filter_map(move |sense| match sense {
            Sense::Region(row) => regions.get(usize::from(*row)),
            Sense::RegionWord(row) if self.words => regions.get(usize::from(*row)),
            _ => None,
        });
        let narrow = self.prefecture && all.clone().any(|region| region.level() == 1);
        all.filter(move |region| !narrow || region.level() == 1)
    }
}

/// The regions of a name in the order of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions(Vec<RegionName>);

impl Regions {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words as those of a prefecture: 吉林 is the city in 吉林监管分局.
    pub fn of_prefecture(mut self) -> Self {
        for name in &mut self.0 {
            name.prefecture = true;
        }
        self
    }

    pub fn then(mut self, mut later: Self) -> Self {
        self.0.append(&mut later.0);
        self
    }

    /// The innermost region that the words settle.
    ///
    /// Each word is read inside the region before it; the first by itself, where a
    /// higher level wins. A word that is not inside is part of a brand; one that
    /// several regions of one level share is left open.
    pub fn resolve<'t>(&self, lexicon: &'t Lexicon) -> Option<&'t Region> {
        let mut settled: Option<&Region> = None;
        for name in &self.0 {
            let inside = || name.rows(lexicon).filter(|region| settled.is_none_or(|outer| is_inside(&region.code, &outer.code)));
            let top = inside().map(Region::level).min();
            let mut best = inside().filter(|region| Some(region.level()) == top);
            if let (Some(region), None) = (best.next(), best.next()) {
                settled = Some(region);
            }
        }
        settled
    }
}

impl From<RegionName> for Regions {
    fn from(name: RegionName) -> Self {
        Self(vec![name])
    }
}

/// 兴山农商行 beside 秭归农商行: a name that several regions share is that of the one in the prefecture, or else in the
/// province, of the text's other institutions.
pub(super) fn settle_by_neighbours(parts: &Parts<'_>, mentions: &mut [InstitutionMention]) {
    if !mentions.iter().any(is_open) {
        return;
    }
    let codes = || mentions.iter().map(|m| m.region_code.as_str()).filter(|code| !code.is_empty());
    let prefectures: BTreeSet<_> = codes().filter(|code| !code.ends_with("0000")).filter_map(|code| code.get(..4)).collect();
    let provinces: BTreeSet<_> = codes().filter_map(|code| code.get(..2)).collect();
    let settle = |m: &InstitutionMention| settled_by(parts, m, &prefectures).or_else(|| settled_by(parts, m, &provinces));
    let settled: Vec<_> = mentions.iter().map(settle).collect();
    for (mention, region) in mentions.iter_mut().zip(settled) {
        if let Some((code, name)) = region {
            (mention.region_code, mention.region_name) = (code, name);
        }
    }
}

/// Whether a name of its own has no region yet.
fn is_open(mention: &InstitutionMention) -> bool {
    mention.region_code.is_empty() && mention.form == NameForm::Proper
}

/// The only region of an open name whose code begins with one of these.
fn settled_by(parts: &Parts<'_>, mention: &InstitutionMention, near: &BTreeSet<&str>) -> Option<(String, String)> {
    let name = parts.region_from(mention.range.start, false).filter(|_| is_open(mention))?;
    let mut found = name.rows(parts.lexicon).filter(|region| near.iter().any(|prefix| region.code.starts_with(prefix)));
    let only = found.next().filter(|_| found.next().is_none())?;
    Some((only.code.clone(), only.name.clone()))
}

fn is_inside(code: &str, outer: &str) -> bool {
    outer.strip_suffix("0000").or_else(|| outer.strip_suffix("00")).is_some_and(|prefix| code.starts_with(prefix))
}

/// Regions and zones that stand side by side.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub start: usize,
    pub end: usize,
    pub regions: Regions,
}

/// The local part of a branch's name: 四川省分行, 中关村支行.
pub(super) struct Local {
    pub end: usize,
    pub regions: Regions,
    pub is_outlet: bool,
}

/// Farthest that a local part reaches, in glyphs.
const LOCAL_REACH: usize = 24;
/// Most glyphs of a local part that no table knows.
const LOCAL_UNKNOWN: usize = 6;

impl Parts<'_> {
    /// The region that `hit` names, or one of those; `words` takes ordinary words too.
    fn region(&self, hit: Hit, words: bool) -> Option<RegionName> {
        let names = |sense: &Sense| matches!(sense, Sense::Region(_)) || words && matches!(sense, Sense::RegionWord(_));
        let named = hit.is_in(In::REGIONS) && !self.is_crossed(hit) && self.lexicon.senses(hit).iter().any(names);
        named.then_some(RegionName { hit, words, prefecture: false })
    }

    /// The longest region that starts at `at`.
    pub fn region_from(&self, at: usize, words: bool) -> Option<RegionName> {
        self.from(at).iter().find_map(|hit| self.region(*hit, words))
    }

    /// The longest region that ends at `at`.
    pub fn region_to(&self, at: usize) -> Option<RegionName> {
        self.to(at).iter().find_map(|hit| self.region(*hit, false))
    }

    /// The regions and zones that end at `end`; at least one region.
    pub fn chain_to(&self, end: usize) -> Option<Chain> {
        let mut chain = Chain { start: end, end, regions: Regions::default() };
        while end - chain.start < LOCAL_REACH {
            if let Some(region) = self.region_to(chain.start) {
                chain.start = region.hit.start();
                chain.regions = Regions::from(region).then(chain.regions);
            } else if let Some((hit, _)) = self.name_to(chain.start, NamePart::Zone)
                && self.region_to(hit.start()).is_some()
            {
                chain.start = hit.start();
            } else {
                break;
            }
        }
        (!chain.regions.is_empty()).then_some(chain)
    }

    /// Reads the local part of a branch of a body that `suits` accepts branches for.
    pub fn local_from(&self, start: usize, suits: impl Fn(&NameWord) -> bool) -> Option<Local> {
        let (mut at, mut unknown, mut regions) = (start, 0, Regions::default());
        while at < start + LOCAL_REACH {
            if let Some(hit) = self.branch_from(at, &suits) {
                let is_outlet = self.name(hit, NamePart::Outlet).is_some();
                let says_level = matches!(self.source.at(at), '省' | '市' | '区' | '州' | '盟' | '自');
                if (at == start && !says_level) || (unknown > 0 && !is_outlet && !takes_any_place(self, hit)) {
                    return None;
                }
                return Some(self.with_sub_branch(Local { end: hit.end(), regions, is_outlet }, &suits));
            }
            if let Some(region) = self.region_from(at, true) {
                at = region.hit.end();
                regions = regions.then(region.into());
            } else if let Some((hit, _)) = self.name_from(at, NamePart::Zone) {
                at = hit.end();
            } else if is_ideograph(self.source.at(at)) && self.name_from(at, NamePart::Border).is_none() && unknown < LOCAL_UNKNOWN {
                unknown += 1;
                at += 1;
            } else {
                return None;
            }
        }
        None
    }

    /// A further local part right behind a branch: 四川省分行营业部, 贵阳分行南明支行.
    fn with_sub_branch(&self, local: Local, suits: &impl Fn(&NameWord) -> bool) -> Local {
        let mut at = local.end;
        let mut regions = Regions::default();
        if let Some(region) = self.region_from(at, true) {
            at = region.hit.end();
            regions = region.into();
        }
        match self.branch_from(at, suits) {
            Some(hit) if at > local.end || self.source.starts_with(at, "营业部") => {
                Local { end: hit.end(), regions: local.regions.then(regions), is_outlet: self.name(hit, NamePart::Outlet).is_some() }
            }
            _ => local,
        }
    }

    fn branch_from(&self, at: usize, suits: &impl Fn(&NameWord) -> bool) -> Option<Hit> {
        let is_branch = |row: &NameWord| matches!(row.part, NamePart::Branch | NamePart::Outlet) && suits(row);
        self.from(at).iter().copied().find(|hit| self.names(*hit).any(is_branch))
    }
}

/// Whether the branch may be named after a place that no table knows.
fn takes_any_place(parts: &Parts<'_>, hit: Hit) -> bool {
    words!["支行", "支公司", "分行", "营业部", "分公司", "营销服务部"].end_before(parts.source, hit.end())
}
