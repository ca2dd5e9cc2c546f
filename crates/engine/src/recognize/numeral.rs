//! Numbers as written: ASCII, full-width, Chinese numerals and mixtures of them.
//!
//! Reading is a single walk over the glyphs of one number. Every glyph is looked
//! at a bounded number of times, whatever the length of a run of digits.

use rust_decimal::Decimal;

use super::fraction::fraction_after;
use super::literal::{exponent, literal};
use super::quantity::Script;
use super::view::View;

/// A number as written, before any unit.
#[derive(Clone, Debug)]
pub(super) struct Numeral {
    /// Glyph after the last.
    pub end: usize,
    /// `None` if it has more digits than a decimal holds.
    pub value: Option<Decimal>,
    /// How it is written.
    pub script: Script,
    /// 余, 多 or 几 stands inside: 一千多万, 十几.
    pub over: bool,
    /// The 万, 亿 or 兆 it ends with, else 1.
    pub scale: Decimal,
    /// It opens with a unit and no digit: 百, 千三, 万.
    pub bare: bool,
    /// 个 stands before its 亿: 10个亿.
    pub counted: bool,
    /// It is a run of ASCII digits and nothing else, of this length; else 0.
    pub run: usize,
    /// The 百, 千, 万 or 亿 behind its only digits, else `scale`: what a number before it in a range leaves out.
    pub tail: Decimal,
    /// By how much it may be lower: 三四万 is 30000 to 40000.
    pub spread: Option<Decimal>,
    /// What it is if its two digits are no estimate but stand side by side: 三四.
    pub digits: Option<Decimal>,
    /// A fraction: 三分之一, 1/2.
    pub fraction: bool,
}

/// The Chinese digits with their values.
const DIGITS: &[(char, u8)] = &[
    ('零', 0),
    ('〇', 0),
    ('○', 0),
    ('一', 1),
    ('壹', 1),
    ('二', 2),
    ('贰', 2),
    ('两', 2),
    ('三', 3),
    ('叁', 3),
    ('四', 4),
    ('肆', 4),
    ('五', 5),
    ('伍', 5),
    ('六', 6),
    ('陆', 6),
    ('七', 7),
    ('柒', 7),
    ('八', 8),
    ('捌', 8),
    ('九', 9),
    ('玖', 9),
];

/// The digits, each in the place that [`place`] gives it: one look tells what a glyph is.
static BY_PLACE: [(char, u8); 256] = by_place(DIGITS);

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which stops at a wrong index")]
const fn by_place(digits: &[(char, u8)]) -> [(char, u8); 256] {
    let mut table = [('\0', 0); 256];
    let mut rest = digits;
    while let [digit, others @ ..] = rest {
        assert!(table[place(digit.0)].0 == '\0', "each digit has a place of its own");
        table[place(digit.0)] = *digit;
        rest = others;
    }
    table
}

const fn place(c: char) -> usize {
    ((c as u32).wrapping_mul(0x9e37_79b1) >> 24) as usize
}

/// The value of a Chinese digit.
pub(super) fn han_digit(c: char) -> Option<u8> {
    BY_PLACE.get(place(c)).and_then(|&(digit, value)| if digit == c { Some(value) } else { None })
}

/// 十 百 千 and their formal spellings.
const fn small_unit(c: char) -> Option<u32> {
    Some(match c {
        '十' | '拾' => 10,
        '百' | '佰' => 100,
        '千' | '仟' => 1000,
        _ => return None,
    })
}

/// 万 亿 兆, by their exponent.
const fn big_unit(c: char) -> Option<u32> {
    Some(match c {
        '万' => 4,
        '亿' => 8,
        '兆' => 12,
        _ => return None,
    })
}

/// 参 for 叁: only among formal digits, since it is a word's as well.
pub(super) fn is_formal_three(view: &View<'_>, at: usize) -> bool {
    let before = view.before(at);
    let formal = matches!(before, '拾' | '佰' | '仟') || !matches!(before, '二' | '两') && han_digit(before).is_some();
    view.at(at) == '参'
        && (matches!(view.at(at + 1), '拾' | '佰' | '仟' | '万' | '亿' | '元' | '圆' | '角') || formal && view.at(at + 1) == '分')
}

