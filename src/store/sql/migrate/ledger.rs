//! Which migrations an SQLite file has had, for sqlx's migrator: the table that its own driver would keep, whose name
//! is the migrator's default.

use rusqlite::{Connection, OptionalExtension as _, params};
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};
use std::future::{Future, ready};
use std::pin::Pin;
use std::time::{Duration, Instant};

/// The connection that is to be brought up to date, in a transaction of the caller's. Nothing here waits for anything but
/// the disk.
pub(super) struct Ledger<'c>(pub(super) &'c Connection);

type Answer<'e, T> = Pin<Box<dyn Future<Output = Result<T, MigrateError>> + Send + 'e>>;

fn now<'e, T: Send + 'e>(answer: rusqlite::Result<T>) -> Answer<'e, T> {
    Box::pin(ready(answer.map_err(|error| MigrateError::Source(Box::new(error)))))
}

impl Migrate for Ledger<'_> {
    fn create_schema_if_not_exists<'e>(&'e mut self, schema_name: &'e str) -> Answer<'e, ()> {
        Box::pin(ready(Err(MigrateError::CreateSchemasNotSupported(
            schema_name.to_owned(),
        ))))
    }

    fn ensure_migrations_table<'e>(&'e mut self, _: &'e str) -> Answer<'e, ()> {
        const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
                             checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";
        now(self.0.execute_batch(TABLE))
    }

    fn dirty_version<'e>(&'e mut self, _: &'e str) -> Answer<'e, Option<i64>> {
        const DIRTY: &str = "SELECT version FROM _sqlx_migrations WHERE success = FALSE ORDER BY version LIMIT 1";
        let dirty = self.0.query_row(DIRTY, [], |row| row.get(0));
        now(dirty.optional())
    }

    fn list_applied_migrations<'e>(&'e mut self, _: &'e str) -> Answer<'e, Vec<AppliedMigration>> {
        now(applied(self.0))
    }

    fn lock(&mut self) -> Answer<'_, ()> {
        now(Ok(()))
    }

    fn unlock(&mut self) -> Answer<'_, ()> {
        now(Ok(()))
    }

    fn apply<'e>(&'e mut self, _: &'e str, migration: &'e Migration) -> Answer<'e, Duration> {
        const DONE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                            VALUES ($1, $2, TRUE, $3, $4)";
        let start = Instant::now();
        let apply = || {
            self.0.execute_batch(migration.sql.as_str())?;
            let took = i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX);
            let row = params![migration.version, migration.description, &migration.checksum[..], took];
            self.0.execute(DONE, row)
        };
        now(apply().map(|_| start.elapsed()))
    }

    fn revert<'e>(&'e mut self, _: &'e str, migration: &'e Migration) -> Answer<'e, Duration> {
        Box::pin(ready(Err(MigrateError::VersionNotPresent(migration.version))))
    }
}

/// Whether a file has had all of these migrations, as they are, and no other.
pub(super) fn is_current(connection: &Connection, migrator: &Migrator) -> bool {
    // A file without the table has had none.
    let applied = applied(connection).unwrap_or_default();
    let known = migrator.iter().map(|known| (known.version, &known.checksum));
    applied
        .iter()
        .map(|applied| (applied.version, &applied.checksum))
        .eq(known)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<AppliedMigration>> {
    const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
    let mut statement = connection.prepare(APPLIED)?;
    let migrations = statement.query_map([], |row| {
        Ok(AppliedMigration {
            version: row.get(0)?,
            checksum: row.get::<_, Vec<u8>>(1)?.into(),
        })
    })?;
    migrations.collect()
}
