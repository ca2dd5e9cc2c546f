//! All words of the tables as a tree of their glyphs, and how they are found in a text.
//!
//! At most places of a text no word begins, or one of a single glyph. Where one may begin is noted first, for the
//! whole text, by looks at two sets of bits that stay in the nearest cache and without a branch that a processor
//! would have to guess. Only there the words are looked up: those of one glyph in a table of their own, the others
//! by their first two glyphs and from there glyph by glyph.

use std::collections::BTreeMap;

use crate::engine::lists::marked;

/// What follows a beginning of words.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The last glyph of the beginning.
    glyph: char,
    /// The word that ends here, or `NONE`.
    word: u32,
    /// A bit for each glyph that may follow, modulo 64: most of a text's glyphs go on with no word.
    follows: u64,
    /// The glyphs that may follow: nodes side by side, in the order of their glyphs.
    first: u32,
    count: u32,
}

/// The bit of a glyph that follows.
const fn bit(glyph: char) -> u64 {
    1 << (glyph as u32 % 64)
}

/// No word, no node.
const NONE: u32 = u32::MAX;
/// How many bits the number of a node or a word has: what two glyphs leave of 64.
const NUMBER_BITS: u32 = 22;
/// How many times 64 bits the sets of single glyphs and of pairs have: powers of two.
const SINGLES: usize = 128;
const PAIRS: usize = 2048;

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
    singles: Table<SINGLES>,
    /// The nodes of the first two glyphs of the others.
    pairs: Table<PAIRS>,
    /// The beginnings of two glyphs and more.
    nodes: Vec<Node>,
}

/// A beginning of words, while the tree is made.
#[derive(Default)]
struct Branch {
    word: Option<u32>,
    next: BTreeMap<char, usize>,
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
                let new = branches.len();
                let next = branches.get_mut(at).map_or(new, |branch| *branch.next.entry(glyph).or_insert(new));
                if next == new {
                    branches.push(Branch::default());
                }
                at = next;
            }
            if let Some(branch) = branches.get_mut(at) {
                branch.word = Some(number);
            }
        }
        if branches.len() > 1 << NUMBER_BITS {
            return Err(format!("the words have {} beginnings, more than {}", branches.len(), 1 << NUMBER_BITS));
        }
        let mut trie = Self { singles: Table::new(&[]), pairs: Table::new(&[]), nodes: Vec::with_capacity(branches.len()) };
        let (mut singles, mut pairs) = (Vec::new(), Vec::new());
        let mut order: Vec<&Branch> = Vec::with_capacity(branches.len());
        for (&first, &branch) in branches.first().into_iter().flat_map(|root| &root.next) {
            let Some(branch) = branches.get(branch) else { continue };
            singles.extend(branch.word.map(|word| (u64::from(first), word)));
            let (from, _) = trie.put(branch, &branches, &mut order);
            pairs.extend(branch.next.keys().zip(from..).map(|(&second, node)| (pair(first, second), node)));
        }
        trie.singles = Table::new(&singles);
        trie.pairs = Table::new(&pairs);
        // Level by level, so that the glyphs which may follow one come side by side.
        let mut at = 0;
        while let Some(branch) = order.get(at).copied() {
            let (first, count) = trie.put(branch, &branches, &mut order);
            if let Some(node) = trie.nodes.get_mut(at) {
                (node.first, node.count) = (first, count);
                node.follows = branch.next.keys().fold(0, |bits, &glyph| bits | bit(glyph));
            }
            at += 1;
        }
        Ok(trie)
    }

    /// Adds the nodes of the glyphs that follow `parent`: the first of them, and how many they are.
    fn put<'b>(&mut self, parent: &Branch, branches: &'b [Branch], order: &mut Vec<&'b Branch>) -> (u32, u32) {
        let number = |count: usize| u32::try_from(count).unwrap_or(NONE);
        let first = number(self.nodes.len());
        for (&glyph, &next) in &parent.next {
            let Some(branch) = branches.get(next) else { continue };
            self.nodes.push(Node { glyph, word: branch.word.unwrap_or(NONE), follows: 0, first: 0, count: 0 });
            order.push(branch);
        }
        (first, number(self.nodes.len()) - first)
    }

    /// Every word in `text`: those of one glyph by place, then the others by place, the shortest of each place first.
    #[must_use]
    pub fn find(&self, text: &[char]) -> Vec<Found> {
        let places = marked(text.iter(), |at, &glyph| (at, self.singles.may_hold(u64::from(glyph))));
        let mut found = marked(places.into_iter(), |_, at| {
            let word = self.singles.get(u64::from(text.get(at as usize).copied().unwrap_or_default()));
            (Found { start: at, end: at + 1, word }, word != NONE)
        });
        let pair_at = |at: u32| match text.get(at as usize..) {
            Some(&[first, second, ..]) => pair(first, second),
            _ => 0,
        };
        let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
        let places = marked(pairs, |at, (&first, &second)| (at, self.pairs.may_hold(pair(first, second))));
        let begun = marked(places.into_iter(), |_, at| {
            let node = self.pairs.get(pair_at(at));
            ((at, node), node != NONE)
        });
        found.reserve(2 * begun.len());
        for (at, node) in begun {
            let Some(mut node) = self.nodes.get(node as usize) else { continue };
            let mut end = at + 2;
            let mut rest = text.get(end as usize..).unwrap_or_default().iter();
            loop {
                // Written and taken back where no word ends: no branch to be guessed.
                found.push(Found { start: at, end, word: node.word });
                found.truncate(found.len() - usize::from(node.word == NONE));
                let Some(glyph) = rest.next().filter(|&&glyph| node.follows & bit(glyph) != 0) else { break };
                let next = self.nodes.get(node.first as usize..(node.first + node.count) as usize).unwrap_or_default();
                let reached = next.binary_search_by_key(glyph, |node| node.glyph).ok();
                let Some(reached) = reached.and_then(|place| next.get(place)) else { break };
                (node, end) = (reached, end + 1);
            }
        }
        found
    }
}

