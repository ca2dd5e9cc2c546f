//! Reads `tests/cases/numbers.toml` and the invariants that hold for any text.

use std::fmt::Write as _;

use serde::Deserialize;

use super::date::{DateMention, Day, dates};
use super::openers::Openers;
use super::quantity::{QuantityMention, quantities};
use crate::lexicon::Lexicon;
use crate::report::{Qualifier, QuantityKind};
use crate::source::SourceText;

#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    reference: String,
    finds: Vec<String>,
}

#[derive(Deserialize)]
struct Cases {
    number: Vec<Case>,
    date: Vec<Case>,
}

fn cases() -> Cases {
    toml::from_str(include_str!("../../../../tests/cases/numbers.toml")).expect("cases")
}

fn day(text: &str) -> Option<Day> {
    let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    Some(Day { year: i32::try_from(year).ok()?, month, day })
}

fn iso(day: Option<Day>) -> String {
    day.map_or_else(|| "-".to_owned(), |d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day))
}

fn number_line(source: &SourceText<'_>, m: &QuantityMention) -> String {
    let mut line = format!("{} =", source.text(m.range.clone()));
    match (m.value, m.upper, m.kind) {
        (Some(value), Some(upper), _) => write!(line, " {}..{}", value.normalize(), upper.normalize()).unwrap_or_default(),
        (Some(value), ..) => write!(line, " {}", value.normalize()).unwrap_or_default(),
        (None, _, QuantityKind::Identifier) => {}
        (None, ..) => line += " none",
    }
    if !m.unit.is_empty() {
        let _ = write!(line, " {}", m.unit);
    }
    if matches!(m.kind, QuantityKind::Ordinal | QuantityKind::Identifier) {
        let _ = write!(line, " - {}", m.kind.code());
    }
    if m.unit_missing {
        line += " - MISSING";
    }
    if m.qualifier != Qualifier::Exact {
        let _ = write!(line, " {}", m.qualifier.code());
    }
    if m.contradictory {
        line += "!";
    }
    line
}

fn date_line(source: &SourceText<'_>, m: &DateMention) -> String {
    let mut line = format!("{} = {:?} {} {}", source.text(m.range.clone()), m.shape, iso(m.start), iso(m.end));
    for (mark, word) in [(m.year_inferred, " inferred"), (m.repaired, " repaired"), (m.impossible, " impossible")] {
        if mark {
            line += word;
        }
    }
    line
}

#[test]
fn numbers_are_read_as_the_cases_say() {
    let lexicon = Lexicon::load().expect("lexicon");
    let wrong: Vec<String> = cases()
        .number
        .iter()
        .filter_map(|case| {
            let source = SourceText::new(&case.text);
            let found: Vec<String> = quantities(&source, &Openers::find(&source), &lexicon.scan(&source), &lexicon, &[])
                .iter()
                .map(|m| number_line(&source, m))
                .collect();
            (found != case.finds).then(|| format!("{}: want {:?}, got {found:?}", case.text, case.finds))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn dates_are_read_as_the_cases_say() {
    let wrong: Vec<String> = cases()
        .date
        .iter()
        .filter_map(|case| {
            let source = SourceText::new(&case.text);
            let found: Vec<String> =
                dates(&source, &Openers::find(&source), day(&case.reference)).iter().map(|m| date_line(&source, m)).collect();
            (found != case.finds).then(|| format!("{}: want {:?}, got {found:?}", case.text, case.finds))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every digit lies in exactly one mention, and mentions are in order.
fn assert_covered(lexicon: &Lexicon, text: &str) {
    let source = SourceText::new(text);
    let hits = lexicon.scan(&source);
    let found = dates(&source, &Openers::find(&source), day("2023-08-20"));
    let taken: Vec<_> = found.iter().map(|m| m.range.clone()).collect();
    let numbers = quantities(&source, &Openers::find(&source), &hits, lexicon, &taken);
    assert!(numbers.windows(2).all(|pair| matches!(pair, [a, b] if a.range.end <= b.range.start)), "order in {text}");
    let mut covered = vec![0_u8; source.len()];
    for range in taken.into_iter().chain(numbers.into_iter().map(|m| m.range)) {
        covered.iter_mut().take(range.end).skip(range.start).for_each(|n| *n += 1);
    }
    for (i, n) in covered.iter().enumerate() {
        assert!(*n <= 1 && (*n == 1 || !source.at(i).is_ascii_digit()), "glyph {i} `{}` lies in {n} mentions of {text}", source.at(i));
    }
}

#[test]
fn every_digit_is_accounted_for() {
    let lexicon = Lexicon::load().expect("lexicon");
    let pieces: Vec<char> = "0123459万亿千百十一二两零半点成折年月日号时分至-—~到约近超余多以内上下第(),.:/%‰个元角分户笔年末初季度前%pBP $¥[]“”《》、。\n\tkeE^*又之之来同期+".chars().collect();
    let mut state = 7_u64;
    for _ in 0..20_000 {
        let text: String = (0..14)
            .filter_map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                pieces.get(usize::try_from(state >> 33).unwrap_or(0) % pieces.len()).copied()
            })
            .collect();
        assert_covered(&lexicon, &text);
    }
}

#[test]
fn long_runs_are_read_once() {
    let lexicon = Lexicon::load().expect("lexicon");
    for unit in [
        "1",
        "一",
        "万",
        "1,234",
        "1-",
        "1.",
        "1:",
        "十",
        "一点",
        "1至",
        "第",
        "(1",
        "百分之",
        "1/",
        "上",
        "A1",
        "前1个月",
        "1月",
        "半",
        "¥",
        "负",
    ] {
        assert_covered(&lexicon, &unit.repeat(20_000));
    }
}
