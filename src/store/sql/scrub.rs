//! What was removed is removed from the disk as well.

use rusqlite::Connection;
use sqlx::Executor as _;
use std::time::Duration;

use super::db::{Db, Handle};
use super::fault;
use crate::store::Result;

/// How long readers of SQLite are waited for at a time: writers wait as long.
const PATIENCE: Duration = Duration::from_millis(100);

/// The tables that hold what is said of people.
const VACUUM: &str = "VACUUM resource, attribute, external_id, password, aside, tombstone, tombstone_member, tombstone_grant, \
                      tombstone_external, user_status, schedule, pending, preview, idempotency, mail, token, invitation, \
                      deferred";

impl Db {
    /// Removes old versions of rows from the disk; false when something is still being read that keeps them there.
    ///
    /// SQLite overwrites what is deleted (`secure_delete`), but its log holds pages as they were: it is emptied.
    /// PostgreSQL keeps dead rows until they are vacuumed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn scrub(&self) -> Result<bool> {
        match &self.inner().handle {
            Handle::Sqlite { gate, .. } => gate.alone(emptied).await?.map_err(fault::of_sqlite),
            Handle::Postgres { pool, .. } => {
                let mut connection = pool.acquire().await.map_err(fault::of)?;
                // It may take longer than a statement may.
                connection
                    .execute("SET statement_timeout = 0")
                    .await
                    .map_err(fault::of)?;
                let vacuumed = connection.execute(VACUUM).await;
                connection.execute("RESET statement_timeout").await.map_err(fault::of)?;
                vacuumed.map(|_| true).map_err(fault::of)
            }
        }
    }
}

/// Moves all of the log into the file, and cuts it off; false when a reader is in the way.
fn emptied(connection: &mut Connection) -> rusqlite::Result<bool> {
    let patience: i64 = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0))?;
    connection.busy_timeout(PATIENCE)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(Duration::from_millis(patience.unsigned_abs()))?;
    Ok(busy? == 0)
}
