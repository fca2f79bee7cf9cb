//! Row numbers of resources, known before the row is written.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// How many numbers a database gives at a time: on PostgreSQL the `INCREMENT BY` of its sequence.
const BLOCK: i64 = 64;

/// The numbers this node may still use.
#[derive(Default)]
pub(super) struct Keys(Mutex<Range<i64>>);

impl Keys {
    /// The next one, while there is one.
    pub(super) fn next(&self) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    /// The first number of a new block; the others are kept.
    pub(super) fn refill(&self, first: i64) -> i64 {
        let mut range = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Two may have asked at once: the numbers of the smaller rest are never used, which harms nobody.
        *range = first + 1..first + BLOCK;
        first
    }

    /// Drops what is left: the database may give these numbers again.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = 0..0;
    }
}
