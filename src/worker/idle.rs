//! How often a worker looks for something to do where nobody rings.

use std::time::Duration;

/// How long nothing must have been found before a worker looks less often: longer than the leases under which work is
/// shared, so that what begins then is not left to a node that is slow to look.
const BUSY: Duration = Duration::from_secs(12);

/// The pause between two looks: short where something was found a while ago, longer and longer where nothing is.
#[derive(Debug)]
pub(super) struct Idle {
    shortest: Duration,
    longest: Duration,
    /// Looks in a row that found nothing.
    looks: u32,
}

impl Idle {
    pub(super) const fn between(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            looks: 0,
        }
    }

    /// The pause after a look that found something, or nothing.
    pub(super) fn after(&mut self, found: bool) -> Duration {
        self.looks = if found { 0 } else { self.looks.saturating_add(1) };
        let over = self.shortest.saturating_mul(self.looks).saturating_sub(BUSY);
        let doubled = over.as_nanos() / self.shortest.as_nanos().max(1);
        let factor = 1 << u32::try_from(doubled).unwrap_or(u32::MAX).min(16);
        self.shortest.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_nothing_for_long_looks_less_often_until_something_is_found() {
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(1));
        let mut idle = Idle::between(least, most);
        let (mut spent, mut looks) = (Duration::ZERO, 0);
        while spent < Duration::from_hours(1) {
            let pause = idle.after(false);
            assert!(spent >= BUSY || pause == least);
            spent += pause;
            looks += 1;
        }
        assert!((3600..3800).contains(&looks), "{looks}");
        assert_eq!(idle.after(false), most);
        assert_eq!((idle.after(true), idle.after(false)), (least, least));
    }
}
