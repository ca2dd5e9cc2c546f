//! Tells the engine the digest of its own files, so that `lexicon_digest` changes with every rule, list and table, and
//! lays out the general dictionary.

use std::error::Error;
use std::fs;
use std::path::Path;

#[path = "build/automaton.rs"]
mod automaton;
#[path = "build/digest.rs"]
mod digest;

/// What decides a report: the sources with their tables, and the versions of what they use.
const DECIDES: &[&str] = &["src", "Cargo.toml"];

/// The ordinary words.
const GENERAL: &str = "src/lexicon/general.txt";

fn main() -> Result<(), Box<dyn Error>> {
    for path in DECIDES.iter().chain(&["build", "build.rs"]) {
        println!("cargo::rerun-if-changed={path}");
    }
    let root = std::env::var("CARGO_MANIFEST_DIR")?;
    let root = Path::new(&root);
    println!("cargo::rustc-env=JIANBAO_ENGINE_DIGEST={}", digest::of_files(root, DECIDES)?);
    let general = automaton::of_text(&fs::read_to_string(root.join(GENERAL))?)?;
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("general.bin"), general)?;
    Ok(())
}
