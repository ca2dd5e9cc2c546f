//! `lexicon_digest` tells apart any two engines that can answer one text differently.

use std::fs;
use std::path::{Path, PathBuf};

use super::invariants::ENGINE;

#[path = "../../build/digest.rs"]
mod files;

/// A copy of the engine's sources, gone when the test ends.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("jianbao-digest-{}", std::process::id()));
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &folder.join("src"));
        Self(folder)
    }

    fn digest(&self) -> String {
        files::of_files(&self.0, &["src"]).unwrap()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &there);
        } else {
            fs::copy(&path, &there).unwrap();
        }
    }
}

fn below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// One glyph more in any rule, list or table, and the digest is another; taken back, it is the same again.
#[test]
fn any_change_of_a_rule_list_or_table_changes_it() {
    let sources = Copy::new();
    let before = sources.digest();
    let mut paths = Vec::new();
    below(&sources.0, &mut paths);
    assert!(paths.iter().any(|path| path.ends_with("metric.toml")) && paths.iter().any(|path| path.ends_with("metric.rs")));
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}款")).unwrap();
        assert_ne!(sources.digest(), before, "{}", path.display());
        fs::write(&path, text).unwrap();
    }
    assert_eq!(sources.digest(), before);
}

#[test]
fn it_is_in_the_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(files::of_files(root, &["src", "Cargo.toml"]).unwrap(), jianbao_engine::SOURCES_DIGEST);
    assert_eq!(ENGINE.lexicon().digest().len(), 32);
}
