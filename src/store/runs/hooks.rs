//! Enforcers of all tenants for whom something is due, which node calls them, and what they are called for.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::store::error::Result;
use crate::store::runs::due::{Due, FURTHEST, is_out};
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// Nobody holds an enforcer for so long: a hold that ends further ahead was written by a clock that was ahead, and is none.
const LONGEST_HOLD: Duration = Duration::from_mins(2);

/// Whether something is due, as the statements here take it: also what a clock that was ahead has put off.
#[must_use]
pub fn is_due(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at > now.plus(FURTHEST)
}

/// An enforcer for whom something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Whose it is.
    pub tenant: TenantId,
    /// Public id of the tenant.
    pub tenant_uid: String,
    /// Its short name.
    pub tenant_slug: String,
    /// Row number of the enforcer.
    pub enforcer: i64,
    /// Until when the asking node has it; none where it has not.
    pub until: Option<Timestamp>,
}

impl FromRow for Work {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            tenant_uid: row.get(1)?,
            tenant_slug: row.get(2)?,
            enforcer: row.get(3)?,
            until: row.get::<Option<i64>>(4)?.map(Timestamp),
        })
    }
}

/// Enforcers with steps that are due, or who are to be tried, and whom no other node calls.
///
/// # Errors
/// When the database fails.
pub async fn waiting(mut db: &Db, holder: &str, now: Timestamp) -> Result<Vec<Work>> {
    const WAITING: &str = concat!(
        "SELECT f.tenant_id, t.uid, t.slug, f.id, CASE WHEN f.holder = $1 THEN f.until END FROM enforcer f \
         JOIN tenant t ON t.id = f.tenant_id WHERE (f.until <= $2 OR f.until > $3 OR f.holder = $1) \
         AND (f.test_due <= $2 OR f.test_due > $4 OR EXISTS (SELECT 1 FROM run_step s JOIN run r ON r.tenant_id = s.tenant_id AND r.id = s.run_id \
         WHERE s.tenant_id = f.tenant_id AND s.enforcer_id = f.id \
         AND s.state IN ('requested', 'acknowledged') AND (s.due <= $2 OR s.due > $4) AND ",
        is_out!(),
        "))"
    );
    let waiting = Statement::new(WAITING).bind(holder.to_owned()).bind(now);
    db.rows(waiting.bind(now.plus(LONGEST_HOLD)).bind(now.plus(FURTHEST)))
        .await
}

/// Takes an enforcer for a node until an instant; false when another node was faster.
///
/// # Errors
/// When the database fails.
pub async fn claim(db: &Db, work: &Work, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
    const CLAIM: &str = "UPDATE enforcer SET holder = $3, until = $5 WHERE tenant_id = $1 AND id = $2 \
                         AND (until <= $4 OR until > $6 OR holder = $3) RETURNING id";
    let claim = Statement::new(CLAIM)
        .bind(work.tenant)
        .bind(work.enforcer)
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

/// A step of an enforcer that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueHook {
    /// The step.
    pub step: Due,
    /// Public id of the person.
    pub user: String,
    /// When the account ended.
    pub opened: Timestamp,
    /// Until when the step has to be confirmed.
    pub deadline: Timestamp,
}

impl FromRow for DueHook {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            step: Due::from_row(row)?,
            user: row.get(7)?,
            opened: Timestamp(row.get(8)?),
            deadline: Timestamp(row.get(9)?),
        })
    }
}

/// What the enforcers of one tenant are called for.
pub struct Hooks<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Hooks<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// Steps of an enforcer that are due, the longest waiting first: at most `limit`. So is what a clock that was ahead has
    /// put off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&mut self, enforcer: i64, now: Timestamp, limit: u32) -> Result<Vec<DueHook>> {
        const DUE: &str = concat!(
            "SELECT s.tenant_id, t.slug, s.run_id, r.uid, s.name, s.attempts, s.acknowledged, r.user_id, r.opened, \
             COALESCE(s.deadline, r.deadline) FROM run_step s JOIN tenant t ON t.id = s.tenant_id \
             JOIN run r ON r.tenant_id = s.tenant_id AND r.id = s.run_id \
             WHERE s.tenant_id = $1 AND s.enforcer_id = $2 AND s.state IN ('requested', 'acknowledged') \
             AND (s.due <= $3 OR s.due > $5) AND ",
            is_out!(),
            " ORDER BY s.due LIMIT 0 + $4"
        );
        let due = Statement::new(DUE).bind(self.tenant).bind(enforcer).bind(now);
        self.source
            .rows(due.bind(i64::from(limit)).bind(now.plus(FURTHEST)))
            .await
    }
}
