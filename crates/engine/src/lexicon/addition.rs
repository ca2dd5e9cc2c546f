//! The operator's own tables: rows in the engine's format, checked and added to the built-in ones.

use rust_decimal::Decimal;
use serde::Deserialize as _;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::class::Class;
use super::group::{Scope, Trade};
use super::problem::{Problems, hidden, quoted};
use super::register::normalised;
use super::rows::{self, Field, Row, SourceFile, Value};
use super::tables::{NamePart, Place, Role, Tables};
use crate::report::{InstitutionType, MeasureCategory, Metric, Qualifier, QuantityKind};

/// Most forms in all tables of an operator.
pub const MAX_FORMS: usize = 20_000;
/// Most characters of a form.
pub const MAX_FORM_CHARS: usize = 32;
/// Most characters of an open code: a purpose's or a segment's.
pub const MAX_CODE_CHARS: usize = 64;

/// Greatest factor of a unit.
const MAX_FACTOR: u32 = 1_000_000_000;

/// What a field may hold.
#[derive(Clone, Copy)]
enum Shape {
    /// Words, at least one.
    Forms,
    /// Words, perhaps none.
    Names,
    /// One word.
    Word,
    /// Some characters.
    Characters,
    /// A code of the contract or of the engine.
    Code(Codes),
    /// A list of codes of the contract.
    Codes(Codes),
    /// An open code: a purpose's or a segment's.
    OpenCode,
    /// A plain decimal above zero.
    Factor,
    /// A whole number from 0 to 255.
    Strength,
    /// A GB/T 2260 code.
    Region,
    /// Characters by form.
    Guards,
}

/// A closed list of codes.
#[derive(Clone, Copy)]
enum Codes {
    Metric,
    Category,
    Kind,
    Qualifier,
    Place,
    Type,
    Part,
    Role,
    Class,
    Scope,
    Trade,
}

impl Codes {
    fn has(self, code: &str) -> bool {
        fn deserializes<'de, T: serde::Deserialize<'de>>(code: &'de str) -> bool {
            let text: StrDeserializer<'de, ValueError> = code.into_deserializer();
            T::deserialize(text).is_ok()
        }
        match self {
            Self::Metric => deserializes::<Metric>(code),
            Self::Category => deserializes::<MeasureCategory>(code),
            Self::Kind => deserializes::<QuantityKind>(code),
            Self::Type => deserializes::<InstitutionType>(code),
            Self::Qualifier => deserializes::<Qualifier>(code),
            Self::Place => Place::deserialize(plain(code)).is_ok(),
            Self::Part => NamePart::deserialize(plain(code)).is_ok(),
            Self::Role => Role::deserialize(plain(code)).is_ok(),
            Self::Class => Class::deserialize(plain(code)).is_ok(),
            Self::Scope => Scope::deserialize(plain(code)).is_ok(),
            Self::Trade => Trade::deserialize(plain(code)).is_ok(),
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Metric => "metric of the contract",
            Self::Category => "measure category of the contract",
            Self::Kind => "quantity kind of the contract",
            Self::Type => "institution type of the contract",
            Self::Qualifier => "qualifier of the contract",
            Self::Place => "place of a qualifier: before, aside or after",
            Self::Part => "part of a name, such as legal, branch or outlet",
            Self::Role => "role, such as anaphor, receiver or boundary",
            Self::Class => "class of words, such as guiding, preposition or officer",
            Self::Scope => "scope, such as province, city or own",
            Self::Trade => "trade of a group, such as banking, insurance or guarantee",
        }
    }
}

fn plain(code: &str) -> StrDeserializer<'_, ValueError> {
    code.into_deserializer()
}

/// A field of a table, and whether a row must have it.
type Fields = &'static [(&'static str, Shape, bool)];

