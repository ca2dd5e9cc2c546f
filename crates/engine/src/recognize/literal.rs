//! Numbers in ASCII digits: separators, decimals, 40k and 2e5.

use rust_decimal::Decimal;

use super::numeral::{Numeral, power_of_ten};
use super::view::View;

/// A run of ASCII digits with its separators and decimals.
pub(super) struct Literal {
    pub end: usize,
    pub value: Option<Decimal>,
    /// Number of digits.
    pub digits: usize,
    /// It has separators or decimals.
    pub marked: bool,
    pub decimals: bool,
}

/// Reads 1,234.56 or .5 at `at`.
pub(super) fn literal(view: &View<'_>, at: usize) -> Option<Literal> {
    let mut i = at;
    let (mut mantissa, mut significant, mut scale, mut digits) = (0_i128, 0_u32, 0_u32, 0_usize);
    let (mut decimals, mut marked) = (false, false);
    loop {
        let c = view.at(i);
        if let Some(digit) = c.to_digit(10) {
            digits += 1;
            significant += u32::from(significant > 0 || digit > 0);
            scale += u32::from(decimals);
            if significant <= 28 {
                mantissa = mantissa * 10 + i128::from(digit);
            }
        } else if c == ',' && !decimals && opens_group(view, at, i, marked) {
            marked = true;
        } else if c == '.' && !decimals && view.at(i + 1).is_ascii_digit() {
            decimals = true;
            marked = true;
        } else {
            break;
        }
        i += 1;
    }
    let fits = significant <= 28 && scale <= 28;
    let value = fits.then(|| Decimal::try_from_i128_with_scale(mantissa, scale).ok()).flatten();
    (digits > 0).then_some(Literal { end: i, value, digits, marked, decimals })
}

/// Whether the comma at `comma` separates thousands.
fn opens_group(view: &View<'_>, start: usize, comma: usize, later: bool) -> bool {
    let three = (1..=3).all(|i| view.at(comma + i).is_ascii_digit()) && !view.at(comma + 4).is_ascii_digit();
    three && view.is_tight_comma(comma) && (later || (comma > start && comma - start <= 3 && view.at(start) != '0'))
}

/// 40k and 2e5.
pub(super) fn exponent(view: &View<'_>, number: &mut Numeral) {
    let closes = |at: usize| !view.at(at).is_ascii_alphanumeric();
    let (end, power, down) = match view.at(number.end) {
        'k' | 'K' if closes(number.end + 1) => (number.end + 1, 3, false),
        'e' | 'E' => {
            let signed = usize::from(matches!(view.at(number.end + 1), '+' | '-'));
            let start = number.end + 1 + signed;
            let end = view.digits_end(start);
            let digits = (start..end).take(3).filter_map(|i| view.at(i).to_digit(10));
            let power = digits.fold(0, |n, d| n * 10 + d);
            if end == start || end > start + 2 || power > 28 || !closes(end) {
                return;
            }
            (end, power, view.at(number.end + 1) == '-')
        }
        _ => return,
    };
    let factor = power_of_ten(power);
    number.value = number.value.and_then(|v| if down { v.checked_div(factor) } else { v.checked_mul(factor) }).map(|v| v.normalize());
    number.end = end;
    number.run = 0;
}
