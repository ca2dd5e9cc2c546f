//! Lists whose items end without a stop: lines that state what was done or how much, and head nothing.

use super::{Marks, Outline, Paragraph, ParagraphKind, inside, is_bullet};
use crate::recognize::quantity::{QuantityMention, Script};
use crate::report::QuantityKind;
use crate::source::{Glyphs, SourceText};

/// What opens a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opener {
    /// Nothing.
    Plain,
    /// ●
    Bullet,
    /// 1. or 1、 or ①
    Number,
    /// 一、
    Numeral,
    /// (一) or (1)
    Bracket,
    /// 一是
    Clause,
}

/// Takes the lines of lists, which look like headings, for running text.
pub(super) fn items(source: &SourceText<'_>, marks: Marks<'_>, out: &mut Outline) {
    let lines: Vec<Line> = out.paragraphs.iter().map(|paragraph| Line::of(source, marks, paragraph)).collect();
    let mut made: Option<usize> = None;
    for (index, line) in lines.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| lines.get(before));
        let after = lines.get(index + 1);
        let listed = made.is_some_and(|made| made + 1 == index);
        if line.is_heading && line.is_item(before, after, listed) {
            made = Some(index);
            if let Some(paragraph) = out.paragraphs.get_mut(index) {
                paragraph.kind = ParagraphKind::Body;
            }
        }
    }
}

/// What there is to know of a paragraph.
#[derive(Debug)]
struct Line {
    is_heading: bool,
    opener: Opener,
    /// It holds a number that measures or counts.
    states: bool,
    /// Such a number ends it.
    ends_with_number: bool,
    /// It is a label, a colon and such a number.
    is_value: bool,
    /// A mark ends it behind which more is to come.
    goes_on: bool,
    is_about_text: bool,
}

impl Line {
    fn of(source: &SourceText<'_>, marks: Marks<'_>, paragraph: &Paragraph) -> Self {
        let range = &paragraph.range;
        let held = marks.quantities.get(inside(marks.quantities, range, |q| &q.core)).unwrap_or_default();
        // 存款余额:3000 below 单位:万元 has no unit of its own.
        let labelled =
            |q: &QuantityMention| q.kind == QuantityKind::Number && source.before(q.range.start) == ':' && q.range.end == range.end;
        let states = |q: &&QuantityMention| measures(q) || labelled(q);
        let last = held.iter().rev().find(states).filter(|q| q.range.end + 1 >= range.end);
        Self {
            is_heading: paragraph.kind == ParagraphKind::Heading,
            opener: opener(source, held, range),
            states: held.iter().any(|q| states(&q)),
            ends_with_number: last.is_some(),
            is_value: last.is_some_and(|q| source.before(q.range.start) == ':'),
            goes_on: matches!(source.before(range.end), ':' | ',' | ';' | '、'),
            is_about_text: paragraph.kind == ParagraphKind::Meta,
        }
    }

    /// Whether a line that looks like a heading is an item of a list; `listed` tells that the line before is one.
    fn is_item(&self, before: Option<&Self>, after: Option<&Self>, listed: bool) -> bool {
        let Some(before) = before else { return self.opener == Opener::Clause && self.states };
        let alike = |other: &Self| other.opener == self.opener;
        let introduced = before.goes_on && !before.is_about_text;
        let follows = listed && alike(before);
        if self.opener == Opener::Clause {
            return self.states || introduced || follows || after.is_some_and(alike);
        }
        // 2.加强管理 among items that say how much.
        let between = (introduced || follows) && self.opener != Opener::Plain && after.is_none_or(alike);
        let another = |other: &Self| {
            let lines = self.opener != Opener::Plain || self.ends_with_number && other.ends_with_number;
            other.is_heading && other.states && alike(other) && lines
        };
        between || self.states && (introduced || follows || self.is_value || after.is_some_and(another))
    }
}

/// What opens a line whose numbers are `held`.
fn opener(source: &SourceText<'_>, held: &[QuantityMention], range: &Glyphs) -> Opener {
    if is_bullet(source, range.start) || matches!(source.at(range.start), '-' | '·' | '※' | '*' | '►' | '▶') {
        return Opener::Bullet;
    }
    let Some(marker) = held.first().filter(|q| q.kind == QuantityKind::Ordinal && q.range.start == range.start) else {
        return Opener::Plain;
    };
    match (source.at(range.start), source.at(marker.range.end)) {
        ('第', _) => Opener::Plain,
        ('(', _) => Opener::Bracket,
        (_, '是' | '要') => Opener::Clause,
        _ if marker.script == Script::Digits || !('\u{4e00}'..='\u{9fff}').contains(&source.at(range.start)) => Opener::Number,
        _ => Opener::Numeral,
    }
}

/// Whether a number measures something: no marker, code or manner of speaking.
fn measures(q: &QuantityMention) -> bool {
    match q.kind {
        QuantityKind::Money | QuantityKind::Percent | QuantityKind::PercentagePoint => true,
        QuantityKind::Count | QuantityKind::Duration | QuantityKind::Mass | QuantityKind::Area | QuantityKind::Length => {
            q.script == Script::Digits
        }
        QuantityKind::Number => q.unit_missing,
        _ => false,
    }
}
