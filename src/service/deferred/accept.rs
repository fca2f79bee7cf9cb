//! A request begins to wait: it is on disk before its client is told that it is taken on.

use serde_json::Value;

use super::kept::{Kept, Of};
use crate::base::id::{ConnectionId, ResourceId};
use crate::scim::Verb;
use crate::scim::dialect::Dialect;
use crate::scim::schema::ResourceType;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::IfMatch;
use crate::store::deferred::{NewDeferred, Room};

/// How much of one connection may wait: what is done of it in some seconds.
const ROOM: Room = Room {
    requests: 1_000,
    bytes: 16 << 20,
};

/// A request on its way.
pub struct Asked<'a> {
    /// Its method.
    pub verb: Verb,
    /// Type of the resource.
    pub kind: &'a ResourceType,
    /// Which one; none where it makes something.
    pub id: Option<&'a ResourceId>,
    /// Versions that may be changed.
    pub if_match: &'a IfMatch,
    /// Client habits in force.
    pub dialect: Dialect,
    /// The body; null where it has none.
    pub body: Value,
}

/// Keeps a request of a connection, to be done soon; gives the id by which its client hears of it.
///
/// # Errors
/// `Forbidden` for who is no connection; `Full` where too much of the connection waits.
pub async fn accept(services: &Services, caller: &Caller, asked: Asked<'_>) -> Result<String> {
    let connection = caller
        .connection_id()
        .ok_or_else(|| Error::Forbidden("only connections have requests that wait".to_owned()))?;
    let id = services.ids().next_unit();
    let text = Kept::new(caller.request_id(), asked.dialect, asked.if_match, asked.body).text()?;
    let tenant = services.tenant_uid(caller).await?;
    let of = Of {
        tenant: &tenant,
        request: &id,
    };
    let keeping = Keeping {
        sealed: of.seal(services, &text)?,
        bytes: i64::try_from(text.len()).unwrap_or(i64::MAX),
        id: id.clone(),
        connection,
        verb: asked.verb,
        endpoint: asked.kind.endpoint().to_owned(),
        resource: asked.id.cloned(),
    };
    if perform(services, caller, keeping).await? {
        metrics::counter!("muster_deferred_total", "method" => asked.verb.as_str()).increment(1);
        return Ok(id);
    }
    Err(Error::Full(format!(
        "{} requests of this connection wait already, or {} MiB of them; send this one again when some of them are done, or without `respond-async`",
        ROOM.requests,
        ROOM.bytes >> 20
    )))
}

struct Keeping {
    id: String,
    connection: ConnectionId,
    verb: Verb,
    endpoint: String,
    resource: Option<ResourceId>,
    bytes: i64,
    sealed: String,
}

impl Change for Keeping {
    /// Whether there was room for it.
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let new = NewDeferred {
            id: &self.id,
            connection: self.connection,
            method: self.verb.as_str(),
            endpoint: &self.endpoint,
            resource: self.resource.as_ref(),
            bytes: self.bytes,
            sealed: &self.sealed,
            created: desk.now,
        };
        Ok(desk.unit.deferred().keep(new, ROOM).await?)
    }
}
