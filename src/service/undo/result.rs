//! What an undo came to, as it is kept and shown.

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;

/// Conflicts that are told one by one; of more, how many there are.
pub(super) const MOST_CONFLICTS: usize = 100;

/// Something that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// `user` or `group`; `undo` where none of it can be worked out.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// An attribute by its path, `members` with an id after a dot, or nothing where it is about the whole.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Conflict {
    /// About all that an undo was to take back.
    pub(super) fn of_all(undo: &str, why: String) -> Self {
        Self {
            kind: "undo".to_owned(),
            id: undo.to_owned(),
            what: String::new(),
            why,
        }
    }
}

/// What was done, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Users and groups that came back.
    pub restored: u64,
    /// Users and groups that were made, and are gone.
    pub removed: u64,
    /// Users and groups whose attributes or members were put back.
    pub changed: u64,
    /// Things that were left as they are.
    pub conflicts: u64,
    /// The first of them.
    pub first: Vec<Conflict>,
}

impl Outcome {
    /// The same with these conflicts.
    pub(super) fn with(mut self, conflicts: Vec<Conflict>) -> Self {
        self.conflicts = conflicts.len() as u64;
        self.first = conflicts;
        self.first.truncate(MOST_CONFLICTS);
        self
    }
}

/// An undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its id; none of a preview.
    pub id: Option<String>,
    /// Name of the connection.
    pub connection: String,
    /// The undo that it takes back, rather than what the connection did.
    pub of: Option<String>,
    /// The time of which changes are taken back.
    pub span: (Timestamp, Timestamp),
    /// Whether what others have changed since is put back, too.
    pub overwrite: bool,
    /// `preview`, `running` or `done`.
    pub state: &'static str,
    /// What it came to so far.
    pub outcome: Outcome,
    /// When it began, and when it ended.
    pub created: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}
