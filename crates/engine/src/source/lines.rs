//! Lines of the original: which of them a page has wrapped, which are page numbers, which go on in the next.

use super::table::{self, Delimiter};
use super::{is_ideograph, is_invisible, is_space, normalise, space_width};

/// A line of the original with what decides whether the next one continues it.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub text: &'t str,
    /// Byte offset of the line in the original.
    pub start: usize,
    /// It without the spaces at its ends.
    pub trimmed: &'t str,
    /// Cells set apart by wide gaps.
    pub is_row: bool,
    /// What parts the cells of a table's line, where that is no gap.
    pub delimiter: Option<Delimiter>,
    indented: bool,
    first: char,
    last: char,
    /// Its width in columns: a full-width character has two.
    width: usize,
}

impl<'t> Line<'t> {
    fn new(text: &'t str, start: usize) -> Self {
        let trimmed = text.trim_matches(|c| is_space(c) || is_invisible(c));
        Self {
            text,
            start,
            trimmed,
            is_row: is_row(trimmed),
            delimiter: None,
            indented: text.starts_with(['\u{3000}', '\t']) || text.starts_with("  "),
            first: trimmed.chars().next().map_or('\n', normalise),
            last: trimmed.chars().next_back().map_or('\n', normalise),
            width: width(text.trim_end()),
        }
    }

    /// Whether it is long and has a clause in it, so that it is no heading.
    fn is_prose(&self) -> bool {
        /// The shortest line that a page may have wrapped.
        const WRAPPED: usize = 24;
        self.trimmed.chars().nth(WRAPPED - 1).is_some() && self.has_clause()
    }

    fn has_clause(&self) -> bool {
        self.trimmed.contains([',', '，', '。', '；', ';', '、'])
    }

    fn is_tabular(&self) -> bool {
        self.is_row || self.delimiter.is_some()
    }

    /// Whether `next` goes on with this line's paragraph, and if so, how.
    pub fn flows_into(&self, next: &Self, page: Option<Page>) -> Option<Flow> {
        if self.is_tabular() || next.is_tabular() || next.indented || next.is_marked() || self.starts_list_item(next) {
            return None;
        }
        if let Some(flow) = page.and_then(|page| page.flow(self, next)) {
            return Some(flow);
        }
        // 38.6亿|元, 6|月末: a unit opens no paragraph behind a number.
        let number = self.last.is_ascii_digit() || matches!(self.last, '亿' | '万' | '千' | '百');
        let behind_digit = self.trimmed.chars().rev().nth(1).is_some_and(|c| normalise(c).is_ascii_digit());
        let dated = match self.last {
            '年' | '月' => behind_digit && (next.first.is_ascii_digit() || matches!(next.first, '末' | '底' | '初')),
            // 12.|5亿元
            '.' => behind_digit && next.first.is_ascii_digit() && self.trimmed.chars().nth(4).is_some(),
            last => last.is_ascii_digit() && matches!(next.first, '年' | '月' | '日'),
        };
        // 户数:320 begins a line of its own.
        let labels = next.trimmed.chars().take(12).any(|c| normalise(c) == ':');
        let counted = number && !labels && matches!(next.first, '元' | '万' | '亿' | '户' | '笔' | '%' | '个' | '家' | '倍' | '吨' | '亩');
        let opens = dated || counted || matches!(next.first, ',' | '。' | ';' | '、' | ')');
        let goes_on = match self.last {
            '。' | '！' | '？' | ';' | ':' | '】' => false,
            ',' | '、' => true,
            _ => self.is_prose(),
        };
        // 0.4|4个百分点 is one number, 56.5|320。 are two: what goes on has a unit.
        let behind = || next.trimmed.chars().map(normalise).find(|&c| !(c.is_ascii_digit() || matches!(c, '.' | ',')));
        let counted = || behind().is_some_and(|c| is_ideograph(c) || c == '%');
        let apart = self.last.is_ascii_digit() && next.first.is_ascii_digit() && !counted();
        (opens || goes_on).then_some(Flow { ends_measures: true, apart })
    }

    /// Whether a bullet or the bracket of an item opens it.
    fn is_marked(&self) -> bool {
        let numbered = || {
            let mut inside = self.trimmed.chars().skip(1).take(4);
            let digit = |c: char| normalise(c).is_ascii_digit() || "一二三四五六七八九十".contains(c);
            inside.next().is_some_and(digit) && inside.find(|&c| !digit(c)).is_some_and(|c| normalise(c) == ')')
        };
        is_marker(self.first) && (self.first != '(' || numbered())
    }

