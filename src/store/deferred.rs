//! Requests that their clients do not wait for, and for a time what came of them.

use serde_json::json;

use super::closing::State as Closed;
use super::error::{Error, Result};
use super::sql::{Db, FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, ResourceId, TenantId};

/// Such requests of one tenant.
pub struct Deferred<R> {
    tenant: TenantId,
    source: R,
}

/// How far one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is to be done.
    Waiting,
    /// Nothing of it is done, and that is to be told.
    Refused,
    /// It was done or refused, and that was told.
    Done,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Done => "done",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let all = [Self::Waiting, Self::Refused, Self::Done];
        let found = all.into_iter().find(|state| state.as_str() == text);
        found.ok_or(Error::Damaged("state of a deferred request"))
    }
}

/// A request that is to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDeferred<'a> {
    /// Id on the wire.
    pub id: &'a str,
    /// Who sent it.
    pub connection: ConnectionId,
    /// Its method.
    pub method: &'a str,
    /// Endpoint of the type, with the slash.
    pub endpoint: &'a str,
    /// What it is about; none where it makes something.
    pub resource: Option<&'a ResourceId>,
    /// How long it is.
    pub bytes: i64,
    /// The request, sealed.
    pub sealed: &'a str,
    /// When it came.
    pub created: Timestamp,
}

/// How much of one connection may wait before nothing more is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Requests.
    pub requests: i64,
    /// Bytes of them.
    pub bytes: i64,
}

/// What came of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came<'a> {
    /// Status of the answer.
    pub status: u16,
    /// What it was about, or made.
    pub resource: Option<&'a str>,
    /// The version after it.
    pub version: Option<i64>,
    /// The keyword of a refusal.
    pub scim_type: Option<&'a str>,
    /// Why it was refused, sealed.
    pub sealed: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// One that is to be done or told, of any tenant, with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Public id of the tenant.
    pub tenant_uid: String,
    /// Whether the tenant works.
    pub tenant_state: Closed,
    /// Who sent it.
    pub connection: ConnectionId,
    /// Name of the connection.
    pub name: String,
    /// Which habits of it are tolerated, as text.
    pub dialect: String,
    /// Whether the connection works.
    pub connection_state: Closed,
    /// Id on the wire.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Endpoint of the type, with the slash.
    pub endpoint: String,
    /// What it is about.
    pub resource: Option<String>,
    /// Whether it is to be done, or only told.
    pub state: State,
    /// How often it was tried.
    pub attempts: i64,
    /// When it came.
    pub created: Timestamp,
    /// Status of the answer, where nothing of it is done.
    pub status: Option<u16>,
    /// The request, sealed.
    pub sealed: Option<String>,
}

impl FromRow for Open {
    fn from_row(row: &Row) -> Result<Self> {
        let closed = |at| Closed::parse(&row.get::<String>(at)?).ok_or(Error::Damaged("state of a connection"));
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            tenant_uid: row.get(2)?,
            tenant_state: closed(3)?,
            connection: ConnectionId(row.get(4)?),
            name: row.get(5)?,
            dialect: row.get(6)?,
            connection_state: closed(7)?,
            id: row.get(8)?,
            method: row.get(9)?,
            endpoint: row.get(10)?,
            resource: row.get(11)?,
            state: State::parse(&row.get::<String>(12)?)?,
            attempts: row.get(13)?,
            created: Timestamp(row.get(14)?),
            status: status(row.get(15)?)?,
            sealed: row.get(16)?,
        })
    }
}

/// One as its connection asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its method.
    pub method: String,
    /// Endpoint of the type, with the slash.
    pub endpoint: String,
    /// What it is about, or has made.
    pub resource: Option<String>,
    /// How far it is.
    pub state: State,
    /// When it was done or refused.
    pub finished: Option<Timestamp>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// The version after it.
    pub version: Option<i64>,
    /// The keyword of a refusal.
    pub scim_type: Option<String>,
    /// Of one that is done: why it was refused, sealed.
    pub sealed: Option<String>,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            method: row.get(0)?,
            endpoint: row.get(1)?,
            resource: row.get(2)?,
            state: State::parse(&row.get::<String>(3)?)?,
            finished: row.get::<Option<i64>>(4)?.map(Timestamp),
            status: status(row.get(5)?)?,
            version: row.get(6)?,
            scim_type: row.get(7)?,
            sealed: row.get(8)?,
        })
    }
}

fn status(stored: Option<i64>) -> Result<Option<u16>> {
    let status = stored.map(u16::try_from).transpose();
    status.map_err(|_| Error::Damaged("status of a deferred request"))
}

