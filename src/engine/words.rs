//! Short lists of words that one rule asks for, ready to be looked for.

use super::source::{Glyphs, SourceText};

/// A list of words with a bit for each first and each last character, modulo 256: most glyphs are none of them.
#[derive(Debug)]
pub struct Words {
    list: &'static [&'static str],
    firsts: [u64; 4],
    lasts: [u64; 4],
}

/// A list of words, made ready when the program is compiled.
macro_rules! words {
    ($($word:literal),* $(,)?) => { const { &$crate::engine::words::Words::new(&[$($word),*]) } };
}
pub(crate) use words;

impl Words {
    /// The list of `words`.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
    pub const fn new(words: &'static [&'static str]) -> Self {
        let (mut firsts, mut lasts) = ([0; 4], [0; 4]);
        let mut i = 0;
        while i < words.len() {
            let word = words[i].as_bytes();
            let (first, last) = (slot(char_at(word, 0)), slot(char_at(word, last_start(word))));
            firsts[first.0] |= first.1;
            lasts[last.0] |= last.1;
            i += 1;
        }
        Self { list: words, firsts, lasts }
    }

    fn may_begin(&self, glyph: char) -> bool {
        let (slot, bit) = slot(glyph as u32);
        self.firsts.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    fn may_end(&self, glyph: char) -> bool {
        let (slot, bit) = slot(glyph as u32);
        self.lasts.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    /// Where the first of the words that stands at `at` ends, no later than `ceiling`.
    fn end_within(&self, source: &SourceText<'_>, at: usize, ceiling: usize) -> Option<usize> {
        let standing = self.list.iter().filter(|word| source.starts_with(at, word));
        standing.map(|word| at + word.chars().count()).find(|&end| end <= ceiling)
    }

    /// Where the first of the words that stands at `at` ends.
    #[must_use]
    pub fn end_at(&self, source: &SourceText<'_>, at: usize) -> Option<usize> {
        if self.may_begin(source.at(at)) { self.end_within(source, at, usize::MAX) } else { None }
    }

    /// Whether one of the words stands at `at`.
    #[must_use]
    pub fn start_at(&self, source: &SourceText<'_>, at: usize) -> bool {
        self.may_begin(source.at(at)) && self.list.iter().any(|word| source.starts_with(at, word))
    }

    /// Whether one of the words ends at `at`.
    #[must_use]
    pub fn end_before(&self, source: &SourceText<'_>, at: usize) -> bool {
        self.may_end(source.before(at)) && self.list.iter().any(|word| source.ends_with(at, word))
    }

    /// Where the first of the words inside `range` stands.
    #[must_use]
    pub fn first_in(&self, source: &SourceText<'_>, range: Glyphs) -> Option<Glyphs> {
        let glyphs = source.glyphs();
        let stretch = glyphs.get(range.start..range.end.min(glyphs.len())).unwrap_or_default();
        let mut places = (range.start..).zip(stretch).filter(|(_, glyph)| self.may_begin(**glyph));
        places.find_map(|(at, _)| Some(at..self.end_within(source, at, range.end)?))
    }

    /// Whether one of the words lies inside `range`.
    #[must_use]
    pub fn lie_in(&self, source: &SourceText<'_>, range: Glyphs) -> bool {
        self.first_in(source, range).is_some()
    }
}

/// The place of a character's bit.
const fn slot(c: u32) -> (usize, u64) {
    ((c / 64 % 4) as usize, 1 << (c % 64))
}

/// The character of a word in UTF-8 that starts at `at`, of three bytes at the most; 0 behind its end.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
const fn char_at(word: &[u8], at: usize) -> u32 {
    if at >= word.len() {
        return 0;
    }
    match word[at] {
        0..0x80 => word[at] as u32,
        0xc0..0xe0 => ((word[at] & 0x1f) as u32) << 6 | (word[at + 1] & 0x3f) as u32,
        _ => ((word[at] & 0x0f) as u32) << 12 | ((word[at + 1] & 0x3f) as u32) << 6 | (word[at + 2] & 0x3f) as u32,
    }
}

/// Where the last character of a word in UTF-8 starts.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
const fn last_start(word: &[u8]) -> usize {
    let mut at = word.len().saturating_sub(1);
    while at > 0 && word[at] & 0xc0 == 0x80 {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENDS: &Words = words!["发放", "授信", "POS", "±"];

    #[test]
    fn words_are_found_where_they_stand_and_only_whole() {
        let source = SourceText::new("授信与发放贷款POS±发");
        assert_eq!(LENDS.end_at(&source, 0), Some(2));
        assert_eq!(LENDS.end_at(&source, 1), None);
        assert!(LENDS.start_at(&source, 3) && !LENDS.start_at(&source, 4));
        assert!(LENDS.end_before(&source, 5) && !LENDS.end_before(&source, 4));
        assert!(LENDS.start_at(&source, 7) && LENDS.start_at(&source, 10));
        assert!(LENDS.lie_in(&source, 2..5));
        // A word that the range cuts is not in it, nor is a part of one.
        assert!(!LENDS.lie_in(&source, 4..7));
        assert!(!LENDS.lie_in(&source, 11..99));
        assert!(!words![].lie_in(&source, 0..12));
    }
}