const TABLES: &[(&str, Fields)] = &[
    (
        "metric",
        &[
            ("code", Shape::Code(Codes::Metric), true),
            ("forms", Shape::Forms, true),
            ("kinds", Shape::Codes(Codes::Kind), true),
            ("strength", Shape::Strength, true),
        ],
    ),
    ("category", &[("code", Shape::Code(Codes::Category), true), ("forms", Shape::Forms, true)]),
    ("purpose", &[("code", Shape::OpenCode, true), ("forms", Shape::Forms, true)]),
    ("segment", &[("code", Shape::OpenCode, true), ("forms", Shape::Forms, true)]),
    ("product", &[("forms", Shape::Forms, true)]),
    (
        "unit",
        &[
            ("forms", Shape::Forms, true),
            ("kind", Shape::Code(Codes::Kind), true),
            ("unit", Shape::Word, false),
            ("factor", Shape::Factor, false),
            ("not_before", Shape::Guards, false),
            ("only_after", Shape::Guards, false),
        ],
    ),
    (
        "qualifier",
        &[
            ("code", Shape::Code(Codes::Qualifier), true),
            ("place", Shape::Code(Codes::Place), true),
            ("forms", Shape::Forms, true),
            ("kinds", Shape::Codes(Codes::Kind), false),
            ("not_after", Shape::Guards, false),
            ("not_before", Shape::Guards, false),
            ("only_before", Shape::Guards, false),
        ],
    ),
    (
        "institution",
        &[
            ("name", Shape::Word, true),
            ("aliases", Shape::Names, false),
            ("type", Shape::Code(Codes::Type), true),
            ("region", Shape::Region, false),
        ],
    ),
    (
        "name",
        &[
            ("part", Shape::Code(Codes::Part), true),
            ("forms", Shape::Forms, true),
            ("type", Shape::Code(Codes::Type), false),
            ("full", Shape::Word, false),
            ("region", Shape::Region, false),
            ("scope", Shape::Code(Codes::Scope), false),
            ("trade", Shape::Code(Codes::Trade), false),
            ("not_before", Shape::Characters, false),
            ("not_after", Shape::Characters, false),
        ],
    ),
    ("word", &[("role", Shape::Code(Codes::Role), true), ("forms", Shape::Forms, true)]),
    ("class", &[("name", Shape::Code(Codes::Class), true), ("forms", Shape::Forms, true)]),
];

/// Checks the operator's tables and adds their rows to `tables`.
///
/// # Errors
/// All problems of all files; `tables` is then not to be used.
pub fn add(tables: &mut Tables, files: &[SourceFile]) -> Result<(), Problems> {
    let mut check = Check { file: "", tables, problems: Problems::default(), forms: 0 };
    for file in files {
        check.file = &file.name;
        let rows = rows::of_toml(file, &mut check.problems);
        for row in &rows {
            check.row(row);
        }
    }
    let (forms, mut problems) = (check.forms, check.problems);
    if forms > MAX_FORMS {
        problems.add("", 0, "", format!("the tables have {forms} forms together, at most {MAX_FORMS} are allowed"));
    }
    problems.into_result()?;
    let built_in = tables.lengths();
    for file in files {
        tables.add(&file.name, rows::without_mark(&file.text)).map_err(|error| Problems::of_file(&file.name, error.to_string()))?;
    }
    tables.normalise_from(built_in, normalised);
    Ok(())
}

/// The check of one file after the other.
struct Check<'a> {
    file: &'a str,
    tables: &'a Tables,
    problems: Problems,
    forms: usize,
}

