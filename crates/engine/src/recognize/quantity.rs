//! A number with its qualifier and unit.

use rust_decimal::Decimal;

use super::amount::Amount;
use super::marker::{self, Marker};
use super::numeral::{self, Numeral, is_han_numeral};
use super::openers::{NUMBER, Openers};
use super::qualifier;
use super::unit;
use super::view::View;
use crate::lexicon::{Class, Hit, Hits, In, Lexicon, Role};
use crate::report::{Qualifier, QuantityKind};
use crate::source::{Glyphs, SourceText};
use crate::words::words;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// It holds an ASCII digit.
    Digits,
    /// Chinese numerals only.
    Han,
}

/// A number with its qualifier and unit, as found in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityMention {
    /// From the qualifier before to the qualifier after.
    pub range: Glyphs,
    /// From the first digit to the end of the unit.
    pub core: Glyphs,
    /// The digits with their 万 or 亿 alone.
    pub number: Glyphs,
    /// What kind of quantity the unit makes it.
    pub kind: QuantityKind,
    /// The number before any unit; `None` if it has more digits than a decimal holds.
    pub numeral: Option<Decimal>,
    /// The value in `unit`.
    pub value: Option<Decimal>,
    /// The upper end of a range.
    pub upper: Option<Decimal>,
    /// The unit on the wire.
    pub unit: String,
    /// How exactly it is stated.
    pub qualifier: Qualifier,
    /// Two qualifiers that contradict each other: 近百余人.
    pub contradictory: bool,
    /// 亿 or 万 without a unit: 2.1亿. Its kind is NUMBER until the sentence says more.
    pub unit_missing: bool,
    /// A fraction: 三分之一, 1/5.
    pub fraction: bool,
    /// How it is written.
    pub script: Script,
}

/// Finds every number outside `taken` (dates, names), by place, not overlapping.
#[must_use]
pub fn quantities(source: &SourceText<'_>, openers: &Openers, hits: &Hits, lexicon: &Lexicon, taken: &[Glyphs]) -> Vec<QuantityMention> {
    let mut taken: Vec<Glyphs> = taken.iter().filter(|range| range.start < range.end).cloned().collect();
    taken.sort_by_key(|range| (range.start, range.end));
    let view = View::new(source, source.len());
    let idioms = hits.of(const { In::roles(&[Role::NotANumber]) });
    let mut reader = Reader { source, hits, lexicon, idioms: &idioms, view, floor: 0, quoted: false };
    let mut mentions = Vec::with_capacity(source.len() / 32);
    let mut at = 0;
    for range in &taken {
        reader.read(openers, at..range.start, &mut mentions);
        at = at.max(range.end);
    }
    reader.read(openers, at..source.len(), &mut mentions);
    share_units(source, &mut mentions);
    mentions
}

/// 0.24个和0.51个百分点: the first takes the unit that only the last is written with.
fn share_units(source: &SourceText<'_>, mentions: &mut [QuantityMention]) {
    for index in (1..mentions.len()).rev() {
        let (left, right) = mentions.split_at_mut(index);
        let (Some(first), Some(second)) = (left.last_mut(), right.first()) else { continue };
        let joined = first.range.end + 1 == second.range.start && matches!(source.at(first.range.end), '和' | '、' | '与' | '及');
        if joined && second.kind == QuantityKind::PercentagePoint && first.kind == QuantityKind::Count && first.unit == "个" {
            first.kind = QuantityKind::PercentagePoint;
            first.unit.clone_from(&second.unit);
        }
    }
}

/// Whether `c` is a sign that stands before a sum.
const fn is_currency_sign(c: char) -> bool {
    matches!(c, '¥' | '$' | '£' | '\u{20a0}'..='\u{20bf}')
}

/// Whether a number can begin with `c`, or a quotation begin or end with it.
pub(super) fn opens_number(c: char) -> bool {
    is_han_numeral(c)
        || c.is_ascii_alphanumeric()
        || is_currency_sign(c)
        || matches!(c, '第' | '负' | '半' | '对' | '参' | '-' | '.')
        || matches!(c, '(' | '[' | '①'..='⒛' | '㈠'..='㈩' | '❶'..='❿' | '“' | '《' | '〈' | '”' | '》' | '〉' | '\n')
}

