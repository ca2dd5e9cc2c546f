//! The text as words: whole, one behind the other, from its first glyph to its last.
//!
//! Numbers, dates and names stand as the recognizers found them. Between them the words of the tables and of the general
//! dictionary tile the text at the least cost. What is a word here is no place for another word to begin or end: 机具 is
//! not in 农机具, nor 行为 in 工行|为.

mod lattice;

use crate::lexicon::general::{Pos, heading};
use crate::lexicon::{Classes, Hit, Hits, Lexicon};
use crate::lists::Ranks;
use crate::source::{Glyphs, SourceText};

/// A word in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    first: u32,
    behind: u32,
    /// The number of the word in the tables, or `NONE`.
    word: u32,
    /// How it is used.
    pub pos: Pos,
}

/// No word of the tables.
const NONE: u32 = u32::MAX;

impl Token {
    fn new(range: &Glyphs, pos: Pos, word: u32) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { first: place(range.start), behind: place(range.end), word, pos }
    }

    /// First glyph.
    #[must_use]
    pub const fn start(self) -> usize {
        self.first as usize
    }

    /// Glyph after the last.
    #[must_use]
    pub const fn end(self) -> usize {
        self.behind as usize
    }

    /// The glyphs it covers.
    #[must_use]
    pub const fn range(self) -> Glyphs {
        self.start()..self.end()
    }

    /// The classes that the tables put it in.
    #[must_use]
    pub fn classes(self, lexicon: &Lexicon) -> Classes {
        lexicon.classes_of(self.word)
    }
}

/// What the recognizers have found: each is one word.
#[derive(Clone, Debug, Default)]
pub struct Fixed(Vec<(Glyphs, Pos)>);

impl Fixed {
    /// Adds what is of one kind, by place.
    #[must_use]
    pub fn with(mut self, ranges: impl Iterator<Item = Glyphs>, pos: Pos) -> Self {
        self.0.extend(ranges.map(|range| (range, pos)));
        self
    }

    /// All of them by place; where two overlap, the one that begins first, and of those the longer.
    fn by_place(mut self) -> impl Iterator<Item = (Glyphs, Pos)> {
        self.0.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
        let mut end = 0;
        self.0.into_iter().filter(move |(range, _)| {
            let stands = range.start >= end && !range.is_empty();
            end = if stands { range.end } else { end };
            stands
        })
    }
}

/// The text and the words of the tables in it, where a token is looked into.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a, 't> {
    /// The text.
    pub source: &'a SourceText<'t>,
    /// The words found.
    pub hits: &'a Hits,
}

impl Around<'_, '_> {
    /// Whether a token ends with a word that is a part of it: no other word lies across its beginning.
    fn parts(self, token: Token, word: Hit) -> bool {
        let across = |end: usize| word.start() < end && end < token.end();
        let of_tables = self.hits.starting_in(token.start()..word.start()).iter().any(|other| across(other.end()));
        let glyphs = self.source.glyphs().get(token.range()).unwrap_or_default();
        !of_tables && !heading(glyphs).any(|(length, _)| across(token.start() + length))
    }
}

/// The words that tile a text.
#[derive(Debug)]
pub struct Tokens {
    list: Vec<Token>,
    starts: Ranks,
    length: usize,
}

impl Tokens {
    /// Tiles a text.
    #[must_use]
    pub fn new(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, fixed: Fixed) -> Self {
        let list = lattice::tokens(source, hits, lexicon, fixed.by_place());
        let starts = Ranks::new(list.iter().map(|token| token.start()), source.len());
        Self { list, starts, length: source.len() }
    }

    /// All of them, by place.
    #[must_use]
    pub fn all(&self) -> &[Token] {
        &self.list
    }

    /// The token that holds glyph `at`.
    #[must_use]
    pub fn at(&self, at: usize) -> Option<Token> {
        self.list.get(self.starts.before(at + 1).checked_sub(1)?).copied().filter(|token| at < token.end())
    }

    /// The tokens that begin inside `range`.
    #[must_use]
    pub fn starting_in(&self, range: &Glyphs) -> &[Token] {
        self.list.get(self.starts.before(range.start)..self.starts.before(range.end)).unwrap_or_default()
    }

    /// Whether a word ends and another begins between glyph `at` and the one before.
    #[must_use]
    pub fn is_border(&self, at: usize) -> bool {
        self.starts.holds(at) || at >= self.length
    }

    /// Whether `range` begins and ends with whole words.
    #[must_use]
    pub fn are_whole(&self, range: &Glyphs) -> bool {
        self.is_border(range.start) & self.is_border(range.end)
    }

    /// Whether a found word is made of the end of one word and the beginning of another: 微信 in 小微|信贷.
    #[must_use]
    pub fn is_torn(&self, hit: Hit) -> bool {
        !self.is_border(hit.start()) && self.at(hit.start()).is_some_and(|token| token.end() < hit.end())
            || !self.is_border(hit.end()) && self.at(hit.end()).is_some_and(|token| hit.start() < token.start())
    }

    /// Whether a found word is one that stands in the text: not the end of one word and the beginning of another, nor inside
    /// a longer one, unless the tables know that and it is the noun that it ends with (再贷款 in 支小再贷款).
    #[must_use]
    pub fn stands(&self, around: Around<'_, '_>, hit: Hit) -> bool {
        self.is_border(hit.end())
            && (self.is_border(hit.start()) || self.ended_by(hit).is_some_and(|token| token.word != NONE && around.parts(token, hit)))
    }

    /// Whether a found word stands, or is the noun that any longer one ends with: 公司 in 子公司, but not 利率 in 毛利|率.
    #[must_use]
    pub fn is_head(&self, around: Around<'_, '_>, hit: Hit) -> bool {
        self.is_border(hit.end()) && (self.is_border(hit.start()) || self.ended_by(hit).is_some_and(|token| around.parts(token, hit)))
    }

    /// The token that a found word ends and does not begin.
    fn ended_by(&self, hit: Hit) -> Option<Token> {
        self.at(hit.start()).filter(|token| token.start() < hit.start() && token.end() == hit.end())
    }
}

#[cfg(test)]
mod tests;
