//! Dates, times and periods.
//!
//! One pass over the glyphs; what can open a date is told by its first glyph. An
//! expression is read into a [`Reading`], whose year, if it was left out, is
//! settled by the reference day.

use super::calendar::{day, days_in, month_end, shift_days, shift_month};
use super::date_words;
use super::numeral::han_digit;
use super::openers::{DATE, Openers};
use super::view::View;
use crate::source::{Glyphs, SourceText};
use crate::words::words;

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
        let mut number = |length: usize| {
            parts.next().filter(|p| p.len() == length && p.bytes().all(|b| b.is_ascii_digit())).and_then(|p| p.parse::<u32>().ok())
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let known = parts.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day);
        known.then_some(Self { year: i32::try_from(year).ok()?, month, day })
    }

    /// The last day of the month before.
    #[must_use]
    pub fn month_before(self) -> Option<Self> {
        let (year, month) = shift_month(self.year, self.month, -1);
        month_end(year, month)
    }

    /// The last day of the quarter before this one's.
    #[must_use]
    pub fn quarter_before(self) -> Option<Self> {
        let (year, month) = shift_month(self.year, self.month, -1 - i32::try_from((self.month.max(1) - 1) % 3).unwrap_or(0));
        month_end(year, month)
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

/// Finds every date, time and period, by place, not overlapping. A year left out is the latest that is not after
/// `published`, the day of publication; where that is not known, not after the first year that the text names.
#[must_use]
pub fn dates(source: &SourceText<'_>, openers: &Openers, published: Option<Day>) -> Vec<DateMention> {
    let reader = Reader { view: View::new(source, source.len()), reference: published };
    let mut read = Vec::with_capacity(source.len() / 128);
    for mention in reader.mentions(openers) {
        if published.is_none()
            && let Some(year) = last_day_of_its_year(&mention)
        {
            return Reader { reference: Some(year), ..reader }.mentions(openers).collect();
        }
        read.push(mention);
    }
    read
}

/// The last day of the year that a date is written with.
fn last_day_of_its_year(date: &DateMention) -> Option<Day> {
    let written = !date.year_inferred && !date.impossible && date.shape != DateShape::Time;
    date.start.or(date.end).filter(|_| written).and_then(|written| day(written.year, 12, 31))
}

/// The day that is written at `at` in full, undamaged.
#[must_use]
pub fn full_day_at(source: &SourceText<'_>, at: usize) -> Option<DateMention> {
    let c = source.at(at);
    if !(c.is_ascii_digit() || han_digit(c).is_some()) {
        return None;
    }
    let reader = Reader { view: View::new(source, source.len()), reference: None };
    let (mention, _) = reader.mention_at(at);
    mention.filter(|d| d.shape == DateShape::Day && !d.year_inferred && !d.repaired && d.start.is_some())
}

/// Whether an expression that opens with no digit may begin with `c`.
fn opens_expression(c: char) -> bool {
    matches!(
        c,
        '今' | '去'
            | '前'
            | '上'
            | '下'
            | '本'
            | '当'
            | '明'
            | '后'
            | '年'
            | '月'
            | '第'
            | '首'
            | '头'
            | '全'
            | '同'
            | '次'
            | '元'
            | '季'
            | '半'
            | '这'
    )
}

/// Whether an expression that opens with no digit may go on with `c`: 年初, 上半年, 前5个月.
fn goes_on(c: char) -> bool {
    c.is_ascii_digit()
        || han_digit(c).is_some()
        || matches!(c, '十' | '年' | '月' | '半' | '个' | '季' | '期' | '初' | '末' | '底' | '中' | '内' | '度')
}

/// Whether a date can begin with `c`.
pub(super) fn opens_date(c: char) -> bool {
    han_digit(c).is_some() || c == '十' || opens_expression(c) || date_words::opens_word(c)
}

/// Whether one that begins with `c` tells itself by its second glyph, which [`second_glyphs`] has.
pub(super) fn needs_second(c: char) -> bool {
    han_digit(c).is_none() && c != '十' && !date_words::opens_other(c)
}

/// The second glyphs of the dates that begin with `c`, among ideographs and digits.
pub(super) fn second_glyphs(c: char) -> Vec<char> {
    let all = opens_expression(c).then(|| ('0'..='9').chain('\u{4e00}'..='\u{9fff}').chain(['〇', '○']));
    let expressions = all.into_iter().flatten().filter(|&next| goes_on(next));
    expressions.chain(date_words::events(c).pairs().map(|(_, second)| second)).collect()
}

/// Reads dates of one text.
pub(super) struct Reader<'a> {
    pub view: View<'a>,
    pub reference: Option<Day>,
}