/// Reads the stretches between what is taken.
pub(super) struct Reader<'a> {
    source: &'a SourceText<'a>,
    pub hits: &'a Hits,
    pub lexicon: &'a Lexicon,
    /// The words with a numeral character in them, by place.
    idioms: &'a [Hit],
    /// The text up to the end of the stretch.
    pub view: View<'a>,
    /// End of what is taken or read before.
    pub floor: usize,
    /// Inside “” or 《》.
    pub quoted: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self, openers: &Openers, stretch: Glyphs, mentions: &mut Vec<QuantityMention>) {
        self.view = View::new(self.source, stretch.end);
        self.floor = self.floor.max(stretch.start);
        let mut next = stretch.start;
        for at in openers.inside(stretch, NUMBER) {
            if at < next {
                continue;
            }
            match self.source.at(at) {
                '“' | '《' | '〈' => self.quoted = true,
                '”' | '》' | '〉' | '\n' => self.quoted = false,
                _ => {}
            }
            let (mention, behind) = self.mention_at(at);
            next = behind;
            if let Some(mention) = mention {
                next = next.max(mention.range.end);
                self.floor = next.max(at + 1);
                mentions.push(mention);
            }
        }
    }

    /// The mention whose number begins at `at`, and where to go on.
    fn mention_at(&self, at: usize) -> (Option<QuantityMention>, usize) {
        let c = self.view.at(at);
        let next = at + 1;
        match c {
            '0'..='9' => self.digits(at),
            '-' | '.' if self.opens_signed(at) => (self.quantity(at), next),
            c if is_currency_sign(c) => (self.priced(at), next),
            '参' => (if numeral::is_formal_three(&self.view, at) { self.quantity(at) } else { None }, next),
            '(' | '[' | '①'..='⒛' | '㈠'..='㈩' | '❶'..='❿' => (marker::marker(&self.view, at).map(|m| self.marked(m)), next),
            '第' => self.han(at),
            '负' if !matches!(self.view.before(at), '担' | '欺' | '抱' | '自' | '肩' | '辜' | '胜' | '背' | '减') => {
                (self.quantity(at), next)
            }
            'a'..='z' | 'A'..='Z' => self.word(at),
            '半' | '对' => (self.half(at), next),
            _ if is_han_numeral(c) => self.han(at),
            _ => (None, next),
        }
    }

    /// Whether a sign or decimal point at `at` belongs to the number behind it.
    fn opens_signed(&self, at: usize) -> bool {
        let (before, next) = (self.view.before(at), self.view.at(at + 1));
        let free = !(before.is_ascii_alphanumeric() || matches!(before, '-' | '.' | '%' | ')' | ']' | '/' | '~') || is_han_numeral(before));
        free && (next.is_ascii_digit() || self.view.at(at) == '-' && next == '.' && self.view.at(at + 2).is_ascii_digit())
    }

    fn digits(&self, at: usize) -> (Option<QuantityMention>, usize) {
        if let Some(marker) = marker::marker(&self.view, at) {
            return (Some(self.marked(marker)), at);
        }
        if let Some(hours) =
            self.view.skip_any(at, words!["7*", "7×", "7x", "7X", "5*", "5×"]).filter(|&hours| self.view.at(hours).is_ascii_digit())
        {
            let around = self.quantity(hours).filter(|m| m.unit == "h");
            if let Some(mention) = around {
                return (Some(QuantityMention { range: at..mention.range.end, core: at..mention.core.end, ..mention }), hours);
            }
        }
        (self.quantity(at), self.view.digits_end(at))
    }

    /// A word of letters, with the digits in it.
    fn word(&self, at: usize) -> (Option<QuantityMention>, usize) {
        if let Some(mention) = self.priced(at) {
            return (Some(mention), at);
        }
        if let Some(marker) = marker::marker(&self.view, at) {
            return (Some(self.marked(marker)), at);
        }
        let mut end = at;
        while self.view.at(end).is_ascii_alphanumeric() {
            end += 1;
        }
        (None, self.first_digit(at, end))
    }

    /// A Chinese numeral or an ordinal, unless it is part of an ordinary word.
    fn han(&self, at: usize) -> (Option<QuantityMention>, usize) {
        let (idiom_start, idiom_end) = self.idiom(at);
        if idiom_end > at && idiom_start < at {
            return (None, idiom_end);
        }
        if let Some(marker) = marker::marker(&self.view, at).filter(|m| m.range.end > idiom_end) {
            return (Some(self.marked(marker)), at);
        }
        if self.view.at(at) == '第' {
            return (None, idiom_end);
        }
        let Some(number) = numeral::parse(&self.view, at) else {
            return (None, at + 1);
        };
        let number_end = number.end;
        if idiom_end > at && self.in_vague(at) {
            return (None, self.first_digit(at, idiom_end.max(number_end)));
        }
        // 十四五期间: what only reads on by its unit is the word.
        let reads_on = |m: &QuantityMention| m.core.end > idiom_end && (number.spread.is_none() || number_end > idiom_end);
        let mention = self.build(at, &number).filter(|m| reads_on(m) && !self.in_vague(at));
        let next = if mention.is_none() && idiom_end > at { idiom_end } else { number_end };
        (mention, self.first_digit(at, next))
    }

    /// The first ASCII digit in `at..end`, or `end`: no digit may be passed over.
    fn first_digit(&self, at: usize, end: usize) -> usize {
        (at..end).find(|&i| self.view.at(i).is_ascii_digit()).unwrap_or(end)
    }

    /// 数百, 几千, 成百上千: no number can be read.
    fn in_vague(&self, at: usize) -> bool {
        matches!(self.view.before(at), '数' | '几' | '成' | '整') && !numeral_digit(self.view.at(at))
            || self.view.before(at) == '上' && matches!(self.view.at(at.wrapping_sub(2)), '百' | '千' | '万')
    }

    /// The word with a numeral character in it that covers `at`; empty at `at` if none does.
    fn idiom(&self, at: usize) -> (usize, usize) {
        let from = at.saturating_sub(4).max(self.floor);
        let idioms = self.idioms.get(self.idioms.partition_point(|hit| hit.start() < from)..).unwrap_or_default().iter();
        let over = idioms.take_while(|hit| hit.start() <= at).filter(|hit| hit.end() > at);
        over.map(|hit| (hit.start(), hit.end())).max_by_key(|&(start, end)| (end, at - start)).unwrap_or((at, at))
    }

    /// 半年, 半成, and 对折 after 打.
    fn half(&self, at: usize) -> Option<QuantityMention> {
        let half = self.view.at(at) == '半';
        let before = self.view.before(at);
        if half && matches!(before, '上' | '下' | '一' | '大' | '多' | '过' | '前' | '后' | '各' | '小') || !half && before != '打'
        {
            return None;
        }
        let value = if half { Decimal::new(5, 1) } else { Decimal::from(5) };
        let number = Numeral {
            end: at + 1,
            value: Some(value),
            script: Script::Han,
            over: false,
            scale: Decimal::ONE,
            bare: false,
            run: 0,
            tail: Decimal::ONE,
            spread: None,
            digits: None,
            counted: false,
            fraction: false,
        };
        let found = unit::unit_at(&self.view, self.hits, self.lexicon, at + 1, &number)?;
        let fits = match found.row.kind {
            QuantityKind::Percent => true,
            QuantityKind::Duration => half,
            _ => false,
        };
        if fits { self.build(at, &number) } else { None }
    }

    /// ¥300, US$5万
    fn priced(&self, at: usize) -> Option<QuantityMention> {
        let (number_at, currency) = self.currency_at(at)?;
        let number_at = number_at + usize::from(self.view.at(number_at) == ' ');
        if !self.view.at(number_at).is_ascii_digit() {
            return None;
        }
        let number = numeral::parse(&self.view, number_at)?;
        let mut mention = self.build(number_at, &number)?;
        let in_yuan = mention.kind == QuantityKind::Money && self.view.before(mention.core.end) == '元' && mention.unit == "CNY";
        if mention.kind == QuantityKind::Number || in_yuan {
            mention.kind = QuantityKind::Money;
            mention.unit.clone_from(&currency.unit);
            mention.unit_missing = false;
        }
        mention.range.start = mention.range.start.min(at);
        Some(mention)
    }

    fn quantity(&self, at: usize) -> Option<QuantityMention> {
        let number = numeral::parse(&self.view, at)?;
        self.build(at, &number)
    }

    /// The mention of the number at `at`.
    fn build(&self, at: usize, number: &Numeral) -> Option<QuantityMention> {
        if matches!(self.view.at(at), '陆' | '伍' | '肆' | '拾')
            && number.end == at + 1
            && !matches!(self.view.at(at + 1), '元' | '圆' | '折' | '成')
        {
            return None;
        }
        if let Some(mention) = self.estimate(at, number) {
            return Some(mention);
        }
        let number = &Numeral { value: number.digits.or(number.value), ..number.clone() };
        let first = self.amount(at, number);
        if first.bare && !self.stands_alone(&first) {
            return None;
        }
        match self.upper(&first) {
            Some(upper) => Some(self.ranged(first, &upper)),
            None => Some(self.single(first)),
        }
    }

    /// Whether 百, 千 or 万 without a digit is a number here: 近百余人, 百户, 上万元; not 单位:万元.
    fn stands_alone(&self, amount: &Amount<'_>) -> bool {
        let unit = amount.found.is_some();
        let qualified = self.before(amount.start, amount.kind, false).is_some();
        let scaled = amount.scale > Decimal::ONE;
        unit && (qualified || amount.over || !scaled) || amount.over && qualified
    }

    /// 三五天, 三四万元, 十二三户, 三、四十户: two digits side by side are a range.
    fn estimate(&self, at: usize, number: &Numeral) -> Option<QuantityMention> {
        let (upper, spread) = self.stated_estimate(at, number).or_else(|| self.listed_estimate(at, number))?;
        let numeral = upper.numeral?.checked_sub(spread)?;
        let factor = upper.value?.checked_div(upper.numeral?)?;
        let value = numeral.checked_mul(factor)?.normalize();
        let first = Amount { start: at, numeral: Some(numeral), value: Some(value), ..Amount::like(&upper) };
        Some(self.ranged(first, &upper))
    }

    /// 三四万元: the upper end, and how far below it the lower end is.
    fn stated_estimate(&self, at: usize, number: &Numeral) -> Option<(Amount<'a>, Decimal)> {
        let spread = number.spread?;
        let upper = self.amount(at, number);
        let counts = upper.found.map_or(number.digits.is_none() || number.end > at + 2, |found| self.counts(found));
        counts.then_some((upper, spread))
    }

    /// 三、四十户, 七、八天: what stands before 、 is one less.
    fn listed_estimate(&self, at: usize, number: &Numeral) -> Option<(Amount<'a>, Decimal)> {
        let next = number.end + 1;
        let digit = |i: usize| numeral::han_digit(self.view.at(i)).filter(|&digit| digit > 0);
        let (low, high) = digit(number.end - 1).zip(digit(next))?;
        let listed = self.view.at(number.end) == '、' && self.view.before(at) != '、' && number.script == Script::Han;
        let spread = u32::from(high.checked_sub(low).filter(|&spread| listed && (spread == 1 || (low, high) == (3, 5)))?);
        let second = numeral::parse(&self.view, next).filter(|n| digit(next + 1).is_none() && !n.fraction)?;
        let scale = second.value?.checked_div(high.into())?;
        let upper = number.value?.checked_add(spread.into())?.checked_mul(scale)?;
        let upper = self.amount(next, &Numeral { value: Some(upper), ..second });
        let found = upper.found?;
        let counts = if scale > Decimal::ONE { found.row.kind != QuantityKind::Identifier } else { self.counts(found) };
        counts.then_some((upper, scale.checked_mul(spread.into())?))
    }

    /// Whether a unit measures and does not number: 三四级 may be the third and the fourth.
    fn counts(&self, found: unit::Found<'_>) -> bool {
        let ranks = self.hits.at(found.start).iter().any(|hit| hit.end() == found.end && self.lexicon.classes(*hit).has(Class::Rank));
        found.row.kind != QuantityKind::Identifier && !ranks
    }

    /// The upper end of a range that `first` opens.
    fn upper(&self, first: &Amount<'a>) -> Option<Amount<'a>> {
        let at = self.separator(first)?;
        let percents = |n: &Numeral| n.bare && self.view.has(n.end, "分之");
        let number = numeral::parse(&self.view, at).filter(|n| (!n.bare || percents(n)) && !n.fraction)?;
        let digits = matches!(self.view.at(number.end), '-' | '/' | ':') && self.view.at(number.end + 1).is_ascii_digit();
        let upper = self.amount(at, &number);
        let percent = first.kind == QuantityKind::Percent && first.found.is_none();
        if percent && upper.kind == QuantityKind::Number && upper.numeral >= first.numeral {
            // 百分之五至十: one 百分之 for both.
            let each = first.value?.checked_div(first.numeral?)?;
            let value = upper.value?.checked_mul(each)?.normalize();
            return Some(Amount { value: Some(value), kind: first.kind, unit: first.unit.clone(), ..upper });
        }
        if digits || upper.script != first.script && upper.found.is_none() {
            return None;
        }
        let joins = match (&first.found, &upper.found) {
            (Some(a), Some(b)) => a.row.kind == b.row.kind && first.unit == upper.unit,
            (None, Some(b)) => b.row.kind != QuantityKind::Identifier && first.kind == QuantityKind::Number,
            (None, None) => first.kind == upper.kind && first.kind != QuantityKind::Identifier && first.run != 4,
            (Some(_), None) => false,
        };
        joins.then_some(upper)
    }

    /// Where the upper end would begin: behind 至 到 - — ~.
    fn separator(&self, first: &Amount<'_>) -> Option<usize> {
        // 500万元(含)至1000万元
        let at = self.view.skip(first.end, "(含)").unwrap_or(first.end);
        let next = match self.view.at(at) {
            '-' | '~' | '至' | '到' => at + 1,
            '—' => at + 1 + usize::from(self.view.at(at + 1) == '—'),
            _ => return None,
        };
        let negative =
            || self.view.at(next) == '-' && self.view.at(next + 1).is_ascii_digit() && first.value.is_some_and(|v| v.is_sign_negative());
        let percents = || first.kind == QuantityKind::Percent && numeral::is_han_numeral(self.view.at(next));
        (starts_number(self.view.at(next)) || negative() || percents()).then_some(next)
    }

    /// One mention of both ends; two that do not rise stay apart, so the first alone is returned.
    fn ranged(&self, mut first: Amount<'a>, upper: &Amount<'a>) -> QuantityMention {
        let plain = first.value;
        if first.found.is_none() && first.kind == QuantityKind::Number {
            // 两到三千户, 5至6百万元: the lower end leaves out what both are counted by.
            let below = |scale: &Decimal| upper.numeral.and_then(|n| n.checked_div(*scale)) > first.numeral;
            let scale = [upper.tail, upper.scale].into_iter().find(|scale| *scale > Decimal::ONE && below(scale));
            if let Some(scale) = scale.filter(|_| first.scale == Decimal::ONE) {
                first.numeral = first.numeral.and_then(|n| n.checked_mul(scale));
            }
            first.value = first.numeral;
            if let Some(found) = &upper.found {
                first.value = first.numeral.and_then(|n| n.checked_mul(found.row.factor)).map(|v| v.normalize());
            }
        }
        let falls = first.value.is_some_and(|v| v.is_sign_negative()) && upper.value.is_some_and(|v| v.is_sign_negative());
        if first.value.is_none() || first.value >= upper.value && !falls {
            first.value = plain;
            first.numeral = if first.found.is_none() { plain } else { first.numeral };
            return self.single(first);
        }
        let mut mention = self.single(Amount { end: upper.end, over: first.over || upper.over, ..Amount::like(upper) }.at(first.start));
        mention.numeral = first.numeral;
        mention.value = first.value;
        mention.upper = upper.value;
        mention.number = first.start..upper.number_end;
        if first.script == Script::Digits {
            mention.script = Script::Digits;
        }
        mention
    }

    /// The mention of one amount, with its qualifiers.
    fn single(&self, amount: Amount<'_>) -> QuantityMention {
        let recent = amount.kind == QuantityKind::Duration && matches!(amount.unit.as_str(), "a" | "mo" | "d" | "wk");
        let before = match amount.kind {
            QuantityKind::Identifier => None,
            kind => self.before(amount.start, kind, recent),
        };
        let after = match amount.kind {
            QuantityKind::Identifier => None,
            kind => self.after(amount.end, kind),
        };
        let inner = amount.over.then_some(Qualifier::Over);
        let (inside, clash) = qualifier::combine(inner, after.map(|(_, q)| q).filter(|_| inner.is_none()));
        let (qualifier, contradictory) = qualifier::combine(before.map(|b| b.qualifier), (inside != Qualifier::Exact).then_some(inside));
        QuantityMention {
            range: before.map_or(amount.start, |b| b.start)..after.map_or(amount.end, |(end, _)| end),
            core: amount.start..amount.end,
            number: amount.start..amount.number_end,
            kind: amount.kind,
            numeral: amount.numeral,
            value: amount.value,
            upper: None,
            unit_missing: amount.kind == QuantityKind::Number && amount.scale > Decimal::ONE,
            unit: amount.unit,
            qualifier,
            contradictory: contradictory || clash,
            fraction: amount.fraction && amount.kind == QuantityKind::Number,
            script: amount.script,
        }
    }

    /// The mention of a marker, ordinal or identifier.
    fn marked(&self, marker: Marker) -> QuantityMention {
        let digits = marker.range.clone().any(|i| self.view.at(i).is_ascii_digit());
        QuantityMention {
            core: marker.range.clone(),
            range: marker.range,
            number: marker.number,
            kind: marker.kind,
            numeral: marker.value,
            value: marker.value,
            upper: None,
            unit: String::new(),
            qualifier: Qualifier::Exact,
            contradictory: false,
            fraction: false,
            unit_missing: false,
            script: if digits { Script::Digits } else { Script::Han },
        }
    }
}

/// Whether a number can begin with `c`.
pub(super) fn starts_number(c: char) -> bool {
    c.is_ascii_digit() || numeral_digit(c) || c == '十'
}

fn numeral_digit(c: char) -> bool {
    numeral::han_digit(c).is_some()
}
