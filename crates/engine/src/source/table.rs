//! Lines of tables whose cells are set apart by bars, commas, gaps or single spaces, with the line above that names the columns.

use super::lines::Line;
use super::{is_space, normalise, space_width};

/// What parts the cells of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// | as in Markdown.
    Bar,
    /// At least two spaces, or a wide one.
    Gap,
    /// One space.
    Space,
    /// A comma, as in CSV.
    Comma,
    /// A line of Markdown below the names: |---|---|
    Rule,
}

/// Longest line that is looked at, in bytes.
const LONGEST: usize = 400;
/// Most glyphs of a number's cell.
const NUMBER: usize = 18;

/// Marks the lines of tables: one that names columns, and those below it whose cells are as many and all numbers but the first.
pub(super) fn mark(lines: &mut [Line<'_>]) {
    let mut index = 0;
    while index < lines.len() {
        let found = [Delimiter::Bar, Delimiter::Gap, Delimiter::Space, Delimiter::Comma].into_iter().find_map(|delimiter| {
            let below = lines.get(index..).map_or(0, |rest| table(rest, delimiter));
            (below > 0).then_some((delimiter, below))
        });
        let Some((delimiter, below)) = found else {
            index += 1;
            continue;
        };
        for line in lines.get_mut(index..=index + below).unwrap_or_default() {
            line.delimiter = Some(if is_rule(line.trimmed) { Delimiter::Rule } else { delimiter });
        }
        index += below + 1;
    }
}

/// How many lines below the first of `lines` are rows of a table whose columns it names.
fn table(lines: &[Line<'_>], delimiter: Delimiter) -> usize {
    let Some(header) = lines.first().filter(|line| may_have_cells(line.trimmed, delimiter)) else { return 0 };
    let names: Vec<&str> = cells(header.trimmed, delimiter).map(|cell| cell.1).collect();
    let columns = names.len();
    let least = if delimiter == Delimiter::Comma { 3 } else { 2 };
    if columns < least || names.iter().skip(1).any(|name| name.is_empty() || is_number(name)) || names.iter().any(|name| ends_clause(name))
    {
        return 0;
    }
    let rule = lines.get(1).filter(|line| delimiter == Delimiter::Bar && is_rule(line.trimmed)).map_or(0, |_| 1);
    let fits = |line: &&Line<'_>| may_have_cells(line.trimmed, delimiter) && is_data(line.trimmed, delimiter, columns);
    let rows = lines.get(1 + rule..).unwrap_or_default().iter().take_while(fits).count();
    if rows > 0 { rows + rule } else { 0 }
}

/// Whether a line may have cells at all, told by a look at its bytes.
fn may_have_cells(line: &str, delimiter: Delimiter) -> bool {
    let holds = |byte: u8| line.as_bytes().contains(&byte);
    line.len() <= LONGEST
        && match delimiter {
            Delimiter::Bar => holds(b'|') || line.contains('｜'),
            Delimiter::Comma => holds(b','),
            Delimiter::Gap => holds(b' ') || holds(b'\t') || line.contains('\u{3000}'),
            Delimiter::Space => holds(b' '),
            Delimiter::Rule => false,
        }
}

/// Whether a line's cells are as many as the columns, and all numbers but the first and its number before it.
fn is_data(line: &str, delimiter: Delimiter, columns: usize) -> bool {
    let mut count = 0;
    let (mut numbers, mut others) = (0, 0);
    for (_, cell) in cells(line, delimiter) {
        let named = count == 0 || count == 1 && numbers == 0 && others == 0;
        if is_number(cell) {
            numbers += usize::from(count > 0);
        } else if !matches!(cell, "" | "-" | "—" | "/" | "--" | "——") {
            others += usize::from(!named);
        }
        count += 1;
    }
    count == columns && numbers > 0 && others == 0
}

/// Whether a cell holds a number, perhaps with its unit: 56,300.5, -8.2%, 320户.
fn is_number(cell: &str) -> bool {
    let signed = cell.trim_start_matches(['-', '+', '－', '▲', '▼', '↑', '↓']);
    let digits = signed.chars().take_while(|&c| normalise(c).is_ascii_digit() || matches!(normalise(c), ',' | '.')).count();
    let unit = signed.chars().skip(digits);
    let dated = |c: char| matches!(c, '年' | '月' | '日' | '期' | '号' | '、');
    digits > 0 && signed.chars().nth(NUMBER).is_none() && unit.clone().count() <= 4 && !unit.into_iter().any(dated)
}

/// Whether running text goes on in a cell.
fn ends_clause(cell: &str) -> bool {
    cell.contains(['。', '；', '，', '！', '？'])
}

/// Whether a line is what Markdown draws below the names of columns.
fn is_rule(line: &str) -> bool {
    line.contains("--") && line.chars().all(|c| matches!(c, '|' | '-' | ':' | '+' | ' '))
}

/// The cells of a line, without the spaces around them, each with its byte offset in it.
pub(super) fn cells(line: &str, delimiter: Delimiter) -> impl Iterator<Item = (usize, &str)> {
    let bar = |c: char| matches!(c, '|' | '｜');
    let (from, inner) = match delimiter {
        Delimiter::Bar => {
            let inner = line.trim_start_matches(is_space).strip_prefix(bar).unwrap_or(line);
            let from = line.len() - inner.len();
            let inner = inner.trim_end_matches(is_space);
            (from, inner.strip_suffix(bar).unwrap_or(inner))
        }
        _ => (0, line),
    };
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let start = at?;
        let rest = inner.get(start..)?;
        let (end, next) = cut(rest, delimiter);
        at = next.map(|next| start + next);
        let cell = rest.get(..end)?;
        let lead = cell.len() - cell.trim_start_matches(is_space).len();
        Some((from + start + lead, cell.trim_matches(is_space)))
    })
}

/// Where the first cell of `rest` ends, and where the next one begins.
fn cut(rest: &str, delimiter: Delimiter) -> (usize, Option<usize>) {
    let one = |found: Option<(usize, &str)>| found.map_or((rest.len(), None), |(at, mark)| (at, Some(at + mark.len())));
    match delimiter {
        Delimiter::Bar => one(rest.match_indices(['|', '｜']).next()),
        Delimiter::Comma => one(rest.match_indices(',').next()),
        Delimiter::Space | Delimiter::Gap | Delimiter::Rule => {
            let least = if delimiter == Delimiter::Space { 1 } else { 2 };
            let mut run: Option<(usize, usize)> = None;
            for (at, c) in rest.char_indices() {
                if is_space(c) {
                    let (from, wide) = run.unwrap_or((at, 0));
                    run = Some((from, wide + space_width(c)));
                } else if let Some((from, wide)) = run.take()
                    && wide >= least
                    && from > 0
                {
                    return (from, Some(at));
                }
            }
            (rest.len(), None)
        }
    }
}
