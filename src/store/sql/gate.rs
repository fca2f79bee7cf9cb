//! The one writing connection of SQLite, and group commit.
//!
//! Units of work run one after another in one open transaction, each but the first in a savepoint. [`Held::save`] hands
//! its last statements over and lets the next unit in at once; it resolves when the shared `COMMIT` did. The committer is
//! a task that queues for its turn like everybody else: units that were waiting when the commit before it ended run
//! before it, and share its disk flush. A unit that writes much has a batch of its own.

use rusqlite::Connection;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, oneshot};

use super::fault;
use super::keys::Keys;
use super::row::Row;
use super::sqlite::{self, Line};
use super::statement::Statement;
use super::worker::{Gone, Worker};
use crate::store::{Error, Result};

/// Takes a block of row numbers of resources, which no other process gets: `sqlite_sequence` holds the highest.
const FIRST_BLOCK: &str = "INSERT INTO sqlite_sequence (name, seq) SELECT 'resource', 0 \
                           WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'resource')";
const BLOCK: &str = "UPDATE sqlite_sequence SET seq = seq + 64 WHERE name = 'resource' RETURNING seq - 63";

/// A unit of so many statements has a batch of its own. In that of others it would write into a savepoint, for which SQLite
/// copies every page it touches, and walks through all the copies at the end of each statement.
const MANY: usize = 64;

/// A commit that takes longer than this is reported: every writer waits for it.
const SLOW_COMMIT_MS: u128 = 1000;

#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    worker: Worker<Writer>,
    turn: Arc<Mutex<()>>,
    wake: Arc<Notify>,
    keys: Arc<Keys>,
}

impl Gate {
    /// Starts the writer's thread and the committer, which ends with the last clone of the gate.
    pub(super) async fn start(
        open: impl FnOnce() -> rusqlite::Result<Connection> + Send + 'static,
    ) -> std::result::Result<rusqlite::Result<Self>, Gone> {
        let keys = Arc::new(Keys::default());
        let mine = Arc::clone(&keys);
        let make = move || Ok(Writer::new(open()?, mine));
        let worker = match Worker::start("sqlite-writer".to_owned(), make).await? {
            Ok(worker) => worker,
            Err(error) => return Ok(Err(error)),
        };
        let inner = Arc::new(Inner {
            worker,
            turn: Arc::default(),
            wake: Arc::default(),
            keys,
        });
        let (wake, gate) = (Arc::clone(&inner.wake), Arc::downgrade(&inner));
        tokio::spawn(async move {
            loop {
                wake.notified().await;
                let Some(gate) = gate.upgrade() else { return };
                if gate.commit().await.is_err() {
                    return;
                }
            }
        });
        Ok(Ok(Self(inner)))
    }

    /// Waits for a turn, in order of asking.
    pub(super) async fn enter(&self) -> Held {
        Held {
            _turn: Arc::clone(&self.0.turn).lock_owned().await,
            gate: Arc::clone(&self.0),
            wrote: false,
            lost: false,
            open: false,
        }
    }

    /// Runs something on the bare connection, outside any batch.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T> {
        let turn = self.0.turn.lock().await;
        let done = self.0.worker.ask(|writer| {
            writer.commit().ok();
            writer.connection.as_mut().map(work)
        });
        let done = done.await.map_err(unavailable)?;
        drop(turn);
        done.ok_or_else(closed)
    }

    /// Commits what is open and closes the connection.
    pub(super) async fn close(&self) {
        let closing = self.0.worker.ask(|writer| {
            writer.commit().ok();
            writer.connection = None;
        });
        closing.await.ok();
        self.0.wake.notify_one();
    }
}

impl Inner {
    async fn commit(&self) -> std::result::Result<(), Gone> {
        let turn = self.turn.lock().await;
        let committed = self.worker.post(|writer| {
            writer.commit().ok();
            writer.connection.is_some()
        })?;
        // The next unit comes in behind it.
        drop(turn);
        match committed.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Gone),
        }
    }
}

impl Drop for Inner {
    /// Lets the committer see that there is nothing more to commit.
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

fn unavailable(gone: Gone) -> Error {
    Error::Unavailable(Box::new(gone))
}

fn closed() -> Error {
    Error::Unavailable("the database is closed".into())
}

/// The connection and what is open on it; lives in its thread.
struct Writer {
    /// `None` once closed.
    connection: Option<Connection>,
    /// Units of the open transaction that wait for its commit.
    batch: Option<Vec<Waiter>>,
    /// What the writes of the unit at work can be taken back by.
    mark: Mark,
    /// Whether the unit at work took a block of row numbers.
    reserved: bool,
    /// Statements of the unit at work.
    statements: usize,
    keys: Arc<Keys>,
}

/// What the writes of a unit can be taken back by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// It has none.
    Clean,
    /// The transaction: the unit is the first of its batch, and spares the copies of pages that a savepoint needs.
    Batch,
    /// The savepoint `u`.
    Savepoint,
}

