//! Numbers for what the engine knows by numbers, in the order in which it is heard of.

use std::collections::HashMap;

/// Numbers of one kind of thing.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    first: i64,
    known: HashMap<String, i64>,
}

impl Numbers {
    pub(super) fn from(first: i64) -> Self {
        Self {
            first,
            known: HashMap::new(),
        }
    }

    /// The number of an id: the same as before, or the next one.
    pub(super) fn of(&mut self, id: &str) -> i64 {
        if let Some(number) = self.known.get(id) {
            return *number;
        }
        let next = self.first + i64::try_from(self.known.len()).unwrap_or(i64::MAX - self.first);
        self.known.insert(id.to_owned(), next);
        next
    }

    /// The number of an id that was heard of.
    pub(super) fn get(&self, id: &str) -> Option<i64> {
        self.known.get(id).copied()
    }
}
