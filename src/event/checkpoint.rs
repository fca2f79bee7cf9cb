//! A signature for everything up to a position.

use serde::Deserialize;

use super::chain::Head;
use super::error::Error;
use super::export::{CHECKPOINT, as_written};
use super::flaw::Flaw;
use super::hash::Hash;
use super::jwk::Keys;
use super::line::Line;
use super::numbered::Seq;
use super::sign::SigningKey;
use crate::base::clock::Timestamp;

/// Says that the log of a tenant had this hash at this position. The signed head of a live log is one, too.
///
/// Kept elsewhere, it proves later that nothing up to it was changed or cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Public id of the tenant.
    pub tenant: String,
    /// The position.
    pub seq: Seq,
    /// Instant of the event there.
    pub at: Timestamp,
    /// Hash of the event there.
    pub hash: Hash,
    /// Id of the key that signed.
    pub key: String,
    /// Signature over the line up to here; base64url.
    pub signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    checkpoint: i64,
    tenant: String,
    at: i64,
    hash: String,
    key: String,
    signature: String,
}

impl Checkpoint {
    /// Signs a head.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn sign(tenant: &str, head: &Head, key: &SigningKey) -> Result<Self, Error> {
        let mut made = Self {
            tenant: tenant.to_owned(),
            seq: head.seq,
            at: head.at,
            hash: head.hash,
            key: key.public().kid().to_owned(),
            signature: String::new(),
        };
        made.signature = made.unsigned().sign(key)?;
        Ok(made)
    }

    /// What it says.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head {
            seq: self.seq,
            at: self.at,
            hash: self.hash,
        }
    }

    /// Its one form, in an export and in a file of its own: a line of JSON with its `\n`.
    #[must_use]
    pub fn line(&self) -> String {
        self.unsigned().text("signature", &self.signature).end()
    }

    /// Reads such a line. The signature is not looked at.
    ///
    /// # Errors
    /// [`Flaw::Line`] and [`Flaw::Reprint`] when it is not such a line, byte for byte.
    pub fn read(line: &[u8]) -> Result<Self, Flaw> {
        let wire: Wire = serde_json::from_slice(line).map_err(|_| Flaw::Line)?;
        let made = Self {
            tenant: wire.tenant,
            seq: Seq(wire.checkpoint),
            at: Timestamp(wire.at),
            hash: Hash::parse(&wire.hash).ok_or(Flaw::Line)?,
            key: wire.key,
            signature: wire.signature,
        };
        as_written(line, &made.line())?;
        Ok(made)
    }

    /// Whether one of the keys signed it.
    ///
    /// # Errors
    /// [`Flaw::UnknownKey`] and [`Flaw::Signature`].
    pub fn proven(&self, keys: &Keys) -> Result<(), Flaw> {
        self.unsigned().proven(keys, &self.key, &self.signature)
    }

    fn unsigned(&self) -> Line {
        Line::begin(CHECKPOINT, self.seq.0)
            .text("tenant", &self.tenant)
            .number("at", self.at.0)
            .text("hash", &self.hash.to_string())
            .text("key", &self.key)
    }
}
