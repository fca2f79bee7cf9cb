//! Connections that only read, beside the writer of SQLite.
//!
//! sqlx's own pool spawns a task for each connection that comes back, which costs more than a read by key.

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

use super::fault;
use super::statement::{self, Script, Statement};
use crate::store::{Error, Result};

pub(super) struct Readers {
    options: SqliteConnectOptions,
    count: u32,
    permits: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    /// `count` connections, opened at once.
    pub(super) async fn open(options: SqliteConnectOptions, count: u16) -> sqlx::Result<Self> {
        let mut idle = Vec::with_capacity(count.into());
        for _ in 0..count {
            idle.push(options.connect().await?);
        }
        Ok(Self {
            options,
            count: count.into(),
            permits: Semaphore::new(count.into()),
            idle: Mutex::new(idle),
        })
    }

    /// All rows of a statement.
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<SqliteRow>> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|closed| Error::Unavailable(Box::new(closed)))?;
        let mut lent = Lent {
            home: self,
            connection: self.take(),
        };
        let connection = match &mut lent.connection {
            Some(connection) => connection,
            none => none.insert(self.options.connect().await.map_err(fault::of)?),
        };
        let (text, arguments) = statement::sqlite("", Script::new(statement), "");
        let rows = connection.fetch_all(sqlx::query_with(text, arguments)).await;
        if matches!(rows, Err(sqlx::Error::WorkerCrashed)) {
            lent.connection = None;
        }
        rows.map_err(fault::of)
    }

    fn take(&self) -> Option<SqliteConnection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Waits for the running reads, then closes all.
    pub(super) async fn close(&self) {
        let running = self.permits.acquire_many(self.count).await;
        self.permits.close();
        drop(running);
        while let Some(connection) = self.take() {
            connection.close().await.ok();
        }
    }
}

/// A connection that goes back when its reader is done or gone.
struct Lent<'a> {
    home: &'a Readers,
    connection: Option<SqliteConnection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
