//! Who may call: bearer tokens and the names in certificates, each caller with its methods and limits.

mod bucket;
mod file;
mod jwt;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use super::edge::REFLECTION;
use super::service::{BULK, UNARY};
use super::status::{self, Reason};
use crate::metrics::Reloaded;
use crate::renew::{self, Problems, Source};
use bucket::Bucket;
use jwt::Issuer;

/// A method that may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Allowed {
    /// Unary calls.
    ExtractReport,
    /// Streams.
    BulkExtractReports,
    /// Server reflection.
    Reflection,
}

impl Allowed {
    /// The method that a path stands for; none for what everybody may call.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        match path {
            UNARY => Some(Self::ExtractReport),
            BULK => Some(Self::BulkExtractReports),
            _ if path.starts_with(REFLECTION) => Some(Self::Reflection),
            _ => None,
        }
    }
}

/// One caller, as the operator describes it.
#[derive(Debug)]
pub struct Caller {
    /// Its name in the audit log.
    pub name: String,
    methods: Vec<Allowed>,
    places: Option<Arc<Semaphore>>,
    bucket: Option<Bucket>,
}

impl Caller {
    /// A place among the caller's calls; none where these are not limited.
    ///
    /// # Errors
    /// The caller has as many calls in flight as it may have.
    pub fn place(&self) -> Result<Option<OwnedSemaphorePermit>, Status> {
        let Some(places) = &self.places else { return Ok(None) };
        let full = |_| status::overloaded(Reason::CallerLimit, "the caller has too many calls in flight", Duration::from_millis(500));
        Arc::clone(places).try_acquire_owned().map(Some).map_err(full)
    }

    /// When the caller may have one more bulletin read; at once where its rate is not limited.
    ///
    /// # Errors
    /// How long it is to wait.
    pub fn bulletin(&self) -> Result<(), Duration> {
        self.bucket.as_ref().map_or(Ok(()), |bucket| bucket.take(std::time::Instant::now()))
    }
}

/// What a caller shows; the cause is for the operator alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It shows nothing, or something that is not known, expired or forged.
    Unauthenticated(&'static str),
    /// It is known, and may not call this method.
    NotAllowed,
}

impl Denied {
    /// What the caller is told: that, and not why.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Unauthenticated(_) => status::of(Reason::Unauthenticated, "the call has no valid credentials"),
            Self::NotAllowed => status::of(Reason::PermissionDenied, "the caller may not call this method"),
        }
    }
}

/// Everybody that may call.
#[derive(Debug)]
pub struct Callers {
    by_token: HashMap<[u8; 32], Arc<Caller>>,
    by_certificate: HashMap<String, Arc<Caller>>,
    by_subject: HashMap<String, Arc<Caller>>,
    any_subject: Option<Arc<Caller>>,
    issuer: Option<Issuer>,
    count: usize,
}

impl Callers {
    /// Who calls this method with these headers over a connection with these names, and that it may.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, headers: &HeaderMap, certificate: &[String], method: Allowed) -> Result<Arc<Caller>, Denied> {
        let caller = match headers.get(AUTHORIZATION) {
            Some(value) => self.bearer(value.to_str().map_err(|_| Denied::Unauthenticated("malformed"))?)?,
            None => certificate
                .iter()
                .find_map(|name| self.by_certificate.get(name))
                .ok_or(Denied::Unauthenticated(if certificate.is_empty() { "missing" } else { "unknown_certificate" }))?,
        };
        if caller.methods.contains(&method) { Ok(Arc::clone(caller)) } else { Err(Denied::NotAllowed) }
    }

    fn bearer(&self, value: &str) -> Result<&Arc<Caller>, Denied> {
        let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let token = token.ok_or(Denied::Unauthenticated("malformed"))?;
        if let Some(caller) = self.by_token.get::<[u8; 32]>(&Sha256::digest(token.as_bytes()).into()) {
            return Ok(caller);
        }
        let issuer = self.issuer.as_ref().ok_or(Denied::Unauthenticated("unknown_token"))?;
        let subject = issuer.subject(token).map_err(Denied::Unauthenticated)?;
        self.by_subject.get(&subject).or(self.any_subject.as_ref()).ok_or(Denied::Unauthenticated("unknown_subject"))
    }
}

/// The file that names the callers, and with it the keys of those who issue tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallersFile(pub PathBuf);

impl Source for CallersFile {
    type Made = Callers;
    type Problems = Problems;
    const WHAT: Reloaded = Reloaded::Access;
    const NAME: &'static str = "callers";

    fn make(&self) -> Result<Callers, Problems> {
        file::read(&self.0)
    }

    fn describe(callers: &Callers) -> String {
        format!("{} may call", callers.count)
    }

    fn fingerprint(&self) -> Option<Vec<u8>> {
        Some(renew::fingerprint(std::iter::once(self.0.clone()).chain(file::keys_path(&self.0))))
    }
}
