//! Bringing the tables to what this program knows.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgPool, SqliteConnection};

use crate::store::error::{OpenFault, Result};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Another process may be migrating the same file: what it has done meanwhile makes the first try fail, and is found
/// by the second.
pub(super) async fn sqlite(connection: &mut SqliteConnection) -> Result<()> {
    if SQLITE.run_direct(None, connection, false).await.is_ok() {
        return Ok(());
    }
    Ok(SQLITE.run_direct(None, connection, false).await.map_err(fault)?)
}

/// Several nodes may start at once: the migrator takes an advisory lock.
pub(super) async fn postgres(pool: &PgPool) -> Result<()> {
    Ok(POSTGRES.run(pool).await.map_err(fault)?)
}

fn fault(error: MigrateError) -> OpenFault {
    match error {
        MigrateError::VersionMissing(version) => OpenFault::Newer(version),
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => OpenFault::Altered(version),
        other => OpenFault::Migrate(Box::new(other)),
    }
}
