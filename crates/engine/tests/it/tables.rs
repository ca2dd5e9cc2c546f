//! The tables of the lexicon: every row parses, none is said twice, and what a row names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jianbao_engine::lexicon::{Class, Lexicon};
use jianbao_engine::report::{MeasureCategory, Metric};

/// The purposes of the contract.
const PURPOSES: &[&str] = &[
    "resumption_of_work",
    "spring_ploughing",
    "epidemic_control",
    "poverty_alleviation",
    "livestock",
    "grain",
    "agriculture",
    "rural_revitalisation",
    "inclusive_finance",
    "green",
    "technology",
    "manufacturing",
    "foreign_trade",
    "tourism",
    "medical",
    "infrastructure",
    "consumption",
    "housing",
    "supply_chain",
    "relief",
];
/// The segments of the contract.
const SEGMENTS: &[&str] = &[
    "large_medium_enterprise",
    "small_micro_enterprise",
    "enterprise",
    "private_enterprise",
    "individual_business",
    "farmer",
    "new_agri_entity",
    "poor_household",
    "migrant_worker",
    "medical_institution",
    "first_time_borrower",
    "public_entity",
    "individual",
];

fn lexicon() -> Lexicon {
    Lexicon::load().expect("the built-in lexicon loads")
}

/// A class that a rule asks for has words; a rule that asks for none never holds.
#[test]
fn every_class_has_words() {
    let lexicon = lexicon();
    let listed = &lexicon.tables().classes;
    let empty: Vec<_> = Class::ALL.iter().filter(|class| !listed.iter().any(|row| row.name == **class && !row.forms.is_empty())).collect();
    assert!(empty.is_empty(), "no words for {empty:?}");
}

#[test]
fn the_lexicon_loads_with_one_digest() {
    let (one, other) = (lexicon(), lexicon());
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.digest().len(), 32);
}

#[test]
fn every_table_is_in_force() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lexicon");
    let sources = fs::read_to_string(folder.join("tables.rs")).expect("the tables' source can be read")
        + &fs::read_to_string(folder.join("../source.rs")).expect("the source's source can be read");
    for entry in fs::read_dir(&folder).expect("the tables can be read") {
        let name = entry.expect("they have names").file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|e| e == "toml" || e == "tsv") {
            assert!(sources.contains(&name), "{name} is read by nobody");
        }
    }
}

#[test]
fn every_code_is_one_of_the_contract_and_has_words() {
    let lexicon = lexicon();
    let tables = lexicon.tables();
    for (rows, known) in [(&tables.purposes, PURPOSES), (&tables.segments, SEGMENTS)] {
        for row in rows {
            assert!(row.code.is_empty() || known.contains(&row.code.as_str()), "{:?}", row.code);
            assert!(!row.forms.is_empty(), "{:?} has no words", row.code);
        }
        let present: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
        let missing: Vec<&&str> = known.iter().filter(|code| !present.contains(**code)).collect();
        assert!(missing.is_empty(), "no row for {missing:?}");
    }
}

#[test]
fn every_metric_and_category_can_be_told() {
    let lexicon = lexicon();
    let tables = lexicon.tables();
    let categories: BTreeSet<MeasureCategory> = tables.categories.iter().map(|row| row.code).collect();
    let missing: Vec<&MeasureCategory> = MeasureCategory::ALL.iter().filter(|c| !categories.contains(c)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    let metrics: BTreeSet<Metric> = tables.metrics.iter().map(|row| row.code).collect();
    assert!(metrics.contains(&Metric::LoanDisbursed) && metrics.contains(&Metric::LoanBalance));
    assert!(tables.metrics.iter().all(|row| !row.kinds.is_empty() && !row.forms.is_empty() && row.strength > 0));
}

#[test]
fn no_row_says_a_word_twice() {
    let lexicon = lexicon();
    let tables = lexicon.tables();
    let mut twice = Vec::new();
    let mut check = |what: String, forms: &[String]| {
        let mut seen = BTreeSet::new();
        twice.extend(forms.iter().filter(|form| !seen.insert(form.as_str())).map(|form| format!("{what}: {form}")));
    };
    for row in &tables.metrics {
        check(format!("{:?}", row.code), &row.forms);
    }
    for row in &tables.categories {
        check(format!("{:?}", row.code), &row.forms);
    }
    for row in tables.purposes.iter().chain(&tables.segments) {
        check(row.code.clone(), &row.forms);
    }
    for row in &tables.units {
        check(row.unit.clone(), &row.forms);
    }
    for row in &tables.names {
        check(format!("{:?}", row.part), &row.forms);
    }
    for (role, forms) in &tables.words {
        check(format!("{role:?}"), forms);
    }
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

#[test]
fn every_region_has_a_code_of_its_own_place() {
    let lexicon = lexicon();
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for region in &lexicon.tables().regions {
        assert!(region.code.len() == 6 && region.code.bytes().all(|b| b.is_ascii_digit()), "{region:?}");
        assert!(!region.name.is_empty(), "{region:?}");
        names.entry(&region.code).or_default().push(&region.name);
    }
    assert!(names.len() > 3000, "{} codes", names.len());
    for (code, name) in [("150926", "察哈尔右翼前旗"), ("450000", "广西壮族自治区"), ("110000", "北京市")] {
        assert!(names.get(code).is_some_and(|names| names.contains(&name)), "{code} is not {name}");
    }
}

#[test]
fn every_office_in_a_region_names_one_that_exists() {
    let lexicon = lexicon();
    let tables = lexicon.tables();
    for office in &tables.head_offices {
        assert!(office.region.is_empty() || tables.region(&office.region).is_some(), "{office:?}");
    }
    for word in tables.names.iter().filter(|word| !word.region.is_empty()) {
        assert!(tables.region(&word.region).is_some(), "{word:?}");
    }
    for unit in &tables.units {
        assert!(!unit.factor.is_zero(), "{unit:?}");
        assert!(unit.not_before.keys().all(|form| unit.forms.contains(form)), "{unit:?}");
    }
}
