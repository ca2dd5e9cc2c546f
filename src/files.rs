//! Files of the operator's, read whole and within a bound.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// Longest file of settings, callers, certificates or keys, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// Why a file is of no use, before anything in it has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line at fault, from 1; 0 where it is the whole file.
    pub line: usize,
    /// What is wrong, for behind the file's name.
    pub message: String,
}

impl Unreadable {
    /// The problem with the file's name before it.
    #[must_use]
    pub fn of(&self, name: &str) -> String {
        match self.line {
            0 => format!("{name}: {}", self.message),
            line => format!("{name}:{line}: {}", self.message),
        }
    }
}

/// The bytes of a file that has at most so many.
///
/// # Errors
/// It cannot be read, or has more.
pub fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    // A pipe may never come to its end, nor a device; to open one may wait for ever.
    if std::fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return Err(Unreadable { line: 0, message: "is no regular file".to_owned() });
    }
    let wrong = match File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)) {
        Err(error) => format!("cannot be read: {error}"),
        Ok(length) if length as u64 > most => format!("has more than {most} bytes, which is the most that is allowed"),
        Ok(_) => return Ok(bytes),
    };
    Err(Unreadable { line: 0, message: wrong })
}

/// The text of a file that has at most so many bytes.
///
/// # Errors
/// As for its bytes, and that it is not UTF-8.
pub fn text(path: &Path, most: u64) -> Result<String, Unreadable> {
    String::from_utf8(bytes(path, most)?).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        Unreadable { line, message: "is not UTF-8 (a GB18030 file can be converted with iconv)".to_owned() }
    })
}

/// Writes a file whole, or leaves what was there.
///
/// # Errors
/// It cannot be written.
pub fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    let moved = written.and_then(|()| std::fs::rename(&part, path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    moved
}
