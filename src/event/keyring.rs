//! The keys outside the database, under which everything secret in it is sealed.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::encode::Fields;
use super::error::Error;
use super::seal::{self, Key, NONCE_BYTES};
use crate::base::secret::Secret;

/// First word of a line of a key file.
const WRAP: &str = "wrap";

/// Begins what a wrapped secret is bound to.
const WRAPPED: &str = "muster.wrapped.1";

/// Begins what a key is worked out from that seals one thing alone.
const HANDED: &str = "muster.handed.1";

/// Bytes of which that key is worked out, beside the wrapping key.
const SALT_BYTES: usize = 16;

/// Random bytes for something that is handed out: those of its key, and its nonce.
pub const HANDED_BYTES: usize = SALT_BYTES + NONCE_BYTES;

/// Longest id of a wrapping key; it stands before everything that is sealed under it.
const MAX_ID: usize = 32;

/// Whose secret it is: wrapped for one owner, it opens for no other.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// What kind of secret, such as `person` or `signing-key`.
    pub what: &'a str,
    /// Public id of the tenant; empty for what belongs to the installation.
    pub tenant: &'a str,
    /// Public id of the owner.
    pub id: &'a str,
}

#[derive(Debug, Clone)]
struct Wrap {
    id: String,
    key: Key,
}

/// The wrapping keys of an installation, newest first.
///
/// INVARIANT: there is at least one, and their ids differ.
#[derive(Debug, Clone)]
pub struct Keyring(Vec<Wrap>);

impl Keyring {
    /// A ring with one key. An id is 1 to 32 letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// [`Error::KeyLine`] for another id.
    pub fn of(id: &str, key: [u8; 32]) -> Result<Self, Error> {
        let named = is_id(id).then(|| Wrap {
            id: id.to_owned(),
            key: Secret::new(key),
        });
        named.map(|wrap| Self(vec![wrap])).ok_or(Error::KeyLine(1))
    }

