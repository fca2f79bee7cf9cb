//! An event, as far as the past rests on it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::event::{Event, Seq};

/// What was sealed of a person.
#[derive(Debug, Clone, PartialEq)]
pub enum Sides {
    /// Nothing was.
    None,
    /// This: `before` and `after`.
    Open(Value),
    /// Nobody can open it any more.
    Erased,
    /// It does not open: something is damaged.
    Damaged,
}

/// An event to be folded.
#[derive(Debug, Clone)]
pub struct Told<'e> {
    /// Its position.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: &'e str,
    /// Row number of the user or group that it happened to.
    pub pk: Option<Pk>,
    /// Public id of what it happened to.
    pub id: &'e str,
    /// Whether that is a user.
    pub of_user: bool,
    /// By which connection.
    pub connection: Option<&'e str>,
    /// Particulars; `null` where they are no JSON.
    pub data: Value,
    /// What was sealed.
    pub sides: Sides,
}

impl<'e> Told<'e> {
    /// An event, the row number of its subject, and what was sealed in it.
    #[must_use]
    pub fn of(event: &'e Event, pk: Option<Pk>, sides: Sides) -> Self {
        Self {
            seq: event.seq,
            at: event.at,
            kind: &event.kind,
            pk,
            id: event.subject_id.as_deref().unwrap_or_default(),
            of_user: event.subject_kind.as_deref() == Some("user"),
            connection: event.connection.as_deref(),
            data: serde_json::from_str(&event.data).unwrap_or_default(),
            sides,
        }
    }

    /// A member of the particulars.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.data.get(name)?.clone()).ok()
    }

    /// The particulars as a whole.
    pub(super) fn whole<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.data.clone()).ok()
    }

    /// Whether a member is there and is not `null`.
    pub(super) fn says(&self, name: &str) -> bool {
        self.data.get(name).is_some_and(|value| !value.is_null())
    }
}

/// A document.
pub(super) type Document = Map<String, Value>;
