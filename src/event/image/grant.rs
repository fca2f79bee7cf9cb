//! A grant.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instant;
use crate::access::{RecordRef, Validity};
use crate::base::clock::Timestamp;

/// A grant in the words of the log. Who holds it is the subject of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantImage {
    /// Its id.
    pub grant: String,
    /// Id of the role.
    pub role: String,
    /// Where it counts.
    #[serde(flatten)]
    pub place: Place,
    /// First instant it counts.
    #[serde(default, with = "instant", skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// First instant it no longer counts.
    #[serde(default, with = "instant", skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// Property → values that it is narrowed to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub restrict: BTreeMap<String, BTreeSet<String>>,
    /// How it came to be: a word of [`Origin`](crate::access::Origin).
    pub origin: String,
}

/// Where a role counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On the scope of this id and what lies below it; `all` is everywhere.
    Scope(String),
    /// On one record.
    Record(RecordImage),
}

/// A record of the product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordImage {
    /// What it is.
    pub kind: String,
    /// Which.
    pub id: String,
}

/// Id of the scope that holds everything.
const ALL: &str = "all";

impl Place {
    /// Everywhere.
    #[must_use]
    pub fn all() -> Self {
        Self::Scope(ALL.to_owned())
    }

    /// Whether it is everywhere.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::Scope(id) if id == ALL)
    }
}

impl From<&RecordRef> for Place {
    fn from(record: &RecordRef) -> Self {
        Self::Record(RecordImage {
            kind: record.kind.clone(),
            id: record.id.clone(),
        })
    }
}

impl GrantImage {
    /// As the particulars of an event.
    #[must_use]
    pub fn data(&self) -> Value {
        super::value(self)
    }

    /// The same of a grant that was another one before.
    #[must_use]
    pub fn data_after(&self, before: &Self) -> Value {
        let mut data = self.data();
        data["before"] = before.data();
        data
    }

    /// When it counts.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        Validity {
            from: self.valid_from,
            to: self.valid_to,
        }
    }

    /// The same at another time.
    #[must_use]
    pub fn valid(self, validity: Validity) -> Self {
        Self {
            valid_from: validity.from,
            valid_to: validity.to,
            ..self
        }
    }
}
