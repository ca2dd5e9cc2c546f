//! The examples beside the words of the tables: each sentence is read as the row says.
//!
//! Under a row of a table stands
//!
//! ```toml
//! [[metric.example]]
//! published = "2024-07-01"                       # where the sentence leaves the year out
//! text = "截至5月末,清河农商银行累计发放贷款1.2亿元。"
//! figures = ["1.2亿元 LOAN_DISBURSED 120000000 CNY cumulative ..2024-05-31"]
//! measures = ["LENDING"]
//! ```
//!
//! and what it lists is all there is, in order of place: `figures`, the categories of `measures`,
//! `institutions` as canonical name and type, `numbers` as text and role of every ledger entry that is
//! no figure. What it leaves out is not looked at.
//!
//! A figure is its text, metric, value (`3-5` if it is a range) and unit, then what holds of it: the qualifier unless
//! exact, `cumulative`, its period (`..` if the text names one and settles no day), its change (`+` or `-` and the
//! baseline), `of:` the total it is a part of; and, if any `#` is written, all its purposes and segments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jianbao_engine::Bulletin;
use jianbao_engine::lexicon::Lexicon;
use jianbao_engine::report::{ChangeDirection, Figure, InstitutionReport, MeasureCategory, Metric, Qualifier, QuantityRole};
use serde::Deserialize;

use super::invariants::{ENGINE, figures};

/// A sentence and what is right to read in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    text: String,
    #[serde(default)]
    published: String,
    figures: Option<Vec<String>>,
    measures: Option<Vec<String>>,
    institutions: Option<Vec<String>>,
    numbers: Option<Vec<String>>,
    /// The labels of the figures, in order of place.
    labels: Option<Vec<String>>,
    /// Whose they are, in order of place, by canonical name.
    owners: Option<Vec<String>>,
    /// Who got them, in order of place; what names nobody is left out.
    beneficiaries: Option<Vec<String>>,
    /// Title, publisher and day of publication.
    masthead: Option<Vec<String>>,
}

/// A row that has examples.
struct Row {
    table: String,
    /// Its code, role or part; of an institution its name.
    code: String,
    forms: Vec<String>,
    examples: Vec<Example>,
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lexicon");
    let mut rows = Vec::new();
    for entry in fs::read_dir(&folder).expect("the tables can be read") {
        let path = entry.expect("they have names").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file: toml::Table = toml::from_str(&fs::read_to_string(&path).expect("it is text")).expect("it is TOML");
        for (table, of_table) in file {
            for row in of_table.as_array().expect("a table file is arrays of rows") {
                rows.push(read_row(&table, row));
            }
        }
    }
    rows
}

fn read_row(table: &str, row: &toml::Value) -> Row {
    let strings = |key: &str| -> Vec<String> {
        let list = row.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        list.map(|item| item.as_str().expect("it is a word").to_owned()).collect()
    };
    let one = |keys: &[&str]| keys.iter().find_map(|key| row.get(*key)?.as_str()).unwrap_or_default().to_owned();
    let examples = row.get("example").and_then(toml::Value::as_array).into_iter().flatten();
    Row {
        table: table.to_owned(),
        code: one(&["code", "role", "part", "name", "kind"]),
        forms: strings("forms").into_iter().chain(strings("aliases")).chain([one(&["name"])]).filter(|form| !form.is_empty()).collect(),
        examples: examples
            .map(|example| example.clone().try_into().unwrap_or_else(|problem| panic!("an example of {table}: {problem}\n{example:?}")))
            .collect(),
    }
}

