//! Connections that only read, beside the writer of SQLite: threads that share one queue.
//!
//! Waking a thread costs more than a read by key. So while a thread answers such reads, others of their kind wait for it,
//! and only a long queue or a longer read wakes another.

use rusqlite::Connection;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

use super::fault;
use super::sqlite::{self, Line};
use super::statement::Statement;
use super::worker::Gone;
use crate::store::{Error, Result};

/// Reads by key that wait for one thread, at most.
const MOST_WAITING: usize = 8;

/// How often a thread lets others run before it sleeps.
const MOST_YIELDS: u32 = 4;

#[derive(Clone)]
pub(super) struct Readers(Arc<Pool>);

/// The threads, which end with it.
struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    longest: Duration,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Request>,
    /// Threads that answer reads by key, and look at the queue again in a moment.
    quick: usize,
    closed: bool,
}

struct Request {
    statement: Statement,
    /// Whether it is a read by key, which takes a few microseconds.
    by_key: bool,
    answer: oneshot::Sender<Result<Vec<Line>>>,
}

impl Readers {
    /// `count` connections, opened at once; no read takes longer than `longest`.
    pub(super) async fn open(
        path: &Path,
        patience: Duration,
        count: u16,
        longest: Duration,
    ) -> std::result::Result<rusqlite::Result<Self>, Gone> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let readers: rusqlite::Result<Vec<Reader>> = (0..count).map(|_| Reader::open(&path, patience)).collect();
            readers.map(|readers| Pool::start(readers, longest))
        });
        match opened.await {
            Ok(Ok(pool)) => Ok(Ok(Self(Arc::new(pool?)))),
            Ok(Err(error)) => Ok(Err(error)),
            Err(_) => Err(Gone),
        }
    }

    /// All rows of a statement.
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<Line>> {
        self.ask(statement, false).await
    }

    /// The rows of a statement that reads by key.
    pub(super) async fn look_up(&self, statement: Statement) -> Result<Vec<Line>> {
        self.ask(statement, true).await
    }

    async fn ask(&self, statement: Statement, by_key: bool) -> Result<Vec<Line>> {
        let (answer, answered) = oneshot::channel();
        self.0.shared.push(Request {
            statement,
            by_key,
            answer,
        });
        match answered.await {
            Ok(rows) => rows,
            Err(closed) => Err(Error::Unavailable(Box::new(closed))),
        }
    }

    /// Waits for the running reads, then closes all.
    pub(super) async fn close(&self) {
        self.0.shared.close();
        let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let all = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        tokio::task::spawn_blocking(all).await.ok();
    }
}

impl Pool {
    fn start(readers: Vec<Reader>, longest: Duration) -> std::result::Result<Self, Gone> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            longest,
        });
        let pool = Self {
            shared: Arc::clone(&shared),
            threads: Mutex::default(),
        };
        for (at, mut reader) in readers.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            let thread = thread::Builder::new()
                .name(format!("sqlite-reader-{at}"))
                .spawn(move || shared.serve(&mut reader))
                .map_err(|_| Gone)?;
            pool.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(pool)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, request: Request) {
        let mut state = self.state();
        if state.closed {
            // Dropped, the request tells its asker.
            return;
        }
        let waits = request.by_key && state.quick > 0 && state.queue.len() < MOST_WAITING;
        state.queue.push_back(request);
        drop(state);
        if !waits {
            self.work.notify_one();
        }
    }

    fn close(&self) {
        self.state().closed = true;
        self.work.notify_all();
    }

    /// Answers requests until there will be no more.
    fn serve(&self, reader: &mut Reader) {
        let mut was_quick = false;
        while let Some(request) = self.next(was_quick) {
            was_quick = request.by_key;
            if !request.answer.is_closed() {
                let rows = reader.run(&request.statement, self.longest);
                request.answer.send(rows.map_err(fault::of_sqlite)).ok();
            }
        }
    }

    /// The next request; `None` when the database is closed. A thread that has just answered a read by key lets others
    /// run for a moment before it sleeps: they are about to ask for more.
    fn next(&self, was_quick: bool) -> Option<Request> {
        let mut patience = if was_quick { MOST_YIELDS } else { 0 };
        let mut state = self.state();
        while state.queue.is_empty() && !state.closed && patience > 0 {
            drop(state);
            thread::yield_now();
            patience -= 1;
            state = self.state();
        }
        if was_quick {
            state.quick -= 1;
        }
        loop {
            if let Some(request) = state.queue.pop_front() {
                if request.by_key {
                    state.quick += 1;
                } else if !state.queue.is_empty() {
                    // Those behind it have waited for this thread, which will be long.
                    self.work.notify_one();
                }
                return Some(request);
            }
            if state.closed {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A connection that only reads, and that stops when it takes too long.
struct Reader {
    connection: Connection,
    opened: Instant,
    /// When it must stop, in milliseconds since it was opened.
    deadline_ms: Arc<AtomicU64>,
}

/// Steps of SQLite's machine between two looks at the clock: about a millisecond.
const STEPS: i32 = 50_000;

impl Reader {
    fn open(path: &Path, patience: Duration) -> rusqlite::Result<Self> {
        let connection = sqlite::reader(path, patience)?;
        let opened = Instant::now();
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let watched = Arc::clone(&deadline_ms);
        let late = move || ms_since(opened) >= watched.load(Ordering::Relaxed);
        connection.progress_handler(STEPS, Some(late))?;
        Ok(Self {
            connection,
            opened,
            deadline_ms,
        })
    }

    fn run(&mut self, statement: &Statement, longest: Duration) -> rusqlite::Result<Vec<Line>> {
        let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let end_ms = ms_since(self.opened).saturating_add(longest_ms);
        self.deadline_ms.store(end_ms, Ordering::Relaxed);
        let mut lines = Vec::new();
        sqlite::run(&self.connection, statement, &mut lines)?;
        Ok(lines)
    }
}

fn ms_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
