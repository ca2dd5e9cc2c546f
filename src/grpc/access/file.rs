//! The file of callers: TOML, checked as a whole.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Semaphore;

use super::bucket::Bucket;
use super::jwt::Issuer;
use super::{Allowed, Caller, Callers};
use crate::files;
use crate::renew::{Problems, kept};

const MOST: u32 = 1_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    caller: Vec<Row>,
    jwt: Option<Jwt>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwt {
    issuer: String,
    audience: String,
    keys: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    token_sha256: Vec<String>,
    #[serde(default)]
    certificate: Vec<String>,
    #[serde(default)]
    subject: Vec<String>,
    #[serde(default = "both")]
    methods: Vec<Allowed>,
    concurrent_calls: Option<u32>,
    bulletins_per_second: Option<u32>,
    burst: Option<u32>,
}

fn both() -> Vec<Allowed> {
    vec![Allowed::ExtractReport, Allowed::BulkExtractReports]
}

fn text(path: &Path) -> Result<String, String> {
    files::text(path, files::MAX_FILE_BYTES).map_err(|wrong| wrong.of(&path.display().to_string()))
}

fn document(path: &Path) -> Result<Document, String> {
    let text = text(path)?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        // The line itself is not shown: it may hold a secret that has no place in this file.
        format!("{}:{}: {}", path.display(), before.matches('\n').count() + 1, error.message())
    })
}

/// A path as the file of callers means it: from the folder that it is in.
fn beside(path: &Path, keys: &Path) -> PathBuf {
    path.parent().map_or_else(|| keys.to_owned(), |folder| folder.join(keys))
}

/// Where the keys of the issuer are.
pub fn keys_path(path: &Path) -> Option<PathBuf> {
    document(path).ok()?.jwt.map(|jwt| beside(path, &jwt.keys))
}

fn told(list: Vec<String>) -> Problems {
    Problems { about: "the callers cannot be used", list }
}

/// The callers.
///
/// # Errors
/// All that is wrong.
pub fn read(path: &Path) -> Result<Callers, Problems> {
    let Document { caller: rows, jwt } = document(path).map_err(|problem| told(vec![problem]))?;
    let mut problems = Vec::new();
    let issuer = jwt.and_then(|jwt| {
        let keys = beside(path, &jwt.keys);
        let made = text(&keys)
            .and_then(|jwks| Issuer::new(jwt.issuer, jwt.audience, &jwks).map_err(|problem| format!("{}: {problem}", keys.display())));
        kept(made, &mut problems)
    });
    let mut callers = Callers {
        by_token: HashMap::new(),
        by_certificate: HashMap::new(),
        by_subject: HashMap::new(),
        any_subject: None,
        issuer,
        count: rows.len(),
    };
    if rows.is_empty() {
        problems.push(format!("{}: names no caller", path.display()));
    }
    for row in rows {
        row.add_to(&mut callers, &mut |name, problem| problems.push(format!("{}: caller `{name}`: {problem}", path.display())));
    }
    if problems.is_empty() { Ok(callers) } else { Err(told(problems)) }
}

impl Row {
    fn add_to(self, callers: &mut Callers, wrong: &mut dyn FnMut(&str, String)) {
        let name = self.name.clone();
        let mut wrong = |problem: String| wrong(&name, problem);
        if self.name.is_empty() || self.name.len() > 64 || self.name.chars().any(char::is_control) {
            wrong("name must have 1 to 64 bytes, and no control characters".to_owned());
        }
        for (field, value) in
            [("concurrent_calls", self.concurrent_calls), ("bulletins_per_second", self.bulletins_per_second), ("burst", self.burst)]
        {
            if value.is_some_and(|value| !(1..=MOST).contains(&value)) {
                wrong(format!("{field} must be from 1 to {MOST}"));
            }
        }
        if self.token_sha256.is_empty() && self.certificate.is_empty() && self.subject.is_empty() {
            wrong("has none of token_sha256, certificate and subject, so that nobody could be it".to_owned());
        }
        if !self.subject.is_empty() && callers.issuer.is_none() {
            wrong("subject needs a [jwt] with the issuer's keys".to_owned());
        }
        let rate = self.bulletins_per_second;
        let caller = Arc::new(Caller {
            name: self.name,
            methods: self.methods,
            places: self.concurrent_calls.map(|calls| Arc::new(Semaphore::new(calls as usize))),
            bucket: rate.map(|rate| Bucket::new(rate, self.burst.unwrap_or(rate))),
        });
        for token in self.token_sha256 {
            match digest(&token) {
                None => wrong("token_sha256 must be 64 hexadecimal digits: printf %s TOKEN | sha256sum".to_owned()),
                Some(digest) if callers.by_token.insert(digest, Arc::clone(&caller)).is_some() => {
                    wrong("token_sha256 is another caller's too".to_owned());
                }
                Some(_) => {}
            }
        }
        for certificate in self.certificate {
            if callers.by_certificate.insert(certificate, Arc::clone(&caller)).is_some() {
                wrong("certificate is another caller's too".to_owned());
            }
        }
        for subject in self.subject {
            let before = if subject == "*" {
                callers.any_subject.replace(Arc::clone(&caller))
            } else {
                callers.by_subject.insert(subject, Arc::clone(&caller))
            };
            if before.is_some() {
                wrong("subject is another caller's too".to_owned());
            }
        }
    }
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.bytes().map(|byte| char::from(byte).to_digit(16)).collect::<Option<Vec<_>>>()?;
    let bytes = digits.chunks(2).map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).ok());
    (digits.len() == 64).then(|| bytes.collect::<Option<Vec<u8>>>()).flatten()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Callers, Problems> {
        let path = std::env::temp_dir().join(format!("jianbao-callers-{}-{:x}.toml", std::process::id(), text.len()));
        std::fs::write(&path, text).unwrap();
        let result = read(&path);
        std::fs::remove_file(&path).unwrap();
        result
    }

    #[test]
    fn all_that_is_wrong_with_the_callers_is_told() {
        let text = "[[caller]]\nname = \"a\"\ntoken_sha256 = [\"12\"]\nconcurrent_calls = 0\n\n[[caller]]\nname = \"\"\n\n[[caller]]\nname = \"c\"\nsubject = [\"s\"]\n";
        let said = read_text(text).unwrap_err().to_string();
        for told in ["`a`: token_sha256 must", "`a`: concurrent_calls must", "``: name must", "``: has none", "`c`: subject needs"] {
            assert!(said.contains(told), "{told}: {said}");
        }
        let said = read_text("[[caller]]\nname = \"a\"\ntoken = \"plain\"\n").unwrap_err().to_string();
        assert!(said.contains(".toml:3: ") && said.contains("unknown field `token`"), "{said}");
        assert!(read_text("").unwrap_err().to_string().contains("names no caller"));
    }
}
