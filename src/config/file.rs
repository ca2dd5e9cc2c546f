//! The settings file: a flat table of TOML, whose keys are the settings' names.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{Given, Source, named};
use crate::files;

/// What the file gives, and everything that is wrong with it.
pub fn read(path: &Path) -> (BTreeMap<&'static str, Given>, Vec<String>) {
    let name = path.display().to_string();
    match files::text(path, files::MAX_FILE_BYTES) {
        Ok(text) => parse(&name, &text),
        Err(wrong) => (BTreeMap::new(), vec![wrong.of(&name)]),
    }
}

fn parse(file: &str, text: &str) -> (BTreeMap<&'static str, Given>, Vec<String>) {
    let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<_> =
        errors.iter().map(|error| format!("{file}:{}: {}", error.span().map_or(1, |span| line(span.start)), error.message())).collect();
    let mut given = BTreeMap::new();
    for (key, value) in document.get_ref() {
        let (name, line) = (key.get_ref().as_ref(), line(key.span().start));
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        let Some(setting) = named(name) else {
            problems.push(format!("{file}:{line}: {shown}: there is no such setting"));
            continue;
        };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Boolean(true) => "on".to_owned(),
            DeValue::Boolean(false) => "off".to_owned(),
            _ => {
                problems.push(format!("{file}:{line}: {shown}: must be text, a whole number, true or false"));
                continue;
            }
        };
        given.insert(setting.name, Given { text, source: Source::File { name: file.to_owned(), line } });
    }
    (given, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_lines() {
        let (given, problems) = parse("a.toml", "# mine\nworkers = 4\nreflection = false\n\ndrain-limit = \"3s\"\n");
        assert_eq!(problems, Vec::<String>::new());
        let seen: Vec<_> = given.iter().map(|(name, given)| (*name, given.text.as_str(), given.place(named(name).unwrap()))).collect();
        assert_eq!(
            seen,
            [
                ("drain-limit", "3s", "a.toml:5: drain-limit".to_owned()),
                ("reflection", "off", "a.toml:3: reflection".to_owned()),
                ("workers", "4", "a.toml:2: workers".to_owned())
            ]
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_line() {
        let (given, problems) = parse("a.toml", "workers = 4\nworker = 4\ndrain-limit = 1.5\n[tls]\ncert = \"a\"\nworkers 4\n");
        assert_eq!(given.len(), 1);
        for told in ["a.toml:2: worker: there is no", "a.toml:3: drain-limit: must be", "a.toml:4: tls: there is no", "a.toml:6: "] {
            assert!(problems.iter().any(|problem| problem.starts_with(told)), "{told}: {problems:?}");
        }
    }
}
