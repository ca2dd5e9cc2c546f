//! The invariants over real texts: the shared bulletins and the shared news, where they are at hand,
//! and the regression texts.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::invariants::{figures, hold, report};
use super::texts::texts;

/// The shared folder, if it is at hand.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found = std::env::var_os("JIANBAO_SHARED").map(PathBuf::from).into_iter().chain([beside]).find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: no ../shared beside the repository and no JIANBAO_SHARED");
    }
    found
}

fn check(texts: impl IntoIterator<Item = (String, String)>) {
    let broken: Vec<String> = texts
        .into_iter()
        .filter_map(|(name, text)| {
            hold(&text).err().map(|problem| format!("{name}: {}", problem.split("\nin ").next().unwrap_or_default()))
        })
        .collect();
    assert!(broken.is_empty(), "{} texts:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn regressions_hold() {
    let texts = texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/regressions"));
    assert!(!texts.is_empty());
    check(texts);
}

#[test]
fn shared_bulletins_hold() {
    let Some(shared) = shared() else { return };
    let texts = texts(&shared.join("bulletins"));
    assert!(texts.len() >= 10);
    assert!(texts.iter().all(|(_, text)| !figures(&report(text)).is_empty()));
    check(texts);
}

#[test]
fn shared_news_holds() {
    let Some(shared) = shared() else { return };
    let packed = fs::File::open(shared.join("corpus/news-2000.jsonl.gz")).expect("the corpus can be read");
    let mut lines = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut lines).expect("the corpus unpacks");
    let texts: Vec<(String, String)> = lines
        .lines()
        .map(|line| {
            let item: serde_json::Value = serde_json::from_str(line).expect("each line is an item");
            let field = |key: &str| item[key].as_str().expect("it has an id and a text").to_owned();
            (field("id"), field("text"))
        })
        .collect();
    assert!(texts.len() >= 1000);
    let half = texts.len() / 2;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| check(texts[..half].iter().cloned()));
        check(texts[half..].iter().cloned());
        first.join().expect("the other half holds too");
    });
}
