//! What the sources keep to: sizes, what the engine may not know, no way to panic.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, in lines; tables are data and may be longer.
const LONGEST: usize = 700;

fn sources(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("its entries can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                let text = fs::read_to_string(&path).expect("it is text");
                found.push((path.strip_prefix(root).expect("it lies below the root").to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {extension} in {folder}");
    found
}

/// The sources of the program: the root package's and its crates'.
fn programs() -> Vec<(PathBuf, String)> {
    ["src", "crates/engine/src", "crates/evaluate/src"].into_iter().flat_map(|folder| sources(folder, "rs")).collect()
}

/// Its tests and benchmarks.
fn tests() -> Vec<(PathBuf, String)> {
    ["tests", "crates/engine/tests", "crates/engine/benches"].into_iter().flat_map(|folder| sources(folder, "rs")).collect()
}

/// The lines of a source that are program: no comments, nothing from the first `#[cfg(test)]` on.
fn program(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests" || stem == "cases")
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_source_is_too_long_to_read() {
    let long: Vec<String> = programs()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_none(&long);
}

#[test]
fn the_engine_knows_no_wire_no_runtime_and_no_system() {
    const BANNED: &[&str] = &[
        "tonic",
        "prost",
        "tokio",
        "std::fs",
        "std::time",
        "std::env",
        "std::net",
        "std::thread",
        "std::process",
        "Instant",
        "SystemTime",
        "crate::grpc",
        "crate::config",
        "HashMap",
        "HashSet",
        "f32",
        "f64",
    ];
    let mut problems = Vec::new();
    for (path, text) in sources("crates/engine/src", "rs").iter().filter(|(path, _)| !is_test(path)) {
        for (number, line) in program(text) {
            let words: Vec<&str> = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).collect();
            let names = |banned: &str| {
                words
                    .iter()
                    .any(|word| *word == banned || word.starts_with(&format!("{banned}::")) || word.split("::").any(|part| part == banned))
            };
            problems.extend(BANNED.iter().filter(|banned| names(banned)).map(|banned| format!("{}:{number}: {banned}", path.display())));
        }
    }
    assert_none(&problems);
}

#[test]
fn nothing_in_the_sources_asks_to_panic() {
    const BANNED: &[&str] = &[".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!(", "dbg!("];
    let mut problems = Vec::new();
    for (path, text) in programs().iter().filter(|(path, _)| !is_test(path)) {
        for (number, line) in program(text) {
            problems.extend(
                BANNED.iter().filter(|banned| line.contains(**banned)).map(|banned| format!("{}:{number}: {banned}", path.display())),
            );
        }
    }
    assert_none(&problems);
}

#[test]
fn no_test_is_switched_off_or_expects_a_panic_or_waits() {
    let banned = [["#[", "ignore"].concat(), ["#[", "should_panic"].concat(), ["thread::", "sleep"].concat()];
    let mut problems = Vec::new();
    for (path, text) in programs().iter().chain(&tests()) {
        for (number, line) in text.lines().enumerate() {
            problems.extend(
                banned
                    .iter()
                    .filter(|banned| line.contains(banned.as_str()))
                    .map(|banned| format!("{}:{}: {banned}", path.display(), number + 1)),
            );
        }
    }
    assert_none(&problems);
}

#[test]
fn the_sources_name_no_machine() {
    let banned = [["/", "work/"].concat(), ["/", "tmp/"].concat(), ["/", "home/"].concat(), ["/", "root/"].concat()];
    let mut problems = Vec::new();
    for (path, text) in programs().iter().chain(&tests()) {
        problems.extend(
            text.lines()
                .enumerate()
                .filter(|(_, line)| banned.iter().any(|b| line.contains(b.as_str())))
                .map(|(number, line)| format!("{}:{}: {line}", path.display(), number + 1)),
        );
    }
    assert_none(&problems);
}