    /// Whether `next` opens an item of its own: `u ` (a lost Wingdings bullet), 一、, 1., 12、
    fn starts_list_item(&self, next: &Self) -> bool {
        let mut chars = next.trimmed.chars();
        let (Some(first), Some(second), third) = (chars.next(), chars.next(), chars.next()) else { return false };
        let digit = |c: char| normalise(c).is_ascii_digit();
        let stop = |c: char| matches!(c, '、' | '.' | '．');
        // 1.8%: what a wrapped line begins with.
        let decimal = |behind: Option<char>| behind.is_some_and(digit);
        match second {
            ' ' | '\u{a0}' => first.is_ascii_alphabetic(),
            second if stop(second) => (digit(first) || "一二三四五六七八九十".contains(first)) && !(digit(first) && decimal(third)),
            second if digit(first) && digit(second) => third.is_some_and(stop) && !decimal(chars.next()),
            '是' => "一二三四五六七八九".contains(first) && matches!(self.last, '。' | ';' | ':' | ','),
            _ => false,
        }
    }

    /// Whether it is a page number: - 3 -, 第3页, 3/10, 3.
    fn is_page_number(&self) -> bool {
        /// Longest such line, in bytes.
        const LONGEST: usize = 32;
        let mut digits = 0;
        self.trimmed.len() <= LONGEST
            && self.trimmed.chars().all(|c| {
                digits += usize::from(c.is_ascii_digit());
                c.is_ascii_digit() || is_space(c) || matches!(c, '-' | '—' | '–' | '－' | '/' | '第' | '共' | '页' | '·')
            })
            && (1..=6).contains(&digits)
    }
}

/// How one line goes on in the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    /// A sentence of measures ends with the line, since nothing shows that a page has wrapped it.
    pub ends_measures: bool,
    /// Two numbers meet at the line's end.
    pub apart: bool,
}

/// The width to which a page has wrapped its paragraphs, in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    width: usize,
}

impl Page {
    /// How much shorter than the page a wrapped line may be, in columns: a word or number is not broken.
    const RAGGED: usize = 6;

    /// The page of a text, if its lines show one: several of them are as wide as the widest but few, and hold clauses.
    fn of(lines: &[Line<'_>]) -> Option<Self> {
        /// The narrowest and the widest page.
        const NARROW: usize = 28;
        const WIDE: usize = 130;
        /// Fewest lines that show a page.
        const LINES: usize = 3;
        let mut counts = [0_usize; WIDE + 1];
        let mut wider = 0;
        for line in lines.iter().filter(|line| !line.trimmed.is_empty() && !line.is_tabular()) {
            match counts.get_mut(line.width) {
                Some(count) => *count += 1,
                None => wider += 1,
            }
        }
        let among = |from: usize, to: usize| counts.get(from..=to).unwrap_or_default().iter().sum::<usize>();
        let widest = (NARROW..=WIDE).rev().max_by_key(|&width| (among(width - Self::RAGGED, width), width))?;
        let width = (widest - Self::RAGGED..=widest).rev().find(|&width| counts.get(width).is_some_and(|&n| n > 0))?;
        let full = among(width - Self::RAGGED, width);
        let long = among(width / 2 + 1, WIDE) + wider;
        let beyond = among(width + 1, WIDE) + wider;
        let as_wide = || lines.iter().filter(|line| line.width + Self::RAGGED >= width && line.width <= width && !line.is_tabular());
        let with_clauses = as_wide().filter(|line| line.has_clause()).count();
        let ended = as_wide().filter(|line| matches!(line.last, '。' | '！' | '？' | ';' | ':')).count();
        let wrapped = full >= LINES && full * 5 >= long * 2 && beyond * 4 <= full && with_clauses * 5 >= full * 3 && ended * 2 <= full;
        wrapped.then_some(Self { width })
    }

    fn flow(self, line: &Line<'_>, next: &Line<'_>) -> Option<Flow> {
        let as_wide = line.width + Self::RAGGED >= self.width;
        // A full stop at the very end of a wide line: a heading or a new paragraph may follow.
        let stops = matches!(line.last, '。' | '！' | '？' | ':' | '】');
        let goes_on = !stops || line.width + 2 >= self.width && next.has_clause() && line.last != ':';
        (as_wide && goes_on).then_some(Flow { ends_measures: line.width > self.width, apart: false })
    }
}

/// The lines of a text in order.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    pub lines: Vec<Line<'t>>,
    pub page: Option<Page>,
}

