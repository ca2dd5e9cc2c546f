//! Which characters can open a mention: one look passes over all others.

use std::sync::LazyLock;

/// A date, time or period.
pub(super) const DATE: u8 = 1;
/// A number.
pub(super) const NUMBER: u8 = 2;
/// The last word of a borrower's name, or what somebody is.
pub(super) const BORROWER: u8 = 4;

const FIRST_IDEOGRAPH: u32 = 0x4e00;
const IDEOGRAPHS: u32 = 0x5200;

static OPENERS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bits = |c: char| {
        let date = if super::date::opens_date(c) { DATE } else { 0 };
        let number = if super::quantity::opens_number(c) { NUMBER } else { 0 };
        let borrower = if super::name::opens_borrower(c) { BORROWER } else { 0 };
        date | number | borrower
    };
    (FIRST_IDEOGRAPH..FIRST_IDEOGRAPH + IDEOGRAPHS).map(|c| char::from_u32(c).map_or(0, bits)).collect()
});

/// Whether `what` may begin with `c`; what is no ideograph may open anything.
pub(super) fn may_open(c: char, what: u8) -> bool {
    let ideograph = u32::from(c).checked_sub(FIRST_IDEOGRAPH).and_then(|i| OPENERS.get(i as usize));
    ideograph.is_none_or(|bits| bits & what != 0)
}
