//! A change of the rules of status on its way to everybody who is there: how far it is.

use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};
use crate::store::closing::works::Step;
use crate::store::error::{Error, Result};
use crate::store::runs::due::listed;
use crate::store::sql::{Db, FromRow, Read, Row, Statement, Tx};

/// The last change of the rules of one tenant.
pub struct Rulings<R> {
    tenant: TenantId,
    source: R,
}

/// A change of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Its id: the request of everything that it does.
    pub id: String,
    /// Whether it goes on.
    pub running: bool,
    /// Users up to this row number are done with.
    pub after: Pk,
    /// How many users were changed.
    pub turned: u64,
    /// How many could not be: the owner, the last administrators, break-glass accounts.
    pub stayed: u64,
    /// How many could not be changed because of a fault of ours, such as a damaged key.
    pub failed: u64,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl FromRow for Ruling {
    fn from_row(row: &Row) -> Result<Self> {
        let count = |at| Ok::<_, Error>(u64::try_from(row.get::<i64>(at)?).unwrap_or(0));
        Ok(Self {
            id: row.get(0)?,
            running: row.get::<String>(1)? == "running",
            after: Pk(row.get(2)?),
            turned: count(3)?,
            stayed: count(4)?,
            created: Timestamp(row.get(5)?),
            finished: row.get::<Option<i64>>(6)?.map(Timestamp),
            failed: count(7)?,
        })
    }
}

/// One that goes on, in any tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug of the tenant.
    pub slug: String,
    /// Its id.
    pub id: String,
}

impl FromRow for Running {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            tenant: TenantId(row.get(0)?),
            slug: row.get(1)?,
            id: row.get(2)?,
        })
    }
}

impl<R: Read> Rulings<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The last one; none where the rules were never changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last(&mut self) -> Result<Option<Ruling>> {
        const LAST: &str = "SELECT g.uid, g.state, g.after_pk, g.turned, g.stayed, g.created, g.finished, g.failed FROM ruling g \
                            WHERE g.tenant_id = $1";
        self.source.row(Statement::new(LAST).bind(self.tenant)).await
    }
}

impl Rulings<&mut Tx> {
    /// Begins one in the place of the last, also where that goes on; written with the next statement of the unit or its
    /// save.
    pub fn begin(&mut self, id: &str, now: Timestamp) {
        const BEGIN: &str = "INSERT INTO ruling (tenant_id, uid, state, after_pk, turned, stayed, created) \
                             VALUES ($1, $2, 'running', 0, 0, 0, $3) ON CONFLICT (tenant_id) DO UPDATE SET \
                             uid = excluded.uid, state = excluded.state, after_pk = excluded.after_pk, \
                             turned = excluded.turned, stayed = excluded.stayed, failed = 0, created = excluded.created, \
                             finished = NULL";
        let begin = Statement::new(BEGIN).bind(self.tenant).bind(id.to_owned());
        self.source.later(begin.bind(now));
    }

    /// Keeps how far it is, with the save. That fails with [`Error::Stale`] when it is not where it was said to be: another
    /// one has begun, or somebody else has gone on with it.
    pub fn advance(&mut self, ruling: &Ruling, step: Step) {
        const ADVANCE: &str = "UPDATE ruling SET after_pk = $4, turned = turned + $5, stayed = stayed + $6, \
                               failed = failed + $7 WHERE tenant_id = $1 AND uid = $2 AND state = 'running' AND after_pk = $3 RETURNING uid";
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let advance = Statement::new(ADVANCE)
            .bind(self.tenant)
            .bind(ruling.id.clone())
            .bind(ruling.after)
            .bind(step.after)
            .bind(count(step.turned))
            .bind(count(step.stayed))
            .bind(count(step.failed));
        self.source.later(advance.expecting_row());
    }

    /// Ends it; false when another one has begun, or somebody else has ended it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self, ruling: &Ruling, now: Timestamp) -> Result<bool> {
        const END: &str = "UPDATE ruling SET state = 'done', finished = $4 WHERE tenant_id = $1 AND uid = $2 \
                           AND state = 'running' AND after_pk = $3 RETURNING uid";
        let end = Statement::new(END)
            .bind(self.tenant)
            .bind(ruling.id.clone())
            .bind(ruling.after)
            .bind(now);
        let rows: Vec<(String,)> = self.source.write_rows(end).await?;
        Ok(!rows.is_empty())
    }
}

/// At most `limit` that go on, of all tenants but these, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn running(mut db: &Db, but: &[i64], limit: u32) -> Result<Vec<Running>> {
    const RUNNING: &str = "SELECT g.tenant_id, t.slug, g.uid FROM ruling g CROSS JOIN tenant t \
                           WHERE g.state = 'running' AND t.id = g.tenant_id AND NOT (g.tenant_id [among] \
                           SELECT CAST(j.value ->> 0 AS BIGINT) FROM [each $1] AS j[end]) ORDER BY g.created LIMIT 0 + $2";
    let running = Statement::new(RUNNING).bind(listed(but));
    db.rows(running.bind(i64::from(limit))).await
}