/// Whether a Chinese numeral can begin with `c`.
pub(super) fn is_han_numeral(c: char) -> bool {
    han_digit(c).is_some() || small_unit(c).is_some() || big_unit(c).is_some()
}

pub(super) fn power_of_ten(exponent: u32) -> Decimal {
    Decimal::try_from_i128_with_scale(10_i128.pow(exponent.min(28)), 0).unwrap_or_default()
}

/// Reads the number at `at`: a sign, a digit, a Chinese numeral or a decimal point.
pub(super) fn parse(view: &View<'_>, at: usize) -> Option<Numeral> {
    let (start, negative) = sign(view, at);
    let mut number = plain(view, start)?;
    if let Some(fraction) = fraction_after(view, start, &number) {
        number = fraction;
    }
    if negative {
        number.value = number.value.map(|v| -v);
        number.run = 0;
    }
    Some(number)
}

/// Skips a sign before a number.
pub(super) fn sign(view: &View<'_>, at: usize) -> (usize, bool) {
    let next = view.at(at + 1);
    let signed = match view.at(at) {
        '-' => next.is_ascii_digit() || next == '.',
        '负' => next.is_ascii_digit() || is_han_numeral(next),
        _ => false,
    };
    (at + usize::from(signed), signed)
}

/// A number without sign or fraction.
pub(super) fn plain(view: &View<'_>, at: usize) -> Option<Numeral> {
    let mut reading = Reading::default();
    let mut i = at;
    while let Some(next) = reading.step(view, i) {
        i = next;
    }
    reading.finish(view, at, i)
}

/// The state of reading one number.
struct Reading {
    /// Sums below 兆, 亿 and 万: what has been multiplied by each.
    above: [(u32, Decimal); 3],
    /// What stands since the last 万 or 亿, with its 十 百 千.
    section: Decimal,
    /// A digit, run of digits or literal that has no unit yet.
    current: Option<Decimal>,
    /// Glyphs in the run of Chinese digits that `current` is.
    run: usize,
    /// The last Chinese digit.
    digit: u8,
    /// By how much the number may be lower, in what has been read so far; and the 万 or 亿 that this is below, by exponent.
    spread: Option<Decimal>,
    spread_below: u32,
    /// `current` is the second of two digits that estimate.
    estimate: bool,
    digits: Option<Decimal>,
    /// How many digits, runs of them or literals there are.
    groups: usize,
    /// The 百, 千, 万 and 亿 behind them.
    tail: Decimal,
    current_is_ascii: bool,
    one_digit: bool,
    /// The last unit, by exponent; 0 if none yet.
    last: u32,
    /// The least 十 百 千 of this section, by exponent.
    least_small: u32,
    /// 零 stands after the last unit.
    zero: bool,
    any: bool,
    ascii: bool,
    han: bool,
    over: bool,
    closed: bool,
    overflow: bool,
    decimal_part: bool,
    bare: bool,
    counted: bool,
    scale: Decimal,
    literal_digits: usize,
}

impl Default for Reading {
    fn default() -> Self {
        let zero = Decimal::ZERO;
        Self {
            above: [(12, zero), (8, zero), (4, zero)],
            section: zero,
            current: None,
            run: 0,
            digit: 0,
            spread: None,
            spread_below: 0,
            estimate: false,
            digits: None,
            groups: 0,
            tail: Decimal::ONE,
            current_is_ascii: false,
            one_digit: false,
            last: 0,
            least_small: 0,
            zero: false,
            any: false,
            ascii: false,
            han: false,
            over: false,
            closed: false,
            overflow: false,
            decimal_part: false,
            bare: false,
            counted: false,
            scale: Decimal::ONE,
            literal_digits: 0,
        }
    }
}

