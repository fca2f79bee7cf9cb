//! Reading the log for what may have ended an account, from where it was left.

use super::due::listed;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};
use crate::store::error::Result;
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// The name under which it is kept how far the log was read.
const NAME: &str = "offboarding";

/// A tenant whose log goes on behind what was read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The tenant.
    pub tenant: TenantId,
    /// Its short name.
    pub slug: String,
    /// How far its log was read; none before the first time.
    pub read: Option<i64>,
    /// Where its log ends.
    pub end: i64,
}

impl FromRow for Behind {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            read: row.get(2)?,
            end: row.get(3)?,
        })
    }
}

/// Tenants but these whose logs go on behind what was read of them: at most `limit`, by row number, after this one.
///
/// # Errors
/// When the database fails.
pub async fn behind(mut db: &Db, after: TenantId, limit: u32, but: &[i64]) -> Result<Vec<Behind>> {
    const BEHIND: &str = "SELECT h.tenant_id, n.slug, f.seq, h.seq FROM log_head h JOIN tenant n ON n.id = h.tenant_id \
                          LEFT JOIN follower f ON f.tenant_id = h.tenant_id AND f.name = $1 \
                          WHERE h.tenant_id > $4 AND (f.seq IS NULL OR f.seq < h.seq) AND NOT (h.tenant_id [among] \
                          SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end]) \
                          ORDER BY h.tenant_id LIMIT 0 + $2";
    let behind = Statement::new(BEHIND).bind(NAME).bind(i64::from(limit));
    db.rows(behind.bind(listed(but)).bind(after)).await
}

/// Something that happened to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its position.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// To whom: row number and public id.
    pub user: (Pk, String),
    /// What kind of actor did it, and which.
    pub actor: (String, String),
    /// By which connection.
    pub connection: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Whether the person may come in now, whatever was so then.
    pub active: bool,
    /// The facts of a restoration, as JSON text: they say what the person was from then on. Empty of everything else.
    pub restored: String,
}

impl FromRow for Told {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: Timestamp(row.get(1)?),
            kind: row.get(2)?,
            user: (Pk(row.get(3)?), row.get(4)?),
            actor: (row.get(5)?, row.get(6)?),
            connection: row.get(7)?,
            request_id: row.get(8)?,
            active: row.get::<i64>(9)? == 1,
            restored: row.get(10)?,
        })
    }
}

/// The log of one tenant, as who follows it reads it.
pub struct Ends<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Ends<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// What happened to people after a position, up to and with another, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn between(&mut self, after: i64, to: i64) -> Result<Vec<Told>> {
        const BETWEEN: &str = "SELECT e.seq, e.at, e.kind, e.subject_pk, e.subject_id, e.actor_kind, e.actor_id, \
                               e.connection, e.request_id, \
                               CAST(CASE WHEN r.pk IS NULL OR r.active = 0 THEN 0 ELSE 1 END AS BIGINT), \
                               CASE WHEN e.kind = 'user.restored' THEN e.data ELSE '' END FROM event e \
                               LEFT JOIN resource r ON r.tenant_id = e.tenant_id AND r.pk = e.subject_pk \
                               WHERE e.tenant_id = $1 AND e.seq > $2 AND e.seq <= $3 AND e.subject_kind = 'user' \
                               AND e.subject_pk IS NOT NULL ORDER BY e.seq";
        let between = Statement::new(BETWEEN).bind(self.tenant).bind(after).bind(to);
        self.source.rows(between).await
    }
}

impl Ends<&mut Tx> {
    /// Keeps how far the log was read, with the save. That fails with [`Error::Stale`](crate::store::Error::Stale) when
    /// it was not where it was said to be: then somebody else has read on.
    pub fn advance(&mut self, from: Option<i64>, to: i64) {
        const MOVE: &str = "UPDATE follower SET seq = $4 WHERE tenant_id = $1 AND name = $2 AND seq = $3 RETURNING seq";
        const BEGIN: &str = "INSERT INTO follower (tenant_id, name, seq) VALUES ($1, $2, $3) \
                             ON CONFLICT (tenant_id, name) DO NOTHING RETURNING seq";
        let moved = match from {
            Some(from) => Statement::new(MOVE).bind(self.tenant).bind(NAME).bind(from),
            None => Statement::new(BEGIN).bind(self.tenant).bind(NAME),
        };
        self.source.later(moved.bind(to).expecting_row());
    }
}
