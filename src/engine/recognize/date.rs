//! Dates, times and periods.

use crate::engine::lexicon::{Hits, Lexicon};
use crate::engine::source::{Glyphs, SourceText};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Year, 1 to 9999.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
}

impl Day {
    /// The day an ISO 8601 date names, if there is such a day.
    #[must_use]
    pub fn parse(iso: &str) -> Option<Self> {
        let mut parts = iso.split('-');
        let mut number = |length: usize| parts.next().filter(|p| p.len() == length && p.bytes().all(|b| b.is_ascii_digit())).and_then(|p| p.parse::<u32>().ok());
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let known = parts.next().is_none() && (1..=12).contains(&month) && day >= 1 && day <= 31;
        known.then_some(Self { year: i32::try_from(year).ok()?, month, day })
    }
}

/// What shape of time an expression names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateShape {
    /// A day or the last day of a month or year: 3月19日, 5月末, 2019年末.
    Day,
    /// A span with both ends: 2020年, 一季度, 1-7月, 6月1日至20日, 上半年.
    Span,
    /// A start alone: 年初, 今年以来, 2月以来 (the 以来 is in `range`).
    Since,
    /// Now, without a date: 目前, 截至目前.
    Now,
    /// An event: 疫情以来, 疫情发生后, 推出以来.
    Event,
    /// 去年同期, 上年同期: the period a year earlier.
    YearEarlier,
    /// A time of day: 16:20, 12时.
    Time,
}

/// A date, time or period, as found in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateMention {
    /// The expression itself, without 截至 or 较.
    pub range: Glyphs,
    /// What shape it has.
    pub shape: DateShape,
    /// First day, as far as the text settles it.
    pub start: Option<Day>,
    /// Last day, as far as the text settles it.
    pub end: Option<Day>,
    /// It was damaged and has been repaired: 20203月, 68日.
    pub repaired: bool,
    /// It cannot be: month 13, 30 February.
    pub impossible: bool,
    /// The year was left out and inferred.
    pub year_inferred: bool,
}

/// Finds every date, time and period, by place, not overlapping. A year left out
/// is the latest that is not after `reference` (the day of publication).
#[must_use]
pub fn dates(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, reference: Option<Day>) -> Vec<DateMention> {
    let _ = (source, hits, lexicon, reference);
    Vec::new()
}
