//! The one writing connection of SQLite, and group commit.
//!
//! Units of work run one after another, each in a savepoint of one open transaction. [`Held::save`] releases the
//! savepoint and resolves when the shared `COMMIT` did. The committer is a task that queues for the connection like
//! everybody else: units that were waiting when the batch began run before it, and share its disk flush.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, oneshot};

use super::fault;
use super::row::Row;
use super::statement::{self, Statement};
use crate::store::{Error, Result};

/// Opens a batch, and reads the highest row number of a resource ever used, by this process or another.
const BEGIN: &str = "BEGIN IMMEDIATE; SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'resource'";

/// What the units of a batch are told.
#[derive(Clone)]
enum Outcome {
    /// Everything is on disk.
    Kept,
    /// Nothing is: the disk is full.
    Full,
    /// Nothing is, for this reason.
    Failed(Arc<str>),
}

#[derive(Clone)]
pub(super) struct Gate {
    writer: Arc<Mutex<Writer>>,
    wake: Arc<Notify>,
}

struct Writer {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    batch: Option<Vec<oneshot::Sender<Outcome>>>,
    savepoint: Savepoint,
    next_pk: i64,
}

/// What is known of the savepoint `u`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    /// There is none.
    Closed,
    /// There is one, with writes that nobody wants unless their unit is still at work.
    Open,
    /// Somebody stopped waiting for a statement: it may have been run or not.
    Unknown,
}

/// A commit that takes longer than this is reported: every writer waits for it.
const SLOW_COMMIT_MS: u128 = 1000;

impl Gate {
    /// Takes the connection, and starts the committer, which ends with the last clone of the gate.
    pub(super) fn new(connection: SqliteConnection) -> Self {
        let writer = Writer {
            connection: Some(connection),
            batch: None,
            savepoint: Savepoint::Closed,
            next_pk: 1,
        };
        let gate = Self {
            writer: Arc::new(Mutex::new(writer)),
            wake: Arc::new(Notify::new()),
        };
        let (writer, wake) = (Arc::downgrade(&gate.writer), Arc::clone(&gate.wake));
        tokio::spawn(async move {
            loop {
                wake.notified().await;
                let Some(writer) = writer.upgrade() else { return };
                let mut writer = writer.lock_owned().await;
                let start = Instant::now();
                writer.commit().await;
                if writer.connection.is_none() {
                    return;
                }
                let took = start.elapsed().as_millis();
                if took > SLOW_COMMIT_MS {
                    tracing::warn!(duration_ms = took, "the disk took long to confirm a commit");
                }
            }
        });
        gate
    }

    /// Waits for the connection, in order of asking.
    pub(super) async fn enter(&self) -> Result<Held> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        if writer.connection.is_none() {
            return Err(Error::Unavailable("the database is closed".into()));
        }
        let in_batch = writer.batch.is_some();
        Ok(Held {
            writer,
            wake: Arc::clone(&self.wake),
            in_batch,
            wrote: false,
            lost: false,
        })
    }

    /// Runs something on the bare connection, outside any batch.
    pub(super) async fn alone<T>(&self, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> Result<T> {
        let mut writer = self.writer.lock().await;
        writer.commit().await;
        match &mut writer.connection {
            Some(connection) => Ok(work(connection).await),
            None => Err(Error::Unavailable("the database is closed".into())),
        }
    }

    /// Commits what is open and closes the connection.
    pub(super) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        writer.commit().await;
        if let Some(connection) = writer.connection.take() {
            connection.close().await.ok();
        }
        self.wake.notify_one();
    }
}

