//! The cheapest words that tile a stretch of text: of two ways that cost the same the one with the longer word first.

use super::{NONE, Token};
use crate::lexicon::general::{Entry, Pos, heading};
use crate::lexicon::{Hits, Lexicon};
use crate::source::{Glyphs, SourceText};

/// What a glyph costs that no word holds: 24 bits.
const UNKNOWN: u32 = 192;

/// Longest stretch that is tiled at once, in glyphs: between two marks a sentence of any language is shorter.
const STRETCH: usize = 1024;

/// The first word of the cheapest way from a glyph to the end of the stretch.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// What the whole way costs.
    cost: u32,
    word: u32,
    length: u16,
    pos: Pos,
}

impl Step {
    /// Takes a word of `length` glyphs instead, if the way is cheaper over it and it ends within the stretch.
    #[inline]
    fn offer(&mut self, length: usize, entry: Entry, word: u32, behind: &[Self]) {
        let Some(behind) = behind.get(length.wrapping_sub(1)) else { return };
        let cost = behind.cost + u32::from(entry.cost);
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        if cost < self.cost || (cost == self.cost && length >= self.length) {
            *self = Self { cost, word, length, pos: entry.pos };
        }
    }
}

/// What a text is tiled with.
struct Lattice<'a, 't> {
    source: &'a SourceText<'t>,
    hits: &'a Hits,
    lexicon: &'a Lexicon,
    /// One for each glyph of a stretch, and the end.
    steps: Vec<Step>,
    out: Vec<Token>,
}

/// The tokens of a text: `fixed` ones and what tiles the text between them.
pub fn tokens(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, fixed: impl Iterator<Item = (Glyphs, Pos)>) -> Vec<Token> {
    let mut lattice =
        Lattice { source, hits, lexicon, steps: vec![Step::default(); STRETCH + 1], out: Vec::with_capacity(source.len() * 5 / 8) };
    let mut at = 0;
    for (range, pos) in fixed {
        lattice.gap(at..range.start);
        lattice.out.push(Token::new(&range, pos, NONE));
        at = range.end;
    }
    lattice.gap(at..source.len());
    lattice.out
}

impl Lattice<'_, '_> {
    /// Tiles what lies between two fixed tokens, mark by mark.
    fn gap(&mut self, gap: Glyphs) {
        let mut at = gap.start;
        for &mark in self.source.marks(gap.clone()) {
            self.stretches(at..mark);
            self.out.push(Token::new(&(mark..mark + 1), Pos::Mark, NONE));
            at = mark + 1;
        }
        self.stretches(at..gap.end);
    }

    /// Tiles a run without marks.
    fn stretches(&mut self, mut run: Glyphs) {
        while run.len() > STRETCH {
            self.tile(run.start..run.start + STRETCH);
            run.start += STRETCH;
        }
        if !run.is_empty() {
            self.tile(run);
        }
    }

    /// Tiles a stretch: from its end the cheapest way is known at each glyph, so that it can be followed from its start.
    fn tile(&mut self, stretch: Glyphs) {
        let glyphs = self.source.glyphs().get(stretch.clone()).unwrap_or_default();
        let mut hits = self.hits.starting_in(stretch.clone()).iter().rev().copied().peekable();
        let Some(steps) = self.steps.get_mut(..=glyphs.len()) else { return };
        if let Some(end) = steps.last_mut() {
            *end = Step::default();
        }
        for at in (0..glyphs.len()).rev() {
            let Some((place, behind)) = steps.get_mut(at..).and_then(<[Step]>::split_first_mut) else { return };
            let rest = glyphs.get(at..).unwrap_or_default();
            let mut step = unknown(rest, behind);
            for (length, entry) in heading(rest) {
                step.offer(length, entry, NONE, behind);
            }
            while let Some(hit) = hits.next_if(|hit| hit.start() == stretch.start + at) {
                if let Some(entry) = self.lexicon.entry(hit.word()) {
                    step.offer(hit.end() - hit.start(), entry, hit.word(), behind);
                }
            }
            *place = step;
        }
        let mut at = 0;
        while let Some(step) = steps.get(at).filter(|step| step.length > 0) {
            let end = at + usize::from(step.length);
            self.out.push(Token::new(&(stretch.start + at..stretch.start + end), step.pos, step.word));
            at = end;
        }
    }
}

/// A glyph by itself, or the letters and digits that begin with it; `behind` it goes on.
#[inline]
fn unknown(rest: &[char], behind: &[Step]) -> Step {
    let behind = behind.first().copied().unwrap_or_default();
    let is_alphanumeric = |glyph: Option<&char>| glyph.is_some_and(char::is_ascii_alphanumeric);
    if is_alphanumeric(rest.first()) && is_alphanumeric(rest.get(1)) && behind.pos == Pos::Unknown {
        return Step { length: behind.length + 1, ..behind };
    }
    Step { cost: behind.cost + UNKNOWN, word: NONE, length: 1, pos: Pos::Unknown }
}
