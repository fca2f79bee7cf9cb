//! Who does something, when, and in which request: kept with what it made so.

use super::error::Result;
use super::sql::{Bind, Row};
use crate::base::clock::Timestamp;
use crate::base::id::ConnectionId;

/// The request that makes something so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause<'a> {
    /// When.
    pub at: Timestamp,
    /// Over which connection.
    pub connection: Option<ConnectionId>,
    /// Its id.
    pub request_id: Option<&'a str>,
}

/// No request: something that happens by itself.
impl From<Timestamp> for Cause<'_> {
    fn from(at: Timestamp) -> Self {
        Self {
            at,
            connection: None,
            request_id: None,
        }
    }
}

/// Who makes something so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// What kind of caller: `connection`, `admin`, `user`, `operator`.
    pub actor_kind: &'static str,
    /// Which one.
    pub actor_name: &'a str,
    /// In which request.
    pub cause: Cause<'a>,
}

impl By<'_> {
    /// `created, actor_kind, actor_name, connection_id, request_id`.
    pub(super) fn columns(&self) -> [Bind; 5] {
        [
            self.cause.at.into(),
            self.actor_kind.into(),
            self.actor_name.to_owned().into(),
            self.cause.connection.into(),
            self.cause.request_id.map(str::to_owned).into(),
        ]
    }
}

/// The same, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// When.
    pub at: Timestamp,
    /// What kind of caller.
    pub actor_kind: String,
    /// Which one.
    pub actor_name: String,
    /// Over which connection.
    pub connection: Option<ConnectionId>,
    /// In which request.
    pub request_id: Option<String>,
}

impl Maker {
    /// Reads `created, actor_kind, actor_name, connection_id, request_id`, which begin at `first`.
    pub(super) fn read(row: &Row, first: usize) -> Result<Self> {
        Ok(Self {
            at: Timestamp(row.get(first)?),
            actor_kind: row.get(first + 1)?,
            actor_name: row.get(first + 2)?,
            connection: row.get::<Option<i64>>(first + 3)?.map(ConnectionId),
            request_id: row.get(first + 4)?,
        })
    }
}
