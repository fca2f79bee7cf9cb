//! Requests that wait for somebody's decision.

use serde_json::json;

use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, TenantId};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Waiting requests of one tenant.
pub struct Pendings<R> {
    tenant: TenantId,
    source: R,
}

/// What a request is in before somebody has decided.
pub const WAITING: &str = "waiting";

/// A request that is to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPending<'a> {
    /// Id on the wire.
    pub id: &'a str,
    /// When it came.
    pub created: Timestamp,
    /// What it is, such as `parked-request`.
    pub kind: &'a str,
    /// Of which resource.
    pub resource: Pk,
    /// What tells it apart from others of its kind about the resource.
    pub digest: &'a str,
    /// The request, as JSON text.
    pub request: &'a str,
    /// Why it waits.
    pub reason: &'a str,
    /// Number of the hold that it is decided about with.
    pub hold: Option<i64>,
}

/// A request that waits, or waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Orders them.
    pub number: i64,
    /// Id on the wire.
    pub id: String,
    /// When it came first.
    pub created: Timestamp,
    /// What it is.
    pub kind: String,
    /// Id and display name of the resource; none when it is gone.
    pub resource: Option<(ResourceId, String)>,
    /// The request, as JSON text; `{}` once it is settled, because it may hold what is personal.
    pub request: String,
    /// Why it waits.
    pub reason: String,
    /// [`WAITING`] first; then what became of it.
    pub state: String,
}

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Self> {
        let resource = row.get::<Option<String>>(4)?.map(ResourceId::new);
        let name = row.get::<Option<String>>(5)?;
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            created: Timestamp(row.get(2)?),
            kind: row.get(3)?,
            resource: resource.zip(name),
            request: row.get(6)?,
            reason: row.get(7)?,
            state: row.get(8)?,
        })
    }
}

/// A request that the fuse holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRequest {
    /// Orders them.
    pub number: i64,
    /// Id on the wire.
    pub id: String,
    /// The request, as JSON text.
    pub request: String,
    /// What there was too much of.
    pub what: String,
}

impl FromRow for HeldRequest {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            request: row.get(2)?,
            what: row.get(3)?,
        })
    }
}

/// Columns of [`Pending`]: of the request `p` and its resource `r`.
macro_rules! columns {
    () => {
        "SELECT p.id, p.uid, p.created, p.kind, r.id, r.label, p.request, p.reason, p.state FROM pending p \
         LEFT JOIN resource r ON r.tenant_id = p.tenant_id AND r.pk = p.resource_pk "
    };
}

impl<R: Read> Pendings<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The request with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<Pending>> {
        const FIND: &str = concat!(columns!(), "WHERE p.tenant_id = $1 AND p.uid = $2");
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(id.to_owned()))
            .await
    }

    /// At most `limit` requests in a state after the one with this number, oldest first; 0 begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self, state: &str, after: i64, limit: u32) -> Result<Vec<Pending>> {
        const LIST: &str = concat!(
            columns!(),
            "WHERE p.tenant_id = $1 AND p.state = $2 AND p.id > $3 ORDER BY p.id LIMIT 0 + $4"
        );
        let list = Statement::new(LIST)
            .bind(self.tenant)
            .bind(state.to_owned())
            .bind(after);
        self.source.rows(list.bind(i64::from(limit))).await
    }

    /// At most `limit` requests of a hold after the one with this number, oldest first; 0 begins. In this state, or in
    /// any where it is empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_hold(&mut self, hold: i64, state: &str, after: i64, limit: u32) -> Result<Vec<Pending>> {
        const OF_HOLD: &str = concat!(
            columns!(),
            "WHERE p.tenant_id = $1 AND p.hold_id = $2 AND ($3 = '' OR p.state = $3) AND p.id > $4 \
             ORDER BY p.id LIMIT 0 + $5"
        );
        let of_hold = Statement::new(OF_HOLD)
            .bind(self.tenant)
            .bind(hold)
            .bind(state.to_owned())
            .bind(after);
        self.source.rows(of_hold.bind(i64::from(limit))).await
    }

    /// The requests of a connection about a resource that the fuse holds, after the one with this number, oldest first; 0
    /// begins. At most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held(
        &mut self,
        (resource, connection): (Pk, ConnectionId),
        after: i64,
        limit: u32,
    ) -> Result<Vec<HeldRequest>> {
        const HELD: &str = "SELECT p.id, p.uid, p.request, h.what FROM pending p CROSS JOIN hold h WHERE p.tenant_id = $1 \
                            AND p.resource_pk = $2 AND p.kind = 'held-change' AND p.state = 'waiting' AND p.id > $4 \
                            AND h.tenant_id = $1 AND h.id = p.hold_id AND h.connection_id = $3 ORDER BY p.id LIMIT 0 + $5";
        let held = Statement::new(HELD).bind(self.tenant).bind(resource).bind(connection);
        self.source.rows(held.bind(after).bind(i64::from(limit))).await
    }

    /// At most `limit` requests that wait about a resource, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn about(&mut self, resource: Pk, limit: u32) -> Result<Vec<Pending>> {
        const ABOUT: &str = concat!(
            columns!(),
            "WHERE p.tenant_id = $1 AND p.resource_pk = $2 AND p.state = 'waiting' ORDER BY p.id LIMIT 0 + $3"
        );
        let about = Statement::new(ABOUT).bind(self.tenant).bind(resource);
        self.source.rows(about.bind(i64::from(limit))).await
    }
}

