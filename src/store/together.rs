//! Several units of work that are one: each does its part in the same transaction, one after the other, and all of it is
//! saved together or not at all.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::error::Result;
use super::unit::Unit;

/// What is saved together. Clones are the same.
#[derive(Clone)]
pub struct Together {
    state: Arc<Mutex<State>>,
    /// Parts that are ready for their turn, or that will never be.
    arrived: Arc<watch::Sender<usize>>,
    /// How many have to be before the first has its turn.
    expected: usize,
}

#[derive(Default)]
enum State {
    /// Nobody has begun.
    #[default]
    Unopened,
    /// What was done so far, in so many parts.
    Open(Box<Unit>, usize),
    /// It was saved; or a part was refused, and nothing of it is kept.
    Over,
}

/// The turn of a part, and how many there were before. Dropped before [`Self::leave`], it ends the whole.
pub(super) struct Seat(OwnedMutexGuard<State>, usize);

impl Seat {
    /// Gives the unit back, for the next part.
    pub(super) fn leave(mut self, unit: Unit) {
        *self.0 = State::Open(Box::new(unit), self.1 + 1);
    }
}

impl Together {
    /// Of so many parts that are got ready side by side: nothing is locked before all of them are.
    #[must_use]
    pub fn of(parts: usize) -> Self {
        Self {
            state: Arc::default(),
            arrived: Arc::new(watch::Sender::new(0)),
            expected: parts,
        }
    }

    /// Says that a part is ready for its turn, or that it has come to its end without one.
    pub fn arrive(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
    }

    /// The unit, for a part: its `save` gives it back, and everything else ends the whole. The first part opens it. None
    /// when it is over.
    pub async fn enter<E>(
        &self,
        open: impl Future<Output = std::result::Result<Unit, E>>,
    ) -> Option<std::result::Result<Unit, E>> {
        self.arrive();
        let expected = self.expected;
        // The sender is here, so nobody waits for nothing.
        self.arrived
            .subscribe()
            .wait_for(|arrived| *arrived >= expected)
            .await
            .ok();
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let (unit, parts) = match std::mem::replace(&mut *state, State::Over) {
            State::Over => return None,
            State::Open(unit, parts) => (Ok(*unit), parts),
            State::Unopened => (open.await, 0),
        };
        Some(unit.map(|unit| unit.seated(Seat(state, parts))))
    }

    /// How many parts are written; none when it is over.
    pub async fn parts(&self) -> Option<usize> {
        match &*self.state.lock().await {
            State::Unopened => Some(0),
            State::Open(_, parts) => Some(*parts),
            State::Over => None,
        }
    }

    /// Resolves when everything is on disk; says whether it is: false when it was over before.
    ///
    /// # Errors
    /// When it is not: then nothing was kept.
    pub async fn save(&self) -> Result<bool> {
        let state = std::mem::replace(&mut *self.state.lock().await, State::Over);
        match state {
            State::Over => Ok(false),
            State::Unopened => Ok(true),
            State::Open(unit, _) => unit.save().await.map(|()| true),
        }
    }

    /// Drops what was written, and resolves when what the unit may have read is on disk.
    ///
    /// # Errors
    /// When what was read did not get to disk.
    pub async fn dismiss(&self) -> Result<()> {
        let state = std::mem::replace(&mut *self.state.lock().await, State::Over);
        match state {
            State::Over | State::Unopened => Ok(()),
            State::Open(unit, _) => unit.dismiss().await,
        }
    }
}

impl fmt::Debug for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Together")
    }
}
