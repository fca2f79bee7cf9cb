//! What is wrong with a log, and where.

use super::hash::Hash;
use super::numbered::Seq;
use crate::base::clock::Timestamp;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not a line of this format, or a line where none of its kind may stand.
    #[error("this is no line of an export")]
    Line,
    /// A line that says something in other bytes than Muster writes it in.
    #[error("the line is not written as Muster writes it")]
    Reprint,
    /// Another position stands where this one must.
    #[error("event {expected} should be here")]
    Position {
        /// What must stand there.
        expected: Seq,
    },
    /// The event is not later than the one before.
    #[error("the event is not later than the one before")]
    Instant,
    /// What the event says, or what was before it, is not what was hashed.
    #[error("the hash does not fit what the event says")]
    Hash,
    /// A signature does not fit what it signs.
    #[error("the signature does not hold")]
    Signature,
    /// Signed by a key that is not among those that are trusted, whatever the log says of it.
    #[error("signed by the key `{0}`, which is not among those that are trusted")]
    UnknownKey(String),
    /// A good signature stands for another hash than the chain has: what is between was written anew.
    #[error("the log was written anew somewhere up to event {signed}, where a good signature stands for other events")]
    Rewritten {
        /// What the signature stands for.
        signed: Seq,
    },
    /// A good signature stands for a position that is not there any more, or the end is missing.
    #[error("what should follow is missing")]
    Missing,
    /// Every event is as it was hashed, but a line that no event's hash covers was added, changed or removed.
    #[error("a line that is no event was added, changed or removed")]
    Digest,
    /// The log begins after the checkpoint that it should be compared with.
    #[error("the log begins after the checkpoint that it should be compared with")]
    Apart,
    /// Something of another tenant.
    #[error("this belongs to another tenant")]
    OtherTenant,
}

/// The first place where a log is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}position {at}: {flaw}", .line.map_or_else(String::new, |line| format!("line {line}, ")))]
pub struct Broken {
    /// The first position that is not proven; everything before it is as it was.
    ///
    /// For an event that is itself wrong it is that event. For a signature it is the position after the last one that a
    /// good signature stands for: from there on something was changed. 0 when not even the beginning is proven.
    pub at: Seq,
    /// The line of the export, counted from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What was found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Public id of the tenant.
    pub tenant: String,
    /// The first position.
    pub from: Seq,
    /// The last position; below `from` where there are no events.
    pub to: Seq,
    /// Instant of the last event, or of what the first one would follow.
    pub at: Timestamp,
    /// Hash of the last event, or what the first one would follow.
    pub hash: Hash,
    /// How many checkpoints were passed.
    pub checkpoints: u64,
}
