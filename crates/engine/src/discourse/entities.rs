//! From mentions to entities: which names mean one institution.

use std::collections::{BTreeMap, BTreeSet};

use super::sector::{Sector, Sectors};
use super::{Discourse, Entity, oversees};
use crate::outline::Outline;
use crate::recognize::institution::{InstitutionMention, NameForm};
use crate::report::InstitutionType;

/// What two names of one institution have in common.
fn key(name: &str) -> String {
    let mut key = name.to_owned();
    if key.contains("公司") {
        key = key.replace("股份有限公司", "").replace("有限责任公司", "").replace("有限公司", "");
        // 平安财险公司 is 平安产险; 分公司 and 支公司 are levels.
        if let Some(short) = key.strip_suffix("公司").filter(|short| !short.ends_with(['分', '支'])) {
            key.truncate(short.len());
        }
    }
    // A province's cooperatives are what their union tells of.
    if let Some(short) = key.strip_suffix("农村信用社联合社") {
        key.truncate(short.len() + "农村信用社".len());
    }
    key.retain(|c| !matches!(c, '省' | '市' | '县' | '区' | '旗' | '州' | '盟' | '(' | '（' | '）' | ')'));
    key
}

/// The fewest characters by which a key without its region still tells whose it is.
const TELLING: usize = 6;

/// Whether one name is the other with a region before it: 湖南攸县农村商业银行, 攸县农村商业银行.
fn one_longer(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let more = long.chars().count() - short.chars().count();
    (2..=3).contains(&more)
        && short.chars().count() >= TELLING
        && long.ends_with(short)
        && !short.ends_with("分行")
        && !short.ends_with("支行")
        && !short.ends_with("公司")
}

impl Entity {
    /// What a mention tells of an institution that is called `canonical`.
    pub(super) fn of(m: &InstitutionMention, canonical: &str) -> Self {
        Self {
            name: if m.parent_name.is_empty() { m.name.clone() } else { m.parent_name.clone() },
            canonical: canonical.to_owned(),
            kind: m.kind,
            head_office: m.head_office.clone(),
            region: (m.region_code.clone(), m.region_name.clone()),
            mentions: Vec::new(),
            scope_alone: false,
            sector: None,
            speaks_for: None,
            register: m.register,
        }
    }

    /// Whether a mention may mean it: one of another row, or unknown to the register and of another region, does not.
    fn may_be(&self, m: &InstitutionMention) -> bool {
        let one_region = self.region.0.is_empty() || m.region_code.is_empty() || self.region.0 == m.region_code;
        match (self.register, m.register) {
            (None, None) => true,
            (Some(own), Some(other)) => own == other,
            _ => one_region,
        }
    }

    /// Takes what one more mention tells: a fuller name, a region; what the register says stands. Whether it was new.
    fn learn(&mut self, m: &InstitutionMention) -> bool {
        let longer = m.alias_of.is_none() && m.name.chars().count() > self.name.chars().count();
        let fuller = match (&self.sector, Sector::of(m)) {
            // A region tells more than an area: 云南银行业, not 全省银行业金融机构.
            (Some(own), Some(other)) => other.is_whole() && (other.rank(), longer) > (own.rank(), false),
            _ => longer,
        };
        let first = self.register.is_none() && m.register.is_some();
        if fuller {
            self.name.clone_from(&m.name);
        }
        if first || (fuller && self.register.is_none()) {
            self.canonical.clone_from(&m.canonical);
            self.head_office.clone_from(&m.head_office);
        }
        if first {
            self.register = m.register;
            self.kind = m.kind;
        }
        let placed = (first || self.region.0.is_empty()) && !m.region_code.is_empty();
        if placed {
            self.region = (m.region_code.clone(), m.region_name.clone());
        }
        fuller || first || placed
    }
}

