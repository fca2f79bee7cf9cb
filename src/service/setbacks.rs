//! What failed for one of many: left alone for a while, so that it neither stops the others nor is tried without end.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::context::Services;
use super::error::{Error, Result};
use crate::base::clock::Timestamp;
use crate::store;

/// How long it is left alone after the first failure. Each one after that doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// How long it is left alone at most: whoever mends it does not wait for longer.
const LONGEST: Duration = Duration::from_mins(1);

/// A work that is done for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::service) enum Work {
    /// Numbering what happened in a tenant.
    Number,
    /// Reading the log of a tenant for ends of accounts.
    Follow,
    /// Turning the runs of a tenant late.
    Late,
    /// Trying the steps of a run.
    Step,
    /// The certificate of a run.
    Certify,
    /// Numbers for what the certificates of a tenant's runs name.
    Marks,
    /// What is done to the users of something that was suspended, resumed or deleted.
    Closing,
    /// Bringing the rules of status of a tenant to everybody.
    Rules,
}

#[derive(Debug, Clone, Copy)]
struct Setback {
    wait: Duration,
    until: Timestamp,
}

/// What is left alone by this process, by the row number of the tenant or the run.
#[derive(Debug, Default)]
pub(in crate::service) struct Setbacks(Mutex<HashMap<(Work, i64), Setback>>);

impl Setbacks {
    fn all(&self) -> MutexGuard<'_, HashMap<(Work, i64), Setback>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are left alone now. A clock that was ahead when they failed leaves them alone for no longer.
    pub(in crate::service) fn left_alone(&self, work: Work, now: Timestamp) -> Vec<i64> {
        let waits = |setback: &Setback| now < setback.until && setback.until <= now.plus(setback.wait);
        let all = self.all();
        let of_work = all.iter().filter(|((of, _), setback)| *of == work && waits(setback));
        of_work.map(|((_, id), _)| *id).collect()
    }

    /// Whether this one is left alone now.
    pub(in crate::service) fn leaves_alone(&self, work: Work, id: i64, now: Timestamp) -> bool {
        self.left_alone(work, now).contains(&id)
    }

    /// It failed.
    pub(in crate::service) fn failed(&self, work: Work, id: i64, now: Timestamp) {
        let mut all = self.all();
        let wait = all
            .get(&(work, id))
            .map_or(FIRST, |before| (before.wait * 2).min(LONGEST));
        let until = now.plus(wait);
        all.insert((work, id), Setback { wait, until });
    }

    /// It did not.
    pub(in crate::service) fn done(&self, work: Work, id: i64) {
        self.all().remove(&(work, id));
    }

    /// For how many a work failed the last time that it was tried.
    pub(in crate::service) fn count(&self, work: Work) -> u32 {
        let count = self.all().keys().filter(|(of, _)| *of == work).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// What was done for one of many, by its row number; none when somebody else was faster or in the way, so that it is looked
/// at again, or when it failed, so that it is left alone for a while.
///
/// # Errors
/// What would meet all others, too.
pub(in crate::service) async fn one_of_many<T>(
    services: &Services,
    (work, id): (Work, i64),
    doing: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    match unless_overtaken(doing.await) {
        Ok(done) => {
            services.setbacks().done(work, id);
            Ok(done)
        }
        Err(fault) if meets_all(&fault) => Err(fault),
        Err(fault) => {
            services.setbacks().failed(work, id, services.clock().now());
            tracing::error!(
                work = ?work,
                row = id,
                error = &fault as &dyn std::error::Error,
                "a work cannot go on for one of many; for the others it does, and it is tried again"
            );
            Ok(None)
        }
    }
}

/// What was done; none when somebody else was faster or in the way, so that it is looked at again.
pub(in crate::service) fn unless_overtaken<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(Error::Stale | Error::Busy | Error::Crowded) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a failure would meet all others as well: nothing is gained by going on with them.
pub(in crate::service) fn meets_all(fault: &Error) -> bool {
    let Error::Internal(source) = fault else { return false };
    matches!(
        source.downcast_ref::<store::Error>(),
        Some(store::Error::Unavailable(_) | store::Error::Full | store::Error::Commit(_) | store::Error::Lost)
    )
}

/// Whether a statement was given up because it took too long: other work is in the way, and nothing is wrong. Muster's own
/// work asks for nothing else that breaks the protocol.
pub(in crate::service) const fn takes_too_long(fault: &Error) -> bool {
    matches!(fault, Error::Protocol(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp(second * 1_000_000)
    }

    #[test]
    fn what_fails_again_is_left_alone_for_longer_and_what_does_not_is_forgotten() {
        let setbacks = Setbacks::default();
        let mut now = second(0);
        let mut waited = Vec::new();
        for _ in 0..8 {
            setbacks.failed(Work::Number, 7, now);
            let from = now;
            while setbacks.leaves_alone(Work::Number, 7, now) {
                now = now.plus(Duration::from_secs(1));
            }
            waited.push((now.0 - from.0) / 1_000_000);
        }
        assert_eq!(waited, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!((setbacks.count(Work::Number), setbacks.count(Work::Late)), (1, 0));
        setbacks.done(Work::Number, 7);
        setbacks.failed(Work::Number, 7, now);
        assert_eq!(setbacks.left_alone(Work::Number, now), [7]);
        assert_eq!(setbacks.left_alone(Work::Late, now), Vec::<i64>::new());
        assert_eq!(setbacks.left_alone(Work::Number, now.plus(FIRST)), Vec::<i64>::new());
    }

    #[test]
    fn what_takes_too_long_is_no_failure_of_one_and_meets_not_all() {
        let slow = Error::from(store::Error::TooLong);
        assert!(takes_too_long(&slow) && !meets_all(&slow));
        let full = Error::from(store::Error::Full);
        assert!(!takes_too_long(&full) && meets_all(&full));
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_nothing_alone_for_longer() {
        let setbacks = Setbacks::default();
        setbacks.failed(Work::Step, 7, second(86_400));
        assert_eq!(setbacks.left_alone(Work::Step, second(0)), Vec::<i64>::new());
    }
}
