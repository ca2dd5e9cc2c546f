//! Tells the engine the digest of its own files, so that `lexicon_digest` changes with every rule, list and table.

use std::error::Error;
use std::path::Path;

#[path = "build/digest.rs"]
mod digest;

/// What decides a report: the sources with their tables, and the versions of what they use.
const DECIDES: &[&str] = &["src", "Cargo.toml"];

fn main() -> Result<(), Box<dyn Error>> {
    for path in DECIDES {
        println!("cargo::rerun-if-changed={path}");
    }
    let root = std::env::var("CARGO_MANIFEST_DIR")?;
    println!("cargo::rustc-env=JIANBAO_ENGINE_DIGEST={}", digest::of_files(Path::new(&root), DECIDES)?);
    Ok(())
}