/// Somebody who waits for a commit, and what it is told then.
struct Waiter {
    answer: oneshot::Sender<Result<()>>,
    outcome: Result<()>,
}

impl Writer {
    fn new(connection: Connection, keys: Arc<Keys>) -> Self {
        Self {
            connection: Some(connection),
            batch: None,
            mark: Mark::Clean,
            reserved: false,
            statements: 0,
            keys,
        }
    }

    fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(closed)
    }

    fn plain(&mut self, text: &str) -> Result<()> {
        let done = sqlite::plain(self.connection()?, text);
        done.map_err(|error| self.note(error))
    }

    fn run(&mut self, statements: &[Statement]) -> Result<Vec<Line>> {
        let connection = self.connection()?;
        let mut lines = Vec::new();
        for statement in statements {
            if let Err(error) = sqlite::run(connection, statement, &mut lines) {
                return Err(self.note(error));
            }
        }
        Ok(lines)
    }

    /// The store's word for an error. One that may have undone more than a statement ends the batch.
    fn note(&mut self, error: rusqlite::Error) -> Error {
        if fault::is_local(&error) {
            fault::of_sqlite(error)
        } else {
            self.fail(error)
        }
    }

    /// Gives the batch up, and tells its units.
    fn fail(&mut self, error: rusqlite::Error) -> Error {
        if let Some(connection) = &self.connection {
            sqlite::plain(connection, "ROLLBACK").ok();
        }
        self.mark = Mark::Clean;
        self.reserved = false;
        // Blocks of row numbers that the batch took are free again.
        self.keys.forget();
        let message = error.to_string();
        let error = fault::of_sqlite(error);
        for waiter in self.batch.take().unwrap_or_default() {
            let told = if matches!(error, Error::Full) {
                Error::Full
            } else {
                Error::Commit(message.clone())
            };
            waiter.answer.send(Err(told)).ok();
        }
        error
    }

    /// Opens the transaction of a batch, or the savepoint of a unit that is not its first.
    fn open(&mut self) -> Result<()> {
        if self.batch.is_none() {
            self.plain("BEGIN IMMEDIATE")?;
            self.batch = Some(Vec::new());
            self.mark = Mark::Batch;
        } else if self.mark == Mark::Clean {
            self.plain("SAVEPOINT u")?;
            self.mark = Mark::Savepoint;
        }
        Ok(())
    }

    fn write(&mut self, statements: &[Statement]) -> Result<Vec<Line>> {
        // It has read what the batch holds: where that is not kept, it ends, too.
        if statements.len() >= MANY && self.mark == Mark::Clean {
            self.commit()?;
        }
        self.open()?;
        self.statements += statements.len();
        self.run(statements)
    }

    /// Takes a block of row numbers; gives the first.
    fn reserve(&mut self) -> Result<i64> {
        let lines = self.write(&[Statement::new(FIRST_BLOCK), Statement::new(BLOCK)])?;
        self.reserved = true;
        let line = lines.into_iter().next().ok_or(Error::Damaged("sequence"))?;
        Row::Sqlite(line).get(0)
    }

    /// Undoes what the unit at work has written. Where that cannot be done, the batch is given up: nobody may wait for
    /// a commit that never comes.
    fn undo(&mut self) -> Result<()> {
        let undone = match self.mark {
            Mark::Clean => Ok(()),
            Mark::Batch => sqlite::plain(self.connection()?, "ROLLBACK"),
            Mark::Savepoint => {
                let connection = self.connection()?;
                sqlite::plain(connection, "ROLLBACK TO u").and_then(|()| sqlite::plain(connection, "RELEASE u"))
            }
        };
        self.statements = 0;
        undone.map_err(|error| self.fail(error))?;
        if std::mem::replace(&mut self.mark, Mark::Clean) == Mark::Batch {
            // It was alone there, so nobody waits.
            self.batch = None;
        }
        if std::mem::take(&mut self.reserved) {
            self.keys.forget();
        }
        Ok(())
    }

    /// Keeps what the unit has written, and the statements. A refusal by one of them is told when what it rests on is
    /// on disk.
    fn save(&mut self, statements: &[Statement], answer: oneshot::Sender<Result<()>>) {
        let kept = self.write(statements).and_then(|_| {
            if self.mark == Mark::Savepoint {
                self.plain("RELEASE u")?;
            }
            self.mark = Mark::Clean;
            self.reserved = false;
            Ok(std::mem::take(&mut self.statements) >= MANY)
        });
        let (many, outcome) = match kept {
            Ok(many) => (many, Ok(())),
            Err(refused) => (false, self.undo().and(Err(refused))),
        };
        self.wait(outcome, answer);
        if many {
            // Whoever waits for it is told.
            self.commit().ok();
        }
    }

    fn wait(&mut self, outcome: Result<()>, answer: oneshot::Sender<Result<()>>) {
        match &mut self.batch {
            Some(waiters) => waiters.push(Waiter { answer, outcome }),
            None => drop(answer.send(outcome)),
        }
    }

    /// Ends the batch on disk, and tells its units.
    ///
    /// # Errors
    /// What they are told.
    fn commit(&mut self) -> Result<()> {
        if self.batch.is_none() {
            return Ok(());
        }
        self.undo()?;
        let start = Instant::now();
        let committed = sqlite::plain(self.connection()?, "COMMIT");
        let took = start.elapsed().as_millis();
        if took > SLOW_COMMIT_MS {
            tracing::warn!(duration_ms = took, "the disk took long to confirm a commit");
        }
        committed.map_err(|error| self.fail(error))?;
        for waiter in self.batch.take().unwrap_or_default() {
            waiter.answer.send(waiter.outcome).ok();
        }
        Ok(())
    }
}

