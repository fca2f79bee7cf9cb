//! Connections that only read, beside the writer of SQLite.
//!
//! Each of sqlx's SQLite connections is a thread, and two changes of thread cost more than a read by key. So reads by
//! key that arrive while others are under way share a statement: see [`Lookup`]. And sqlx's own pool is not used: it
//! spawns a task for every connection that comes back.

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use super::fault;
use super::lookup::{self, Lookup};
use super::statement::{self, Bind, Statement};
use crate::store::{Error, Result};

/// Reads by key that share a statement, at most.
const MOST_TOGETHER: usize = 32;

/// Tasks that run shared statements, at most: so that reads wait for each other rather than for the processor.
const MOST_SHARERS: usize = 2;

#[derive(Clone)]
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    count: u32,
    longest: Duration,
    permits: Semaphore,
    idle: Mutex<Vec<Reader>>,
    waiting: Mutex<Waiting>,
}

/// Reads by key that wait.
#[derive(Default)]
struct Waiting {
    queue: VecDeque<Waiter>,
    sharers: usize,
}

struct Waiter {
    lookup: &'static Lookup,
    key: Vec<Bind>,
    answer: oneshot::Sender<Answer>,
}

/// Rows of one key, or why there are none.
type Answer = std::result::Result<Vec<SqliteRow>, Arc<sqlx::Error>>;

impl Readers {
    /// `count` connections, opened at once.
    pub(super) async fn open(options: SqliteConnectOptions, count: u16, longest: Duration) -> sqlx::Result<Self> {
        let mut idle = Vec::with_capacity(count.into());
        for _ in 0..count {
            idle.push(Reader::open(&options).await?);
        }
        Ok(Self(Arc::new(Inner {
            options,
            count: count.into(),
            longest,
            permits: Semaphore::new(count.into()),
            idle: Mutex::new(idle),
            waiting: Mutex::default(),
        })))
    }

    /// All rows of a statement.
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<SqliteRow>> {
        let lent = self.0.acquire().await?;
        lent.run(statement).await.map_err(fault::of)
    }

    /// The rows of one key.
    pub(super) async fn look_up(&self, lookup: &'static Lookup, key: Vec<Bind>) -> Result<Vec<SqliteRow>> {
        let receiver = match self.0.enter(lookup, key) {
            Turn::Now(permit, key) => {
                let lent = self.0.lend(permit).await?;
                return lent.run(lookup.one(key)).await.map_err(fault::of);
            }
            Turn::Wait(receiver) => receiver,
        };
        match receiver.await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(fault::of_shared(error)),
            Err(closed) => Err(Error::Unavailable(Box::new(closed))),
        }
    }

    /// Waits for the running reads, then closes all.
    pub(super) async fn close(&self) {
        let running = self.0.permits.acquire_many(self.0.count).await;
        self.0.permits.close();
        drop(running);
        while let Some(reader) = self.0.take() {
            reader.connection.close().await.ok();
        }
    }
}

/// How a read by key gets its turn.
enum Turn<'a> {
    /// A connection is free, and nobody waits.
    Now(SemaphorePermit<'a>, Vec<Bind>),
    /// Somebody will answer.
    Wait(oneshot::Receiver<Answer>),
}