/// Which day or days of a year are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole year.
    Year,
    /// From the first of one month to the end of another: a quarter, 前5个月.
    Months(u32, u32),
    /// The last day of a month.
    MonthEnd(u32),
    /// The first of a month, as a start alone: 年初, 5月初.
    From(u32),
    /// Days of one month: 9月上旬.
    Days(u32, u32, u32),
    /// A day.
    Day(u32, u32),
    /// A day of a month that was left out.
    BareDay(u32),
    /// 同期
    SamePeriod,
}

/// A date as written: its year if it has one, and the part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub end: usize,
    pub year: Option<i32>,
    /// A year is written, though the reference may not settle it: 今年.
    pub has_year: bool,
    pub part: Part,
    pub repaired: bool,
}

impl Reading {
    fn of(end: usize, part: Part) -> Self {
        Self { end, year: None, has_year: false, part, repaired: false }
    }

    /// First and last day of the part in `year`; `None` if there is no such day.
    fn days(&self, year: i32) -> Option<(Day, Day)> {
        let one = |d: Option<Day>| d.map(|d| (d, d));
        match self.part {
            Part::Year | Part::SamePeriod => day(year, 1, 1).zip(day(year, 12, 31)),
            Part::Months(first, last) => day(year, first, 1).zip(month_end(year, last)),
            Part::MonthEnd(month) => one(month_end(year, month)),
            Part::From(month) => one(day(year, month, 1)),
            Part::Days(month, first, last) => day(year, month, first).zip(day(year, month, last.min(days_in(year, month)))),
            Part::Day(month, d) => one(day(year, month, d)),
            Part::BareDay(_) => None,
        }
    }

    /// Whether no year has such a day.
    fn impossible(&self) -> bool {
        match self.year {
            Some(year) => !matches!(self.part, Part::BareDay(_)) && self.days(year).is_none(),
            None => !matches!(self.part, Part::BareDay(_)) && self.days(2000).is_none(),
        }
    }
}

