//! Words and what they mean, as data.
//!
//! The tables (`*.toml`, `*.tsv` beside this file) are loaded and cross-checked
//! once; all their words go into one tree, so that a text is read in one pass.

pub mod addition;
pub mod class;
mod entry;
pub mod general;
mod group;
pub mod problem;
pub mod register;
pub mod rows;
mod tables;
mod trie;

pub use class::{Class, Classes};
pub use group::{Scope, Trade};
pub use problem::Problems;
pub use register::{NameReading, Register, Registered};
pub use rows::SourceFile;
pub use tables::{HeadOffice, NamePart, NameWord, Place, QualifierRow, Region, Role, Tables, Unit};

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

use super::lists::marked;
use super::report::MeasureCategory;
use super::source::{Glyphs, SourceText};
use trie::{Found, Trie};

/// What a word means: which table it is in, and the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// A metric cue: row of [`Tables::metrics`].
    Metric(u16),
    /// A measure category cue.
    Cue(MeasureCategory),
    /// Part of one: index into [`Tables::category_forms`], and which part of it.
    Category(u16, u8),
    /// A purpose: row of [`Tables::purposes`].
    Purpose(u16),
    /// A customer segment: row of [`Tables::segments`].
    Segment(u16),
    /// A unit or classifier: row of [`Tables::units`].
    Unit(u16),
    /// A head office or known institution: row of [`Tables::head_offices`].
    HeadOffice(u16),
    /// A region: row of [`Tables::regions`].
    Region(u16),
    /// An ordinary word that is also a region's short name: row of [`Tables::regions`].
    RegionWord(u16),
    /// A part of institutions' names: row of [`Tables::names`].
    Name(u16),
    /// A product known by name.
    Product,
    /// An institution of the operator's register: row of [`Tables::register`].
    Registered(u32),
    /// A word that says how exactly a number is meant: row of [`Tables::qualifiers`].
    Qualifier(u16),
    /// A function word.
    Role(Role),
    /// A word of a class.
    Class(Class),
}

/// A word of the lexicon found in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    first: u32,
    behind: u32,
    word: u32,
    /// The bits of the word: a look at a hit tells its roles and tables.
    bits: u32,
}

impl Hit {
    /// First glyph.
    #[must_use]
    pub const fn start(self) -> usize {
        self.first as usize
    }

    /// The number of the word.
    #[must_use]
    pub(crate) const fn word(self) -> u32 {
        self.word
    }

    /// Glyph after the last.
    #[must_use]
    pub const fn end(self) -> usize {
        self.behind as usize
    }

    /// The glyphs the word covers.
    #[must_use]
    pub const fn range(self) -> Glyphs {
        self.start()..self.end()
    }

    /// Whether the word has a role.
    #[must_use]
    pub const fn has_role(self, role: Role) -> bool {
        self.bits & (1 << role as u32) != 0
    }

    /// The highest level of the regions the word names: 0 a province, 1 a prefecture, 2 a county.
    #[must_use]
    pub const fn region_level(self) -> Option<u8> {
        match self.bits >> LEVEL & 3 {
            1 => Some(0),
            2 => Some(1),
            3 => Some(2),
            _ => None,
        }
    }

    /// Whether the word is in one of the tables, or has one of the roles.
    #[must_use]
    pub const fn is_in(self, tables: In) -> bool {
        self.bits & tables.0 != 0
    }
}

/// All words found in a text, by where they start, longest first.
#[derive(Debug)]
pub struct Hits {
    by_start: Vec<Hit>,
    /// Index in `by_start` of the first hit that starts at or after each glyph.
    first: Vec<u32>,
    /// The bits of the words that start among each 16 glyphs: what no word there is need not be looked for.
    bits: Vec<u32>,
}

/// How many glyphs have their bits in common.
const BLOCK: usize = 16;

impl Hits {
    /// The words that start at glyph `at`, longest first.
    #[must_use]
    pub fn at(&self, at: usize) -> &[Hit] {
        self.starting_in(at..at + 1)
    }

    /// The words that start inside `range`, by place.
    #[must_use]
    pub fn starting_in(&self, range: Glyphs) -> &[Hit] {
        let bound = |i: usize| self.first.get(i).or(self.first.last()).map_or(0, |&n| n as usize);
        self.by_start.get(bound(range.start)..bound(range.end)).unwrap_or_default()
    }

