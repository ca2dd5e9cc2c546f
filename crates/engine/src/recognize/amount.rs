//! A number taken together with its unit.

use rust_decimal::Decimal;

use super::numeral::{self, Numeral};
use super::quantity::{Reader, Script, starts_number};
use super::unit::{self, Found};
use crate::lexicon::{Class, Hit, Sense, Unit};
use crate::report::QuantityKind;
use crate::source::is_ideograph;

/// A number with its unit, before qualifiers and ranges.
pub(super) struct Amount<'l> {
    pub start: usize,
    pub number_end: usize,
    /// End of the unit.
    pub end: usize,
    pub numeral: Option<Decimal>,
    pub value: Option<Decimal>,
    pub kind: QuantityKind,
    pub unit: String,
    pub found: Option<Found<'l>>,
    pub over: bool,
    pub script: Script,
    pub scale: Decimal,
    /// What a number before it in a range leaves out.
    pub tail: Decimal,
    pub bare: bool,
    pub run: usize,
    pub fraction: bool,
}

impl Amount<'_> {
    /// A copy of `other`.
    pub fn like(other: &Self) -> Self {
        Self { unit: other.unit.clone(), ..*other }
    }

    /// The same amount with another start.
    pub fn at(self, start: usize) -> Self {
        Self { start, ..self }
    }
}

