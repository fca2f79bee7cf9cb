//! An attempt is one whole unit of work, and may be made again.

use std::future::Future;
use std::time::Duration;

use crate::service::error::{Error, Result};
use crate::store::Unit;

/// Attempts before the caller is told to come back later.
const MAX_ATTEMPTS: u32 = 6;
/// Pause before the second attempt; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// Makes attempts until one is not in the way of other work.
///
/// Each runs in a task of its own, so a client that hangs up cannot cut a write in half.
///
/// # Errors
/// What the attempt refuses, or `Busy` when every attempt met other work.
pub(in crate::service) async fn attempts<T, F, Fut>(make: F) -> Result<T>
where
    T: Send + 'static,
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..MAX_ATTEMPTS {
        match run(Box::pin(make())).await {
            Err(Error::Busy) => {}
            outcome => return outcome,
        }
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
        pause *= 2;
    }
    run(Box::pin(make())).await
}

/// Ends a unit that refuses: the answer waits until what it rests on is on disk.
pub(super) async fn refused(unit: Unit, error: Error) -> Error {
    match unit.dismiss().await {
        Ok(()) => error,
        Err(fault) => fault.into(),
    }
}

async fn run<T: Send + 'static>(attempt: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(attempt)
        .await
        .map_err(|fault| Error::Internal(Box::new(fault)))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_busy_attempt_is_made_again_and_a_refused_one_is_not() {
        let made = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&made);
        let outcome = attempts(move || {
            let n = counted.fetch_add(1, Ordering::SeqCst);
            async move { if n < 2 { Err(Error::Busy) } else { Ok(n) } }
        });
        assert_eq!(outcome.await.unwrap(), 2);
        let refused = attempts(|| async { Err::<(), _>(Error::Stale) }).await;
        assert!(matches!(refused, Err(Error::Stale)));
        assert_eq!(made.load(Ordering::SeqCst), 3);
        let counted = Arc::clone(&made);
        let crowded = attempts(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err::<(), _>(Error::from(store::Error::Crowded)) }
        });
        assert!(matches!(crowded.await, Err(Error::Crowded)));
        assert_eq!(made.load(Ordering::SeqCst), 4, "it has waited already");
    }
}