    /// The words in one of these tables, by place.
    #[must_use]
    pub fn of(&self, tables: In) -> Vec<Hit> {
        if self.bits.iter().all(|bits| bits & tables.0 == 0) {
            return Vec::new();
        }
        let found = marked(self.by_start.iter(), |at, hit| (at, hit.is_in(tables)));
        let mut words = Vec::with_capacity(found.len());
        words.extend(found.into_iter().filter_map(|at| self.by_start.get(at as usize)));
        words
    }

    /// The words in one of these tables that lie inside `range`, by place.
    pub fn within(&self, range: Glyphs, tables: In) -> impl Iterator<Item = Hit> + '_ {
        let blocks = self.bits.get(range.start / BLOCK..range.end.div_ceil(BLOCK).min(self.bits.len())).unwrap_or_default();
        let range = if blocks.iter().any(|bits| bits & tables.0 != 0) { range } else { 0..0 };
        let end = range.end;
        self.starting_in(range).iter().copied().filter(move |hit| (hit.end() <= end) & hit.is_in(tables))
    }

    /// The words that lie inside `range`, by place.
    pub fn inside(&self, range: Glyphs) -> impl Iterator<Item = Hit> + '_ {
        let end = range.end;
        self.starting_in(range).iter().copied().filter(move |hit| hit.end() <= end)
    }
}

/// Why a lexicon did not load.
#[derive(Debug)]
pub struct LexiconError {
    table: String,
    problem: String,
}

impl LexiconError {
    pub(crate) fn new(table: &str, problem: impl fmt::Display) -> Self {
        Self { table: table.to_owned(), problem: problem.to_string() }
    }
}

impl fmt::Display for LexiconError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lexicon table `{}`: {}", self.table, self.problem)
    }
}

impl std::error::Error for LexiconError {}

/// A word of the tables.
#[derive(Clone, Copy)]
struct Word {
    /// Where its senses begin in [`Lexicon::senses`], and how many it has.
    first: u32,
    count: u16,
}

/// The bit from which on two bits hold one more than the level of a word's highest region, or 0.
const LEVEL: u32 = 18;
const _: () = assert!((Role::NotANumber as u32) < LEVEL, "the last role has a bit of its own");

/// The tables that a word may be in and the roles it may have, a bit for each.
#[derive(Clone, Copy, Debug)]
pub struct In(u32);

impl In {
    /// Metric cues.
    pub const METRICS: Self = Self(1 << 24);
    /// Cues of measures.
    pub const CATEGORIES: Self = Self(1 << 25);
    /// Purposes and segments.
    pub const CODES: Self = Self(1 << 26);
    /// Head offices.
    pub const OFFICES: Self = Self(1 << 27);
    /// Regions, also those that are words.
    pub const REGIONS: Self = Self(1 << 28);
    /// Parts of institutions' names.
    pub const NAMES: Self = Self(1 << 29);
    /// Those of them that end the name of a legal person, a public body or an outlet.
    pub const ENDINGS: Self = Self(1 << 20);
    /// Those that end the name of a branch.
    pub const BRANCHES: Self = Self(1 << 21);
    /// Those that are nouns of groups.
    pub const GROUPS: Self = Self(1 << 22);
    /// Regions, and those after which a name begins.
    pub const REGIONS_AND_BORDERS: Self = Self(Self::REGIONS.0 | 1 << 23);
    /// Products.
    pub const PRODUCTS: Self = Self(1 << 30);
    /// Institutions of the operator's register.
    pub const REGISTER: Self = Self(1 << 31);
    /// Head offices and institutions of the register.
    pub const KNOWN: Self = Self(Self::OFFICES.0 | Self::REGISTER.0);
    /// Regions and parts of names.
    pub const REGIONS_OR_NAMES: Self = Self(Self::REGIONS.0 | Self::NAMES.0);
    /// Anything that a name can be made of.
    pub const ANY_NAME: Self = Self(Self::KNOWN.0 | Self::REGIONS.0 | Self::NAMES.0);

