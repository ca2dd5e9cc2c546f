//! Where mentions may begin: one pass over the text notes the glyphs that can open one.

use std::sync::LazyLock;

use crate::engine::lists::marked;
use crate::engine::source::{Glyphs, SourceText};

/// What a glyph may open: a date, time or period.
pub(super) const DATE: u32 = 1;
/// A number.
pub(super) const NUMBER: u32 = 2;
/// The last word of a borrower's name, or what somebody is.
pub(super) const BORROWER: u32 = 4;
/// How many bits tell what a glyph may open.
const BITS: u32 = 3;

const FIRST_IDEOGRAPH: u32 = 0x4e00;
const IDEOGRAPHS: u32 = 0x5200;

static OPENERS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bits = |c: char| {
        let date = if super::date::opens_date(c) { DATE } else { 0 };
        let number = if super::quantity::opens_number(c) { NUMBER } else { 0 };
        let borrower = if super::name::opens_borrower(c) { BORROWER } else { 0 };
        u8::try_from(date | number | borrower).unwrap_or(0)
    };
    (FIRST_IDEOGRAPH..FIRST_IDEOGRAPH + IDEOGRAPHS).map(|c| char::from_u32(c).map_or(0, bits)).collect()
});

/// The glyphs of a text that can open a mention.
#[derive(Debug)]
pub struct Openers {
    /// Each place with the bits of what it may open below it, ascending.
    places: Vec<u32>,
}

impl Openers {
    /// Looks at every glyph once. What is no ideograph may open a number, and opens a quotation or closes one.
    #[must_use]
    pub fn find(source: &SourceText<'_>) -> Self {
        let bits_of = OPENERS.as_slice();
        let other = |glyph: char| {
            let date = glyph.is_ascii_alphanumeric() || super::date::opens_date(glyph);
            NUMBER | if date { DATE } else { 0 }
        };
        let places = marked(source.glyphs().iter(), |at, &glyph| {
            let index = u32::from(glyph).wrapping_sub(FIRST_IDEOGRAPH);
            let bits = bits_of.get(index as usize).map_or_else(|| other(glyph), |&bits| u32::from(bits));
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
