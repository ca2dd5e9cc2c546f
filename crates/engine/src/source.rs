//! The text as the rules read it: normalised glyphs that know where they came from.
//!
//! Every glyph is one character after normalisation (full-width to half-width,
//! radicals and compatibility forms to ordinary characters, traditional to
//! simplified) and keeps its byte range in the original. Spaces that extraction
//! put between characters, zero-width characters and the line breaks inside a
//! hard-wrapped paragraph are gone; paragraph breaks are `\n`, cell gaps `\t`.

use std::ops::Range;
use std::sync::LazyLock;

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
    /// Glyph indices before which a line break was removed that no width of the page explains, ascending.
    torn: Vec<usize>,
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
        };
        let lines = Lines::new(original);
        let mut previous: Option<Line> = None;
        let mut wrapped: Vec<(usize, usize)> = Vec::new();
        for line in lines {
            if line.trimmed.is_empty() {
                source.break_paragraph(line.start);
                previous = None;
                continue;
            }
            if let Some(before) = &previous {
                if before.flows_into(&line) {
                    wrapped.push((source.glyphs.len(), before.half_columns()));
                } else {
                    source.break_paragraph(line.start);
                }
            }
            source.push_line(&line);
            previous = Some(line);
        }
        source.marks.rank(source.glyphs.len());
        let full = page_width(&wrapped);
        source.torn = wrapped.into_iter().filter(|(_, columns)| !full.contains(columns)).map(|(at, _)| at).collect();
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

    /// Glyph indices before which a line break of the original was removed that no width of the page explains.
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

    fn push_line(&mut self, line: &Line<'_>) {
        let mut at = 0;
        while let Some(rest) = line.text.get(at..).filter(|rest| !rest.is_empty()) {
            at += self.push_kept(rest, line.start + at);
            let Some(ch) = line.text.get(at..).and_then(|rest| rest.chars().next()) else { return };
            let start = line.start + at;
            at += ch.len_utf8();
            if is_space(ch) {
                let rest = line.text.get(at..).unwrap_or_default();
                let next = rest.trim_start_matches(|c| is_space(c) || is_invisible(c));
                let spaces = rest.get(..rest.len() - next.len()).unwrap_or_default();
                let width = space_width(ch) + spaces.chars().filter(|&c| is_space(c)).map(space_width).sum::<usize>();
                at += spaces.len();
                if let Some(gap) = self.gap(line, width, next) {
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
    fn gap(&self, line: &Line<'_>, width: usize, rest: &str) -> Option<char> {
        let before = self.glyphs.last().copied().unwrap_or('\n');
        let after = normalise(rest.chars().next()?);
        if before == '\n' {
            return None;
        }
        if width >= 3 || (width >= 2 && line.is_row) {
            return Some('\t');
        }
        let word = |c: char| c.is_ascii_alphanumeric();
        if before.is_ascii_digit() && after.is_ascii_digit() {
            let group = rest.chars().map(normalise).take_while(char::is_ascii_digit).count();
            let head = self.glyphs.iter().rev().take_while(|c| c.is_ascii_digit()).count();
            return if group == 3 && head <= 3 && width == 1 { None } else { Some(' ') };
        }
        (word(before) && word(after)).then_some(' ')
    }
}

/// A byte's offset as places hold it.
fn offset(byte: usize) -> u32 {
    u32::try_from(byte).unwrap_or(u32::MAX)
}

/// A line of the original with what decides whether the next one continues it.
#[derive(Debug)]
struct Line<'t> {
    text: &'t str,
    /// Byte offset of the line in the original.
    start: usize,
    /// It without the spaces at its ends.
    trimmed: &'t str,
    /// Cells set apart by wide gaps.
    is_row: bool,
    indented: bool,
    first: char,
    last: char,
}

impl<'t> Line<'t> {
    fn new(text: &'t str, start: usize) -> Self {
        let trimmed = text.trim_matches(|c| is_space(c) || is_invisible(c));
        Self {
            text,
            start,
            trimmed,
            is_row: is_row(trimmed),
            indented: text.starts_with(['\u{3000}', '\t']),
            first: trimmed.chars().next().map_or('\n', normalise),
            last: trimmed.chars().next_back().map_or('\n', normalise),
        }
    }

    /// How wide it is, in halves of a full-width character.
    fn half_columns(&self) -> usize {
        self.text.trim_end().chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
    }

    /// Whether it is long and has a clause in it, so that it is no heading.
    fn is_prose(&self) -> bool {
        /// The shortest line that a page may have wrapped.
        const WRAPPED: usize = 24;
        self.trimmed.chars().nth(WRAPPED - 1).is_some() && self.trimmed.contains([',', '，', '。', '；', ';'])
    }

    /// Whether `next` goes on with this line's paragraph.
    fn flows_into(&self, next: &Self) -> bool {
        if self.is_row || next.is_row || next.indented || is_marker(next.first) || self.starts_list_item(next) {
            return false;
        }
        // 38.6亿|元: a unit opens no paragraph behind a number.
        let number = self.last.is_ascii_digit() || matches!(self.last, '亿' | '万' | '千' | '百');
        if number && matches!(next.first, '元' | '万' | '亿' | '户' | '笔' | '%') || matches!(next.first, ',' | '。' | ';' | '、' | ')')
        {
            return true;
        }
        match self.last {
            '。' | '！' | '？' | ';' | ':' | '】' => false,
            ',' | '、' => true,
            _ => self.is_prose(),
        }
    }

    /// Whether `next` opens an item of its own: `u ` (a lost Wingdings bullet), 一、, 1.
    fn starts_list_item(&self, next: &Self) -> bool {
        let mut chars = next.trimmed.chars();
        let (Some(first), Some(second)) = (chars.next(), chars.next()) else { return false };
        match second {
            ' ' | '\u{a0}' => first.is_ascii_alphabetic(),
            // 同比下降|1.8%: a decimal is no item.
            '.' | '．' if chars.next().is_some_and(|third| normalise(third).is_ascii_digit()) => false,
            '、' | '.' | '．' => normalise(first).is_ascii_digit() || "一二三四五六七八九十".contains(first),
            '是' => "一二三四五六七八九".contains(first) && matches!(self.last, '。' | ';'),
            _ => false,
        }
    }
}

/// The columns, in halves of a full-width character, that the full lines of a hard-wrapped text have; none if its
/// lines break at no width of their own. `wrapped` holds the columns of each line that the next one continues.
fn page_width(wrapped: &[(usize, usize)]) -> Range<usize> {
    /// The fewest lines that show a width.
    const FEWEST: usize = 3;
    /// How much shorter a full line may be than the longest.
    const RAGGED: usize = 6;
    /// The widest page.
    const WIDEST: usize = 160;
    if wrapped.len() < FEWEST {
        return 0..0;
    }
    let mut counts = [0_usize; WIDEST + RAGGED + 1];
    for (_, columns) in wrapped {
        if let Some(count) = counts.get_mut(*columns).filter(|_| *columns < WIDEST) {
            *count += 1;
        }
    }
    let near = |from: usize| counts.iter().skip(from).take(RAGGED + 1).sum::<usize>();
    let Some(from) = (0..WIDEST).max_by_key(|&from| near(from)) else { return 0..0 };
    let enough = near(from) >= FEWEST && near(from) * 3 >= wrapped.len() * 2;
    if enough { from..from + RAGGED + 1 } else { 0..0 }
}

/// Whether a line has cells set apart by wide gaps, numbers among them.
fn is_row(line: &str) -> bool {
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

/// Lines of a text by `\n`, with their offsets.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = rest.find('\n').unwrap_or(rest.len());
        let line = Line::new(rest.get(..end).unwrap_or_default(), self.at);
        self.at += end + 1;
        Some(line)
    }
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
