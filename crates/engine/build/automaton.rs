//! The general dictionary as a tree of glyphs laid out in one array, made when the engine is built: nothing of it is left
//! to be made when the service starts.
//!
//! The file holds a number for each glyph from `FIRST` on, then a state for each beginning of words. A state's child by a
//! glyph lies at its base plus the glyph's number; it is the state's own if it names it as its parent. The root's base is 0.

#![allow(clippy::indexing_slicing, reason = "it runs when the engine is built, and may stop")]

use std::collections::BTreeMap;

/// The first glyph that has a number; and how many have.
pub const FIRST: u32 = 0x4e00;
pub const NUMBERS: usize = 0x5200;

/// Bits of a state: what ends here (cost and letter of its part of speech, or 0), its parent, its base.
pub const VALUE_BITS: u32 = 16;
pub const PARENT_BITS: u32 = 24;

/// A beginning of words.
#[derive(Default)]
struct Branch {
    value: u16,
    next: BTreeMap<u16, usize>,
}

/// A word's part of speech, a letter, and its cost: what a state keeps of it.
fn value(letter: &str, cost: &str) -> Option<u16> {
    let letter = letter.bytes().next().filter(u8::is_ascii_uppercase)?;
    let cost: u8 = cost.parse().ok()?;
    Some(u16::from_le_bytes([cost, letter]))
}

/// The words of the dictionary's text with their values.
fn words(text: &str) -> Result<Vec<(&str, u16)>, String> {
    let mut words = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut cells = line.split(' ');
        let value = cells.next().zip(cells.next()).and_then(|(letter, cost)| value(letter, cost));
        let value = value.ok_or_else(|| format!("no part of speech and cost: {line}"))?;
        words.extend(cells.map(|word| (word, value)));
    }
    Ok(words)
}

/// A number for each glyph of the words, the most frequent first: children lie close together.
fn numbers(words: &[(&str, u16)]) -> Result<Vec<u16>, String> {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for glyph in words.iter().flat_map(|(word, _)| word.chars()) {
        *counts.entry(glyph).or_default() += 1;
    }
    let mut glyphs: Vec<(char, usize)> = counts.into_iter().collect();
    glyphs.sort_by_key(|&(glyph, count)| (usize::MAX - count, glyph));
    let mut numbers = vec![0; NUMBERS];
    for (&(glyph, _), number) in glyphs.iter().zip(1..) {
        let at = u32::from(glyph).checked_sub(FIRST).and_then(|at| numbers.get_mut(at as usize));
        *at.ok_or_else(|| format!("a glyph that has no number: {glyph}"))? = number;
    }
    Ok(numbers)
}

fn branches(words: &[(&str, u16)], numbers: &[u16]) -> Result<Vec<Branch>, String> {
    let mut branches = vec![Branch::default()];
    for (word, value) in words {
        let mut at = 0;
        for glyph in word.chars() {
            let number = numbers[(u32::from(glyph) - FIRST) as usize];
            let new = branches.len();
            at = *branches[at].next.entry(number).or_insert(new);
            if at == new {
                branches.push(Branch::default());
            }
        }
        if std::mem::replace(&mut branches[at].value, *value) != 0 || at == 0 {
            return Err(format!("a word that is empty or comes twice: {word}"));
        }
    }
    Ok(branches)
}

/// The array while branches are put in their places.
struct Array {
    states: Vec<Option<u64>>,
    /// No place before it is free.
    free: usize,
}

impl Array {
    fn is_free(&self, at: usize) -> bool {
        self.states.get(at).is_none_or(Option::is_none)
    }

    /// A base from which on the places of all children are free.
    fn base(&mut self, children: &BTreeMap<u16, usize>) -> usize {
        while !self.is_free(self.free) {
            self.free += 1;
        }
        let first = children.keys().next().map_or(0, |&number| usize::from(number));
        let fits = |base: &usize| children.keys().all(|&number| self.is_free(base + usize::from(number)));
        (self.free.max(first) - first..=self.states.len()).find(fits).unwrap_or_default()
    }

    fn put(&mut self, at: usize, state: u64) {
        if self.states.len() <= at {
            self.states.resize(at + 1, None);
        }
        self.states[at] = Some(state);
    }
}

/// Puts every branch in its place, those with many children first.
fn states(branches: &[Branch], count: usize) -> Vec<u64> {
    let mut array = Array { states: vec![None; count + 1], free: 0 };
    array.put(0, 0);
    let mut places = vec![0; branches.len()];
    // All children of the root have their places, whether a word begins with them or not.
    for number in 1..=count {
        array.put(number, 0);
    }
    let mut open: Vec<usize> = Vec::new();
    for (&number, &child) in &branches[0].next {
        places[child] = usize::from(number);
        array.put(usize::from(number), u64::from(branches[child].value));
        open.push(child);
    }
    while !open.is_empty() {
        open.sort_by_key(|&branch| (usize::MAX - branches[branch].next.len(), branch));
        let mut behind = Vec::new();
        for branch in open.into_iter().filter(|&branch| !branches[branch].next.is_empty()) {
            let (base, parent) = (array.base(&branches[branch].next), places[branch]);
            let own = array.states[parent].unwrap_or_default();
            array.put(parent, own | (base as u64) << (VALUE_BITS + PARENT_BITS));
            for (&number, &child) in &branches[branch].next {
                places[child] = base + usize::from(number);
                array.put(places[child], (parent as u64) << VALUE_BITS | u64::from(branches[child].value));
                behind.push(child);
            }
        }
        open = behind;
    }
    array.states.into_iter().map(Option::unwrap_or_default).collect()
}

/// The dictionary's text as the array that is searched.
///
/// # Errors
/// When a line does not say part of speech, cost and words, or a word comes twice.
pub fn of_text(text: &str) -> Result<Vec<u8>, String> {
    let words = words(text)?;
    let numbers = numbers(&words)?;
    let count = numbers.iter().max().map_or(0, |&most| usize::from(most));
    let states = states(&branches(&words, &numbers)?, count);
    if states.len() + count >= 1 << PARENT_BITS {
        return Err(format!("{} states, too many for their numbers", states.len()));
    }
    Ok(numbers.iter().flat_map(|number| number.to_le_bytes()).chain(states.iter().flat_map(|state| state.to_le_bytes())).collect())
}
