//! One thing that happened, as it stands in the log for ever.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::export::EVENT;
use super::hash::Hash;
use super::kind::Kind;
use super::line::Line;
use crate::base::clock::Timestamp;

/// A position in the log of one tenant: from 1, without a gap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl Seq {
    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event with its number; every field is hashed, exactly as it stands here.
///
/// Words are text rather than enums: a log that holds kinds of a later release, or damaged ones, can still be walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Position.
    pub seq: Seq,
    /// When; later than the event before by at least a microsecond, so an instant names one position.
    pub at: Timestamp,
    /// What was saved as one has one such id.
    pub txn: String,
    /// Which of the records of one save this is, from 0.
    pub part: i64,
    /// What happened, such as `user.created`.
    pub kind: String,
    /// What kind of actor did it, such as `connection`.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: String,
    /// By which connection, as it is known outside.
    pub connection: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What kind of thing it happened to, such as `user`.
    pub subject_kind: Option<String>,
    /// Which one, by its public id.
    pub subject_id: Option<String>,
    /// Why, as JSON text: see [`super::Cause`].
    pub cause: String,
    /// Particulars without personal values, as JSON text.
    pub data: String,
    /// Personal values, sealed under the key of the person: see [`super::PersonKey`].
    pub sealed: Option<String>,
}

impl Event {
    /// What happened; `None` for a kind that this release does not know.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    /// The one form in which an event is exported: a line of JSON with its `\n`.
    ///
    /// Cause and data stand in it as they are stored. If they were damaged into something that is no JSON, the line is
    /// none either, and the export says so where it is read.
    #[must_use]
    pub fn line(&self, hash: &Hash) -> String {
        Line::begin(EVENT, self.seq.0)
            .number("at", self.at.0)
            .text("txn", &self.txn)
            .number("part", self.part)
            .text("kind", &self.kind)
            .text("actor_kind", &self.actor_kind)
            .text("actor_id", &self.actor_id)
            .maybe("connection", self.connection.as_deref())
            .maybe("request_id", self.request_id.as_deref())
            .maybe("subject_kind", self.subject_kind.as_deref())
            .maybe("subject_id", self.subject_id.as_deref())
            .raw("cause", &self.cause)
            .raw("data", &self.data)
            .maybe("sealed", self.sealed.as_deref())
            .text("hash", &hash.to_string())
            .end()
    }
}
