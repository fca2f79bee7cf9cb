//! Who does something, and from where.

use serde::{Deserialize, Serialize};

use super::word::words;
use crate::base::id::ConnectionId;

words! {
    /// What kind of caller does something.
    ActorKind {
        /// A client that provisions, by its token.
        Connection = "connection",
        /// An admin token.
        Admin = "admin",
        /// A user, by a token of their own.
        User = "user",
        /// Somebody at the command line.
        Operator = "operator",
        /// Muster itself, later: a schedule, a follower of the log.
        System = "system",
    }
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// What kind of caller.
    pub kind: ActorKind,
    /// Which one: an id or a name of ours, never a personal value.
    pub id: String,
}

/// Where something comes from: the same for everything that a unit of work does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who does it.
    pub actor: Actor,
    /// By which connection: its row number, and how it is known outside.
    pub connection: Option<(ConnectionId, String)>,
    /// In which request.
    pub request_id: Option<String>,
}

/// The same without newtypes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    actor: Actor,
    connection: Option<(i64, String)>,
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    first: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "this is what serde calls")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Origin {
    /// As JSON text, with the number of the first of the records that have it among all of their unit.
    pub(super) fn text(&self, first: i64) -> Option<String> {
        let wire = Wire {
            actor: self.actor.clone(),
            connection: self.connection.clone().map(|(id, name)| (id.0, name)),
            request_id: self.request_id.clone(),
            first,
        };
        serde_json::to_string(&wire).ok()
    }

    /// Reads what [`Origin::text`] gives.
    pub(super) fn read(text: &str) -> Option<(Self, i64)> {
        let wire: Wire = serde_json::from_str(text).ok()?;
        let origin = Self {
            actor: wire.actor,
            connection: wire.connection.map(|(id, name)| (ConnectionId(id), name)),
            request_id: wire.request_id,
        };
        Some((origin, wire.first))
    }
}
