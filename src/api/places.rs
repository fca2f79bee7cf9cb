//! Places for answers that go on for long: so many on the whole, and so many of them for one organisation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places of one kind, cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// By whom; who has none is not in it.
    by: HashMap<Box<str>, usize>,
}

/// Whose share a place is taken from, and how many places that has.
pub type Share<'a> = (&'a str, usize);

/// A place that is taken; dropped, it is free again.
#[derive(Debug)]
pub struct Place {
    places: Places,
    by: Vec<Box<str>>,
}

impl Places {
    /// So many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// One of them, where there is one on the whole and in each of these shares.
    #[must_use]
    pub fn take(&self, shares: &[Share<'_>]) -> Option<Place> {
        let mut taken = self.taken();
        let has_room = |(name, most): &Share<'_>| taken.by.get(*name).copied().unwrap_or_default() < *most;
        if taken.all >= self.most || !shares.iter().all(has_room) {
            return None;
        }
        taken.all += 1;
        for (name, _) in shares {
            *taken.by.entry((*name).into()).or_default() += 1;
        }
        Some(Place {
            places: self.clone(),
            by: shares.iter().map(|(name, _)| (*name).into()).collect(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        for name in &self.by {
            if let Some(count) = taken.by.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    taken.by.remove(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_the_places_of_others_and_what_is_let_go_is_free_again() {
        let places = Places::new(3);
        let (one, other): ([Share<'_>; 2], [Share<'_>; 2]) = ([("acme", 2), ("s1", 1)], [("acme", 2), ("s2", 1)]);
        let first = places.take(&one);
        assert!(first.is_some() && places.take(&one).is_none(), "its share is taken");
        let second = places.take(&other);
        assert!(second.is_some() && places.take(&[("acme", 2)]).is_none());
        let third = places.take(&[("globex", 2)]);
        assert!(
            third.is_some() && places.take(&[("initech", 2)]).is_none(),
            "all are taken"
        );
        drop((first, third));
        assert_eq!(places.taken().by.len(), 2, "who has none is forgotten");
        assert!(places.take(&one).is_some() && places.take(&[("initech", 2)]).is_some());
        drop(second);
        assert!(places.taken().by.is_empty() && places.taken().all == 0);
    }
}
