//! Signed places of a log, kept for ever.

use crate::base::id::TenantId;
use crate::event::{Checkpoint, Seq};
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement};

/// The checkpoints of one tenant.
pub struct Checkpoints<R> {
    tenant: TenantId,
    source: R,
}

/// A checkpoint as it stands in its row: if that was damaged, it says what no key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The position.
    pub seq: i64,
    /// Instant of the event there, in microseconds.
    pub at: i64,
    /// Hash of the event there.
    pub hash: String,
    /// Id of the key that signed.
    pub key: String,
    /// The signature.
    pub signature: String,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            hash: row.get(2)?,
            key: row.get(3)?,
            signature: row.get(4)?,
        })
    }
}

impl<R: Read> Checkpoints<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// Those after a position up to and with another, in order: at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn between(&mut self, after: Seq, to: Seq, limit: u32) -> Result<Vec<Found>> {
        const BETWEEN: &str = "SELECT c.seq, c.at, c.hash, c.key_id, c.signature FROM checkpoint c \
                               WHERE c.tenant_id = $1 AND c.seq > $2 AND c.seq <= $3 ORDER BY c.seq LIMIT 0 + $4";
        let statement = Statement::new(BETWEEN).bind(self.tenant).bind(after.0).bind(to.0);
        self.source.rows(statement.bind(i64::from(limit))).await
    }
}

/// Writes a checkpoint.
pub(super) fn keep(tenant: TenantId, checkpoint: Checkpoint) -> Statement {
    const KEEP: &str = "INSERT INTO checkpoint (tenant_id, seq, at, hash, key_id, signature) \
                        VALUES ($1, $2, $3, $4, $5, $6)";
    Statement::new(KEEP)
        .bind(tenant)
        .bind(checkpoint.seq.0)
        .bind(checkpoint.at)
        .bind(checkpoint.hash.to_string())
        .bind(checkpoint.key)
        .bind(checkpoint.signature)
}
