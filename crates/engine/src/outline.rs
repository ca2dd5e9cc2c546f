//! Headings, sections, sentences and clauses.

mod list;
pub mod table;

use super::lists::{Places, ahead};
use super::recognize::date::{DateMention, Day, full_day_at};
use super::recognize::institution::{InstitutionMention, NameForm};
use super::recognize::quantity::QuantityMention;
use super::report::{InstitutionType, QuantityKind};
use super::source::{Glyphs, SourceText};
use crate::words::{Words, words};

/// Longest heading, in glyphs.
const MAX_HEADING: usize = 60;
/// Longest stretch that is read as one sentence, in glyphs: a longer one is cut at a comma.
const MAX_SENTENCE: usize = 1000;
/// Most numbers that are read as of one sentence.
const MAX_NUMBERS: usize = 96;
/// How many paragraphs at the start may say who published and when.
const MASTHEAD: usize = 6;

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParagraphKind {
    /// Publisher, date of issue, source, editor.
    Meta,
    /// A heading, or a line of one.
    Heading,
    /// Running text.
    Body,
    /// A row of a table.
    Row,
}

/// A paragraph of the text, without its line break.
#[derive(Clone, Debug)]
pub struct Paragraph {
    /// Where.
    pub range: Glyphs,
    /// What it is.
    pub kind: ParagraphKind,
}

/// A sentence of running text, to its 。.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// Where, with its stop.
    pub range: Glyphs,
    /// Which paragraph.
    pub paragraph: usize,
    /// A row of a table: its header lies in the sentence before.
    pub row: bool,
    /// The last sentence before it that is no row.
    pub header: Option<usize>,
}

/// A stretch of text under one institution's heading.
#[derive(Clone, Debug)]
pub struct Section {
    /// From its heading to the next section.
    pub range: Glyphs,
    /// The heading lines.
    pub heading: Glyphs,
    /// The mention in the heading: index into the institutions.
    pub mention: usize,
}

/// The structure of a bulletin.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The title.
    pub title: Option<Glyphs>,
    /// Who published it, as the text says.
    pub publisher: Option<Glyphs>,
    /// Paragraphs in order.
    pub paragraphs: Vec<Paragraph>,
    /// Sentences of running text in order.
    pub sentences: Vec<Sentence>,
    /// Sections in order.
    pub sections: Vec<Section>,
    /// Where sentences of measures start: behind 。！？；; and line breaks, also those inside a paragraph.
    pub measure_starts: Places,
    /// The glyphs that end clauses.
    pub clause_breaks: Places,
    /// The semicolons.
    pub semicolons: Places,
    /// Tables with named columns, in order.
    tables: Vec<table::Table>,
}

impl Outline {
    /// The section that holds a glyph.
    #[must_use]
    pub fn section_at(&self, at: usize) -> Option<&Section> {
        self.sections.get(self.section_index_at(at)?)
    }

    /// The index of the section that holds a glyph.
    #[must_use]
    pub fn section_index_at(&self, at: usize) -> Option<usize> {
        let index = self.sections.partition_point(|s| s.range.start <= at).checked_sub(1)?;
        self.sections.get(index).is_some_and(|s| at < s.range.end).then_some(index)
    }

    /// The paragraph that holds a glyph.
    #[must_use]
    pub fn paragraph_at(&self, at: usize) -> Option<&Paragraph> {
        let index = self.paragraphs.partition_point(|p| p.range.start <= at).checked_sub(1)?;
        self.paragraphs.get(index)
    }
}

/// The mentions that the outline is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// Dates by place.
    pub dates: &'a [DateMention],
    /// Quantities by place.
    pub quantities: &'a [QuantityMention],
    /// Institutions by place.
    pub institutions: &'a [InstitutionMention],
}

/// The part of a sorted list of mentions that starts inside `range`.
pub fn inside<T>(list: &[T], range: &Glyphs, place: impl Fn(&T) -> &Glyphs) -> Glyphs {
    let first = list.partition_point(|m| place(m).start < range.start);
    let behind = list.get(first..).unwrap_or_default();
    first..first + ahead(behind, |m| place(m).start < range.end)
}

