//! What is made of the operator's files and can be made anew while the server serves: the engine, TLS, the callers.
//!
//! A renewal that fails leaves the last good one in force, and says so in one log line and a metric.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::files;
use crate::metrics::{Metrics, Reloaded};

/// Files, and how to make something of them.
pub trait Source: fmt::Debug + Send + Sync {
    /// What is made.
    type Made: Send + Sync;
    /// What is wrong with the files.
    type Problems: fmt::Display;
    /// What it is to the metrics.
    const WHAT: Reloaded;
    /// What it is to a reader of the log.
    const NAME: &'static str;

    /// Reads the files.
    ///
    /// # Errors
    /// All that is wrong with them.
    fn make(&self) -> Result<Self::Made, Self::Problems>;

    /// What the log says of it.
    fn describe(made: &Self::Made) -> String;

    /// What changes when the files do, if they are to be looked at without being told.
    fn fingerprint(&self) -> Option<Vec<u8>> {
        None
    }
}

/// The one in force.
#[derive(Debug)]
pub struct Renewable<S: Source> {
    source: S,
    made: RwLock<Arc<S::Made>>,
    renewed: watch::Sender<()>,
    seen: Mutex<Option<Vec<u8>>>,
}

impl<S: Source> Renewable<S> {
    /// The first, of what the files say now.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn start(source: S) -> Result<Self, S::Problems> {
        let seen = Mutex::new(source.fingerprint());
        let made = RwLock::new(Arc::new(source.make()?));
        Ok(Self { source, made, renewed: watch::Sender::new(()), seen })
    }

    /// The one in force. Who holds it keeps it over a renewal.
    #[must_use]
    pub fn current(&self) -> Arc<S::Made> {
        Arc::clone(&self.made.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells of each renewal from now on.
    #[must_use]
    pub fn renewals(&self) -> watch::Receiver<()> {
        self.renewed.subscribe()
    }

    /// Reads the files again.
    pub fn renew(&self, metrics: &Metrics) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.source.fingerprint();
        let made = self.source.make();
        metrics.reloaded(S::WHAT, made.is_ok());
        match made {
            Ok(made) => {
                let said = S::describe(&made);
                let old = std::mem::replace(&mut *self.made.write().unwrap_or_else(PoisonError::into_inner), Arc::new(made));
                drop(old);
                self.renewed.send_replace(());
                tracing::info!("{} reloaded: {said}", S::NAME);
            }
            Err(problems) => {
                let problems: Vec<_> = problems.to_string().lines().map(|line| line.trim().to_owned()).collect();
                tracing::error!(problems = problems.join("; "), "{} not reloaded, the last good ones stay in force", S::NAME);
            }
        }
    }

    /// Reads the files again if they have changed since the last time.
    pub fn renew_if_changed(&self, metrics: &Metrics) {
        let fingerprint = self.source.fingerprint();
        if fingerprint.is_some() && fingerprint != *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            self.renew(metrics);
        }
    }
}

/// All that is wrong with files, each problem with its file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// What cannot be done because of them.
    pub about: &'static str,
    /// The problems.
    pub list: Vec<String>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.about)?;
        self.list.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// What was made, or none and its problem among the others.
pub fn kept<T, E: fmt::Display>(result: Result<T, E>, problems: &mut Vec<String>) -> Option<T> {
    result.map_err(|problem| problems.push(problem.to_string())).ok()
}

/// A fingerprint of what these files hold.
#[must_use]
pub fn fingerprint<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for path in paths {
        let content = files::bytes(path.as_ref(), files::MAX_FILE_BYTES).unwrap_or_default();
        digest.update((content.len() as u64).to_le_bytes());
        digest.update(content);
    }
    digest.finalize().to_vec()
}