/// Two glyphs as one number.
const fn pair(first: char, second: char) -> u64 {
    (first as u64) << 21 | second as u64
}

/// A number whose upper bits are a hash of `key`.
const fn hash(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Numbers by glyphs: a table with room to spare, whose places are tried one after the other.
#[derive(Debug)]
struct Table<const WORDS: usize> {
    /// Key and number packed into one; `u64::MAX` where the place is free.
    places: Vec<u64>,
    shift: u32,
    /// A bit for the hash of each key.
    set: [u64; WORDS],
}

impl<const WORDS: usize> Table<WORDS> {
    /// The table of these keys and their numbers.
    fn new(entries: &[(u64, u32)]) -> Self {
        let bits = (entries.len() * 2).next_power_of_two().trailing_zeros().max(1);
        let mut table = Self { places: vec![u64::MAX; 1 << bits], shift: u64::BITS - bits, set: [0; WORDS] };
        for &(key, number) in entries {
            let (slot, bit) = Self::bit(key);
            if let Some(bits) = table.set.get_mut(slot) {
                *bits |= bit;
            }
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

    /// The place of a key's bit in the set.
    fn bit(key: u64) -> (usize, u64) {
        let hash = hash(key) >> (u64::BITS - 6 - WORDS.trailing_zeros());
        (usize::try_from(hash >> 6).unwrap_or(0) & (WORDS - 1), 1 << (hash & 63))
    }

    /// Whether the table may hold `key`: a look at the set.
    #[inline]
    fn may_hold(&self, key: u64) -> bool {
        let (slot, bit) = Self::bit(key);
        self.set.get(slot).is_some_and(|bits| bits & bit != 0)
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
        assert_eq!(found(&words, "存贷款"), [(1, 2, 0), (2, 3, 4), (0, 3, 6), (1, 3, 1)]);
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
