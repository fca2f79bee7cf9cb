//! The certificate of a finished offboarding run: what can be shown to somebody who trusts a public key and nothing else.
//!
//! One line of JSON. Like every line of an export it is read strictly: it must be its own reprint, byte for byte.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::export::as_written;
use super::flaw::Flaw;
use super::hash::Hash;
use super::jwk::Keys;
use super::line::Line;
use super::numbered::{Event, Seq};
use super::sign::SigningKey;
use crate::base::clock::Timestamp;
use crate::base::instant::parse_date_time;

/// What the first member says.
const CERTIFICATE: &str = "offboarding-certificate";

/// Number of this format. A reader of another one refuses.
const FORMAT: i64 = 1;

/// How it was found that an enforcer lets the person in no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Proof {
    /// Muster ended what it keeps itself, and counted what was left: nothing.
    BuiltIn {
        /// How many tokens the account had; none of them works any more.
        tokens: u64,
    },
    /// The enforcer was asked what is still open, and answered: nothing.
    Probe {
        /// Status of the answer.
        status: u16,
        /// SHA-256 of the body of the answer, 64 hex digits.
        answer: String,
    },
    /// The enforcer took the request, and is not asked again: its operator chose so.
    Acknowledgement {
        /// Status of the answer.
        status: u16,
    },
}

impl Proof {
    /// In a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::BuiltIn { .. } => "built-in",
            Self::Probe { .. } => "probe",
            Self::Acknowledgement { .. } => "acknowledgement",
        }
    }
}

/// One enforcer's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Name of the enforcer.
    pub name: String,
    /// When it was due to be asked first.
    pub requested: Timestamp,
    /// When it said that it would.
    pub acknowledged: Timestamp,
    /// When it was confirmed.
    pub confirmed: Timestamp,
    /// How.
    pub proof: Proof,
}

/// An enforcer that was removed before it had confirmed anything: nothing is proven of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub name: String,
    /// When it was due to be asked first.
    pub requested: Timestamp,
    /// When it was removed.
    pub removed: Timestamp,
}

/// A place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What happened there, such as `user.deleted`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Position.
    pub seq: Seq,
    /// Hash of the event there.
    pub hash: Hash,
}

impl Mark {
    /// Where an event stands.
    #[must_use]
    pub fn of(event: &Event, hash: Hash) -> Self {
        Self {
            kind: event.kind.clone(),
            at: event.at,
            seq: event.seq,
            hash,
        }
    }
}

/// Who asked that a person's access ends, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedBy {
    /// What kind of actor, such as `connection`.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
    /// By which connection.
    pub connection: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
}

/// Says that a person's access ended, and how that is known. Ids and names of enforcers; nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Public id of the tenant.
    pub tenant: String,
    /// Id of the run.
    pub run: String,
    /// Id of the person.
    pub user: String,
    /// The event that ended the account.
    pub ended: Mark,
    /// Who asked for it.
    pub asked_by: AskedBy,
    /// Until when everything had to be confirmed.
    pub deadline: Timestamp,
    /// Whether it took longer.
    pub late: bool,
    /// What was confirmed.
    pub steps: Vec<Step>,
    /// Of whom nothing is proven. The line has this member only where there is somebody.
    pub removed: Vec<Removed>,
    /// The event that says that everything is.
    pub closed: Mark,
    /// A signed place in the log, at or after that event.
    pub checkpoint: Checkpoint,
    /// Id of the key that signed.
    pub key: String,
    /// Signature over the line up to here; base64url.
    pub signature: String,
}

