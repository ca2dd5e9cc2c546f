//! The operator's register and lexicon: what they change in reports, and how they are read again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jianbao::grpc::Extract;
use jianbao::metrics::Metrics;
use jianbao::register::Places;
use jianbao::renew::Renewable;
use jianbao_engine::report::{Institution, InstitutionType, OffsetEncoding, Report};
use jianbao_engine::{Bulletin, Engine};
use jianbao_engine::{OperatorText, SourceFile};

use super::folder::Folder;
use super::invariants::{broken, figures};
use super::texts::texts;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/register").join(path)
}

/// The engine with the repository's own register and lexicon.
fn engine() -> Engine {
    Places::new(Some(here("institutions.csv")), Some(here("lexicon"))).engine().unwrap()
}

fn with_register(rows: &str) -> Engine {
    let register = SourceFile { name: "register.csv".to_owned(), text: format!("id,name,aliases,type,region,head_office\n{rows}") };
    Engine::with(&OperatorText { register: Some(register), tables: Vec::new() }).unwrap()
}

fn read(engine: &Engine, text: &str) -> Report {
    let bulletin = Bulletin { text: text.to_owned(), ..Bulletin::default() };
    let mut report = engine.extract(&bulletin);
    report.encode_offsets(text, OffsetEncoding::Utf32);
    assert_eq!(broken(text, &report), Vec::<String>::new(), "{text}");
    report
}

/// The institutions of a text as `id canonical`, with an id or not.
fn owners(engine: &Engine, text: &str) -> Vec<String> {
    let report = read(engine, text);
    report.institutions.iter().map(|i| format!("{} {}", i.institution.register_id, i.institution.canonical_name)).collect()
}

fn only(report: &Report) -> &Institution {
    let [one] = report.institutions.as_slice() else { panic!("not one institution: {:#?}", report.institutions) };
    &one.institution
}

#[test]
fn an_alias_that_no_rule_sees_is_recognised_and_says_what_the_register_says() {
    let report = read(&engine(), "截至9月末,兴农社累计发放助耕贷款2.4亿元。");
    let institution = only(&report);
    assert_eq!((institution.name.as_str(), institution.register_id.as_str()), ("兴农社", "B-001"));
    assert_eq!(institution.canonical_name, "兴和县农村信用合作联社");
    assert_eq!(institution.kind, Some(InstitutionType::RuralCreditCooperative));
    assert_eq!((institution.region_code.as_str(), institution.region_name.as_str()), ("150924", "兴和县"));
    assert_eq!(figures(&report).len(), 1);
}

#[test]
fn an_outlet_of_the_register_stands_for_itself() {
    let report = read(&engine(), "河口联社营业部全年为香蕉种植户办理贷款1300万元。");
    let institution = only(&report);
    assert_eq!(institution.register_id, "B-002");
    assert_eq!(institution.head_office, "河口瑶族自治县农村信用合作联社");
    assert_eq!(institution.region_code, "532532");
}

#[test]
fn names_that_the_rules_read_are_looked_up_in_full() {
    for text in ["农发行乌兰察布市分行投放贷款3亿元。", "察市农发投放贷款3亿元。", "中国农业发展银行乌兰察布市分行投放贷款3亿元。"]
    {
        let report = read(&engine(), text);
        let institution = only(&report);
        assert_eq!(institution.register_id, "B-003", "{text}");
        assert_eq!(institution.canonical_name, "中国农业发展银行乌兰察布市分行");
        // The row leaves these to its name.
        assert_eq!(institution.kind, Some(InstitutionType::PolicyBank));
        assert_eq!((institution.head_office.as_str(), institution.region_code.as_str()), ("中国农业发展银行", "150900"));
    }
    let text = "农发行包头市分行投放贷款3亿元。";
    assert_eq!(owners(&engine(), text), [" 中国农业发展银行包头市分行"], "a neighbour is not in the register");
}

#[test]
fn all_names_of_one_row_are_one_institution() {
    let text = "兴和县农村信用合作联社今年投放贷款4亿元。兴农社还走访企业60家。兴和县联社办理续贷2000万元。";
    assert_eq!(owners(&engine(), text), ["B-001 兴和县农村信用合作联社"]);
}

#[test]
fn what_the_register_knows_keeps_its_branches_and_outlets() {
    let engine = with_register("7,云岭惠农银行,云岭行,RURAL_COMMERCIAL_BANK,530000,\n");
    assert_eq!(owners(&engine, "云岭惠农银行石鼓营支行发放贷款860万元。"), ["7 云岭惠农银行"]);
    let branch = owners(&with_register("7,云岭惠农银行,,CITY_COMMERCIAL_BANK,530000,\n"), "云岭惠农银行大理分行发放贷款860万元。");
    assert_eq!(branch, [" 云岭惠农银行大理分行"], "a branch that reports by itself is no row");
    assert_eq!(owners(&engine, "云岭行发放贷款860万元。"), ["7 云岭惠农银行"]);
}

#[test]
fn a_head_office_of_the_register_is_not_taken_for_its_branch() {
    let engine = with_register("1,中国工商银行股份有限公司,工行;工商银行,LARGE_COMMERCIAL_BANK,,\n");
    let text = "一、工商银行岚山支行\n工商银行岚山支行走访商户90户。工行累计发放贷款5100万元。\n";
    let report = read(&engine, text);
    assert_eq!(only(&report).register_id, "", "the branch is no row of the register");
    assert_eq!(owners(&engine, "工商银行今年投放贷款7亿元。"), ["1 中国工商银行股份有限公司"]);
    assert_eq!(owners(&engine, "全市银行业投放贷款7亿元。").len(), 1);
}

