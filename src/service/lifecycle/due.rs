//! What was planned is done when it is due: each plan once, whoever else does the same at the same time.

use std::sync::Arc;

use super::schedule::{Action, State, tell};
use super::turn::{Turning, in_unit, saved};
use crate::access::lifecycle::{Ask, By};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::What;
use crate::service::provision::attempt::attempts;
use crate::store::lifecycle::schedules::{Due, due};

/// Plans that are taken up at once.
const MOST: u32 = 100;

/// What one look came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Plans that this look has settled.
    pub settled: usize,
    /// Whether more may be due.
    pub more: bool,
}

/// Does what is due now, of every tenant. A plan that cannot be settled is told in the program's log, stays, and does not
/// keep others back.
///
/// # Errors
/// When the database fails.
pub async fn pass(services: &Services) -> Result<Passed> {
    let found = due(services.db(), services.clock().now(), MOST).await?;
    let mut passed = Passed {
        settled: 0,
        more: found.len() == MOST as usize,
    };
    for plan in found {
        match settled(services, Arc::new(plan)).await {
            Ok(ours) => passed.settled += usize::from(ours),
            Err(error) => {
                passed.more = false;
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "something that was planned could not be done; it is tried again");
            }
        }
    }
    Ok(passed)
}

/// Settles one plan; false when somebody else did.
async fn settled(services: &Services, plan: Arc<Due>) -> Result<bool> {
    let caller = Caller::system(services, plan.tenant, &plan.slug, "schedule");
    attempts(|| {
        let (services, caller, plan) = (services.clone(), caller.clone(), Arc::clone(&plan));
        async move {
            match attempt(&services, &caller, &plan, Outcome::Do).await {
                // Whoever has become the owner or the last administrator since stays, and it is said.
                Err(Error::Conflict(_) | Error::Violated(_)) => attempt(&services, &caller, &plan, Outcome::Fail).await,
                other => other,
            }
        }
    })
    .await
}

/// What is tried with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is done.
    Do,
    /// It is put down as refused.
    Fail,
}

async fn attempt(services: &Services, caller: &Caller, plan: &Due, outcome: Outcome) -> Result<bool> {
    let mut unit = services.begin(caller).await?;
    let (state, what) = match (&plan.user, outcome) {
        (None, _) => (State::Cancelled, What::ScheduleCancelled),
        (Some(_), Outcome::Fail) => (State::Failed, What::ScheduleFailed),
        (Some(user), Outcome::Do) => match in_unit(services, caller, &mut unit, user, &turning(plan)).await {
            Ok(_) => (State::Done, What::ScheduleDone),
            // Deleted since it was looked up.
            Err(Error::NotFound) => (State::Cancelled, What::ScheduleCancelled),
            Err(error) => {
                unit.dismiss().await?;
                return Err(error);
            }
        },
    };
    let now = services.clock().now();
    // INVARIANT: who settles the plan has done it, and who has not settled it has done nothing.
    if !unit.schedules().settle(&plan.uid, Some(plan.at), state, now).await? {
        unit.dismiss().await?;
        return Ok(false);
    }
    tell(&mut unit, caller, now, what, &plan.uid);
    saved(services, caller, unit).await?;
    Ok(true)
}

fn turning(plan: &Due) -> Turning {
    let (ask, until) = match plan.action {
        Action::Deactivate => (Ask::Deactivate, None),
        Action::Suspend => (Ask::Suspend, plan.until),
        // What provisioning last said stands beside the hold.
        Action::Return => (Ask::Return { source_active: true }, None),
    };
    Turning {
        ask,
        by: By::Schedule,
        reason: plan.reason.clone(),
        until,
    }
}
