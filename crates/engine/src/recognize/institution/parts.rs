//! The words around a place in the text.

use crate::lexicon::{HeadOffice, Hit, Hits, In, Lexicon, NamePart, NameWord, Registered, Sense, by_place};
use crate::source::{Glyphs, SourceText, is_ideograph};

/// The words of names in a text, by where they start and by where they end.
pub(super) struct Parts<'a> {
    pub source: &'a SourceText<'a>,
    pub lexicon: &'a Lexicon,
    hits: &'a Hits,
    /// The hits that are parts of names, by end, longest first.
    names: Vec<Hit>,
    /// Index in `names` of the first that ends at or after each glyph.
    first: Vec<u32>,
    /// Regions that begin inside an earlier word and end behind it, in order: 南县 in 云南县域.
    crossed: Vec<(usize, usize)>,
}

impl<'a> Parts<'a> {
    pub fn new(source: &'a SourceText<'a>, hits: &'a Hits, lexicon: &'a Lexicon) -> Self {
        let names = hits.of(In::ANY_NAME);
        // No region begins inside a bank's name: 建设银行|唐县, not 建设银|行唐县.
        let crossed = crossed(names.iter().filter(|hit| hit.is_in(In::REGIONS_AND_BORDERS.or(In::OFFICES))));
        // In the order of their starts, the longest of those that end at a place comes first.
        let (names, first) = by_place(names.iter().copied(), source.len(), crate::lexicon::Hit::end);
        Self { source, lexicon, hits, names, first, crossed }
    }

    /// Every hit of a name that is in one of these tables, by end, longest first.
    pub fn of(&self, tables: In) -> impl Iterator<Item = Hit> + '_ {
        self.names.iter().copied().filter(move |hit| hit.is_in(tables))
    }

    /// The hits that lie inside `range`.
    pub fn inside(&self, range: Glyphs) -> impl Iterator<Item = Hit> + '_ {
        self.hits.inside(range)
    }

    /// The hits that start at `at`, longest first.
    pub fn from(&self, at: usize) -> &[Hit] {
        if at < self.source.len() { self.hits.at(at) } else { &[] }
    }

    /// The hits of names that end at `at`, longest first.
    pub fn to(&self, at: usize) -> &[Hit] {
        let bound = |i: usize| self.first.get(i).map_or(self.names.len(), |&n| n as usize);
        self.names.get(bound(at)..bound(at + 1)).unwrap_or_default()
    }

    /// Whether `hit` is a region that begins inside an earlier word.
    pub fn is_crossed(&self, hit: Hit) -> bool {
        self.crossed.binary_search(&(hit.start(), hit.end())).is_ok()
    }

    /// The row that makes `hit` a `part`, if its neighbours let it.
    pub fn name(&self, hit: Hit, part: NamePart) -> Option<&'a NameWord> {
        if !hit.is_in(In::NAMES) {
            return None;
        }
        self.names(hit).find(|row| row.part == part && self.permits(hit, row))
    }

    /// A bit for each part that `hit` may be.
    pub fn roles(&self, hit: Hit) -> u32 {
        self.names(hit).fold(0, |bits, row| bits | 1 << row.part as u32)
    }

    /// The rows of `name.toml` that `hit` stands for.
    pub fn names(&self, hit: Hit) -> impl Iterator<Item = &'a NameWord> {
        let names = &self.lexicon.tables().names;
        self.lexicon.senses(hit).iter().filter_map(move |sense| match sense {
            Sense::Name(row) => names.get(usize::from(*row)),
            _ => None,
        })
    }

    /// The longest `part` that starts at `at`.
    pub fn name_from(&self, at: usize, part: NamePart) -> Option<(Hit, &'a NameWord)> {
        self.from(at).iter().find_map(|hit| Some((*hit, self.name(*hit, part)?)))
    }

    /// The longest `part` that ends at `at`.
    pub fn name_to(&self, at: usize, part: NamePart) -> Option<(Hit, &'a NameWord)> {
        self.to(at).iter().find_map(|hit| Some((*hit, self.name(*hit, part)?)))
    }

    /// The head office that `hit` names, unless the text around makes another word of it.
    pub fn office(&self, hit: Hit) -> Option<&'a HeadOffice> {
        let row = self.lexicon.senses(hit).iter().find_map(|sense| match sense {
            Sense::HeadOffice(row) => self.lexicon.tables().head_offices.get(usize::from(*row)),
            _ => None,
        })?;
        self.is_no_other_word(hit).then_some(row)
    }

    /// The institution of the register that `hit` names, unless the text around makes another word of it.
    pub fn registered(&self, hit: Hit) -> Option<(u32, &'a Registered)> {
        let index = self.lexicon.senses(hit).iter().find_map(|sense| match sense {
            Sense::Registered(index) => Some(*index),
            _ => None,
        })?;
        let row = self.lexicon.tables().register.row(index)?;
        self.is_no_other_word(hit).then_some((index, row))
    }

    /// Whether the text around leaves `hit` an institution's name: 中国银行 is none in 中国银行业.
    fn is_no_other_word(&self, hit: Hit) -> bool {
        if self.names(hit).any(|row| row.part == NamePart::Guard && !self.permits(hit, row)) {
            return false;
        }
        let sector = self.source.at(hit.end()) == '业'
            && self.source.ends_with(hit.end(), "银行")
            && !matches!(self.source.at(hit.end() + 1), '务' | '绩' | '内');
        let card = self.source.at(hit.end()) == '卡' && self.source.ends_with(hit.end(), "银行");
        !sector && !card
    }

    fn permits(&self, hit: Hit, row: &NameWord) -> bool {
        // 人行天桥 is none, 人行天水市中心支行 is one: a city or a province behind it outweighs a glyph.
        let city = || {
            self.hits.at(hit.end()).iter().any(|behind| {
                let says_level = matches!(self.source.before(behind.end()), '县' | '市' | '旗' | '区');
                behind.region_level().is_some_and(|level| level < 2 || says_level)
            })
        };
        (!row.not_before.contains(&self.source.at(hit.end())) || city()) && !row.not_after.contains(&self.source.before(hit.start()))
    }

    /// Whether a name may begin at `at`: after anything but a character of a word, or after a border word.
    pub fn is_left_border(&self, at: usize) -> bool {
        !is_ideograph(self.source.before(at)) || self.name_to(at, NamePart::Border).is_some() || self.name_to(at, NamePart::Lead).is_some()
    }
}

/// The regions that an earlier word runs into, by place: a region no lower, or a
/// border word where the region is no province.
fn crossed<'h>(all: impl Iterator<Item = &'h Hit>) -> Vec<(usize, usize)> {
    let mut crossed = Vec::new();
    let mut reaches: Vec<(Hit, u8)> = Vec::new();
    let mut furthest = 0;
    for hit in all {
        let region = hit.region_level();
        if furthest <= hit.start() {
            reaches.clear();
        } else {
            reaches.retain(|(earlier, _)| earlier.end() > hit.start());
        }
        furthest = furthest.max(hit.end());
        let runs_into = |(earlier, rank): &(Hit, u8)| {
            earlier.start() < hit.start() && hit.end() > earlier.end() && region.is_some_and(|own| *rank <= own)
        };
        if reaches.iter().any(runs_into) {
            crossed.push((hit.start(), hit.end()));
        } else {
            reaches.push((*hit, region.unwrap_or(1)));
        }
    }
    crossed.sort_unstable();
    crossed
}
