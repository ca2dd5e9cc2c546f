//! TLS: the server's certificate and key, and whose certificates callers may show.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::files;
use crate::metrics::Reloaded;
use crate::renew::{self, Problems, Source, kept};

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

/// What a server speaks TLS with.
#[derive(Debug)]
pub struct Tls {
    /// For new connections.
    pub config: Arc<ServerConfig>,
    /// Who tells which callers' certificates are trusted, if they are asked for.
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Tls {
    /// Whether a caller that showed this certificate, with those above it, would be let in today.
    #[must_use]
    pub fn trusts(&self, shown: &[CertificateDer<'_>]) -> bool {
        let (Some(verifier), Some((own, above))) = (&self.verifier, shown.split_first()) else { return false };
        verifier.verify_client_cert(own, above, UnixTime::now()).is_ok()
    }
}

impl Source for Files {
    type Made = Tls;
    type Problems = Problems;
    const WHAT: Reloaded = Reloaded::Tls;
    const NAME: &'static str = "certificates";

    fn make(&self) -> Result<Tls, Problems> {
        let mut problems = Vec::new();
        let certificates = kept(certificates(&self.certificate), &mut problems);
        let key = kept(key(&self.key), &mut problems);
        let authorities = self.client_authorities.as_deref().and_then(|path| kept(authorities(path), &mut problems));
        let (Some(certificates), Some(key), []) = (certificates, key, problems.as_slice()) else { return Err(told(problems)) };
        let whole = |error: &dyn fmt::Display| told(vec![format!("{}: {error}", self.certificate.display())]);
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| whole(&error))?;
        let verifier = authorities.map(|roots| {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if self.client_optional { verifier.allow_unauthenticated() } else { verifier };
            verifier.build().map_err(|error| whole(&error))
        });
        let verifier = verifier.transpose()?;
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        };
        let mut config = builder.with_single_cert(certificates, key).map_err(|error| whole(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), verifier })
    }

    fn describe(_: &Tls) -> String {
        "new connections use them".to_owned()
    }

    fn fingerprint(&self) -> Option<Vec<u8>> {
        Some(renew::fingerprint([&self.certificate, &self.key].into_iter().chain(&self.client_authorities)))
    }
}

fn told(list: Vec<String>) -> Problems {
    Problems { about: "the server cannot speak TLS", list }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    files::bytes(path, files::MAX_FILE_BYTES).map_err(|wrong| wrong.of(&path.display().to_string()))
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