/// A turn at the writing connection, held by one unit of work. Dropped, the unit leaves nothing behind.
pub(super) struct Held {
    _turn: OwnedMutexGuard<()>,
    gate: Arc<Inner>,
    wrote: bool,
    lost: bool,
    /// Whether the thread was asked for anything that it must be told the end of.
    open: bool,
}

impl Held {
    /// Rows of a statement that only reads; it sees what earlier units of the batch wrote.
    pub(super) async fn read(&mut self, statement: Statement) -> Result<Vec<Line>> {
        self.ask(move |writer| writer.run(&[statement])).await
    }

    /// Runs statements that write; gives the rows they return.
    pub(super) async fn write(&mut self, statements: Vec<Statement>) -> Result<Vec<Line>> {
        self.wrote = true;
        self.ask(move |writer| writer.write(&statements)).await
    }

    /// A row number for a resource.
    pub(super) async fn next_pk(&mut self) -> Result<i64> {
        if let Some(pk) = self.gate.keys.next() {
            return Ok(pk);
        }
        self.wrote = true;
        let first = self.ask(Writer::reserve).await?;
        Ok(self.gate.keys.refill(first))
    }

    async fn ask<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.lost {
            return Err(Error::Lost);
        }
        self.open = true;
        let answer = self.gate.worker.ask(job).await.map_err(unavailable)?;
        self.lost |= answer.is_err();
        answer
    }

    /// Runs the last statements, and resolves when they and the unit's writes are on disk. A refusal by one of them
    /// resolves when what it rests on is.
    pub(super) async fn save(self, last: Vec<Statement>) -> Result<()> {
        if self.lost {
            return Err(Error::Lost);
        }
        if !self.wrote && last.is_empty() {
            return self.dismiss().await;
        }
        self.end(move |writer, answer| writer.save(&last, answer)).await
    }

    /// Drops the unit's writes, and resolves when what it may have read is on disk.
    pub(super) async fn dismiss(self) -> Result<()> {
        if !self.open {
            return Ok(());
        }
        self.end(|writer, answer| {
            let outcome = writer.undo();
            writer.wait(outcome, answer);
        })
        .await
    }

    async fn end(mut self, job: impl FnOnce(&mut Writer, oneshot::Sender<Result<()>>) + Send + 'static) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let sent = self.gate.worker.send(move |writer| job(writer, answer));
        sent.map_err(unavailable)?;
        self.open = false;
        self.gate.wake.notify_one();
        // Lets the next unit in: the thread does jobs in order.
        drop(self);
        answered.await.unwrap_or_else(|_| {
            Err(Error::Commit(
                "the writer stopped before it confirmed the commit".to_owned(),
            ))
        })
    }
}

impl Drop for Held {
    /// Wakes the committer, also for a batch whose only unit is gone: it must not stay open.
    fn drop(&mut self) {
        if self.open {
            self.gate.worker.send(|writer| drop(writer.undo())).ok();
            self.gate.wake.notify_one();
        }
    }
}