    /// Words of these roles.
    #[must_use]
    pub const fn roles(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut rest = roles;
        while let [role, others @ ..] = rest {
            bits |= 1 << *role as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Words of either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bit of a sense.
    fn of(sense: Sense, tables: &Tables) -> u32 {
        match sense {
            Sense::Metric(_) => Self::METRICS.0,
            Sense::Cue(_) | Sense::Category(..) => Self::CATEGORIES.0,
            Sense::Purpose(_) | Sense::Segment(_) => Self::CODES.0,
            Sense::Unit(_) | Sense::Qualifier(_) | Sense::Class(_) => 0,
            Sense::HeadOffice(_) => Self::OFFICES.0,
            Sense::Region(_) | Sense::RegionWord(_) => Self::REGIONS.0,
            Sense::Name(row) => {
                let part = tables.names.get(usize::from(row)).map_or(0, |row| match row.part {
                    NamePart::Legal | NamePart::Public | NamePart::Trade | NamePart::ShortTrade | NamePart::Outlet | NamePart::Bank => {
                        Self::ENDINGS.0
                    }
                    NamePart::Branch => Self::BRANCHES.0,
                    NamePart::Group => Self::GROUPS.0,
                    NamePart::Border => 1 << 23,
                    _ => 0,
                });
                Self::NAMES.0 | part
            }
            Sense::Product => Self::PRODUCTS.0,
            Sense::Registered(_) => Self::REGISTER.0,
            Sense::Role(role) => 1 << role as u32,
        }
    }
}

/// What an operator adds to the built-in tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorText {
    /// The register of institutions, as CSV or TOML.
    pub register: Option<SourceFile>,
    /// Tables in the engine's own format.
    pub tables: Vec<SourceFile>,
}

/// The words in force and the tree that finds them.
pub struct Lexicon {
    tables: Tables,
    trie: Trie,
    words: Vec<Word>,
    /// A bit for each role that a word has, and for each table it is in.
    word_bits: Vec<u32>,
    /// The classes of each word that has any: these words come first.
    word_classes: Vec<Classes>,
    /// What each word is when a text is tiled, unless others make it up.
    word_entries: Vec<Option<general::Entry>>,
    /// The senses of all words, one word after the other.
    senses: Vec<Sense>,
    /// The words as the tables write them.
    word_forms: Vec<String>,
    digest: String,
}

impl fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lexicon").field("words", &self.words.len()).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Lexicon {
    /// The built-in lexicon.
    ///
    /// # Errors
    /// When a table does not parse or contradicts itself or another.
    pub fn load() -> Result<Self, LexiconError> {
        Self::compile(Tables::built_in()?)
    }

    /// The built-in lexicon with the operator's register and tables.
    ///
    /// # Errors
    /// All problems of the operator's files.
    pub fn with(sources: &OperatorText) -> Result<Self, Problems> {
        let fault = |error: LexiconError| Problems::of_file("", error.to_string());
        let mut tables = Tables::built_in().map_err(fault)?;
        let mut problems = Problems::default();
        if let Err(found) = addition::add(&mut tables, &sources.tables) {
            problems.append(found);
        }
        if let Some(file) = &sources.register {
            match Register::parse(file, &tables) {
                Ok(register) => tables.register = register,
                Err(found) => problems.append(found),
            }
            tables.sources.push(("register".to_owned(), file.text.clone()));
        }
        problems.into_result()?;
        Self::compile(tables).map_err(fault)
    }

    /// Takes what the rows of the register leave open from what their names tell.
    pub fn complete_register(&mut self, readings: impl IntoIterator<Item = NameReading>) {
        self.tables.register.complete(readings);
    }

    fn compile(tables: Tables) -> Result<Self, LexiconError> {
        let mut senses: BTreeMap<&str, Vec<Sense>> = BTreeMap::new();
        for (form, sense) in tables.forms() {
            let of_form = senses.entry(form).or_default();
            if !of_form.contains(&sense) {
                of_form.push(sense);
            }
        }
        let mut digest = Sha256::new();
        digest.update(crate::SOURCES_DIGEST);
        for (name, text) in &tables.sources {
            digest.update(name.as_bytes());
            digest.update([0]);
            digest.update(text.as_bytes());
            digest.update([0]);
        }
        let digest = hex(digest.finalize().get(..16).unwrap_or_default());
        // Words of the language first, names behind: those that texts are full of lie side by side.
        let is_name =
            |sense: &Sense| matches!(sense, Sense::Region(_) | Sense::RegionWord(_) | Sense::HeadOffice(_) | Sense::Registered(_));
        let mut senses: Vec<(&str, Vec<Sense>)> = senses.into_iter().collect();
        let classes = |of_form: &[Sense]| {
            of_form.iter().fold(Classes::default(), |mut classes, sense| {
                if let Sense::Class(class) = sense {
                    classes.add(*class);
                }
                classes
            })
        };
        senses.sort_by_key(|(_, of_form)| (classes(of_form) == Classes::default(), of_form.iter().all(is_name)));
        let mut words = Vec::with_capacity(senses.len());
        let mut word_bits = Vec::with_capacity(senses.len());
        let mut word_forms = Vec::with_capacity(senses.len());
        let mut all_senses = Vec::with_capacity(senses.len());
        for (form, of_form) in &senses {
            words.push(Word {
                first: u32::try_from(all_senses.len()).unwrap_or(u32::MAX),
                count: u16::try_from(of_form.len()).unwrap_or(u16::MAX),
            });
            word_bits.push(bits(of_form, &tables));
            word_forms.push((*form).to_owned());
            all_senses.extend(of_form);
        }
        let word_classes =
            senses.iter().map(|(_, of_form)| classes(of_form)).take_while(|classes| *classes != Classes::default()).collect();
        let word_entries = entry::entries(&senses);
        let trie = Trie::new(word_forms.iter().map(String::as_str)).map_err(|problem| LexiconError::new("*", problem))?;
        Ok(Self { tables, trie, words, word_bits, word_classes, word_entries, senses: all_senses, word_forms, digest })
    }