#[test]
fn provinces_and_their_cities_of_one_name_stay_apart() {
    let engine = with_register("1,中国建设银行吉林省分行,,,,\n2,中国建设银行吉林市分行,,,,\n");
    let text = "建设银行吉林省分行投放贷款90亿元。建设银行吉林市分行投放贷款6亿元。";
    assert_eq!(owners(&engine, text), ["1 中国建设银行吉林省分行", "2 中国建设银行吉林市分行"]);
}

#[test]
fn words_of_the_lexicon_are_read_as_the_built_in_ones() {
    let engine = engine();
    let report = read(&engine, "云岭惠民向菌农放贷出账云菌易融420万元,支持松茸收购。");
    let figures = figures(&report);
    assert_eq!(only(&report).register_id, "B-004");
    assert_eq!(figures[0].product, "云菌易融");
    assert_eq!(
        (figures[0].purposes.as_slice(), figures[0].segments.as_slice()),
        (&["mushrooms".to_owned()][..], &["farmer".to_owned()][..])
    );
    let plain = Engine::new().unwrap();
    assert_ne!(engine.extract(&Bulletin::default()).engine.lexicon_digest, plain.extract(&Bulletin::default()).engine.lexicon_digest);
}

#[test]
fn without_files_nothing_changes() {
    let (plain, none) = (Engine::new().unwrap(), Places::default().engine().unwrap());
    for (name, text) in texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bulletins")) {
        let bulletin = Bulletin { text, ..Bulletin::default() };
        assert_eq!(plain.extract(&bulletin), none.extract(&bulletin), "{name}");
    }
}

/// A register of scraps of the very texts, wherever they begin and end.
#[test]
fn no_register_breaks_an_invariant() {
    for (name, text) in texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bulletins")) {
        let scraps: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric() || c.is_ascii_digit())
            .flat_map(|part| [part.chars().take(3).collect::<String>(), part.chars().skip(2).take(7).collect()])
            .filter(|scrap| scrap.chars().count() >= 2)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let rows = (0..).zip(&scraps).map(|(n, scrap)| format!("{n},{scrap},,,,\n")).collect::<Vec<_>>().concat();
        let register = SourceFile { name: "r.csv".to_owned(), text: format!("id,name,aliases,type,region,head_office\n{rows}") };
        let Ok(engine) = Engine::with(&OperatorText { register: Some(register), tables: Vec::new() }) else { continue };
        let report = read(&engine, &text);
        assert!(report.institutions.iter().any(|i| !i.institution.register_id.is_empty()), "{name}");
    }
}

#[test]
fn problems_of_both_are_told_together() {
    let missing = Places::new(Some(here("no.csv")), Some(here("nowhere"))).engine().unwrap_err().to_string();
    assert!(
        missing.starts_with("2 problems with the register or the lexicon:\n") && missing.matches("cannot be read").count() == 2,
        "{missing}"
    );
    let folder = Folder::new("together");
    fs::write(folder.0.join("r.csv"), "id,name\n1,\n").unwrap();
    fs::write(folder.0.join("words.toml"), "[[purpose]]\ncode = \"x\"\n").unwrap();
    fs::write(folder.0.join("z.toml"), b"# \xd5\xe3").unwrap();
    let problems = Places::new(Some(folder.0.join("r.csv")), Some(folder.0.clone())).engine().unwrap_err().to_string();
    for told in ["r.csv:2: name: is empty", "words.toml:1: forms: is missing", "z.toml:1: is not UTF-8"] {
        assert!(problems.contains(told), "{problems}");
    }
}

#[test]
fn a_reload_takes_what_is_good_and_keeps_the_last_good_one_otherwise() {
    let folder = Folder::new("reload");
    let file = folder.0.join("r.csv");
    fs::write(&file, "id,name,aliases\nold,岚山农商银行,岚山行\n").unwrap();
    let current = Arc::new(Renewable::start(Places::new(Some(file.clone()), None)).unwrap());
    let bulletin = Bulletin { text: "岚山行发放贷款77万元。".to_owned(), ..Bulletin::default() };
    let id = |report: Report| only(&report).register_id.clone();
    let in_flight = current.for_call().unwrap();
    assert_eq!(id(current.extract(&bulletin)), "old");
    fs::write(&file, "id,name,aliases\nbad,,岚山行\n").unwrap();
    current.renew(&Metrics::new());
    assert_eq!(id(current.extract(&bulletin)), "old", "the last good one");
    fs::write(&file, "id,name,aliases\nnew,岚山农商银行,岚山行\n").unwrap();
    current.renew(&Metrics::new());
    assert_eq!(id(current.extract(&bulletin)), "new");
    assert_eq!(id(in_flight.extract(&bulletin)), "old", "a call in flight keeps what it began with");
    fs::remove_file(&file).unwrap();
    current.renew(&Metrics::new());
    assert_eq!(id(current.extract(&bulletin)), "new", "the file is gone, what it said is not");
}

#[test]
fn a_register_of_the_greatest_length_is_read() {
    let rows = (0..50_000).map(|n| format!("{n},岚{n}号农商银行,岚{n}行\n")).collect::<Vec<_>>().concat();
    let register = SourceFile { name: "r.csv".to_owned(), text: format!("id,name,aliases\n{rows}") };
    let engine = Engine::with(&OperatorText { register: Some(register), tables: Vec::new() }).unwrap();
    let report = engine.extract(&Bulletin { text: "岚31415行发放贷款77万元。".to_owned(), ..Bulletin::default() });
    assert_eq!(only(&report).register_id, "31415");
}
