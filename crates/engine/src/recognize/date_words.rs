//! Dates that are no year, month and day: words, weeks, events, eras, times and
//! dates in digits.

use super::calendar::{self, day, monday, shift_days, shift_month};
use super::date::{DateMention, DateShape, Day, Part, Reader, Reading, beside, separator};
use super::date_parts::plain;
use super::numeral::han_digit;
use super::view::View;
use crate::source::{Glyphs, is_ideograph};
use crate::words::{Words, words};

fn mention(range: Glyphs, shape: DateShape, days: Option<(Day, Day)>) -> DateMention {
    let (start, end) = days.unzip();
    DateMention { range, shape, start, end, repaired: false, impossible: false, year_inferred: false }
}

/// Whether one of the words that [`word`] reads begins with `c`.
pub(super) const fn opens_word(c: char) -> bool {
    !events(c).is_empty() || opens_other(c)
}

/// Whether one that is no event does.
pub(super) const fn opens_other(c: char) -> bool {
    matches!(c, '目' | '当' | '截' | '昨' | '今' | '前' | '大' | '明' | '后' | '星' | '周' | '礼' | '这' | '本' | '下' | '上' | '自')
        || matches!(c, '康' | '雍' | '乾' | '嘉' | '道' | '咸' | '同' | '光' | '宣' | '民')
}

/// What can have a 以来 or 后 behind it, by its first character, the longest first.
pub(super) const fn events(first: char) -> &'static Words {
    match first {
        '新' => words!["新冠肺炎疫情发生", "新冠肺炎疫情", "新冠疫情发生", "新冠疫情"],
        '疫' => words!["疫情爆发", "疫情暴发", "疫情发生", "疫情防控", "疫情"],
        '推' => words!["推出", "推广"],
        '试' => words!["试点"],
        '开' => words!["开业", "开办", "开展", "开通", "开行", "开工"],
        '成' => words!["成立"],
        '上' => words!["上线"],
        '启' => words!["启动", "启用"],
        '实' => words!["实施"],
        '改' => words!["改制", "改革"],
        '挂' => words!["挂牌"],
        '运' => words!["运行", "运营"],
        '设' => words!["设立"],
        '建' => words!["建立", "建成"],
        '投' => words!["投放", "投产"],
        '活' => words!["活动开展"],
        '政' => words!["政策实施", "政策出台"],
        '方' => words!["方案实施"],
        '合' => words!["合作"],
        '发' => words!["发行"],
        '创' => words!["创建"],
        '工' => words!["工作开展"],
        '产' => words!["产品推出", "产品上线"],
        _ => words![],
    }
}

/// The word for a date at `at`.
pub(super) fn word(reader: &Reader<'_>, at: usize) -> Option<DateMention> {
    let view = &reader.view;
    match view.at(at) {
        '目' | '当' | '截' => now(view, at),
        '上' => event(view, at).or_else(|| week(reader, at)),
        '昨' | '今' | '前' | '大' | '明' | '后' => relative_day(reader, at).or_else(|| shifted(reader, at)),
        '星' | '周' | '礼' | '这' | '本' | '下' => week(reader, at).or_else(|| era_or_century(reader, at)),
        '康' | '雍' | '乾' | '嘉' | '道' | '咸' | '同' | '光' | '宣' | '民' => era_or_century(reader, at),
        _ => event(view, at),
    }
    .or_else(|| if view.at(at) == '上' { shifted(reader, at).or_else(|| era_or_century(reader, at)) } else { None })
}

/// 目前, 截至目前, 当前
fn now(view: &View<'_>, at: usize) -> Option<DateMention> {
    let end = view.skip_any(
        at,
        words!["截至目前", "截止目前", "截至当前", "截止到目前", "截至到目前", "目前为止", "目前", "当前", "截至今日", "截至发稿"],
    )?;
    (view.before(at) != '以').then(|| mention(at..end, DateShape::Now, None))
}