/// Gathers mentions into entities; the entity of each mention.
pub(super) fn entities(
    outline: &Outline,
    mentions: &[InstitutionMention],
    sectors: &mut Sectors,
    out: &mut Discourse,
) -> Vec<Option<usize>> {
    let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
    let mut of: Vec<Option<usize>> = vec![None; mentions.len()];
    let mut tails = Tails::default();
    let mut offices = Offices::default();
    // Whom a mention meant, and how much was known then: a name that comes again asks only if more is known now.
    let mut told: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    let mut learnt = 0;
    for (m, slot) in mentions.iter().zip(&mut of).filter(|(m, _)| m.form == NameForm::Sector) {
        *slot = of_sector(m, sectors, out);
    }
    // Proper names first: what is short is completed by what is full.
    for (i, m) in mentions.iter().enumerate() {
        if m.outlet || m.form != NameForm::Proper || is_of_a_level(m) {
            continue;
        }
        let said = (&m.canonical, &m.name, &m.region_code, m.kind, m.register);
        if let Some(&(index, _)) = told.get(&said).filter(|&&(_, then)| then == learnt && m.alias_of.is_none()) {
            if let (Some(entity), Some(slot)) = (out.entities.get_mut(index), of.get_mut(i)) {
                entity.mentions.push(m.range.clone());
                *slot = Some(index);
            }
            continue;
        }
        let known = out.entities.len();
        let key = key(&m.canonical);
        let other = by_key.get(&key).and_then(|&i| out.entities.get(i)).is_some_and(|e| !e.may_be(m));
        let key = if other { format!("{key}\n{}\n{}", m.canonical, m.region_code) } else { key };
        let twin = tails.twin(&key, |other| {
            by_key.get(other).copied().filter(|&i| out.entities.get(i).is_some_and(|e| e.kind == m.kind && e.may_be(m)))
        });
        if !by_key.contains_key(&key) {
            tails.add(&key);
        }
        let office = offices.find(m).filter(|_| !by_key.contains_key(&key));
        let index = m.alias_of.and_then(|a| of.get(a).copied().flatten()).or(twin).or(office).unwrap_or_else(|| {
            *by_key.entry(key).or_insert_with(|| {
                out.entities.push(Entity::of(m, &m.canonical));
                out.entities.len() - 1
            })
        });
        offices.note(m, index);
        learnt += usize::from(out.entities.len() > known);
        if let Some(entity) = out.entities.get_mut(index) {
            learnt += usize::from(entity.learn(m));
            entity.mentions.push(m.range.clone());
        }
        if m.alias_of.is_none() {
            told.insert(said, (index, learnt));
        }
        if let Some(slot) = of.get_mut(i) {
            *slot = Some(index);
        }
    }
    complete(outline, mentions, &mut by_key, &mut of, out);
    for entity in &mut out.entities {
        entity.mentions.sort_by_key(|r| r.start);
    }
    of
}

