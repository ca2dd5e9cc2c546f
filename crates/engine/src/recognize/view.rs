//! The glyphs that a rule may look at.

use crate::source::{Glyphs, SourceText, is_ideograph};
use crate::words::Words;

/// The glyphs up to a bound; beyond it there is only `\n`.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    source: &'a SourceText<'a>,
    /// Glyph after the last that may be read.
    pub end: usize,
}

impl<'a> View<'a> {
    /// The first `end` glyphs of `source`.
    pub fn new(source: &'a SourceText<'a>, end: usize) -> Self {
        Self { source, end: end.min(source.len()) }
    }

    /// This view, ending no later than `end`.
    pub fn up_to(&self, end: usize) -> Self {
        Self { end: end.min(self.end), ..*self }
    }

    /// The glyph at `at`, or `\n` outside the view.
    pub fn at(&self, at: usize) -> char {
        if at < self.end { self.source.at(at) } else { '\n' }
    }

    /// The text of a range inside the view.
    pub fn text(&self, range: Glyphs) -> &'a str {
        self.source.text(range.start..range.end.min(self.end))
    }

    /// The glyph before `at`, or `\n` at the start.
    pub fn before(&self, at: usize) -> char {
        at.checked_sub(1).map_or('\n', |i| self.at(i))
    }

    /// Whether no space sets a comma off from the digit behind it, and it is as wide in the original as the digit before it,
    /// or its number has a unit right behind: 1,234 and １，２３４ and 20，300户 but not 20，300 or 1, 234.
    pub fn is_tight_comma(&self, at: usize) -> bool {
        let width = |i: usize| self.source.span(i..i + 1);
        let (before, comma, next) = (width(at.saturating_sub(1)), width(at), width(at + 1));
        let gap = self.source.original().get(comma.end..next.start).unwrap_or_default();
        let wide = before.end - before.start != comma.end - comma.start;
        (!wide || self.counted_behind(at + 1)) && (gap.is_empty() || gap.contains('\n'))
    }

    /// Whether the groups of digits at `at` end with decimals or what is counted.
    fn counted_behind(&self, at: usize) -> bool {
        /// Most digits that are looked at.
        const DIGITS: usize = 16;
        let goes_on = |&i: &usize| self.at(i).is_ascii_digit() || self.at(i) == ',' && self.at(i + 1).is_ascii_digit();
        let end = (at..at + DIGITS).take_while(goes_on).last().map_or(at, |last| last + 1);
        matches!(self.at(end), '.' | '%') || is_ideograph(self.at(end)) || self.at(end).is_ascii_alphabetic()
    }

    /// Where `word` ends if it stands at `at`.
    pub fn skip(&self, at: usize, word: &str) -> Option<usize> {
        let stands = at < self.end && self.source.starts_with(at, word);
        stands.then(|| at + word.chars().count()).filter(|&end| end <= self.end)
    }

    /// Whether `word` stands at `at`.
    pub fn has(&self, at: usize, word: &str) -> bool {
        self.skip(at, word).is_some()
    }

    /// Where the first of `words` that stands at `at` ends.
    pub fn skip_any(&self, at: usize, words: &Words) -> Option<usize> {
        self.which(at, words).map(|(_, end)| end)
    }

    /// The first of `words` that stands at `at`, by its place in the list, and where it ends.
    pub fn which(&self, at: usize, words: &Words) -> Option<(usize, usize)> {
        self.every(at, words).next()
    }

    /// The words that stand at `at`, by their place in the list, and where each ends.
    pub fn every<'w>(&'w self, at: usize, words: &'w Words) -> impl Iterator<Item = (usize, usize)> + 'w {
        words.from(self.source, at).filter(|&(_, end)| end <= self.end)
    }

    /// The words that end at `at`, by their place in the list, and where each begins.
    pub fn ending<'w>(&'w self, at: usize, words: &'w Words) -> impl Iterator<Item = (usize, usize)> + 'w {
        let at = if at <= self.end { at } else { 0 };
        words.to(self.source, at)
    }

    /// The glyph after the run of ASCII digits at `at`.
    pub fn digits_end(&self, at: usize) -> usize {
        let mut i = at;
        while self.at(i).is_ascii_digit() {
            i += 1;
        }
        i
    }
}
