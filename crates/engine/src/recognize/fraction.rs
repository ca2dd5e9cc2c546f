//! Fractions and powers: 三分之一, 1 3/5, 2^-1.

use rust_decimal::Decimal;

use super::numeral::{Numeral, plain, sign};
use super::quantity::{QuantityMention, Script};
use super::view::View;
use crate::lexicon::{Class, Hits, Lexicon};
use crate::report::QuantityKind;
use crate::source::SourceText;

/// 五分之一, 3又二分之一, 1/2, 1 3/5 and 2^-1: `first` is the number that stands at `at`.
pub(super) fn fraction_after(view: &View<'_>, at: usize, first: &Numeral) -> Option<Numeral> {
    if let Some(next) = view.skip(first.end, "分之").filter(|_| !first.bare) {
        let (next, negative) = sign(view, next);
        let top = plain(view, next)?;
        return Some(quotient(first, &top, negative, None));
    }
    if let Some(next) = view.skip(first.end, "又") {
        let bottom = plain(view, next)?;
        let top = plain(view, view.skip(bottom.end, "分之")?)?;
        return Some(quotient(&bottom, &top, false, first.value));
    }
    if first.run == 0 && !view.at(at).is_ascii_digit() && view.at(at) != '.' {
        return None;
    }
    match view.at(first.end) {
        '/' if is_short_run(first) && view.before(at) != '/' => {
            let bottom = plain(view, first.end + 1).filter(|b| is_short_run(b) && view.at(b.end) != '/')?;
            (!bottom.value?.is_zero()).then(|| quotient(&bottom, first, false, None))
        }
        ' ' if is_short_run(first) => {
            let top = plain(view, first.end + 1).filter(|t| is_short_run(t) && view.at(t.end) == '/')?;
            let bottom = plain(view, top.end + 1).filter(|b| is_short_run(b) && view.at(b.end) != '/')?;
            (!bottom.value?.is_zero()).then(|| quotient(&bottom, &top, false, first.value))
        }
        '^' => power(view, first),
        _ => None,
    }
}

/// Fractions that say what part of a whole something is, as percentages: 占各项贷款的四分之三, 占比达1/5.
pub fn shares(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, quantities: &mut [QuantityMention]) {
    /// How far before a fraction the word may begin, in glyphs.
    const REACH: usize = 24;
    for q in quantities.iter_mut().filter(|q| q.fraction) {
        let stops = source.marks(q.range.start.saturating_sub(REACH)..q.range.start).iter().rev().copied();
        let clause = stops.take(1).map(|at| at + 1).next().unwrap_or_else(|| q.range.start.saturating_sub(REACH))..q.range.start;
        if hits.inside(clause).any(|hit| lexicon.classes(hit).has(Class::Share)) {
            let percents = |value: Decimal| value.checked_mul(Decimal::ONE_HUNDRED).map(|value| value.normalize());
            q.value = q.value.and_then(percents);
            q.kind = QuantityKind::Percent;
            "%".clone_into(&mut q.unit);
        }
    }
}

const fn is_short_run(number: &Numeral) -> bool {
    number.run > 0 && number.run <= 3
}

/// `whole` + `top` / `bottom`, exact if it ends, else to 15 significant digits.
fn quotient(bottom: &Numeral, top: &Numeral, negative: bool, whole: Option<Decimal>) -> Numeral {
    let value = top.value.zip(bottom.value).and_then(|(t, b)| {
        let q = t.checked_div(b)?;
        let exact = q.mantissa().unsigned_abs() < 10_u128.pow(25) && q.checked_mul(b) == Some(t);
        let signed = if negative { -q } else { q };
        let sum = signed.checked_add(whole.unwrap_or_default())?;
        if exact { Some(sum.normalize()) } else { sum.round_sf(15) }
    });
    let script = if bottom.script == Script::Digits || top.script == Script::Digits { Script::Digits } else { Script::Han };
    Numeral {
        end: bottom.end.max(top.end),
        value,
        script,
        over: false,
        scale: Decimal::ONE,
        bare: false,
        counted: false,
        run: 0,
        tail: Decimal::ONE,
        spread: None,
        digits: None,
        fraction: true,
    }
}

/// 2^-1: a whole power of at most three digits.
fn power(view: &View<'_>, base: &Numeral) -> Option<Numeral> {
    let mut at = base.end + 1;
    let mut inverse = false;
    if matches!(view.at(at), '+' | '-') {
        inverse = view.at(at) == '-';
        at += 1;
        if view.at(at) == '-' {
            inverse = !inverse;
            at += 1;
        }
    }
    let exponent = plain(view, at).filter(is_short_run)?;
    let times = exponent.value.and_then(|v| u32::try_from(v).ok())?;
    let raised = base.value.and_then(|b| (0..times).try_fold(Decimal::ONE, |product, _| product.checked_mul(b)));
    let value = raised.and_then(|v| if inverse { Decimal::ONE.checked_div(v) } else { Some(v) }).and_then(|v| v.round_sf(15));
    Some(Numeral { end: exponent.end, value, run: 0, ..base.clone() })
}
