//! All words of the tables as a tree of their glyphs, and how they are found in a text.
//!
//! At most places of a text no word begins, or one of a single glyph. Where one may begin is noted first, for the
//! whole text, by looks at two sets of bits that stay in the nearest cache. Only there the words are looked up: those
//! of one glyph in a table of their own, the others by their first two glyphs, and then, for all places at once, by one
//! glyph more as long as any word goes on. Only a table whose place is taken asks again: else no branch is to be guessed.

use std::collections::BTreeMap;

use crate::lists::{Set, hash, marked, pair};

/// What is known of a beginning of words.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The word that ends here, or `NONE`.
    word: u32,
    /// A bit for each glyph that may follow, modulo 32: most of a text's glyphs go on with no word.
    follows: u32,
}

/// The bit of a glyph that follows.
const fn bit(glyph: char) -> u32 {
    1 << (glyph as u32 % 32)
}

/// No word, no node.
const NONE: u32 = u32::MAX;
/// How many bits the number of a node or a word has, and a glyph.
const NUMBER_BITS: u32 = 21;

/// A word in a text: its first glyph, the glyph after its last, its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub start: u32,
    pub end: u32,
    pub word: u32,
}

/// The words of a lexicon.
#[derive(Debug)]
pub struct Trie {
    /// The words of one glyph.
    singles: Table,
    may_be_single: Set<128>,
    /// The nodes of the first two glyphs of the others.
    pairs: Table,
    may_be_pair: Set<2048>,
    /// The node that a glyph leads to from another.
    further: Table,
    /// The beginnings of words.
    nodes: Vec<Node>,
}

/// A beginning of words, while the tree is made.
#[derive(Default)]
struct Branch {
    word: Option<u32>,
    next: BTreeMap<char, u32>,
}

impl Trie {
    /// The tree of `words`, which are numbered as they come.
    ///
    /// # Errors
    /// When a word is empty, or the words have more beginnings than the tree can number.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, String> {
        let mut branches = vec![Branch::default()];
        for (word, number) in words.into_iter().zip(0..) {
            if word.is_empty() {
                return Err("a form is empty".to_owned());
            }
            let mut at = 0;
            for glyph in word.chars() {
                let new = u32::try_from(branches.len()).unwrap_or(NONE);
                let next = branches.get_mut(at as usize).map_or(new, |branch| *branch.next.entry(glyph).or_insert(new));
                if next == new {
                    branches.push(Branch::default());
                }
                at = next;
            }
            if let Some(branch) = branches.get_mut(at as usize) {
                branch.word = Some(number);
            }
        }
        if branches.len() > 1 << NUMBER_BITS {
            return Err(format!("the words have {} beginnings, more than {}", branches.len(), 1 << NUMBER_BITS));
        }
        let next = |branch: u32| branches.get(branch as usize).into_iter().flat_map(|branch| &branch.next);
        let (mut singles, mut pairs, mut further) = (Vec::new(), Vec::new(), Vec::new());
        let mut beginnings = Vec::with_capacity(branches.len());
        for (&first, &branch) in next(0) {
            singles.extend(branches.get(branch as usize).and_then(|branch| branch.word).map(|word| (u64::from(first), word)));
            pairs.extend(next(branch).map(|(&second, &node)| (pair(first, second), node)));
            beginnings.extend(next(branch).map(|(_, &node)| node));
        }
        while let Some(node) = beginnings.pop() {
            further.extend(next(node).map(|(&glyph, &longer)| (step(node, glyph), longer)));
            beginnings.extend(next(node).map(|(_, &longer)| longer));
        }
        let node = |branch: &Branch| Node {
            word: branch.word.unwrap_or(NONE),
            follows: branch.next.keys().fold(0, |bits, &glyph| bits | bit(glyph)),
        };
        Ok(Self {
            may_be_single: Set::new(singles.iter().map(|&(key, _)| key)),
            singles: Table::new(&singles),
            may_be_pair: Set::new(pairs.iter().map(|&(key, _)| key)),
            pairs: Table::new(&pairs),
            further: Table::new(&further),
            nodes: branches.iter().map(node).collect(),
        })
    }

    /// Every word in `text`: those of one glyph by place, then those of two by place, and so on.
    #[must_use]
    pub fn find(&self, text: &[char]) -> Vec<Found> {
        let glyph_at = |at: u32| text.get(at as usize).copied().unwrap_or('\n');
        let places = marked(text.iter(), |at, &glyph| (at, self.may_be_single.may_hold(u64::from(glyph))));
        let mut found = Vec::with_capacity(text.len() * 3 / 4);
        found.extend(marked(places.into_iter(), |_, at| {
            let word = self.singles.get(u64::from(glyph_at(at)));
            (Found { start: at, end: at + 1, word }, word != NONE)
        }));
        let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
        let places = marked(pairs, |at, (&first, &second)| (at, self.may_be_pair.may_hold(pair(first, second))));
        let mut begun = marked(places.into_iter(), |_, at| {
            let node = self.pairs.get(pair(glyph_at(at), glyph_at(at + 1)));
            ((at, node), node != NONE)
        });
        let mut length = 2;
        while !begun.is_empty() {
            let node = |node: u32| self.nodes.get(node as usize).copied().unwrap_or(Node { word: NONE, follows: 0 });
            found.extend(marked(begun.iter(), |_, &(at, number)| {
                let word = node(number).word;
                (Found { start: at, end: at + length, word }, word != NONE)
            }));
            let going_on = marked(begun.into_iter(), |_, (at, number)| {
                let follows = (at + length) < u32::try_from(text.len()).unwrap_or(NONE);
                ((at, number), follows & (node(number).follows & bit(glyph_at(at + length)) != 0))
            });
            begun = marked(going_on.into_iter(), |_, (at, number)| {
                let node = self.further.get(step(number, glyph_at(at + length)));
                ((at, node), node != NONE)
            });
            length += 1;
        }
        found
    }
}

