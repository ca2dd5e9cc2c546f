//! Ratios as an IEEE 754 double holds them, reckoned in integers.
//!
//! Scores are compared across programs to their last printed digit, and those programs reckon in
//! doubles. A ratio here is the same binary number, rounded at the same steps, without a float.

use std::fmt;

use serde::{Serialize, Serializer};

/// Bits of a double's significand.
const BITS: u32 = 53;
/// Digits after the point at which a double between 0.0001 and 1 is certainly written out.
const MOST_DIGITS: u32 = 21;

/// A number that is not negative, rounded as a double is: `mantissa` · 2^`exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio {
    // The order of the fields is the order of the numbers: the mantissa of all but zero has 53 bits.
    exponent: i32,
    mantissa: u64,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { exponent: i32::MIN, mantissa: 0 };

    /// `part` of `whole`, or one if there is no whole.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        if whole == 0 { Self::quotient(1, 1, 0) } else { Self::quotient(part, whole, 0) }
    }

    /// The decimal `text`, such as `0.95`; `None` if it is no plain decimal of at most 15 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        let plain = !whole.is_empty() && digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit());
        let scale = u32::try_from(fraction.len()).ok().filter(|_| plain)?;
        Some(Self::quotient(digits.parse().ok()?, 10_u64.pow(scale), 0))
    }

    /// The harmonic mean of a precision and a recall, rounded at each step as `2·p·r / (p + r)` is.
    #[must_use]
    pub fn f1(precision: Self, recall: Self) -> Self {
        let sum = precision.plus(recall);
        if sum == Self::ZERO || precision == Self::ZERO || recall == Self::ZERO {
            return Self::ZERO;
        }
        let product = u128::from(precision.mantissa) * u128::from(recall.mantissa);
        let product = Self::rounded(product, precision.exponent + recall.exponent + 1, false);
        Self::quotient(product.mantissa, sum.mantissa, product.exponent - sum.exponent)
    }

    /// The value to `places` digits after the point, halves to the even digit.
    #[must_use]
    pub fn fixed(self, places: u32) -> String {
        let (quotient, rest, unit) = self.scaled(places);
        let up = match (rest * 2).cmp(&unit) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => quotient % 2 == 1,
            std::cmp::Ordering::Greater => true,
        };
        written(quotient + u128::from(up), places)
    }

    /// This number times 10^`places`: the whole part, and the rest as so many of so many.
    fn scaled(self, places: u32) -> (u128, u128, u128) {
        let digits = u128::from(self.mantissa) * 10_u128.pow(places);
        match u32::try_from(self.exponent) {
            Ok(up) => (digits.checked_shl(up).unwrap_or(u128::MAX), 0, 1),
            Err(_) => match 1_u128.checked_shl(self.exponent.unsigned_abs()).filter(|unit| *unit >> 126 == 0) {
                Some(unit) => (digits / unit, digits % unit, unit),
                None => (0, 0, 1),
            },
        }
    }

    /// `part` / `whole` · 2^`exponent`, correctly rounded.
    fn quotient(part: u64, whole: u64, exponent: i32) -> Self {
        let (part, whole) = (u128::from(part), u128::from(whole));
        let shift = part.leading_zeros().saturating_sub(1);
        let numerator = part << shift.min(127);
        Self::rounded(numerator / whole, exponent - shift.cast_signed(), numerator % whole != 0)
    }

    /// The sum, correctly rounded.
    fn plus(self, other: Self) -> Self {
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        match u32::try_from(high.exponent.saturating_sub(low.exponent)) {
            Ok(apart) if low.mantissa != 0 && apart <= BITS => {
                Self::rounded((u128::from(high.mantissa) << apart) + u128::from(low.mantissa), low.exponent, false)
            }
            // The lower one is too small to change the sum's rounding.
            _ => high,
        }
    }

    /// The nearest double to `mantissa` · 2^`exponent`, and a little more if there is a `rest`.
    fn rounded(mantissa: u128, exponent: i32, rest: bool) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        let bits = u128::BITS - mantissa.leading_zeros();
        if bits <= BITS {
            let shift = BITS - bits;
            return Self { exponent: exponent - shift.cast_signed(), mantissa: low_bits(mantissa << shift) };
        }
        let shift = bits - BITS;
        let (kept, lost, half) = (mantissa >> shift, mantissa & ((1 << shift) - 1), 1_u128 << (shift - 1));
        let up = lost > half || (lost == half && (rest || kept % 2 == 1));
        let exponent = exponent + shift.cast_signed();
        match low_bits(kept) + u64::from(up) {
            carried if carried >> BITS != 0 => Self { exponent: exponent + 1, mantissa: carried >> 1 },
            mantissa => Self { exponent, mantissa },
        }
    }
}

