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
    /// When what a part writes goes to the database.
    goes: Goes,
}

/// When what a part writes goes to the database, where it asks for nothing back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    /// Before the next part: a refusal is that of the part.
    ByPart,
    /// With all of them: a refusal is that of the whole, and nobody waits for the database between two parts.
    AtOnce,
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

/// The turn of a part. Dropped before [`Self::leave`], it ends the whole.
pub(super) struct Seat {
    state: OwnedMutexGuard<State>,
    /// How many parts there were before.
    parts: usize,
    goes: Goes,
}

impl Seat {
    /// Gives the unit back, for the next part.
    ///
    /// # Errors
    /// When what it wrote is refused: the whole is over then.
    pub(super) async fn leave(mut self, mut unit: Unit) -> Result<()> {
        if self.goes == Goes::ByPart {
            unit.settle().await?;
        }
        *self.state = State::Open(Box::new(unit), self.parts + 1);
        Ok(())
    }
}

impl Together {
    /// Of parts that come one after the other, each on what is written by those before it.
    #[must_use]
    pub fn in_turn() -> Self {
        Self::of(1, Goes::ByPart)
    }

    /// Of so many parts that are got ready side by side: nothing is locked before all of them are.
    #[must_use]
    pub fn side_by_side(parts: usize) -> Self {
        Self::of(parts, Goes::AtOnce)
    }

    fn of(expected: usize, goes: Goes) -> Self {
        Self {
            state: Arc::default(),
            arrived: Arc::new(watch::Sender::new(0)),
            expected,
            goes,
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
        let goes = self.goes;
        Some(unit.map(|unit| unit.seated(Seat { state, parts, goes })))
    }

    /// How many parts are written; none when it is over.
    pub async fn parts(&self) -> Option<usize> {
        match &*self.state.lock().await {
            State::Unopened => Some(0),
            State::Open(_, parts) => Some(*parts),
            State::Over => None,
        }
    }

    /// Resolves when everything is on disk; says whether it is: false when a part was refused, and nothing was kept.
    ///
    /// # Errors
    /// When it is not on disk, or nobody knows: see [`Error::leaves_nothing`](super::Error::leaves_nothing).
    pub async fn save(&self) -> Result<bool> {
        let state = std::mem::replace(&mut *self.state.lock().await, State::Over);
        match state {
            State::Over => Ok(false),
            State::Unopened => Ok(true),
            State::Open(mut unit, _) => {
                if let Err(refused) = unit.settle().await {
                    tracing::debug!(error = ?refused, "a part of what is saved together was refused");
                    unit.dismiss().await?;
                    return Ok(false);
                }
                unit.save().await.map(|()| true)
            }
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
