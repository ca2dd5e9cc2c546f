//! The rows of an operator's file, not yet checked: what TOML and CSV have in common.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Lines, Problems, quoted};

/// Most rows of a file.
pub const MAX_ROWS: usize = 50_000;

/// A file that the caller has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, as problems tell it. The end after the last point says what format it has.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// Texts, each with its line.
    List(Vec<(usize, String)>),
    /// A whole number.
    Number(i64),
    /// Texts by name.
    Map(Vec<(String, String)>),
    /// Anything else, by what TOML calls it.
    Other(&'static str),
}

/// A field with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub line: usize,
    pub value: Value,
}

/// A row with the name of its table and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub table: String,
    pub line: usize,
    pub fields: Vec<Field>,
}

impl Row {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A text without the mark that some editors write before it.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The rows of a TOML file, `[[table]]` by `[[table]]`.
pub(super) fn of_toml(file: &SourceFile, problems: &mut Problems) -> Vec<Row> {
    let text = without_mark(&file.text);
    let lines = Lines::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        problems.add(&file.name, error.span().map_or(0, |span| lines.at(span.start)), "", format!("bad TOML: {}", error.message()));
    }
    if !errors.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for (name, value) in document.get_ref() {
        let line = lines.at(name.span().start);
        let tables = value.get_ref().as_array().filter(|array| array.iter().all(|row| row.get_ref().is_table()));
        let Some(tables) = tables else {
            problems.add(&file.name, line, name.get_ref(), "stands alone; every row begins with a line such as [[institution]]");
            continue;
        };
        for table in tables {
            rows.push(Row {
                table: name.get_ref().to_string(),
                line: lines.at(table.span().start),
                fields: table.get_ref().as_table().map(|table| fields(table, &lines)).unwrap_or_default(),
            });
        }
    }
    rows.sort_by_key(|row| row.line);
    rows
}

fn fields(table: &DeTable<'_>, lines: &Lines) -> Vec<Field> {
    let field = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = name.get_ref();
        Field { name: name.to_string(), line: lines.at(value.span().start), value: self::value(value.get_ref(), lines) }
    };
    table.iter().map(field).collect()
}

fn value(value: &DeValue<'_>, lines: &Lines) -> Value {
    let other = Value::Other(value.type_str());
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).map_or(other, Value::Number),
        DeValue::Array(items) => {
            let text = |item: &Spanned<DeValue<'_>>| Some((lines.at(item.span().start), item.get_ref().as_str()?.to_owned()));
            items.iter().map(text).collect::<Option<_>>().map_or(other, Value::List)
        }
        DeValue::Table(table) => {
            let text = |(name, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                Some((name.get_ref().to_string(), value.get_ref().as_str()?.to_owned()))
            };
            table.iter().map(text).collect::<Option<_>>().map_or(other, Value::Map)
        }
        _ => other,
    }
}

/// The columns that a CSV file may have.
pub(super) struct Columns {
    /// The table that its rows are of.
    pub table: &'static str,
    /// All of them.
    pub names: &'static [&'static str],
    /// Those that must be there.
    pub required: &'static [&'static str],
    /// The one whose cells hold several texts, between `;` or `|`.
    pub list: &'static str,
}

/// The rows of a CSV file, whose first row names the columns. An empty cell is a field that is not there.
pub(super) fn of_csv(file: &SourceFile, columns: &Columns, problems: &mut Problems) -> Vec<Row> {
    let text = without_mark(&file.text);
    let lines = Lines::new(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut names: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let at = error.position().and_then(|position| usize::try_from(position.byte()).ok());
                problems.add(&file.name, at.map_or(0, |at| lines.at(at)), "", "bad CSV");
                break;
            }
        };
        let line = record.position().map_or(0, |position| line_of(text, &lines, usize::try_from(position.byte()).unwrap_or(0)));
        if record.iter().all(str::is_empty) {
            continue;
        }
        let Some(names) = &names else {
            match header(&record, line, columns, &file.name, problems) {
                Some(header) => names = Some(header),
                None => return Vec::new(),
            }
            continue;
        };
        if record.len() > names.len() || record.len() < 2 {
            let count = format!("has {} cells; the first row names {} columns (between commas)", record.len(), names.len());
            problems.add(&file.name, line, "", count);
            continue;
        }
        let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let field = |(name, cell): (&String, &str)| Field { name: name.clone(), line, value: cell_value(name, cell, line, columns) };
        rows.push(Row { table: columns.table.to_owned(), line, fields: cells.map(field).collect() });
    }
    if names.is_none() {
        problems.add(&file.name, 0, "", "is empty; the first row names the columns");
    }
    rows
}

/// The line of a record that begins at or, over empty lines, behind `at`.
fn line_of(text: &str, lines: &Lines, at: usize) -> usize {
    let empty = text.as_bytes().get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    lines.at(at + empty)
}

fn cell_value(name: &str, cell: &str, line: usize, columns: &Columns) -> Value {
    if name == columns.list {
        let texts = cell.split([';', '；', '|', '｜']).map(str::trim).filter(|text| !text.is_empty());
        Value::List(texts.map(|text| (line, text.to_owned())).collect())
    } else {
        Value::Text(cell.to_owned())
    }
}

/// The names of the columns, unless one that must be there is not; those that cannot be used are problems.
fn header(record: &csv::StringRecord, line: usize, columns: &Columns, file: &str, problems: &mut Problems) -> Option<Vec<String>> {
    let names: Vec<String> = record.iter().map(|name| name.to_lowercase().replace(' ', "_")).collect();
    let mut seen = BTreeSet::new();
    for name in &names {
        if !columns.names.contains(&name.as_str()) {
            problems.add(file, line, "", format!("there is no column {}; there are {}", quoted(name), columns.names.join(", ")));
        } else if !seen.insert(name.as_str()) {
            problems.add(file, line, name, "two columns have this name");
        }
    }
    let missing: Vec<&str> = columns.required.iter().copied().filter(|name| !seen.contains(name)).collect();
    for name in &missing {
        problems.add(file, line, name, "the first row does not name this column");
    }
    missing.is_empty().then_some(names)
}
