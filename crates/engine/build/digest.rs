//! The digest of the engine's own files: what decides a report besides the text, the options and the operator's files.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The SHA-256 of every file below `folders`, with its path, in the order of the paths: each rule, list and table.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn of_files(root: &Path, folders: &[&str]) -> io::Result<String> {
    let mut files = Vec::new();
    for folder in folders {
        gather(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut digest = Sha256::new();
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file).components().map(|part| part.as_os_str().to_string_lossy());
        digest.update(name.collect::<Vec<_>>().join("/"));
        digest.update([0]);
        // A checkout may end its lines in either way.
        digest.update(fs::read_to_string(file)?.replace("\r\n", "\n"));
        digest.update([0]);
    }
    let mut hex = String::new();
    for byte in digest.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// Adds `path`, or the files below it.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            gather(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