/// 疫情发生以来, 推出以来, 试点以来
fn event(view: &View<'_>, at: usize) -> Option<DateMention> {
    let start = view.skip(at, "自").unwrap_or(at);
    let event = view.skip_any(start, events(view.at(start)));
    let end = view.skip_any(event?, words!["以来", "之后", "以后", "后", "之前", "以前", "前"])?;
    let single = matches!(view.before(end), '后' | '前')
        && matches!(
            view.before(end - 1),
            '疫' | '情' | '发' | '生' | '业' | '立' | '出' | '点' | '线' | '动' | '施' | '制' | '牌' | '广' | '办'
        );
    let word = matches!(view.at(end), '续' | '台' | '勤' | '端' | '期' | '景' | '提' | '往' | '列' | '沿' | '劲');
    let whole = view.before(end) == '来' || view.ending(end, words!["之后", "以后", "之前", "以前"]).next().is_some();
    ((whole || single) && !word).then(|| mention(start..end, DateShape::Event, None))
}

/// 昨天, 明日, 大前天
fn relative_day(reader: &Reader<'_>, at: usize) -> Option<DateMention> {
    const DAYS: &Words = words!["大前天", "大后天", "前天", "前日", "昨天", "昨日", "今天", "今日", "明天", "明日", "后天"];
    const BY: [i32; 11] = [-3, 3, -2, -2, -1, -1, 0, 0, 1, 1, 2];
    let (word, end) = reader.view.which(at, DAYS)?;
    let by = *BY.get(word)?;
    let compound =
        matches!(reader.view.before(at), '目' | '日' | '年' | '先' | '以' | '春') || matches!(reader.view.at(end), '头' | '报' | '中');
    (!compound).then(|| mention(at..end, DateShape::Day, beside(reader.reference, by).map(|d| (d, d))))
}

/// 上2个月, 后1年: a stretch that ends or begins at the reference.
fn shifted(reader: &Reader<'_>, at: usize) -> Option<DateMention> {
    let view = &reader.view;
    let back = match view.at(at) {
        '上' => true,
        '后' => false,
        _ => return None,
    };
    if is_ideograph(view.before(at)) {
        return None;
    }
    let (end, count) = reader.small(at + 1)?;
    let (end, months) = view.skip(end, "个月").map(|end| (end, 1)).or_else(|| view.skip(end, "年").map(|end| (end, 12)))?;
    let reference = reader.reference?;
    let by = i32::try_from(count).ok()? * months;
    let (year, month) = shift_month(reference.year, reference.month, if back { -by } else { by });
    let other = day(year, month, reference.day.min(calendar::days_in(year, month)))?;
    let days = if back { (other, shift_days(reference, -1)?) } else { (shift_days(reference, 1)?, other) };
    Some(mention(at..end, DateShape::Span, Some(days)))
}

/// 星期一, 上周三, 下周末, 上上周
fn week(reader: &Reader<'_>, at: usize) -> Option<DateMention> {
    let view = &reader.view;
    let (mut i, mut by) = (at, 0);
    while matches!(view.at(i), '上' | '下') && i < at + 3 && view.at(i) == view.at(at) {
        by += if view.at(i) == '上' { -1 } else { 1 };
        i += 1;
    }
    let given = i > at || matches!(view.at(i), '这' | '本');
    i += usize::from(i == at && given);
    i += usize::from(given && view.at(i) == '个');
    let i = view.skip_any(i, words!["星期", "礼拜", "周"])?;
    if !given
        && (han_digit(view.before(at)).is_some()
            || view.before(at).is_ascii_digit()
            || matches!(view.before(at), '每' | '个' | '四' | '逐' | '两' | '半'))
    {
        return None;
    }
    let name = view.at(i);
    let index = match name {
        '日' | '天' if view.at(i + 1) != '气' => Some(6),
        '末' => Some(5),
        c => han_digit(c).filter(|d| (1..=6).contains(d) && c != '两').map(|d| i32::from(d) - 1),
    };
    let Some(index) = index else {
        let monday = reader.reference.and_then(|r| monday(r, by));
        let days = monday.zip(monday.and_then(|m| shift_days(m, 6)));
        let word = matches!(name, '期' | '边' | '密' | '转' | '围' | '知' | '到' | '口' | '刊' | '报' | '五');
        return (given && !word).then(|| mention(at..i, DateShape::Span, days));
    };
    if matches!(view.at(i + 1), '次' | '个' | '家' | '场' | '回' | '天' | '至') && !given {
        return None;
    }
    let monday = reader.reference.and_then(|r| monday(r, by));
    let mut first = monday.and_then(|m| shift_days(m, index));
    if !given && first > reader.reference {
        first = first.and_then(|d| shift_days(d, -7));
    }
    let last = if name == '末' { first.and_then(|d| shift_days(d, 1)) } else { first };
    let shape = if name == '末' { DateShape::Span } else { DateShape::Day };
    Some(mention(at..i + 1, shape, first.zip(last)))
}

