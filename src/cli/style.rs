//! Columns and colours of a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Whether and how to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    /// Colours only where a person looks and has not said no.
    pub on: bool,
}

impl Paint {
    /// A name.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters less.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// A category.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// A value.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// A doubt.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Columns that `text` takes; an ideograph takes two.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` with blanks behind it, to `columns`.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` with blanks before it, to `columns`.
#[must_use]
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// A bulletin's words on one line: no breaks, no control characters, no spaces that only set them apart.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        let between_words = out.ends_with(|last: char| last.is_ascii_alphanumeric()) && c.is_ascii_alphanumeric();
        if gap && between_words {
            out.push(' ');
        }
        gap = false;
        out.push(if c.is_control() { '\u{fffd}' } else { c });
    }
    out
}

/// As much of `text` as fits `columns`, with … where something is left out.
#[must_use]
pub fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut room = columns.saturating_sub(1);
    for c in text.chars() {
        let Some(rest) = room.checked_sub(c.width().unwrap_or(0)) else { break };
        room = rest;
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ideographs_take_two_columns() {
        assert_eq!(left("亿元", 6), "亿元  ");
        assert_eq!(right("4户", 5), "  4户");
        assert_eq!(clip("支持春耕备耕", 7), "支持春…");
        assert_eq!(clip("支持春耕备耕", 12), "支持春耕备耕");
    }

    #[test]
    fn a_line_holds_nothing_that_moves_the_cursor() {
        assert_eq!(one_line("5835\n 万元\x1b[2J"), "5835万元\u{fffd}[2J");
        assert_eq!(one_line("one  two"), "one two");
    }

    #[test]
    fn colours_are_off_unless_asked_for() {
        assert_eq!(Paint::default().bold("行"), "行");
        assert_eq!(Paint { on: true }.bold("行"), "\x1b[1m行\x1b[0m");
    }
}
