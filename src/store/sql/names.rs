//! A dictionary that only grows: names and their numbers, as far as this process knows them.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Names whose rows are committed.
#[derive(Default)]
pub struct Names(RwLock<HashMap<String, i64>>);

impl Names {
    /// The number of a name, when it is known here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<i64> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// Remembers numbers.
    pub(super) fn learn(&self, names: impl IntoIterator<Item = (String, i64)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(names);
    }
}
