//! What is asked of long lists again and again, in ways that a processor is quick at.

use std::ops::{Deref, Range};

use super::source::Glyphs;

/// How many at the head of a list `belong`, where those that do come first and are few.
pub fn ahead<T>(list: &[T], belongs: impl Fn(&T) -> bool) -> usize {
    let mut reach = 1;
    while list.get(reach - 1).is_some_and(&belongs) {
        reach *= 2;
    }
    let sure = reach / 2;
    sure + list.get(sure..list.len().min(reach)).unwrap_or_default().partition_point(belongs)
}

/// What `look` makes of each value and its place, where it says that this is to be kept. Each is written and only those
/// that count are kept, so that there is no branch to be guessed.
pub fn marked<T, K: Copy + Default>(values: impl ExactSizeIterator<Item = T>, look: impl Fn(u32, T) -> (K, bool)) -> Vec<K> {
    let mut kept = vec![K::default(); values.len() + 1];
    let mut count = 0;
    for (value, at) in values.zip(0..) {
        let (seen, mark) = look(at, value);
        if let Some(place) = kept.get_mut(count) {
            *place = seen;
        }
        count += usize::from(mark);
    }
    kept.truncate(count);
    kept
}

/// Two glyphs as one number.
#[must_use]
pub const fn pair(first: char, second: char) -> u64 {
    (first as u64) << 21 | second as u64
}

/// A number whose upper bits are a hash of `key`.
#[must_use]
pub const fn hash(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Keys, each by a bit of its hash among `WORDS` times 64, a power of two: what is none of them is told at a look.
#[derive(Clone, Debug)]
pub struct Set<const WORDS: usize>(Box<[u64; WORDS]>);

impl<const WORDS: usize> Set<WORDS> {
    /// The set of `keys`.
    pub fn new(keys: impl IntoIterator<Item = u64>) -> Self {
        let mut set = Self(Box::new([0; WORDS]));
        for key in keys {
            let (slot, bit) = Self::bit(key);
            if let Some(bits) = set.0.get_mut(slot) {
                *bits |= bit;
            }
        }
        set
    }

    /// Whether the key may be one of them.
    #[inline]
    #[must_use]
    pub fn may_hold(&self, key: u64) -> bool {
        let (slot, bit) = Self::bit(key);
        self.0.get(slot).is_some_and(|bits| bits & bit != 0)
    }

    /// The place of a key's bit.
    fn bit(key: u64) -> (usize, u64) {
        let hash = hash(key) >> (u64::BITS - 6 - WORDS.trailing_zeros());
        (usize::try_from(hash >> 6).unwrap_or(0) & (WORDS - 1), 1 << (hash & 63))
    }
}

/// How many of some places of a text lie before each of its glyphs: told at once, where a search would guess its way.
#[derive(Clone, Debug, Default)]
pub struct Ranks {
    /// For each 32 glyphs, how many places lie before, and a bit for each place among them.
    blocks: Vec<(u32, u32)>,
    count: usize,
}

/// How many glyphs have their bits in common.
const BLOCK: usize = 32;

impl Ranks {
    /// The ranks of `places` in a text of `length` glyphs; they rise, and none comes twice.
    pub fn new(places: impl IntoIterator<Item = usize>, length: usize) -> Self {
        let mut ranks = Self { blocks: vec![(0, 0); length / BLOCK + 1], count: 0 };
        let mut last = None;
        for place in places {
            debug_assert!(last.replace(place) < Some(place), "places rise");
            if let Some((_, bits)) = ranks.blocks.get_mut(place / BLOCK) {
                *bits |= 1 << (place % BLOCK);
            }
        }
        let mut sum = 0;
        for (before, bits) in &mut ranks.blocks {
            *before = sum;
            sum += bits.count_ones();
        }
        ranks.count = sum as usize;
        ranks
    }

    /// How many places lie before glyph `at`.
    #[must_use]
    pub fn before(&self, at: usize) -> usize {
        let within = |(before, bits): &(u32, u32)| (before + (bits & ((1 << (at % BLOCK)) - 1)).count_ones()) as usize;
        self.blocks.get(at / BLOCK).map_or(self.count, within)
    }

    /// Whether glyph `at` is one of the places.
    #[must_use]
    pub fn holds(&self, at: usize) -> bool {
        self.blocks.get(at / BLOCK).is_some_and(|(_, bits)| bits >> (at % BLOCK) & 1 != 0)
    }
}

/// Places of a text, rising.
#[derive(Clone, Debug, Default)]
pub struct Places {
    list: Vec<usize>,
    ranks: Ranks,
}

impl Places {
    /// The places of `list` in a text of `length` glyphs.
    #[must_use]
    pub fn new(list: Vec<usize>, length: usize) -> Self {
        let mut places = Self { list, ranks: Ranks::default() };
        places.rank(length);
        places
    }

    /// None yet, with room for `capacity`.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { list: Vec::with_capacity(capacity), ranks: Ranks::default() }
    }

    /// Adds one behind the others.
    pub fn push(&mut self, place: usize) {
        self.list.push(place);
    }

    /// Counts those added, in a text of `length` glyphs.
    pub fn rank(&mut self, length: usize) {
        self.ranks = Ranks::new(self.list.iter().copied(), length);
    }

    /// Those inside `range`.
    #[must_use]
    pub fn within(&self, range: Glyphs) -> &[usize] {
        self.list.get(self.ranks.before(range.start)..self.ranks.before(range.end)).unwrap_or_default()
    }

    /// The first at `at` or behind it.
    #[must_use]
    pub fn from(&self, at: usize) -> Option<usize> {
        self.list.get(self.ranks.before(at)).copied()
    }

    /// The last before `at`.
    #[must_use]
    pub fn before(&self, at: usize) -> Option<usize> {
        self.list.get(self.ranks.before(at).checked_sub(1)?).copied()
    }
}

