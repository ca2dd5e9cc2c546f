//! Each problem of a register, with its line.

use super::*;

fn parse(name: &str, text: &str) -> Result<Register, Vec<String>> {
    let file = SourceFile { name: name.to_owned(), text: text.to_owned() };
    Register::parse(&file, &Tables::built_in().unwrap()).map_err(|problems| problems.listed().iter().map(ToString::to_string).collect())
}

fn problems(name: &str, text: &str) -> Vec<String> {
    parse(name, text).expect_err("it has problems")
}

#[test]
fn csv_and_toml_say_the_same() {
    let csv = parse("a.csv", include_str!("../../../../../tests/register/institutions.csv")).unwrap();
    let toml = parse("a.toml", include_str!("../../../../../tests/register/institutions.toml")).unwrap();
    assert_eq!(csv.rows(), toml.rows());
    assert_eq!(csv.rows().len(), 4);
    let first = &csv.rows()[0];
    assert_eq!((first.id.as_str(), first.forms.len(), first.region_name.as_str()), ("B-001", 3, "兴和县"));
    assert_eq!(first.kind, Some(InstitutionType::RuralCreditCooperative));
}

#[test]
fn columns_may_stand_in_any_order_and_cells_be_quoted() {
    let text = "\u{feff}Head Office,name,id,aliases\r\n\r\n,\"岚山农商银行, 总行部\",9,\r\n,岚山农商银行,10,\"岚山行；岚农商\"\r\n,,,\r\n";
    let problem = problems("a.csv", text);
    assert_eq!(problem.len(), 1, "{problem:?}");
    assert!(problem[0].starts_with("a.csv:3: name: `岚山农商银行, 总行部` holds `,`"), "{problem:?}");
    let good = parse("a.csv", &text.replace(", 总行部", "总行部")).unwrap();
    assert_eq!(good.rows()[1].forms, ["岚山农商银行", "岚山行", "岚农商"]);
}

#[test]
fn forms_are_looked_for_as_texts_have_them() {
    let register = parse("a.csv", "id,name,aliases\n1,東山銀行（澳门）,\n2,ＡＢＣ 銀　行,\n").unwrap();
    assert_eq!(register.rows()[0].forms, ["东山银行(澳门)"]);
    assert_eq!(register.rows()[0].name, "東山銀行（澳门）");
    assert_eq!(register.rows()[1].forms, ["ABC银行"]);
}

#[test]
fn every_problem_of_a_csv_file_is_told_with_its_line_and_column() {
    let long = "长".repeat(65);
    let text = format!(
        "id,name,aliases,type,region,head_office\n\
         1,甲乙银行,甲乙行,BANK,,\n\
         1,丙丁银行,甲乙行,,15092,\n\
         ,戊己银行,,,990000,\n\
         4,,,,,\n\
         5,{long},一,,,{long}\n\
         6 7,庚辛银行,庚;12,,,\n\
         8,甲乙银行,,,,,多余\n"
    );
    let found = problems("x/b.csv", &text);
    let wanted = [
        "x/b.csv:2: type: `BANK` is no type; there are POLICY_BANK, ",
        "x/b.csv:3: id: `1` is already the id of line 2",
        "x/b.csv:3: aliases: `甲乙行` is already a name or an alias of line 2",
        "x/b.csv:3: region: `15092` is no GB/T 2260 code: six digits",
        "x/b.csv:4: id: is empty; every institution needs one",
        "x/b.csv:4: region: `990000` is no GB/T 2260 code: no province has its first two digits",
        "x/b.csv:5: name: is empty; every institution needs one",
        "x/b.csv:6: name: `长长",
        "x/b.csv:6: aliases: `一` has a length of 1, allowed are 2 to 64 characters",
        "x/b.csv:6: head_office: `长长",
        "x/b.csv:7: id: `6 7` holds a space or a control character",
        "x/b.csv:7: aliases: `庚` has a length of 1, allowed are 2 to 64 characters",
        "x/b.csv:7: aliases: `12` holds no letter",
        "x/b.csv:8: has 7 cells; the first row names 6 columns (between commas)",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found}\nis not\n{wanted}");
    }
    assert!(found[7].ends_with("…` has a length of 65, allowed are 2 to 64 characters"), "{}", found[7]);
}

#[test]
fn columns_are_checked_before_the_rows() {
    assert_eq!(problems("a.csv", ""), ["a.csv: is empty; the first row names the columns"]);
    assert_eq!(
        problems("a.csv", "name;id\n甲乙银行;1\n"),
        [
            "a.csv:1: there is no column `name;id`; there are id, name, aliases, type, region, head_office",
            "a.csv:1: id: the first row does not name this column",
            "a.csv:1: name: the first row does not name this column",
        ]
    );
    assert_eq!(problems("a.csv", "id,name,name\n1,甲乙银行,x\n"), ["a.csv:1: name: two columns have this name"]);
    assert_eq!(problems("a.txt", "id,name\n"), ["a.txt: is neither .csv nor .toml by its name"]);
}

