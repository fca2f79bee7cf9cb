//! A scope.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instant;
use super::role::sides;
use crate::base::clock::Timestamp;

/// A scope in the words of the log. Which one is the subject of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeImage {
    /// What it is: a word of [`ScopeKind`](crate::access::ScopeKind).
    pub kind: String,
    /// For people.
    pub name: String,
    /// Id of the scope it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When a program begins.
    #[serde(default, with = "instant", skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// When a program is over.
    #[serde(default, with = "instant", skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
}

impl ScopeImage {
    /// Particulars of an event about a scope that was so before, and is so after.
    #[must_use]
    pub fn data(before: Option<&Self>, after: Option<&Self>) -> Value {
        sides(before, after)
    }
}
