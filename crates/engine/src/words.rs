//! Short lists of words that one rule asks for, ready to be looked for.

use super::source::{Glyphs, SourceText};

/// How many times 64 bits tell which glyphs words begin or end with.
const SLOTS: usize = 8;

/// A list of words with a bit for each first and each last character, modulo 512: most glyphs are none of them.
#[derive(Debug)]
pub struct Words {
    /// The words, glyph by glyph: a comparison ends at the first that differs.
    list: &'static [&'static [char]],
    firsts: [u64; SLOTS],
    lasts: [u64; SLOTS],
}

/// A list of words, made ready when the program is compiled.
macro_rules! words {
    ($($word:literal),* $(,)?) => {
        const {
            &$crate::words::Words::new(&[$({
                const GLYPHS: [char; $crate::words::length($word)] = $crate::words::glyphs($word);
                &GLYPHS
            }),*])
        }
    };
}
pub(crate) use words;

impl Words {
    /// The list of `words`.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
    pub const fn new(words: &'static [&'static [char]]) -> Self {
        let (mut firsts, mut lasts) = ([0; SLOTS], [0; SLOTS]);
        let mut i = 0;
        while i < words.len() {
            let word = words[i];
            let (first, last) = (slot(word[0]), slot(word[word.len() - 1]));
            firsts[first.0] |= first.1;
            lasts[last.0] |= last.1;
            i += 1;
        }
        Self { list: words, firsts, lasts }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first two glyphs of each word; a word of one glyph has none.
    pub fn pairs(&self) -> impl Iterator<Item = (char, char)> {
        self.list.iter().filter_map(|word| Some((*word.first()?, *word.get(1)?)))
    }

    fn may_begin(&self, glyph: char) -> bool {
        let (slot, bit) = slot(glyph);
        self.firsts.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    fn may_end(&self, glyph: char) -> bool {
        let (slot, bit) = slot(glyph);
        self.lasts.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    /// The words that `glyphs` begin with, by their place in the list.
    fn heading(&self, glyphs: &[char]) -> impl Iterator<Item = (usize, &'static [char])> {
        let begins = move |word: &[char]| word.len() <= glyphs.len() && word.iter().zip(glyphs).all(|(own, glyph)| own == glyph);
        self.list.iter().copied().enumerate().filter(move |(_, word)| begins(word))
    }

    /// The words that `glyphs` end with, by their place in the list.
    fn ending(&self, glyphs: &[char]) -> impl Iterator<Item = (usize, &'static [char])> {
        let ends =
            move |word: &[char]| word.len() <= glyphs.len() && word.iter().rev().zip(glyphs.iter().rev()).all(|(own, glyph)| own == glyph);
        self.list.iter().copied().enumerate().filter(move |(_, word)| ends(word))
    }

    /// The words that stand at `at`, by their place in the list, and where each ends.
    pub fn from(&self, source: &SourceText<'_>, at: usize) -> impl Iterator<Item = (usize, usize)> {
        let glyphs = source.glyphs().get(at..).unwrap_or_default();
        let glyphs = if glyphs.first().is_some_and(|&first| self.may_begin(first)) { glyphs } else { &[] };
        self.heading(glyphs).map(move |(index, word)| (index, at + word.len()))
    }

    /// The words that end at `at`, by their place in the list, and where each begins.
    pub fn to(&self, source: &SourceText<'_>, at: usize) -> impl Iterator<Item = (usize, usize)> {
        let glyphs = source.glyphs().get(..at.min(source.len())).unwrap_or_default();
        let glyphs = if glyphs.last().is_some_and(|&last| self.may_end(last)) { glyphs } else { &[] };
        self.ending(glyphs).map(move |(index, word)| (index, at - word.len()))
    }

    /// Where the first of the words that stands at `at` ends.
    #[must_use]
    pub fn end_at(&self, source: &SourceText<'_>, at: usize) -> Option<usize> {
        self.from(source, at).next().map(|(_, end)| end)
    }

    /// Whether one of the words stands at `at`.
    #[must_use]
    pub fn start_at(&self, source: &SourceText<'_>, at: usize) -> bool {
        self.end_at(source, at).is_some()
    }

    /// Whether one of the words ends at `at`.
    #[must_use]
    pub fn end_before(&self, source: &SourceText<'_>, at: usize) -> bool {
        self.to(source, at).next().is_some()
    }

    /// Where the first of the words inside `range` stands.
    #[must_use]
    pub fn first_in(&self, source: &SourceText<'_>, range: Glyphs) -> Option<Glyphs> {
        let glyphs = source.glyphs();
        let stretch = glyphs.get(range.start..range.end.min(glyphs.len())).unwrap_or_default();
        let mut places = (0..).zip(stretch).filter(|(_, glyph)| self.may_begin(**glyph));
        places.find_map(|(at, _)| {
            let (_, word) = self.heading(stretch.get(at..).unwrap_or_default()).next()?;
            Some(range.start + at..range.start + at + word.len())
        })
    }

    /// Whether one of the words lies inside `range`.
    #[must_use]
    pub fn lie_in(&self, source: &SourceText<'_>, range: Glyphs) -> bool {
        self.first_in(source, range).is_some()
    }
}

/// The place of a character's bit.
const fn slot(c: char) -> (usize, u64) {
    let c = c as u32;
    (c as usize / 64 % SLOTS, 1 << (c % 64))
}

/// How many glyphs a word has.
#[must_use]
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
pub const fn length(word: &str) -> usize {
    let bytes = word.as_bytes();
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        count += (bytes[at] & 0xc0 != 0x80) as usize;
        at += 1;
    }
    count
}

/// The glyphs of a word.
#[must_use]
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
pub const fn glyphs<const LENGTH: usize>(word: &str) -> [char; LENGTH] {
    let word = word.as_bytes();
    let mut glyphs = ['\0'; LENGTH];
    let (mut count, mut at) = (0, 0);
    while count < LENGTH {
        let (mut code, width) = match word[at] {
            first @ 0..0x80 => (first as u32, 1),
            first @ 0xc0..0xe0 => ((first & 0x1f) as u32, 2),
            first @ 0xe0..0xf0 => ((first & 0x0f) as u32, 3),
            first => ((first & 0x07) as u32, 4),
        };
        let end = at + width;
        at += 1;
        while at < end {
            code = code << 6 | (word[at] & 0x3f) as u32;
            at += 1;
        }
        glyphs[count] = match char::from_u32(code) {
            Some(glyph) => glyph,
            None => char::REPLACEMENT_CHARACTER,
        };
        count += 1;
    }
    glyphs
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENDS: &Words = words!["发放", "授信", "POS", "±", "贷😀"];

    #[test]
    fn words_are_found_where_they_stand_and_only_whole() {
        let source = SourceText::new("授信与发放贷款POS±发贷😀");
        assert_eq!(LENDS.end_at(&source, 0), Some(2));
        assert_eq!(LENDS.end_at(&source, 1), None);
        assert!(LENDS.start_at(&source, 3) && !LENDS.start_at(&source, 4));
        assert!(LENDS.end_before(&source, 5) && !LENDS.end_before(&source, 4));
        assert_eq!(LENDS.from(&source, 7).collect::<Vec<_>>(), [(2, 10)]);
        assert_eq!(LENDS.to(&source, 2).collect::<Vec<_>>(), [(1, 0)]);
        assert!(LENDS.start_at(&source, 7) && LENDS.start_at(&source, 10) && LENDS.start_at(&source, 12));
        assert!(LENDS.lie_in(&source, 2..5));
        // A word that the range cuts is not in it, nor is a part of one.
        assert!(!LENDS.lie_in(&source, 4..7));
        assert!(!LENDS.lie_in(&source, 11..13));
        assert!(!words![].lie_in(&source, 0..12));
    }
}
