//! Places that are waited for in turn: so many on the whole, and so many of them for one organisation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places of one kind.
#[derive(Debug)]
pub struct Queue {
    all: Arc<Semaphore>,
    most_of_one: usize,
    /// Of whoever has a place or waits for one.
    of_one: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
}

/// A place; dropped, it is free for whoever waits.
#[derive(Debug)]
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Queue {
    /// So many, and so many of them for one.
    #[must_use]
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(most)),
            most_of_one,
            of_one: Mutex::default(),
        }
    }

    /// A place, in the order of asking; whoever has as many as one may have keeps nobody else waiting.
    pub async fn enter(&self, who: &str) -> Option<Turn> {
        let own = self.own(who).acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Turn {
            _own: own,
            _of_all: of_all,
        })
    }

    fn own(&self, who: &str) -> Arc<Semaphore> {
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has a place or waits for one holds on to it, too.
        of_one.retain(|_, own| Arc::strong_count(own) > 1);
        let own = of_one.entry(who.into());
        Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(self.most_of_one))))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};

    use super::*;

    /// What is there by now.
    async fn now<T>(what: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        tokio::select! {
            biased;
            there = what => Some(there),
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test]
    async fn whoever_takes_all_of_their_own_leaves_places_to_others() {
        let queue = Queue::new(3, 2);
        let (one, two) = (queue.enter("acme").await, queue.enter("acme").await);
        let mut third = pin!(queue.enter("acme"));
        assert!(now(third.as_mut()).await.is_none(), "its own are taken");
        let other = queue.enter("globex").await;
        let mut last = pin!(queue.enter("initech"));
        assert!(now(last.as_mut()).await.is_none(), "all are taken");
        drop(one);
        // The third has asked before, but for a place of its own: only now it waits for one of all.
        assert!(now(last.as_mut()).await.flatten().is_some());
        assert!(now(third.as_mut()).await.flatten().is_some());
        drop((two, other));
        queue.own("nobody");
        assert_eq!(
            queue.of_one.lock().unwrap().len(),
            1,
            "who has none and wants none is forgotten"
        );
    }
}
