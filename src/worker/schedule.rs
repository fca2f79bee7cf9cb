//! Does what was planned for people, in the second in which it is due.

use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::base::clock::Timestamp;
use crate::service::Services;
use crate::service::lifecycle::due;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// Further than this between two looks, and the clock of the machine has jumped.
const JUMP: Duration = Duration::from_mins(1);

/// For how long a clock that jumped must go as it should before it is believed.
const PROBATION: Duration = Duration::from_secs(30);

/// Runs until `stop`. A clock that jumps ends nobody's account: what is due by it waits until it has gone as it should
/// for a while.
pub async fn run(services: Services, stop: CancellationToken) {
    let begun = Instant::now();
    let mut watch = Watch::default();
    loop {
        if watch.believes(services.clock().now(), begun.elapsed()) {
            tokio::select! {
                () = once(&services) => {}
                () = stop.cancelled() => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Does all that is due. A failure is logged; what is left is there the next time.
async fn once(services: &Services) {
    loop {
        match due::pass(services).await {
            Ok(passed) if passed.more => {}
            Ok(_) => return,
            Err(fault) => {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "what is due could not be looked for; it is tried again"
                );
                return;
            }
        }
    }
}

/// Compares the clock of the machine with one that only runs forward.
#[derive(Debug, Default)]
struct Watch {
    /// Both at the last look.
    last: Option<(Timestamp, Duration)>,
    /// From when on, by the second, the first is believed.
    believed_from: Duration,
}

impl Watch {
    /// Whether the clock can be believed at this look.
    fn believes(&mut self, wall: Timestamp, running: Duration) -> bool {
        if let Some((before, then)) = self.last {
            let expected = before.plus(running.saturating_sub(then));
            let apart = Duration::from_micros(expected.0.abs_diff(wall.0));
            if apart > JUMP {
                tracing::warn!(
                    apart_s = apart.as_secs(),
                    "the clock of this machine has jumped; what is planned waits until it goes as it should"
                );
                self.believed_from = running + PROBATION;
            }
        }
        self.last = Some((wall, running));
        running >= self.believed_from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is believed at each of these looks: seconds of the machine's clock, seconds that have passed.
    fn believed(looks: &[(i64, u64)]) -> Vec<bool> {
        let mut watch = Watch::default();
        let look =
            |(wall, running): &(i64, u64)| watch.believes(Timestamp(wall * 1_000_000), Duration::from_secs(*running));
        looks.iter().map(look).collect()
    }

    #[test]
    fn a_clock_that_goes_as_it_should_is_believed() {
        assert_eq!(believed(&[(1000, 0), (1001, 1), (1031, 30), (1091, 91)]), [true; 4]);
    }

    #[test]
    fn a_clock_that_jumps_either_way_is_believed_after_a_while() {
        for day in [86_400, -86_400] {
            let looks = [(0, 0), (1 + day, 1), (2 + day, 2), (30 + day, 30), (31 + day, 31)];
            assert_eq!(believed(&looks), [true, false, false, false, true], "{day}");
        }
    }

    #[test]
    fn a_clock_that_jumps_again_and_again_is_never_believed() {
        let looks: Vec<_> = (0..100)
            .map(|look| (i64::try_from(look * 3600).unwrap(), look))
            .collect();
        assert_eq!(believed(&looks).iter().filter(|believed| **believed).count(), 1);
    }
}
