//! Tables: what stands at the head of a column holds for the numbers below it.

use rust_decimal::Decimal;

use super::{Outline, Paragraph, ParagraphKind, inside};
use crate::lexicon::{Hits, Lexicon, Sense};
use crate::recognize::quantity::QuantityMention;
use crate::report::{COPIED_CHARS, QuantityKind};
use crate::source::{Glyphs, SourceText};
use crate::words::words;

/// How far above a table's first row its unit may be stated, in paragraphs.
const UNIT_NOTE: usize = 4;
/// Most columns of a table.
const COLUMNS: usize = 32;

/// Rows below a line that names their columns.
#[derive(Clone, Debug)]
pub struct Table {
    /// The line that names the columns.
    header: Glyphs,
    /// The rows, from the first glyph of the first to the last of the last.
    rows: Glyphs,
    /// What parts the cells of all of these.
    tabs: Vec<usize>,
}

/// Finds the tables among the paragraphs, and takes their headers for lines about the text.
pub(super) fn tables(source: &SourceText<'_>, quantities: &[QuantityMention], out: &mut Outline) {
    let mut index = 1;
    while index < out.paragraphs.len() {
        let header = index - 1;
        let columns = out.paragraphs.get(header).map_or(0, |line| cells(source, &line.range));
        let fits = |line: &&Paragraph| line.kind == ParagraphKind::Row && (2..=columns).contains(&cells(source, &line.range));
        let rows = out.paragraphs.get(index..).unwrap_or_default().iter().take_while(fits);
        let below = if (2..=COLUMNS).contains(&columns) { rows.count() } else { 0 };
        let names = |line: &Paragraph| {
            let held = quantities.get(inside(quantities, &line.range, |q| &q.core)).unwrap_or_default();
            let named = held.iter().all(|q| matches!(q.kind, QuantityKind::Date | QuantityKind::Ordinal));
            // Of two things side by side neither need be a name: the number of an issue and its day.
            named && (columns > 2 || !source.glyphs().get(line.range.clone()).unwrap_or_default().iter().any(char::is_ascii_digit))
        };
        let (Some(line), Some(first), Some(last)) =
            (out.paragraphs.get(header), out.paragraphs.get(index), out.paragraphs.get((header + below).max(index)))
        else {
            break;
        };
        if below == 0 || !names(line) {
            index += 1;
            continue;
        }
        let (header_line, rows) = (line.range.clone(), first.range.start..last.range.end);
        let tabs = tabs(source, &(header_line.start..rows.end)).collect();
        out.tables.push(Table { header: header_line, rows, tabs });
        if let Some(line) = out.paragraphs.get_mut(header) {
            line.kind = ParagraphKind::Meta;
        }
        index += below + 1;
    }
}

/// How many cells a line has, up to one more than a table may have.
fn cells(source: &SourceText<'_>, line: &Glyphs) -> usize {
    1 + tabs(source, line).take(COLUMNS).count()
}

fn tabs(source: &SourceText<'_>, range: &Glyphs) -> impl Iterator<Item = usize> {
    source.marks(range.clone()).iter().copied().filter(|&at| source.at(at) == '\t')
}

impl Outline {
    fn table_at(&self, at: usize) -> Option<&Table> {
        let table = self.tables.partition_point(|table| table.rows.start <= at).checked_sub(1)?;
        self.tables.get(table).filter(|table| at < table.rows.end)
    }

    /// Whether a row of a table with named columns holds a glyph.
    pub(super) fn in_table(&self, at: usize) -> bool {
        self.table_at(at).is_some()
    }

    /// What the column of a number in a table is called. Rows end where the header ends, so cells are counted from there.
    #[must_use]
    pub fn column(&self, at: usize) -> Option<Glyphs> {
        let table = self.table_at(at)?;
        let before = |at: usize| table.tabs.partition_point(|&tab| tab < at);
        let behind = before(self.paragraph_at(at)?.range.end) - before(at);
        let cell = before(table.header.end).checked_sub(behind)?;
        let end = if behind == 0 { table.header.end } else { *table.tabs.get(cell)? };
        let start = cell.checked_sub(1).and_then(|tab| table.tabs.get(tab)).map_or(table.header.start, |tab| tab + 1);
        // What a long name means stands at its end, and its unit behind that.
        let start = start.max(end.saturating_sub(COPIED_CHARS));
        (start < end).then_some(start..end)
    }
}

