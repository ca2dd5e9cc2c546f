//! The text as the rules read it: normalised glyphs that know where they came from.
//!
//! Every glyph is one character after normalisation (full-width to half-width,
//! radicals and compatibility forms to ordinary characters, traditional to
//! simplified) and keeps its byte range in the original. Spaces that extraction
//! put between characters, zero-width characters and the line breaks inside a
//! hard-wrapped paragraph are gone; paragraph breaks are `\n`, cell gaps `\t`.

mod lines;
mod table;

use std::ops::Range;
use std::sync::LazyLock;

use lines::{Line, Lines};
use table::Delimiter;

use super::lists::Places;
use super::report::Span;

/// A half-open range of glyph indices.
pub type Glyphs = Range<usize>;

/// Where a glyph stands, in bytes.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its range in the original.
    start: u32,
    end: u32,
    /// Its start in the normalised text.
    at: u32,
}

/// A bulletin's text, normalised.
#[derive(Debug)]
pub struct SourceText<'t> {
    original: &'t str,
    glyphs: Vec<char>,
    /// The glyphs as a string.
    text: String,
    places: Vec<Place>,
    /// The glyphs that are neither ideograph, letter nor digit, ascending.
    marks: Places,
    /// Glyph indices before which a line break of the original was removed that no page's width explains, ascending.
    torn: Vec<usize>,
    /// What was passed over though it holds digits: page numbers inside a paragraph.
    passed_over: Vec<Span>,
}

impl<'t> SourceText<'t> {
    /// Normalises `original`.
    #[must_use]
    pub fn new(original: &'t str) -> Self {
        let mut source = Self {
            original,
            glyphs: Vec::with_capacity(original.len() * 3 / 8),
            text: String::with_capacity(original.len()),
            places: Vec::with_capacity(original.len() * 3 / 8),
            marks: Places::with_capacity(original.len() / 24),
            torn: Vec::new(),
            passed_over: Vec::new(),
        };
        let lines = Lines::new(original);
        let mut previous: Option<&Line<'t>> = None;
        let mut index = 0;
        while let Some(line) = lines.lines.get(index) {
            if let Some(next) = previous.and_then(|before| lines.over_page_number(before, index)) {
                // A reader of the original sees two lines here, so a measure stays on one side.
                source.torn.push(source.glyphs.len());
                source.pass_over(lines.lines.get(index..next).unwrap_or_default());
                index = next;
                continue;
            }
            index += 1;
            if line.delimiter == Some(Delimiter::Rule) {
                source.pass_over(std::slice::from_ref(line));
                continue;
            }
            if line.trimmed.is_empty() {
                source.break_paragraph(line.start);
                previous = None;
                continue;
            }
            if let Some(before) = previous {
                source.join(before, line, lines.page);
            }
            match line.delimiter {
                Some(delimiter) => source.push_cells(line, delimiter),
                None => source.push_line(line.text, line.start, line.is_row),
            }
            previous = Some(line);
        }
        source.marks.rank(source.glyphs.len());
        source
    }

