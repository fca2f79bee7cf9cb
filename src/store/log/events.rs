//! Numbered events, read.

use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, TenantId};
use crate::event::{Event, Hash, Seq};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// The events of one tenant.
pub struct Events<R> {
    tenant: TenantId,
    source: R,
}

/// Which events are wanted; all of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this kind, such as `user.created`.
    pub kind: Option<String>,
    /// About what has this public id.
    pub subject: Option<String>,
    /// By this connection.
    pub connection: Option<ConnectionId>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// An event and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The event.
    pub event: Event,
    /// Its hash.
    pub hash: Hash,
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        seq: Seq(row.get(0)?),
        at: Timestamp(row.get(1)?),
        txn: row.get(2)?,
        part: row.get(3)?,
        kind: row.get(4)?,
        actor_kind: row.get(5)?,
        actor_id: row.get(6)?,
        connection: row.get(7)?,
        request_id: row.get(8)?,
        subject_kind: row.get(9)?,
        subject_id: row.get(10)?,
        cause: row.get(11)?,
        data: row.get(12)?,
        sealed: row.get(13)?,
    })
}

impl FromRow for Kept {
    fn from_row(row: &Row) -> Result<Self> {
        let event = event(row)?;
        let hash = Hash::parse(&row.get::<String>(14)?).ok_or(Error::Damaged("hash of the log"))?;
        Ok(Self { event, hash })
    }
}

/// An event, as far as it says whose access it may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Its position.
    pub seq: i64,
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
            seq: row.get(0)?,
            kind: row.get(1)?,
            resource: row.get::<Option<i64>>(2)?.map(Pk),
            data: row.get(3)?,
        })
    }
}

/// An event as its row has it, where the hash beside it may be damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The event.
    pub event: Event,
    /// The hash beside it; none where that is no hash.
    pub hash: Option<Hash>,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            event: event(row)?,
            hash: Hash::parse(&row.get::<String>(14)?),
        })
    }
}

impl<R: Read> Events<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// At most `limit` events after a position, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, after: Seq, limit: u32, which: &Which) -> Result<Vec<Kept>> {
        let mut statement = Statement::new(
            "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, e.request_id, \
             e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash FROM event e \
             WHERE e.tenant_id = $1 AND e.seq > $2",
        )
        .bind(self.tenant)
        .bind(after.0);
        if let Some(kind) = &which.kind {
            statement.push(" AND e.kind = ").push_bind(kind.clone());
        }
        if let Some(subject) = &which.subject {
            statement.push(" AND e.subject_id = ").push_bind(subject.clone());
        }
        if let Some(connection) = which.connection {
            statement.push(" AND e.connection_id = ").push_bind(connection);
        }
        if let Some(from) = which.from {
            statement.push(" AND e.at >= ").push_bind(from);
        }
        if let Some(to) = which.to {
            statement.push(" AND e.at < ").push_bind(to);
        }
        statement.push(" ORDER BY e.seq LIMIT 0 + ").push_bind(i64::from(limit));
        self.source.rows(statement).await
    }

    /// Events after a position up to and with another, in order, damaged as they may be: at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn between(&mut self, after: Seq, to: Seq, limit: u32) -> Result<Vec<Found>> {
        const BETWEEN: &str = "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, \
                               e.request_id, e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash \
                               FROM event e WHERE e.tenant_id = $1 AND e.seq > $2 AND e.seq <= $3 \
                               ORDER BY e.seq LIMIT 0 + $4";
        let statement = Statement::new(BETWEEN).bind(self.tenant).bind(after.0).bind(to.0);
        self.source.rows(statement.bind(i64::from(limit))).await
    }

    /// The events at these positions, a JSON array of arrays of one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn at(&mut self, positions: String) -> Result<Vec<Kept>> {
        const AT: &str = "SELECT e.seq, e.at, e.txn, e.part, e.kind, e.actor_kind, e.actor_id, e.connection, \
                          e.request_id, e.subject_kind, e.subject_id, e.cause, e.data, e.sealed, e.hash FROM event e \
                          WHERE e.tenant_id = $1 AND e.seq [among] \
                          SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end]";
        self.source
            .rows(Statement::new(AT).bind(self.tenant).bind(positions))
            .await
    }

    /// What happened to users, groups, who holds what, and which records lie where, after a position and of entries after
    /// one: at most `limit` events, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn moves_since(&mut self, after: Seq, entry: i64, limit: usize) -> Result<Vec<Move>> {
        const MOVES: &str = "SELECT e.seq, e.kind, e.subject_pk, e.data FROM event e \
                             WHERE e.tenant_id = $1 AND e.seq > $2 AND e.entry > $3 \
                             AND (e.subject_pk IS NOT NULL OR e.kind IN ('records.added', 'records.removed')) \
                             ORDER BY e.seq LIMIT 0 + $4";
        let moves = Statement::new(MOVES).bind(self.tenant).bind(after.0).bind(entry);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.source.rows(moves.bind(limit)).await
    }
}