/// What is found in a text, by place.
#[derive(Clone, Debug)]
pub struct Placed<'a, T> {
    list: &'a [T],
    ranks: Ranks,
}

impl<'a, T> Placed<'a, T> {
    /// What `list` holds, each at its own glyph of a text of `length` glyphs.
    pub fn new(list: &'a [T], length: usize, place: impl Fn(&T) -> usize) -> Self {
        Self { list, ranks: Ranks::new(list.iter().map(place), length) }
    }

    /// All of it.
    #[must_use]
    pub const fn all(&self) -> &'a [T] {
        self.list
    }

    /// The indices of what starts inside `range`.
    #[must_use]
    pub fn indices_in(&self, range: &Glyphs) -> Range<usize> {
        self.ranks.before(range.start)..self.ranks.before(range.end)
    }

    /// What starts inside `range`.
    #[must_use]
    pub fn starting_in(&self, range: &Glyphs) -> &'a [T] {
        self.list.get(self.indices_in(range)).unwrap_or_default()
    }
}

impl<T> Deref for Placed<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_and_most_others_are_not() {
        let pairs = |by: u32| ('一'..).take(200).map(move |first| pair(first, char::from_u32(first as u32 + by).unwrap_or(first)));
        let set: Set<128> = Set::new(pairs(1));
        assert!(pairs(1).all(|pair| set.may_hold(pair)));
        let others = pairs(2).filter(|&pair| set.may_hold(pair)).count();
        assert!(others <= 20, "{others} of 200");
    }

    #[test]
    fn places_are_found_as_a_search_finds_them() {
        let list = vec![0, 1, 63, 64, 65, 127, 128, 300];
        let places = Places::new(list.clone(), 301);
        let placed = Placed::new(&list, 301, |&place| place);
        for start in 0..330 {
            assert_eq!(places.from(start), list.iter().copied().find(|&place| place >= start), "from {start}");
            assert_eq!(places.before(start), list.iter().copied().rfind(|&place| place < start), "before {start}");
            for end in [start, start + 1, start + 64, start + 400] {
                let inside: Vec<usize> = list.iter().copied().filter(|place| (start..end).contains(place)).collect();
                assert_eq!(places.within(start..end), inside, "{start}..{end}");
                assert_eq!(placed.starting_in(&(start..end)), inside, "{start}..{end}");
            }
        }
        assert_eq!(Places::new(Vec::new(), 0).from(0), None);
    }

    #[test]
    fn the_head_of_a_list_is_counted_wherever_it_ends() {
        for length in 0..20 {
            let list: Vec<usize> = (0..length).collect();
            for end in 0..=length {
                assert_eq!(ahead(&list, |&at| at < end), end, "{end} of {length}");
            }
        }
    }

    #[test]
    fn only_what_is_marked_is_kept() {
        let values = |marks: &[bool]| marked(marks.iter(), |at, &mark| (at + 7, mark));
        assert_eq!(values(&[true, false, true]), [7, 9]);
        assert!(values(&[false, false]).is_empty());
        assert_eq!(values(&[true, true]), [7, 8]);
        assert!(values(&[]).is_empty());
        let long: Vec<bool> = (0..1000).map(|at| at % 3 != 0).collect();
        assert_eq!(values(&long), (7..1007).filter(|at| (at - 7) % 3 != 0).collect::<Vec<u32>>());
    }
}
