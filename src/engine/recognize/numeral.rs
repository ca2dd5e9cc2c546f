//! Numbers as written: ASCII, full-width, Chinese numerals and mixtures of them.
//!
//! Reading is a single walk over the glyphs of one number. Every glyph is looked
//! at a bounded number of times, whatever the length of a run of digits.

use rust_decimal::Decimal;

use super::quantity::Script;
use crate::engine::source::SourceText;

/// The glyphs up to a bound; beyond it there is only `\n`.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    source: &'a SourceText<'a>,
    /// Glyph after the last that may be read.
    pub end: usize,
}

impl<'a> View<'a> {
    /// The first `end` glyphs of `source`.
    pub fn new(source: &'a SourceText<'a>, end: usize) -> Self {
        Self { source, end: end.min(source.len()) }
    }

    /// This view, ending no later than `end`.
    pub fn up_to(&self, end: usize) -> Self {
        Self { end: end.min(self.end), ..*self }
    }

    /// The glyph at `at`, or `\n` outside the view.
    pub fn at(&self, at: usize) -> char {
        if at < self.end { self.source.at(at) } else { '\n' }
    }

    /// The glyph before `at`, or `\n` at the start.
    pub fn before(&self, at: usize) -> char {
        at.checked_sub(1).map_or('\n', |i| self.at(i))
    }

    /// Whether a comma is as wide in the original as the digit before it, and no
    /// space sets it off from the digit behind: 1,234 and １，２３４ but not 20，300 or 1, 234.
    fn is_tight_comma(&self, at: usize) -> bool {
        let width = |i: usize| self.source.span(i..i + 1);
        let (before, comma, next) = (width(at.saturating_sub(1)), width(at), width(at + 1));
        let gap = self.source.original().get(comma.end..next.start).unwrap_or_default();
        before.end - before.start == comma.end - comma.start && (gap.is_empty() || gap.contains('\n'))
    }

    /// Where `word` ends if it stands at `at`.
    pub fn skip(&self, at: usize, word: &str) -> Option<usize> {
        let mut i = at;
        for c in word.chars() {
            if self.at(i) != c {
                return None;
            }
            i += 1;
        }
        Some(i)
    }

    /// Whether `word` stands at `at`.
    pub fn has(&self, at: usize, word: &str) -> bool {
        self.skip(at, word).is_some()
    }

    /// Where the first of `words` that stands at `at` ends.
    pub fn skip_any(&self, at: usize, words: &[&str]) -> Option<usize> {
        words.iter().find_map(|word| self.skip(at, word))
    }

    /// Where `word` begins if it ends at `at`.
    pub fn ends(&self, at: usize, word: &str) -> Option<usize> {
        let start = at.checked_sub(word.chars().count())?;
        self.has(start, word).then_some(start)
    }

    /// The glyph after the run of ASCII digits at `at`.
    pub fn digits_end(&self, at: usize) -> usize {
        let mut i = at;
        while self.at(i).is_ascii_digit() {
            i += 1;
        }
        i
    }
}

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
    /// It is a run of ASCII digits and nothing else, of this length; else 0.
    pub run: usize,
    /// Two Chinese digits side by side: 三五, 二〇.
    pub pair: Option<(u8, u8)>,
    /// A fraction: 三分之一, 1/2.
    pub fraction: bool,
}