#[test]
fn a_quotation_mark_left_open_is_told_at_its_row() {
    let found = problems("a.csv", "id,name\n1,甲乙银行\n2,\"丙丁银行\n3,戊己银行\n");
    assert!(found[0].starts_with("a.csv:3: name: `丙丁银行\\n3,戊己银行"), "{found:?}");
    assert!(found[0].ends_with("holds a line break (is a quotation mark left open?)"), "{found:?}");
}

#[test]
fn every_problem_of_a_toml_file_is_told_with_its_line_and_field() {
    let text = "limit = 3\n[[institution]]\nid = 7\nname = \"甲乙银行\"\naliases = [\"甲行\",\n  \"乙\"]\ncolour = \"red\"\n\
                [[bank]]\nid = \"x\"\n[[institution]]\nid = \"8\"\nname = \"甲行\"\naliases = 4\n";
    let found = problems("a.toml", text);
    let wanted = [
        "a.toml:1: limit: stands alone; every row begins with a line such as [[institution]]",
        "a.toml:3: id: is no text; write it between quotation marks",
        "a.toml:6: aliases: `乙` has a length of 1, allowed are 2 to 64 characters",
        "a.toml:7: colour: there is no such field; there are id, name, aliases, type, region, head_office",
        "a.toml:8: bank: there is no such table; rows of the register begin with [[institution]]",
        "a.toml:12: name: `甲行` is already a name or an alias of line 2",
        "a.toml:13: aliases: is no list of texts, such as [\"工行\", \"工商银行\"]",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn bad_toml_is_told_with_its_line() {
    let found = problems("a.toml", "[[institution]]\nid = \"1\"\nname = 甲乙银行\n\n[[institution\nid = \"2\"\n");
    assert!(found.len() >= 2, "{found:?}");
    assert!(found[0].starts_with("a.toml:3: bad TOML: ") && found[1].starts_with("a.toml:5: bad TOML: "), "{found:?}");
}

#[test]
fn too_many_rows_and_aliases_are_told() {
    let aliases: Vec<String> = (0..=MAX_ALIASES).map(|n| format!("行社{n}")).collect();
    let found = problems("a.csv", &format!("id,name,aliases\n1,甲乙银行,{}\n", aliases.join("|")));
    assert_eq!(found, ["a.csv:2: aliases: has 65 aliases, at most 64 are allowed"]);
    let rows = (0..=MAX_INSTITUTIONS).map(|n| format!("{n},行社{n}\n")).collect::<Vec<_>>().concat();
    assert_eq!(problems("a.csv", &format!("id,name\n{rows}")), ["a.csv: has 50001 institutions, at most 50000 are allowed"]);
}

#[test]
fn many_problems_are_counted_and_the_first_listed() {
    let rows = (0..250).map(|n| format!("{n},\n")).collect::<Vec<_>>().concat();
    let file = SourceFile { name: "a.csv".to_owned(), text: format!("id,name\n{rows}") };
    let problems = Register::parse(&file, &Tables::built_in().unwrap()).unwrap_err();
    assert_eq!((problems.count(), problems.listed().len()), (250, 100));
    assert!(problems.to_string().ends_with("\n  and 150 more"), "{problems}");
}

#[test]
fn a_name_of_two_rows_is_found_by_neither() {
    let mut register = parse("a.csv", "id,name\n1,岚山银行\n2,岚山银行股份有限公司\n3,海曙银行股份有限公司\n").unwrap();
    register.complete(std::iter::repeat_n(NameReading::default(), 3));
    assert_eq!(register.find("岚山银行"), None);
    assert_eq!(register.find("海曙银行"), Some(2));
}

#[test]
fn no_content_stops_the_program() {
    let pieces = [
        "[[institution]]\n",
        "id",
        "=",
        "\"",
        "'''",
        "\n",
        "甲乙银行",
        ",",
        "[",
        "]",
        "{",
        "}",
        "\u{0}",
        "\r",
        "\u{feff}",
        ";",
        "1e9",
        "\t",
    ];
    let mut state = 7_usize;
    for _ in 0..400 {
        let text: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            pieces[(state >> 33) % pieces.len()]
        })
        .take(40)
        .collect();
        let _ =
            rows::of_csv(&SourceFile { name: "a.csv".to_owned(), text: format!("id,name\n{text}") }, &COLUMNS, &mut Problems::default());
        let _ = rows::of_toml(&SourceFile { name: "a.toml".to_owned(), text }, &mut Problems::default());
    }
}