impl<R: Read> Deferred<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The request of this id, if this connection sent it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, connection: ConnectionId, id: &str) -> Result<Option<Found>> {
        const FIND: &str = "SELECT d.method, d.endpoint, d.resource_id, d.state, d.finished, d.status, d.version, \
                            d.scim_type, CASE d.state WHEN 'done' THEN d.sealed END FROM deferred d \
                            WHERE d.tenant_id = $1 AND d.uid = $2 AND d.connection_id = $3";
        let find = Statement::new(FIND).bind(self.tenant).bind(id.to_owned());
        self.source.row(find.bind(connection)).await
    }
}

/// Ends a request that is in a state; of one that is about something, that stays known where nothing else is said.
const SETTLE: &str = "UPDATE deferred SET state = 'done', status = $4, resource_id = coalesce(CAST($5 AS TEXT), resource_id), \
                      version = $6, scim_type = $7, finished = $8, sealed = $9 \
                      WHERE tenant_id = $1 AND uid = $2 AND state = $3 RETURNING id";

impl Deferred<&mut Tx> {
    fn settling(&self, id: &str, from: State, came: &Came<'_>) -> Statement {
        Statement::new(SETTLE)
            .bind(self.tenant)
            .bind(id.to_owned())
            .bind(from.as_str())
            .bind(i64::from(came.status))
            .bind(came.resource.map(str::to_owned))
            .bind(came.version)
            .bind(came.scim_type.map(str::to_owned))
            .bind(came.at)
            .bind(came.sealed.map(str::to_owned))
    }

    /// Has a request wait; false where as much of its connection waits as may.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&mut self, new: NewDeferred<'_>, room: Room) -> Result<bool> {
        const KEEP: &str = "INSERT INTO deferred (tenant_id, uid, connection_id, method, endpoint, resource_id, state, bytes, \
                            attempts, due, created, sealed) SELECT $1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $8, $8, $9 \
                            WHERE (SELECT count(*) FROM deferred d WHERE d.tenant_id = $1 AND d.connection_id = $3 \
                            AND d.state <> 'done') < $10 AND (SELECT CAST(coalesce(sum(d.bytes), 0) AS BIGINT) \
                            FROM deferred d WHERE d.tenant_id = $1 AND d.connection_id = $3 AND d.state <> 'done') < $11 \
                            RETURNING id";
        let keep = Statement::new(KEEP)
            .bind(self.tenant)
            .bind(new.id.to_owned())
            .bind(new.connection)
            .bind(new.method.to_owned())
            .bind(new.endpoint.to_owned())
            .bind(new.resource.map(|id| id.as_str().to_owned()))
            .bind(new.bytes)
            .bind(new.created)
            .bind(new.sealed.to_owned())
            .bind(room.requests)
            .bind(room.bytes);
        let rows: Vec<(i64,)> = self.source.write_rows(keep).await?;
        Ok(!rows.is_empty())
    }

    /// Ends a request; false when it is in another state by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self, id: &str, from: State, came: &Came<'_>) -> Result<bool> {
        let settling = self.settling(id, from, came);
        let rows: Vec<(i64,)> = self.source.write_rows(settling).await?;
        Ok(!rows.is_empty())
    }

    /// Ends a request that waits with the next statement of the unit or its save, which gives [`Error::Stale`] when it does
    /// not wait any more: for a unit that does what was asked for.
    pub fn settle_with(&mut self, id: &str, came: &Came<'_>) {
        let settling = self.settling(id, State::Waiting, came);
        self.source.later(settling.expecting_row());
    }

    /// Has requests be tried again at an instant; written with the save.
    pub fn postpone(&mut self, ids: &[String], due: Timestamp) {
        const POSTPONE: &str = "UPDATE deferred SET attempts = attempts + 1, due = $3 WHERE tenant_id = $1 \
                                AND state <> 'done' AND uid [among] SELECT j.value ->> 0 FROM [each $2] AS j[end]";
        let listed = json!(ids.iter().map(|id| [id]).collect::<Vec<_>>()).to_string();
        let postpone = Statement::new(POSTPONE).bind(self.tenant).bind(listed);
        self.source.later(postpone.bind(due));
    }

    /// Has nothing be done of what waits of a connection, or of all where none is named, and that be told with this
    /// status; written with the save.
    pub fn refuse(&mut self, connection: Option<ConnectionId>, status: u16) {
        const REFUSE: &str = "UPDATE deferred SET state = 'refused', status = $3, due = 0, sealed = NULL \
                              WHERE tenant_id = $1 AND state <> 'done' AND state <> 'refused' \
                              AND connection_id = coalesce(CAST($2 AS BIGINT), connection_id)";
        let refuse = Statement::new(REFUSE).bind(self.tenant).bind(connection);
        self.source.later(refuse.bind(i64::from(status)));
    }

    /// Forgets what requests say that wait about somebody, and has nothing be done of them; written with the save.
    pub fn refuse_about(&mut self, resource: &ResourceId, status: u16) {
        const REFUSE: &str = "UPDATE deferred SET state = 'refused', status = $3, due = 0, sealed = NULL \
                              WHERE tenant_id = $1 AND resource_id = $2 AND state <> 'done'";
        let refuse = Statement::new(REFUSE).bind(self.tenant).bind(resource);
        self.source.later(refuse.bind(i64::from(status)));
    }

    /// Forgets why requests were refused, which may quote anybody: for the whole tenant. Written with the save.
    pub fn forget_reasons(&mut self) {
        const FORGET: &str =
            "UPDATE deferred SET sealed = NULL WHERE tenant_id = $1 AND state = 'done' AND sealed IS NOT NULL";
        self.source.later(Statement::new(FORGET).bind(self.tenant));
    }
}