    /// Reads a key file: `wrap ID BASE64` a line, newest first; blank lines and lines with `#` in front are not read.
    ///
    /// # Errors
    /// [`Error::KeyLine`] with the line, never with what is in it; [`Error::NoKey`] for a file without a key.
    pub fn read(text: &str) -> Result<Self, Error> {
        let mut wraps: Vec<Wrap> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrap = wrap(line).filter(|wrap| wraps.iter().all(|known| known.id != wrap.id));
            wraps.push(wrap.ok_or(Error::KeyLine(number))?);
        }
        let some = !wraps.is_empty();
        some.then_some(Self(wraps)).ok_or(Error::NoKey)
    }

    /// Ids of the keys, newest first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|wrap| wrap.id.as_str())
    }

    /// The key file of this ring.
    #[must_use]
    pub fn text(&self) -> Secret<String> {
        let mut text = String::new();
        for wrap in &self.0 {
            // INVARIANT: writing into a string does not fail.
            let _ = writeln!(text, "{WRAP} {} {}", wrap.id, STANDARD.encode(wrap.key.expose()));
        }
        Secret::new(text)
    }

    /// Seals under the newest key: `ID.BASE64`.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn seal(&self, owner: &Owner<'_>, nonce: [u8; NONCE_BYTES], secret: &[u8]) -> Result<String, Error> {
        let newest = self.0.first().ok_or(Error::NoKey)?;
        let sealed = seal::seal(&newest.key, nonce, owner.bytes(&newest.id), secret)?;
        Ok(format!("{}.{sealed}", newest.id))
    }

    /// Opens what is sealed under any key of the ring.
    ///
    /// # Errors
    /// [`Error::UnknownWrap`] when the key is not in the ring; [`Error::Sealed`] for another owner or changed bytes.
    pub fn open(&self, owner: &Owner<'_>, wrapped: &str) -> Result<Secret<Vec<u8>>, Error> {
        let (id, sealed) = wrapped.split_once('.').ok_or(Error::Sealed)?;
        let wrap = self.0.iter().find(|wrap| wrap.id == id);
        let wrap = wrap.ok_or_else(|| Error::UnknownWrap(id.to_owned()))?;
        seal::open(&wrap.key, owner.bytes(id), sealed).map(Secret::new)
    }

    /// Seals what a client holds and brings back: `ID.BASE64URL`, which any address takes as it is.
    ///
    /// Each has a key of its own, worked out from the newest one: so many are handed out that one key for all of them
    /// would wear out (SP 800-38D §8.3).
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn hand_out(&self, owner: &Owner<'_>, chance: [u8; HANDED_BYTES], plain: &[u8]) -> Result<String, Error> {
        let newest = self.0.first().ok_or(Error::NoKey)?;
        let (salt, rest) = chance.split_at(SALT_BYTES);
        let nonce = rest.try_into().map_err(|_| Error::Library)?;
        let sealed = seal::seal_bytes(&newest.once(salt)?, nonce, owner.bytes(&newest.id), plain)?;
        let sealed = URL_SAFE_NO_PAD.encode([salt, sealed.as_slice()].concat());
        Ok(format!("{}.{sealed}", newest.id))
    }

    /// What was handed out, under any key of the ring.
    ///
    /// # Errors
    /// [`Error::UnknownWrap`] and [`Error::Sealed`], as [`Keyring::open`].
    pub fn take_back(&self, owner: &Owner<'_>, text: &str) -> Result<Vec<u8>, Error> {
        let (id, sealed) = text.split_once('.').ok_or(Error::Sealed)?;
        let wrap = self.0.iter().find(|wrap| wrap.id == id);
        let wrap = wrap.ok_or_else(|| Error::UnknownWrap(id.to_owned()))?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Error::Sealed)?;
        let (salt, sealed) = sealed.split_at_checked(SALT_BYTES).ok_or(Error::Sealed)?;
        seal::open_bytes(&wrap.once(salt)?, owner.bytes(id), sealed)
    }

    /// The same secret under the newest key; `None` when it is sealed so already.
    ///
    /// When everything was sealed anew, older keys can be destroyed: backups from before are mute then, too.
    ///
    /// # Errors
    /// As [`Keyring::open`] and [`Keyring::seal`].
    pub fn rewrap(&self, owner: &Owner<'_>, nonce: [u8; NONCE_BYTES], wrapped: &str) -> Result<Option<String>, Error> {
        let newest = self.0.first().ok_or(Error::NoKey)?;
        if wrapped.split_once('.').is_some_and(|(id, _)| id == newest.id) {
            return Ok(None);
        }
        let secret = self.open(owner, wrapped)?;
        self.seal(owner, nonce, secret.expose()).map(Some)
    }
}

impl Wrap {
    /// A key for one thing.
    fn once(&self, salt: &[u8]) -> Result<Key, Error> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.expose());
        let made = hmac::sign(&key, &Fields::begin(HANDED).bytes(salt).end());
        let made = made.as_ref().try_into().map_err(|_| Error::Library)?;
        Ok(Secret::new(made))
    }
}

impl Owner<'_> {
    fn bytes(&self, wrap: &str) -> Vec<u8> {
        Fields::begin(WRAPPED)
            .text(wrap)
            .text(self.what)
            .text(self.tenant)
            .text(self.id)
            .end()
    }
}

fn is_id(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(letter)
}

/// `wrap ID BASE64`.
fn wrap(line: &str) -> Option<Wrap> {
    let mut words = line.split_ascii_whitespace();
    let (first, id, key) = (words.next()?, words.next()?, words.next()?);
    let key: [u8; 32] = STANDARD.decode(key).ok()?.try_into().ok()?;
    let wrap = Wrap {
        id: id.to_owned(),
        key: Secret::new(key),
    };
    (first == WRAP && is_id(id) && words.next().is_none()).then_some(wrap)
}
