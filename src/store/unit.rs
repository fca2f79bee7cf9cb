//! The unit of work: one tenant, one transaction. And reads of one tenant without a transaction.

use super::connections::Connections;
use super::credentials::Credentials;
use super::error::Result;
use super::events::Events;
use super::members::Members;
use super::query::Queries;
use super::resources::Resources;
use super::sql::{Db, Tx};
use super::tokens::Tokens;
use super::tolerances::Tolerances;
use crate::base::id::TenantId;

/// One tenant and one transaction. Everything is kept by [`Self::save`], or nothing: dropped, it rolls back.
///
/// Run it in a task of its own, so that a client that goes away cannot cut it in half.
pub struct Unit {
    tenant: TenantId,
    tx: Tx,
}

impl Unit {
    /// Begins one. On SQLite this waits for the writer, so parse, validate and serialise before.
    ///
    /// # Errors
    /// When the database is not available.
    pub async fn begin(db: &Db, tenant: TenantId) -> Result<Self> {
        Ok(Self {
            tenant,
            tx: Tx::begin(db).await?,
        })
    }

    /// Resolves when everything is on disk.
    ///
    /// # Errors
    /// When it is not: then nothing was kept.
    pub async fn save(self) -> Result<()> {
        self.tx.save().await
    }

    /// Drops the writes, and resolves when what the unit may have read is on disk. A refusal, or an answer that
    /// nothing had to change, rests on what was read, so it must wait for this.
    ///
    /// # Errors
    /// When what was read did not get to disk.
    pub async fn dismiss(self) -> Result<()> {
        self.tx.dismiss().await
    }

    /// Users and groups.
    pub fn resources(&mut self) -> Resources<&mut Tx> {
        Resources::new(self.tenant, &mut self.tx)
    }

    /// Members of groups.
    pub fn members(&mut self) -> Members<&mut Tx> {
        Members::new(self.tenant, &mut self.tx)
    }

    /// Password hashes.
    pub fn credentials(&mut self) -> Credentials<&mut Tx> {
        Credentials::new(self.tenant, &mut self.tx)
    }

    /// What happened.
    pub fn events(&mut self) -> Events<&mut Tx> {
        Events::new(self.tenant, &mut self.tx)
    }

    /// Clients of the tenant.
    pub fn connections(&mut self) -> Connections<&mut Tx> {
        Connections::new(self.tenant, &mut self.tx)
    }

    /// Bearer tokens.
    pub fn tokens(&mut self) -> Tokens<&mut Tx> {
        Tokens::new(self.tenant, &mut self.tx)
    }

    /// Tolerance counters.
    pub fn tolerances(&mut self) -> Tolerances<&mut Tx> {
        Tolerances::new(self.tenant, &mut self.tx)
    }
}

/// Reads of one tenant: what is committed when each of them runs.
#[derive(Clone)]
pub struct Reader {
    tenant: TenantId,
    db: Db,
}

impl Reader {
    /// Reads of this tenant.
    #[must_use]
    pub const fn new(db: Db, tenant: TenantId) -> Self {
        Self { tenant, db }
    }

    /// Users and groups.
    #[must_use]
    pub fn resources(&self) -> Resources<&Db> {
        Resources::new(self.tenant, &self.db)
    }

    /// Members of groups.
    #[must_use]
    pub fn members(&self) -> Members<&Db> {
        Members::new(self.tenant, &self.db)
    }

    /// Filtered, sorted pages of resources.
    #[must_use]
    pub fn queries(&self) -> Queries<&Db> {
        Queries::new(self.tenant, &self.db)
    }

    /// Password hashes.
    #[must_use]
    pub fn credentials(&self) -> Credentials<&Db> {
        Credentials::new(self.tenant, &self.db)
    }

    /// What happened.
    #[must_use]
    pub fn events(&self) -> Events<&Db> {
        Events::new(self.tenant, &self.db)
    }

    /// Clients of the tenant.
    #[must_use]
    pub fn connections(&self) -> Connections<&Db> {
        Connections::new(self.tenant, &self.db)
    }

    /// Bearer tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens<&Db> {
        Tokens::new(self.tenant, &self.db)
    }

    /// Tolerance counters.
    #[must_use]
    pub fn tolerances(&self) -> Tolerances<&Db> {
        Tolerances::new(self.tenant, &self.db)
    }
}