/// The day a bulletin was published, as its first lines say it: a full date near the start.
#[must_use]
pub fn published_on(source: &SourceText<'_>) -> Option<Day> {
    /// How far from the start a line may hold the day it was published.
    const HEAD: usize = 600;
    /// The longest date there is, with what may stand behind it at the end.
    const TAIL: usize = 24;
    const LABELS: &Words = words!["时间:", "日期:", "发布于", "发布:", "时间", "日期"];
    let mut end = 0;
    while let Some(label) = LABELS.first_in(source, end..source.len()) {
        end = label.end;
        if let Some(day) = full_day_at(source, end).and_then(|d| d.start) {
            return Some(day);
        }
    }
    let named = words!["来源:"].first_in(source, 0..source.len().min(HEAD));
    let line = named.and_then(|label| Some(label.end..source.marks(label.end..HEAD).iter().copied().find(|&at| source.at(at) == '\n')?));
    if let Some(day) = line.and_then(|mut line| line.find_map(|at| full_day_at(source, at))) {
        return day.start;
    }
    // 2024年3月末 at the head of a line is what it tells of.
    let issued = |day: &DateMention| source.before(day.range.end) == '日' || source.before(day.range.end).is_ascii_digit();
    let opens_line = |&at: &usize| matches!(source.before(at), '\n' | '\t' | '(' | ' ');
    let own_line = std::iter::once(0).chain(source.marks(0..HEAD).iter().map(|mark| mark + 1)).filter(opens_line);
    let tail = (source.len().saturating_sub(TAIL)..source.len()).filter(|&at| !source.before(at).is_ascii_digit());
    let last = tail.filter_map(|at| full_day_at(source, at)).find(|d| source.len() - d.range.end <= 3);
    own_line
        .filter(|&at| at < HEAD)
        .find_map(|at| full_day_at(source, at).filter(issued))
        .or_else(|| day_of_line(source, HEAD))
        .or(last)
        .and_then(|d| d.start)
}

/// The day that ends a line of the first `head` glyphs which says who published it: 河北省保险行业协会2023年8月9日.
fn day_of_line(source: &SourceText<'_>, head: usize) -> Option<DateMention> {
    /// Longest such line, in glyphs.
    const LINE: usize = 40;
    /// Longest date.
    const DAY: usize = 12;
    let ends = source.marks(0..head).iter().copied().filter(|&end| source.at(end) == '\n' && source.before(end) == '日');
    ends.filter(|&end| {
        let line = source.marks(0..end).iter().rev().find(|&&at| source.at(at) == '\n').map_or(0, |&at| at + 1)..end;
        line.len() <= LINE && !source.marks(line).iter().any(|&at| matches!(source.at(at), ',' | '。' | ';' | ':'))
    })
    .find_map(|end| {
        let opens = |at: &usize| !source.before(*at).is_ascii_digit() && !words!["截至", "截止", "至", "于", "到"].end_before(source, *at);
        (end.saturating_sub(DAY)..end).filter(opens).filter_map(|at| full_day_at(source, at)).find(|day| day.range.end == end)
    })
}

/// Draws the outline.
#[must_use]
pub fn outline(source: &SourceText<'_>, marks: Marks<'_>) -> Outline {
    let mut out = Outline::default();
    let mut start = 0;
    for &at in source.marks(0..source.len()).iter().chain(&[source.len()]) {
        if source.at(at) == '\n' {
            if start < at {
                paragraphs(source, marks, start..at, &mut out);
            }
            start = at + 1;
        }
    }
    table::tables(source, marks.quantities, &mut out);
    list::items(source, marks, &mut out);
    masthead(source, marks, &mut out);
    sections(source, marks, &mut out);
    drop_empty_sections(&mut out);
    breaks(source, marks, &mut out);
    for (index, paragraph) in out.paragraphs.iter().enumerate() {
        match paragraph.kind {
            ParagraphKind::Body => sentences(source, marks, paragraph.range.clone(), index, &mut out.sentences),
            ParagraphKind::Row => pieces(source, marks, paragraph.range.clone(), index, true, &mut out.sentences),
            ParagraphKind::Heading | ParagraphKind::Meta => {}
        }
    }
    out
}

