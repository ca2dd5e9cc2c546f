//! Arithmetic with days of the Gregorian calendar.

use super::date::Day;

/// Whether `year` has a 29 February.
const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Number of days in a month; 0 if there is no such month.
pub(super) const fn days_in(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + is_leap(year) as u32,
        _ => 0,
    }
}

/// The day, if there is one.
pub(super) fn day(year: i32, month: u32, day: u32) -> Option<Day> {
    ((1..=9999).contains(&year) && day >= 1 && day <= days_in(year, month)).then_some(Day { year, month, day })
}

/// The last day of a month.
pub(super) fn month_end(year: i32, month: u32) -> Option<Day> {
    day(year, month, days_in(year, month))
}

/// The month `by` months after (year, month).
pub(super) fn shift_month(year: i32, month: u32, by: i32) -> (i32, u32) {
    let months = year * 12 + i32::try_from(month).unwrap_or(1) - 1 + by;
    (months.div_euclid(12), u32::try_from(months.rem_euclid(12)).unwrap_or(0) + 1)
}

/// Days since 1 March of year 0.
fn number(day: Day) -> i32 {
    let (year, month) = shift_month(day.year, day.month, -2);
    let month = i32::try_from(month).unwrap_or(1) - 1;
    let ordinal = (153 * month + 2) / 5 + i32::try_from(day.day).unwrap_or(1) - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + ordinal
}

/// The day `by` days after `from`.
pub(super) fn shift_days(from: Day, by: i32) -> Option<Day> {
    let target = number(from) + by;
    let mut year = target.div_euclid(366);
    while day(year + 1, 1, 1).is_some_and(|first| number(first) <= target) {
        year += 1 + ((target - number(Day { year: year + 1, month: 1, day: 1 })) / 366).max(0);
    }
    (1..=12).rev().find_map(|month| {
        let offset = target - number(day(year, month, 1)?);
        day(year, month, u32::try_from(offset).ok()? + 1)
    })
}

/// Day of the week, 0 for Monday.
pub(super) fn weekday(day: Day) -> i32 {
    (number(day) + 2).rem_euclid(7)
}

/// The Monday of the week `by` weeks after that of `day`.
pub(super) fn monday(day: Day, by: i32) -> Option<Day> {
    shift_days(day, by * 7 - weekday(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let mut at = Day { year: 1999, month: 12, day: 28 };
        for _ in 0..1600 {
            let next = shift_days(at, 1);
            let expected = day(at.year, at.month, at.day + 1).or_else(|| day(at.year, at.month + 1, 1)).or_else(|| day(at.year + 1, 1, 1));
            assert_eq!(next, expected);
            at = next.unwrap_or(at);
            assert_eq!(shift_days(at, -400).and_then(|d| shift_days(d, 400)), Some(at));
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(weekday(Day { year: 2020, month: 9, day: 2 }), 2);
        assert_eq!(monday(Day { year: 2017, month: 3, day: 22 }, -1), day(2017, 3, 13));
    }
}