/// 本世纪20年代, 上世纪80年代, 康熙三年五月
fn era_or_century(reader: &Reader<'_>, at: usize) -> Option<DateMention> {
    const ERAS: &Words = words!["康熙", "雍正", "乾隆", "嘉庆", "道光", "咸丰", "同治", "光绪", "宣统", "民国"];
    /// The year before the first of each.
    const BEFORE: [i32; 10] = [1661, 1722, 1735, 1795, 1820, 1850, 1861, 1874, 1908, 1911];
    let view = &reader.view;
    if let Some(end) = view.skip_any(at, words!["本世纪", "上世纪"]) {
        let century = if view.at(at) == '本' { 2000 } else { 1900 };
        return decade(reader, at, end, century);
    }
    let (era, end) = view.which(at, ERAS)?;
    let before = BEFORE.get(era)?;
    let (end, count) = reader.small(end)?;
    let end = view.skip(end, "年").filter(|_| count > 0)?;
    let year = before + i32::try_from(count).ok()?;
    let reading =
        reader.part(end, Some(Part::Year)).filter(|r| !matches!(r.part, Part::BareDay(_))).unwrap_or_else(|| plain(end, Part::Year));
    Some(reader.settle(at, &Reading { year: Some(year), has_year: true, ..reading }))
}

/// 20年代 behind a century, or the century alone.
fn decade(reader: &Reader<'_>, at: usize, end: usize, century: i32) -> Option<DateMention> {
    let tens = reader.small(end).and_then(|(after, n)| Some((reader.view.skip(after, "年代")?, n))).filter(|(_, n)| n % 10 == 0);
    let (end, from, length) = match tens {
        Some((end, n)) => (end, century + i32::try_from(n).ok()?, 9),
        None => (end, century, 99),
    };
    Some(mention(at..end, DateShape::Span, day(from, 1, 1).zip(day(from + length, 12, 31))))
}

