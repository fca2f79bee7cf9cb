//! An export of a log: what is written, and how strictly it is read.
//!
//! JSON lines: a manifest, events with checkpoints where they fall, an end. Every line has one form, byte for byte.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::error::Error;
use super::flaw::Flaw;
use super::hash::Hash;
use super::jwk::Keys;
use super::line::Line;
use super::numbered::{Event, Seq};
use super::sign::{PublicKey, SigningKey};
use crate::base::clock::Timestamp;

const MANIFEST: &str = "muster";
pub(super) const EVENT: &str = "seq";
pub(super) const CHECKPOINT: &str = "checkpoint";
const END: &str = "end";

/// What the first member of a manifest says.
const LOG: &str = "log";

/// Number of this format. A reader of another one refuses.
const FORMAT: i64 = 1;

/// The first line: which part of which log this is. It is signed, so what it says of the beginning is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Public id of the tenant.
    pub tenant: String,
    /// What the first event of the export follows.
    pub after: Head,
    /// The last position of the export.
    pub to: Seq,
    /// Keys that signed, so that a reader knows which to ask for. They are never trusted because they stand here.
    pub keys: Vec<PublicKey>,
    /// Id of the key that signed the line.
    pub key: String,
    /// Signature over the line up to here; base64url.
    pub signature: String,
}

/// The last line: the log came exactly here, and no line of this export is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The last position.
    pub to: Seq,
    /// Hash of the event there.
    pub hash: Hash,
    /// SHA-256 of every byte of the export before this line.
    pub digest: Hash,
    /// Id of the key that signed the line.
    pub key: String,
    /// Signature over the line up to here; base64url.
    pub signature: String,
}

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// The first line.
    Manifest(Manifest),
    /// An event and its hash.
    Event(Box<Event>, Hash),
    /// A checkpoint.
    Checkpoint(Checkpoint),
    /// The last line.
    End(End),
}

impl Read {
    /// Reads a line with its `\n`.
    ///
    /// # Errors
    /// [`Flaw::Line`] when it is no such line, [`Flaw::Reprint`] when Muster would write what it says in other bytes:
    /// with a space, another order, another escape. So whoever changes a byte changes what is said.
    pub fn line(line: &[u8]) -> Result<Self, Flaw> {
        let kind = [MANIFEST, EVENT, CHECKPOINT, END].into_iter().find(|name| {
            let rest = line
                .strip_prefix(b"{\"")
                .and_then(|rest| rest.strip_prefix(name.as_bytes()));
            rest.is_some_and(|rest| rest.starts_with(b"\":"))
        });
        let read = match kind.ok_or(Flaw::Line)? {
            MANIFEST => Manifest::read(line).map(Self::Manifest),
            EVENT => event(line).map(|(event, hash)| Self::Event(Box::new(event), hash)),
            CHECKPOINT => Some(Self::Checkpoint(Checkpoint::read(line)?)),
            _ => End::read(line).map(Self::End),
        };
        let read = read.ok_or(Flaw::Line)?;
        as_written(line, &read.written())?;
        Ok(read)
    }

    fn written(&self) -> String {
        match self {
            Self::Manifest(manifest) => manifest.line(),
            Self::Event(event, hash) => event.line(hash),
            Self::Checkpoint(checkpoint) => checkpoint.line(),
            Self::End(end) => end.line(),
        }
    }
}

/// A line must be its own reprint.
pub(super) fn as_written(line: &[u8], written: &str) -> Result<(), Flaw> {
    let same = line == written.as_bytes();
    same.then_some(()).ok_or(Flaw::Reprint)
}

impl Manifest {
    /// Its one form: a line of JSON with its `\n`.
    #[must_use]
    pub fn line(&self) -> String {
        self.unsigned().text("signature", &self.signature).end()
    }

    /// Whether one of the keys signed it.
    ///
    /// # Errors
    /// [`Flaw::UnknownKey`] and [`Flaw::Signature`].
    pub fn proven(&self, keys: &Keys) -> Result<(), Flaw> {
        self.unsigned().proven(keys, &self.key, &self.signature)
    }

    fn unsigned(&self) -> Line {
        let keys: Value = self.keys.iter().map(PublicKey::jwk).collect();
        Line::begin_text(MANIFEST, LOG)
            .number("format", FORMAT)
            .text("tenant", &self.tenant)
            .number("from", self.after.seq.next().0)
            .number("to", self.to.0)
            .number("from_at", self.after.at.0)
            .text("from_hash", &self.after.hash.to_string())
            .raw("keys", &keys.to_string())
            .text("key", &self.key)
    }

