//! Runs of all tenants with something to do.

use std::time::Duration;

use serde_json::json;

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::store::error::Result;
use crate::store::sql::{Db, FromRow, Read as _, Row, Statement};

/// Nothing is put off for so long: what is due further ahead was written by a clock that was ahead, and is due now.
pub const FURTHEST: Duration = Duration::from_hours(2);

/// Whether the person of the run `r` may not come in, now: nobody ends what somebody has open who is back, also where the
/// log does not say so yet.
macro_rules! is_out {
    () => {
        "NOT EXISTS (SELECT 1 FROM resource u WHERE u.tenant_id = r.tenant_id AND u.pk = r.user_pk AND coalesce(u.active, 1) = 1)"
    };
}
pub(super) use is_out;

/// Row numbers as a statement takes them.
pub(in crate::store) fn listed(rows: &[i64]) -> String {
    json!(rows.iter().map(|row| [row]).collect::<Vec<_>>()).to_string()
}

/// A step for which something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose it is.
    pub tenant: TenantId,
    /// Short name of the tenant.
    pub slug: String,
    /// Row number of the run.
    pub run: i64,
    /// Id of the run.
    pub run_uid: String,
    /// Name of the enforcer.
    pub name: String,
    /// How often it was tried: who settles an attempt names it, so that of two who make the same one is thrown away.
    pub attempts: i64,
    /// Whether the enforcer has said that it will.
    pub acknowledged: Option<Timestamp>,
}

impl FromRow for Due {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            run: row.get(2)?,
            run_uid: row.get(3)?,
            name: row.get(4)?,
            attempts: row.get(5)?,
            acknowledged: row.get::<Option<i64>>(6)?.map(Timestamp),
        })
    }
}

/// Steps of Muster itself that are due, the longest waiting first, of all runs of people who are out but these: at most
/// `limit`.
///
/// # Errors
/// When the database fails.
pub async fn steps(mut db: &Db, now: Timestamp, limit: u32, but: &[i64]) -> Result<Vec<Due>> {
    const STEPS: &str = concat!(
        "SELECT s.tenant_id, n.slug, s.run_id, r.uid, s.name, s.attempts, s.acknowledged FROM run_step s \
         JOIN tenant n ON n.id = s.tenant_id JOIN run r ON r.tenant_id = s.tenant_id AND r.id = s.run_id \
         WHERE s.due IS NOT NULL AND (s.due <= $1 OR s.due > $4) AND s.enforcer_id IS NULL AND ",
        is_out!(),
        " AND NOT (s.run_id [among] SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end]) \
         ORDER BY s.due LIMIT 0 + $2"
    );
    let steps = Statement::new(STEPS).bind(now).bind(i64::from(limit));
    db.rows(steps.bind(listed(but)).bind(now.plus(FURTHEST))).await
}

/// A tenant in which something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The tenant.
    pub tenant: TenantId,
    /// Its short name.
    pub slug: String,
}

impl FromRow for Place {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
        })
    }
}

/// The open runs `r` by which somebody may be late at an instant, in a part of a statement that has to end with the rest of
/// a condition. Who confirms or is removed late turns the run in the same unit, so only steps are looked at that wait, by
/// their deadlines; and runs whose own has passed, of steps that have none.
macro_rules! late {
    ($columns:literal, $now:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM run_step s CROSS JOIN run r WHERE s.state IN ('requested', 'acknowledged') AND s.deadline <= ",
            $now,
            " AND r.tenant_id = s.tenant_id AND r.id = s.run_id AND r.state = 'open'",
            $rest,
            " UNION SELECT ",
            $columns,
            " FROM run r WHERE r.state = 'open' AND r.deadline <= ",
            $now,
            " AND EXISTS (SELECT 1 FROM run_step s WHERE s.tenant_id = r.tenant_id AND s.run_id = r.id ",
            "AND COALESCE(s.deadline, r.deadline) <= COALESCE(s.confirmed, s.removed, ",
            $now,
            "))",
            $rest
        )
    };
}
pub(super) use late;

/// Tenants but these with open runs in which somebody is late.
///
/// # Errors
/// When the database fails.
pub async fn overdue(mut db: &Db, now: Timestamp, but: &[i64]) -> Result<Vec<Place>> {
    const OVERDUE: &str = concat!(
        "SELECT n.id, n.slug FROM (",
        late!("r.tenant_id", "$1", ""),
        ") l CROSS JOIN tenant n WHERE n.id = l.tenant_id AND NOT (n.id [among] ",
        "SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end])"
    );
    db.rows(Statement::new(OVERDUE).bind(now).bind(listed(but))).await
}

/// A run that is confirmed and waits for its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncertified {
    /// Whose it is.
    pub place: Place,
    /// Public id of the tenant.
    pub tenant_uid: String,
    /// Row number of the run.
    pub run: i64,
    /// Id of the run.
    pub run_uid: String,
    /// When everything was confirmed.
    pub closed: Option<Timestamp>,
}

impl FromRow for Uncertified {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            place: Place::from_row(row)?,
            tenant_uid: row.get(2)?,
            run: row.get(3)?,
            run_uid: row.get(4)?,
            closed: row.get::<Option<i64>>(5)?.map(Timestamp),
        })
    }
}

/// Runs that are confirmed and wait for their certificates, but these and those of these tenants: at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn uncertified(mut db: &Db, limit: u32, but: &[i64], tenants: &[i64]) -> Result<Vec<Uncertified>> {
    const UNCERTIFIED: &str = "SELECT r.tenant_id, n.slug, n.uid, r.id, r.uid, r.closed FROM run r JOIN tenant n ON n.id = r.tenant_id \
                               WHERE r.state = 'confirmed' AND r.certified = 0 AND NOT (r.id [among] \
                               SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $2] AS j[end]) AND NOT (r.tenant_id [among] \
                               SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $3] AS j[end]) \
                               ORDER BY r.tenant_id, r.id LIMIT 0 + $1";
    let uncertified = Statement::new(UNCERTIFIED).bind(i64::from(limit));
    db.rows(uncertified.bind(listed(but)).bind(listed(tenants))).await
}

/// How many runs of all tenants are open, and how many late.
///
/// # Errors
/// When the database fails.
pub async fn under_way(mut db: &Db) -> Result<(i64, i64)> {
    const COUNT: &str = "SELECT r.state, count(*) FROM run r WHERE r.state IN ('open', 'late') GROUP BY r.state";
    let counted: Vec<(String, i64)> = db.rows(Statement::new(COUNT)).await?;
    let of = |state: &str| counted.iter().find(|one| one.0 == state).map_or(0, |one| one.1);
    Ok((of("open"), of("late")))
}
