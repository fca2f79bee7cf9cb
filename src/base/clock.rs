//! The only place time comes from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Timestamp {
    /// `2026-11-22T06:53:03.123456Z`: always UTC, always six digits of fraction.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(MICROS_PER_DAY));
        let micros = self.0.rem_euclid(MICROS_PER_DAY);
        let seconds = micros / 1_000_000;
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            micros % 1_000_000
        )
    }

    /// The instant `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Year, month and day of a day number counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year; an era has 400 years.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[derive(Debug, Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

/// What time it is.
#[derive(Debug, Clone)]
pub struct Clock(Source);

/// The last instant the system clock gave: two changes never carry the same time.
static LAST: AtomicI64 = AtomicI64::new(i64::MIN);

impl Clock {
    /// The machine's clock, strictly ascending within the process.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is set; clones share it. For tests.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.0))))
    }

    /// Moves a fixed clock to an instant; the system clock does not listen.
    pub fn set(&self, at: Timestamp) {
        if let Source::Fixed(micros) = &self.0 {
            micros.store(at.0, Ordering::SeqCst);
        }
    }

    /// Moves a fixed clock forward; the system clock does not listen.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// The instant now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Fixed(micros) => Timestamp(micros.load(Ordering::SeqCst)),
            Source::System => ascending(machine()),
        }
    }
}

fn ascending(now: i64) -> Timestamp {
    let step = |last: i64| now.max(last.saturating_add(1));
    let mut last = LAST.load(Ordering::Relaxed);
    while let Err(other) = LAST.compare_exchange_weak(last, step(last), Ordering::SeqCst, Ordering::Relaxed) {
        last = other;
    }
    Timestamp(step(last))
}

#[expect(clippy::disallowed_methods, reason = "this is the one place time comes from")]
fn machine() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_rfc3339_with_six_digits() {
        assert_eq!(Timestamp(0).rfc3339(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp(-1).rfc3339(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp(951_782_400_000_000).rfc3339(), "2000-02-29T00:00:00.000000Z");
        assert_eq!(
            Timestamp(1_795_330_383_123_456).rfc3339(),
            "2026-11-22T06:53:03.123456Z"
        );
    }

    #[test]
    fn the_system_clock_never_repeats_itself() {
        let clock = Clock::system();
        let times: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(Timestamp(5));
        let clone = clock.clone();
        assert_eq!(clock.now(), clock.now());
        clone.advance(Duration::from_micros(7));
        assert_eq!(clock.now(), Timestamp(12));
        clone.set(Timestamp(1));
        assert_eq!(clock.now(), Timestamp(1));
    }
}