impl Inner {
    fn enter(self: &Arc<Self>, lookup: &'static Lookup, key: Vec<Bind>) -> Turn<'_> {
        let mut waiting = self.waiting();
        if waiting.queue.is_empty()
            && waiting.sharers == 0
            && let Ok(permit) = self.permits.try_acquire()
        {
            return Turn::Now(permit, key);
        }
        let (answer, receiver) = oneshot::channel();
        waiting.queue.push_back(Waiter { lookup, key, answer });
        if waiting.sharers < MOST_SHARERS {
            waiting.sharers += 1;
            tokio::spawn(share(Arc::clone(self)));
        }
        Turn::Wait(receiver)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Reader> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn acquire(&self) -> Result<Lent<'_>> {
        let permit = self.permits.acquire().await;
        self.lend(permit.map_err(|closed| Error::Unavailable(Box::new(closed)))?)
            .await
    }

    async fn lend<'a>(&'a self, permit: SemaphorePermit<'a>) -> Result<Lent<'a>> {
        let reader = match self.take() {
            Some(reader) => reader,
            None => Reader::open(&self.options).await.map_err(fault::of)?,
        };
        Ok(Lent {
            home: self,
            reader: Some(reader),
            _permit: permit,
        })
    }

    /// The next waiters that can share a statement, or the end of this sharer.
    fn next_together(&self) -> Vec<Waiter> {
        let mut waiting = self.waiting();
        let mut together = Vec::new();
        let Some(first) = waiting.queue.pop_front() else {
            waiting.sharers -= 1;
            return together;
        };
        let lookup = first.lookup;
        together.push(first);
        let mut others = VecDeque::new();
        while let Some(waiter) = waiting.queue.pop_front() {
            if together.len() < MOST_TOGETHER && std::ptr::eq(waiter.lookup, lookup) {
                together.push(waiter);
            } else {
                others.push_back(waiter);
            }
        }
        waiting.queue = others;
        together
    }
}

/// Answers waiters until there are none.
async fn share(home: Arc<Inner>) {
    loop {
        let lent = home.acquire().await;
        let waiters = home.next_together();
        let Some(first) = waiters.first() else { return };
        // Closed: the waiters learn it from their end of the channel.
        let Ok(lent) = lent else { continue };
        let lookup = first.lookup;
        let (keys, answers): (Vec<_>, Vec<_>) = waiters.into_iter().map(|one| (one.key, one.answer)).unzip();
        let statement = if keys.len() == 1 {
            lookup.one(keys.into_iter().flatten().collect())
        } else {
            lookup.many(&keys)
        };
        let alone = answers.len() == 1;
        match lent.run(statement).await {
            Ok(rows) => {
                let mut found: Vec<Vec<SqliteRow>> = answers.iter().map(|_| Vec::new()).collect();
                for row in rows {
                    let at = if alone { Some(0) } else { lookup::position(lookup, &row) };
                    if let Some(rows) = at.and_then(|at| found.get_mut(at)) {
                        rows.push(row);
                    }
                }
                for (answer, rows) in answers.into_iter().zip(found) {
                    answer.send(Ok(rows)).ok();
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for answer in answers {
                    answer.send(Err(Arc::clone(&error))).ok();
                }
            }
        }
    }
}

/// A connection that only reads, and that stops when it takes too long.
struct Reader {
    connection: SqliteConnection,
    deadline: Arc<Deadline>,
}

/// When a reader must stop, in milliseconds since it was opened.
struct Deadline {
    opened: Instant,
    at_ms: AtomicU64,
}

impl Deadline {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Steps of SQLite's machine between two looks at the clock: about a millisecond.
const STEPS: i32 = 50_000;

impl Reader {
    async fn open(options: &SqliteConnectOptions) -> sqlx::Result<Self> {
        let mut connection = options.connect().await?;
        let deadline = Arc::new(Deadline {
            opened: Instant::now(),
            at_ms: AtomicU64::new(u64::MAX),
        });
        let watched = Arc::clone(&deadline);
        let in_time = move || watched.now_ms() < watched.at_ms.load(Ordering::Relaxed);
        connection.lock_handle().await?.set_progress_handler(STEPS, in_time);
        Ok(Self { connection, deadline })
    }

    async fn run(&mut self, statement: Statement, longest: Duration) -> sqlx::Result<Vec<SqliteRow>> {
        let (text, arguments) = statement::sqlite("", vec![statement], "");
        let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let end_ms = self.deadline.now_ms().saturating_add(longest_ms);
        self.deadline.at_ms.store(end_ms, Ordering::Relaxed);
        self.connection.fetch_all(sqlx::query_with(text, arguments)).await
    }
}

/// A reader that goes back when its user is done or gone.
struct Lent<'a> {
    home: &'a Inner,
    reader: Option<Reader>,
    _permit: SemaphorePermit<'a>,
}

impl Lent<'_> {
    async fn run(mut self, statement: Statement) -> sqlx::Result<Vec<SqliteRow>> {
        let Some(reader) = &mut self.reader else {
            return Err(sqlx::Error::PoolClosed);
        };
        let rows = reader.run(statement, self.home.longest).await;
        if matches!(rows, Err(sqlx::Error::WorkerCrashed)) {
            self.reader = None;
        }
        rows
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.home
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
        }
    }
}
