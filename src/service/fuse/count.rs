//! What a request takes away is counted in its own unit, after everything else that the unit writes.

use std::time::Duration;

use crate::access::fuse::{Fuse, Harm, Limit};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk};
use crate::service::context::{Authority, Caller};
use crate::store::fuse::counters::{Counter, Window};
use crate::store::{self, Unit};

/// How much later than now a window may have begun and still be open: a request that waited for others has an older
/// now than they, and clocks of nodes differ. What lies further ahead was begun by a clock that was wrong.
const FURTHEST: Duration = Duration::from_mins(1);

/// What a request takes away, and gives back.
#[derive(Debug, Default)]
pub(in crate::service) struct Taken {
    harms: Vec<(Harm, u64)>,
    /// A user who stops being active.
    ends: Option<Pk>,
    /// A user who becomes active again.
    revives: Option<Pk>,
}

/// More than is left of a budget, or a fuse that has tripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    pub(super) harm: Harm,
    pub(super) n: u64,
}

impl Taken {
    /// The same with so much of this.
    pub(in crate::service) fn and(mut self, harm: Harm, n: u64) -> Self {
        if n > 0 {
            self.harms.push((harm, n));
            // Units hold their counters in one order, so that no two wait for each other.
            self.harms.sort_unstable();
        }
        self
    }

    /// What is gone by the time it is counted.
    fn deleted(&self) -> u64 {
        let deletions = self.harms.iter().filter(|(harm, _)| *harm == Harm::Deletions);
        deletions.map(|(_, n)| n).sum()
    }

    /// The same with a user who stops being active.
    pub(in crate::service) fn ending(self, user: Pk) -> Self {
        let ends = Some(user);
        Self { ends, ..self }.and(Harm::Deactivations, 1)
    }

    /// The same with a user who becomes active again: nothing is taken away in the end, if it was counted that they are not.
    pub(in crate::service) fn reviving(self, user: Pk) -> Self {
        let revives = Some(user);
        Self { revives, ..self }
    }
}

/// Counts it where the caller is a connection; what is beyond a budget is told, and the unit is then to be given up. A
/// request that somebody has decided about is not counted.
pub(in crate::service) async fn count(
    caller: &Caller,
    unit: &mut Unit,
    taken: &Taken,
    now: Timestamp,
) -> store::Result<Option<Over>> {
    let Authority::Connection(connection) = caller.authority() else {
        return Ok(None);
    };
    if caller.is_settling() {
        return Ok(None);
    }
    // At most two: members of a group that is renamed or deleted.
    for &(harm, n) in &taken.harms {
        let change = Change {
            of: (connection.id, harm),
            n,
            deleted: taken.deleted(),
            who: taken.ends.filter(|_| harm == Harm::Deactivations),
            now,
        };
        if !change.is_within(unit).await? {
            return Ok(Some(Over { harm, n }));
        }
    }
    if let Some(user) = taken.revives {
        unit.fuses().give_back((connection.id, Harm::Deactivations), user);
    }
    Ok(None)
}

/// So much that a connection takes away in one way.
struct Change {
    of: (ConnectionId, Harm),
    n: u64,
    /// Users and groups that the unit has deleted.
    deleted: u64,
    /// Whom it is about, where that may be given back.
    who: Option<Pk>,
    now: Timestamp,
}

impl Change {
    async fn is_within(&self, unit: &mut Unit) -> store::Result<bool> {
        let (connection, harm) = self.of;
        let Some((fuse, counter)) = unit.fuses().standing(connection, harm).await? else {
            return Ok(true);
        };
        let Some(limit) = fuse.limit(harm) else {
            return Ok(true);
        };
        if counter.is_some_and(|counter| counter.hold.is_some()) {
            return Ok(false);
        }
        let window = window(unit, (&fuse, limit), counter, (self.deleted, self.now)).await?;
        let begins = is_over(counter, window);
        if begins && self.n > window.budget || !unit.fuses().count(self.of, self.n, window).await? {
            return Ok(false);
        }
        if let Some(who) = self.who {
            if begins {
                unit.fuses().forget(self.of);
            }
            unit.fuses().remember(self.of, who);
        }
        Ok(true)
    }
}

/// Whether no window is open. One that begins later than now was opened by a clock that ran ahead.
pub(super) fn is_over(counter: Option<Counter>, window: Window) -> bool {
    counter.is_none_or(|counter| counter.opened <= window.over || counter.opened > window.ahead)
}

/// The window of now. Everybody is counted only where one begins: as many as there were before the unit deleted some.
pub(super) async fn window(
    unit: &mut Unit,
    (fuse, limit): (&Fuse, Limit),
    counter: Option<Counter>,
    (deleted, now): (u64, Timestamp),
) -> store::Result<Window> {
    let length = i64::try_from(fuse.window.as_micros()).unwrap_or(i64::MAX);
    let mut window = Window {
        now,
        over: Timestamp(now.0.saturating_sub(length)),
        ahead: now.plus(FURTHEST),
        budget: 0,
    };
    window.budget = if is_over(counter, window) {
        limit.budget(unit.fuses().everybody().await?.saturating_add(deleted))
    } else {
        counter.and_then(|counter| counter.budget).unwrap_or_default()
    };
    Ok(window)
}
