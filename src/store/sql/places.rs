//! How many units of work a pool of connections has room for at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::store::{Error, Result};

/// Of so many connections one is never a unit's.
const SHARE: u32 = 4;

/// Places for units of work, fewer than there are connections.
///
/// A unit that waits for a lock keeps its connection, and the one that has the lock may have something to read outside
/// of itself. Reads wait for no lock, so with a connection that no unit can take all of them come to an end.
pub(super) struct Places {
    free: Arc<Semaphore>,
    patience: Duration,
}

/// A place of a unit; free again when it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Places {
    /// Of a pool of so many connections, at least two, for which units wait so long.
    pub(super) fn among(connections: u32, patience: Duration) -> Self {
        let reserved = (connections / SHARE).max(1);
        let units = connections.saturating_sub(reserved).max(1);
        Self {
            free: Arc::new(Semaphore::new(usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS))),
            patience,
        }
    }

    /// The next free place, in the order of asking.
    ///
    /// # Errors
    /// [`Error::Crowded`] when there is none in time.
    pub(super) async fn take(&self) -> Result<Place> {
        let place = timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await;
        place.ok().and_then(std::result::Result::ok).ok_or(Error::Crowded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn units_never_have_all_connections() {
        for (connections, units) in [(2, 1), (3, 2), (4, 3), (16, 12), (100, 75)] {
            let places = Places::among(connections, Duration::ZERO);
            let mut taken = Vec::new();
            while let Ok(place) = places.take().await {
                taken.push(place);
            }
            assert_eq!(taken.len(), units, "of {connections}");
            taken.pop();
            assert!(places.take().await.is_ok(), "what is given back can be taken");
        }
    }
}