/// Ends the waiting of a request, and forgets what it held.
const SETTLE: &str = "UPDATE pending SET state = $3, request = '{}' \
                      WHERE tenant_id = $1 AND uid = $2 AND state = 'waiting' RETURNING id";

impl Pendings<&mut Tx> {
    /// Whether a request waits already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waits(&mut self, new: &NewPending<'_>) -> Result<bool> {
        const WAITS: &str = "SELECT p.id FROM pending p WHERE p.tenant_id = $1 AND p.resource_pk = $2 AND p.kind = $3 \
                             AND p.digest = $4 AND p.state = 'waiting'";
        let waits = Statement::new(WAITS)
            .bind(self.tenant)
            .bind(new.resource)
            .bind(new.kind.to_owned())
            .bind(new.digest.to_owned());
        let row: Option<(i64,)> = self.source.row(waits).await?;
        Ok(row.is_some())
    }

    /// Has a request wait. Gives the id of the one that waits: another than the new one when it waited already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&mut self, new: NewPending<'_>) -> Result<String> {
        const KEEP: &str = "INSERT INTO pending (tenant_id, uid, created, kind, resource_pk, digest, request, reason, state, \
                            hold_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', $9) \
                            ON CONFLICT (tenant_id, resource_pk, kind, digest) WHERE state = 'waiting' \
                            DO UPDATE SET reason = excluded.reason RETURNING uid";
        let keep = Statement::new(KEEP)
            .bind(self.tenant)
            .bind(new.id.to_owned())
            .bind(new.created)
            .bind(new.kind.to_owned())
            .bind(new.resource)
            .bind(new.digest.to_owned())
            .bind(new.request.to_owned())
            .bind(new.reason.to_owned())
            .bind(new.hold);
        let rows: Vec<(String,)> = self.source.write_rows(keep).await?;
        let row = rows.into_iter().next();
        row.map(|row| row.0).ok_or(Error::Damaged("new pending request"))
    }

    /// Settles a request that waits, and forgets what it held; false when it does not wait, or there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&mut self, id: &str, to: &str) -> Result<bool> {
        let settle = Statement::new(SETTLE).bind(self.tenant).bind(id.to_owned());
        let rows: Vec<(i64,)> = self.source.write_rows(settle.bind(to.to_owned())).await?;
        Ok(!rows.is_empty())
    }

    /// Settles those of these requests that wait, and forgets what they held. Gives their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_all(&mut self, ids: &[String], to: &str) -> Result<Vec<String>> {
        const SETTLE: &str = "UPDATE pending SET state = $3, request = '{}' WHERE tenant_id = $1 AND state = 'waiting' \
                              AND uid [among] SELECT j.value ->> 0 FROM [each $2] AS j[end] RETURNING uid";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let listed = json!(ids.iter().map(|id| [id]).collect::<Vec<_>>()).to_string();
        let settle = Statement::new(SETTLE)
            .bind(self.tenant)
            .bind(listed)
            .bind(to.to_owned());
        let settled: Vec<(String,)> = self.source.write_rows(settle).await?;
        Ok(settled.into_iter().map(|row| row.0).collect())
    }

    /// The same with the next statement of the unit or its save, which gives [`Error::Stale`] when the request does not
    /// wait any more: for a unit that does what was asked for.
    pub fn settle_with(&mut self, id: &str, to: &str) {
        let settle = Statement::new(SETTLE).bind(self.tenant).bind(id.to_owned());
        self.source.later(settle.bind(to.to_owned()).expecting_row());
    }

    /// Settles a request that waits and cannot be made, and says why; false when it does not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail(&mut self, id: &str, reason: &str) -> Result<bool> {
        const FAIL: &str = "UPDATE pending SET state = 'failed', request = '{}', reason = $3 \
                            WHERE tenant_id = $1 AND uid = $2 AND state = 'waiting' RETURNING id";
        let fail = Statement::new(FAIL).bind(self.tenant).bind(id.to_owned());
        let rows: Vec<(i64,)> = self.source.write_rows(fail.bind(reason.to_owned())).await?;
        Ok(!rows.is_empty())
    }

    /// Throws away what waits of a hold; written with the save.
    pub fn dismiss_hold(&mut self, hold: i64) {
        const DISMISS: &str = "UPDATE pending SET state = 'dismissed', request = '{}' \
                               WHERE tenant_id = $1 AND hold_id = $2 AND state = 'waiting'";
        self.source.later(Statement::new(DISMISS).bind(self.tenant).bind(hold));
    }

    /// Settles what waits of a kind about a resource; written with the save.
    pub fn settle_about(&mut self, resource: Pk, kind: &str, to: &str) {
        const ABOUT: &str = "UPDATE pending SET state = $4, request = '{}' \
                              WHERE tenant_id = $1 AND resource_pk = $2 AND kind = $3 AND state = 'waiting'";
        let settle = Statement::new(ABOUT).bind(self.tenant).bind(resource);
        self.source.later(settle.bind(kind.to_owned()).bind(to.to_owned()));
    }
}
