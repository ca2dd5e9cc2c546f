//! The operator's register of institutions: `docs/register.md` describes its files.

use std::collections::BTreeMap;

use super::problem::{Problems, hidden, quoted};
use super::rows::{self, Columns, Row, SourceFile, Value};
use super::tables::{HeadOffice, Tables};
use crate::report::InstitutionType;
use crate::source::SourceText;

/// Most rows.
pub const MAX_INSTITUTIONS: usize = rows::MAX_ROWS;
/// Most aliases of one institution.
pub const MAX_ALIASES: usize = 64;
/// Most characters of a name, an alias, an id or a head office.
pub const MAX_NAME_CHARS: usize = 64;
/// Fewest characters of a name or an alias.
pub const MIN_NAME_CHARS: usize = 2;

const TABLE: &str = "institution";
const COLUMNS: Columns = Columns {
    table: TABLE,
    names: &["id", "name", "aliases", "type", "region", "head_office"],
    required: &["id", "name"],
    list: "aliases",
};

/// An institution of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The operator's identifier.
    pub id: String,
    /// Name as the operator writes it, which is the canonical name in reports.
    pub name: String,
    /// The forms it is recognised by, its name first, as normalised text has them.
    pub forms: Vec<String>,
    /// What kind of body it is; none where neither the register nor the name says.
    pub kind: Option<InstitutionType>,
    /// GB/T 2260 code, empty if neither the register nor the name says.
    pub region: String,
    /// Full name of that region, empty if the code is in no table.
    pub region_name: String,
    /// Full name of the head office, empty if it is a legal person of its own.
    pub head_office: String,
    /// Its name with all abbreviations expanded, by the rules for names in texts.
    pub expanded: String,
}

/// What the rules for names in texts make of a row's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameReading {
    /// The name with its abbreviations expanded.
    pub expanded: String,
    /// What kind of body the name tells.
    pub kind: Option<InstitutionType>,
    /// The region it tells, as code and name.
    pub region: (String, String),
    /// The head office it tells.
    pub head_office: String,
}

/// The institutions of the operator's register.
#[derive(Clone, Debug, Default)]
pub struct Register {
    rows: Vec<Registered>,
    /// The row of each expanded name; none where several rows have it.
    by_name: BTreeMap<String, Option<u32>>,
}

impl Register {
    /// Reads a register's file: CSV or TOML, by the end of its name.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn parse(file: &SourceFile, tables: &Tables) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let extension = file.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let rows = match extension.as_deref() {
            Some("csv") => rows::of_csv(file, &COLUMNS, &mut problems),
            Some("toml") => rows::of_toml(file, &mut problems),
            _ => {
                problems.add(&file.name, 0, "", "is neither .csv nor .toml by its name");
                Vec::new()
            }
        };
        if rows.len() > MAX_INSTITUTIONS {
            problems.add(&file.name, 0, "", format!("has {} institutions, at most {MAX_INSTITUTIONS} are allowed", rows.len()));
        }
        let mut check = Check { file: &file.name, tables, problems, row: 0, ids: BTreeMap::new(), forms: BTreeMap::new() };
        let rows = rows.iter().take(MAX_INSTITUTIONS).filter_map(|row| check.row(row)).collect();
        check.problems.into_result()?;
        Ok(Self { rows, by_name: BTreeMap::new() })
    }

    /// The institutions, in the order of the file.
    #[must_use]
    pub fn rows(&self) -> &[Registered] {
        &self.rows
    }

    /// The row with this index.
    #[must_use]
    pub fn row(&self, index: u32) -> Option<&Registered> {
        self.rows.get(index as usize)
    }

    /// The only row whose name, abbreviations expanded and without its corporate form, is this one.
    #[must_use]
    pub fn find(&self, canonical: &str) -> Option<u32> {
        self.by_name.get(without_corporate_form(canonical)).copied().flatten()
    }

    /// Takes what a row leaves open from what its name tells; the readings are in the order of the rows.
    pub fn complete(&mut self, readings: impl IntoIterator<Item = NameReading>) {
        for (row, reading) in self.rows.iter_mut().zip(readings) {
            row.kind = row.kind.or(reading.kind);
            if row.region.is_empty() {
                (row.region, row.region_name) = reading.region;
            }
            if row.head_office.is_empty() {
                row.head_office = reading.head_office;
            }
            row.expanded = if reading.expanded.is_empty() { row.name.clone() } else { reading.expanded };
        }
        for (index, row) in (0..).zip(&self.rows) {
            let of_name = self.by_name.entry(without_corporate_form(&row.expanded).to_owned());
            of_name.and_modify(|known| *known = None).or_insert(Some(index));
        }
    }
}