/// The value of a Chinese digit.
pub(super) const fn han_digit(c: char) -> Option<u8> {
    Some(match c {
        '零' | '〇' | '○' => 0,
        '一' | '壹' => 1,
        '二' | '贰' | '两' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
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

/// Whether a Chinese numeral can begin with `c`.
pub(super) const fn is_han_numeral(c: char) -> bool {
    han_digit(c).is_some() || small_unit(c).is_some() || big_unit(c).is_some()
}

fn power_of_ten(exponent: u32) -> Decimal {
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
fn sign(view: &View<'_>, at: usize) -> (usize, bool) {
    let next = view.at(at + 1);
    let signed = match view.at(at) {
        '-' => next.is_ascii_digit() || next == '.',
        '负' => next.is_ascii_digit() || is_han_numeral(next),
        _ => false,
    };
    (at + usize::from(signed), signed)
}

/// 五分之一, 3又二分之一, 1/2, 1 3/5 and 2^-1: `first` is the number that stands at `at`.
fn fraction_after(view: &View<'_>, at: usize, first: &Numeral) -> Option<Numeral> {
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
    Numeral { end: bottom.end.max(top.end), value, script, over: false, scale: Decimal::ONE, bare: false, run: 0, pair: None, fraction: true }
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

/// A number without sign or fraction.
fn plain(view: &View<'_>, at: usize) -> Option<Numeral> {
    let mut reading = Reading::default();
    let mut i = at;
    while let Some(next) = reading.step(view, i) {
        i = next;
    }
    reading.finish(view, at, i)
}

/// A run of ASCII digits with its separators and decimals.
struct Literal {
    end: usize,
    value: Option<Decimal>,
    /// Number of digits.
    digits: usize,
    /// It has separators or decimals.
    marked: bool,
    decimals: bool,
}

/// Reads 1,234.56 or .5 at `at`.
fn literal(view: &View<'_>, at: usize) -> Option<Literal> {
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
    first_two: (u8, u8),
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
            first_two: (0, 0),
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
            '点' if self.any && !self.decimal_part && !self.current_is_ascii => self.take_point(view, i),
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
            if !(small && !literal.marked || scaled && small) {
                return None;
            }
        }
        self.overflow |= literal.value.is_none();
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
            if self.current_is_ascii || self.last > 0 || liang {
                return None;
            }
            self.run += 1;
            if self.run == 2 {
                self.first_two.1 = digit;
            }
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
        self.first_two = (digit, 0);
        self.scale = Decimal::ONE;
        Some(i + 1)
    }

    fn take_small(&mut self, view: &View<'_>, i: usize, unit: u32) -> Option<usize> {
        let exponent = unit.ilog10();
        let next = view.at(i + 1);
        let metric = exponent == 3 && matches!(next, '克' | '米' | '瓦' | '卡' | '伏' | '赫' | '帕' | '字');
        let percent = exponent == 2 && next == '分' && matches!(view.at(i + 2), '点' | '比') || exponent == 2 && self.ascii && next == '分';
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
        if big_unit(next).is_some() {
            self.over = true;
            self.zero = false;
            return Some(i + 1);
        }
        let tens = matches!(view.before(i), '十' | '拾' | '百' | '零');
        if c == '几' && tens {
            self.over = true;
            self.closed = true;
            return Some(i + 1);
        }
        None
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
        *self = Self { current: sum, any: true, han: true, ascii: self.ascii, decimal_part: true, overflow, current_is_ascii: true, bare: self.bare, ..Self::default() };
        Some(at)
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
        self.run = 0;
        self.literal_digits = 0;
        self.scale = Decimal::ONE;
    }

    /// The sum so far; a last digit without unit counts in the next lower one: 两千四百五.
    fn total(&self) -> Option<Decimal> {
        let elliptic = !self.zero && self.one_digit && self.last > 1 && (!self.current_is_ascii || self.last >= 4) && self.run <= 1;
        let factor = if elliptic { power_of_ten(self.last - 1) } else { Decimal::ONE };
        let last = self.current.unwrap_or_default().checked_mul(factor)?;
        let below = self.section.checked_add(last)?;
        self.above.iter().try_fold(below, |sum, (_, amount)| sum.checked_add(*amount))
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
            run: self.literal_digits,
            pair: (self.run == 2 && self.last == 0).then_some(self.first_two),
            fraction: false,
        };
        if self.ascii && self.last == 0 {
            exponent(view, &mut number);
        }
        Some(number)
    }
}

/// 40k and 2e5.
fn exponent(view: &View<'_>, number: &mut Numeral) {
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