impl Reader<'_> {
    /// Every date, by place, not overlapping.
    fn mentions(&self, openers: &Openers) -> impl Iterator<Item = DateMention> {
        let mut next = 0;
        openers.inside(0..self.view.end, DATE).filter_map(move |at| {
            if at < next {
                return None;
            }
            let (mention, behind) = self.mention_at(at);
            next = behind.max(mention.as_ref().map_or(0, |mention| mention.range.end));
            mention
        })
    }

    /// The date that begins at `at`, and where to go on.
    fn mention_at(&self, at: usize) -> (Option<DateMention>, usize) {
        let c = self.view.at(at);
        if c.is_ascii_digit() {
            return self.at_digits(at);
        }
        if han_digit(c).is_some() || c == '十' {
            let mut end = at + 1;
            while han_digit(self.view.at(end)).is_some() || self.view.at(end) == '十' {
                end += 1;
            }
            return (self.time(at).or_else(|| self.expression(at)), end);
        }
        if c.is_ascii_alphabetic() {
            return self.at_letters(at);
        }
        let opens = opens_expression(c) && goes_on(self.view.at(at + 1));
        let mention = if opens { self.expression(at) } else { None };
        (mention.or_else(|| date_words::word(self, at)), at + 1)
    }

    fn at_digits(&self, at: usize) -> (Option<DateMention>, usize) {
        let end = self.view.digits_end(at);
        let before = self.view.before(at);
        let inside = matches!(before, '.' | ',') && self.view.at(at.wrapping_sub(2)).is_ascii_digit() && !self.has_full_year(at, end);
        if end - at > 8 || inside {
            return (None, end);
        }
        let mention = self.numeric(at).or_else(|| self.run_together(at)).or_else(|| self.time(at)).or_else(|| self.expression(at));
        (mention, end)
    }

    /// Whether a year stands at `at`: the 2020年 of 1.2020年 is no decimal.
    fn has_full_year(&self, at: usize, end: usize) -> bool {
        end - at == 4 && self.view.at(end) == '年' && matches!(self.view.at(at), '1' | '2')
    }

    /// Q1, or a word that is passed over with the digits in it.
    fn at_letters(&self, at: usize) -> (Option<DateMention>, usize) {
        if self.view.at(at) == 'Q' && matches!(self.view.at(at + 1), '1'..='4') && !self.view.at(at + 2).is_ascii_alphanumeric() {
            return (self.expression(at), at + 2);
        }
        let address = self.view.skip_any(at, words!["http", "www."]).is_some();
        let mut end = at;
        while self.view.at(end).is_ascii_alphanumeric() || address && self.view.at(end).is_ascii_graphic() {
            end += 1;
        }
        (None, end)
    }

    /// A date in words, or a range of two.
    fn expression(&self, at: usize) -> Option<DateMention> {
        let first = self.reading(at, None)?;
        if let Some(mention) = self.joined(at, &first) {
            return Some(mention);
        }
        if let Some(end) = self.view.skip_any(first.end, words!["以来", "至今", "起至今", "到现在"]) {
            let mut mention = self.settle(at, &Reading { end, ..first });
            mention.shape = DateShape::Since;
            mention.end = None;
            return Some(mention);
        }
        Some(self.settle(at, &first))
    }

    /// 6月1日至20日, 2019年至2020年, 一季度至三季度.
    fn joined(&self, at: usize, first: &Reading) -> Option<DateMention> {
        if matches!(first.part, Part::SamePeriod) {
            return None;
        }
        // 2021、2022年 are both years unless 分别 parts them.
        let listed = self.view.at(first.end) == '、' && first.part == Part::Year && self.view.before(first.end).is_ascii_digit();
        let next = if listed { Some(first.end + 1) } else { separator(&self.view, first.end) }?;
        let second = self.reading(next, Some(first.part))?;
        if listed && self.shared_out(second.end) {
            return None;
        }
        if matches!(second.part, Part::SamePeriod | Part::From(_)) || second.repaired {
            return None;
        }
        Some(self.span(at, first, &second))
    }

    /// The span from one date to another; a year written for one holds for both.
    pub(super) fn span(&self, at: usize, first: &Reading, second: &Reading) -> DateMention {
        let mut first = *first;
        let mut second = *second;
        if let (Part::BareDay(d), Part::Day(month, _)) = (second.part, first.part) {
            second.part = Part::Day(month, d);
        }
        let mut mention = self.settle(at, &first);
        if !first.has_year && second.has_year && first.part != Part::Year {
            first.year = second.year;
            first.has_year = true;
            let days = first.year.and_then(|year| first.days(year));
            if days.zip(second.year.and_then(|y| second.days(y))).is_some_and(|(a, b)| a.0 > b.1) {
                first.year = first.year.map(|year| year - 1);
            }
            mention = self.settle(at, &first);
        }
        let year = second.year.or(mention.start.map(|d| d.year));
        let mut end = year.and_then(|year| second.days(year)).map(|(_, last)| last);
        if let (Part::BareDay(d), Some(start)) = (second.part, mention.start) {
            let (year, month) = if d >= start.day { (start.year, start.month) } else { shift_month(start.year, start.month, 1) };
            end = day(year, month, d);
        }
        if !second.has_year && end < mention.start {
            end = year.and_then(|year| second.days(year + 1)).map(|(_, last)| last);
        }
        let backwards = end.is_some() && end < mention.start;
        DateMention {
            range: at..second.end,
            shape: DateShape::Span,
            end,
            impossible: mention.impossible || second.impossible() || backwards,
            repaired: mention.repaired || second.repaired,
            ..mention
        }
    }

    /// The days a reading names, its year inferred if it was left out.
    pub(super) fn settle(&self, at: usize, reading: &Reading) -> DateMention {
        let year = if reading.has_year { reading.year } else { self.infer(reading) };
        let days = match reading.part {
            Part::BareDay(d) => self.latest_day(d).map(|d| (d, d)),
            _ => year.and_then(|year| reading.days(year)),
        };
        let shape = match reading.part {
            Part::Year | Part::Months(..) | Part::Days(..) => DateShape::Span,
            Part::From(_) => DateShape::Since,
            Part::SamePeriod => DateShape::YearEarlier,
            _ => DateShape::Day,
        };
        let settled = !matches!(shape, DateShape::YearEarlier);
        DateMention {
            range: at..reading.end,
            shape,
            start: days.map(|(first, _)| first).filter(|_| settled),
            end: days.map(|(_, last)| last).filter(|_| settled && shape != DateShape::Since),
            repaired: reading.repaired,
            impossible: reading.impossible(),
            year_inferred: !reading.has_year && shape != DateShape::YearEarlier,
        }
    }

    /// The latest year in which the part is not after the reference.
    fn infer(&self, reading: &Reading) -> Option<i32> {
        let reference = self.reference?;
        (0..=8).map(|back| reference.year - back).find(|&year| {
            let Some((first, last)) = reading.days(year) else { return false };
            let decisive = match reading.part {
                Part::Months(1, to) if to != 1 && to != 3 => day(year, last.month, 1).unwrap_or(last),
                _ => first,
            };
            decisive <= reference
        })
    }

    /// The latest day `d` of a month that is not after the reference.
    fn latest_day(&self, d: u32) -> Option<Day> {
        let reference = self.reference?;
        (0..=12).find_map(|back| {
            let (year, month) = shift_month(reference.year, reference.month, -back);
            day(year, month, d).filter(|&found| found <= reference)
        })
    }

    /// The date at `at` in words. `after` is the first part of a range that it would end.
    pub(super) fn reading(&self, at: usize, after: Option<Part>) -> Option<Reading> {
        if let Some(repaired) = self.stuck_year(at) {
            return Some(repaired);
        }
        let Some((end, year)) = self.year(at, after) else {
            return self.part(at, after);
        };
        let with_year = |reading: Reading| Reading { year, has_year: true, ..reading };
        if let Some(reading) = self.part(end, Some(Part::Year)).filter(|r| !matches!(r.part, Part::BareDay(_))) {
            return Some(with_year(reading));
        }
        let ends = [
            ("末", Part::MonthEnd(12)),
            ("底", Part::MonthEnd(12)),
            ("初", Part::From(1)),
            ("同期", Part::SamePeriod),
            ("度", Part::Year),
            ("全年", Part::Year),
        ];
        for (word, part) in ends {
            if let Some(end) = self.view.skip(end, word).filter(|&e| word != "初" || self.view.at(e) != '级') {
                return Some(with_year(Reading::of(end, part)));
            }
        }
        Some(with_year(Reading::of(end, Part::Year)))
    }

    /// 20203月: a year and a month whose 年 was lost.
    fn stuck_year(&self, at: usize) -> Option<Reading> {
        let end = self.view.digits_end(at);
        if !(5..=6).contains(&(end - at)) || self.view.at(end) != '月' {
            return None;
        }
        let year = self.number(at, at + 4).filter(|y| (1990..=2099).contains(y))?;
        let month = self.number(at + 4, end).filter(|m| (1..=12).contains(m))?;
        let mut reading = self.in_month(end + 1, month);
        reading.year = i32::try_from(year).ok();
        Some(Reading { has_year: true, repaired: true, ..reading })
    }

    /// The number that the ASCII digits of a range write.
    pub(super) fn number(&self, start: usize, end: usize) -> Option<u32> {
        (start..end).try_fold(0_u32, |n, i| n.checked_mul(10)?.checked_add(self.view.at(i).to_digit(10)?))
    }
}

/// Where the second part of a range begins: behind 至 到 - — ~.
pub(super) fn separator(view: &View<'_>, at: usize) -> Option<usize> {
    match view.at(at) {
        '-' | '~' | '至' | '到' | '与' => Some(at + 1),
        '—' => Some(at + 1 + usize::from(view.at(at + 1) == '—')),
        _ => None,
    }
}

/// The day before or after the reference.
pub(super) fn beside(reference: Option<Day>, by: i32) -> Option<Day> {
    shift_days(reference?, by)
}