/// A name without 股份有限公司 and the like at its end.
#[must_use]
pub fn without_corporate_form(name: &str) -> &str {
    ["股份有限公司", "有限责任公司", "有限公司"].iter().find_map(|form| name.strip_suffix(form)).unwrap_or(name)
}

/// A form as texts have it once they are normalised.
pub(super) fn normalised(form: &str) -> String {
    SourceText::new(form).glyphs().iter().collect::<String>().trim().to_owned()
}

impl HeadOffice {
    /// A registered institution as the head office of branches that the text names.
    #[must_use]
    pub fn registered(row: &Registered) -> Self {
        let kind = row.kind.unwrap_or(InstitutionType::Other);
        Self { name: row.name.clone(), aliases: Vec::new(), kind, region: row.region.clone() }
    }
}

/// The check of one file.
struct Check<'a> {
    file: &'a str,
    tables: &'a Tables,
    problems: Problems,
    /// Number of the row that is looked at.
    row: usize,
    /// The line of each id.
    ids: BTreeMap<String, usize>,
    /// The row of each form, by number and line.
    forms: BTreeMap<String, (usize, usize)>,
}

impl Check<'_> {
    fn problem(&mut self, line: usize, field: &str, message: impl Into<String>) {
        self.problems.add(self.file, line, field, message);
    }

    /// The row as an institution, if nothing is wrong with it.
    fn row(&mut self, row: &Row) -> Option<Registered> {
        let before = self.problems.count();
        self.row += 1;
        if row.table != TABLE {
            self.problem(row.line, &row.table, "there is no such table; rows of the register begin with [[institution]]");
            return None;
        }
        for field in row.fields.iter().filter(|field| !COLUMNS.names.contains(&field.name.as_str())) {
            // A CSV file's columns have been told of once, with its first row.
            if !self.file.to_ascii_lowercase().ends_with(".csv") {
                let known = COLUMNS.names.join(", ");
                self.problem(field.line, &field.name, format!("there is no such field; there are {known}"));
            }
        }
        let id = self.id(row);
        let (name, form) = self.name(row);
        let mut forms: Vec<String> = form.into_iter().collect();
        self.aliases(row, &mut forms);
        let (kind, region, head_office) = (self.kind(row), self.region(row), self.head_office(row));
        let region_name = self.tables.region(&region).map(|region| region.name.clone()).unwrap_or_default();
        let registered = Registered { id, name, forms, kind, region, region_name, head_office, expanded: String::new() };
        (self.problems.count() == before).then_some(registered)
    }

    /// The text of a field, empty if it is not there.
    fn text<'r>(&mut self, row: &'r Row, name: &str) -> (usize, &'r str) {
        match row.field(name).map(|field| (field.line, &field.value)) {
            None => (row.line, ""),
            Some((line, Value::Text(text))) => (line, text.trim()),
            Some((line, _)) => {
                self.problem(line, name, "is no text; write it between quotation marks");
                (line, "")
            }
        }
    }

    fn id(&mut self, row: &Row) -> String {
        let before = self.problems.count();
        let (line, id) = self.text(row, "id");
        let chars = id.chars().count();
        if self.problems.count() > before {
            return String::new();
        }
        if chars == 0 {
            self.problem(line, "id", "is empty; every institution needs one");
        } else if chars > MAX_NAME_CHARS {
            self.problem(line, "id", format!("{} has {chars} characters, at most {MAX_NAME_CHARS} are allowed", quoted(id)));
        } else if id.chars().any(|c| hidden(c) || c.is_whitespace()) {
            self.problem(line, "id", format!("{} holds a space or a control character", quoted(id)));
        } else if let Some(first) = self.ids.insert(id.to_owned(), row.line) {
            self.problem(line, "id", format!("{} is already the id of line {first}", quoted(id)));
        }
        id.to_owned()
    }

    /// The name as written and as the form that texts have.
    fn name(&mut self, row: &Row) -> (String, Option<String>) {
        let before = self.problems.count();
        let (line, name) = self.text(row, "name");
        if self.problems.count() > before {
            return (String::new(), None);
        }
        if name.is_empty() {
            self.problem(line, "name", "is empty; every institution needs one");
            return (String::new(), None);
        }
        (name.to_owned(), self.form(row, line, "name", name))
    }

    fn aliases(&mut self, row: &Row, forms: &mut Vec<String>) {
        let Some(field) = row.field("aliases") else { return };
        let single;
        let aliases = match &field.value {
            Value::List(aliases) => aliases,
            Value::Text(alias) => {
                single = vec![(field.line, alias.clone())];
                &single
            }
            _ => return self.problem(field.line, "aliases", "is no list of texts, such as [\"工行\", \"工商银行\"]"),
        };
        if aliases.len() > MAX_ALIASES {
            let found = aliases.len();
            self.problem(field.line, "aliases", format!("has {found} aliases, at most {MAX_ALIASES} are allowed"));
        }
        for (line, alias) in aliases.iter().take(MAX_ALIASES) {
            if let Some(form) = self.form(row, *line, "aliases", alias)
                && !forms.contains(&form)
            {
                forms.push(form);
            }
        }
    }

    /// A name or alias as texts have it, unless something is wrong with it or another row has it.
    fn form(&mut self, row: &Row, line: usize, field: &str, written: &str) -> Option<String> {
        let form = normalised(written);
        let chars = form.chars().count();
        let wrong = if written.contains('\n') {
            "holds a line break (is a quotation mark left open?)".to_owned()
        } else if !(MIN_NAME_CHARS..=MAX_NAME_CHARS).contains(&chars) {
            format!("has a length of {chars}, allowed are {MIN_NAME_CHARS} to {MAX_NAME_CHARS} characters")
        } else if let Some(bad) = form.chars().find(|c| !may_be_in_name(*c)) {
            format!("holds {}; a name holds letters, digits, spaces, brackets and ·-—&.'/+", quoted(&bad.to_string()))
        } else if !form.chars().any(char::is_alphabetic) {
            "holds no letter".to_owned()
        } else {
            let (first, first_line) = *self.forms.entry(form.clone()).or_insert((self.row, row.line));
            if first == self.row {
                return Some(form);
            }
            format!("is already a name or an alias of line {first_line}")
        };
        self.problem(line, field, format!("{} {wrong}", quoted(written)));
        None
    }

    fn kind(&mut self, row: &Row) -> Option<InstitutionType> {
        let (line, code) = self.text(row, "type");
        if code.is_empty() {
            return None;
        }
        let kind = InstitutionType::from_code(code.strip_prefix(InstitutionType::PREFIX).unwrap_or(code));
        if kind.is_none() {
            let known: Vec<&str> = InstitutionType::ALL.iter().map(|kind| kind.code()).collect();
            self.problem(line, "type", format!("{} is no type; there are {}", quoted(code), known.join(", ")));
        }
        kind
    }

    fn region(&mut self, row: &Row) -> String {
        let (line, code) = self.text(row, "region");
        let wrong = if code.is_empty() {
            return String::new();
        } else if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
            "is no GB/T 2260 code: six digits"
        } else if !code.get(..2).is_some_and(|province| self.tables.region(&format!("{province}0000")).is_some()) {
            "is no GB/T 2260 code: no province has its first two digits"
        } else {
            return code.to_owned();
        };
        self.problem(line, "region", format!("{} {wrong}", quoted(code)));
        String::new()
    }

    fn head_office(&mut self, row: &Row) -> String {
        let (line, name) = self.text(row, "head_office");
        let chars = name.chars().count();
        if chars > MAX_NAME_CHARS {
            self.problem(line, "head_office", format!("{} has {chars} characters, at most {MAX_NAME_CHARS} are allowed", quoted(name)));
        } else if name.chars().any(hidden) {
            self.problem(line, "head_office", format!("{} holds a line break or a control character", quoted(name)));
        }
        name.to_owned()
    }
}

/// Whether names hold this character. What ends a clause is in none, so that a name lies in one.
fn may_be_in_name(c: char) -> bool {
    c.is_alphanumeric() || " ()·-—&.'/+".contains(c)
}

#[cfg(test)]
mod tests;
