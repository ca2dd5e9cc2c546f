//! The commands run as a person runs them, on files of their own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use super::{Command, Console, Exit, Paint, command, config, evaluate, extract, parse};

const BULLETIN: &str =
    "蓝田县农村商业银行复工复产金融服务简报\n2021年4月2日\n\n截至3月末,蓝田县农村商业银行累计发放春耕备耕贷款1.86亿元,支持农户5127户。\n";

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jianbao-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> OsString {
        fs::write(self.0.join(name), content).unwrap();
        self.0.join(name).into()
    }

    fn path(&self) -> OsString {
        self.0.clone().into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a command says and how it ends.
fn jianbao(command: &str, args: impl IntoIterator<Item = OsString>) -> (Exit, String, String) {
    let args = ["jianbao", command].map(OsString::from).into_iter().chain(args);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console { out: &mut out, err: &mut err, paint: Paint::default() };
    let exit = match parse(args).expect("the arguments are right") {
        Command::Extract(args) => extract::run(&args, &mut console),
        Command::Evaluate(args) => evaluate::run(&args, &mut console),
        Command::Config(args) => config::run(&args, &mut console),
        Command::Serve(_) | Command::Health(_) | Command::Bench(_) => panic!("what needs a network is tested elsewhere"),
    };
    (exit.unwrap(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn no_command_serves() {
    assert!(matches!(parse(["jianbao".into()]), Ok(Command::Serve(_))));
}

#[test]
fn the_version_names_the_commit_and_the_words() {
    let version = super::version();
    let (_, rest) = version.split_once(&format!("jianbao {} (commit ", env!("CARGO_PKG_VERSION"))).expect("the version");
    let (commit, lexicon) = rest.split_once(", lexicon ").expect("both");
    assert!(commit == "unknown" || commit.len() >= 12, "{version}");
    assert_eq!(lexicon.trim_end_matches(')'), jianbao_engine::Engine::new().unwrap().lexicon().digest());
}

#[test]
fn config_prints_a_settings_file_that_gives_the_same_settings() {
    let folder = Folder::new("config");
    let (exit, _, said) = jianbao("config", ["--institutions=nowhere.csv".into(), "--lexicon=/dev/zero".into()]);
    assert!(exit == Exit::Config && said.contains("nowhere.csv: cannot be read") && said.contains("/dev/zero"), "{said}");
    let register = folder.file("a \"b\".csv", "id,name\n1,清河农商银行\n");
    let (exit, page, _) = jianbao(
        "config",
        ["--max-calls=7".into(), "--drain-limit=9s".into(), ["--institutions=".into(), register].into_iter().collect::<OsString>()],
    );
    assert_eq!(exit, Exit::Ok);
    assert!(page.lines().any(|line| line.starts_with("max-calls = \"7\"") && line.ends_with("# --max-calls")), "{page}");
    assert!(page.lines().any(|line| line.starts_with("max-streams = \"128\"") && line.ends_with("# default")), "{page}");
    let file = folder.file("settings.toml", &page);
    let (_, again, _) = jianbao("config", ["--config".into(), file]);
    let values = |page: &str| page.lines().map(|line| line.split("  # ").next().unwrap().trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&page), values(&again));
    assert!(again.lines().all(|line| line.contains("settings.toml:")), "{again}");
}

#[test]
fn the_table_groups_figures_by_institution_and_explains_them() {
    let folder = Folder::new("table");
    let file = folder.file("lantian.txt", BULLETIN);
    let (exit, page, _) = jianbao("extract", [file.clone()]);
    assert_eq!(exit, Exit::Ok);
    let institution = page.find("\n蓝田县农村商业银行  rural commercial bank").expect("a heading of its own");
    let figure = page.find("186,000,000 CNY").expect("the figure");
    assert!(institution < figure && page.contains("to 2021-03-31, cumulative"), "{page}");
    assert!(!page.contains('\x1b') && !page.contains('←'), "{page}");
    let (_, explained, _) = jianbao("extract", [file, "--explain".into()]);
    assert!(explained.contains("      ← "), "{explained}");
}

#[test]
fn rows_of_figures_line_up() {
    let folder = Folder::new("columns");
    let (_, page, _) = jianbao("extract", [folder.file("lantian.txt", BULLETIN)]);
    let ends: Vec<usize> = page
        .lines()
        .filter_map(|line| ["CNY", "户 "].iter().find_map(|unit| line.split_once(&format!(" {unit} ")).map(|(before, _)| (before, unit))))
        .map(|(before, unit)| super::style::width(before) + super::style::width(unit.trim_end()))
        .collect();
    assert!(ends.len() >= 2 && ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}\n{page}");
}

#[test]
fn json_is_an_object_or_an_array() {
    let folder = Folder::new("json");
    let (one, two) = (folder.file("one.txt", BULLETIN), folder.file("two.txt", ""));
    let json = |args: &[&OsString]| {
        let args = args.iter().copied().cloned();
        let (exit, out, _) = jianbao("extract", args.chain(["--format=json".into()]));
        (exit, serde_json::from_str::<serde_json::Value>(&out).unwrap())
    };
    let (exit, report) = json(&[&one]);
    assert_eq!((exit, &report["bulletinId"]), (Exit::Ok, &"one".into()));
    assert_eq!(report["institutions"][0]["measures"][0]["category"], "MEASURE_CATEGORY_LENDING");
    let (_, reports) = json(&[&one, &two]);
    assert_eq!((&reports[0], &reports[1]["bulletinId"]), (&report, &"two".into()));
    // A file that is not there is told of; the others are still printed.
    let (exit, reports) = json(&[&one, &"nowhere.txt".into()]);
    assert_eq!((exit, reports.as_array().map(Vec::len)), (Exit::NoInput, Some(1)));
}

#[test]
fn a_line_of_json_for_each_file() {
    let folder = Folder::new("jsonl");
    let (_, out, _) = jianbao("extract", [folder.file("one.txt", BULLETIN), folder.file("two.txt", ""), "--format=jsonl".into()]);
    assert_eq!(out.lines().map(|line| line.starts_with("{\"bulletinId\":")).collect::<Vec<_>>(), [true, true]);
}

#[test]
fn csv_has_a_row_for_each_figure_and_cuts_where_it_says() {
    let folder = Folder::new("csv");
    for (encoding, units) in [("utf8", 1_usize), ("utf16", 2), ("utf32", 4)] {
        let flag = OsString::from(format!("--offset-encoding={encoding}"));
        let (_, out, _) = jianbao("extract", [folder.file("lantian.txt", BULLETIN), "--format=csv".into(), flag]);
        let mut rows = ::csv::Reader::from_reader(out.as_bytes());
        let column = |name: &str, header: &::csv::StringRecord| header.iter().position(|cell| cell == name).unwrap();
        let header = rows.headers().unwrap().clone();
        let row = rows.records().next().unwrap().unwrap();
        let cell = |name: &str| row.get(column(name, &header)).unwrap();
        assert_eq!((cell("bulletin"), cell("value"), cell("period_end")), ("lantian", "186000000", "2021-03-31"));
        let (start, end): (usize, usize) = (cell("start").parse().unwrap(), cell("end").parse().unwrap());
        let cut = match units {
            1 => String::from_utf8(BULLETIN.as_bytes()[start..end].to_vec()).unwrap(),
            2 => String::from_utf16(&BULLETIN.encode_utf16().collect::<Vec<_>>()[start..end]).unwrap(),
            _ => BULLETIN.chars().skip(start).take(end - start).collect(),
        };
        assert_eq!(cut, cell("text"), "{encoding}");
    }
}

#[test]
fn publisher_and_date_given_win() {
    let folder = Folder::new("given");
    let args = ["--publisher=西安市银行业协会", "--published-on=2022-05-06", "--format=jsonl"].map(OsString::from);
    let (_, out, _) = jianbao("extract", args.into_iter().chain([folder.file("lantian.txt", BULLETIN)]));
    assert!(out.contains("\"publisher\":\"西安市银行业协会\",\"publishedOn\":\"2022-05-06\""), "{out}");
}

#[test]
fn what_is_wrong_is_told_with_the_file_and_an_exit_code() {
    let folder = Folder::new("wrong");
    let gb = folder.file("gb.txt", b"\xbc\xf2\xb1\xa8");
    let cases = [
        (vec![gb], Exit::BadData, "gb.txt: not UTF-8 at byte 0"),
        (vec![folder.0.join("none.txt").into()], Exit::NoInput, "none.txt: "),
        (vec!["a/one.txt".into(), "b/one.txt".into()], Exit::Usage, "b/one.txt: a bulletin named `one`"),
        (vec!["one.txt".into(), "--explain".into(), "--format=csv".into()], Exit::Usage, "`--explain`"),
    ];
    for (args, exit, told) in cases {
        let (ended, _, err) = jianbao("extract", args);
        assert_eq!(ended, exit, "{err}");
        assert!(err.starts_with("jianbao: ") && err.contains(told) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn wrong_arguments_are_usage() {
    for args in [
        vec!["jianbao", "extract"],
        vec!["jianbao", "extract", "--published-on=2020-13-01", "x"],
        vec!["jianbao", "evaluate", "--min=x", "x"],
    ] {
        assert!(command(args.into_iter().map(OsString::from).collect()).is_err());
    }
}

const GOLD: &str = r#"{"institutions": [{"name": "蓝田县农村商业银行", "canonical_name": "蓝田县农村商业银行", "type": "RURAL_COMMERCIAL_BANK",
    "region_code": "610122", "aliases": [], "section_start": "截至3月末", "measures": [{"category": "LENDING", "anchor": "发放春耕"}],
    "figures": [{"text": "1.86亿元", "metric": "LOAN_DISBURSED", "value": "186000000", "kind": "MONEY", "unit": "CNY", "cumulative": true,
        "period": {"start": null, "end": "2021-03-31"}, "label": "春耕备耕贷款", "category": "LENDING", "purposes": "*", "segments": "*"}]}],
    "not_figures": [{"text": "2021年4月2日", "role": "DATE"}, {"text": "3月末", "role": "DATE"}, {"text": "5127户", "role": "CONTEXT"}]}"#;

#[test]
fn evaluation_prints_scores_lists_mistakes_and_keeps_floors() {
    let folder = Folder::new("scores");
    folder.file("lantian.txt", BULLETIN.replace('\n', "\r\n"));
    folder.file("lantian.gold.json", GOLD);
    let (exit, table, _) = jianbao("evaluate", [folder.path(), "--errors".into()]);
    assert_eq!(exit, Exit::Ok);
    assert!(table.contains("ALL") && table.contains("lantian: figure not in gold: `5127户`"), "{table}");
    let (exit, _, err) = jianbao("evaluate", [folder.path(), "--min=figures.recall=1".into(), "--min=figures=0.9".into()]);
    assert_eq!((exit, err.as_str()), (Exit::BelowFloor, "jianbao: below the floor: figures 0.6667 < 0.9\n"));
    let (_, json, _) = jianbao("evaluate", [folder.path(), "--json".into()]);
    let scores: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&scores["total"], &scores["total"]["figures"]["gold"]), (&scores["bulletins"]["lantian"], &1.into()));
}

#[test]
fn a_faulty_gold_file_is_bad_data() {
    let folder = Folder::new("faulty");
    folder.file("lantian.txt", BULLETIN);
    folder.file("lantian.gold.json", GOLD.replace("1.86亿元", "1.87亿元"));
    let (exit, _, err) = jianbao("evaluate", [folder.path()]);
    assert_eq!(exit, Exit::BadData);
    assert!(err.contains("lantian.gold.json") && err.contains("`1.87亿元` (nth 1) is not in the text"), "{err}");
    let (exit, _, err) = jianbao("evaluate", [Folder::new("nothing").path()]);
    assert_eq!(exit, Exit::NoInput, "{err}");
}

/// The scorer beside the repository and this one agree in every digit, over the bulletins beside the
/// repository and the repository's own.
#[test]
fn scores_agree_with_the_scorer_beside_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scorer = root.join("../shared/eval/score.py");
    if !scorer.is_file() {
        eprintln!("skipped: no ../shared/eval/score.py beside the repository");
        return;
    }
    for bulletins in [root.join("../shared/bulletins"), root.join("tests/bulletins")] {
        let folder = Folder::new("agreement");
        let texts = fs::read_dir(&bulletins).unwrap().map(|entry| entry.unwrap().path());
        let texts = texts.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).map(OsString::from);
        let (exit, ..) = jianbao("extract", texts.chain(["--output-dir".into(), folder.path()]));
        assert_eq!(exit, Exit::Ok);
        let theirs = folder.0.join("scores.json");
        let mut python = Process::new("python3");
        python.arg(&scorer).arg("--pred").arg(&folder.0).arg("--json").arg(&theirs).arg(&bulletins);
        let Ok(ran) = python.output() else {
            eprintln!("skipped: no python3");
            return;
        };
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let (_, table, _) = jianbao("evaluate", [bulletins.clone().into()]);
        assert_eq!(table, String::from_utf8(ran.stdout).unwrap());
        let (_, json, _) = jianbao("evaluate", [bulletins.into(), "--json".into()]);
        assert_eq!(json.trim_end(), fs::read_to_string(theirs).unwrap());
    }
}