/// Notes where clauses and the sentences of measures end, so that nobody has to look for it.
fn breaks(source: &SourceText<'_>, marks: Marks<'_>, out: &mut Outline) {
    let mut values = marks.quantities.iter().filter(|q| !matches!(q.kind, QuantityKind::Ordinal | QuantityKind::Identifier)).peekable();
    let (mut measure_starts, mut clause_breaks, mut semicolons) = (vec![0], Vec::with_capacity(source.len() / 16), Vec::new());
    for &at in source.marks(0..source.len()) {
        let glyph = source.at(at);
        match glyph {
            // A half-width stop reads like a full one, but the contract does not name it.
            '。' if source.original_text(at..at + 1) != "。" => {}
            '。' | '！' | '？' | ';' | '\n' => measure_starts.push(at + 1),
            ',' | ':' if source.before(at).is_ascii_digit() && source.at(at + 1).is_ascii_digit() => continue,
            ':' => {
                while values.next_if(|q| q.range.start <= at).is_some() {}
                // 审批时限:3天: a label and its value are one clause.
                let value = values.peek().is_some_and(|q| q.range.start == at + 1);
                // (单位:万元) is no clause either.
                if value && is_label(source, at, clause_breaks.last().copied()) || source.ends_with(at, "单位") {
                    continue;
                }
            }
            ',' | '\t' => {}
            _ => continue,
        }
        clause_breaks.push(at);
        if glyph == ';' {
            semicolons.push(at);
        }
    }
    // A line break in a paragraph that is not hard-wrapped ends a sentence, whatever the text goes on with.
    measure_starts.extend(source.torn());
    measure_starts.sort_unstable();
    measure_starts.dedup();
    // The last may start behind the last glyph.
    out.measure_starts = Places::new(measure_starts, source.len() + 1);
    out.clause_breaks = Places::new(clause_breaks, source.len());
    out.semicolons = Places::new(semicolons, source.len());
}

/// Whether what stands before a colon labels the value behind it: a short phrase without another mark.
fn is_label(source: &SourceText<'_>, colon: usize, clause: Option<usize>) -> bool {
    /// Longest label, in glyphs.
    const LABEL: usize = 24;
    let start = clause.map_or(0, |at| at + 1);
    let length = colon.saturating_sub(start);
    let says = words!["如下", "包括", "其中", "分别", "表示", "介绍", "指出", "是"].end_before(source, colon);
    (2..=LABEL).contains(&length) && !says
}

/// Adds the paragraph of one line, cut in two where a heading is glued to it.
fn paragraphs(source: &SourceText<'_>, marks: Marks<'_>, range: Glyphs, out: &mut Outline) {
    let kind = kind_of(source, marks, &range, out.paragraphs.len());
    if kind == ParagraphKind::Body
        && let Some(cut) = glued_heading(source, marks, &range)
    {
        out.paragraphs.push(Paragraph { range: range.start..cut, kind: ParagraphKind::Heading });
        out.paragraphs.push(Paragraph { range: cut..range.end, kind });
        return;
    }
    out.paragraphs.push(Paragraph { range, kind });
}

