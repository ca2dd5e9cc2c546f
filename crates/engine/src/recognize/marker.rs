//! Numbers that count nothing: list markers, ordinals, codes and document numbers.

use rust_decimal::Decimal;

use super::numeral::{self, is_han_numeral};
use super::view::View;
use crate::report::QuantityKind;
use crate::source::Glyphs;
use crate::words::words;

/// A marker, ordinal or identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// The whole of it.
    pub range: Glyphs,
    /// Its digits.
    pub number: Glyphs,
    /// [`QuantityKind::Ordinal`] or [`QuantityKind::Identifier`].
    pub kind: QuantityKind,
    /// The number, if it is one.
    pub value: Option<Decimal>,
}

/// The marker, ordinal or identifier that begins at `at`.
pub(super) fn marker(view: &View<'_>, at: usize) -> Option<Marker> {
    match view.at(at) {
        '(' => parenthesis(view, at),
        '[' => document_number(view, at),
        '第' => ordinal(view, at),
        '①'..='⑳' => circled(view, at, '①'),
        '⑴'..='⒇' => circled(view, at, '⑴'),
        '⒈'..='⒛' => circled(view, at, '⒈'),
        '㈠'..='㈩' => circled(view, at, '㈠'),
        '❶'..='❿' => circled(view, at, '❶'),
        c if c.is_ascii_digit() => heading_digit(view, at).or_else(|| code(view, at)),
        c if is_han_numeral(c) => heading_han(view, at),
        c if c.is_ascii_alphabetic() => word(view, at),
        _ => None,
    }
}

fn ordinal_marker(range: Glyphs, number: Glyphs, value: Option<Decimal>) -> Marker {
    Marker { range, number, kind: QuantityKind::Ordinal, value }
}

fn identifier(range: Glyphs, number: Glyphs) -> Marker {
    Marker { range, number, kind: QuantityKind::Identifier, value: None }
}

fn circled(view: &View<'_>, at: usize, first: char) -> Option<Marker> {
    let value = (view.at(at) as u32).checked_sub(first as u32)? + 1;
    Some(ordinal_marker(at..at + 1, at..at + 1, Some(value.into())))
}

/// (1), (三)
fn parenthesis(view: &View<'_>, at: usize) -> Option<Marker> {
    let number = numeral::parse(view, at + 1).filter(|n| n.end <= at + 4 && view.at(n.end) == ')')?;
    let whole = !number.fraction && number.value.is_some_and(|v| v.is_integer() && v <= Decimal::ONE_HUNDRED && v > Decimal::ZERO);
    (whole && view.at(at + 1) != '两').then(|| ordinal_marker(at..number.end + 1, at + 1..number.end, number.value))
}

/// `[2020]12号`, `银发[2020]12号`: the brackets and what follows them.
fn document_number(view: &View<'_>, at: usize) -> Option<Marker> {
    let close = view.digits_end(at + 1);
    if close != at + 5 || view.at(close) != ']' {
        return None;
    }
    let serial = close + 1 + usize::from(view.at(close + 1) == '第');
    let mut end = view.digits_end(serial);
    if end > serial && view.at(end) == '号' {
        end += 1;
    } else if end == serial {
        end = close + 1;
    }
    Some(identifier(at..end, at + 1..close))
}

/// 第三, 第17期
fn ordinal(view: &View<'_>, at: usize) -> Option<Marker> {
    let start = at + 1;
    if view.before(at) == '等' && !view.at(start).is_ascii_digit() {
        return None;
    }
    let number = numeral::parse(view, start).filter(|_| !matches!(view.at(start), '-' | '负' | '.'))?;
    let named = matches!(view.at(number.end), '期' | '号') && !matches!(view.at(number.end + 1), '间' | '限' | '货');
    if named {
        return Some(Marker { value: number.value, ..identifier(at..number.end + 1, start..number.end) });
    }
    Some(ordinal_marker(at..number.end, start..number.end, number.value))
}