    /// The original text.
    #[must_use]
    pub const fn original(&self) -> &'t str {
        self.original
    }

    /// The normalised glyphs.
    #[must_use]
    pub fn glyphs(&self) -> &[char] {
        &self.glyphs
    }

    /// The glyph at `at`, or `\n` outside the text.
    #[must_use]
    pub fn at(&self, at: usize) -> char {
        self.glyphs.get(at).copied().unwrap_or('\n')
    }

    /// The glyph before `at`, or `\n` at the start.
    #[must_use]
    pub fn before(&self, at: usize) -> char {
        at.checked_sub(1).map_or('\n', |i| self.at(i))
    }

    /// Number of glyphs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.glyphs.len()
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.glyphs.is_empty()
    }

    /// Whether the glyphs from `at` on begin with `word`.
    #[must_use]
    pub fn starts_with(&self, at: usize, word: &str) -> bool {
        self.text.as_bytes().get(self.byte(at)..).is_some_and(|rest| rest.starts_with(word.as_bytes()))
    }

    /// Whether the glyphs before `at` end with `word`.
    #[must_use]
    pub fn ends_with(&self, at: usize, word: &str) -> bool {
        self.text.as_bytes().get(..self.byte(at)).is_some_and(|rest| rest.ends_with(word.as_bytes()))
    }

    /// The normalised text of a range.
    #[must_use]
    pub fn text(&self, range: Glyphs) -> &str {
        self.text.get(self.byte(range.start)..self.byte(range.end)).unwrap_or_default()
    }

    /// The whole normalised text.
    #[must_use]
    pub fn normalised(&self) -> &str {
        &self.text
    }

    /// Where a glyph starts in the normalised text.
    #[must_use]
    pub fn byte(&self, at: usize) -> usize {
        self.places.get(at).map_or(self.text.len(), |place| place.at as usize)
    }

    /// The original bytes of a range of glyphs.
    #[must_use]
    pub fn span(&self, range: Glyphs) -> Span {
        match (self.places.get(range.start), range.end.checked_sub(1).and_then(|i| self.places.get(i))) {
            (Some(first), Some(last)) if range.start < range.end => Span::new(first.start as usize, last.end as usize),
            (Some(first), _) => Span::new(first.start as usize, first.start as usize),
            _ => Span::new(self.original.len(), self.original.len()),
        }
    }

    /// The original text of a range of glyphs.
    #[must_use]
    pub fn original_text(&self, range: Glyphs) -> &'t str {
        let span = self.span(range);
        self.original.get(span.start..span.end).unwrap_or_default()
    }

    /// The glyphs of a range that are neither ideograph, letter nor digit, ascending.
    #[must_use]
    pub fn marks(&self, range: Glyphs) -> &[usize] {
        self.marks.within(range)
    }

    /// Runs of digits that no glyph stands for: page numbers inside a paragraph.
    #[must_use]
    pub fn passed_over(&self) -> &[Span] {
        &self.passed_over
    }

    /// The original text of a range of glyphs in one line: a space for each line break that is more than a wrap.
    #[must_use]
    pub fn in_one_line(&self, range: Glyphs) -> String {
        let mut out = String::new();
        let breaks = self.marks(range.clone()).iter().copied().filter(|&at| self.at(at) == '\n');
        let mut start = range.start;
        for end in breaks.chain([range.end]) {
            let piece = self.original_text(start..end);
            out.push_str(if out.is_empty() || piece.is_empty() { "" } else { " " });
            out.extend(piece.lines().map(str::trim));
            start = end + 1;
        }
        out
    }

    /// Glyph indices before which a line break of the original was removed that ends a sentence of measures all the same.
    #[must_use]
    pub fn torn(&self) -> &[usize] {
        &self.torn
    }

    /// The first glyph that ends after original byte `byte`.
    #[must_use]
    pub fn glyph_at(&self, byte: usize) -> usize {
        self.places.partition_point(|place| place.end as usize <= byte)
    }

    fn break_paragraph(&mut self, byte: usize) {
        if self.glyphs.last().is_some_and(|&c| c != '\n') {
            self.push('\n', byte.saturating_sub(1), byte);
        }
    }

    fn push(&mut self, glyph: char, start: usize, end: usize) {
        if is_mark(glyph) {
            self.marks.push(self.glyphs.len());
        }
        self.places.push(Place { start: offset(start), end: offset(end), at: offset(self.text.len()) });
        self.glyphs.push(glyph);
        self.text.push(glyph);
    }

    /// Goes on with the paragraph of the line before, or ends it.
    fn join(&mut self, before: &Line<'_>, line: &Line<'_>, page: Option<lines::Page>) {
        let Some(flow) = before.flows_into(line, page) else { return self.break_paragraph(line.start) };
        if flow.apart {
            self.push(' ', line.start.saturating_sub(1), line.start);
        }
        if flow.ends_measures {
            self.torn.push(self.glyphs.len());
        }
    }

    /// Notes the digits of lines that are no part of the text.
    fn pass_over(&mut self, lines: &[Line<'_>]) {
        for line in lines {
            let mut at = 0;
            for run in line.text.split(|c: char| !c.is_ascii_digit()) {
                if !run.is_empty() {
                    self.passed_over.push(Span::new(line.start + at, line.start + at + run.len()));
                }
                at += run.len() + line.text.get(at + run.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            }
        }
    }

    /// The cells of a table's line, with a gap between them.
    fn push_cells(&mut self, line: &Line<'_>, delimiter: Delimiter) {
        let lead = line.text.len() - line.text.trim_start_matches(|c| is_space(c) || is_invisible(c)).len();
        let start = line.start + lead;
        for (index, (at, cell)) in table::cells(line.trimmed, delimiter).enumerate() {
            if index > 0 {
                let before = line.trimmed.get(..at).and_then(|before| before.chars().next_back()).map_or(1, char::len_utf8);
                self.push('\t', start + at - before, start + at);
            }
            self.push_line(cell, start + at, false);
        }
    }

    fn push_line(&mut self, text: &str, from: usize, is_row: bool) {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            at += self.push_kept(rest, from + at);
            let Some(ch) = text.get(at..).and_then(|rest| rest.chars().next()) else { return };
            let start = from + at;
            at += ch.len_utf8();
            if is_space(ch) {
                let rest = text.get(at..).unwrap_or_default();
                let next = rest.trim_start_matches(|c| is_space(c) || is_invisible(c));
                let spaces = rest.get(..rest.len() - next.len()).unwrap_or_default();
                let width = space_width(ch) + spaces.chars().filter(|&c| is_space(c)).map(space_width).sum::<usize>();
                at += spaces.len();
                if let Some(gap) = self.gap(is_row, width, next) {
                    self.push(gap, start, start + ch.len_utf8());
                }
            } else if !is_invisible(ch) {
                self.push(normalise(ch), start, start + ch.len_utf8());
            }
        }
    }

    /// Takes over what `text` begins with and normalisation leaves as it is, of one byte or three each; how many bytes.
    fn push_kept(&mut self, text: &str, start: usize) -> usize {
        let is_kept = KEPT.as_slice();
        let (mut from, mut at) = (offset(start), offset(self.text.len()));
        let mut rest = text.as_bytes();
        loop {
            let (glyph, width, behind) = match rest {
                [byte @ b'!'..=b'~', behind @ ..] => (char::from(*byte), 1, behind),
                [first @ 0xe0..=0xef, second, third, behind @ ..] => {
                    let code = u32::from(*first & 0x0f) << 12 | u32::from(*second & 0x3f) << 6 | u32::from(*third & 0x3f);
                    let kept = is_kept.get((code / 64) as usize).is_some_and(|bits| bits >> (code % 64) & 1 != 0);
                    let Some(glyph) = char::from_u32(code).filter(|_| kept) else { break };
                    (glyph, 3, behind)
                }
                _ => break,
            };
            if is_mark(glyph) {
                self.marks.push(self.glyphs.len());
            }
            self.glyphs.push(glyph);
            self.places.push(Place { start: from, end: from + width, at });
            from += width;
            at += width;
            rest = behind;
        }
        let length = text.len() - rest.len();
        self.text.push_str(text.get(..length).unwrap_or_default());
        length
    }

    /// What stands for a run of spaces: nothing, a space or a cell gap.
    fn gap(&self, is_row: bool, width: usize, rest: &str) -> Option<char> {
        let before = self.glyphs.last().copied().unwrap_or('\n');
        let after = normalise(rest.chars().next()?);
        if before == '\n' {
            return None;
        }
        if width >= 3 || (width >= 2 && is_row) {
            return Some('\t');
        }
        let word = |c: char| c.is_ascii_alphanumeric();
        if before.is_ascii_digit() && after.is_ascii_digit() {
            let group = rest.chars().map(normalise).take_while(char::is_ascii_digit).count();
            let head = self.glyphs.iter().rev().take_while(|c| c.is_ascii_digit()).count();
            let decimals = self.glyphs.iter().rev().nth(head).is_some_and(|&c| matches!(c, '.' | ','));
            // 1 234万元, not 100 200: thousands are counted in something.
            let behind = rest.chars().nth(3).map(normalise);
            let counted = behind.is_some_and(|c| is_ideograph(c) || matches!(c, ' ' | '%' | '.'));
            return if group == 3 && head <= 3 && width == 1 && !decimals && counted { None } else { Some(' ') };
        }
        (word(before) && word(after)).then_some(' ')
    }
}