impl Reading {
    /// Takes in what stands at `i`; where to go on, or `None` at the end of the number.
    fn step(&mut self, view: &View<'_>, i: usize) -> Option<usize> {
        if self.closed {
            return None;
        }
        let c = view.at(i);
        if c.is_ascii_digit() || (c == '.' && !self.any && view.before(i) != '.' && view.at(i + 1).is_ascii_digit()) {
            return self.take_literal(view, i);
        }
        if let Some(digit) = han_digit(c) {
            return self.take_digit(view, i, digit);
        }
        if let Some(unit) = small_unit(c) {
            return self.take_small(view, i, unit);
        }
        if let Some(exponent) = big_unit(c) {
            return self.take_big(view, i, exponent);
        }
        match c {
            '余' | '多' | '几' | '来' if self.any => self.take_vague(view, i, c),
            '个' if self.any && !self.counted && self.scale == Decimal::ONE => self.take_counted(view, i),
            '点' if self.any && !self.decimal_part && !self.current_is_ascii => self.take_point(view, i),
            '点' if self.literal_digits > 0 => self.take_point_of_digits(view, i),
            '参' if is_formal_three(view, i) => self.take_digit(view, i, 3),
            _ => None,
        }
    }

    fn take_literal(&mut self, view: &View<'_>, i: usize) -> Option<usize> {
        if self.current.is_some() || self.decimal_part || self.over {
            return None;
        }
        let literal = literal(view, i)?;
        if self.any && !self.zero {
            let small = literal.value.is_some_and(|v| v < power_of_ten(self.last));
            let scaled = big_unit(view.at(literal.end)).is_some_and(|e| e < self.last);
            if !small || literal.marked && !scaled {
                return None;
            }
        }
        self.overflow |= literal.value.is_none();
        self.groups += 1;
        self.current = Some(literal.value.unwrap_or_default());
        self.current_is_ascii = true;
        self.one_digit = literal.digits == 1;
        self.literal_digits = if self.any || literal.marked { 0 } else { literal.digits };
        self.decimal_part |= literal.decimals;
        self.scale = Decimal::ONE;
        self.any = true;
        self.ascii = true;
        Some(literal.end)
    }

    fn take_digit(&mut self, view: &View<'_>, i: usize, digit: u8) -> Option<usize> {
        if self.decimal_part || self.over {
            return None;
        }
        let liang = view.at(i) == '两';
        if let Some(current) = self.current {
            if self.estimates(view, i, digit) {
                self.digits = current.checked_mul(Decimal::TEN).and_then(|v| v.checked_add(digit.into())).filter(|_| self.last == 0);
                self.spread = Some((digit - self.digit).into());
                self.estimate = true;
                self.current = Some(digit.into());
                return Some(i + 1);
            }
            if self.current_is_ascii || self.last > 0 || liang || self.estimate {
                return None;
            }
            self.run += 1;
            if self.overflow {
                return Some(i + 1);
            }
            match current.checked_mul(Decimal::TEN).and_then(|v| v.checked_add(digit.into())) {
                Some(v) => self.current = Some(v),
                None => self.overflow = true,
            }
            return Some(i + 1);
        }
        if self.any && !self.zero && self.ascii && !self.han && self.last >= 4 && digit > 0 && small_unit(view.at(i + 1)).is_none() {
            return None;
        }
        if self.any && digit == 0 {
            if self.zero || !(is_han_numeral(view.at(i + 1)) || view.at(i + 1).is_ascii_digit() || view.at(i + 1) == '几') {
                return None;
            }
            self.zero = true;
            return Some(i + 1);
        }
        self.han = true;
        self.any = true;
        self.current = Some(digit.into());
        self.current_is_ascii = false;
        self.one_digit = true;
        self.run = 1;
        self.digit = digit;
        self.estimate = false;
        self.groups += 1;
        self.scale = Decimal::ONE;
        Some(i + 1)
    }

    fn take_small(&mut self, view: &View<'_>, i: usize, unit: u32) -> Option<usize> {
        let exponent = unit.ilog10();
        let next = view.at(i + 1);
        let metric = exponent == 3 && matches!(next, '克' | '米' | '瓦' | '卡' | '伏' | '赫' | '帕' | '字');
        let percent = exponent == 2 && next == '分' && (self.ascii || matches!(view.at(i + 2), '点' | '比'));
        if metric || percent && self.any || self.over || self.decimal_part && !self.current_is_ascii {
            return None;
        }
        if self.least_small > 0 && exponent >= self.least_small || self.run > 1 {
            return None;
        }
        let count = match self.current.take() {
            Some(count) if count.is_zero() => Decimal::ONE,
            Some(count) => count,
            None if !self.any => {
                self.bare = exponent > 1;
                Decimal::ONE
            }
            None if self.zero || self.last > exponent => Decimal::ONE,
            None => return None,
        };
        self.add_to_section(count.checked_mul(unit.into()));
        if self.estimate {
            self.spread = self.spread.and_then(|spread| spread.checked_mul(unit.into()));
        }
        if exponent > 1 {
            self.tail = self.tail.checked_mul(unit.into()).unwrap_or(self.tail);
        }
        self.least_small = exponent;
        self.after_unit(exponent);
        Some(i + 1)
    }