impl<'a> Reader<'a> {
    /// The number with its unit.
    pub(super) fn amount(&self, start: usize, number: &Numeral) -> Amount<'a> {
        let mut amount = Amount {
            start,
            number_end: number.end,
            end: number.end,
            numeral: number.value,
            value: number.value,
            kind: QuantityKind::Number,
            unit: String::new(),
            found: None,
            over: number.over,
            script: number.script,
            scale: number.scale,
            bare: number.bare && number.value.is_some_and(|v| v == number.scale || v == Decimal::ONE_HUNDRED || v == Decimal::ONE_THOUSAND),
            run: number.run,
            tail: number.tail,
            fraction: number.fraction,
        };
        if number.bare && self.percent(&mut amount) {
            return amount;
        }
        self.dozen(&mut amount);
        if let Some(found) = self
            .view
            .skip(amount.end, "个半")
            .and_then(|at| self.unit_at(at, number))
            .filter(|found| found.row.kind == QuantityKind::Duration)
        {
            amount.value = amount.value.and_then(|v| v.checked_add(Decimal::new(5, 1)));
            self.apply(&mut amount, number, found);
            return amount;
        }
        let month = self.view.has(amount.end, "个半月");
        if month {
            amount.value = amount.value.and_then(|v| v.checked_add(Decimal::new(5, 1)));
            amount.kind = QuantityKind::Duration;
            "mo".clone_into(&mut amount.unit);
            amount.end += 3;
            return amount;
        }
        let unit_at = self.vague(&mut amount, number);
        let corner = |found: &Found<'_>| {
            matches!(self.view.at(found.start), '角' | '毛') && found.end == found.start + 1 && number.script == Script::Han
        };
        if let Some(found) = self.unit_at(unit_at, number).filter(|found| !corner(found)) {
            self.apply(&mut amount, number, found);
        } else {
            self.without_unit(&mut amount, number);
        }
        amount
    }

    pub(super) fn unit_at(&self, at: usize, number: &Numeral) -> Option<Found<'a>> {
        unit::unit_at(&self.view, self.hits, self.lexicon, at, number)
    }

    /// 百分之五, 千分之三
    fn percent(&self, amount: &mut Amount<'_>) -> bool {
        let Some(top) = self.view.skip(amount.end, "分之").and_then(|at| numeral::parse(&self.view, at)) else {
            return false;
        };
        let percents = |value: Decimal| Decimal::ONE_HUNDRED.checked_mul(value)?.checked_div(amount.value?);
        amount.value = top.value.and_then(percents).map(|v| v.normalize());
        amount.numeral = top.value;
        amount.number_end = top.end;
        amount.end = top.end;
        amount.kind = QuantityKind::Percent;
        "%".clone_into(&mut amount.unit);
        amount.over = top.over;
        amount.bare = false;
        amount.scale = Decimal::ONE;
        if top.script == Script::Digits {
            amount.script = Script::Digits;
        }
        true
    }

    /// 一打 is twelve.
    fn dozen(&self, amount: &mut Amount<'_>) {
        let stops = "击造印开包卡款工好响通破算捞官假赢基牢着下出分";
        if self.view.at(amount.end) == '打' && !amount.bare && !stops.contains(self.view.at(amount.end + 1)) {
            amount.value = amount.value.and_then(|v| v.checked_mul(Decimal::from(12)));
            amount.numeral = amount.value;
            amount.end += 1;
            amount.number_end = amount.end;
        }
    }

    /// Skips 余, 多 or 来 between number and unit; where the unit would stand.
    fn vague(&self, amount: &mut Amount<'_>, number: &Numeral) -> usize {
        let at = amount.end;
        let c = self.view.at(at);
        if amount.over || !matches!(c, '余' | '多' | '来') {
            return at;
        }
        let next = self.view.at(at + 1);
        let unit = self.unit_at(at + 1, number).is_some();
        let alone = c == '余' && !matches!(next, '额' | '下' | '款' | '粮' | '地' | '热' | '杭') || c == '多' && !is_ideograph(next);
        if unit || alone {
            amount.over = true;
            amount.end = at + 1;
        }
        amount.end
    }

    /// Multiplies the number into its unit.
    fn apply(&self, amount: &mut Amount<'a>, number: &Numeral, found: Found<'a>) {
        let two_digits = self.view.at(found.start) == '折' && amount.value.is_some_and(|v| v > Decimal::TEN);
        let factor = if two_digits { Decimal::ONE } else { found.row.factor };
        amount.value = amount.value.and_then(|v| v.checked_mul(factor)).map(|v| v.normalize());
        amount.kind = found.row.kind;
        amount.unit = found.wire(&self.view);
        amount.end = found.end;
        amount.found = Some(found);
        match found.row.kind {
            QuantityKind::Money => {
                self.coins(amount, factor);
                self.foreign(amount);
            }
            QuantityKind::Percent if self.view.at(found.start) == '成' => self.tenth(amount),
            QuantityKind::Duration | QuantityKind::Mass | QuantityKind::Area | QuantityKind::Length | QuantityKind::Multiple
                if !number.over && self.half_behind(amount.end) =>
            {
                let half = factor.checked_mul(Decimal::new(5, 1)).unwrap_or_default();
                amount.value = amount.value.and_then(|v| v.checked_add(half)).map(|v| v.normalize());
                amount.end += 1;
            }
            _ => {}
        }
    }

    /// 3000万元美元, 美元3000万元, 3000万元等值欧元: 元 counts what is named beside it.
    fn foreign(&self, amount: &mut Amount<'a>) {
        if !matches!(self.view.before(amount.end), '元' | '圆') || amount.unit != "CNY" {
            return;
        }
        let behind = self.view.skip(amount.end, "等值").unwrap_or(amount.end);
        if let Some((end, row)) = self.currency_at(behind) {
            amount.unit.clone_from(&row.unit);
            amount.end = end;
        } else if let Some(code) = self.currency_before(amount.start) {
            code.clone_into(&mut amount.unit);
        }
    }

    /// The currency that is named at `at`, and where its name ends.
    pub(super) fn currency_at(&self, at: usize) -> Option<(usize, &'a Unit)> {
        let mut hits = self.hits.at(at).iter().filter(|hit| hit.end() <= self.view.end);
        hits.find_map(|hit| self.currency(*hit).map(|row| (hit.end(), row)))
    }

    /// The currency that is named right before `at`: 人民币3亿.
    fn currency_before(&self, at: usize) -> Option<&'a str> {
        /// Most glyphs of its name.
        const LONGEST: usize = 8;
        let from = at.saturating_sub(LONGEST).max(self.floor);
        let mut named = self.hits.starting_in(from..at).iter().filter(|hit| hit.end() == at);
        named.find_map(|hit| self.currency(*hit)).map(|row| row.unit.as_str())
    }

    /// The currency a word names: 元 alone names none.
    fn currency(&self, hit: Hit) -> Option<&'a Unit> {
        let rows = self.lexicon.senses(hit).iter().filter_map(|sense| match sense {
            Sense::Unit(row) => self.lexicon.tables().units.get(usize::from(*row)),
            _ => None,
        });
        let whole = |row: &&Unit| row.kind == QuantityKind::Money && row.factor == Decimal::ONE;
        rows.filter(whole).find(|row| row.unit != "CNY" || matches!(self.lexicon.form(hit), "人民币" | "¥" | "CNY" | "RMB"))
    }

    /// The lesser units of a sum: 50元6角三分, 三块五.
    fn coins(&self, amount: &mut Amount<'_>, mut above: Decimal) {
        while let Some(at) = Some(self.view.skip(amount.end, "又").unwrap_or(amount.end)).filter(|&at| starts_number(self.view.at(at))) {
            let Some(number) = numeral::parse(&self.view, at).filter(|n| !n.bare && n.scale == Decimal::ONE && n.end <= at + 4) else {
                return;
            };
            let fen = self.view.at(number.end) == '分' && above < Decimal::ONE && !matches!(self.view.at(number.end + 1), '之' | '公');
            let factor = match self.unit_at(number.end, &number) {
                Some(found) if found.row.kind == QuantityKind::Money && found.row.unit == amount.unit && found.row.factor < above => {
                    (found.row.factor, found.end)
                }
                _ if fen || self.view.at(number.end) == '分' && self.view.at(amount.end.wrapping_sub(1)) == '元' => {
                    (Decimal::new(1, 2), number.end + 1)
                }
                _ => return,
            };
            let (factor, end) = factor;
            let Some(sum) =
                number.value.and_then(|v| v.checked_mul(factor)).zip(amount.value).and_then(|(coins, sum)| sum.checked_add(coins))
            else {
                return;
            };
            amount.value = Some(sum.normalize());
            amount.end = end;
            above = factor;
        }
    }

    /// 一年半, 两吨半, not 两吨半成品.
    fn half_behind(&self, at: usize) -> bool {
        let word = self.hits.at(at).iter().any(|hit| self.lexicon.classes(*hit).has(Class::HalfWord));
        self.view.at(at) == '半' && !word
    }

    /// 七成六 is 76 %, 六成半 65 %.
    fn tenth(&self, amount: &mut Amount<'_>) {
        if self.half_behind(amount.end) {
            amount.value = amount.value.and_then(|v| v.checked_add(Decimal::from(5)));
            amount.end += 1;
            return;
        }
        let c = self.view.at(amount.end);
        let next = self.view.at(amount.end + 1);
        let digit = numeral::han_digit(c).or_else(|| c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()));
        let closes = |next: char| !is_ideograph(next) && !matches!(next, '%' | '.') || matches!(next, '的' | '以' | '左');
        let digit = digit.filter(|_| c != '两' && closes(next) && !next.is_ascii_alphanumeric());
        if let Some(digit) = digit {
            amount.value = amount.value.and_then(|v| v.checked_add(digit.into()));
            amount.end += 1;
        }
    }

    /// A number with no unit behind it: money after 人民币, a code, a name's number or a bare one.
    fn without_unit(&self, amount: &mut Amount<'_>, number: &Numeral) {
        let counted = number.counted && self.view.at(amount.end) != '人';
        if let Some(code) = self.currency_before(amount.start).or_else(|| counted.then_some("CNY")) {
            amount.kind = QuantityKind::Money;
            code.clone_into(&mut amount.unit);
            return;
        }
        if number.script != Script::Digits {
            return;
        }
        let mut end = amount.end;
        while self.view.at(end).is_ascii_alphanumeric() || self.view.at(end) == '_' {
            end += 1;
        }
        let long = number.run >= 7
            || number.run >= 5 && matches!(self.view.at(amount.start), '9' | '1') && self.view.at(amount.start + 1) != '0' && !amount.over;
        let listed = number.run >= 5 && self.view.before(amount.start) == '(';
        let zero = number.run > 1 && self.view.at(amount.start) == '0';
        if end > amount.end || number.run > 0 && (self.quoted || zero || long || listed) && !amount.over {
            amount.kind = QuantityKind::Identifier;
            amount.end = end;
        }
    }
}