/// Whether a list item can begin at `at`.
fn opens_item(view: &View<'_>, at: usize) -> bool {
    matches!(view.before(at), '\n' | '\t' | '。' | ';' | ':' | '!' | '?' | '”' | '】' | '>' | '●' | '■' | '◆' | '▲' | '★')
}

/// 1. 2、 3) at the start of a line or sentence.
fn heading_digit(view: &View<'_>, at: usize) -> Option<Marker> {
    let end = view.digits_end(at);
    if end > at + 2 || !opens_item(view, at) {
        return None;
    }
    let next = view.at(end + 1);
    let closes = match view.at(end) {
        '.' => !next.is_ascii_digit(),
        '、' | ')' => !next.is_ascii_digit() || view.before(at) == '\n',
        _ => false,
    };
    let value = numeral::parse(&view.up_to(end), at)?.value;
    (closes && next != '\n').then(|| ordinal_marker(at..end, at..end, value))
}

/// 一、 and 一是 at the start of a line or clause.
fn heading_han(view: &View<'_>, at: usize) -> Option<Marker> {
    let clause = opens_item(view, at) || matches!(view.before(at), ',' | '—' | '-' | '、');
    if !clause || matches!(view.at(at), '两' | '半' | '零' | '百' | '千' | '万' | '亿') || !is_han_numeral(view.at(at)) {
        return None;
    }
    let mut end = at + 1;
    while end < at + 3 && is_han_numeral(view.at(end)) {
        end += 1;
    }
    let next = view.at(end);
    let marks = match next {
        '、' | '.' => opens_item(view, at) && !is_han_numeral(view.at(end + 1)),
        '是' | '要' => true,
        _ => false,
    };
    let number = numeral::parse(&view.up_to(end), at).filter(|n| n.end == end)?;
    marks.then(|| ordinal_marker(at..end, at..end, number.value))
}

/// Whether `c` goes on with a word of letters and digits.
const fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// G20, POS2, www.example.com/2020: a word that opens with a letter and holds a digit.
fn word(view: &View<'_>, at: usize) -> Option<Marker> {
    let address = view.skip_any(at, words!["http", "www."]).is_some();
    let mut end = at;
    while in_word(view.at(end)) || address && view.at(end).is_ascii_graphic() || joins_word(view, at, end) {
        end += 1;
    }
    let digit = (at..end).find(|&i| view.at(i).is_ascii_digit())?;
    // LPR15个基点: the word ends where its number begins.
    let number = view.digits_end(digit);
    if view.skip_any(number, words!["个基点", "基点", "BP", "bp", "个百分点"]).is_some() {
        return None;
    }
    Some(identifier(at..end, digit..view.digits_end(digit)))
}

/// A hyphen between a word's letter or digit and its next digit: COVID-19, Wi-Fi6. Not LPR-20BP.
fn joins_word(view: &View<'_>, at: usize, i: usize) -> bool {
    let hyphen = view.at(i) == '-' && i > at && view.at(i + 1).is_ascii_digit();
    hyphen && {
        let end = (i + 1..i + 5).find(|&j| !view.at(j).is_ascii_digit()).unwrap_or(i + 5);
        !matches!(view.at(end), 'B' | 'b' | 'p' | '.' | '%' | '个' | '万' | '亿' | '元')
    }
}

/// 95588, 0471-1234567, 1.2.3, 4G, 24/7/365: digits that are a code by their shape.
fn code(view: &View<'_>, at: usize) -> Option<Marker> {
    let first = view.digits_end(at);
    let joined = |i: usize| matches!(view.at(i), '-' | '/' | '.' | ':') && view.at(i + 1).is_ascii_digit();
    let separator = view.at(first);
    if joined(first) {
        let second = view.digits_end(first + 1);
        let phone = separator == '-' && (second - first > 7 || view.at(at) == '0' && first - at >= 3);
        let chain = joined(second) && view.at(second) == separator;
        if !(phone && !matches!(view.at(second), '.' | '%') || chain) {
            return None;
        }
        let mut end = second;
        while joined(end) {
            end = view.digits_end(end + 1);
        }
        return Some(identifier(at..end, at..first));
    }
    None
}