    fn take_big(&mut self, view: &View<'_>, i: usize, exponent: u32) -> Option<usize> {
        if exponent == 12 && matches!(view.at(i + 1), '瓦' | '字' | '赫' | '帕' | '欧' | '比' | '伏') {
            return None;
        }
        let unit = power_of_ten(exponent);
        let pending = self.current.is_some() || !self.section.is_zero();
        let mut sum = self.section.checked_add(self.current.take().unwrap_or_default());
        let mut lower = false;
        for (of, amount) in &mut self.above {
            let again = *of == exponent && !pending && self.last == exponent;
            if (*of < exponent || again) && !amount.is_zero() {
                sum = sum.and_then(|s| s.checked_add(*amount));
                *amount = Decimal::ZERO;
                lower = true;
            }
        }
        if !pending && !lower {
            if self.any {
                return None;
            }
            self.bare = true;
            sum = Some(Decimal::ONE);
        }
        let product = sum.and_then(|s| s.checked_mul(unit));
        if if pending { self.spread_below == 0 } else { self.spread_below <= exponent } {
            self.spread = self.spread.and_then(|spread| spread.checked_mul(unit));
            self.spread_below = exponent;
        }
        self.tail = self.tail.checked_mul(unit).unwrap_or(unit);
        if let Some((_, amount)) = self.above.iter_mut().find(|(of, _)| *of == exponent) {
            match product.and_then(|p| amount.checked_add(p)) {
                Some(total) => *amount = total,
                None => self.overflow = true,
            }
        }
        self.scale = self.scale.checked_mul(unit).unwrap_or(unit);
        let scale = self.scale;
        self.section = Decimal::ZERO;
        self.least_small = 0;
        self.after_unit(exponent);
        self.scale = scale;
        Some(i + 1)
    }

    /// 余 多 几 before a unit: 五百余万, 十几亿; 几 also at the end: 二十几.
    fn take_vague(&mut self, view: &View<'_>, i: usize, c: char) -> Option<usize> {
        let next = view.at(i + 1);
        if self.over {
            return None;
        }
        if big_unit(next).is_some() || next == '个' && view.at(i + 2) == '亿' {
            self.over = true;
            self.zero = false;
            return Some(i + 1);
        }
        // 一百几十, 两万几千: the lesser unit says nothing that is known.
        if c == '几' && small_unit(next).is_some_and(|unit| unit.ilog10() < self.last) && self.current.is_none() {
            self.over = true;
            self.zero = false;
            return Some(i + 2);
        }
        let tens = matches!(view.before(i), '十' | '拾' | '百' | '零');
        if c == '几' && tens {
            self.over = true;
            self.closed = true;
            return Some(i + 1);
        }
        None
    }

    /// 个 before 亿: 10个亿, 748个多亿.
    fn take_counted(&mut self, view: &View<'_>, i: usize) -> Option<usize> {
        let vague = matches!(view.at(i + 1), '余' | '多') && !self.over;
        let at = i + 1 + usize::from(vague);
        if view.at(at) != '亿' {
            return None;
        }
        self.counted = true;
        self.over |= vague;
        Some(at)
    }

    /// 点 and the decimals after it.
    fn take_point(&mut self, view: &View<'_>, i: usize) -> Option<usize> {
        let mut at = i + 1;
        let (mut mantissa, mut scale) = (0_i128, 0_u32);
        while let Some(digit) = han_digit(view.at(at)).filter(|_| view.at(at) != '两') {
            if scale < 28 {
                mantissa = mantissa * 10 + i128::from(digit);
                scale += 1;
            } else {
                self.overflow = true;
            }
            at += 1;
        }
        if scale == 0 || matches!(view.at(at), '十' | '刻') {
            return None;
        }
        let whole = self.total();
        let part = Decimal::try_from_i128_with_scale(mantissa, scale).ok();
        let sum = whole.zip(part).and_then(|(w, p)| w.checked_add(p));
        self.overflow |= sum.is_none();
        let overflow = self.overflow;
        *self = Self {
            current: sum,
            groups: 1,
            any: true,
            han: true,
            ascii: self.ascii,
            decimal_part: true,
            overflow,
            current_is_ascii: true,
            bare: self.bare,
            ..Self::default()
        };
        Some(at)
    }

