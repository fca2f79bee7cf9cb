//! A database that is open.

use sqlx::{Executor as _, PgPool};
use std::sync::Arc;
use tokio::sync::Notify;

use super::fault;
use super::gate::Gate;
use super::keys::Keys;
use super::migrate;
use super::names::Names;
use super::open::{self, Options};
use super::places::Places;
use super::readers::Readers;
use super::statement::{self, Statement};
use super::tx::Read as _;
use super::words::Engine;
use crate::store::Result;

/// A database that is open. Clones share its connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

pub(super) struct Inner {
    pub(super) handle: Handle,
    pub(super) names: Names,
    /// Rung when a unit of work of this process has added to the log.
    pub(super) bell: Notify,
}

pub(super) enum Handle {
    Sqlite { gate: Gate, readers: Readers },
    Postgres { pool: PgPool, places: Places, keys: Keys },
}

impl Db {
    /// Opens `sqlite:PATH`, which makes the file when it is missing, or `postgres://…`. Nothing is migrated yet.
    ///
    /// # Errors
    /// [`Error::Open`](crate::store::Error::Open), which says what an operator can do.
    pub async fn open(url: &str, options: &Options) -> Result<Self> {
        let handle = open::open(url, options).await?;
        Ok(Self(Arc::new(Inner {
            handle,
            names: Names::default(),
            bell: Notify::new(),
        })))
    }

    /// Brings the tables to what this program knows.
    ///
    /// # Errors
    /// [`Error::Open`](crate::store::Error::Open) when a newer program made the database, or a migration failed.
    pub async fn migrate(&self) -> Result<()> {
        match &self.0.handle {
            Handle::Sqlite { gate, .. } => {
                let runtime = tokio::runtime::Handle::current();
                gate.alone(move |connection| runtime.block_on(migrate::sqlite(connection)))
                    .await?
            }
            Handle::Postgres { pool, .. } => migrate::postgres(pool).await,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        (&mut &*self)
            .row::<(i64,)>(Statement::new("SELECT CAST(1 AS BIGINT)"))
            .await
            .map(drop)
    }

    /// Has the engine read a fixed statement without running it: whether both do is a matter of tests.
    ///
    /// # Errors
    /// When it does not: a word or a column is wrong.
    pub async fn prepare(&self, text: &'static str) -> Result<()> {
        let text = statement::fixed(self.engine(), text);
        match &self.0.handle {
            Handle::Sqlite { gate, .. } => gate
                .alone(move |connection| connection.prepare(text.as_str()).map(drop))
                .await?
                .map_err(fault::of_sqlite),
            Handle::Postgres { pool, .. } => {
                let mut connection = pool.acquire().await.map_err(fault::of)?;
                connection.prepare(text).await.map(drop).map_err(fault::of)
            }
        }
    }

    /// Finishes what is under way, moves what SQLite has in its log to the file, and closes all connections.
    pub async fn close(&self) {
        match &self.0.handle {
            Handle::Sqlite { gate, readers } => {
                readers.close().await;
                gate.alone(|connection| connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"))
                    .await
                    .ok();
                gate.close().await;
            }
            Handle::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Resolves when a unit of work of this process has added to the log since it resolved last. For one who waits.
    pub async fn logged(&self) {
        self.0.bell.notified().await;
    }

    /// Which database it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.0.handle {
            Handle::Sqlite { .. } => Engine::Sqlite,
            Handle::Postgres { .. } => Engine::Postgres,
        }
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }
}
