//! Files of the operator's, read whole and within a bound.

use std::fs::File;
use std::io::Read as _;
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
