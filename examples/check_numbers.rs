//! Checks the reading of numbers and dates against the outside specifications and
//! the annotated bulletins: `check_numbers conformance|gold|dump|lines`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jianbao::engine::lexicon::Lexicon;
use jianbao::engine::recognize::date::{DateMention, DateShape, Day, dates};
use jianbao::engine::recognize::quantity::{QuantityMention, quantities};
use jianbao::engine::report::QuantityKind;
use jianbao::engine::source::SourceText;
use rust_decimal::Decimal;
use serde_json::Value;

struct Entry {
    chars: (usize, usize),
    kind: QuantityKind,
    numeral: Option<Decimal>,
    value: Option<Decimal>,
    upper: Option<Decimal>,
    unit: String,
    qualifier: &'static str,
    days: (String, String),
    text: String,
    note: String,
}

fn iso(day: Option<Day>) -> String {
    day.map_or_else(String::new, |d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day))
}

fn read(lexicon: &Lexicon, text: &str, reference: &str) -> Vec<Entry> {
    let source = SourceText::new(text);
    let hits = lexicon.scan(&source);
    let mut parts = reference.split('-').map(|p| p.parse::<u32>().ok());
    let reference = match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
        (Some(year), Some(month), Some(day)) => Some(Day { year: year as i32, month, day }),
        _ => None,
    };
    let found = dates(&source, &hits, lexicon, reference);
    let taken: Vec<_> = found.iter().map(|d| d.range.clone()).collect();
    let numbers = quantities(&source, &hits, lexicon, &taken);
    covers(&source, &found, &numbers);
    let chars = |range: std::ops::Range<usize>| {
        let span = source.span(range);
        let at = |byte: usize| text.get(..byte).map_or(0, |t| t.chars().count());
        (at(span.start), at(span.end))
    };
    let mut entries: Vec<Entry> = found
        .iter()
        .map(|d| Entry {
            chars: chars(d.range.clone()),
            kind: if d.shape == DateShape::Time { QuantityKind::Time } else { QuantityKind::Date },
            numeral: None,
            value: None,
            upper: None,
            unit: String::new(),
            qualifier: "",
            days: (iso(d.start), iso(d.end)),
            text: source.text(d.range.clone()),
            note: format!("{:?}{}{}", d.shape, if d.repaired { " REPAIRED" } else { "" }, if d.impossible { " IMPOSSIBLE" } else { "" }),
        })
        .collect();
    entries.extend(numbers.iter().map(|q| Entry {
        chars: chars(q.range.clone()),
        kind: q.kind,
        numeral: q.numeral,
        value: q.value,
        upper: q.upper,
        unit: q.unit.clone(),
        qualifier: q.qualifier.code(),
        days: (String::new(), String::new()),
        text: source.text(q.range.clone()),
        note: format!("{:?}{}{}", q.script, if q.contradictory { " CONTRADICTORY" } else { "" }, if q.unit_missing { " UNIT_MISSING" } else { "" }),
    }));
    entries.sort_by_key(|e| e.chars);
    entries
}

/// Every digit lies in exactly one mention.
fn covers(source: &SourceText<'_>, dates: &[DateMention], numbers: &[QuantityMention]) {
    let mut count = vec![0; source.len()];
    for range in dates.iter().map(|d| &d.range).chain(numbers.iter().map(|q| &q.range)) {
        assert!(range.start < range.end);
        range.clone().for_each(|i| count[i] += 1);
    }
    for (i, n) in count.iter().enumerate() {
        let context = || source.text(i.saturating_sub(12)..(i + 12).min(source.len()));
        assert!(*n <= 1, "overlap at {}", context());
        assert!(*n == 1 || !source.at(i).is_ascii_digit(), "lost digit at {}", context());
    }
}