impl<'t> Lines<'t> {
    /// Reads the lines of `text` by `\n`.
    pub fn new(text: &'t str) -> Self {
        let mut lines = Vec::with_capacity(text.len() / 64);
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let end = rest.find('\n').unwrap_or(rest.len());
            lines.push(Line::new(rest.get(..end).unwrap_or_default(), at));
            at += end + 1;
        }
        table::mark(&mut lines);
        let page = Page::of(&lines);
        Self { lines, page }
    }

    /// The line behind the page numbers and empty lines that begin at `index`, if these part a paragraph that `line` began.
    pub fn over_page_number(&self, line: &Line<'_>, index: usize) -> Option<usize> {
        /// Most lines between two pages.
        const BETWEEN: usize = 6;
        let page = self.page?;
        let rest = self.lines.get(index..)?;
        let between = rest.iter().take(BETWEEN).take_while(|line| line.trimmed.is_empty() || line.is_page_number());
        let count = between.clone().count();
        let numbered = between.into_iter().any(|line| !line.trimmed.is_empty());
        let next = rest.get(count)?;
        (numbered && line.flows_into(next, Some(page)).is_some()).then_some(index + count)
    }
}

/// How many columns a line has: two for a full-width character, one for any other and for a digit, however it is written.
fn width(line: &str) -> usize {
    let bytes = line.as_bytes();
    let ascii = bytes.iter().filter(|byte| byte.is_ascii()).count();
    // Every other character begins with a byte that goes on in none.
    let others = bytes.iter().filter(|byte| **byte >= 0xc0).count();
    let (second, third) = (bytes.get(1..).unwrap_or_default(), bytes.get(2..).unwrap_or_default());
    let is_digit = |((first, second), third): &((&u8, &u8), &u8)| **first == 0xef && **second == 0xbc && (0x90..=0x99).contains(*third);
    ascii + 2 * others - bytes.iter().zip(second).zip(third).filter(is_digit).count()
}

/// Whether a line has cells set apart by wide gaps, numbers among them.
pub(super) fn is_row(line: &str) -> bool {
    // Most lines have no space at all. One is a byte up to 0x20, or begins with 0xc2 or 0xe1, or is U+20xx or U+3000.
    let one = |byte: u8| matches!(byte, 0..=b' ' | 0xc2 | 0xe1);
    let wide = |bytes: [u8; 3]| matches!(bytes, [0xe2, 0x80, 0x80..=0x8a | 0xa8..=0xaf] | [0xe2, 0x81, _] | [0xe3, 0x80, 0x80]);
    let bytes = line.as_bytes();
    let (second, third) = (bytes.get(1..).unwrap_or_default(), bytes.get(2..).unwrap_or_default());
    // To the end, without a branch for each byte.
    let threes = bytes.iter().zip(second).zip(third).map(|((&first, &second), &third)| [first, second, third]);
    let spaced =
        threes.fold(false, |found, bytes| found | one(bytes[0]) | wide(bytes)) || bytes.iter().rev().take(2).any(|&byte| one(byte));
    if !spaced {
        return false;
    }
    let (mut gaps, mut run, mut digits) = (0, 0, false);
    for ch in line.chars() {
        if is_space(ch) {
            run += space_width(ch);
            continue;
        }
        gaps += usize::from(run >= 2);
        run = 0;
        if !is_ideograph(ch) {
            digits |= normalise(ch).is_ascii_digit();
            if matches!(ch, '。' | '；' | ';' | '!' | '！') {
                return false;
            }
        }
    }
    gaps >= 2 && digits
}

/// Bullets and brackets that open an item or a heading.
const fn is_marker(c: char) -> bool {
    matches!(
        c,
        '●' | '○'
            | '◆'
            | '◇'
            | '■'
            | '□'
            | '▲'
            | '△'
            | '★'
            | '☆'
            | '►'
            | '▶'
            | '•'
            | '·'
            | '※'
            | '➢'
            | '✓'
            | '√'
            | '【'
            | '('
            | '\u{f0d8}'
            | '\u{f06c}'
            | '\u{f075}'
            | '\u{f0b7}'
            | '\u{f06e}'
    )
}
