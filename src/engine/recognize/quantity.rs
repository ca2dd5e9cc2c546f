//! A number with its qualifier and unit.

use rust_decimal::Decimal;

use crate::engine::lexicon::{Hits, Lexicon};
use crate::engine::report::{Qualifier, QuantityKind};
use crate::engine::source::{Glyphs, SourceText};

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// It holds an ASCII digit.
    Digits,
    /// Chinese numerals only.
    Han,
}

/// A number with its qualifier and unit, as found in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityMention {
    /// From the qualifier before to the qualifier after.
    pub range: Glyphs,
    /// From the first digit to the end of the unit.
    pub core: Glyphs,
    /// The digits with their 万 or 亿 alone.
    pub number: Glyphs,
    /// What kind of quantity the unit makes it.
    pub kind: QuantityKind,
    /// The number before any unit; `None` if it has more digits than a decimal holds.
    pub numeral: Option<Decimal>,
    /// The value in `unit`.
    pub value: Option<Decimal>,
    /// The upper end of a range.
    pub upper: Option<Decimal>,
    /// The unit on the wire.
    pub unit: String,
    /// How exactly it is stated.
    pub qualifier: Qualifier,
    /// Two qualifiers that contradict each other: 近百余人.
    pub contradictory: bool,
    /// 亿 or 万 without a unit: 2.1亿. Its kind is NUMBER until the sentence says more.
    pub unit_missing: bool,
    /// How it is written.
    pub script: Script,
}

/// Finds every number outside `taken` (dates, names), by place, not overlapping.
#[must_use]
pub fn quantities(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, taken: &[Glyphs]) -> Vec<QuantityMention> {
    let _ = (source, hits, lexicon, taken);
    Vec::new()
}
