//! A text by its code points: what a span cuts out, and which sentence a place is in.

use jianbao_engine::report::Span;

/// A text that is looked into by code point.
#[derive(Debug)]
pub struct Place {
    chars: Vec<char>,
    /// Offsets after each mark that ends a sentence, ascending.
    ends: Vec<usize>,
}

impl Place {
    /// Reads `text` once; `wrapped` is the width of its lines in full-width characters, if it is hard-wrapped.
    pub fn new(text: &str, wrapped: Option<usize>) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut ends = Vec::new();
        let mut line = 0;
        for (at, c) in chars.iter().enumerate().filter(|(_, c)| ends_sentence(**c)) {
            let wraps = *c == '\n' && wraps(chars.get(line..at), chars.get(at + 1), wrapped);
            if *c == '\n' {
                line = at + 1;
            }
            if !wraps {
                ends.push(at + 1);
            }
        }
        Self { chars, ends }
    }

    /// All code points.
    pub fn chars(&self) -> &[char] {
        &self.chars
    }

    /// What `span` cuts out, if it lies inside the text.
    pub fn cut(&self, span: Span) -> Option<String> {
        self.chars.get(span.start..span.end).map(|cut| cut.iter().collect())
    }

    /// The sentence that holds `at`: it ends at 。！？；; or a line break.
    pub fn sentence(&self, at: usize) -> Span {
        let index = self.ends.partition_point(|end| *end <= at);
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        Span::new(start, self.ends.get(index).copied().unwrap_or(self.chars.len()))
    }

    /// Where `needle` stands for the `nth` time (from 1; overlapping counts), if it does.
    pub fn locate(&self, needle: &str, nth: usize) -> Option<Span> {
        let needle: Vec<char> = needle.chars().collect();
        let length = needle.len();
        if length == 0 {
            return None;
        }
        let mut found = self.chars.windows(length).enumerate().filter(|(_, window)| *window == needle);
        found.nth(nth.max(1) - 1).map(|(start, _)| Span::new(start, start + length))
    }
}

const fn ends_sentence(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '；' | ';' | '\n')
}

/// Whether the line break behind `line` only wraps it: the line is full, and a line with words follows.
fn wraps(line: Option<&[char]>, next: Option<&char>, width: Option<usize>) -> bool {
    let Some(width) = width.filter(|width| *width > 0) else { return false };
    let line = line.unwrap_or_default();
    let trailing = line.iter().rev().take_while(|c| c.is_whitespace()).count();
    let shown = line.get(..line.len() - trailing).unwrap_or_default();
    let half_columns: usize = shown.iter().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    half_columns + 4 >= width * 2 && next.is_some_and(|next| *next != '\n')
}

/// Whether `c` is a digit that the ledger must hold.
pub const fn is_digit(c: char) -> bool {
    matches!(c, '0'..='9' | '０'..='９')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_tile_the_text() {
        let place = Place::new("甲。乙;丙\n丁", None);
        let sentences: Vec<_> = (0..7).map(|at| place.sentence(at)).map(|s| (s.start, s.end)).collect();
        assert_eq!(sentences, [(0, 2), (0, 2), (2, 4), (2, 4), (4, 6), (4, 6), (6, 7)]);
        assert_eq!(place.sentence(99), Span::new(6, 7));
    }

    #[test]
    fn a_full_line_is_wrapped_and_a_short_one_ends() {
        let sentences = |text: &str, width| {
            let place = Place::new(text, Some(width));
            (0..text.chars().count()).map(|at| place.sentence(at).start).collect::<std::collections::BTreeSet<_>>().len()
        };
        // Six columns of eight are full, five are not; ASCII is half as wide.
        assert_eq!(sentences("甲乙丙丁戊己\n丁戊", 8), 1);
        assert_eq!(sentences("甲乙丙丁戊\n丁戊", 8), 2);
        assert_eq!(sentences("甲乙丙丁12\n丁戊", 8), 2);
        // Blanks at its end do not fill it, and an empty line or the end of the text ends it.
        assert_eq!(sentences("甲乙丙丁戊  \n丁戊", 8), 2);
        assert_eq!(sentences("甲乙丙丁戊己\n\n丁戊", 8), 3);
        assert_eq!(sentences("甲乙丙丁戊己\n丁戊", 0), 2);
    }

    #[test]
    fn occurrences_are_counted_from_one_and_may_overlap() {
        let place = Place::new("三三三元", None);
        assert_eq!(place.locate("三三", 2), Some(Span::new(1, 3)));
        assert_eq!(place.locate("三三", 3), None);
        assert_eq!(place.locate("", 1), None);
    }
}
