//! What came of trying an enforcer, as it is stored and shown.

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;

/// What it said to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Whether it is what it has to say.
    pub ok: bool,
    /// In words of ours.
    pub says: String,
}

/// What came of the last trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tested {
    /// When, in microseconds.
    pub at: i64,
    /// At its URL.
    pub hook: Said,
    /// At its probe; none where it has none.
    pub probe: Option<Said>,
}

impl Tested {
    /// When.
    #[must_use]
    pub const fn when(&self) -> Timestamp {
        Timestamp(self.at)
    }
}