/// A byte's offset as places hold it.
fn offset(byte: usize) -> u32 {
    u32::try_from(byte).unwrap_or(u32::MAX)
}

/// Whether `c` is a Chinese character, as all characters of brands and places are.
#[must_use]
pub const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether `c` is neither ideograph, letter nor digit.
const fn is_mark(c: char) -> bool {
    !is_ideograph(c) && !c.is_ascii_alphanumeric()
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{202a}'..='\u{202e}')
}

const fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

const fn space_width(c: char) -> usize {
    match c {
        '\t' => 4,
        '\u{3000}' => 2,
        '\r' => 0,
        _ => 1,
    }
}

/// Traditional and variant characters and their simplified forms, from the
/// one-to-one character table of OpenCC (`TSCharacters`).
const TRADITIONAL: &str = include_str!("lexicon/traditional.tsv");
const FIRST_IDEOGRAPH: u32 = 0x4e00;
const IDEOGRAPHS: usize = 0x5200;

static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = (FIRST_IDEOGRAPH..).take(IDEOGRAPHS).map(|c| char::from_u32(c).unwrap_or('\0')).collect();
    for line in TRADITIONAL.lines().filter(|line| !line.starts_with('#')) {
        let mut chars = line.chars().filter(|c| *c != '\t');
        if let (Some(from), Some(to)) = (chars.next(), chars.next())
            && let Some(slot) = (from as u32).checked_sub(FIRST_IDEOGRAPH).and_then(|i| table.get_mut(i as usize))
        {
            *slot = to;
        }
    }
    table
});