    fn read(line: &[u8]) -> Option<Self> {
        let wire: ManifestWire = serde_json::from_slice(line).ok()?;
        let keys: Result<_, _> = wire.keys.iter().map(PublicKey::from_jwk).collect();
        let ours = wire.muster == LOG && wire.format == FORMAT && wire.from > 0;
        ours.then_some(Self {
            tenant: wire.tenant,
            after: Head {
                seq: Seq(wire.from.saturating_sub(1)),
                at: Timestamp(wire.from_at),
                hash: Hash::parse(&wire.from_hash)?,
            },
            to: Seq(wire.to),
            keys: keys.ok()?,
            key: wire.key,
            signature: wire.signature,
        })
    }
}

impl End {
    /// Its one form: a line of JSON with its `\n`.
    #[must_use]
    pub fn line(&self) -> String {
        self.unsigned().text("signature", &self.signature).end()
    }

    /// Whether one of the keys signed it.
    ///
    /// # Errors
    /// [`Flaw::UnknownKey`] and [`Flaw::Signature`].
    pub fn proven(&self, keys: &Keys) -> Result<(), Flaw> {
        self.unsigned().proven(keys, &self.key, &self.signature)
    }

    fn unsigned(&self) -> Line {
        Line::begin(END, self.to.0)
            .text("hash", &self.hash.to_string())
            .text("digest", &self.digest.to_string())
            .text("key", &self.key)
    }

    fn read(line: &[u8]) -> Option<Self> {
        let wire: EndWire = serde_json::from_slice(line).ok()?;
        Some(Self {
            to: Seq(wire.end),
            hash: Hash::parse(&wire.hash)?,
            digest: Hash::parse(&wire.digest)?,
            key: wire.key,
            signature: wire.signature,
        })
    }
}

fn event(line: &[u8]) -> Option<(Event, Hash)> {
    let wire: EventWire<'_> = serde_json::from_slice(line).ok()?;
    let event = Event {
        seq: Seq(wire.seq),
        at: Timestamp(wire.at),
        txn: wire.txn,
        part: wire.part,
        kind: wire.kind,
        actor_kind: wire.actor_kind,
        actor_id: wire.actor_id,
        connection: wire.connection,
        request_id: wire.request_id,
        subject_kind: wire.subject_kind,
        subject_id: wire.subject_id,
        cause: wire.cause.get().to_owned(),
        data: wire.data.get().to_owned(),
        sealed: wire.sealed,
    };
    Some((event, Hash::parse(&wire.hash)?))
}

/// Writes an export line by line, so that it can be streamed.
#[derive(Debug, Clone)]
pub struct Writer {
    head: Head,
    digest: Sha256,
}

impl Writer {
    /// The manifest line: the events after `after`, up to and with `to`. `keys` are those that signed.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn begin(
        tenant: &str,
        (after, to): (Head, Seq),
        keys: &Keys,
        signer: &SigningKey,
    ) -> Result<(Self, String), Error> {
        let mut manifest = Manifest {
            tenant: tenant.to_owned(),
            after,
            to,
            keys: keys.iter().cloned().collect(),
            key: signer.public().kid().to_owned(),
            signature: String::new(),
        };
        manifest.signature = manifest.unsigned().sign(signer)?;
        let mut writer = Self {
            head: after,
            digest: Sha256::new(),
        };
        let line = writer.wrote(manifest.line());
        Ok((writer, line))
    }

    /// The event that was written last, or what the first one follows.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The line of the next event, as it is in the database: whether it is whole, the reader of the export finds out.
    pub fn event(&mut self, event: &Event, hash: &Hash) -> String {
        self.head = Head {
            seq: event.seq,
            at: event.at,
            hash: *hash,
        };
        self.wrote(event.line(hash))
    }

    /// The line of a checkpoint, directly after the event that it stands for.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> String {
        self.wrote(checkpoint.line())
    }

    /// The last line.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn end(self, signer: &SigningKey) -> Result<String, Error> {
        let mut end = End {
            to: self.head.seq,
            hash: self.head.hash,
            digest: self.digest.into(),
            key: signer.public().kid().to_owned(),
            signature: String::new(),
        };
        end.signature = end.unsigned().sign(signer)?;
        Ok(end.line())
    }

    fn wrote(&mut self, line: String) -> String {
        self.digest.update(line.as_bytes());
        line
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestWire {
    muster: String,
    format: i64,
    tenant: String,
    from: i64,
    to: i64,
    from_at: i64,
    from_hash: String,
    keys: Vec<Value>,
    key: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventWire<'a> {
    seq: i64,
    at: i64,
    txn: String,
    part: i64,
    kind: String,
    actor_kind: String,
    actor_id: String,
    connection: Option<String>,
    request_id: Option<String>,
    subject_kind: Option<String>,
    subject_id: Option<String>,
    #[serde(borrow)]
    cause: &'a RawValue,
    #[serde(borrow)]
    data: &'a RawValue,
    sealed: Option<String>,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndWire {
    end: i64,
    hash: String,
    digest: String,
    key: String,
    signature: String,
}
