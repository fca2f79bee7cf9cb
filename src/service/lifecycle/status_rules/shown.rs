//! The rules as they are shown, with whom each keeps out, and how far their last change is.

use crate::access::StatusRule;
use crate::base::clock::Timestamp;
use crate::service::access::authority::{GIVE, SETTINGS, VIEW, require};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::store::lifecycle::rulings::Ruling;

/// The rules of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Each of them, in the order in which they were given.
    pub rules: Vec<InForce>,
    /// What their last change came to for those who were there; none where they were never changed.
    pub last: Option<Work>,
}

/// A rule, and whom it keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The rule.
    pub rule: StatusRule,
    /// How many users it keeps out.
    pub held: u64,
}

/// A change of the rules on its way to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// `running` or `done`.
    pub state: &'static str,
    /// How many users were changed so far.
    pub turned: u64,
    /// How many had to stay so far.
    pub stayed: u64,
    /// How many could not be changed so far because of a fault of ours, which the program's log tells of.
    pub failed: u64,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl From<Ruling> for Work {
    fn from(ruling: Ruling) -> Self {
        Self {
            state: if ruling.running { "running" } else { "done" },
            turned: ruling.turned,
            stayed: ruling.stayed,
            failed: ruling.failed,
            created: ruling.created,
            finished: ruling.finished,
        }
    }
}

/// The rules, and what they do.
///
/// # Errors
/// `Forbidden`.
pub async fn find(services: &Services, caller: &Caller) -> Result<Shown> {
    require(services, caller, &[VIEW, GIVE, SETTINGS]).await?;
    let reader = services.read(caller);
    let rules = reader.policy().settings().await?.status_rules;
    let held = reader.statuses().by_rules().await?;
    let shown = |rule: StatusRule| InForce {
        held: held.get(&rule.name).copied().unwrap_or(0),
        rule,
    };
    Ok(Shown {
        rules: rules.into_iter().map(shown).collect(),
        last: reader.rulings().last().await?.map(Work::from),
    })
}
