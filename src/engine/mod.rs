//! The engine: a bulletin's text in, a [`Report`] out. Pure: no I/O, clock or environment.

pub mod lexicon;
pub mod recognize;
pub mod report;
pub mod source;

use report::{EngineInfo, Report};

/// A bulletin as the caller sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulletin {
    /// The caller's identifier, echoed in the report.
    pub id: String,
    /// The text to read.
    pub text: String,
    /// Wins over what the text says; empty if not known.
    pub publisher: String,
    /// `YYYY-MM-DD`; wins over what the text says; empty if not known.
    pub published_on: String,
    /// Where the text came from; not read.
    pub source_uri: String,
}

/// Reads bulletins with one lexicon. Cheap to share, safe to call from any thread.
#[derive(Debug)]
pub struct Engine {
    lexicon: lexicon::Lexicon,
}

impl Engine {
    /// The engine with the built-in lexicon.
    ///
    /// # Errors
    /// When a table of the lexicon does not load.
    pub fn new() -> Result<Self, lexicon::LexiconError> {
        Ok(Self { lexicon: lexicon::Lexicon::load()? })
    }

    /// Reads one bulletin. Cannot fail: what is in doubt becomes a finding.
    #[must_use]
    pub fn extract(&self, bulletin: &Bulletin) -> Report {
        Report {
            bulletin_id: bulletin.id.clone(),
            engine: EngineInfo {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                lexicon_digest: self.lexicon.digest().to_owned(),
            },
            ..Report::default()
        }
    }
}