/// Gives the bare numbers of a table the unit that their column or a line above states: 余额(亿元), (金额单位:万元).
pub fn units(source: &SourceText<'_>, outline: &Outline, hits: &Hits, lexicon: &Lexicon, quantities: &mut [QuantityMention]) {
    let mut noted: Option<Noted> = None;
    for (index, paragraph) in outline.paragraphs.iter().enumerate() {
        let row = paragraph.kind == ParagraphKind::Row;
        let listed = !row && is_value(source, quantities, &paragraph.range);
        if !row && !listed {
            noted = None;
        } else if noted.is_none() {
            let above = outline.paragraphs.get(index.saturating_sub(UNIT_NOTE)..index).unwrap_or_default();
            noted = above.iter().rev().find_map(|line| Noted::of(source, hits, lexicon, &line.range));
        }
        let held = inside(quantities, &paragraph.range, |q| &q.core);
        // 12600 is a code in a sentence, a number in a column.
        let bare = |q: &&mut QuantityMention| matches!(q.kind, QuantityKind::Number | QuantityKind::Identifier) && !q.unit_missing;
        for q in quantities.get_mut(held).unwrap_or_default().iter_mut().filter(bare) {
            let unit = if row {
                unit_of_cell(source, outline, hits, lexicon, noted.as_ref(), q)
            } else {
                let own = label_unit(source, hits, lexicon, q.range.start);
                own.or_else(|| noted.as_ref().filter(|_| listed).and_then(|noted| noted.of_label(source, q.range.start - 1)))
            };
            if let Some(unit) = unit.filter(|_| is_plain(source, q)) {
                unit.give(q);
            }
        }
    }
}

/// Whether a line is a label and a bare number: 贷款余额:56300.5
fn is_value(source: &SourceText<'_>, quantities: &[QuantityMention], line: &Glyphs) -> bool {
    let held = quantities.get(inside(quantities, line, |q| &q.core)).unwrap_or_default();
    let bare = held.last().filter(|q| matches!(q.kind, QuantityKind::Number | QuantityKind::Identifier) && q.range.end == line.end);
    bare.is_some_and(|q| q.range.start > line.start && source.before(q.range.start) == ':')
}

/// Whether a number without unit is one; a code that is all digits becomes one.
fn is_plain(source: &SourceText<'_>, q: &mut QuantityMention) -> bool {
    if q.kind == QuantityKind::Identifier {
        let Ok(number) = source.text(q.core.clone()).parse() else { return false };
        (q.numeral, q.value) = (Some(number), Some(number));
        q.kind = QuantityKind::Number;
    }
    true
}

/// The unit of a number in a table's cell. A number that only counts rows becomes an ordinal.
fn unit_of_cell(
    source: &SourceText<'_>,
    outline: &Outline,
    hits: &Hits,
    lexicon: &Lexicon,
    noted: Option<&Noted>,
    q: &mut QuantityMention,
) -> Option<Unit> {
    let Some(column) = outline.column(q.core.start) else {
        return noted.filter(|_| q.kind != QuantityKind::Identifier).map(|noted| noted.unit.clone());
    };
    if !is_plain(source, q) {
        return None;
    }
    if is_numbering(source, &column) {
        q.kind = QuantityKind::Ordinal;
        return None;
    }
    column_unit(source, hits, lexicon, &column).or_else(|| noted.and_then(|noted| noted.of_label(source, column.end)))
}

/// 序号, 排名: the column of a table that numbers its rows.
fn is_numbering(source: &SourceText<'_>, column: &Glyphs) -> bool {
    matches!(source.text(column.clone()), "序号" | "编号" | "名次" | "排名" | "排序" | "位次")
}

/// A unit with the scale before it.
#[derive(Clone, Debug)]
struct Unit {
    kind: QuantityKind,
    wire: String,
    factor: Decimal,
    /// Glyph after its last.
    end: usize,
}

impl Unit {
    fn give(self, q: &mut QuantityMention) {
        q.kind = self.kind;
        q.unit = self.wire;
        q.value = q.value.and_then(|value| value.checked_mul(self.factor));
        q.upper = q.upper.and_then(|value| value.checked_mul(self.factor));
    }
}