#[test]
fn a_register_and_a_lexicon_are_taken_by_extract_and_evaluate() {
    let folder = Folder::new("register");
    let text = "截至3月末,岚山行累计发放贷款1.86亿元。\n";
    let file = folder.file("lanshan.txt", text);
    let register = folder.file("register.csv", "id,name,aliases,type\nB-7,岚山农村商业银行,岚山行,RURAL_COMMERCIAL_BANK\n");
    folder.file("words.toml", "[[product]]\nforms = [\"岚易融\"]\n");
    let with = |register: &OsString| ["--institutions".into(), register.clone(), "--lexicon".into(), folder.path()];
    let (exit, json, complaint) = jianbao("extract", with(&register).into_iter().chain([file.clone(), "--format=json".into()]));
    assert_eq!((exit, complaint.as_str()), (Exit::Ok, ""));
    assert!(json.contains(r#""registerId": "B-7""#) && json.contains(r#""canonicalName": "岚山农村商业银行""#), "{json}");
    let plain = jianbao("extract", [file.clone(), "--format=json".into()]).1;
    let digest = |json: &str| json.split("lexiconDigest").nth(1).map(|rest| rest.chars().take(40).collect::<String>());
    assert_ne!(digest(&json), digest(&plain));
    let bad = folder.file("bad.csv", "id,name,type\n1,岚山农村商业银行,BANK\n1,,\n");
    let (exit, page, complaint) = jianbao("extract", with(&bad).into_iter().chain([file]));
    assert_eq!((exit, page.as_str()), (Exit::Config, ""));
    assert!(complaint.contains("jianbao: 3 problems") && complaint.contains("bad.csv:2: type: `BANK` is no type"), "{complaint}");
    assert!(complaint.contains("bad.csv:3: id: `1` is already the id of line 2"), "{complaint}");
    let (exit, _, complaint) = jianbao("evaluate", with(&bad).into_iter().chain([folder.path()]));
    assert_eq!(exit, Exit::Config, "{complaint}");
}