impl Writer {
    /// Runs statements in one call.
    async fn run(
        &mut self,
        prefix: &'static str,
        statements: Vec<Statement>,
        suffix: &'static str,
    ) -> sqlx::Result<Vec<SqliteRow>> {
        let (text, arguments) = statement::sqlite(prefix, statements, suffix);
        match &mut self.connection {
            Some(connection) => connection.fetch_all(sqlx::query_with(text, arguments)).await,
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    async fn plain(&mut self, text: &'static str) -> sqlx::Result<Vec<SqliteRow>> {
        match &mut self.connection {
            Some(connection) => connection.fetch_all(sqlx::query(text)).await,
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    /// Finds out about a savepoint in doubt; after it, there is none or one that is to be rolled back.
    async fn settle(&mut self) -> Result<()> {
        if self.savepoint != Savepoint::Unknown {
            return Ok(());
        }
        match self.plain("ROLLBACK TO u").await {
            Ok(_) => self.savepoint = Savepoint::Open,
            Err(error) if fault::is_no_savepoint(&error) => self.savepoint = Savepoint::Closed,
            Err(error) => return Err(self.fail(error).await),
        }
        Ok(())
    }

    /// Opens the transaction of a batch.
    async fn open(&mut self) -> Result<()> {
        if self.batch.is_some() {
            return Ok(());
        }
        let rows = match self.plain(BEGIN).await {
            Err(error) if fault::is_local(&error) => {
                // An earlier holder was cancelled after its BEGIN.
                self.plain("ROLLBACK").await.ok();
                self.plain(BEGIN).await
            }
            rows => rows,
        }
        .map_err(fault::of)?;
        let last = rows
            .into_iter()
            .next()
            .map_or(Ok(0), |row| Row::Sqlite(row).get::<i64>(0))?;
        self.next_pk = last + 1;
        self.savepoint = Savepoint::Closed;
        self.batch = Some(Vec::new());
        Ok(())
    }

    /// Ends the batch on disk, and tells its units.
    async fn commit(&mut self) {
        if self.batch.is_none() || self.settle().await.is_err() {
            return;
        }
        let text = if self.savepoint == Savepoint::Open {
            "ROLLBACK TO u; COMMIT"
        } else {
            "COMMIT"
        };
        match self.plain(text).await {
            Ok(_) => self.tell(&Outcome::Kept),
            Err(error) => drop(self.fail(error).await),
        }
    }

    /// Gives the batch up, and tells its units.
    async fn fail(&mut self, error: sqlx::Error) -> Error {
        self.plain("ROLLBACK").await.ok();
        let message = error.to_string().into();
        let error = fault::of(error);
        self.tell(&if matches!(error, Error::Full) {
            Outcome::Full
        } else {
            Outcome::Failed(message)
        });
        error
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.savepoint = Savepoint::Closed;
        for waiter in self.batch.take().unwrap_or_default() {
            waiter.send(outcome.clone()).ok();
        }
    }
}

/// The writing connection, held by one unit of work. Dropped, the unit leaves nothing behind.
pub(super) struct Held {
    writer: OwnedMutexGuard<Writer>,
    wake: Arc<Notify>,
    /// Whether what the unit reads may be of units that are not on disk yet.
    in_batch: bool,
    wrote: bool,
    lost: bool,
}

impl Held {
    /// Rows of a statement that only reads; it sees what earlier units of the batch wrote.
    pub(super) async fn read(&mut self, statement: Statement) -> Result<Vec<SqliteRow>> {
        let prefix = self.prefix("").await?;
        let rows = self.writer.run(prefix, vec![statement], "").await;
        self.done(rows).await
    }

    /// Runs statements that write; gives the rows they return.
    pub(super) async fn write(&mut self, statements: Vec<Statement>) -> Result<Vec<SqliteRow>> {
        self.write_and(statements, "").await
    }

    async fn write_and(&mut self, statements: Vec<Statement>, suffix: &'static str) -> Result<Vec<SqliteRow>> {
        self.writer.open().await?;
        self.in_batch = true;
        let prefix = self.prefix("SAVEPOINT u;").await?;
        self.wrote = true;
        self.writer.savepoint = Savepoint::Unknown;
        let rows = self.writer.run(prefix, statements, suffix).await;
        self.done(rows).await
    }

    /// A row number for a resource. Only for a unit that has written, or is about to.
    pub(super) async fn next_pk(&mut self) -> Result<i64> {
        self.writer.open().await?;
        self.in_batch = true;
        let pk = self.writer.next_pk;
        self.writer.next_pk += 1;
        Ok(pk)
    }

    /// What must run before this unit's next statement: it undoes what an earlier unit left.
    async fn prefix(&mut self, savepoint: &'static str) -> Result<&'static str> {
        if self.lost {
            return Err(Error::Lost);
        }
        if self.wrote {
            return Ok("");
        }
        self.writer.settle().await?;
        Ok(if self.writer.savepoint == Savepoint::Open {
            "ROLLBACK TO u;"
        } else {
            savepoint
        })
    }

    async fn done(&mut self, rows: sqlx::Result<Vec<SqliteRow>>) -> Result<Vec<SqliteRow>> {
        match rows {
            Ok(rows) => {
                if self.wrote {
                    self.writer.savepoint = Savepoint::Open;
                }
                Ok(rows)
            }
            Err(error) => {
                self.lost = true;
                if fault::is_local(&error) {
                    // The savepoint stands, unless the statement that failed was the first word of its text.
                    self.writer.savepoint = Savepoint::Unknown;
                    return Err(fault::of(error));
                }
                Err(self.writer.fail(error).await)
            }
        }
    }

    /// Runs the last statements, and resolves when they and the unit's writes are on disk. A refusal by one of them
    /// resolves when what it rests on is.
    pub(super) async fn save(mut self, last: Vec<Statement>) -> Result<()> {
        if self.lost {
            return Err(Error::Lost);
        }
        if self.wrote || !last.is_empty() {
            if let Err(refused) = self.write_and(last, "RELEASE u").await {
                self.wait().await?;
                return Err(refused);
            }
            self.writer.savepoint = Savepoint::Closed;
        }
        self.wait().await
    }

    /// Drops the unit's writes, and resolves when what it may have read is on disk.
    pub(super) async fn dismiss(self) -> Result<()> {
        self.wait().await
    }

    async fn wait(mut self) -> Result<()> {
        let (sender, receiver) = oneshot::channel();
        match &mut self.writer.batch {
            Some(waiters) if self.in_batch => waiters.push(sender),
            _ => return Ok(()),
        }
        drop(self);
        match receiver.await {
            Ok(Outcome::Kept) => Ok(()),
            Ok(Outcome::Full) => Err(Error::Full),
            Ok(Outcome::Failed(message)) => Err(Error::Commit(message.to_string())),
            Err(_) => Err(Error::Commit(
                "the writer stopped before it confirmed the commit".to_owned(),
            )),
        }
    }
}

impl Drop for Held {
    /// Wakes the committer, also for a batch whose only unit is gone: it must not stay open.
    fn drop(&mut self) {
        if self.writer.batch.is_some() {
            self.wake.notify_one();
        }
    }
}