/// A bit for each character up to U+FFFF that normalisation leaves as it is.
static KEPT: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut bits = vec![0; 0x1_0000 / 64];
    for c in '\0'..='\u{ffff}' {
        if normalise(c) == c
            && !is_space(c)
            && !is_invisible(c)
            && let Some(slot) = bits.get_mut(c as usize / 64)
        {
            *slot |= 1 << (c as u32 % 64);
        }
    }
    bits
});

/// One character in the form the rules know.
#[must_use]
pub fn normalise(c: char) -> char {
    match c {
        ' '..='~' => c,
        '\u{4e00}'..='\u{9fff}' => simplified(c),
        '！' | '？' | '。' | '、' => c,
        '；' => ';',
        '〔' | '［' => '[',
        '〕' | '］' => ']',
        '｡' => '。',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '￥' => '¥',
        '￡' | '₤' => '£',
        '￠' => '¢',
        '￦' => '₩',
        '「' | '『' | '〝' => '“',
        '」' | '』' | '〞' => '”',
        '–' | '−' | '‐' | '‑' | '‒' | '﹣' => '-',
        '〜' | '∼' => '~',
        '―' | '─' | '━' | '⸺' => '—',
        '﹪' => '%',
        '﹐' => ',',
        // Some decompose into a traditional form: the radical of 户 into 戶.
        '\u{2e80}'..='\u{2fdf}' | '\u{f900}'..='\u{faff}' => simplified(compatibility(c)),
        _ => c,
    }
}

/// An ideograph in its simplified form.
fn simplified(c: char) -> char {
    (c as u32).checked_sub(FIRST_IDEOGRAPH).and_then(|i| SIMPLIFIED.get(i as usize)).copied().unwrap_or(c)
}

/// Radicals and compatibility ideographs as ordinary ones.
fn compatibility(c: char) -> char {
    use unicode_normalization::UnicodeNormalization as _;
    /// Radicals that Unicode does not decompose, by their simplified characters.
    const RADICALS: &[(char, char)] = &[
        ('⺠', '民'),
        ('⺟', '母'),
        ('⻁', '虎'),
        ('⻄', '西'),
        ('⻅', '见'),
        ('⻆', '角'),
        ('⻉', '贝'),
        ('⻋', '车'),
        ('⻓', '长'),
        ('⻔', '门'),
        ('⻘', '青'),
        ('⻙', '韦'),
        ('⻚', '页'),
        ('⻛', '风'),
        ('⻜', '飞'),
        ('⻝', '食'),
        ('⻢', '马'),
        ('⻣', '骨'),
        ('⻤', '鬼'),
        ('⻥', '鱼'),
        ('⻦', '鸟'),
        ('⻨', '麦'),
        ('⻩', '黄'),
        ('⻬', '齐'),
        ('⻮', '齿'),
        ('⻰', '龙'),
        ('⻳', '龟'),
        ('⻁', '虎'),
        ('⺁', '厂'),
        ('⺋', '卩'),
        ('⺝', '月'),
        ('⺩', '王'),
        ('⺫', '目'),
        ('⺼', '月'),
        ('⻃', '西'),
        ('⻌', '辶'),
        ('⻏', '阝'),
        ('⻖', '阝'),
        ('⻗', '雨'),
        ('⻞', '食'),
    ];
    RADICALS.iter().find(|(radical, _)| *radical == c).map_or_else(|| c.nfkc().next().unwrap_or(c), |&(_, plain)| plain)
}
