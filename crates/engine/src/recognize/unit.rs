//! The unit or classifier behind a number.

use rust_decimal::Decimal;

use super::numeral::Numeral;
use super::view::View;
use crate::lexicon::{Hits, Lexicon, Sense, Unit};
use crate::report::QuantityKind;

/// A unit found behind a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'l> {
    /// First glyph of the unit.
    pub start: usize,
    /// Glyph after the last.
    pub end: usize,
    /// Its row.
    pub row: &'l Unit,
}

impl Found<'_> {
    /// The unit on the wire.
    pub fn wire(&self, view: &View<'_>) -> String {
        if !self.row.unit.is_empty() {
            return self.row.unit.clone();
        }
        if matches!(self.row.kind, QuantityKind::Identifier) {
            return String::new();
        }
        view.text(self.start..self.end).to_owned()
    }
}

/// The longest unit at `at` that fits `number`.
pub(super) fn unit_at<'l>(view: &View<'_>, hits: &Hits, lexicon: &'l Lexicon, at: usize, number: &Numeral) -> Option<Found<'l>> {
    let gap = view.at(at) == ' ' && view.at(at + 1).is_ascii_alphabetic() || view.at(at) == '\t' && view.has(at + 1, "个百分点");
    let at = at + usize::from(gap);
    for hit in hits.at(at).iter().filter(|hit| hit.end() <= view.end) {
        for sense in lexicon.senses(*hit) {
            if let Sense::Unit(row) = sense
                && let Some(row) = lexicon.tables().units.get(usize::from(*row))
                && fits(view, hit.start(), hit.end(), lexicon.form(*hit), row, number)
            {
                return Some(Found { start: hit.start(), end: hit.end(), row });
            }
        }
    }
    None
}

/// Whether the form at `start..end` is a unit here and not the beginning of another word.
fn fits(view: &View<'_>, start: usize, end: usize, form: &str, row: &Unit, number: &Numeral) -> bool {
    let (last, next) = (view.before(end), view.at(end));
    if last.is_ascii_alphabetic() && next.is_ascii_alphanumeric() || last.is_ascii_digit() && next.is_ascii_digit() {
        return false;
    }
    if row.not_before.get(form).is_some_and(|stops| stops.contains(next)) {
        return false;
    }
    if row.only_after.get(form).is_some_and(|priced| !told(view, start, end, priced)) {
        return false;
    }
    let plain = number.scale == Decimal::ONE;
    match (view.at(start), row.kind) {
        ('成', QuantityKind::Percent) => plain && number.value.is_some_and(|v| v <= Decimal::TEN),
        ('折', QuantityKind::Percent) => plain && number.value.is_some_and(|v| v < Decimal::ONE_HUNDRED),
        ('起' | '首' | '对' | '代' | '通' | '只', QuantityKind::Count) => plain || view.at(start) == '只',
        _ => true,
    }
}

/// Whether one of `words` stands shortly before the number whose unit is at `start..end`, or lesser coins behind it: 三块五.
fn told(view: &View<'_>, start: usize, end: usize, words: &str) -> bool {
    /// How far back a word is looked for, in glyphs.
    const REACH: usize = 8;
    let coins = view.at(end).is_ascii_digit() || super::numeral::is_han_numeral(view.at(end));
    coins || (start.saturating_sub(REACH)..start).any(|at| words.contains(view.at(at)))
}