impl Reader<'_> {
    /// A decade or century that opens with a number: 50年代, 十九世纪七十年代.
    pub(super) fn age(&self, at: usize) -> Option<DateMention> {
        let (end, n) = self.small(at)?;
        if let Some(end) = self.view.skip(end, "世纪") {
            return decade(self, at, end, i32::try_from(n).ok().filter(|n| (1..=21).contains(n))? * 100 - 100);
        }
        let end = self.view.skip(end, "年代").filter(|_| n % 10 == 0)?;
        let from = i32::try_from(n).ok()? + if n <= 20 { 2000 } else { 1900 };
        Some(mention(at..end, DateShape::Span, day(from, 1, 1).zip(day(from + 9, 12, 31))))
    }

    /// A time of day: 16:20, 14:47:33, 12时, 14时30分, 下午三点.
    pub(super) fn time(&self, at: usize) -> Option<DateMention> {
        if let Some(age) = self.age(at) {
            return Some(age);
        }
        let (hour_end, _) = self.small(at).filter(|&(_, hour)| hour <= 24)?;
        let digits = self.view.at(at).is_ascii_digit();
        let two = |i: usize| self.view.digits_end(i) == i + 2 && self.number(i, i + 2).is_some_and(|n| n < 60);
        let end = match self.view.at(hour_end) {
            ':' if digits && two(hour_end + 1) && !matches!(self.view.before(at), '.' | ':' | '比' | '按' | '例') => {
                let end = hour_end + 3;
                if self.view.at(end) == ':' && two(end + 1) { end + 3 } else { end }
            }
            '时' | '点' => self.clock(at, hour_end, digits)?,
            _ => return None,
        };
        Some(mention(at..end, DateShape::Time, None))
    }

    /// What follows the hour in 12时, 14时30分, 三点半.
    fn clock(&self, at: usize, hour_end: usize, digits: bool) -> Option<usize> {
        const PART: &Words = words!["上午", "下午", "晚上", "凌晨", "中午", "早上", "晚", "早", "午后", "傍晚", "至", "到", "时间"];
        let at_hour = hour_end + 1;
        let next = self.view.at(at_hour);
        if let Some((end, _)) = self
            .small(at_hour)
            .filter(|&(end, minute)| minute < 60 && self.view.at(end) == '分' && !matches!(self.view.at(end + 1), '之' | '钟'))
        {
            let seconds = self.small(end + 1).filter(|&(s, _)| self.view.at(s) == '秒').map(|(s, _)| s + 1);
            return Some(seconds.unwrap_or(end + 1));
        }
        if let Some(end) = self.view.skip_any(at_hour, words!["钟", "整", "半"]) {
            return Some(end);
        }
        let told = self.view.ending(at, PART).next().is_some();
        let word = if self.view.at(hour_end) == '时' {
            matches!(next, '代' | '期' | '间' | '段' | '机' | '尚' | '光' | '差' | '效' | '限')
        } else {
            matches!(next, '位' | '五' | '%' | '击' | '多' | '的' | '建' | '意' | '要' | '体' | '经' | '共' | '感' | '启' | '希')
                || next.is_ascii_digit()
                || han_digit(next).is_some()
        };
        let free = !matches!(self.view.before(at), '个' | '以' | '.' | '第' | '有' | '共' | '这' | '出' | '了' | '下');
        (!word && free && (digits && (self.view.at(hour_end) == '时' || told || !is_ideograph(next)) || told && next != '一'))
            .then_some(at_hour)
    }

    /// A date in digits: 2020-09-02, 2010.01.29, 3-7-07, 08-09 before a time.
    pub(super) fn numeric(&self, at: usize) -> Option<DateMention> {
        if matches!(self.view.before(at), '-' | '/' | '[') {
            return None;
        }
        let (reading, day_first) = self.digits_date(at)?;
        let next = separator(&self.view, reading.end).or_else(|| self.view.skip(reading.end, " - "));
        let second = next
            .and_then(|next| self.digits_date(next))
            .filter(|(second, first)| *first == day_first && second.has_year == reading.has_year);
        Some(match second {
            Some((second, _)) => self.span(at, &reading, &second),
            None => self.settle(at, &reading),
        })
    }

    /// One date in digits, and whether its day comes first.
    fn digits_date(&self, at: usize) -> Option<(Reading, bool)> {
        let a_end = self.view.digits_end(at);
        let mark = self.view.at(a_end);
        if !matches!(mark, '-' | '/' | '.' | ' ') || a_end == at || a_end > at + 4 {
            return None;
        }
        let b_end = self.view.digits_end(a_end + 1);
        let (a, b) = (self.number(at, a_end)?, self.number(a_end + 1, b_end.min(a_end + 5))?);
        let (a_len, b_len) = (a_end - at, b_end - a_end - 1);
        if !(1..=2).contains(&b_len) {
            return None;
        }
        let whole = |end: usize, year: u32, month: u32, d: u32| {
            let year = i32::try_from(year).ok()?;
            Some(Reading { year: Some(year), has_year: true, ..plain(end, Part::Day(month, d)) })
        };
        if self.view.at(b_end) != mark || !self.view.at(b_end + 1).is_ascii_digit() {
            let month = self.month_of_year(at, b_end, a, b, mark);
            return month.or_else(|| self.two_numbers(b_end, a, b, mark, (a_len, b_len))).map(|reading| (reading, false));
        }
        let c_end = self.view.digits_end(b_end + 1);
        let c_len = c_end - b_end - 1;
        let c = self.number(b_end + 1, c_end.min(b_end + 6))?;
        let closes = !matches!(self.view.at(c_end), '.' | '/') || !self.view.at(c_end + 1).is_ascii_digit();
        let century = |yy: u32| if yy < 50 { 2000 + yy } else { 1900 + yy };
        let valid = |month: u32, d: u32| (1..=12).contains(&month) && (1..=31).contains(&d);
        match (a_len, c_len) {
            (4, 1..=2) if closes && (1000..=2999).contains(&a) => whole(c_end, a, b, c).map(|r| (r, false)),
            _ if mark == ' ' || !closes => None,
            (1..=2, 4) if valid(b, a) && (1000..=2999).contains(&c) => whole(c_end, c, b, a).map(|r| (r, true)),
            (1..=2, 4) if valid(a, b) && (1000..=2999).contains(&c) => whole(c_end, c, a, b).map(|r| (r, true)),
            (2, 1..=2) if mark != ' ' && valid(b, c) && self.is_until(at) => whole(c_end, century(a), b, c).map(|r| (r, false)),
            (2, 2) if mark != '.' && valid(b, c) && self.timed(c_end) => whole(c_end, century(a), b, c).map(|r| (r, false)),
            (1..=2, 2) if mark != '.' && valid(b, a) => whole(c_end, century(c), b, a).map(|r| (r, true)),
            (2, 1) if mark != '.' && valid(b, c) => whole(c_end, century(a), b, c).map(|r| (r, false)),
            _ => None,
        }
    }

    /// 20230531 behind 截至: a day whose digits run together.
    pub(super) fn run_together(&self, at: usize) -> Option<DateMention> {
        let end = self.view.digits_end(at);
        if end != at + 8 || !self.is_until(at) {
            return None;
        }
        let (year, month, d) = (self.number(at, at + 4)?, self.number(at + 4, at + 6)?, self.number(at + 6, end)?);
        let year = i32::try_from(year).ok().filter(|year| (1990..=2099).contains(year))?;
        day(year, month, d)?;
        Some(self.settle(at, &Reading { year: Some(year), has_year: true, ..plain(end, Part::Day(month, d)) }))
    }

    /// Whether 截至 or another word that only a time follows ends before `at`.
    fn is_until(&self, at: usize) -> bool {
        self.view.ending(at, words!["截至", "截止", "截止到", "截至到", "截止至"]).next().is_some()
    }

    /// Whether a time of day follows behind a space.
    fn timed(&self, at: usize) -> bool {
        let hour = self.view.digits_end(at + 1);
        self.view.at(at) == ' ' && hour > at + 1 && hour <= at + 3 && self.view.at(hour) == ':'
    }

    /// 2023.6 behind 截至, 2023.06末: a year and a month that a decimal point parts.
    fn month_of_year(&self, at: usize, end: usize, year: u32, month: u32, mark: char) -> Option<Reading> {
        let after = end + usize::from(self.view.at(end) == '月');
        let at_end = self.view.skip_any(after, words!["末", "底"]);
        let counted = matches!(self.view.at(end), '%' | '万' | '亿' | '元' | '倍' | '个' | '户' | '家' | '人' | '笔' | '天')
            || self.view.at(end).is_ascii_alphanumeric();
        let told = self.is_until(at) && !counted || at_end.is_some() || after > end;
        if mark == ' ' || !told || !(1990..=2100).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let year = i32::try_from(year).ok();
        let (end, part) = at_end.map_or((after, Part::Months(month, month)), |end| (end, Part::MonthEnd(month)));
        Some(Reading { year, has_year: true, ..plain(end, part) })
    }

    /// 2020-05, and 08-09 where a time follows.
    fn two_numbers(&self, end: usize, a: u32, b: u32, mark: char, lengths: (usize, usize)) -> Option<Reading> {
        if self.view.at(end).is_ascii_alphanumeric() || matches!(self.view.at(end), '%' | '万' | '亿' | '元') {
            return None;
        }
        match (mark, lengths) {
            ('-' | '/' | '.', (4, 2)) if mark != '.' && (1900..=2100).contains(&a) && (1..=12).contains(&b) => {
                Some(Reading { year: i32::try_from(a).ok(), has_year: true, ..plain(end, Part::Months(b, b)) })
            }
            ('-' | '/', (1..=2, 1..=2)) if (1..=12).contains(&a) && (1..=31).contains(&b) => {
                self.timed(end).then(|| plain(end, Part::Day(a, b)))
            }
            _ => None,
        }
    }
}