fn kind_of(source: &SourceText<'_>, marks: Marks<'_>, range: &Glyphs, index: usize) -> ParagraphKind {
    let text = source.glyphs().get(range.clone()).unwrap_or_default();
    let quantities = inside(marks.quantities, range, |q| &q.core);
    let quantities = marks.quantities.get(quantities).unwrap_or_default();
    if is_meta(source, range, text.len(), index) {
        return ParagraphKind::Meta;
    }
    let marked = source.marks(range.clone());
    let count = |of: &[char]| marked.iter().filter(|&&at| of.contains(&source.at(at))).count();
    let gaps = count(&['\t']);
    let parts_thousands = |at: usize| source.before(at).is_ascii_digit() && source.at(at + 1).is_ascii_digit();
    let commas = marked.iter().filter(|&&at| source.at(at) == ',' && !parts_thousands(at)).count();
    let tabular = gaps >= 2 || gaps == 1 && commas == 0;
    if tabular && count(&['。', '！', '？']) == 0 && quantities.iter().any(|q| q.kind != QuantityKind::Ordinal) {
        return ParagraphKind::Row;
    }
    if is_heading(source, marks, range, text, quantities) { ParagraphKind::Heading } else { ParagraphKind::Body }
}

fn is_heading(source: &SourceText<'_>, marks: Marks<'_>, range: &Glyphs, text: &[char], quantities: &[QuantityMention]) -> bool {
    let last = text.iter().rev().find(|c| !matches!(c, '”' | '"' | '’' | ')')).copied().unwrap_or('\n');
    if text.len() > MAX_HEADING || matches!(last, ';' | ',' | '、') {
        return false;
    }
    if source.starts_with(range.start, "案例") && text.iter().take(6).any(|c| *c == ':') {
        return true;
    }
    if text.iter().any(|c| matches!(c, '。' | ';')) || last == ':' {
        return false;
    }
    if text.first() == Some(&'【') {
        return true;
    }
    let commas = text.iter().filter(|c| **c == ',').count();
    let dated = marks.dates.get(inside(marks.dates, range, |d| &d.range)).unwrap_or_default();
    let states =
        quantities.iter().any(|q| matches!(q.kind, QuantityKind::Money | QuantityKind::Percent | QuantityKind::Count) || q.unit_missing);
    if commas > 0 && states && (!dated.is_empty() || commas > 1) {
        return false;
    }
    commas <= 2 && (commas == 0 || text.len() <= 40)
}

/// Lines about the text itself: source, date, editor, circulation.
fn is_meta(source: &SourceText<'_>, range: &Glyphs, len: usize, index: usize) -> bool {
    const LABELS: &Words = words![
        "发表时间",
        "发布时间",
        "发布日期",
        "发表日期",
        "来源:",
        "(来源",
        "来源",
        "浏览",
        "责任编辑",
        "编辑:",
        "作者:",
        "文号",
        "字号",
        "报:",
        "送:",
        "抄送",
        "(共印",
        "共印",
        "供稿",
        "审核:",
        "签发",
        "联系人",
        "主办",
        "扫一扫",
        "分享",
        "打印",
        "时间:",
        "日期:",
        "索引号",
        "点击",
        "(责编",
        "责编",
        "附件",
        "报送",
        "发:",
        "印发:",
        "编发",
        "(编辑",
        "原标题",
        "记者:",
        "通讯员:",
        "撰稿",
        "(撰稿",
        "(作者",
        "(记者",
        "(通讯员",
    ];
    let skip = range.start + usize::from(source.at(range.start) == '(');
    if len <= 80 && (LABELS.start_at(source, range.start) || LABELS.start_at(source, skip)) {
        return len <= 40 || index < MASTHEAD || source.starts_with(range.start, "报:");
    }
    let text = source.glyphs().get(range.clone()).unwrap_or_default();
    // `(协会秘书处整理)`; `第17期`; `2023年第12期(总第86期)`; a line of a date alone.
    (text.first() == Some(&'(') && text.last() == Some(&')') && len <= 30)
        || (index < MASTHEAD && source.starts_with(range.start, "第") && len <= 14 && text.contains(&'期'))
        || (index < MASTHEAD && len <= 20 && text.contains(&'第') && text.last() == Some(&'期'))
        || (index < MASTHEAD
            && len <= 20
            && text.iter().all(|c| c.is_ascii_digit() || matches!(c, '年' | '月' | '日' | '-' | ':' | ' ' | '/' | '.' | '\t')))
}