/// A node and the glyph that goes on from it as one number.
const fn step(node: u32, glyph: char) -> u64 {
    (node as u64) << NUMBER_BITS | glyph as u64
}

/// Numbers by glyphs: a table with room to spare, whose places are tried one after the other.
#[derive(Debug)]
struct Table {
    /// Key and number packed into one; `u64::MAX` where the place is free.
    places: Vec<u64>,
    shift: u32,
}

impl Table {
    /// The table of these keys and their numbers.
    fn new(entries: &[(u64, u32)]) -> Self {
        let bits = (entries.len() * 2).next_power_of_two().trailing_zeros().max(1);
        let mut table = Self { places: vec![u64::MAX; 1 << bits], shift: u64::BITS - bits };
        for &(key, number) in entries {
            let mut at = table.place(key);
            while table.places.get(at).is_some_and(|&taken| taken != u64::MAX) {
                at = (at + 1) & (table.places.len() - 1);
            }
            if let Some(place) = table.places.get_mut(at) {
                *place = key << NUMBER_BITS | u64::from(number);
            }
        }
        table
    }

    fn place(&self, key: u64) -> usize {
        usize::try_from(hash(key) >> self.shift).unwrap_or(usize::MAX)
    }

    /// The number of `key`, or `NONE`.
    #[inline]
    fn get(&self, key: u64) -> u32 {
        let mut at = self.place(key);
        loop {
            let taken = self.places.get(at).copied().unwrap_or(u64::MAX);
            let (is_key, is_free) = (taken >> NUMBER_BITS == key, taken == u64::MAX);
            // One question for both, as most lookups end at the first place, whichever it is.
            if is_key | is_free {
                return if is_key { u32::try_from(taken & ((1 << NUMBER_BITS) - 1)).unwrap_or(NONE) } else { NONE };
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Vec<(usize, usize, u32)> {
        let trie = Trie::new(words.iter().copied()).expect("they are words");
        let glyphs: Vec<char> = text.chars().collect();
        trie.find(&glyphs).into_iter().map(|found| (found.start as usize, found.end as usize, found.word)).collect()
    }

    #[test]
    fn all_words_of_a_text_are_found_and_no_others() {
        let words = ["贷", "贷款", "贷款余额", "贷款余额为", "款", "POS机", "存贷款", "贷😀", "𬭎", "𬭎业银行"];
        assert_eq!(found(&words, "贷款余额是"), [(0, 1, 0), (1, 2, 4), (0, 2, 1), (0, 4, 2)]);
        assert_eq!(found(&words, "存贷款"), [(1, 2, 0), (2, 3, 4), (1, 3, 1), (0, 3, 6)]);
        assert_eq!(found(&words, "有POS机具"), [(1, 5, 5)]);
        assert_eq!(found(&words, "贷😀"), [(0, 1, 0), (0, 2, 7)]);
        assert_eq!(found(&words, "😀存"), []);
        assert_eq!(found(&words, "𬭎业银行"), [(0, 1, 8), (0, 4, 9)]);
        assert_eq!(found(&words, ""), []);
        assert_eq!(found(&[], "贷款"), []);
    }

    #[test]
    fn an_empty_word_is_refused() {
        assert_eq!(Trie::new(["贷款", ""]).err().as_deref(), Some("a form is empty"));
    }
}
