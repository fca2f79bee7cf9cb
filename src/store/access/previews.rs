//! What changes would come to: computed, shown, and perhaps applied.

use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::store::error::Result;
use crate::store::sql::{FromRow, Read, Row, Statement, Tx};

/// Previews of one tenant.
pub struct Previews<R> {
    tenant: TenantId,
    source: R,
}

/// A preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Id on the wire.
    pub id: String,
    /// When it was computed.
    pub created: Timestamp,
    /// The version of the policy it was computed at.
    pub policy_version: i64,
    /// The changes, as JSON text.
    pub changes: String,
    /// What they would come to, as JSON text.
    pub result: String,
    /// Of the result.
    pub digest: String,
    /// When they were made.
    pub applied: Option<Timestamp>,
}

impl FromRow for Preview {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            created: Timestamp(row.get(1)?),
            policy_version: row.get(2)?,
            changes: row.get(3)?,
            result: row.get(4)?,
            digest: row.get(5)?,
            applied: row.get::<Option<i64>>(6)?.map(Timestamp),
        })
    }
}

impl<R: Read> Previews<R> {
    pub(in crate::store) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The preview with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: &str) -> Result<Option<Preview>> {
        const FIND: &str = "SELECT uid, created, policy_version, changes, result, digest, applied FROM preview \
                            WHERE tenant_id = $1 AND uid = $2";
        self.source
            .row(Statement::new(FIND).bind(self.tenant).bind(id.to_owned()))
            .await
    }
}

impl Previews<&mut Tx> {
    /// Keeps a preview; the row is written with the save.
    pub fn keep(&mut self, preview: &Preview) {
        const KEEP: &str = "INSERT INTO preview (tenant_id, uid, created, policy_version, changes, result, \
                            digest, applied) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        self.source.later(
            Statement::new(KEEP)
                .bind(self.tenant)
                .bind(preview.id.clone())
                .bind(preview.created)
                .bind(preview.policy_version)
                .bind(preview.changes.clone())
                .bind(preview.result.clone())
                .bind(preview.digest.clone())
                .bind(preview.applied),
        );
    }

    /// Notes that the changes are made; false when they were already, or there is no such preview.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply(&mut self, id: &str, now: Timestamp) -> Result<bool> {
        const APPLY: &str = "UPDATE preview SET applied = $3 WHERE tenant_id = $1 AND uid = $2 AND applied IS NULL \
                             RETURNING id";
        let apply = Statement::new(APPLY).bind(self.tenant).bind(id.to_owned()).bind(now);
        let rows: Vec<(i64,)> = self.source.write_rows(apply).await?;
        Ok(!rows.is_empty())
    }

    /// Removes all but the latest `most` previews.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn crop(&mut self, most: u32) -> Result<usize> {
        const CROP: &str = "DELETE FROM preview WHERE tenant_id = $1 AND id <= (SELECT p.id FROM preview p \
                            WHERE p.tenant_id = $1 ORDER BY p.id DESC LIMIT 1 OFFSET 0 + $2) RETURNING id";
        let crop = Statement::new(CROP).bind(self.tenant).bind(i64::from(most));
        let rows: Vec<(i64,)> = self.source.write_rows(crop).await?;
        Ok(rows.len())
    }

    /// Removes at most `most` previews that are older than this; gives how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&mut self, before: Timestamp, most: u32) -> Result<usize> {
        const PRUNE: &str = "DELETE FROM preview WHERE tenant_id = $1 AND id IN (SELECT p.id FROM preview p \
                             WHERE p.tenant_id = $1 AND p.created < $2 ORDER BY p.created LIMIT 0 + $3) RETURNING id";
        let prune = Statement::new(PRUNE).bind(self.tenant).bind(before);
        let rows: Vec<(i64,)> = self.source.write_rows(prune.bind(i64::from(most))).await?;
        Ok(rows.len())
    }
}
