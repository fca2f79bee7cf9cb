//! Receivers of all tenants with something to send, and which node sends it.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::Seq;
use crate::store::error::Result;
use crate::store::sql::{Db, FromRow, Read as _, Row, Statement, Tx};

/// Nobody holds a receiver for so long: a hold that ends further ahead was written by a clock that was ahead, and is none.
const LONGEST_HOLD: Duration = Duration::from_mins(2);

/// Nothing is put off for so long: what is due further ahead was written by a clock that was ahead, and is due now.
pub const FURTHEST: Duration = Duration::from_hours(2);

/// A receiver with something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Whose it is.
    pub tenant: TenantId,
    /// Public id of the tenant.
    pub tenant_uid: String,
    /// Its short name.
    pub tenant_slug: String,
    /// Row number of the receiver.
    pub receiver: i64,
    /// Until when the asking node has it; none where it has not.
    pub until: Option<Timestamp>,
    /// Its count of rounds.
    pub round: i64,
    /// Whether there is something to do for it whatever the log says: something is due.
    pub due: bool,
    /// Where the log ends.
    pub end: Seq,
}

impl FromRow for Work {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            tenant_uid: row.get(1)?,
            tenant_slug: row.get(2)?,
            receiver: row.get(3)?,
            until: row.get::<Option<i64>>(4)?.map(Timestamp),
            round: row.get(5)?,
            due: row.get::<i64>(6)? == 1,
            end: Seq(row.get(7)?),
        })
    }
}

/// Receivers that are behind the log, or for which something is due, and which no other node has.
///
/// # Errors
/// When the database fails.
pub async fn waiting(mut db: &Db, holder: &str, now: Timestamp) -> Result<Vec<Work>> {
    const WAITING: &str = "SELECT w.tenant_id, w.uid, w.slug, w.id, w.until, w.round, w.due, w.seq FROM (\
                           SELECT r.tenant_id, t.uid, t.slug, r.id, CASE WHEN r.holder = $1 THEN r.until END AS until, \
                           r.round, CAST(CASE WHEN r.state = 'active' THEN \
                           CASE WHEN EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = r.tenant_id \
                           AND d.receiver_id = r.id AND d.state = 'waiting' AND d.due <= $2) \
                           OR EXISTS (SELECT 1 FROM delivery d WHERE d.tenant_id = r.tenant_id \
                           AND d.receiver_id = r.id AND d.state = 'waiting' AND d.due > $4) THEN 1 ELSE 0 END \
                           WHEN r.next_try <= $2 OR r.next_try > $4 THEN 1 ELSE 0 END AS BIGINT) AS due, \
                           coalesce(h.seq, 0) AS seq, r.state, r.cursor_seq FROM receiver r \
                           JOIN tenant t ON t.id = r.tenant_id LEFT JOIN log_head h ON h.tenant_id = r.tenant_id \
                           WHERE r.kind IN ('webhook', 'push') AND r.state IN ('active', 'failing') \
                           AND (r.until <= $2 OR r.until > $3 OR r.holder = $1)) w \
                           WHERE w.due = 1 OR w.state = 'active' AND w.cursor_seq < w.seq";
    let waiting = Statement::new(WAITING)
        .bind(holder.to_owned())
        .bind(now)
        .bind(now.plus(LONGEST_HOLD))
        .bind(now.plus(FURTHEST));
    db.rows(waiting).await
}

/// Takes a receiver for a node until an instant; false when another node was faster.
///
/// # Errors
/// When the database fails.
pub async fn claim(db: &Db, work: &Work, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
    const CLAIM: &str = "UPDATE receiver SET holder = $3, until = $5 WHERE tenant_id = $1 AND id = $2 \
                         AND (until <= $4 OR until > $6 OR holder = $3) RETURNING id";
    let claim = Statement::new(CLAIM)
        .bind(work.tenant)
        .bind(work.receiver)
        .bind(holder.to_owned())
        .bind(now)
        .bind(until)
        .bind(now.plus(LONGEST_HOLD));
    let mut tx = Tx::begin(db).await?;
    let rows: Vec<(i64,)> = tx.write_rows(claim).await?;
    if rows.is_empty() {
        tx.dismiss().await?;
        return Ok(false);
    }
    tx.save().await?;
    Ok(true)
}