/// What is to be done or told of `w` at `$1`: not what waits behind an earlier one of its connection about the same resource,
/// which is tried later.
macro_rules! due {
    () => {
        "w.state <> 'done' AND w.due <= $1 AND NOT EXISTS (SELECT 1 FROM deferred e WHERE e.tenant_id = w.tenant_id \
         AND e.resource_id = w.resource_id AND e.connection_id = w.connection_id AND e.state <> 'done' \
         AND e.due > $1 AND e.id < w.id)"
    };
}

/// Whether something is to be done or told, in any tenant.
///
/// # Errors
/// When the database fails.
pub async fn any(mut db: &Db, now: Timestamp) -> Result<bool> {
    const ANY: &str = concat!("SELECT w.id FROM deferred w WHERE ", due!(), " ORDER BY w.id LIMIT 1");
    let row: Option<(i64,)> = db.row(Statement::new(ANY).bind(now)).await?;
    Ok(row.is_some())
}

/// At most `limit` that are to be done or told, of any tenant. What waits behind an earlier one of its connection about the
/// same resource, which is tried later, is not among them.
///
/// Every connection has its turn, and of one resource there are at most four, which are done one after the other: nobody waits
/// for the backlog of somebody else. Those of one connection are in the order in which they came.
///
/// # Errors
/// When the database fails.
pub async fn open(mut db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Open>> {
    const OPEN: &str = concat!(
        "SELECT d.tenant_id, t.slug, t.uid, t.state, c.id, c.name, c.dialect, c.state, d.uid, d.method, ",
        "d.endpoint, d.resource_id, d.state, d.attempts, d.created, d.status, d.sealed FROM (",
        "SELECT w.tenant_id, w.id, w.resource_id, ",
        "row_number() OVER (PARTITION BY w.tenant_id, w.connection_id ORDER BY w.id) AS turn, ",
        "row_number() OVER (PARTITION BY w.tenant_id, w.connection_id, w.resource_id ORDER BY w.id) AS nth ",
        "FROM deferred w WHERE ",
        due!(),
        ") x CROSS JOIN deferred d CROSS JOIN tenant t CROSS JOIN connection c ",
        "WHERE (x.resource_id IS NULL OR x.nth <= 4) AND d.tenant_id = x.tenant_id AND d.id = x.id ",
        "AND t.id = d.tenant_id AND c.tenant_id = d.tenant_id AND c.id = d.connection_id ",
        "ORDER BY x.turn, d.id LIMIT 0 + $2"
    );
    db.rows(Statement::new(OPEN).bind(now).bind(i64::from(limit))).await
}

/// Forgets at most `most` requests of any tenant that ended before this; gives how many there were.
///
/// # Errors
/// When the database fails.
pub async fn prune(db: &Db, before: Timestamp, most: u32) -> Result<usize> {
    const PRUNE: &str = "DELETE FROM deferred WHERE (tenant_id, id) IN (SELECT d.tenant_id, d.id FROM deferred d \
                         WHERE d.state = 'done' AND d.finished < $1 ORDER BY d.finished LIMIT 0 + $2) RETURNING id";
    let mut tx = Tx::begin(db).await?;
    let prune = Statement::new(PRUNE).bind(before).bind(i64::from(most));
    let rows: Vec<(i64,)> = tx.write_rows(prune).await?;
    tx.save().await?;
    Ok(rows.len())
}
