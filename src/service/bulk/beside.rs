//! Creations that have nothing to do with each other.

use tokio::task::JoinSet;

use super::job::Job;
use super::ready::{Came, Door, Ready};
use crate::service::error::{Error, Result};
use crate::store::{self, Together};

/// Creations that share a unit: so many share its flush and its ways to the database, and others wait as long for the
/// writer.
const SHARE: usize = 32;
/// Units that are under way at once.
const AT_ONCE: usize = 4;

/// An operation and what came of it.
type Done = (usize, Result<Came>);

impl Job {
    /// Creates them side by side; none begins that could come after the last error that is allowed.
    pub(super) async fn beside(&mut self, many: &[usize]) {
        let (mut begun, mut under_way) = (0, 0);
        let mut at_it = JoinSet::new();
        loop {
            while at_it.len() < AT_ONCE {
                let room = self.room().saturating_sub(under_way);
                let next = &many[begun..(begun + room.min(SHARE)).min(many.len())];
                if next.is_empty() {
                    break;
                }
                let next: Vec<_> = next.iter().map(|at| (*at, self.ready(*at))).collect();
                (begun, under_way) = (begun + next.len(), under_way + next.len());
                at_it.spawn(shared(self.door.clone(), next));
            }
            match at_it.join_next().await {
                None => break,
                Some(Ok(came)) => {
                    under_way -= came.len();
                    for (at, result) in came {
                        let result = self.anew(at, result).await;
                        self.note(at, result).await;
                    }
                }
                Some(Err(fault)) => tracing::error!(%fault, "a part of a bulk request broke off"),
            }
        }
        for at in &many[..begun] {
            if !self.is_noted(*at) {
                let broken = Error::Internal("a part of a bulk request broke off".into());
                self.note(*at, Err(broken)).await;
            }
        }
    }
}

/// Creates them in one unit; where that is refused, each in its own.
async fn shared(door: Door, creations: Vec<(usize, Result<Ready>)>) -> Vec<Done> {
    let mut refused = Vec::new();
    let mut ready = Vec::with_capacity(creations.len());
    for (at, creation) in creations {
        match creation {
            Ok(creation) => ready.push((at, creation)),
            Err(fault) => refused.push((at, Err(fault))),
        }
    }
    let mut came = if ready.len() > 1 {
        let together = Together::side_by_side(ready.len());
        let came = each(&door.within(&together), ready.clone(), Some(&together)).await;
        let made = came.iter().filter(|(_, came)| came.is_ok()).count();
        // What is refused before it is written leaves the others as they are.
        let saved = if together.parts().await == Some(made) {
            together.save().await
        } else {
            together.dismiss().await.ok();
            Ok(false)
        };
        match saved {
            Ok(true) => came,
            // They may all be there: who makes them again makes them twice, or is told that the names are taken.
            Err(fault) if !fault.leaves_nothing() => unsure(came, &fault),
            Ok(false) | Err(_) => each(&door.again(), ready, None).await,
        }
    } else {
        each(&door, ready, None).await
    };
    came.append(&mut refused);
    came
}

/// The same of creations of which nobody knows whether they were kept.
fn unsure(came: Vec<Done>, fault: &store::Error) -> Vec<Done> {
    tracing::error!(error = ?fault, "nobody knows whether a part of a bulk request was saved");
    let unsure = || Error::Internal("nobody knows whether it was saved".into());
    came.into_iter()
        .map(|(at, result)| (at, result.and_then(|_| Err(unsure()))))
        .collect()
}

/// All at once: they are read and checked side by side.
async fn each(door: &Door, creations: Vec<(usize, Ready)>, together: Option<&Together>) -> Vec<Done> {
    let mut at_it = JoinSet::new();
    for (at, creation) in creations {
        let (door, together) = (door.clone(), together.cloned());
        at_it.spawn(async move {
            let _arrives = together.map(Arrives);
            (at, creation.perform(&door).await)
        });
    }
    let mut came = Vec::with_capacity(at_it.len());
    while let Some(done) = at_it.join_next().await {
        // Who is missing is told so by whoever asked.
        came.extend(done.ok());
    }
    came
}

/// Whoever comes to an end before their turn, in whatever way, keeps nobody waiting.
struct Arrives(Together);

impl Drop for Arrives {
    fn drop(&mut self) {
        self.0.arrive();
    }
}