/// Where the body begins in a paragraph that a heading runs into: behind an institution's name that is a sentence by
/// itself (三、兴和县联社。发放…), before the second of two mentions of one institution, or before the mention that
/// follows a bullet's heading.
fn glued_heading(source: &SourceText<'_>, marks: Marks<'_>, range: &Glyphs) -> Option<usize> {
    let stop = (range.start..range.end).find(|&i| matches!(source.at(i), ',' | '。' | ';' | ':' | '！' | '？')).unwrap_or(range.end);
    let bullet = is_bullet(source, range.start);
    let first = inside(marks.institutions, &(range.start..stop), |m| &m.range);
    let mentions = marks.institutions.get(first)?;
    let mentions = mentions.get(..mentions.len().min(MAX_HEADING))?;
    let alone = mentions.first().filter(|m| source.at(m.range.end) == '。' && m.range.end + 1 < range.end);
    if let Some(named) = alone.filter(|m| m.form == NameForm::Proper && opens_line(source, marks, range.start..m.range.start)) {
        return Some(named.range.end + 1);
    }
    let twin = mentions.iter().enumerate().skip(1).find(|(i, m)| {
        mentions.get(..*i).unwrap_or_default().iter().any(|before| before.canonical == m.canonical && before.range.end + 4 <= m.range.start)
    });
    if let Some((_, twin)) = twin {
        return Some(twin.range.start);
    }
    let clear = |at: usize| !"向对为给由从在与和及经以是的让助将".contains(source.before(at));
    if bullet {
        let mention = mentions.iter().find(|m| m.range.start >= range.start + 8 && m.form == NameForm::Proper && clear(m.range.start))?;
        return Some(mention.range.start);
    }
    if source.at(range.start) == '【' {
        let close = (range.start..stop.min(range.start + 40)).find(|&i| source.at(i) == '】')?;
        return Some(close + 1);
    }
    None
}

/// Whether there is nothing but the marker of an item in `range`: 三、, (二), 1. or a bullet.
fn opens_line(source: &SourceText<'_>, marks: Marks<'_>, range: Glyphs) -> bool {
    let ordinals = marks.quantities.get(inside(marks.quantities, &range, |q| &q.core)).unwrap_or_default();
    let numbered = |at: usize| ordinals.iter().any(|q| q.kind == QuantityKind::Ordinal && q.range.contains(&at));
    range.clone().all(|at| numbered(at) || source.marks(at..at + 1).len() == 1) || is_bullet(source, range.start) && range.len() == 1
}

/// Whether a list bullet stands at `at`: ●, or the letter a lost Wingdings bullet leaves.
#[must_use]
pub fn is_bullet(source: &SourceText<'_>, at: usize) -> bool {
    let (first, second) = (source.at(at), source.at(at + 1));
    matches!(first, '●' | '◆' | '■' | '▲' | '★' | '•' | '➢' | '□' | '○' | '◇' | '√' | '✓' | '\u{f000}'..='\u{f0ff}')
        || (matches!(first, 'u' | 'l' | 'n' | 'Ø' | 'ü' | 'v') && !second.is_ascii())
}