/// Finds whom the mentions mean that are not proper names: outlets, fragments, head offices.
fn complete(
    outline: &Outline,
    mentions: &[InstitutionMention],
    by_key: &mut BTreeMap<String, usize>,
    of: &mut [Option<usize>],
    out: &mut Discourse,
) {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let only_kind = only_kind(mentions);
    let mut last_bank = None;
    for (i, m) in mentions.iter().enumerate() {
        let bank = of.get(i).copied().flatten().filter(|&e| out.entities.get(e).is_some_and(|e| !oversees(e.kind)));
        last_bank = bank.or(last_bank);
        if of.get(i).is_some_and(Option::is_some) || m.form == NameForm::Sector {
            continue;
        }
        let section = outline.section_at(m.range.start).and_then(|s| of.get(s.mention).copied().flatten());
        let found = if m.outlet {
            let parent = key(&m.parent);
            let named = || if m.parent.is_empty() { None } else { by_key.get(&parent).copied() };
            // A bare outlet belongs to the institution named before it, or to the only one.
            let before = || {
                of.get(..i)
                    .unwrap_or_default()
                    .iter()
                    .rev()
                    .flatten()
                    .copied()
                    .find(|&e| out.entities.get(e).is_some_and(|e| !oversees(e.kind)))
            };
            let only = || out.entities.iter().position(|e| !oversees(e.kind));
            let bare = || if m.parent.is_empty() { before().or_else(only) } else { None };
            section.or_else(named).or_else(bare).or_else(|| Some(adopt(m, by_key, out)))
        } else if m.form == NameForm::Fragment {
            let own = key(&m.name);
            let fits = |e: &Entity| key(&e.name).ends_with(&own) || key(&e.canonical).ends_with(&own);
            // In a bank's own section a branch without a name before it is one of the bank's.
            let section = section.filter(|&s| out.entities.get(s).is_some_and(|e| fits(e) || !oversees(e.kind)));
            let completed = section.or_else(|| known.entry(m.name.clone()).or_default().first(&out.entities, fits));
            // 秦州支行 behind 邮储银行天水市分行 is one of its outlets.
            let completed = completed.or_else(|| last_bank.filter(|&e| m.name.ends_with("支行") && holds(out.entities.get(e), m)));
            // 宁德分行 in a note of 农行福建省分行: an office of its own, of the bank that the text is about.
            completed.or_else(|| (!m.region_code.is_empty()).then(|| adopt_fragment(m, only_kind, by_key, out)))
        } else {
            let own = key(&m.canonical);
            let branch = |e: &Entity| {
                !e.head_office.is_empty()
                    && (e.head_office == m.head_office
                        || e.name.starts_with(&m.name)
                        || e.head_office.starts_with(&m.canonical)
                        || key(&e.head_office) == own)
            };
            let section = section.filter(|&s| out.entities.get(s).is_some_and(branch));
            let only =
                section.or_else(|| known.entry([m.name.as_str(), "\n", &m.canonical].concat()).or_default().only(&out.entities, branch));
            only.or_else(|| Some(adopt(m, by_key, out)))
        };
        if let (Some(slot), Some(index)) = (of.get_mut(i), found) {
            *slot = Some(index);
            if let Some(entity) = out.entities.get_mut(index) {
                entity.mentions.push(m.range.clone());
            }
        }
    }
}

/// Offices by head office and region: 泰和县农发行, named without its level, is 农发行泰和县支行; of two names of a regulator's
/// office in one region both are one.
#[derive(Debug, Default)]
struct Offices {
    /// Those named without a level, and the first with one.
    of: BTreeMap<(String, String), (Option<usize>, Option<usize>)>,
}

impl Offices {
    /// What an office is known by, and whether its name has no level.
    fn key(m: &InstitutionMention) -> Option<((String, String), bool)> {
        if m.region_code.is_empty() {
            return None;
        }
        if m.supervises {
            return Some(((String::new(), m.region_code.clone()), true));
        }
        let levelless = m.canonical.ends_with(&m.head_office);
        (!m.head_office.is_empty() && !m.outlet).then(|| ((m.head_office.clone(), m.region_code.clone()), levelless))
    }

    /// The office that a name means under another name.
    fn find(&self, m: &InstitutionMention) -> Option<usize> {
        let (key, levelless) = Self::key(m)?;
        let &(bare, levelled) = self.of.get(&key)?;
        if levelless { bare.or(levelled) } else { bare.filter(|_| levelled.is_none()) }
    }

    fn note(&mut self, m: &InstitutionMention, entity: usize) {
        let Some((key, levelless)) = Self::key(m) else { return };
        let slot = self.of.entry(key).or_default();
        let known = if levelless { &mut slot.0 } else { &mut slot.1 };
        known.get_or_insert(entity);
    }
}

/// The sector that a mention with a scope names; a bare one means one told of, which the walk knows.
fn of_sector(m: &InstitutionMention, sectors: &mut Sectors, out: &mut Discourse) -> Option<usize> {
    let sector = Sector::of(m).filter(|sector| !sector.is_bare())?;
    let index = sectors.find(&sector).unwrap_or_else(|| {
        out.entities.push(Entity { sector: Some(sector.clone()), ..Entity::of(m, &m.canonical) });
        out.entities.len() - 1
    });
    sectors.note(&sector, index);
    let entity = out.entities.get_mut(index)?;
    if entity.learn(m) && entity.sector.as_ref().is_some_and(|own| own.place.is_empty()) {
        entity.sector = Some(sector);
    }
    entity.mentions.push(m.range.clone());
    Some(index)
}

/// Which entities a short name fits, of those looked at so far: a name that comes again asks only the new ones.
#[derive(Debug, Default)]
struct Known {
    asked: usize,
    first: Option<usize>,
    count: usize,
}