impl Check<'_> {
    fn row(&mut self, row: &Row) {
        let Some((_, fields)) = TABLES.iter().find(|(table, _)| *table == row.table) else {
            let known: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
            let message = format!("there is no such table; there are {}", known.join(", "));
            return self.problems.add(self.file, row.line, &row.table, message);
        };
        // Examples are for whoever reads the table.
        for field in row.fields.iter().filter(|field| field.name != "example") {
            let message = match fields.iter().find(|(name, ..)| *name == field.name) {
                Some((_, shape, _)) => self.value(&row.table, *shape, field),
                None => {
                    let known: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
                    Err(format!("there is no such field; there are {}", known.join(", ")))
                }
            };
            if let Err(message) = message {
                self.problems.add(self.file, field.line, &field.name, message);
            }
        }
        for (name, ..) in fields.iter().filter(|(name, _, required)| *required && row.field(name).is_none()) {
            self.problems.add(self.file, row.line, name, format!("is missing; every [[{}]] needs one", row.table));
        }
    }

    fn value(&mut self, table: &str, shape: Shape, field: &Field) -> Result<(), String> {
        match (shape, &field.value) {
            (Shape::Forms, Value::List(forms)) if forms.is_empty() => Err("is empty; a row needs at least one form".to_owned()),
            (Shape::Forms | Shape::Names, Value::List(forms)) => {
                for (line, form) in forms {
                    self.forms += 1;
                    if let Err(message) = check_form(table, form) {
                        self.problems.add(self.file, *line, &field.name, message);
                    }
                }
                Ok(())
            }
            (Shape::Forms | Shape::Names, _) => Err("is no list of texts, such as [\"春耕\", \"备耕\"]".to_owned()),
            (Shape::Codes(codes), Value::List(list)) => list.iter().try_for_each(|(_, code)| check_code(codes, code)),
            (Shape::Codes(_), _) => Err("is no list of codes, such as [\"MONEY\"]".to_owned()),
            (Shape::Strength, Value::Number(0..=255)) => Ok(()),
            (Shape::Strength, Value::Number(number)) => Err(format!("{number} is not from 0 to 255")),
            (Shape::Strength, _) => Err("is no whole number from 0 to 255".to_owned()),
            (Shape::Guards, Value::Map(_)) => Ok(()),
            (Shape::Guards, _) => Err("is no table of characters by form, such as { \"元\" = \"件素\" }".to_owned()),
            (_, Value::Text(text)) => self.text(table, shape, text),
            _ => Err("is no text; write it between quotation marks".to_owned()),
        }
    }

    fn text(&mut self, table: &str, shape: Shape, text: &str) -> Result<(), String> {
        match shape {
            Shape::Word if table == "institution" => {
                self.forms += 1;
                check_form(table, text)
            }
            Shape::Word | Shape::Characters if text.chars().count() > MAX_FORM_CHARS => Err(too_long(text, MAX_FORM_CHARS)),
            Shape::Code(codes) => check_code(codes, text),
            Shape::OpenCode if text.chars().count() > MAX_CODE_CHARS => Err(too_long(text, MAX_CODE_CHARS)),
            // A row without a code marks words that are no purpose or segment, though they hold a form of one.
            Shape::OpenCode if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') => {
                Err(format!("{} is no code: lower-case letters, digits and _", quoted(text)))
            }
            Shape::Factor if text.is_empty() || is_factor(text) => Ok(()),
            Shape::Factor => Err(format!("{} is no plain decimal above 0, at most {MAX_FACTOR}, with at most 8 decimals", quoted(text))),
            Shape::Region if text.is_empty() || self.tables.region(text).is_some() => Ok(()),
            Shape::Region => Err(format!("{} is no GB/T 2260 code of the engine's table", quoted(text))),
            _ => Ok(()),
        }
    }
}

fn check_code(codes: Codes, code: &str) -> Result<(), String> {
    if codes.has(code) { Ok(()) } else { Err(format!("{} is no {}", quoted(code), codes.noun())) }
}

fn is_factor(text: &str) -> bool {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let factor = Decimal::from_str_exact(text).ok().filter(|factor| is_plain && factor.scale() <= 8);
    factor.is_some_and(|factor| factor > Decimal::ZERO && factor <= Decimal::from(MAX_FACTOR))
}

/// Whether a form can be looked for; in categories … stands between parts of one clause.
fn check_form(table: &str, form: &str) -> Result<(), String> {
    let parts: Vec<&str> = if table == "category" { form.split('…').collect() } else { vec![form] };
    if form.chars().count() > MAX_FORM_CHARS {
        Err(too_long(form, MAX_FORM_CHARS))
    } else if parts.iter().any(|part| normalised(part).is_empty()) {
        Err(format!("{} is empty, or a part of it is", quoted(form)))
    } else if form.chars().any(hidden) {
        Err(format!("{} holds a control character", quoted(form)))
    } else {
        Ok(())
    }
}

fn too_long(text: &str, most: usize) -> String {
    format!("{} has {} characters, at most {most} are allowed", quoted(text), text.chars().count())
}

#[cfg(test)]
mod tests;