/// A significand that is known to fit.
fn low_bits(mantissa: u128) -> u64 {
    u64::try_from(mantissa).unwrap_or(u64::MAX)
}

/// `digits` / 10^`places` written out.
fn written(digits: u128, places: u32) -> String {
    let width = usize::try_from(places).unwrap_or(0);
    let padded = format!("{digits:0>width$}", width = width + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - width).unwrap_or((&padded, ""));
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

impl fmt::Display for Ratio {
    /// The shortest decimal that stands for this number and no other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for places in 1..=MOST_DIGITS {
            let (quotient, rest, unit) = self.scaled(places);
            let up = rest * 2 > unit;
            let off = if up { unit - rest } else { rest };
            // Half the distance to the next double is half of 10^places in these units.
            if off * 2 < 10_u128.pow(places) || off == 0 {
                return f.write_str(&written(quotient + u128::from(up), places));
            }
        }
        f.write_str(&self.fixed(MOST_DIGITS))
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::value::RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_written_as_doubles_are() {
        let cases = [
            (0, 7, "0.0", "0.0000"),
            (7, 7, "1.0", "1.0000"),
            (1, 3, "0.3333333333333333", "0.3333"),
            (2, 3, "0.6666666666666666", "0.6667"),
            (20, 21, "0.9523809523809523", "0.9524"),
            (1, 1024, "0.0009765625", "0.0010"),
            (1, 10, "0.1", "0.1000"),
        ];
        for (part, whole, shortest, fixed) in cases {
            let ratio = Ratio::of(part, whole);
            assert_eq!((ratio.to_string().as_str(), ratio.fixed(4).as_str()), (shortest, fixed), "{part}/{whole}");
        }
    }

    #[test]
    fn halves_go_where_the_binary_number_lies() {
        // 1/32 is exact, so the even digit wins; 31/160 is 0.19375 and a little more in binary.
        assert_eq!(Ratio::of(1, 32).fixed(4), "0.0312");
        assert_eq!(Ratio::of(3, 32).fixed(4), "0.0938");
        assert_eq!(Ratio::of(31, 160).fixed(4), "0.1938");
    }

    #[test]
    fn a_missing_whole_is_a_full_score() {
        assert_eq!(Ratio::of(0, 0).to_string(), "1.0");
    }

    #[test]
    fn the_mean_of_nothing_is_nothing() {
        assert_eq!(Ratio::f1(Ratio::ZERO, Ratio::of(1, 2)), Ratio::ZERO);
        assert_eq!(Ratio::f1(Ratio::of(1, 1), Ratio::of(1, 1)).to_string(), "1.0");
    }

    #[test]
    fn floors_are_read_and_compared() {
        assert_eq!(Ratio::parse("0.95"), Some(Ratio::of(19, 20)));
        assert_eq!(Ratio::parse("1"), Some(Ratio::of(1, 1)));
        assert!(Ratio::of(94, 100) < Ratio::of(95, 100));
        assert!(Ratio::ZERO < Ratio::of(1, 1_000_000));
        assert!(["", ".5", "-1", "1e3", "0.1234567890123456"].iter().all(|text| Ratio::parse(text).is_none()));
    }
}
