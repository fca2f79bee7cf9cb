//! What is shown of it.

use crate::base::clock::Timestamp;
use crate::store::closing::State;
use crate::store::closing::users::Counts;
use crate::store::closing::works::Closing;

/// A connection or a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `active`, `suspended` or `deleted`.
    pub state: &'static str,
    /// Since when; none where nobody has changed it.
    pub since: Option<Timestamp>,
    /// Whom a change of its state is about.
    pub counts: Counted,
    /// What was last done to its users because of one.
    pub last: Option<Work>,
}

/// What is done to users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Its id; it is the request of everything that it does.
    pub id: String,
    /// `keep`, `suspend`, `deactivate`, `delete` or `return`.
    pub users: &'static str,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// `running`, `done` or `stopped`.
    pub state: &'static str,
    /// How many users were changed so far.
    pub turned: u64,
    /// How many had to stay so far.
    pub stayed: u64,
    /// How many could not be changed so far because of a fault of ours.
    pub failed: u64,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// Whom something would be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Users, without those who are shared.
    pub users: u64,
    /// Those of them who may come in.
    pub active: u64,
    /// Users whom another connection that works has as well.
    pub shared: u64,
    /// Tokens that work.
    pub tokens: u64,
}

impl From<Counts> for Counted {
    fn from(counts: Counts) -> Self {
        Self {
            users: counts.users,
            active: counts.active,
            shared: counts.shared,
            tokens: counts.tokens,
        }
    }
}

impl From<Closing> for Work {
    fn from(closing: Closing) -> Self {
        Self {
            id: closing.id,
            users: closing.verb.as_str(),
            reason: closing.reason,
            state: closing.progress.as_str(),
            turned: closing.turned,
            stayed: closing.stayed,
            failed: closing.failed,
            created: closing.created,
            finished: closing.finished,
        }
    }
}

/// Put together.
pub(super) fn shown(
    (id, name): (String, String),
    (state, since): (State, Option<Timestamp>),
    counts: Counts,
    last: Option<Closing>,
) -> Shown {
    Shown {
        id,
        name,
        state: state.as_str(),
        since,
        counts: counts.into(),
        last: last.map(Work::from),
    }
}
