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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
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
}

impl From<Origin> for Wire {
    fn from(origin: Origin) -> Self {
        let Origin {
            actor,
            connection,
            request_id,
        } = origin;
        Self {
            actor,
            connection: connection.map(|(id, name)| (id.0, name)),
            request_id,
        }
    }
}

impl From<Wire> for Origin {
    fn from(wire: Wire) -> Self {
        let Wire {
            actor,
            connection,
            request_id,
        } = wire;
        Self {
            actor,
            connection: connection.map(|(id, name)| (ConnectionId(id), name)),
            request_id,
        }
    }
}