fn main() {
    let lexicon = Lexicon::load().expect("lexicon");
    let mode = std::env::args().nth(1).unwrap_or_default();
    let shared = ["/work/shared", "../shared"].iter().map(PathBuf::from).find(|p| p.exists());
    match (mode.as_str(), shared) {
        ("lines", _) => {
            let reference = std::env::args().nth(2).unwrap_or_default();
            for line in std::io::stdin().lines().map_while(Result::ok) {
                println!("{line}");
                print(&read(&lexicon, &line, &reference));
            }
        }
        (_, None) => println!("no shared material: skipped"),
        ("conformance", Some(shared)) => conformance(&lexicon, &shared),
        ("gold", Some(shared)) => bulletins(&lexicon, &shared, false),
        ("context", Some(_)) => {
            let text = std::io::read_to_string(std::io::stdin()).expect("text");
            for part in text.split('\0') {
                let chars: Vec<char> = part.chars().collect();
                for e in read(&lexicon, part, "2023-08-20") {
                    let cut = |from: usize, to: usize| chars.get(from..to.min(chars.len())).unwrap_or_default().iter().filter(|c| !c.is_whitespace()).collect::<String>();
                    println!("{}\t{}[{}]{}\t{}\t{:?}\t{}\t{}\t{} {}\t{}", e.kind.code(), cut(e.chars.0.saturating_sub(8), e.chars.0), cut(e.chars.0, e.chars.1), cut(e.chars.1, e.chars.1 + 8), e.unit, e.value.map(|v| v.to_string()), e.upper.map_or(String::new(), |v| v.to_string()), e.qualifier, e.days.0, e.days.1, e.note);
                }
            }
        }
        ("corpus", Some(_)) => {
            let text = std::io::read_to_string(std::io::stdin()).expect("text");
            let texts: Vec<&str> = text.split('\0').collect();
            let started = std::time::Instant::now();
            let n: usize = texts.iter().map(|t| read(&lexicon, t, "2023-08-20").len()).sum();
            println!("{n} mentions in {} bytes, {:?}", text.len(), started.elapsed());
        }
        ("speed", Some(_)) => {
            let text = std::io::read_to_string(std::io::stdin()).expect("text");
            let started = std::time::Instant::now();
            let source = SourceText::new(&text);
            println!("source {:?}", started.elapsed());
            let started = std::time::Instant::now();
            let hits = lexicon.scan(&source);
            println!("scan {:?}", started.elapsed());
            let started = std::time::Instant::now();
            let found = dates(&source, &hits, &lexicon, None);
            println!("dates {} {:?}", found.len(), started.elapsed());
            let taken: Vec<_> = found.iter().map(|d| d.range.clone()).collect();
            let started = std::time::Instant::now();
            println!("quantities {} {:?} of {} bytes", quantities(&source, &hits, &lexicon, &taken).len(), started.elapsed(), text.len());
        }
        (_, Some(shared)) => bulletins(&lexicon, &shared, true),
    }
}

fn print(entries: &[Entry]) {
    for e in entries {
        let number = |v: Option<Decimal>| v.map_or_else(|| "-".to_owned(), |v| v.normalize().to_string());
        println!("    {} | {} {} {} {} {} {} {} {}", e.text, e.kind.code(), number(e.numeral), number(e.value), e.upper.map_or(String::new(), |u| format!("..{u}")), e.unit, e.qualifier, [e.days.0.as_str(), e.days.1.as_str()].join(" "), e.note);
    }
}

fn bulletins(lexicon: &Lexicon, shared: &Path, dump: bool) {
    let mut paths: Vec<_> = std::fs::read_dir(shared.join("bulletins")).expect("bulletins").map(|e| e.expect("entry").path()).collect();
    paths.sort();
    let (mut good, mut bad) = (0, 0);
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "txt")) {
        let text = std::fs::read_to_string(path).expect("text");
        let gold: Value = serde_json::from_str(&std::fs::read_to_string(path.with_extension("gold.json")).expect("gold")).expect("json");
        let entries = read(lexicon, &text, gold["published_on"].as_str().unwrap_or_default());
        println!("## {}", path.display());
        if dump {
            print(&entries);
            continue;
        }
        let chars: Vec<char> = text.chars().collect();
        let place = |want: &str, nth: u64| find(&chars, want, nth as usize);
        for figure in gold["institutions"].as_array().into_iter().flatten().flat_map(|i| i["figures"].as_array().into_iter().flatten()) {
            let want = figure["text"].as_str().unwrap_or_default();
            let Some((start, end)) = place(want, figure["nth"].as_u64().unwrap_or(1)) else {
                println!("  ?? {want} not in text");
                continue;
            };
            let fits = |e: &&Entry| e.chars.0 < end && start < e.chars.1 && e.chars.0 + 4 >= start && e.chars.1 <= end + 4;
            let decimal = |key: &str| figure[key].as_str().and_then(|v| v.parse::<Decimal>().ok());
            let found = entries.iter().find(fits);
            let ok = found.is_some_and(|e| {
                let missing = e.kind == QuantityKind::Number && e.note.contains("UNIT_MISSING");
                e.value == decimal("value") && e.upper == decimal("upper_value") && (missing || e.kind.code() == figure["kind"] && e.unit == figure["unit"]) && e.qualifier == figure["qualifier"] && e.chars == (start, end)
            });
            if ok { good += 1 } else { bad += 1 }
            if !ok {
                println!("  BAD {want} want {} {} {} {}", figure["value"], figure["kind"], figure["unit"], figure["qualifier"]);
                print(&entries.iter().filter(|e| e.chars.0 < end && start < e.chars.1).map(|e| Entry { days: e.days.clone(), text: e.text.clone(), unit: e.unit.clone(), note: e.note.clone(), ..*e }).collect::<Vec<_>>());
            }
        }
        for other in gold["not_figures"].as_array().into_iter().flatten().filter(|n| n["role"] != "HEADING") {
            let want = other["text"].as_str().unwrap_or_default();
            let Some((start, end)) = place(want, other["nth"].as_u64().unwrap_or(1)) else { continue };
            let date = other["role"] == "DATE";
            let ok = entries.iter().any(|e| e.chars.0 <= start && end <= e.chars.1 && date == matches!(e.kind, QuantityKind::Date | QuantityKind::Time));
            if !ok {
                println!("  NOT COVERED {want} {}", other["role"]);
                print(&entries.iter().filter(|e| e.chars.0 < end && start < e.chars.1).map(|e| Entry { days: e.days.clone(), text: e.text.clone(), unit: e.unit.clone(), note: e.note.clone(), ..*e }).collect::<Vec<_>>());
            }
        }
    }
    println!("gold figures: {good} read, {bad} not");
}

