//! Bringing the tables to what this program knows.

use rusqlite::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Executor as _, PgPool};

use ledger::Ledger;

use crate::store::error::{OpenFault, Result};

mod ledger;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Another process may be migrating the same file: what it has done meanwhile makes the first try fail, and is found
/// by the second.
pub(super) async fn sqlite(connection: &mut Connection) -> Result<()> {
    let mut ledger = Ledger(connection);
    if SQLITE.run_direct(None, &mut ledger, false).await.is_ok() {
        return Ok(());
    }
    Ok(SQLITE.run_direct(None, &mut ledger, false).await.map_err(fault)?)
}

/// Several nodes may start at once: the migrator takes an advisory lock.
pub(super) async fn postgres(pool: &PgPool) -> Result<()> {
    let mut connection = pool
        .acquire()
        .await
        .map_err(|error| OpenFault::Connect(Box::new(error)))?;
    // A migration may take longer than a statement may.
    let free = connection.execute("SET statement_timeout = 0").await;
    free.map_err(|error| OpenFault::Connect(Box::new(error)))?;
    let outcome = POSTGRES.run_direct(None, &mut *connection, false).await.map_err(fault);
    connection.close().await.ok();
    Ok(outcome?)
}

fn fault(error: MigrateError) -> OpenFault {
    match error {
        MigrateError::VersionMissing(version) => OpenFault::Newer(version),
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => OpenFault::Altered(version),
        other => OpenFault::Migrate(Box::new(other)),
    }
}