/// Finds title and publisher among the first paragraphs.
fn masthead(source: &SourceText<'_>, marks: Marks<'_>, out: &mut Outline) {
    // The name of a series (…专报) is the title of an issue that has none of its own.
    let mut series = None;
    for index in 0..out.paragraphs.len().min(MASTHEAD) {
        let Some(paragraph) = out.paragraphs.get(index).cloned() else { break };
        let mentions = marks.institutions.get(inside(marks.institutions, &paragraph.range, |m| &m.range)).unwrap_or_default();
        let publisher = mentions.iter().find(|m| publishes(m.kind));
        match paragraph.kind {
            ParagraphKind::Meta => {
                if out.publisher.is_none() {
                    out.publisher = source_label(source, &paragraph.range);
                }
            }
            ParagraphKind::Heading | ParagraphKind::Row => {
                let bare = publisher.filter(|m| {
                    let rest = paragraph.range.len() - m.range.len();
                    let dated = !inside(marks.dates, &paragraph.range, |d| &d.range).is_empty();
                    m.range.start == paragraph.range.start && (rest <= 4 || (dated && rest <= 24))
                });
                if bare.is_some() || (index == 0 && has_suffix(source, &paragraph.range, &["简报", "动态", "信息", "快报", "专报", "通讯"]))
                {
                    if let Some(m) = bare {
                        let office =
                            ["办公室", "秘书处"].iter().find(|o| source.starts_with(m.range.end, o)).map_or(0, |o| o.chars().count());
                        out.publisher = Some(m.range.start..m.range.end + office);
                    }
                    if bare.is_none() {
                        series = Some(paragraph.range.clone());
                    }
                    if let Some(p) = out.paragraphs.get_mut(index) {
                        p.kind = ParagraphKind::Meta;
                    }
                } else if out.title.is_none() && !is_numbered(source, paragraph.range.start) && !out.in_table(paragraph.range.start) {
                    // 【清河农商银行】 or ●清河农商银行… below the name of a series heads a section.
                    let listed = is_bullet(source, paragraph.range.start) && !mentions.is_empty();
                    if series.is_some() && (listed || mentions.iter().any(|m| m.range.len() + 2 >= paragraph.range.len())) {
                        break;
                    }
                    out.title = Some(paragraph.range.clone());
                }
            }
            ParagraphKind::Body => break,
        }
    }
    out.title = out.title.take().or(series);
}

/// 一、总体情况, (一)信贷投放: a part of the text that its number opens.
#[must_use]
pub fn is_numbered(source: &SourceText<'_>, at: usize) -> bool {
    let bracket = source.at(at) == '(';
    let at = at + usize::from(bracket);
    let behind = (at..at + 3).find(|&i| !"一二三四五六七八九十".contains(source.at(i))).unwrap_or(at);
    behind > at && source.at(behind) == if bracket { ')' } else { '、' }
}

fn has_suffix(source: &SourceText<'_>, range: &Glyphs, suffixes: &[&str]) -> bool {
    range.len() <= 16 && suffixes.iter().any(|s| source.ends_with(range.end, s))
}

/// Bodies that publish the bulletins of others.
const fn publishes(kind: InstitutionType) -> bool {
    matches!(kind, InstitutionType::Association | InstitutionType::Regulator | InstitutionType::CentralBank)
}

/// What stands behind 来源: on a line.
fn source_label(source: &SourceText<'_>, range: &Glyphs) -> Option<Glyphs> {
    let at = (range.start..range.end).find(|&i| source.starts_with(i, "来源:"))? + 3;
    let ends = |&i: &usize| matches!(source.at(i), '\t' | ' ' | ')' | ',' | '。') || full_day_at(source, i).is_some();
    let end = (at..range.end).find(ends).unwrap_or(range.end);
    (at < end).then_some(at..end)
}

/// A section begins at each group of heading lines that names an institution.
fn sections(source: &SourceText<'_>, marks: Marks<'_>, out: &mut Outline) {
    let mut index = 0;
    while index < out.paragraphs.len() {
        let from = index;
        while out.paragraphs.get(index).is_some_and(|p| p.kind == ParagraphKind::Heading) {
            index += 1;
        }
        if index == from {
            index += 1;
            continue;
        }
        let lines = out.paragraphs.get(from..index).unwrap_or_default();
        let title = out.title.clone();
        let mut found = None;
        for (offset, line) in lines.iter().enumerate() {
            let mentions = inside(marks.institutions, &line.range, |m| &m.range);
            let named =
                mentions.clone().find(|&i| marks.institutions.get(i).is_some_and(|m| m.form == NameForm::Proper && heads(source, m, line)));
            if let Some(mention) = named {
                // The lines before it in the group belong to it, except the title.
                let start = lines
                    .get(..=offset)
                    .unwrap_or_default()
                    .iter()
                    .rev()
                    .take_while(|l| offset == 0 || title.as_ref() != Some(&l.range))
                    .last()
                    .map_or(line.range.start, |l| l.range.start);
                let end = lines.last().map_or(line.range.end, |l| l.range.end);
                found = Some((start..end, mention));
                break;
            }
        }
        if let Some((heading, mention)) = found {
            if let Some(last) = out.sections.last_mut() {
                last.range.end = heading.start;
            }
            out.sections.push(Section { range: heading.start..source.len(), heading, mention });
        }
    }
}

