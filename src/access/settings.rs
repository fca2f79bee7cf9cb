//! What an organisation has decided about its access for all of it, once.

use std::time::Duration;

use super::invariant::{Cap, Demands};
use super::lifecycle::{Joining, Leaving, Rehire};
use super::status_rule::StatusRule;
use crate::base::clock::Timestamp;

/// What becomes of a request of provisioning that would leave too few administrators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenRefused {
    /// It is refused, and that is all.
    #[default]
    Refuse,
    /// It is refused and kept, so that an administrator can have it made later.
    Park,
}

const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// For how many days somebody who was deleted can be restored; then they are forgotten for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Option<u32>);

impl Retention {
    /// For so many days; for ever where there is no number.
    #[must_use]
    pub const fn of(days: Option<u32>) -> Self {
        Self(days)
    }

    /// How many days; `None`: for ever.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        self.0
    }
}

impl Retention {
    /// Who was deleted before this instant is not kept any more.
    #[must_use]
    pub fn since(self, now: Timestamp) -> Timestamp {
        let kept = self.0.map(|days| i64::from(days) * MICROS_PER_DAY);
        kept.map_or(Timestamp(i64::MIN), |kept| Timestamp(now.0.saturating_sub(kept)))
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self(Some(90))
    }
}

/// Decisions of an organisation that hold for everybody in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which roles provisioning may give.
    pub cap: Cap,
    /// What must hold of the administrators.
    pub demands: Demands,
    /// What becomes of requests of provisioning that go against them.
    pub when_refused: WhenRefused,
    /// Whether provisioning takes in whom an invitation waits for.
    pub joining: Joining,
    /// Where provisioning says when somebody leaves: of several dates the first counts.
    pub leaving: Vec<Leaving>,
    /// Who is kept out because of what is known of them: of several rules that hold for somebody the strongest counts.
    pub status_rules: Vec<StatusRule>,
    /// What becomes of somebody new who may be somebody who was deleted.
    pub rehire: Rehire,
    /// Whether who is linked to somebody who was deleted has their grants again, as far as provisioning may give them.
    pub rehire_grants: bool,
    /// Whether a manager sees (read only) what those see who report to them. Off when nobody said so.
    pub managers_see_reports: bool,
    /// How long after the end of an account everything that could still let the person in has to confirm that it does not.
    pub offboarding_deadline: Duration,
    /// How long those who were deleted are kept.
    pub retention: Retention,
}

impl Default for Settings {
    /// What holds where nobody has decided anything.
    fn default() -> Self {
        Self {
            cap: Cap::default(),
            demands: Demands::default(),
            when_refused: WhenRefused::default(),
            joining: Joining::default(),
            leaving: Vec::new(),
            status_rules: Vec::new(),
            rehire: Rehire::default(),
            rehire_grants: false,
            managers_see_reports: false,
            offboarding_deadline: Duration::from_mins(5),
            retention: Retention::default(),
        }
    }
}
