//! Ordinary words of the language: `general.txt`, laid out by `build/automaton.rs` and compiled into the program.

#[path = "../../build/automaton.rs"]
#[cfg(test)]
mod automaton;

/// Parts of speech, as a rule asks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Pos {
    /// 企业 资金: a noun.
    Noun,
    /// 发放 走访: a verb.
    Verb,
    /// 工作 投资: a verb that is used as a noun.
    VerbalNoun,
    /// 新 优质 小型: an adjective, or what only stands before nouns.
    Adjective,
    /// 已 均 进一步.
    Adverb,
    /// 向 为 通过.
    Preposition,
    /// 和 但 因此.
    Conjunction,
    /// 该 其 各.
    Pronoun,
    /// A number as the recognizers read it, or 许多, 一批.
    Number,
    /// 户 笔 项.
    Classifier,
    /// 目前 上半年, and dates.
    Time,
    /// 以上 内 县域: where.
    Place,
    /// 的 了 等.
    Particle,
    /// 泰和县 东北: a geographical name.
    Region,
    /// A name of a person.
    Person,
    /// A name of an institution or a company.
    Organisation,
    /// 千方百计: a saying.
    Idiom,
    /// A punctuation mark, or another sign.
    Mark,
    /// Letters and digits that are no number, and glyphs that no word has.
    #[default]
    Unknown,
}

impl Pos {
    /// The part of speech that a letter of `general.txt` stands for.
    const fn of(letter: u8) -> Self {
        match letter {
            b'N' => Self::Noun,
            b'V' => Self::Verb,
            b'E' => Self::VerbalNoun,
            b'A' => Self::Adjective,
            b'D' => Self::Adverb,
            b'P' => Self::Preposition,
            b'C' => Self::Conjunction,
            b'R' => Self::Pronoun,
            b'M' => Self::Number,
            b'Q' => Self::Classifier,
            b'T' => Self::Time,
            b'F' => Self::Place,
            b'U' => Self::Particle,
            b'G' => Self::Region,
            b'H' => Self::Person,
            b'O' => Self::Organisation,
            b'I' => Self::Idiom,
            _ => Self::Unknown,
        }
    }
}

/// What is known of a word: how it is used, and how much it costs to read it, in eighths of a bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its part of speech.
    pub pos: Pos,
    /// What it costs: frequent words little.
    pub cost: u8,
}

/// The first glyph that has a number, and how many have.
const FIRST: u32 = 0x4e00;
const NUMBERED: usize = 0x5200;
/// Bits of a state: what ends here, and its parent.
const VALUE_BITS: u32 = 16;
const PARENT_BITS: u32 = 24;

const FILE: (&[u8], &[u8]) = include_bytes!(concat!(env!("OUT_DIR"), "/general.bin")).split_at(2 * NUMBERED);
static NUMBERS: &[[u8; 2]] = FILE.0.as_chunks().0;
static STATES: &[[u8; 8]] = FILE.1.as_chunks().0;

/// The number of a glyph, 0 if no word has it.
#[inline]
fn number(glyph: char) -> usize {
    let number = NUMBERS.get((glyph as usize).wrapping_sub(FIRST as usize));
    number.map_or(0, |number| usize::from(u16::from_le_bytes(*number)))
}

#[inline]
fn state(at: usize) -> u64 {
    STATES.get(at).map_or(0, |state| u64::from_le_bytes(*state))
}

/// The ordinary words that a text begins with, the shortest first.
#[derive(Debug)]
pub struct Heading<'g> {
    glyphs: std::slice::Iter<'g, char>,
    /// How many glyphs have been read, the place of the state they lead to, and the base of its children.
    length: usize,
    at: u64,
    base: u64,
}

/// The ordinary words that `glyphs` begin with.
#[inline]
#[must_use]
pub fn heading(glyphs: &[char]) -> Heading<'_> {
    Heading { glyphs: glyphs.iter(), length: 0, at: 0, base: 0 }
}

impl Iterator for Heading<'_> {
    type Item = (usize, Entry);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let number = number(*self.glyphs.next()?);
            let place = self.base + number as u64;
            let state = state(usize::try_from(place).unwrap_or(usize::MAX));
            // A glyph without a number leads to a place that names another parent, but for the root's.
            if state >> VALUE_BITS & ((1 << PARENT_BITS) - 1) != self.at || number == 0 {
                return None;
            }
            self.length += 1;
            (self.at, self.base) = (place, state >> (VALUE_BITS + PARENT_BITS));
            let value = state & ((1 << VALUE_BITS) - 1);
            if value != 0 {
                let [cost, letter, ..] = value.to_le_bytes();
                return Some((self.length, Entry { pos: Pos::of(letter), cost }));
            }
        }
    }
}

/// What is known of `word` as a whole.
#[must_use]
pub fn entry(word: &[char]) -> Option<Entry> {
    heading(word).find(|(length, _)| *length == word.len()).map(|(_, entry)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("general.txt");

    fn entry_of(word: &str) -> Option<Entry> {
        entry(&word.chars().collect::<Vec<_>>())
    }

    #[test]
    fn every_word_of_the_list_is_found_as_the_list_says() {
        let mut count = 0;
        for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split(' ').collect();
            let entry = Entry { pos: Pos::of(cells[0].as_bytes()[0]), cost: cells[1].parse().unwrap() };
            for word in &cells[2..] {
                assert_eq!(entry_of(word), Some(entry), "{word}");
                count += 1;
            }
        }
        assert!((40_000..=70_000).contains(&count), "{count} words");
    }

    #[test]
    fn nothing_else_is_found() {
        for word in ["", "农机具体", "\u{9fff}", "A", ",", "，", "\u{10ffff}", "款贷", "贷\u{4dff}", "\u{a000}"] {
            assert_eq!(entry_of(word), None, "{word}");
        }
        let words: std::collections::BTreeSet<&str> =
            TEXT.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split(' ').skip(2)).collect();
        let text: Vec<char> = words.iter().step_by(7).flat_map(|word| word.chars()).collect();
        for at in 0..text.len() {
            let rest = &text[at..text.len().min(at + 8)];
            let found: Vec<usize> = heading(rest).map(|(length, _)| length).collect();
            let listed = (1..=rest.len()).filter(|&length| words.contains(rest[..length].iter().collect::<String>().as_str()));
            assert_eq!(found, listed.collect::<Vec<_>>(), "{rest:?}");
        }
    }

    #[test]
    fn a_list_that_is_no_list_is_refused() {
        for (text, problem) in [("N 款 3", "no part of speech"), ("N 40 款 贷 款", "twice"), ("N 40 贷A", "no number"), ("N 40 ", "empty")]
        {
            assert!(automaton::of_text(text).unwrap_err().contains(problem), "{text}");
        }
        assert!(automaton::of_text("# head\nN 40 贷 款\n").is_ok());
    }
}
