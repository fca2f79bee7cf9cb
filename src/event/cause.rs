//! Why something happens.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Error;
use super::numbered::Seq;
use super::word::words;

words! {
    /// By which way something came about.
    By {
        /// A request of provisioning.
        Scim = "scim",
        /// The admin API.
        Admin = "admin",
        /// The command line.
        Cli = "cli",
        /// A date that came.
        Schedule = "schedule",
        /// A rule that holds, or holds no more.
        Rule = "rule",
        /// Changes are taken back.
        Undo = "undo",
        /// Muster itself.
        System = "system",
    }
}

/// What a cause points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Of {
    /// An earlier event of the same log.
    Event(Seq),
    /// Something else, by its public id: an undo, a schedule, a rule.
    Thing(String),
}

/// Why something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// By which way.
    pub by: By,
    /// A word of ours. What people write is personal, and belongs into the sealed part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
}

impl Cause {
    /// As it is stored and hashed: `{"by":"undo","reason":"…","of":…}`, without what there is not.
    #[must_use]
    pub fn text(&self) -> String {
        let mut object = serde_json::Map::new();
        object.insert("by".to_owned(), self.by.as_str().into());
        if let Some(reason) = &self.reason {
            object.insert("reason".to_owned(), reason.as_str().into());
        }
        match &self.of {
            Some(Of::Event(seq)) => drop(object.insert("of".to_owned(), seq.0.into())),
            Some(Of::Thing(id)) => drop(object.insert("of".to_owned(), id.as_str().into())),
            None => {}
        }
        Value::Object(object).to_string()
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// When it is not what [`Cause::text`] writes.
    pub fn read(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|_| Error::Unreadable("cause"))
    }
}