/// A heading with nothing under it, such as the signature below the text, opens no section.
fn drop_empty_sections(out: &mut Outline) {
    let bodies: Vec<usize> =
        out.paragraphs.iter().filter(|p| matches!(p.kind, ParagraphKind::Body | ParagraphKind::Row)).map(|p| p.range.start).collect();
    let has_body = |s: &Section| bodies.get(bodies.partition_point(|&b| b < s.range.start)).is_some_and(|&b| b < s.range.end);
    let mut kept: Vec<Section> = Vec::with_capacity(out.sections.len());
    for section in std::mem::take(&mut out.sections) {
        if has_body(&section) {
            kept.push(section);
        } else if let Some(last) = kept.last_mut() {
            last.range.end = section.range.end;
        }
    }
    out.sections = kept;
}

/// Whether a mention in a heading makes the section its own: it is no group, no
/// outlet of the section before, and not what somebody else acts upon.
fn heads(source: &SourceText<'_>, mention: &InstitutionMention, line: &Paragraph) -> bool {
    let case = source.starts_with(line.range.start, "案例");
    !case && !(mention.range.start > line.range.start && "向对由从与和经获".contains(source.before(mention.range.start)))
}

fn sentences(source: &SourceText<'_>, marks: Marks<'_>, range: Glyphs, paragraph: usize, out: &mut Vec<Sentence>) {
    let mut start = range.start;
    for &stop in source.marks(range.clone()).iter().filter(|&&at| matches!(source.at(at), '。' | '！' | '？')) {
        if stop < start {
            continue;
        }
        let closes = |at: usize| matches!(source.at(at), '”' | '’' | '"' | ')' | '。' | '！' | '？');
        let end = (stop + 1..range.end).find(|&at| !closes(at)).unwrap_or(range.end);
        pieces(source, marks, start..end, paragraph, false, out);
        start = end;
    }
    if start < range.end {
        pieces(source, marks, start..range.end, paragraph, false, out);
    }
}

/// Adds a sentence, in pieces if it is so long that reading every number in the light
/// of all the others would take more time than the text is long.
fn pieces(source: &SourceText<'_>, marks: Marks<'_>, range: Glyphs, paragraph: usize, row: bool, out: &mut Vec<Sentence>) {
    let mut start = range.start;
    while start < range.end {
        let end = piece_end(source, marks, start..range.end);
        let header = out.len().checked_sub(1).and_then(|last| out.get(last).and_then(|s| if s.row { s.header } else { Some(last) }));
        out.push(Sentence { range: start..end, paragraph, row, header });
        start = end;
    }
}

fn piece_end(source: &SourceText<'_>, marks: Marks<'_>, range: Glyphs) -> usize {
    let first = marks.quantities.partition_point(|q| q.core.start < range.start);
    let crowd = marks.quantities.get(first + MAX_NUMBERS).map_or(usize::MAX, |q| q.range.start);
    let limit = (range.start + MAX_SENTENCE).min(crowd);
    if range.end <= limit {
        return range.end;
    }
    let half = range.start + (limit - range.start) / 2;
    let comma = (half..limit).rev().find(|&i| matches!(source.at(i), ',' | ';' | '、' | '\t'));
    let cut = comma.map_or(limit, |i| i + 1);
    // Not inside a number.
    let before = marks.quantities.get(marks.quantities.partition_point(|q| q.range.start < cut).saturating_sub(1));
    let whole = before
        .filter(|q| q.range.start < cut && cut < q.range.end)
        .map_or(cut, |q| if q.range.start > range.start { q.range.start } else { q.range.end });
    whole.clamp(range.start + 1, range.end)
}
