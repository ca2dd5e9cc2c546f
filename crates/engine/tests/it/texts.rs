//! Texts in folders.

use std::fs;
use std::path::Path;

/// The texts of a folder, by name.
pub fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            (path.file_stem().expect("it has a name").to_string_lossy().into_owned(), fs::read_to_string(&path).expect("it is text"))
        })
        .collect();
    texts.sort();
    texts
}
