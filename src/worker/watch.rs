//! Whether the clock of this machine can be believed. What cannot be taken back waits until it can.

use std::time::Duration;

use crate::base::clock::Timestamp;

/// Further than this between two looks, and the clock of the machine has jumped.
const JUMP: Duration = Duration::from_mins(1);

/// For how long a clock that jumped must go as it should before it is believed.
const PROBATION: Duration = Duration::from_secs(30);

/// Compares the clock of the machine with one that only runs forward.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Both at the last look.
    last: Option<(Timestamp, Duration)>,
    /// From when on, by the second, the first is believed.
    believed_from: Duration,
}

impl Watch {
    /// Whether the clock can be believed at this look.
    pub(super) fn believes(&mut self, wall: Timestamp, running: Duration) -> bool {
        if let Some((before, then)) = self.last {
            let expected = before.plus(running.saturating_sub(then));
            let apart = Duration::from_micros(expected.0.abs_diff(wall.0));
            if apart > JUMP {
                tracing::warn!(
                    apart_s = apart.as_secs(),
                    "the clock of this machine has jumped; what goes by it waits until it goes as it should"
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
