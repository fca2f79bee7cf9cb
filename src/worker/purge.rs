//! Forgets those whose time is over, and removes from the disk what was purged.

use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::watch::Watch;
use crate::service::lifecycle::purge;
use crate::service::{Result, Services};

/// How often it looks for what was purged.
const EVERY: Duration = Duration::from_secs(2);

/// Looks between two at whose time is over: an hour.
const EXPIRE_EVERY: u32 = 1800;

/// Looks in a row, five minutes, in which the clock of the machine must have gone as it should before anybody's time is
/// over: who is purged by a clock that is wrong cannot be brought back.
const STEADY: u32 = 150;

/// Runs until `stop`. An idle server writes nothing.
pub async fn run(services: Services, stop: CancellationToken) {
    // Who was purged by hand does not wait for a thousand whose time is over.
    tokio::join!(expire(&services, &stop), finish(&services, &stop));
}

/// Forgets those whose time is over.
async fn expire(services: &Services, stop: &CancellationToken) {
    let begun = Instant::now();
    let (mut watch, mut pace) = (Watch::default(), Pace::default());
    loop {
        if pace.is_time(watch.believes(services.clock().now(), begun.elapsed())) {
            let done = purge::expire(services, || !stop.is_cancelled()).await;
            told(done, "those whose time is over could not all be purged");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Removes from the disk what was purged.
async fn finish(services: &Services, stop: &CancellationToken) {
    let holder = services.ids().next_unit();
    loop {
        let done = purge::finish_as(services, &holder).await;
        told(done, "what was purged could not be removed from the disk");
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// When it is looked at whose time is over.
#[derive(Debug, Default)]
struct Pace {
    /// Looks since the clock was not believed, or since the last of these times.
    looks: u32,
    /// Whether it has been time since then.
    was: bool,
}

impl Pace {
    /// Whether it is at this look, the clock being believed or not.
    fn is_time(&mut self, believed: bool) -> bool {
        if !believed {
            *self = Self::default();
            return false;
        }
        self.looks += 1;
        let is = self.looks >= if self.was { EXPIRE_EVERY } else { STEADY };
        if is {
            *self = Self { looks: 0, was: true };
        }
        is
    }
}

fn told(done: Result<()>, what: &'static str) {
    if let Err(fault) = done {
        tracing::warn!(error = &fault as &dyn std::error::Error, "{what}; it is tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which of so many looks it was time, the clock not being believed at one of them.
    fn times(looks: u32, doubted: u32) -> Vec<u32> {
        let mut pace = Pace::default();
        (1..=looks).filter(|look| pace.is_time(*look != doubted)).collect()
    }

    #[test]
    fn the_first_time_is_after_five_minutes_and_then_every_hour() {
        assert_eq!(times(4000, 0), [150, 1950, 3750]);
    }

    #[test]
    fn a_clock_that_is_not_believed_puts_it_off() {
        assert_eq!(times(2000, 149), [299]);
        assert_eq!(times(2000, 1000), [150, 1150]);
    }
}
