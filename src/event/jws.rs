//! Signed tokens: JWS in its compact form (RFC 7515 §7.1), with a key that is named by its id.

use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::jwk::{Keys, decoded, encoded};
use super::sign::{Algorithm, SigningKey};

/// Unknown members are refused: `crit` or `b64` would change what the signature means (RFC 7515 §4.1.11, RFC 7797).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// `BASE64URL(header).BASE64URL(payload).BASE64URL(signature)`; `typ` says what the payload is (RFC 8725 §3.11).
///
/// # Errors
/// When the cryptographic library fails.
pub fn sign(key: &SigningKey, typ: &str, payload: &[u8]) -> Result<String, Error> {
    let public = key.public();
    let header = json!({ "alg": public.algorithm().as_str(), "typ": typ, "kid": public.kid() });
    let input = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(payload));
    let signature = key.sign(input.as_bytes())?;
    Ok(format!("{input}.{}", encoded(&signature)))
}

/// The payload of a token of this type that one of the keys signed.
///
/// The algorithm is the key's: what the token says of it must agree, and is never followed (RFC 8725 §3.1).
///
/// # Errors
/// [`Error::Unreadable`] when it is no such token, [`Error::Unproven`] when no trusted key signed exactly this.
pub fn verify(token: &str, typ: &str, keys: &Keys) -> Result<Vec<u8>, Error> {
    const UNREADABLE: Error = Error::Unreadable("signed token");
    let (input, signature) = token.rsplit_once('.').ok_or(UNREADABLE)?;
    let (header, payload) = input.split_once('.').ok_or(UNREADABLE)?;
    let read = |part: &str| decoded(part).ok_or(UNREADABLE);
    let (payload, signature) = (read(payload)?, read(signature)?);
    let header: Header = serde_json::from_slice(&read(header)?).map_err(|_| UNREADABLE)?;
    let key = keys.find(&header.kid).ok_or(Error::Unproven)?;
    let said = Algorithm::parse(&header.alg);
    let holds = said == Some(key.algorithm()) && header.typ == typ && key.verify(input.as_bytes(), &signature);
    holds.then_some(payload).ok_or(Error::Unproven)
}