/// Places of the `nth` occurrence, blind to white space.
fn find(chars: &[char], want: &str, nth: usize) -> Option<(usize, usize)> {
    let want: Vec<char> = want.chars().filter(|c| !c.is_whitespace()).collect();
    let bare: Vec<(usize, char)> = chars.iter().copied().enumerate().filter(|(_, c)| !c.is_whitespace()).collect();
    let starts = (0..bare.len()).filter(|&i| want.iter().enumerate().all(|(j, c)| bare.get(i + j).is_some_and(|(_, d)| d == c)));
    let start = starts.into_iter().nth(nth.max(1) - 1)?;
    Some((bare[start].0, bare[start + want.len() - 1].0 + 1))
}

fn conformance(lexicon: &Lexicon, shared: &Path) {
    let text = std::fs::read_to_string(shared.join("conformance/recognizers-zh.jsonl")).expect("cases");
    let mut tally: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for case in text.lines().map(|line| serde_json::from_str::<Value>(line).expect("json")) {
        let model = case["model"].as_str().unwrap_or_default().rsplit('_').next().unwrap_or_default().to_owned();
        let input = case["input"].as_str().unwrap_or_default();
        let wants = case["expected"].as_array().cloned().unwrap_or_default();
        if input.trim().is_empty() || wants.is_empty() || !expressible(&model, input, &wants) {
            continue;
        }
        let reference = case["reference"].as_str().and_then(|r| r.get(..10)).unwrap_or_default();
        let entries = read(lexicon, input, reference);
        let ok = wants.iter().all(|want| entries.iter().any(|e| holds(&model, want, e)));
        let count = tally.entry(model.clone()).or_default();
        count.1 += 1;
        count.0 += u32::from(ok);
        if !ok {
            println!("FAILED {model} {input} ({reference}) want {:?}", wants.iter().map(|w| format!("{} {} {}", w["text"], w["value"], w["past"])).collect::<Vec<_>>());
            print(&entries);
        }
    }
    for (model, (passed, total)) in tally {
        println!("{model:20} {passed:4} / {total:4} = {:.4}", f64::from(passed) / f64::from(total));
    }
}

fn expressible(model: &str, input: &str, wants: &[Value]) -> bool {
    let plain = |v: &str| {
        let v = v.trim_end_matches('%');
        !v.is_empty() && v.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.') && v.parse::<Decimal>().is_ok()
    };
    match model {
        "NumberModel" | "PercentModel" | "CurrencyModel" => wants.iter().all(|w| w["value"].as_str().is_some_and(plain)),
        "DateParser" => wants.iter().all(|w| w["past"]["date"].is_string()) && !["农历", "正月", "初", "腊月", "大年", "除夕"].iter().any(|w| input.contains(w)),
        "DatePeriodParser" => wants.iter().all(|w| w["past"]["startDate"].is_string() && w["past"]["endDate"].is_string()),
        _ => false,
    }
}

fn holds(model: &str, want: &Value, e: &Entry) -> bool {
    let place = |key: &str| want[key].as_u64().unwrap_or(0) as usize;
    if !(e.chars.0 < place("end") && place("start") < e.chars.1) {
        return false;
    }
    let value = want["value"].as_str().and_then(|v| v.trim_end_matches('%').parse::<Decimal>().ok());
    match model {
        "NumberModel" => e.numeral.or(e.value) == value,
        "PercentModel" => matches!(e.kind, QuantityKind::Percent | QuantityKind::PercentagePoint) && e.value == value,
        "CurrencyModel" => {
            let unit = want["currency"].as_str().or(want["unit"].as_str()).unwrap_or(&e.unit);
            e.kind == QuantityKind::Money && e.value == value && e.unit == unit
        }
        "DateParser" => e.kind == QuantityKind::Date && want["past"]["date"] == e.days.0,
        _ => {
            let end = want["past"]["endDate"].as_str().unwrap_or_default();
            e.kind == QuantityKind::Date && want["past"]["startDate"] == e.days.0 && (end == e.days.1 || day_after(&e.days.1) == end)
        }
    }
}

fn day_after(day: &str) -> String {
    let mut parts = day.split('-').map(|p| p.parse::<u32>().unwrap_or(0));
    let (year, month, d) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].get(month.saturating_sub(1) as usize).copied().unwrap_or(31);
    let (year, month, d) = if d < length { (year, month, d + 1) } else if month < 12 { (year, month + 1, 1) } else { (year + 1, 1, 1) };
    format!("{year:04}-{month:02}-{d:02}")
}