    /// The tables.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Hash of every table in force.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What a found word means.
    #[must_use]
    pub fn senses(&self, hit: Hit) -> &[Sense] {
        let word = self.words.get(hit.word as usize);
        word.and_then(|word| self.senses.get(word.first as usize..word.first as usize + usize::from(word.count))).unwrap_or_default()
    }

    /// The classes of a found word.
    #[must_use]
    pub fn classes(&self, hit: Hit) -> Classes {
        self.classes_of(hit.word)
    }

    /// The classes of the word with this number.
    pub(crate) fn classes_of(&self, word: u32) -> Classes {
        self.word_classes.get(word as usize).copied().unwrap_or_default()
    }

    /// A found word as the tables write it, which is how the normalised text has it.
    #[must_use]
    pub fn form(&self, hit: Hit) -> &str {
        self.word_forms.get(hit.word as usize).map(String::as_str).unwrap_or_default()
    }

    /// Finds every word of every table, in one pass.
    #[must_use]
    pub fn scan(&self, source: &SourceText<'_>) -> Hits {
        let hit = |found: &Found| {
            let bits = self.word_bits.get(found.word as usize).copied().unwrap_or(0);
            Hit { first: found.start, behind: found.end, word: found.word, bits }
        };
        let found = self.trie.find(source.glyphs());
        // Backwards, the longest of those that start at a place comes first.
        let (by_start, first) = by_place(found.iter().rev().map(hit), source.len(), Hit::start);
        let mut bits = vec![0; source.len().div_ceil(BLOCK)];
        for hit in &by_start {
            if let Some(block) = bits.get_mut(hit.start() / BLOCK) {
                *block |= hit.bits;
            }
        }
        Hits { by_start, first, bits }
    }
}

/// Hits by a place of each, in the order they come where that is the same; and the index of the first hit at or after
/// each place.
pub fn by_place(hits: impl ExactSizeIterator<Item = Hit> + Clone, length: usize, place: impl Fn(Hit) -> usize) -> (Vec<Hit>, Vec<u32>) {
    // While the hits are put in their places, each count stands one place too far on and is where the next hit goes.
    let mut first = vec![0_u32; length + 3];
    for hit in hits.clone() {
        if let Some(count) = first.get_mut(place(hit) + 2) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in &mut first {
        sum += *count;
        *count = sum;
    }
    let mut sorted = vec![Hit { first: 0, behind: 0, word: 0, bits: 0 }; hits.len()];
    for hit in hits {
        let Some(next) = first.get_mut(place(hit) + 1) else { continue };
        if let Some(slot) = sorted.get_mut(*next as usize) {
            *slot = hit;
        }
        *next += 1;
    }
    (sorted, first)
}

/// The bits of a word with these senses.
fn bits(senses: &[Sense], tables: &Tables) -> u32 {
    let level = |sense: &Sense| match sense {
        Sense::Region(row) | Sense::RegionWord(row) => tables.regions.get(usize::from(*row)).map(|region| u32::from(region.level()) + 1),
        _ => None,
    };
    let level = senses.iter().filter_map(level).min().unwrap_or(0);
    senses.iter().fold(level << LEVEL, |bits, sense| bits | In::of(*sense, tables))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
