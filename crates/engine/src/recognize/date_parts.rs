//! The parts of a date in words: year, quarter, month, day.

use super::date::{Part, Reader, Reading};
use super::numeral::han_digit;
use crate::source::is_ideograph;
use crate::words::words;

impl Reader<'_> {
    /// The year at `at`: 2020年, 今年, 二〇二〇年, 21年. `None` inside means that the
    /// reference that would settle it is not known.
    pub(super) fn year(&self, at: usize, after: Option<Part>) -> Option<(usize, Option<i32>)> {
        const RELATIVE: &[(&str, i32)] = &[
            ("今年", 0),
            ("本年", 0),
            ("当年", 0),
            ("去年", -1),
            ("上年", -1),
            ("上一年", -1),
            ("前年", -2),
            ("明年", 1),
            ("次年", 1),
            ("后年", 2),
            ("大前年", -3),
        ];
        let relative = matches!(self.view.at(at + 1), '年' | '一' | '前');
        if let Some((end, by)) = RELATIVE.iter().filter(|_| relative).find_map(|&(word, by)| Some((self.view.skip(at, word)?, by))) {
            let compound = matches!(self.view.before(at), '往' | '历' | '以' | '早' | '晚' | '目' | '提');
            return (!compound).then_some((end, self.reference.map(|r| r.year + by)));
        }
        let c = self.view.at(at);
        let (end, year, digits) = if c.is_ascii_digit() {
            let end = self.view.digits_end(at);
            (end, self.number(at, end)?, end - at)
        } else {
            self.han_year(at)?
        };
        let explicit = self.view.at(end) == '年';
        let year = i32::try_from(year).ok()?;
        match digits {
            4 if explicit && (1000..=2199).contains(&year) && !self.view.has(end, "年代") => Some((end + 1, Some(year))),
            4 if !explicit && self.bare_year(at, end, year, after) => Some((end, Some(year))),
            3 if explicit && matches!(self.view.before(at), '在' | '于' | '元' | '\n') && !self.is_duration(end + 1) => {
                Some((end + 1, Some(year)))
            }
            2 if explicit && self.short_year(at, end, year) => Some((end + 1, Some(if year < 70 { 2000 + year } else { 1900 + year }))),
            _ => None,
        }
    }

    /// 二〇二〇 and 两千; the digits count as four if they write a whole year.
    fn han_year(&self, at: usize) -> Option<(usize, u32, usize)> {
        if let Some(end) = self.view.skip_any(at, words!["两千年", "二千年"]) {
            return Some((end - 1, 2000, 4));
        }
        let mut end = at;
        let mut year = 0_u32;
        while let Some(digit) = han_digit(self.view.at(end)).filter(|_| end < at + 5) {
            year = year * 10 + u32::from(digit);
            end += 1;
        }
        (end > at + 1 && self.view.at(at) != '两').then_some((end, year, end - at))
    }

    /// 2016 as the first or second year of a range: 2016-2018年, 从2016到2018.
    fn bare_year(&self, at: usize, end: usize, year: i32, after: Option<Part>) -> bool {
        if !(1900..=2100).contains(&year) {
            return false;
        }
        if after == Some(Part::Year) {
            return !matches!(self.view.at(end), '-' | '/' | '.')
                && !self.view.at(end).is_ascii_alphanumeric()
                && !self.view.has(end, "万")
                && !self.view.has(end, "亿");
        }
        // 2023上半年, 2023Q3, 2023一季度: what follows is a part of a year and nothing else.
        let part = || matches!(self.view.at(end), '上' | '下' | '前' | 'Q' | 'q' | 'H') || han_digit(self.view.at(end)).is_some();
        if after.is_none()
            && (self.view.skip_any(end, words!["末", "底", "元月"]).is_some()
                || part() && self.part(end, Some(Part::Year)).is_some_and(|r| matches!(r.part, Part::Months(..) | Part::MonthEnd(_))))
        {
            return true;
        }
        let listed = self.view.at(end) == '、';
        let next = if listed { Some(end + 1) } else { super::date::separator(&self.view, end) };
        next.filter(|_| after.is_none()).is_some_and(|next| {
            let stop = self.view.digits_end(next);
            let other = self.number(next, stop.min(next + 4)).and_then(|y| i32::try_from(y).ok());
            let closes = self.view.at(stop) == '年' || !listed && matches!(self.view.before(at), '从' | '自');
            let follows = |other: i32| if listed { other == year + 1 } else { other > year };
            stop == next + 4 && closes && other.is_some_and(|other| follows(other) && other <= 2100)
        })
    }

    /// Whether a two-digit number before 年 is a year and no length of time.
    fn short_year(&self, at: usize, end: usize, year: i32) -> bool {
        let next = self.view.at(end + 1);
        if self.view.at(at) == '0' || matches!(self.view.at(at), '零' | '〇') {
            return next != '代';
        }
        if !self.view.at(at).is_ascii_digit() {
            return false;
        }
        let month = self.view.digits_end(end + 1);
        let dated = month > end + 1 && self.view.at(month) == '月'
            || matches!(next, '末' | '底' | '初' | '度')
            || self.view.has(end + 1, "上半年")
            || self.view.has(end + 1, "一季度");
        let opens = matches!(
            self.view.before(at),
            '\n' | '。' | ';' | ',' | ':' | '(' | '在' | '至' | '自' | '从' | '到' | '较' | '比' | '于' | '、' | '“'
        );
        let near = self.reference.is_none_or(|r| (r.year % 100 - 12..=r.year % 100 + 1).contains(&year)) && year >= 5;
        // 5至10年, 15到20年: the upper end of a range whose lower end is no year.
        let below = |i: usize| at.checked_sub(i).is_some_and(|i| self.view.at(i).is_ascii_digit());
        let range = matches!(self.view.before(at), '至' | '到') && below(2) && !below(5);
        // 某银行21年发放…: behind a name, and before what was done.
        let named = matches!(self.view.before(at), '行' | '社' | '司')
            && self.reference.map_or((12..=35).contains(&year), |r| (r.year % 100 - 5..=r.year % 100).contains(&year))
            && is_ideograph(next);
        dated || (opens && near || named) && !range && !self.is_duration(end + 1)
    }

    /// Whether what follows a number of years shows that it is a length of time.
    fn is_duration(&self, at: usize) -> bool {
        matches!(
            self.view.at(at),
            '期' | '来'
                | '内'
                | '左'
                | '多'
                | '余'
                | '间'
                | '后'
                | '前'
                | '的'
                | '以'
                | '之'
                | '代'
                | '级'
                | '龄'
                | '贷'
                | '长'
                | '累'
                | '不'
                | '如'
                | '、'
        )
    }

    /// A half, quarter, month or day.
    pub(super) fn part(&self, at: usize, after: Option<Part>) -> Option<Reading> {
        match self.view.at(at) {
            '上' | '下' | '半' | 'H' => self.half_year(at).or_else(|| self.relative_quarter(at)).or_else(|| self.relative_month(at)),
            '前' | '头' | '首' | '第' | 'Q' | 'q' | '四' => {
                self.first_months(at).or_else(|| self.quarter(at)).or_else(|| self.month(at, after)).or_else(|| self.half_year(at))
            }
            // 延后半年 is put off by half a year.
            '后' if !matches!(self.view.before(at), '延' | '推') => self.half_year(at),
            '本' | '当' | '这' => self.relative_quarter(at).or_else(|| self.relative_month(at)),
            '季' => self.relative_quarter(at),
            '最' => self.last_months(at, after),
            '元' => self.first_month(at, after),
            '年' => self.year_edge(at),
            '月' => self.month_edge(at),
            '全' => self.view.skip(at, "全年").filter(|_| after.is_none()).map(|end| plain(end, Part::Year)),
            '同' => self.same_period(at, after),
            c if c.is_ascii_digit() || han_digit(c).is_some() || c == '十' => self.quarter(at).or_else(|| self.month(at, after)),
            _ => None,
        }
    }

    /// 上半年, 下半年, 上半年末, 半年末
    fn half_year(&self, at: usize) -> Option<Reading> {
        let halves = [("上半年", 1), ("前半年", 1), ("下半年", 7), ("后半年", 7), ("H1", 1), ("H2", 7)];
        let half = halves.iter().find_map(|&(word, first)| Some((self.view.skip(at, word)?, first)));
        // 半年末 alone is the end of June.
        let middle =
            || self.view.skip(at, "半年").filter(|_| !matches!(self.view.before(at), '上' | '下' | '前' | '后' | '每' | '多' | '近'));
        let (end, first) = half.or_else(|| middle().map(|end| (end, 1)))?;
        let end = end + usize::from(self.view.at(end) == '度');
        let at_end = self.view.skip_any(end, words!["末", "底"]);
        if half.is_none() && at_end.is_none() {
            return None;
        }
        Some(at_end.map_or_else(|| plain(end, Part::Months(first, first + 5)), |end| plain(end, Part::MonthEnd(first + 5))))
    }

    /// 元月, not 500元月租
    fn first_month(&self, at: usize, after: Option<Part>) -> Option<Reading> {
        let before = self.view.before(at);
        let sum = before.is_ascii_digit()
            || han_digit(before).is_some()
            || matches!(before, '十' | '百' | '千' | '万' | '亿' | '多' | '余' | '单' | '美' | '公' | '纪');
        let end = self.view.skip(at, "元月").filter(|_| after == Some(Part::Year) || !sum)?;
        Some(self.in_month(end, 1))
    }

    /// 去年最后一个月, 去年最后一个季度
    fn last_months(&self, at: usize, after: Option<Part>) -> Option<Reading> {
        let at = self.view.skip_any(at, words!["最后一个", "最后1个"]).filter(|_| after == Some(Part::Year))?;
        let month = self.view.skip(at, "月").map(|end| plain(end, Part::Months(12, 12)));
        month.or_else(|| self.view.skip_any(at, words!["季度", "季"]).map(|end| plain(end, Part::Months(10, 12))))
    }

    /// 本季度, 上季末, 上一个季度, 季末
    fn relative_quarter(&self, at: usize) -> Option<Reading> {
        let (by, named) = match self.view.at(at) {
            '本' | '当' | '这' => (0, at + 1),
            '上' => (-1, at + 1),
            '下' => (1, at + 1),
            _ => (0, at),
        };
        let start = self.view.skip_any(named, words!["一个", "一", "1个", "个"]).unwrap_or(named);
        let end = self.view.skip_any(start, words!["季度", "季"]).filter(|_| start == at || named > at)?;
        let edge = self.view.at(end);
        let told = named > at && !matches!(edge, '节' | '风' | '军' | '相' | '候');
        // 季末 alone is the last there was; each 每季末 is none.
        let free =
            !matches!(self.view.before(at), '每' | '各' | '按' | '逐' | '隔' | '跨' | '旺' | '淡' | '四' | '度' | '一' | '二' | '三')
                && !self.view.before(at).is_ascii_digit();
        if !(told || named == at && free && matches!(edge, '末' | '底' | '初')) {
            return None;
        }
        let reference = self.reference?;
        let first = (reference.month.max(1) - 1) / 3 * 3 + 1;
        let over = reference.month == first + 2 && reference.day == super::calendar::days_in(reference.year, reference.month);
        let by = if named == at && matches!(edge, '末' | '底') && !over { -1 } else { by };
        let (year, first) = super::calendar::shift_month(reference.year, first, by * 3);
        let (end, part) = match edge {
            '末' | '底' => (end + 1, Part::MonthEnd(first + 2)),
            '初' => (end + 1, Part::From(first)),
            _ => (end, Part::Months(first, first + 2)),
        };
        Some(Reading { year: Some(year), has_year: true, ..plain(end, part) })
    }

    /// 前5个月, 头两个月, 前三季度, 首季度
    fn first_months(&self, at: usize) -> Option<Reading> {
        if matches!(self.view.at(at), '首') {
            return self.view.skip(at, "首季度").or_else(|| self.view.skip(at, "首季")).map(|end| plain(end, Part::Months(1, 3)));
        }
        if !matches!(self.view.at(at), '前' | '头') || matches!(self.view.before(at), '目' | '此' | '之' | '日' | '以' | '先' | '提' | '当')
        {
            return None;
        }
        let (end, count) = self.small(at + 1)?;
        if let Some(end) = self.view.skip_any(end, words!["个月", "月", "个多月"]).filter(|_| (1..=12).contains(&count)) {
            return Some(plain(end, Part::Months(1, count)));
        }
        let end = self.view.skip_any(end, words!["季度", "个季度", "季"]).filter(|_| (1..=4).contains(&count))?;
        Some(plain(end, Part::Months(1, count * 3)))
    }

    /// 一季度, 第3季度, Q1, 二季度末, 一至三季度, 二、三季度
    fn quarter(&self, at: usize) -> Option<Reading> {
        let (end, first, last) = match self.view.at(at) {
            'Q' | 'q' => self.small(at + 1).map(|(end, n)| (end, n, n))?,
            '第' => self.quarters(at + 1)?,
            _ => self.quarters(at)?,
        };
        if first == 0 || last > 4 {
            return None;
        }
        let at_end = self.view.skip_any(end, words!["末", "底"]);
        Some(at_end.map_or_else(|| plain(end, Part::Months(first * 3 - 2, last * 3)), |end| plain(end, Part::MonthEnd(last * 3))))
    }

    /// One quarter or several that follow each other, with one 季度 behind them.
    fn quarters(&self, at: usize) -> Option<(usize, u32, u32)> {
        let (end, first) = self.small(at)?;
        // 三季末, 一季度末: without 度 only before its end.
        if self.view.at(end) == '季' && matches!(self.view.at(end + 1), '末' | '底') {
            return Some((end + 1, first, first));
        }
        if let Some(end) =
            self.view.skip_any(end, words!["季度", "个季度"]).filter(|_| self.view.at(end) != '个' || self.view.before(at) == '第')
        {
            return Some((end, first, first));
        }
        let listed = matches!(self.view.at(end), '、' | '和');
        let next = if listed { Some(end + 1) } else { super::date::separator(&self.view, end) }?;
        let (stop, last) = self.small(next + usize::from(self.view.at(next) == '第'))?;
        let end = self.view.skip(stop, "季度")?;
        // 二、三季度: what opens a line may be the number of a heading.
        let heads = listed && self.view.before(at) == '\n' && !matches!(self.view.at(end), ',' | '末' | '我' | '全');
        let rises = if listed { last == first + 1 } else { last > first };
        if !rises || heads || matches!(self.view.before(at), '.' | '-' | '/') {
            return None;
        }
        if listed && self.shared_out(end) { Some((next - 1, first, first)) } else { Some((end, first, last)) }
    }

    /// Whether 分别 follows on dates that end at `end`, so that each of them has a number of its own.
    pub(super) fn shared_out(&self, end: usize) -> bool {
        /// How far behind them it may stand, in glyphs.
        const REACH: usize = 24;
        (end..end + REACH).take_while(|&i| !matches!(self.view.at(i), '。' | ';' | '\n')).any(|i| self.view.has(i, "分别"))
    }

    /// A number of at most two digits, in ASCII or Chinese.
    pub(super) fn small(&self, at: usize) -> Option<(usize, u32)> {
        if self.view.at(at).is_ascii_digit() {
            let end = self.view.digits_end(at);
            return (end <= at + 2).then(|| self.number(at, end).map(|n| (end, n))).flatten();
        }
        let tens = |i: usize| matches!(self.view.at(i), '十' | '拾');
        let digit = |i: usize| han_digit(self.view.at(i)).map(u32::from);
        let found = match (digit(at), tens(at), tens(at + 1)) {
            (Some(head), _, true) => digit(at + 2).map_or((at + 2, head * 10), |d| (at + 3, head * 10 + d)),
            (Some(head), ..) => (at + 1, head),
            (None, true, _) => digit(at + 1).map_or((at + 1, 10), |d| (at + 2, 10 + d)),
            _ => return None,
        };
        let more = digit(found.0).is_some() || tens(found.0);
        (!more).then_some(found)
    }

    /// 5月, 5月末, 3月19日, 1-7月, 15日
    fn month(&self, at: usize, after: Option<Part>) -> Option<Reading> {
        let (end, number) = self.small(at).or_else(|| self.stuck_day(at))?;
        let han = !self.view.at(at).is_ascii_digit();
        if let Some(range) = self.month_range(at, end, number) {
            return Some(range);
        }
        match self.view.at(end) {
            '月' if !self.view.has(end, "月子") && self.view.at(at) != '两' => {
                if (1..=12).contains(&number) {
                    Some(self.in_month(end + 1, number))
                } else {
                    (!han && number > 0).then(|| plain(end + 1, Part::Day(number.max(13), 1)))
                }
            }
            '日' | '号' => self.bare_day(at, end, number, after),
            _ => None,
        }
    }

    /// 1-7月, 一至三月: months with one 月 behind both.
    fn month_range(&self, at: usize, end: usize, first: u32) -> Option<Reading> {
        let listed = self.view.at(end) == '、';
        let next = if listed { Some(end + 1) } else { super::date::separator(&self.view, end) }?;
        let (stop, last) = self.small(next)?;
        let heads = self.view.before(at) == '\n' && !matches!(self.view.at(stop + 1), ',' | '份');
        if listed && (heads || last != first + 1 || self.view.before(at) == '、') {
            return None;
        }
        let closes = self.view.at(stop) == '月' && self.small(stop + 1).is_none();
        let rises = (1..=12).contains(&first) && (1..=12).contains(&last) && first < last;
        let inside = matches!(self.view.before(at), '.' | '-' | '/' | '期' | '周');
        let end = stop + 1 + usize::from(self.view.at(stop + 1) == '份');
        let whole = closes && rises && !inside;
        // 1、2月分别…: each month has a number of its own.
        if whole && listed && self.shared_out(end) {
            return Some(plain(next - 1, Part::Months(first, first)));
        }
        whole.then(|| plain(end, Part::Months(first, last)))
    }

    /// What follows a month: a day, 末, 上旬 or nothing.
    pub(super) fn in_month(&self, at: usize, month: u32) -> Reading {
        let at = at + usize::from(self.view.at(at) == '份');
        let edges = [
            ("月末", Part::MonthEnd(month)),
            ("月底", Part::MonthEnd(month)),
            ("月初", Part::From(month)),
            ("末", Part::MonthEnd(month)),
            ("底", Part::MonthEnd(month)),
            ("初", Part::From(month)),
            ("上旬", Part::Days(month, 1, 10)),
            ("中旬", Part::Days(month, 11, 20)),
            ("下旬", Part::Days(month, 21, 31)),
        ];
        if let Some(reading) = edges.iter().find_map(|&(word, part)| Some(plain(self.view.skip(at, word)?, part))) {
            return reading;
        }
        if let Some((end, number)) = self.small(at) {
            let han = !self.view.at(at).is_ascii_digit();
            let last = super::date::separator(&self.view, end)
                .and_then(|next| self.small(next))
                .filter(|&(stop, last)| self.view.at(stop) == '日' && last > number && last <= 31);
            if let Some((stop, last)) = last.filter(|_| number > 0) {
                return plain(stop + 1, Part::Days(month, number, last));
            }
            if matches!(self.view.at(end), '日' | '号') {
                return plain(end + 1, Part::Day(month, number));
            }
            let closes = !is_ideograph(self.view.at(end)) && self.view.at(end) != '、';
            if han && (10..=31).contains(&number) && closes {
                return plain(end, Part::Day(month, number));
            }
        }
        plain(at, Part::Months(month, month))
    }

    /// 15日 without its month; 68日, whose month was lost.
    fn bare_day(&self, at: usize, end: usize, number: u32, after: Option<Part>) -> Option<Reading> {
        let ends_range = matches!(after, Some(Part::Day(..) | Part::BareDay(_)));
        if ends_range && (1..=31).contains(&number) {
            return Some(plain(end + 1, Part::BareDay(number)));
        }
        let sun = self.view.at(end) == '日';
        let unit = matches!(
            self.view.at(end + 1),
            '内' | '左' | '游' | '龄' | '均' | '元' | '间' | '余' | '多' | '本' | '照' | '期' | '以' | '之' | '有' | '通'
        );
        let counted = matches!(
            self.view.before(at),
            '近' | '第' | '每' | '满' | '续' | '期' | '共' | '时' | '约' | '超' | '过' | '达' | '前' | '后' | '+' | '于' | '-'
        );
        if !sun || unit || counted && number <= 31 {
            return None;
        }
        let han = !self.view.at(at).is_ascii_digit();
        if (1..=31).contains(&number) {
            return (!han || end > at + 1).then(|| plain(end + 1, Part::BareDay(number)));
        }
        let (month, day) = self.split_day(at, end)?;
        Some(Reading { repaired: true, ..plain(end + 1, Part::Day(month, day)) })
    }

    /// A run of three digits before 日.
    fn stuck_day(&self, at: usize) -> Option<(usize, u32)> {
        let end = self.view.digits_end(at);
        (end == at + 3 && self.view.at(end) == '日').then(|| self.number(at, end).map(|n| (end, n))).flatten()
    }

    /// The one way in which digits split into a month and a day of it.
    fn split_day(&self, at: usize, end: usize) -> Option<(u32, u32)> {
        let mut ways = (at + 1..end).filter(|&i| self.view.at(i) != '0' && self.view.at(at) != '0').filter_map(|i| {
            let (month, day) = self.number(at, i).zip(self.number(i, end))?;
            (day >= 1 && day <= super::calendar::days_in(2000, month)).then_some((month, day))
        });
        let way = ways.next()?;
        ways.next().is_none().then_some(way)
    }

    /// 本月, 上个月, 本月十日
    fn relative_month(&self, at: usize) -> Option<Reading> {
        const WORDS: &[(&str, i32)] = &[("本月", 0), ("当月", 0), ("上个月", -1), ("上月", -1), ("下个月", 1), ("下月", 1), ("这个月", 0)];
        let (end, by) = WORDS.iter().find_map(|&(word, by)| Some((self.view.skip(at, word)?, by)))?;
        // 6月当月: the month that has just been named.
        if matches!(self.view.before(at), '以' | '早' | '晚' | '根' | '月' | '份') {
            return None;
        }
        let reference = self.reference?;
        let (year, month) = super::calendar::shift_month(reference.year, reference.month, by);
        let reading = self.in_month(end, month);
        Some(Reading { year: Some(year), has_year: true, ..reading })
    }

    /// 年初, 年末, 年底
    fn year_edge(&self, at: usize) -> Option<Reading> {
        if matches!(self.view.before(at), '历' | '隔' | '跨' | '每' | '近' | '全' | '多' | '往' | '几' | '数')
            || self.view.before(at).is_ascii_digit()
        {
            return None;
        }
        let end = at + 2;
        match self.view.at(at + 1) {
            '初' => {
                let reference = self.reference.map(|r| r.year);
                Some(Reading { year: reference, has_year: reference.is_some(), ..plain(end, Part::From(1)) })
            }
            '末' | '底' => Some(plain(end, Part::MonthEnd(12))),
            _ => None,
        }
    }

    /// 月末, 月初 of the month of reference or the one before.
    fn month_edge(&self, at: usize) -> Option<Reading> {
        let part = match self.view.at(at + 1) {
            '末' | '底' => Part::MonthEnd,
            '初' => Part::From,
            _ => return None,
        };
        if matches!(self.view.before(at), '每' | '个' | '各' | '按' | '逐' | '隔') {
            return None;
        }
        let reference = self.reference?;
        let here = plain(at + 2, part(reference.month));
        let full = reference.day == super::calendar::days_in(reference.year, reference.month);
        if matches!(here.part, Part::From(_)) || full {
            return Some(Reading { year: Some(reference.year), has_year: true, ..here });
        }
        let (year, month) = super::calendar::shift_month(reference.year, reference.month, -1);
        Some(Reading { year: Some(year), has_year: true, ..plain(at + 2, part(month)) })
    }

    /// 同期 after a year or a comparing word.
    fn same_period(&self, at: usize, after: Option<Part>) -> Option<Reading> {
        let end = self.view.skip(at, "同期")?;
        let compared = after == Some(Part::Year) || matches!(self.view.before(at), '较' | '比' | '于');
        let word = matches!(self.view.at(end), '限' | '同' | '档' | '银' | '贷' | '全');
        (compared && !word).then(|| plain(end, Part::SamePeriod))
    }
}

/// A reading without a year.
pub(super) fn plain(end: usize, part: Part) -> Reading {
    Reading { end, year: None, has_year: false, part, repaired: false }
}
