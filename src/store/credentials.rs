//! Password hashes of users, apart from everything that is shown or searched.

use super::error::Result;
use super::sql::{Read, Statement, Tx};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, TenantId};

/// The password hashes of one tenant.
pub struct Credentials<R> {
    tenant: TenantId,
    source: R,
}

impl<R: Read> Credentials<R> {
    pub(super) const fn new(tenant: TenantId, source: R) -> Self {
        Self { tenant, source }
    }

    /// The hash of a user's password, when there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, user: Pk) -> Result<Option<String>> {
        const FIND: &str = "SELECT hash FROM password WHERE tenant_id = $1 AND resource_pk = $2";
        let row: Option<(String,)> = self
            .source
            .row(Statement::new(FIND).bind(self.tenant).bind(user))
            .await?;
        Ok(row.map(|(hash,)| hash))
    }
}

impl Credentials<&mut Tx> {
    /// Sets the hash of a user's password; the row is written with the save.
    pub fn set(&mut self, user: Pk, hash: String, now: Timestamp) {
        const SET: &str = "INSERT INTO password (tenant_id, resource_pk, hash, changed) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT (tenant_id, resource_pk) DO UPDATE SET hash = excluded.hash, changed = excluded.changed";
        self.source
            .later(Statement::new(SET).bind(self.tenant).bind(user).bind(hash).bind(now));
    }

    /// Takes a user's password away; the row is removed with the save.
    pub fn clear(&mut self, user: Pk) {
        const CLEAR: &str = "DELETE FROM password WHERE tenant_id = $1 AND resource_pk = $2";
        self.source.later(Statement::new(CLEAR).bind(self.tenant).bind(user));
    }
}
