//! Each problem of an operator's table, with its line.

use super::*;
use crate::lexicon::{Lexicon, OperatorText};

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.to_owned(), text: text.to_owned() }
}

fn problems(files: &[SourceFile]) -> Vec<String> {
    let problems = add(&mut Tables::built_in().unwrap(), files).expect_err("they have problems");
    problems.listed().iter().map(ToString::to_string).collect()
}

#[test]
fn the_built_in_tables_pass_the_check_of_an_operators() {
    for name in ["metric", "category", "purpose", "segment", "unit", "qualifier", "number", "institution", "name", "grammar", "context"] {
        let path = format!("{}/src/lexicon/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let added = add(&mut Tables::built_in().unwrap(), &[file(name, &text)]);
        assert!(added.is_ok(), "{}", added.unwrap_err());
    }
}

#[test]
fn rows_are_added_and_their_forms_written_as_texts_have_them() {
    let mut tables = Tables::built_in().unwrap();
    let built_in = tables.lengths();
    let text = "[[product]]\nforms = [\"ｅ农易融\"]\n[[unit]]\nforms = [\"麻袋\"]\nkind = \"COUNT\"\nnot_before = { \"麻袋\" = \"厂\" }\n\
                [[category]]\ncode = \"PRODUCT_LAUNCH\"\nforms = [\"開出…新单\"]\n";
    add(&mut tables, &[file("a.toml", text), file("b.toml", include_str!("../../../../../tests/register/lexicon/words.toml"))]).unwrap();
    assert_eq!(tables.products[0].forms, ["e农易融"]);
    assert_eq!(tables.category_forms[built_in[1]].1, ["开出", "新单"]);
    assert_eq!(tables.products.len(), 2);
    assert_eq!(tables.purposes.len(), built_in[2] + 1);
}

#[test]
fn every_problem_of_every_table_is_told_with_its_line_and_field() {
    let long = "长".repeat(33);
    let first = format!(
        "[[purpose]]\ncode = \"Spring\"\nforms = []\n[[purposes]]\nforms = [\"x\"]\n[[segment]]\ncode = \"x\"\nforms = [\"甲\",\n  \"{long}\", \"\"]\n\
         [[metric]]\ncode = \"LOANS\"\nkinds = [\"MONEY\", \"GOLD\"]\nstrength = 256\nfrom = 1\n"
    );
    let second = "[[unit]]\nforms = [\"串\"]\nkind = \"COUNT\"\nfactor = \"1e3\"\nnot_before = \"x\"\n[[institution]]\nname = \"甲乙银行\"\ntype = \"BANK\"\nregion = \"999999\"\n\
                  [[word]]\nrole = \"verb\"\nforms = [\"赶\"]\n[[name]]\npart = 3\nforms = \"社\"\n[[category]]\ncode = \"LENDING\"\nforms = [\"发放…\"]\n";
    let found = problems(&[file("a.toml", &first), file("b.toml", second), file("c.toml", "[[x")]);
    let wanted = [
        "a.toml:2: code: `Spring` is no code: lower-case letters, digits and _".to_owned(),
        "a.toml:3: forms: is empty; a row needs at least one form".to_owned(),
        "a.toml:4: purposes: there is no such table; there are metric, category, purpose, segment, product, unit, qualifier, institution, name, word"
            .to_owned(),
        "a.toml:9: forms: `长长".to_owned(),
        "a.toml:9: forms: `` is empty, or a part of it is".to_owned(),
        "a.toml:10: forms: is missing; every [[metric]] needs one".to_owned(),
        "a.toml:11: code: `LOANS` is no metric of the contract".to_owned(),
        "a.toml:12: kinds: `GOLD` is no quantity kind of the contract".to_owned(),
        "a.toml:13: strength: 256 is not from 0 to 255".to_owned(),
        "a.toml:14: from: there is no such field; there are code, forms, kinds, strength".to_owned(),
        "b.toml:4: factor: `1e3` is no plain decimal above 0, at most 1000000000, with at most 8 decimals".to_owned(),
        "b.toml:5: not_before: is no table of characters by form, such as { \"元\" = \"件素\" }".to_owned(),
        "b.toml:8: type: `BANK` is no institution type of the contract".to_owned(),
        "b.toml:9: region: `999999` is no GB/T 2260 code of the engine's table".to_owned(),
        "b.toml:11: role: `verb` is no role, such as anaphor, receiver or boundary".to_owned(),
        "b.toml:14: part: is no text; write it between quotation marks".to_owned(),
        "b.toml:15: forms: is no list of texts, such as [\"春耕\", \"备耕\"]".to_owned(),
        "b.toml:18: forms: `发放…` is empty, or a part of it is".to_owned(),
        "c.toml:1: bad TOML: ".to_owned(),
    ];
    for wanted in &wanted {
        assert!(found.iter().any(|found| found.starts_with(wanted)), "not told: {wanted}\nin {found:#?}");
    }
    assert_eq!(found.iter().filter(|found| !found.starts_with("c.toml")).count(), wanted.len() - 1, "{found:#?}");
}

#[test]
fn too_many_forms_are_told() {
    let forms: Vec<String> = (0..=MAX_FORMS).map(|n| format!("\"词{n}\"")).collect();
    let found = problems(&[file("a.toml", &format!("[[product]]\nforms = [{}]\n", forms.join(",")))]);
    assert_eq!(found, ["the tables have 20001 forms together, at most 20000 are allowed"]);
}

#[test]
fn the_digest_tells_of_every_file() {
    let digest = |sources: OperatorText| Lexicon::with(&sources).unwrap().digest().to_owned();
    let register = |text: &str| Some(file("r.csv", text));
    let none = digest(OperatorText::default());
    assert_eq!(none, Lexicon::load().unwrap().digest());
    let words = vec![file("a.toml", "[[product]]\nforms = [\"惠渔宝\"]\n")];
    let all = [
        none,
        digest(OperatorText { register: register("id,name\n1,甲乙银行\n"), tables: Vec::new() }),
        digest(OperatorText { register: register("id,name\n2,甲乙银行\n"), tables: Vec::new() }),
        digest(OperatorText { register: None, tables: words.clone() }),
        digest(OperatorText { register: register("id,name\n1,甲乙银行\n"), tables: words }),
    ];
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:?}");
}
