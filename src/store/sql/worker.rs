//! A thread that owns a connection to SQLite: its calls block, on the disk for one.

use std::sync::mpsc::{Sender, channel};
use std::thread;
use tokio::sync::oneshot;

/// What the thread does with what it owns.
type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// The thread. It does jobs in the order in which they come, also those that nobody waits for any more, and ends with
/// the last handle.
pub(super) struct Worker<S>(Sender<Job<S>>);

/// The thread is gone: it panicked, or the program ends.
#[derive(Debug, thiserror::Error)]
#[error("the thread of a database connection is gone")]
pub(super) struct Gone;

impl<S: 'static> Worker<S> {
    /// Starts a thread that first makes what it is going to own.
    pub(super) async fn start<E: Send + 'static>(
        name: String,
        make: impl FnOnce() -> Result<S, E> + Send + 'static,
    ) -> Result<Result<Self, E>, Gone> {
        let (jobs, queue) = channel::<Job<S>>();
        let (ready, opened) = oneshot::channel();
        let run = move || {
            let mut owned = match make() {
                Ok(owned) => owned,
                Err(error) => return drop(ready.send(Err(error))),
            };
            if ready.send(Ok(())).is_err() {
                return;
            }
            for job in queue {
                job(&mut owned);
            }
        };
        thread::Builder::new().name(name).spawn(run).map_err(|_| Gone)?;
        Ok(opened.await.map_err(|_| Gone)?.map(|()| Self(jobs)))
    }

    /// Has a job done, sooner or later.
    pub(super) fn send(&self, job: impl FnOnce(&mut S) + Send + 'static) -> Result<(), Gone> {
        self.0.send(Box::new(job)).map_err(|_| Gone)
    }

    /// Has a job done; what it gives comes later.
    pub(super) fn post<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Gone> {
        let (answer, answered) = oneshot::channel();
        self.send(move |owned| drop(answer.send(job(owned))))?;
        Ok(answered)
    }

    /// Has a job done and waits for what it gives.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        self.post(job)?.await.map_err(|_| Gone)
    }
}
