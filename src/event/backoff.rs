//! How long a delivery waits before it is tried again.

use std::time::Duration;

/// Attempts of one delivery. The last one is about three days after the first.
pub const MAX_ATTEMPTS: u32 = 72;

/// Waits after the first attempts; all further ones are as the last.
const WAITS: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(25),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
];

/// How far a wait is moved either way, so that what failed together is not tried again together.
const JITTER: f64 = 0.2;

/// How long to wait after failed attempt `n`, counted from 1: 5 s, 25 s, 2 min, 10 min, then hourly, each ±20 %.
///
/// The jitter is taken from `roll` in `0.0..1.0`, so that a test can fix it; 0.5 is none.
#[must_use]
pub fn wait_after(n: u32, roll: f64) -> Duration {
    let at = usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS[at.min(WAITS.len() - 1)];
    wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * roll.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_stay_there() {
        let waits: Vec<u64> = (1..=7).map(|n| wait_after(n, 0.5).as_secs()).collect();
        assert_eq!(waits, [5, 25, 120, 600, 3600, 3600, 3600]);
        let all: Duration = (1..MAX_ATTEMPTS).map(|n| wait_after(n, 0.5)).sum();
        assert_eq!(all.as_secs() / 86_400, 2, "the last attempt is within the third day");
    }

    #[test]
    fn jitter_is_a_fifth_either_way() {
        assert_eq!(wait_after(1, 0.0), Duration::from_secs(4));
        assert_eq!(wait_after(1, 1.0), Duration::from_secs(6));
        assert_eq!(wait_after(9, 7.0), Duration::from_mins(72));
    }
}
