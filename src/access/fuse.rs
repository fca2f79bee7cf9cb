//! The mass-change fuse as values: how much a provisioning connection may take away within a window.
//!
//! What it adds never counts. A budget is a share of the users and groups there are, and never less than a number below
//! which a share would stand in the way of ordinary work.

use std::fmt;
use std::time::Duration;

/// A way of taking something away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harm {
    /// A user becomes inactive. Becoming active again gives it back.
    Deactivations,
    /// A user or group is deleted.
    Deletions,
    /// A member leaves a group, also because that is deleted.
    Departures,
    /// A `userName`, or the `displayName` of a group, becomes another.
    Renames,
}

impl Harm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Deactivations, Self::Deletions, Self::Departures, Self::Renames];

    /// As it stands in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivations => "deactivations",
            Self::Deletions => "deletions",
            Self::Departures => "departures",
            Self::Renames => "renames",
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|harm| harm.as_str() == text)
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a connection may take away in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Of all users and groups, 0 to 100.
    pub percent: u32,
    /// The budget where the share is smaller.
    pub least: u64,
}

impl Limit {
    /// The budget where there are so many users and groups.
    #[must_use]
    pub fn budget(self, there: u64) -> u64 {
        // In 128 bits nothing overflows, and what is a share of a u64 is one.
        let share = u128::from(there) * u128::from(self.percent.min(100)) / 100;
        u64::try_from(share).unwrap_or(u64::MAX).max(self.least)
    }
}

/// What becomes of a request that goes beyond a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Beyond {
    /// It is refused; the client asks again later.
    #[default]
    Refuse,
    /// It is accepted and kept; it is made when an administrator approves.
    Hold,
}

/// The budgets of a connection; `None` where nothing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuse {
    /// How long a budget lasts, from the first that counts.
    pub window: Duration,
    /// What becomes of a request beyond a budget.
    pub beyond: Beyond,
    /// Users who become inactive.
    pub deactivations: Option<Limit>,
    /// Users and groups that are deleted.
    pub deletions: Option<Limit>,
    /// Members who leave groups.
    pub departures: Option<Limit>,
    /// Users and groups that get another name.
    pub renames: Option<Limit>,
}

/// Shortest window: less would let through what a client does at full speed.
pub const SHORTEST_WINDOW: Duration = Duration::from_mins(1);
/// Longest window: who gets no further waits no longer than that.
pub const LONGEST_WINDOW: Duration = Duration::from_hours(7 * 24);

impl Default for Fuse {
    /// A tenth of everybody in an hour, and a thousand where that is less: the leavers of a large organisation in a week,
    /// and more than any test of an identity provider removes. A reorganisation moves about as many memberships as there
    /// are people, so departures have ten times as much.
    fn default() -> Self {
        let tenth = Limit {
            percent: 10,
            least: 1_000,
        };
        Self {
            window: Duration::from_hours(1),
            beyond: Beyond::Refuse,
            deactivations: Some(tenth),
            deletions: Some(tenth),
            departures: Some(Limit {
                percent: 100,
                least: 10_000,
            }),
            renames: Some(tenth),
        }
    }
}

impl Fuse {
    /// What may be taken away in this way.
    #[must_use]
    pub const fn limit(&self, harm: Harm) -> Option<Limit> {
        match harm {
            Harm::Deactivations => self.deactivations,
            Harm::Deletions => self.deletions,
            Harm::Departures => self.departures,
            Harm::Renames => self.renames,
        }
    }

    /// The place of that limit.
    pub const fn limit_mut(&mut self, harm: Harm) -> &mut Option<Limit> {
        match harm {
            Harm::Deactivations => &mut self.deactivations,
            Harm::Deletions => &mut self.deletions,
            Harm::Departures => &mut self.departures,
            Harm::Renames => &mut self.renames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_and_never_less_than_the_least() {
        let limit = Limit { percent: 10, least: 50 };
        assert_eq!(
            [0, 500, 501, 519, 10_000].map(|there| limit.budget(there)),
            [50, 50, 50, 51, 1_000]
        );
        let all = Limit { percent: 100, least: 0 };
        assert_eq!((all.budget(0), all.budget(u64::MAX)), (0, u64::MAX));
        let none = Limit { percent: 0, least: 0 };
        assert_eq!(none.budget(1_000_000), 0);
    }

    #[test]
    fn every_harm_reads_back_and_has_a_limit_of_its_own() {
        let mut fuse = Fuse::default();
        for harm in Harm::ALL {
            assert_eq!(Harm::parse(harm.as_str()), Some(harm));
            assert!(fuse.limit(harm).is_some());
            *fuse.limit_mut(harm) = None;
            assert_eq!(
                Harm::ALL.iter().filter(|one| fuse.limit(**one).is_none()).count(),
                harm as usize + 1
            );
        }
        assert_eq!(Harm::parse("creations"), None);
    }
}