    /// 点 between digits: 3点5亿元. A scale or unit behind tells it from a time of day.
    fn take_point_of_digits(&mut self, view: &View<'_>, i: usize) -> Option<usize> {
        let end = view.digits_end(i + 1);
        let scaled = big_unit(view.at(end)).is_some() || matches!(view.at(end), '%' | '元' | '个' | '倍' | '成' | '折');
        let scale = u32::try_from(end - i - 1).ok().filter(|&scale| scaled && (1..=6).contains(&scale))?;
        let part = (i + 1..end).filter_map(|at| view.at(at).to_digit(10)).fold(0_i128, |n, digit| n * 10 + i128::from(digit));
        let part = Decimal::try_from_i128_with_scale(part, scale).ok()?;
        self.current = self.current.and_then(|whole| whole.checked_add(part));
        self.overflow |= self.current.is_none();
        self.decimal_part = true;
        self.literal_digits = 0;
        Some(end)
    }

    /// Whether a digit behind another estimates with it: 三四万, 十二三户, 三五天, 一两千. Not 五六折, and no row of digits.
    fn estimates(&self, view: &View<'_>, i: usize, digit: u8) -> bool {
        let follows = self.digit > 0 && digit == self.digit + 1 || (self.digit, digit) == (3, 5);
        let row = han_digit(view.at(i + 1)).is_some() || view.at(i + 1) == '折';
        follows && self.run == 1 && !self.estimate && !self.current_is_ascii && !row
    }

    fn add_to_section(&mut self, amount: Option<Decimal>) {
        match amount.and_then(|a| self.section.checked_add(a)) {
            Some(sum) => self.section = sum,
            None => self.overflow = true,
        }
    }

    fn after_unit(&mut self, exponent: u32) {
        self.any = true;
        self.han |= !self.ascii;
        self.zero = false;
        self.last = exponent;
        self.current = None;
        self.estimate = false;
        self.run = 0;
        self.literal_digits = 0;
        self.scale = Decimal::ONE;
    }

    /// The sum so far; a last digit without unit counts in the next lower one: 两千四百五.
    fn total(&self) -> Option<Decimal> {
        if self.last == 0 {
            return Some(self.current.unwrap_or_default());
        }
        let last = self.current.unwrap_or_default().checked_mul(self.elliptic())?;
        let below = self.section.checked_add(last)?;
        self.above.iter().filter(|(_, amount)| !amount.is_zero()).try_fold(below, |sum, (_, amount)| sum.checked_add(*amount))
    }

    /// What a last digit without unit counts: 百 in 两千四.
    fn elliptic(&self) -> Decimal {
        let elliptic = !self.zero && self.one_digit && self.last > 1 && (!self.current_is_ascii || self.last >= 4) && self.run <= 1;
        if elliptic { power_of_ten(self.last - 1) } else { Decimal::ONE }
    }

    fn finish(self, view: &View<'_>, at: usize, end: usize) -> Option<Numeral> {
        if !self.any || end == at {
            return None;
        }
        let value = if self.overflow { None } else { self.total().map(|v| v.normalize()) };
        let mut number = Numeral {
            end,
            value,
            script: if self.ascii { Script::Digits } else { Script::Han },
            over: self.over,
            scale: self.scale,
            bare: self.bare,
            counted: self.counted,
            run: self.literal_digits,
            tail: if self.groups == 1 { self.tail } else { self.scale },
            spread: self.spread.and_then(|spread| if self.estimate { spread.checked_mul(self.elliptic()) } else { Some(spread) }),
            digits: self.digits,
            fraction: false,
        };
        if self.ascii && self.last == 0 {
            exponent(view, &mut number);
        }
        Some(number)
    }
}
