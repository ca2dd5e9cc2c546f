//! What is wrong with an operator's files: every problem with its file, line and field.

use std::fmt;

/// Most problems that are listed; more are counted.
const MOST_LISTED: usize = 100;
/// Most characters of an offending value that are shown.
const MOST_SHOWN: usize = 48;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's name; empty if it is no file's.
    pub file: String,
    /// Line in the file, from 1; 0 if it is of the whole file.
    pub line: usize,
    /// Column or field; empty if it is of the whole line.
    pub field: String,
    /// What is wrong, with the offending value quoted and the bounds, in lower case, without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if self.line > 0 {
                write!(f, "{}:", self.line)?;
            }
            f.write_str(" ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with the files, by file and line. Not empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    /// Problems beyond those listed.
    more: usize,
}

impl Problems {
    /// A problem of no line.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.add(file, 0, "", message);
        problems
    }

    /// Notes a problem.
    pub fn add(&mut self, file: &str, line: usize, field: &str, message: impl Into<String>) {
        if self.list.len() < MOST_LISTED {
            self.list.push(Problem { file: file.to_owned(), line, field: field.to_owned(), message: message.into() });
        } else {
            self.more += 1;
        }
    }

    /// Takes over the problems of another file.
    pub fn append(&mut self, other: Self) {
        let room = MOST_LISTED - self.list.len().min(MOST_LISTED);
        self.more += other.more + other.list.len().saturating_sub(room);
        self.list.extend(other.list.into_iter().take(room));
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.list.len() + self.more
    }

    /// The first of them, in the order of the files and their lines.
    #[must_use]
    pub fn listed(&self) -> &[Problem] {
        &self.list
    }

    /// Nothing, or these in order as the error.
    ///
    /// # Errors
    /// When there is any.
    pub fn into_result(mut self) -> Result<(), Self> {
        self.list.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        if self.list.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count();
        write!(f, "{count} {} with the register or the lexicon:", if count == 1 { "problem" } else { "problems" })?;
        self.list.iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
        if self.more > 0 {
            write!(f, "\n  and {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Whether a character is not seen where it stands: a control character, or one that turns a line's direction about.
#[must_use]
pub fn hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A value as a message quotes it: its beginning, with what is invisible written out.
#[must_use]
pub fn quoted(value: &str) -> String {
    let shown: String = value.chars().take(MOST_SHOWN).flat_map(char::escape_debug).collect();
    let cut = if value.chars().nth(MOST_SHOWN).is_some() { "…" } else { "" };
    format!("`{shown}{cut}`")
}

/// Where the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line, from 1, that holds byte `at`.
    pub fn at(&self, at: usize) -> usize {
        self.0.partition_point(|&start| start <= at)
    }
}