/// Whether the parts of a form stand in `text` in order.
fn shows(text: &str, form: &str) -> bool {
    let mut rest = text;
    form.split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// A figure as an example writes it.
fn line(figure: &Figure, all: &[&Figure], with_codes: bool) -> String {
    let value = [figure.value.as_str(), figure.upper_value.as_str()].join("-");
    let mut words = vec![figure.text.clone(), figure.metric.code().to_owned(), value.trim_end_matches('-').to_owned(), figure.unit.clone()];
    if figure.qualifier != Qualifier::Exact {
        words.push(figure.qualifier.code().to_lowercase());
    }
    if figure.cumulative {
        words.push("cumulative".to_owned());
    }
    if figure.planned {
        words.push("planned".to_owned());
    }
    words.extend(figure.period.as_ref().map(|period| format!("{}..{}", period.start, period.end)));
    words.extend(figure.change.as_ref().map(|change| {
        let sign = if change.direction == ChangeDirection::Increase { '+' } else { '-' };
        format!("{sign}{}", change.baseline)
    }));
    words.extend(all.iter().filter(|total| total.id == figure.part_of).map(|total| format!("of:{}", total.text)));
    if with_codes {
        let codes: BTreeSet<&String> = figure.purposes.iter().chain(&figure.segments).collect();
        words.extend(codes.iter().map(|code| format!("#{code}")));
        words.extend(codes.is_empty().then(|| "#".to_owned()));
    }
    words.join(" ")
}

/// An example's line with its codes in order.
fn in_order(line: &str) -> String {
    let (codes, mut words): (Vec<&str>, Vec<&str>) = line.split(' ').partition(|word| word.starts_with('#'));
    words.extend(codes.into_iter().collect::<BTreeSet<_>>());
    words.join(" ")
}

fn differs(what: &str, expected: Option<Vec<String>>, found: &[String], out: &mut Vec<String>) {
    if let Some(expected) = expected.filter(|expected| expected != found) {
        out.push(format!("  {what}: {expected:?}\n  found {}  {found:?}", " ".repeat(what.len().saturating_sub(6))));
    }
}

/// Where the engine reads an example otherwise.
fn disagreements(example: &Example) -> Vec<String> {
    let report = ENGINE.extract(&Bulletin { text: example.text.clone(), published_on: example.published.clone(), ..Bulletin::default() });
    let mut all = figures(&report);
    all.sort_by_key(|figure| figure.span.start);
    let mut out = Vec::new();
    let found = [report.title.clone(), report.publisher.clone(), report.published_on.clone()];
    differs("masthead", example.masthead.clone(), &found, &mut out);
    let expected = example.figures.as_ref().map(|lines| lines.iter().map(|line| in_order(line)).collect::<Vec<_>>());
    let codes_at = |n: usize| expected.as_ref().and_then(|lines| lines.get(n)).is_none_or(|line| line.contains('#'));
    let found: Vec<String> = all.iter().enumerate().map(|(n, figure)| line(figure, &all, codes_at(n))).collect();
    differs("figures", expected, &found, &mut out);
    let found: Vec<String> = all.iter().map(|figure| figure.label.clone()).collect();
    differs("labels", example.labels.clone(), &found, &mut out);
    let whose = |i: &InstitutionReport| {
        let own = i.measures.iter().flat_map(|m| &m.figures).chain(&i.figures);
        own.map(|figure| (figure.span.start, i.institution.canonical_name.clone())).collect::<Vec<_>>()
    };
    let found: Vec<String> = report.institutions.iter().flat_map(whose).collect::<BTreeMap<_, _>>().into_values().collect();
    differs("owners", example.owners.clone(), &found, &mut out);
    let found: Vec<String> = all.iter().map(|figure| figure.beneficiary.clone()).filter(|name| !name.is_empty()).collect();
    differs("beneficiaries", example.beneficiaries.clone(), &found, &mut out);
    let found: BTreeSet<&str> = report.institutions.iter().flat_map(|i| &i.measures).map(|m| m.category.code()).collect();
    let expected = example.measures.as_ref().map(|codes| codes.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect());
    let found: Vec<String> = found.into_iter().map(str::to_owned).collect();
    differs("measures", expected, &found, &mut out);
    let named = |i: &InstitutionReport| format!("{} {}", i.institution.canonical_name, i.institution.kind.map_or("-", |kind| kind.code()));
    let found: Vec<String> = report.institutions.iter().map(named).collect();
    differs("institutions", example.institutions.clone(), &found, &mut out);
    let numbers = report.quantities.iter().filter(|q| q.role != QuantityRole::Figure);
    let found: Vec<String> = numbers.map(|q| format!("{} {}", q.text, q.role.code())).collect();
    differs("numbers", example.numbers.clone(), &found, &mut out);
    out
}

#[test]
fn every_example_reads_as_its_row_says() {
    let mut failures = Vec::new();
    let mut count = 0;
    for row in rows() {
        for example in &row.examples {
            count += 1;
            let mut problems = disagreements(example);
            if !row.forms.iter().any(|form| shows(&example.text, form)) {
                problems.push("  holds no word of its row".to_owned());
            }
            let expected = [&example.figures, &example.measures, &example.institutions, &example.numbers, &example.owners, &example.labels];
            if expected.iter().all(|list| list.is_none()) {
                problems.push("  expects nothing".to_owned());
            }
            if !problems.is_empty() {
                failures.push(format!("{} {}: {}\n{}", row.table, row.code, example.text, problems.join("\n")));
            }
        }
    }
    assert!(count >= 200, "{count} examples");
    assert!(failures.is_empty(), "{} of {count} examples:\n{}", failures.len(), failures.join("\n"));
}

/// Phrases for acts, by the categories of their measures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acts {
    measures: BTreeSet<String>,
    phrases: Vec<String>,
}

