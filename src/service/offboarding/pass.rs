//! One round of everything that runs need: any number of nodes may make it at once.

use std::time::Duration;

use super::{account, certify, follow, late};
use crate::base::id::TenantId;
use crate::service::context::Services;
use crate::service::error::Result;
use crate::service::setbacks::{Work, one_of_many};
use crate::store::log::leases;
use crate::store::runs::{due, ends};

/// What runs are followed under: in leases, and as who does it in the log.
pub(super) const NAME: &str = "offboarding";

/// How long a node that stops in mid-work keeps the others from it.
pub const LEASE_LASTS: Duration = Duration::from_secs(10);

/// Steps that one round takes up.
const MOST_STEPS: u32 = 64;

/// What a round came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// How many logs were read on, runs turned late or certified, and steps tried.
    pub done: usize,
}

/// Makes a round: reads the logs on, turns late what is, tries what is due, certifies what is confirmed. What fails for one
/// tenant or run holds up no other one.
///
/// # Errors
/// A database that does not answer.
pub async fn pass(services: &Services) -> Result<Passed> {
    let mut done = follow::follow(services).await?;
    done += late::turn(services).await?;
    let alone = left_alone(services, Work::Step);
    let mut stuck: Vec<TenantId> = Vec::new();
    for due in due::steps(services.db(), services.clock().now(), MOST_STEPS, &alone).await? {
        // Whatever stood in the way of one step of an organisation, such as a unit that keeps its policy for long, would
        // stand in the way of the others, and these be waited for while the logs of everybody else are not read.
        if stuck.contains(&due.tenant) {
            continue;
        }
        match one_of_many(services, (Work::Step, due.run), account::attempt(services, &due)).await? {
            Some(tried) => done += usize::from(tried),
            None => stuck.push(due.tenant),
        }
    }
    done += certify::certify(services).await?;
    Ok(Passed { done })
}

/// Whether there is anything to do.
///
/// # Errors
/// A database that does not answer.
pub async fn is_due(services: &Services) -> Result<bool> {
    let (db, now) = (services.db(), services.clock().now());
    let alone = |work| left_alone(services, work);
    Ok(!due::steps(db, now, 1, &alone(Work::Step)).await?.is_empty()
        || !ends::behind(db, TenantId(0), 1, &alone(Work::Follow)).await?.is_empty()
        || !due::overdue(db, now, &alone(Work::Late)).await?.is_empty()
        || !due::uncertified(db, 1, &alone(Work::Certify), &alone(Work::Marks))
            .await?
            .is_empty())
}

/// For which tenants or runs a work failed a moment ago.
pub(super) fn left_alone(services: &Services, work: Work) -> Vec<i64> {
    services.setbacks().left_alone(work, services.clock().now())
}

/// Takes or renews the lease; says whether this holder has it now. It saves work: what is done without it is done once,
/// too.
///
/// # Errors
/// A database that does not answer.
pub async fn lease(services: &Services, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    Ok(leases::take(services.db(), NAME, holder, now, now.plus(LEASE_LASTS)).await?)
}

/// How many runs of the whole installation are open, and how many late.
///
/// # Errors
/// A database that does not answer.
pub async fn under_way(services: &Services) -> Result<(u32, u32)> {
    let (open, late) = due::under_way(services.db()).await?;
    let counted = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok((counted(open), counted(late)))
}