impl Certificate {
    /// The same, signed.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn signed(mut self, key: &SigningKey) -> Result<Self, Error> {
        key.public().kid().clone_into(&mut self.key);
        self.signature = self.unsigned().sign(key)?;
        Ok(self)
    }

    /// Its one form: a line of JSON with its `\n`.
    #[must_use]
    pub fn line(&self) -> String {
        self.unsigned().text("signature", &self.signature).end()
    }

    /// Reads such a line. The signatures are not looked at.
    ///
    /// # Errors
    /// [`Flaw::Line`] and [`Flaw::Reprint`] when it is not such a line, byte for byte.
    pub fn read(line: &[u8]) -> Result<Self, Flaw> {
        let wire: Wire = serde_json::from_slice(line).map_err(|_| Flaw::Line)?;
        let made = wire.read().ok_or(Flaw::Line)?;
        as_written(line, &made.line())?;
        Ok(made)
    }

    /// Whether trusted keys signed it and the checkpoint in it, and it says what a certificate must.
    ///
    /// # Errors
    /// [`Flaw::UnknownKey`] and [`Flaw::Signature`]; [`Flaw::OtherTenant`] when the checkpoint is of another log,
    /// [`Flaw::Hash`] when it stands for another event at the same position, [`Flaw::Missing`] when it does not reach the
    /// end of the run, or nothing was confirmed.
    pub fn proven(&self, keys: &Keys) -> Result<(), Flaw> {
        self.unsigned().proven(keys, &self.key, &self.signature)?;
        self.checkpoint.proven(keys)?;
        if self.checkpoint.tenant != self.tenant {
            return Err(Flaw::OtherTenant);
        }
        if self.checkpoint.seq < self.closed.seq || self.closed.seq <= self.ended.seq || self.steps.is_empty() {
            return Err(Flaw::Missing);
        }
        let head = (self.checkpoint.seq, self.checkpoint.hash);
        let same = head.0 > self.closed.seq || head == (self.closed.seq, self.closed.hash);
        same.then_some(()).ok_or(Flaw::Hash)
    }

    fn unsigned(&self) -> Line {
        let steps: Value = self.steps.iter().map(Step::shown).collect();
        let line = Line::begin_text("muster", CERTIFICATE)
            .number("format", FORMAT)
            .text("tenant", &self.tenant)
            .text("run", &self.run)
            .raw("user", &json!({ "id": self.user }).to_string())
            .raw("ended", &self.ended.shown().to_string())
            .raw("asked_by", &json!(self.asked_by).to_string())
            .text("deadline", &self.deadline.rfc3339())
            .raw("late", if self.late { "true" } else { "false" })
            .raw("steps", &steps.to_string());
        let removed: Value = self.removed.iter().map(Removed::shown).collect();
        let line = if self.removed.is_empty() {
            line
        } else {
            line.raw("removed", &removed.to_string())
        };
        line.raw("closed", &self.closed.shown().to_string())
            .raw("checkpoint", self.checkpoint.line().trim_end())
            .text("key", &self.key)
    }
}

impl Step {
    fn shown(&self) -> Value {
        json!({
            "name": self.name,
            "requested": self.requested.rfc3339(),
            "acknowledged": self.acknowledged.rfc3339(),
            "confirmed": self.confirmed.rfc3339(),
            "proof": self.proof,
        })
    }
}

impl Removed {
    fn shown(&self) -> Value {
        json!({
            "name": self.name,
            "requested": self.requested.rfc3339(),
            "removed": self.removed.rfc3339(),
        })
    }
}

impl Mark {
    fn shown(&self) -> Value {
        json!({
            "kind": self.kind,
            "at": self.at.rfc3339(),
            "seq": self.seq.0,
            "hash": self.hash.to_string(),
        })
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let micros = parse_date_time(text)?.nanoseconds().div_euclid(1000);
    i64::try_from(micros).ok().map(Timestamp)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    muster: String,
    format: i64,
    tenant: String,
    run: String,
    user: UserWire,
    ended: MarkWire,
    asked_by: AskedBy,
    deadline: String,
    late: bool,
    steps: Vec<StepWire>,
    #[serde(default)]
    removed: Vec<RemovedWire>,
    closed: MarkWire,
    checkpoint: Box<serde_json::value::RawValue>,
    key: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserWire {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkWire {
    kind: String,
    at: String,
    seq: i64,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepWire {
    name: String,
    requested: String,
    acknowledged: String,
    confirmed: String,
    proof: Proof,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovedWire {
    name: String,
    requested: String,
    removed: String,
}

impl Wire {
    fn read(self) -> Option<Certificate> {
        let checkpoint = format!("{}\n", self.checkpoint.get());
        let steps = self.steps.into_iter().map(StepWire::read);
        let removed = self.removed.into_iter().map(RemovedWire::read);
        let ours = self.muster == CERTIFICATE && self.format == FORMAT;
        ours.then_some(Certificate {
            tenant: self.tenant,
            run: self.run,
            user: self.user.id,
            ended: self.ended.read()?,
            asked_by: self.asked_by,
            deadline: instant(&self.deadline)?,
            late: self.late,
            steps: steps.collect::<Option<_>>()?,
            removed: removed.collect::<Option<_>>()?,
            closed: self.closed.read()?,
            checkpoint: Checkpoint::read(checkpoint.as_bytes()).ok()?,
            key: self.key,
            signature: self.signature,
        })
    }
}

impl MarkWire {
    fn read(self) -> Option<Mark> {
        Some(Mark {
            kind: self.kind,
            at: instant(&self.at)?,
            seq: Seq(self.seq),
            hash: Hash::parse(&self.hash)?,
        })
    }
}

impl StepWire {
    fn read(self) -> Option<Step> {
        Some(Step {
            name: self.name,
            requested: instant(&self.requested)?,
            acknowledged: instant(&self.acknowledged)?,
            confirmed: instant(&self.confirmed)?,
            proof: self.proof,
        })
    }
}

impl RemovedWire {
    fn read(self) -> Option<Removed> {
        Some(Removed {
            name: self.name,
            requested: instant(&self.requested)?,
            removed: instant(&self.removed)?,
        })
    }
}