impl Known {
    fn ask(&mut self, entities: &[Entity], fits: impl Fn(&Entity) -> bool) {
        for (index, _) in entities.iter().enumerate().skip(self.asked).filter(|(_, e)| fits(e)) {
            self.first = self.first.or(Some(index));
            self.count += 1;
        }
        self.asked = entities.len();
    }

    fn first(&mut self, entities: &[Entity], fits: impl Fn(&Entity) -> bool) -> Option<usize> {
        if self.first.is_none() {
            self.ask(entities, fits);
        }
        self.first
    }

    fn only(&mut self, entities: &[Entity], fits: impl Fn(&Entity) -> bool) -> Option<usize> {
        self.ask(entities, fits);
        self.first.filter(|_| self.count == 1)
    }
}

/// Keys of institutions by their ends, without the two or three characters a region's short name takes.
#[derive(Debug, Default)]
struct Tails(BTreeMap<String, BTreeSet<String>>);

impl Tails {
    /// A key without its first two, and without its first three characters, where enough is left to tell one by it.
    fn of(key: &str) -> impl Iterator<Item = &str> {
        let tails = [2, 3].into_iter().filter_map(|n| key.char_indices().nth(n).and_then(|(at, _)| key.get(at..)));
        tails.filter(|tail| tail.chars().nth(TELLING - 1).is_some())
    }

    fn add(&mut self, key: &str) {
        for tail in Self::of(key) {
            self.0.entry(tail.to_owned()).or_default().insert(key.to_owned());
        }
    }

    /// The first key, as sorted, that is this one with a region before it or without its region.
    fn twin(&self, key: &str, entity: impl Fn(&str) -> Option<usize>) -> Option<usize> {
        let longer =
            self.0.get(key).into_iter().flatten().map(String::as_str).find(|other| one_longer(other, key) && entity(other).is_some());
        let shorter = Self::of(key).filter(|other| one_longer(other, key) && entity(other).is_some());
        longer.into_iter().chain(shorter).min().and_then(entity)
    }
}

/// Whether an institution's region holds that of a branch.
fn holds(bank: Option<&Entity>, branch: &InstitutionMention) -> bool {
    let prefix = |code: &str| code.trim_end_matches("00").len();
    bank.is_some_and(|bank| {
        let code = bank.region.0.as_str();
        !code.is_empty() && code != branch.region_code && branch.region_code.starts_with(code.get(..prefix(code)).unwrap_or(code))
    })
}

/// Whether an office is named by its level alone: 县人行, 市农发行.
fn is_of_a_level(m: &InstitutionMention) -> bool {
    m.region_code.is_empty() && !m.head_office.is_empty() && m.canonical.ends_with(&m.head_office)
}

/// The type of the only head office that a text names, by itself or by its branches.
fn only_kind(mentions: &[InstitutionMention]) -> Option<InstitutionType> {
    let of_office = |m: &&InstitutionMention| m.form == NameForm::HeadOffice || (m.form == NameForm::Proper && !m.head_office.is_empty());
    let mut kinds = mentions.iter().filter(of_office).map(|m| m.kind).filter(|kind| !oversees(*kind));
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// Makes an entity of a branch that is named without its head office.
fn adopt_fragment(
    m: &InstitutionMention,
    kind: Option<InstitutionType>,
    by_key: &mut BTreeMap<String, usize>,
    out: &mut Discourse,
) -> usize {
    *by_key.entry(key(&m.name)).or_insert_with(|| {
        let own = (m.kind != InstitutionType::Other).then_some(m.kind);
        out.entities.push(Entity { kind: own.or(kind).unwrap_or(m.kind), ..Entity::of(m, &m.name) });
        out.entities.len() - 1
    })
}

/// Makes an entity of a mention that no other completes.
fn adopt(m: &InstitutionMention, by_key: &mut BTreeMap<String, usize>, out: &mut Discourse) -> usize {
    let canonical = if m.parent.is_empty() { &m.canonical } else { &m.parent };
    *by_key.entry(key(canonical)).or_insert_with(|| {
        out.entities.push(Entity::of(m, canonical));
        out.entities.len() - 1
    })
}
