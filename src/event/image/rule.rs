//! A version of a rule.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::grant::Place;
use super::instant;
use crate::access::Validity;
use crate::base::clock::Timestamp;

/// A version of a rule in the words of the log, but for its examples, which may speak of people. Which rule is the subject
/// of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleImage {
    /// Counts every change.
    pub version: i64,
    /// For people.
    pub name: String,
    /// `draft`, `active`, `retired`; or `preparing`: then the rule is what it was until this version is activated.
    pub state: String,
    /// The condition: a filter.
    pub when: String,
    /// What it gives.
    pub then: Vec<OutcomeImage>,
    /// First instant it counts.
    #[serde(default, with = "instant", skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// First instant it no longer counts.
    #[serde(default, with = "instant", skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutcomeImage {
    /// A role somewhere.
    Role {
        /// Id of the role.
        role: String,
        /// Where.
        #[serde(flatten)]
        place: Place,
    },
    /// Membership of a group.
    Group {
        /// Its id.
        group: String,
    },
    /// Membership of a scope.
    Member {
        /// Its id.
        scope: String,
    },
}

impl RuleImage {
    /// The state of a version that is not in force yet.
    pub const PREPARING: &str = "preparing";

    /// As the particulars of an event.
    #[must_use]
    pub fn data(&self) -> Value {
        super::value(self)
    }

    /// Particulars of the event of a rule that is gone.
    #[must_use]
    pub fn data_before(&self) -> Value {
        json!({ "before": self.data() })
    }

    /// When it counts.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        Validity {
            from: self.valid_from,
            to: self.valid_to,
        }
    }
}
