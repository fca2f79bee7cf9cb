//! How often a client's habits had to be tolerated.

use super::error::Result;
use super::sql::{Db, FromRow, Read, Row, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, TenantId};

/// The tolerance counters of one tenant.
pub struct Tolerances<R> {
    tenant: TenantId,
    source: R,
}

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tolerance {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Which habit.
    pub rule: String,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
}

impl FromRow for Tolerance {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            connection: ConnectionId(row.get(0)?),
            rule: row.get(1)?,
            count: u64::try_from(row.get::<i64>(2)?).unwrap_or(0),
            last: Timestamp(row.get(3)?),
        })
    }
}

impl<R: Read> Tolerances<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// All counters.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<Tolerance>> {
        const LIST: &str = "SELECT connection_id, rule, count, last FROM tolerance WHERE tenant_id = $1 \
                            ORDER BY connection_id, rule";
        self.source.rows(Statement::new(LIST).bind(self.tenant)).await
    }
}

impl Tolerances<&mut Tx> {
    /// Counts a habit; the row is written with the save. Counters are shared by all requests of a connection, so
    /// collect them and count seldom.
    pub fn count(&mut self, connection: ConnectionId, rule: &'static str, times: u32, now: Timestamp) {
        self.source
            .later(counted(self.tenant, connection, rule, i64::from(times), now));
    }
}

fn counted(tenant: TenantId, connection: ConnectionId, rule: &'static str, times: i64, now: Timestamp) -> Statement {
    const COUNT: &str = "INSERT INTO tolerance (tenant_id, connection_id, rule, count, last) VALUES ($1, $2, $3, $4, $5) \
                         ON CONFLICT (tenant_id, connection_id, rule) \
                         DO UPDATE SET count = tolerance.count + excluded.count, last = excluded.last";
    Statement::new(COUNT)
        .bind(tenant)
        .bind(connection)
        .bind(rule)
        .bind(times)
        .bind(now)
}

/// Writes counters collected over many requests, of any tenants.
///
/// # Errors
/// When the database fails; then none is written.
pub async fn flush(db: &Db, counted_up: &[(TenantId, ConnectionId, &'static str, u64)], now: Timestamp) -> Result<()> {
    let mut sorted: Vec<_> = counted_up.iter().collect();
    sorted.sort_unstable();
    let mut tx = Tx::begin(db).await?;
    for (tenant, connection, rule, times) in sorted {
        tx.later(counted(
            *tenant,
            *connection,
            rule,
            i64::try_from(*times).unwrap_or(i64::MAX),
            now,
        ));
    }
    tx.save().await
}
