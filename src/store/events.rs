//! What happened: rows that are written with the change and never changed after.

use super::error::Result;
use super::sql::{FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, TenantId};

/// The events of one tenant.
pub struct Events<R> {
    tenant: TenantId,
    source: R,
}

/// Something that is to be recorded.
#[derive(Debug, Clone)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// What kind of caller did it: `connection`, `admin`, `user`, `operator`.
    pub actor_kind: &'static str,
    /// Which one.
    pub actor_name: String,
    /// By which connection.
    pub connection: Option<ConnectionId>,
    /// In which request.
    pub request_id: Option<String>,
    /// What happened, such as `user.created`.
    pub kind: &'static str,
    /// To which resource.
    pub resource: Option<(Pk, ResourceId)>,
    /// Particulars, as JSON text.
    pub data: String,
}

/// Something that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Orders the events of one resource.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What kind of caller did it.
    pub actor_kind: String,
    /// Which one.
    pub actor_name: String,
    /// By which connection.
    pub connection: Option<ConnectionId>,
    /// In which request.
    pub request_id: Option<String>,
    /// What happened.
    pub kind: String,
    /// To which resource.
    pub resource_id: Option<ResourceId>,
    /// Particulars, as JSON text.
    pub data: String,
}

impl FromRow for Event {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: Timestamp(row.get(1)?),
            actor_kind: row.get(2)?,
            actor_name: row.get(3)?,
            connection: row.get::<Option<i64>>(4)?.map(ConnectionId),
            request_id: row.get(5)?,
            kind: row.get(6)?,
            resource_id: row.get::<Option<String>>(7)?.map(ResourceId::new),
            data: row.get(8)?,
        })
    }
}

/// Something that was recorded, as far as it says whose access it may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Id of the event.
    pub id: i64,
    /// What happened.
    pub kind: String,
    /// To which resource.
    pub resource: Option<Pk>,
    /// Particulars, as JSON text.
    pub data: String,
}

impl FromRow for Move {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            resource: row.get::<Option<i64>>(2)?.map(Pk),
            data: row.get(3)?,
        })
    }
}

impl<R: Read> Events<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` events after the one with the id `after`; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: i64, limit: u32) -> Result<Vec<Event>> {
        const LIST: &str = "SELECT id, at, actor_kind, actor_name, connection_id, request_id, kind, resource_id, data \
                            FROM event WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
        let statement = Statement::new(LIST)
            .bind(self.tenant)
            .bind(after)
            .bind(i64::from(limit));
        self.source.rows(statement).await
    }

    /// The id of the latest event; 0 before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest(&mut self) -> Result<i64> {
        const LATEST: &str = "SELECT e.id FROM event e WHERE e.tenant_id = $1 ORDER BY e.id DESC LIMIT 1";
        let row: Option<(i64,)> = self.source.row(Statement::new(LATEST).bind(self.tenant)).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// What happened to users, groups, who holds what, and which records lie where, after the event with this id: at most
    /// `limit` events, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn moves_since(&mut self, after: i64, limit: usize) -> Result<Vec<Move>> {
        const MOVES: &str = "SELECT e.id, e.kind, e.resource_pk, e.data FROM event e WHERE e.tenant_id = $1 AND e.id > $2 \
                             AND (e.resource_pk IS NOT NULL OR e.kind IN ('records.added', 'records.removed')) \
                             ORDER BY e.id LIMIT 0 + $3";
        let moves = Statement::new(MOVES).bind(self.tenant).bind(after);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.source.rows(moves.bind(limit)).await
    }
}

impl Events<&mut Tx> {
    /// Records something; the row is written with the save.
    pub fn record(&mut self, record: Record) {
        const RECORD: &str = "INSERT INTO event (tenant_id, at, actor_kind, actor_name, connection_id, request_id, kind, \
                              resource_pk, resource_id, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let (pk, id) = record
            .resource
            .map_or((None, None), |(pk, id)| (Some(pk), Some(id.into_string())));
        self.source.note(
            Statement::new(RECORD)
                .bind(self.tenant)
                .bind(record.at)
                .bind(record.actor_kind)
                .bind(record.actor_name)
                .bind(record.connection)
                .bind(record.request_id)
                .bind(record.kind)
                .bind(pk)
                .bind(id)
                .bind(record.data),
        );
    }
}
