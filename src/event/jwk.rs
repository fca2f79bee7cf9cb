//! Public keys as JSON (RFC 7517), and those that somebody trusts.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::Error;
use super::sign::{Algorithm, PublicKey};

/// Begins an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// Bytes of a coordinate of P-256, and of a key of Ed25519.
const COORDINATE: usize = 32;

/// base64url without padding (RFC 7515 §2).
pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url; padding and bits that stand for nothing are refused.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The members that make the key, in the order of RFC 7638 §3.2; those of Ed25519 by RFC 8037 §2.
fn required(algorithm: Algorithm, bytes: &[u8]) -> Option<Value> {
    match (algorithm, bytes) {
        (Algorithm::Ed25519, x) if x.len() == COORDINATE => {
            Some(json!({ "crv": "Ed25519", "kty": "OKP", "x": encoded(x) }))
        }
        (Algorithm::Es256, [UNCOMPRESSED, point @ ..]) if point.len() == 2 * COORDINATE => {
            let (x, y) = point.split_at(COORDINATE);
            Some(json!({ "crv": "P-256", "kty": "EC", "x": encoded(x), "y": encoded(y) }))
        }
        _ => None,
    }
}

/// RFC 7638 §3 with SHA-256; `None` for bytes that are no key.
pub(super) fn thumbprint(algorithm: Algorithm, bytes: &[u8]) -> Option<String> {
    let required = required(algorithm, bytes)?;
    Some(encoded(&Sha256::digest(required.to_string().as_bytes())))
}

impl PublicKey {
    /// The key as a JWK, with `kid`, `alg` and `use` (RFC 7517 §4).
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = required(self.algorithm(), self.bytes()).unwrap_or_default();
        jwk["kid"] = self.kid().into();
        jwk["alg"] = self.algorithm().as_str().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// Reads a JWK: an OKP key of Ed25519 or an EC key of P-256. Other members are not looked at.
    ///
    /// # Errors
    /// [`Error::NotAKey`] for another key, for one whose `kid` or `alg` says something else, and for one that holds a
    /// private part: it does not belong where public keys are handed around.
    pub fn from_jwk(jwk: &Value) -> Result<Self, Error> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            let bytes = text(name).and_then(decoded);
            bytes.filter(|bytes| bytes.len() == COORDINATE).ok_or(Error::NotAKey)
        };
        let (algorithm, bytes) = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => (Algorithm::Ed25519, bytes("x")?),
            (Some("EC"), Some("P-256")) => {
                let point = [vec![UNCOMPRESSED], bytes("x")?, bytes("y")?].concat();
                (Algorithm::Es256, point)
            }
            _ => return Err(Error::NotAKey),
        };
        let key = Self::of(algorithm, &bytes)?;
        let fits = |name: &str, is: &str| jwk.get(name).is_none_or(|said| said.as_str() == Some(is));
        let fits = fits("kid", key.kid()) && fits("alg", algorithm.as_str()) && jwk.get("d").is_none();
        fits.then_some(key).ok_or(Error::NotAKey)
    }
}

/// Public keys by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, PublicKey>);

impl Keys {
    /// Reads a JWK, or a JWK Set (RFC 7517 §5).
    ///
    /// # Errors
    /// When it is neither, or holds no key, or one of its keys is none that Muster makes.
    pub fn read(text: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text).map_err(|_| Error::Unreadable("JWK"))?;
        let jwks = match value.get("keys") {
            Some(Value::Array(keys)) => keys.as_slice(),
            Some(_) => return Err(Error::Unreadable("JWK Set")),
            None => std::slice::from_ref(&value),
        };
        let keys: Self = jwks.iter().map(PublicKey::from_jwk).collect::<Result<_, _>>()?;
        let some = !keys.0.is_empty();
        some.then_some(keys).ok_or(Error::Unreadable("JWK Set"))
    }

    /// As a JWK Set (RFC 7517 §5), in the order of the ids.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.iter().map(PublicKey::jwk).collect::<Value>() })
    }

    /// The key of this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.0.get(kid)
    }

    /// All of them, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.values()
    }
}

impl FromIterator<PublicKey> for Keys {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        Self(keys.into_iter().map(|key| (key.kid().to_owned(), key)).collect())
    }
}