#[test]
fn every_act_shows_its_measures() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/measures.toml");
    let file: BTreeMap<String, Vec<Acts>> = toml::from_str(&fs::read_to_string(path).expect("it is text")).expect("it is TOML");
    let mut failures = Vec::new();
    let mut count = 0;
    for acts in file.get("acts").expect("the file holds acts") {
        for phrase in &acts.phrases {
            count += 1;
            let report = ENGINE.extract(&Bulletin { text: format!("2024年3月,清河农商银行{phrase}。"), ..Bulletin::default() });
            let measures = report.institutions.iter().flat_map(|i| &i.measures);
            let found: BTreeSet<String> = measures.map(|m| m.category.code().to_owned()).collect();
            if found != acts.measures {
                failures.push(format!("{phrase}: {:?}, found {found:?}", acts.measures));
            }
        }
    }
    assert!(count >= 200, "{count} phrases");
    assert!(failures.is_empty(), "{} of {count} phrases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_number_is_measured_and_labelled() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/figures.toml");
    let file: BTreeMap<String, BTreeMap<String, Vec<String>>> =
        toml::from_str(&fs::read_to_string(path).expect("it is text")).expect("it is TOML");
    let phrases = file.get("phrases").expect("the file holds phrases");
    let mut failures = Vec::new();
    for (phrase, expected) in phrases {
        let report = ENGINE.extract(&Bulletin { text: format!("2024年3月,清河农商银行{phrase}。"), ..Bulletin::default() });
        let mut all = figures(&report);
        all.sort_by_key(|figure| figure.span.start);
        let found: Vec<String> = all.iter().map(|f| format!("{} {} {}", f.text, f.metric.code(), f.label)).collect();
        if found != *expected {
            failures.push(format!("{phrase}: {expected:?}, found {found:?}"));
        }
    }
    assert!(phrases.len() >= 100, "{} phrases", phrases.len());
    assert!(failures.is_empty(), "{} of {} phrases:\n{}", failures.len(), phrases.len(), failures.join("\n"));
}

/// The sentences of a file of `tests/cases`, each with the rule that it shows.
fn every_rule_reads_its_sentence(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases").join(file);
    let file: toml::Table = toml::from_str(&fs::read_to_string(path).expect("it is text")).expect("it is TOML");
    let cases = file.get("sentence").and_then(toml::Value::as_array).expect("the file holds sentences");
    let mut failures = Vec::new();
    for case in cases {
        let mut fields = case.as_table().cloned().expect("a sentence is a table");
        let rule = fields.remove("rule").expect("a sentence has a rule");
        let example: Example = fields.try_into().unwrap_or_else(|problem| panic!("{rule:?}: {problem}"));
        let problems = disagreements(&example);
        if !problems.is_empty() {
            failures.push(format!("{rule:?}: {}\n{}", example.text, problems.join("\n")));
        }
    }
    assert!(cases.len() >= 20, "{} cases", cases.len());
    assert!(failures.is_empty(), "{} of {} sentences:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// The rules of grammar that have no row of their own.
#[test]
fn every_rule_of_grammar_reads_its_sentence() {
    every_rule_reads_its_sentence("grammar.toml");
}

/// What is done, and what is only named.
#[test]
fn every_rule_of_acts_reads_its_sentence() {
    every_rule_reads_its_sentence("act.toml");
}

/// Whose a figure is.
#[test]
fn every_rule_of_ownership_reads_its_sentence() {
    every_rule_reads_its_sentence("owner.toml");
}

#[test]
fn every_code_has_an_example() {
    let (mut metrics, mut categories, mut codes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let rows = rows();
    for row in &rows {
        for example in &row.examples {
            for word in example.figures.iter().flatten().flat_map(|line| line.split(' ')) {
                metrics.extend(Metric::from_code(word));
                codes.extend(word.strip_prefix('#').map(str::to_owned));
            }
            categories.extend(example.measures.iter().flatten().filter_map(|code| MeasureCategory::from_code(code)));
        }
    }
    let mut missing: Vec<String> = Metric::ALL.iter().filter(|m| !metrics.contains(m)).map(|m| m.code().to_owned()).collect();
    missing.extend(MeasureCategory::ALL.iter().filter(|c| !categories.contains(c)).map(|c| c.code().to_owned()));
    let lexicon = Lexicon::load().expect("the built-in lexicon loads");
    let tables = lexicon.tables();
    let known = tables.purposes.iter().chain(&tables.segments).map(|row| row.code.clone());
    missing.extend(known.filter(|code| !codes.contains(code)));
    assert!(missing.is_empty(), "no example for {missing:?}");
}

/// A row of words that stand for a code is shown by one that does.
#[test]
fn every_row_of_codes_has_an_example_for_it() {
    let names_its_code = |row: &Row, example: &Example| match row.table.as_str() {
        "metric" => example.figures.iter().flatten().any(|line| line.split(' ').any(|word| word == row.code)),
        "category" => example.measures.iter().flatten().any(|code| *code == row.code),
        _ => example.figures.iter().flatten().any(|line| line.split(' ').any(|word| word == format!("#{}", row.code))),
    };
    let missing: Vec<String> = rows()
        .iter()
        .filter(|row| ["metric", "category", "purpose", "segment"].contains(&row.table.as_str()))
        .filter(|row| !row.examples.iter().any(|example| names_its_code(row, example)))
        .map(|row| format!("{} {} {:?}", row.table, row.code, row.forms.first()))
        .collect();
    assert!(missing.is_empty(), "no example for\n{}", missing.join("\n"));
}
