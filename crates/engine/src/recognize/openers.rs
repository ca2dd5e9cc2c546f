//! Where mentions may begin: one pass over the text notes the glyphs that can open one.

use std::sync::LazyLock;

use crate::lists::{Set, marked, pair};
use crate::source::{Glyphs, SourceText};

/// What a glyph may open: a date, time or period.
pub(super) const DATE: u32 = 1;
/// A number.
pub(super) const NUMBER: u32 = 2;
/// The last word of a borrower's name, or what somebody is.
pub(super) const BORROWER: u32 = 4;
/// How many bits tell what a glyph may open.
const BITS: u32 = 3;

/// What each glyph may open.
struct Tables {
    /// For each glyph up to U+FFFF, the bits of what it may open; behind them, those of what it opens with some glyphs only.
    bits: Vec<u8>,
    /// Those glyphs with it.
    pairs: Set<128>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let glyphs = || (0..=0xffff).map(|c| char::from_u32(c).unwrap_or('\0'));
    let bits = |c: char| {
        let opens = |what: u32, opens: bool, needs_second: bool| match (opens, needs_second) {
            (false, _) => 0,
            (true, false) => what,
            (true, true) => what << BITS,
        };
        let date = if c.is_ascii_alphanumeric() { DATE } else { opens(DATE, super::date::opens_date(c), super::date::needs_second(c)) };
        let number = opens(NUMBER, super::quantity::opens_number(c), false);
        let borrower = opens(BORROWER, super::name::opens_borrower(c), super::name::needs_second(c));
        u8::try_from(date | number | borrower).unwrap_or(0)
    };
    let seconds = |c: char| super::date::second_glyphs(c).into_iter().chain(super::name::second_glyphs(c));
    let needs_second = |c: &char| bits(*c) >> BITS != 0;
    let pairs = glyphs().filter(needs_second).flat_map(|c| seconds(c).map(move |second| pair(c, second)));
    Tables { bits: glyphs().map(bits).collect(), pairs: Set::new(pairs) }
});

/// The glyphs of a text that can open a mention.
#[derive(Debug)]
pub struct Openers {
    /// Each place with the bits of what it may open below it, ascending.
    places: Vec<u32>,
}

impl Openers {
    /// Looks at every glyph once.
    #[must_use]
    pub fn find(source: &SourceText<'_>) -> Self {
        let Tables { bits, pairs } = &*TABLES;
        let looked = marked(source.glyphs().iter(), |at, &glyph| {
            let bits = bits.get(glyph as usize).copied().unwrap_or(0);
            ((at, bits), bits != 0)
        });
        let places = marked(looked.into_iter(), |_, (at, bits)| {
            let paired = pairs.may_hold(pair(source.at(at as usize), source.at(at as usize + 1)));
            let bits = u32::from(bits | if paired { bits >> BITS } else { 0 }) & ((1 << BITS) - 1);
            (at << BITS | bits, bits != 0)
        });
        Self { places }
    }

    /// The places inside `range` that may open `what`.
    pub(super) fn inside(&self, range: Glyphs, what: u32) -> impl Iterator<Item = usize> {
        let place = |packed: u32| (packed >> BITS) as usize;
        let first = self.places.partition_point(|&packed| place(packed) < range.start);
        let rest = self.places.get(first..).unwrap_or_default().iter();
        rest.map_while(move |&packed| (place(packed) < range.end).then_some(packed)).filter(move |packed| packed & what != 0).map(place)
    }
}
