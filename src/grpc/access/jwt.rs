//! Tokens of an issuer whose keys are in a local JWKS file.

use std::collections::HashMap;
use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{JwkSet, KeyAlgorithm};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation, decode, decode_header};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 8 << 10;
/// Seconds by which clocks may differ.
const LEEWAY_SECONDS: u64 = 30;

/// Who issues tokens, and with which keys.
#[derive(Debug)]
pub struct Issuer {
    keys: HashMap<String, (DecodingKey, Algorithm)>,
    name: String,
    audience: String,
}

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

impl Issuer {
    /// The issuer with these keys.
    ///
    /// # Errors
    /// What is wrong with the keys.
    pub fn new(name: String, audience: String, jwks: &str) -> Result<Self, String> {
        use_ring();
        let set: JwkSet = serde_json::from_str(jwks).map_err(|error| format!("is no JWKS: {error}"))?;
        let mut keys = HashMap::new();
        for (number, key) in set.keys.iter().enumerate() {
            let wrong = |what: &str| format!("key {}: {what}", number + 1);
            let id = key.common.key_id.clone().ok_or_else(|| wrong("has no kid"))?;
            let algorithm = key.common.key_algorithm.and_then(algorithm);
            let algorithm =
                algorithm.ok_or_else(|| wrong("alg is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"))?;
            let decoding = DecodingKey::from_jwk(key).map_err(|error| wrong(&error.to_string()))?;
            if decoding.family() != algorithm.family() {
                return Err(wrong("alg does not go with kty"));
            }
            if keys.insert(id, (decoding, algorithm)).is_some() {
                return Err(wrong("has the kid of an earlier one"));
            }
        }
        if keys.is_empty() { Err("holds no key".to_owned()) } else { Ok(Self { keys, name, audience }) }
    }

    /// The subject of a token that is valid now.
    ///
    /// # Errors
    /// Why it is not, in a word.
    pub fn subject(&self, token: &str) -> Result<String, &'static str> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err("malformed");
        }
        let header = decode_header(token).map_err(|_| "malformed")?;
        // The algorithm is the key's, whatever the token says.
        let (key, algorithm) = header.kid.as_ref().and_then(|id| self.keys.get(id)).ok_or("unknown_key")?;
        let mut validation = Validation::new(*algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.name]);
        validation.set_audience(&[&self.audience]);
        let claims = decode::<Claims>(token, key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => "expired",
            ErrorKind::ImmatureSignature => "not_yet_valid",
            ErrorKind::InvalidIssuer => "other_issuer",
            ErrorKind::InvalidAudience => "other_audience",
            ErrorKind::InvalidSignature => "bad_signature",
            _ => "malformed",
        })?;
        Ok(claims.claims.sub)
    }
}

/// The signature algorithms that are accepted: with public keys alone, so that the file holds no secret.
fn algorithm(named: KeyAlgorithm) -> Option<Algorithm> {
    Some(match named {
        KeyAlgorithm::RS256 => Algorithm::RS256,
        KeyAlgorithm::RS384 => Algorithm::RS384,
        KeyAlgorithm::RS512 => Algorithm::RS512,
        KeyAlgorithm::PS256 => Algorithm::PS256,
        KeyAlgorithm::PS384 => Algorithm::PS384,
        KeyAlgorithm::PS512 => Algorithm::PS512,
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::ES384 => Algorithm::ES384,
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        _ => return None,
    })
}

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }) as Box<dyn JwtVerifier>),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Signatures are checked by the library that TLS uses too.
fn use_ring() {
    static ONCE: Once = Once::new();
    // Another provider may be installed by whoever uses this crate.
    ONCE.call_once(|| {
        let _ = RING.install_default();
    });
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let checked = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let parameters = rsa(self.algorithm).ok_or_else(SignatureError::new)?;
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            DecodingKeyKind::SecretOrDer(bytes) => {
                let curve = curve(self.algorithm).ok_or_else(SignatureError::new)?;
                UnparsedPublicKey::new(curve, bytes).verify(message, signature)
            }
        };
        checked.map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        _ => return None,
    })
}