/// The units that a line above a table states.
#[derive(Clone, Debug)]
struct Noted {
    /// That of sums: 单位:万元, 投放金额(万元).
    unit: Unit,
    /// That of ratios: 单位:亿元、%.
    percent: Option<Unit>,
}

impl Noted {
    fn of(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, line: &Glyphs) -> Option<Self> {
        let noted = line.clone().find_map(|at| words!["单位:", "单位为", "单位"].end_at(source, at));
        let brackets = source.marks(line.clone()).iter().filter(|&&at| source.at(at) == '(').map(|at| at + 1);
        let money = |at| unit_at(source, hits, lexicon, at..line.end).filter(|unit| unit.kind == QuantityKind::Money);
        let unit = noted.into_iter().chain(brackets).find_map(money)?;
        let behind = source.marks(unit.end..line.end).iter().find(|&&at| source.at(at) == '%');
        let percent = behind.and_then(|&at| unit_at(source, hits, lexicon, at..line.end));
        Some(Self { unit, percent })
    }

    /// The unit of what is called by a label that ends at `end`: a ratio or a count has none of money.
    fn of_label(&self, source: &SourceText<'_>, end: usize) -> Option<Unit> {
        if words!["率", "比", "比例", "比重", "增速", "增幅"].end_before(source, end) {
            return self.percent.clone();
        }
        (source.before(end) != '数').then(|| self.unit.clone())
    }
}

/// The unit that ends a column's name, in brackets or behind a stroke: 贷款余额(亿元), 余额/万元, 不良率(%), 户数(万户).
fn column_unit(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, column: &Glyphs) -> Option<Unit> {
    let opens = |&at: &usize| matches!(source.at(at), '(' | '/');
    let open = source.marks(column.clone()).iter().rev().copied().find(opens);
    let end = column.end - usize::from(source.before(column.end) == ')');
    let start = match open {
        Some(open) => words!["单位:"].end_at(source, open + 1).unwrap_or(open + 1),
        // 户数, 笔数: a count that its name gives the classifier.
        None if source.before(end) == '数' => end.checked_sub(2).filter(|&at| at >= column.start)?,
        None => return None,
    };
    unit_at(source, hits, lexicon, start..end)
}

/// The unit in the brackets of the label right before a number: 贷款余额(亿元):10.35, 存款(单位:万美元)3000.
fn label_unit(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, at: usize) -> Option<Unit> {
    /// Longest bracket, in glyphs.
    const REACH: usize = 14;
    // (万元):3000, (万元)为3000
    let linked = source.marks(at.saturating_sub(3)..at).iter().rev().copied().find(|&mark| source.at(mark) == ')')?;
    let close = Some(linked).filter(|&close| (close + 1..at).all(|i| matches!(source.at(i), ':' | '为' | '达' | '到' | '是')))?;
    let open = source.marks(close.saturating_sub(REACH)..close).iter().rev().copied().find(|&at| source.at(at) == '(')?;
    let start = words!["单位:", "单位为"].end_at(source, open + 1).unwrap_or(open + 1);
    // 贷款余额(含1亿元贴现)3000: the unit is all there is in the bracket.
    let unit = unit_at(source, hits, lexicon, start..close)?;
    (unit.end == close).then_some(unit)
}

/// The scale and unit at the start of `range`: 万元, 亿美元, %, 万户.
fn unit_at(source: &SourceText<'_>, hits: &Hits, lexicon: &Lexicon, range: Glyphs) -> Option<Unit> {
    let start = range.start;
    let (scale, at) = match source.at(start) {
        '亿' => (100_000_000_u64, start + 1),
        '万' => (10_000, start + 1),
        '百' if source.at(start + 1) == '万' => (1_000_000, start + 2),
        '千' if source.at(start + 1) == '万' => (10_000_000, start + 2),
        '千' => (1_000, start + 1),
        '百' => (100, start + 1),
        _ => (1, start),
    };
    hits.at(at).iter().filter(|hit| hit.end() <= range.end).find_map(|hit| {
        lexicon.senses(*hit).iter().find_map(|sense| {
            let Sense::Unit(row) = sense else { return None };
            let row = lexicon.tables().units.get(usize::from(*row))?;
            let wire = if row.unit.is_empty() { lexicon.form(*hit).to_owned() } else { row.unit.clone() };
            let factor = row.factor.checked_mul(Decimal::from(scale))?;
            Some(Unit { kind: row.kind, wire, factor, end: hit.end() })
        })
    })
}
