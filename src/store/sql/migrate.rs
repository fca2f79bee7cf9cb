//! Bringing the tables to what this program knows.

use rusqlite::{Connection, TransactionBehavior};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Executor as _, PgPool};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::Ledger;

use super::{fault, open};
use crate::store::error::{OpenFault, Result};

mod ledger;

/// How much longer another process may take that migrates the same file than one that writes to it.
const LONGER: u32 = 60;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Of a file that is up to date nothing is asked but that. Else all of it is one transaction that writes from its
/// beginning: another process that migrates the same file waits for it, and finds it done.
pub(super) async fn sqlite(connection: &mut Connection) -> Result<()> {
    if ledger::is_current(connection, &SQLITE) {
        return Ok(());
    }
    let path = connection.path().map(PathBuf::from).unwrap_or_default();
    let patience: i64 = connection
        .query_row("PRAGMA busy_timeout", [], |row| row.get(0))
        .map_err(fault::of_sqlite)?;
    let patience = Duration::from_millis(patience.unsigned_abs());
    connection
        .busy_timeout(patience.saturating_mul(LONGER))
        .map_err(fault::of_sqlite)?;
    let migrated = migrate(connection, &path).await;
    let restored = connection.busy_timeout(patience);
    migrated.and(restored.map_err(fault::of_sqlite))
}

async fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| open::sqlite_fault(path, error))?;
    let migrated = SQLITE.run_direct(None, &mut Ledger(&transaction), false).await;
    migrated.map_err(opening)?;
    transaction.commit().map_err(fault::of_sqlite)
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
    let outcome = POSTGRES
        .run_direct(None, &mut *connection, false)
        .await
        .map_err(opening);
    connection.close().await.ok();
    Ok(outcome?)
}

fn opening(error: MigrateError) -> OpenFault {
    match error {
        MigrateError::VersionMissing(version) => OpenFault::Newer(version),
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => OpenFault::Altered(version),
        other => OpenFault::Migrate(Box::new(other)),
    }
}
