//! TLS: the server's certificate and key, and whose certificates callers may show.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::metrics::Reloaded;
use crate::renew::{self, Source};

/// Longest file of certificates or keys, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The server's certificate and those above it, as PEM.
    pub certificate: PathBuf,
    /// Its key, as PEM.
    pub key: PathBuf,
    /// The authorities that callers' certificates come from, as PEM; none are asked for without.
    pub client_authorities: Option<PathBuf>,
    /// Whether a caller may come without a certificate all the same.
    pub client_optional: bool,
}

/// All that is wrong with the files, each with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server cannot speak TLS:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Source for Files {
    type Made = ServerConfig;
    type Problems = Problems;
    const WHAT: Reloaded = Reloaded::Tls;
    const NAME: &'static str = "certificates";

    fn make(&self) -> Result<ServerConfig, Problems> {
        let mut problems = Vec::new();
        let certificates = kept(certificates(&self.certificate), &mut problems);
        let key = kept(key(&self.key), &mut problems);
        let authorities = self.client_authorities.as_deref().and_then(|path| kept(authorities(path), &mut problems));
        let (Some(certificates), Some(key), []) = (certificates, key, problems.as_slice()) else { return Err(Problems(problems)) };
        let whole = |error: &dyn fmt::Display| Problems(vec![format!("{}: {error}", self.certificate.display())]);
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| whole(&error))?;
        let builder = match authorities {
            None => builder.with_no_client_auth(),
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if self.client_optional { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| whole(&error))?)
            }
        };
        let mut config = builder.with_single_cert(certificates, key).map_err(|error| whole(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn describe(_: &ServerConfig) -> String {
        "new connections use them".to_owned()
    }

    fn fingerprint(&self) -> Option<Vec<u8>> {
        Some(renew::fingerprint([&self.certificate, &self.key].into_iter().chain(&self.client_authorities)))
    }
}

fn kept<T>(result: Result<T, String>, problems: &mut Vec<String>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)) {
        Err(error) => Err(format!("{}: cannot be read: {error}", path.display())),
        Ok(length) if length as u64 > MAX_FILE_BYTES => Err(format!("{}: has more than {MAX_FILE_BYTES} bytes", path.display())),
        Ok(_) => Ok(bytes),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_slice_iter(&read(path)?).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| format!("{}: bad PEM: {error}", path.display()))?;
    if found.is_empty() { Err(format!("{}: holds no certificate in PEM", path.display())) } else { Ok(found) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| format!("{}: holds no private key in PEM", path.display()))
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// The names that a certificate is for; it has been verified.
#[must_use]
pub fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    webpki::EndEntityCert::try_from(certificate).map_or_else(|_| Vec::new(), |parsed| parsed.valid_dns_names().map(str::to_owned).collect())
}
