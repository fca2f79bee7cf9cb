//! Values that only the holder of a key can read, at the place they were sealed for: AES-256-GCM (NIST SP 800-38D).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::encode::Fields;
use super::error::Error;
use super::keyring::{Keyring, Owner};
use super::kind::Kind;
use crate::base::secret::Secret;

/// Bytes of a nonce. It is drawn anew for everything that is sealed, and may be known.
pub const NONCE_BYTES: usize = NONCE_LEN;

/// Begins what the personal values of an event are bound to.
const PERSONAL: &str = "muster.sealed.1";

/// 256 bits that never print.
pub(super) type Key = Secret<[u8; 32]>;

/// nonce ‖ ciphertext ‖ tag, as base64.
///
/// INVARIANT: the nonce was never used with this key. Both are drawn by the caller; at 96 random bits a key may seal
/// 2³² times (SP 800-38D §8.3), which is far more than a person has events or an installation has keys.
pub(super) fn seal(key: &Key, nonce: [u8; NONCE_BYTES], bound: Vec<u8>, plain: &[u8]) -> Result<String, Error> {
    seal_bytes(key, nonce, bound, plain).map(|sealed| STANDARD.encode(sealed))
}

/// What was sealed with this key for this place.
pub(super) fn open(key: &Key, bound: Vec<u8>, sealed: &str) -> Result<Vec<u8>, Error> {
    let bytes = STANDARD.decode(sealed).map_err(|_| Error::Sealed)?;
    open_bytes(key, bound, &bytes)
}

/// The same as [`seal`] before it is base64.
pub(super) fn seal_bytes(key: &Key, nonce: [u8; NONCE_BYTES], bound: Vec<u8>, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut sealed = plain.to_vec();
    let tag = cipher(key)?
        .seal_in_place_separate_tag(Nonce::from(&nonce), Aad::from(bound), &mut sealed)
        .map_err(|_| Error::Library)?;
    Ok([&nonce, sealed.as_slice(), tag.as_ref()].concat())
}

/// What [`seal_bytes`] sealed.
pub(super) fn open_bytes(key: &Key, bound: Vec<u8>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Error::Sealed)?;
    let mut rest = rest.to_vec();
    let plain = cipher(key)?
        .open_in_place(Nonce::from(nonce), Aad::from(bound), &mut rest)
        .map_err(|_| Error::Sealed)?
        .len();
    rest.truncate(plain);
    Ok(rest)
}

fn cipher(key: &Key) -> Result<LessSafeKey, Error> {
    let unbound = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| Error::Library)?;
    Ok(LessSafeKey::new(unbound))
}

/// Where in the log personal values stand: sealed for one place, they open at no other.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Public id of the tenant.
    pub tenant: &'a str,
    /// Id of what was saved as one.
    pub txn: &'a str,
    /// What happened.
    pub kind: Kind,
    /// Public id of whom it happened to.
    pub subject: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        Fields::begin(PERSONAL)
            .text(self.tenant)
            .text(self.txn)
            .text(self.kind.as_str())
            .text(self.subject)
            .end()
    }
}

/// The key of one person. Whoever forgets it has erased every value of the person in the log.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonKey(Key);

impl PersonKey {
    /// Of 32 bytes that were drawn for this person.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Seals values of the person for one place in the log.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn seal(&self, place: &Place<'_>, nonce: [u8; NONCE_BYTES], values: &[u8]) -> Result<String, Error> {
        seal(&self.0, nonce, place.bytes(), values)
    }

    /// The values that were sealed for this place.
    ///
    /// # Errors
    /// [`Error::Sealed`] with another key, at another place, and for changed bytes.
    pub fn open(&self, place: &Place<'_>, sealed: &str) -> Result<Vec<u8>, Error> {
        open(&self.0, place.bytes(), sealed)
    }

    /// The key as it is stored, sealed under the newest wrapping key.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn wrap(&self, ring: &Keyring, owner: &Owner<'_>, nonce: [u8; NONCE_BYTES]) -> Result<String, Error> {
        ring.seal(owner, nonce, self.0.expose())
    }

    /// The key of what is stored.
    ///
    /// # Errors
    /// [`Error::UnknownWrap`] and [`Error::Sealed`], as [`Keyring::open`].
    pub fn unwrap(ring: &Keyring, owner: &Owner<'_>, wrapped: &str) -> Result<Self, Error> {
        let bytes = ring.open(owner, wrapped)?;
        let bytes: [u8; 32] = bytes.expose().as_slice().try_into().map_err(|_| Error::Sealed)?;
        Ok(Self::new(bytes))
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey([redacted])")
    }
}
