//! What the words of the tables are when a text is tiled: they win over the general dictionary's, and what two of them
//! make up is no word.

use std::collections::BTreeMap;

use super::class::{Class, NOUNS};
use super::general::{self, Entry, Pos};
use super::tables::Role;
use super::{Lexicon, Sense, general::heading};

/// The most that a word of two glyphs costs, as much as a fairly common one, 13 bits; and each glyph more.
const COMMON: u8 = 104;
const GLYPH: u8 = 24;
/// What one of a single glyph costs that the general dictionary does not have.
const SINGLE: u8 = 144;
/// What a place costs that it does not have.
const PLACE: u8 = 136;

/// The words of the tables, and whether a level follows each: 达, 至.
type Listed<'w> = BTreeMap<&'w str, bool>;

/// What each of these words is: a part of speech and a cost; nothing if others make it up (贷款 + 余额).
pub(super) fn entries(words: &[(&str, Vec<Sense>)]) -> Vec<Option<Entry>> {
    let is_level = |senses: &[Sense]| senses.contains(&Sense::Role(Role::Level));
    let listed: Listed<'_> = words.iter().map(|(form, senses)| (*form, is_level(senses))).collect();
    words.iter().map(|(form, senses)| entry(form, senses, &listed)).collect()
}

fn entry(form: &str, senses: &[Sense], listed: &Listed<'_>) -> Option<Entry> {
    let glyphs: Vec<char> = form.chars().collect();
    if !senses.iter().any(|sense| is_name(*sense)) && is_made_up(form, &glyphs, listed) {
        return None;
    }
    let known = general::entry(&glyphs);
    let beyond = u8::try_from(glyphs.len().saturating_sub(2)).unwrap_or(u8::MAX);
    let common = COMMON.saturating_add(GLYPH.saturating_mul(beyond));
    let cost = match (known, glyphs.len()) {
        (Some(known), 1) => known.cost,
        (None, 1) => SINGLE,
        (known, _) if senses.iter().all(|sense| is_place(*sense)) => known.map_or(PLACE, |known| known.cost),
        (known, _) => known.map_or(common, |known| known.cost.min(common)),
    };
    let pos = senses.iter().filter_map(|sense| said(*sense)).min_by_key(|(rank, _)| *rank).map(|(_, pos)| pos);
    let pos = pos.or(known.map(|known| known.pos)).or_else(|| senses.iter().find_map(|sense| usual(*sense)));
    Some(Entry { pos: pos.unwrap_or_default(), cost })
}

/// Whether a sense is a name, which is one word however it is made.
const fn is_name(sense: Sense) -> bool {
    matches!(sense, Sense::HeadOffice(_) | Sense::Region(_) | Sense::Registered(_) | Sense::Product)
}

const fn is_place(sense: Sense) -> bool {
    matches!(sense, Sense::Region(_) | Sense::RegionWord(_))
}

/// Whether other words make up the form: 贷款 + 余额, 新 + 发放, 压缩 + 至. A single glyph is one of them only if it is no
/// noun, and at the end only if it is a particle or opens a level: 信用村, 不良率 and 养殖贷 are words.
fn is_made_up(form: &str, glyphs: &[char], listed: &Listed<'_>) -> bool {
    if glyphs.len() < 3 || general::entry(glyphs).is_some() {
        return false;
    }
    // Where each glyph begins, and the end.
    let starts: Vec<usize> = form.char_indices().map(|(at, _)| at).chain([form.len()]).collect();
    let part = |from: usize, to: usize| starts.get(from).zip(starts.get(to)).and_then(|(&start, &end)| form.get(start..end));
    let mut reached = vec![false; glyphs.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for from in 0..glyphs.len() {
        if !reached.get(from).is_some_and(|&reached| reached) {
            continue;
        }
        let ordinary = heading(glyphs.get(from..).unwrap_or_default())
            .filter(|(length, entry)| *length > 1 || stands_alone(entry.pos, from + 1 == glyphs.len()))
            .map(|(length, _)| from + length);
        let of_tables = (from + 1..=glyphs.len()).filter(|&to| {
            let level = part(from, to).and_then(|part| listed.get(part));
            level.is_some_and(|&level| to > from + 1 || level)
        });
        for to in ordinary.chain(of_tables).filter(|&to| to - from < glyphs.len()) {
            if let Some(reached) = reached.get_mut(to) {
                *reached = true;
            }
        }
    }
    reached.last().is_some_and(|&reached| reached)
}

/// Whether a single glyph of this kind is a word of its own beside others: 新, 再, 该, 免; at the end 于, 的.
const fn stands_alone(pos: Pos, at_end: bool) -> bool {
    match pos {
        Pos::Preposition | Pos::Conjunction | Pos::Particle => true,
        Pos::Verb | Pos::Adjective | Pos::Adverb | Pos::Pronoun => !at_end,
        _ => false,
    }
}

/// The part of speech that a sense settles, whatever the general dictionary says, and its rank among several.
fn said(sense: Sense) -> Option<(u8, Pos)> {
    Some(match sense {
        Sense::HeadOffice(_) | Sense::Registered(_) => (0, Pos::Organisation),
        Sense::Class(Class::VerbalNoun) => (1, Pos::VerbalNoun),
        Sense::Class(Class::Preposition | Class::Agent) => (2, Pos::Preposition),
        Sense::Class(Class::Adverb) | Sense::Role(Role::Cumulative) => (3, Pos::Adverb),
        Sense::Class(Class::Copula | Class::Saying | Class::Guiding | Class::Receiving | Class::Governing) => (4, Pos::Verb),
        Sense::Class(Class::Sending | Class::Placing | Class::TakingIn | Class::Acting) => (4, Pos::Verb),
        Sense::Class(Class::Time) => (5, Pos::Time),
        Sense::Role(Role::Increase | Role::Decrease) => (6, Pos::Verb),
        Sense::Role(Role::Anaphor | Role::BorrowerAnaphor | Role::ProductAnaphor) => (7, Pos::Pronoun),
        Sense::Region(_) => (8, Pos::Region),
        Sense::Class(
            Class::Customer | Class::OwnStaff | Class::Outlet | Class::Place | Class::Ware | Class::Account | Class::Partner | Class::Goods,
        ) => (9, Pos::Noun),
        _ => return None,
    })
}

/// The part of speech of a sense's words where the general dictionary has none.
const fn usual(sense: Sense) -> Option<Pos> {
    Some(match sense {
        Sense::Class(class) if NOUNS.has(class) => Pos::Noun,
        Sense::Metric(_) | Sense::Purpose(_) | Sense::Segment(_) | Sense::Name(_) | Sense::Product => Pos::Noun,
        Sense::Cue(_) | Sense::Category(..) => Pos::Verb,
        Sense::Unit(_) => Pos::Classifier,
        Sense::RegionWord(_) => Pos::Region,
        Sense::Class(
            Class::Sending | Class::Placing | Class::TakingIn | Class::Acting | Class::Serving | Class::Deed | Class::Pledging,
        ) => Pos::Verb,
        Sense::Class(_) => Pos::Noun,
        _ => return None,
    })
}

impl Lexicon {
    /// What a found word is when the text is tiled, unless others make it up.
    #[inline]
    pub(crate) fn entry(&self, word: u32) -> Option<Entry> {
        self.word_entries.get(word as usize).copied().flatten()
    }
}
