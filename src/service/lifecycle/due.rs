//! What was planned is done when it is due: each plan once, whoever else does the same at the same time.

use serde_json::json;
use std::sync::Arc;

use super::schedule::{Action, State, tell};
use super::turn::{Turning, in_unit, saved};
use crate::access::lifecycle::{Ask, By};
use crate::base::clock::Timestamp;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::What;
use crate::service::mail::{self, Template};
use crate::service::provision::attempt::attempts;
use crate::store::lifecycle::schedules::due;

pub use crate::store::lifecycle::schedules::Due;

/// Plans that are taken up at once.
const MOST: u32 = 100;

/// Does what is due now, of every tenant; says how many plans it has settled. A plan that cannot be settled is told in the
/// program's log, stays, and does not keep others back.
///
/// # Errors
/// When the database fails.
pub async fn pass(services: &Services) -> Result<usize> {
    let now = services.clock().now();
    let (mut after, mut ours) = ((Timestamp(i64::MIN), 0), 0);
    loop {
        let found = look(services, now, after).await?;
        let Some(last) = found.last() else { return Ok(ours) };
        after = (last.at, last.number);
        for plan in found {
            match settle(services, plan).await {
                Ok(settled) => ours += usize::from(settled),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "something that was planned could not be done; it is tried again");
                }
            }
        }
    }
}

/// Some of what is due then, the longest due first, after what is due at an instant and has a number.
///
/// # Errors
/// When the database fails.
pub async fn look(services: &Services, now: Timestamp, after: (Timestamp, i64)) -> Result<Vec<Due>> {
    Ok(due(services.db(), now, after, MOST).await?)
}

/// Settles one plan; false when somebody else did, or it is not due any more.
///
/// # Errors
/// When the database fails.
pub async fn settle(services: &Services, plan: Due) -> Result<bool> {
    let words = services.vocabulary(plan.tenant).await?;
    let caller = Caller::system(services, plan.tenant, &plan.slug, "schedule").knowing(words);
    let plan = Arc::new(plan);
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
    // Whoever deletes or restores somebody locks the policy, too: who is there now, or is not, stays so.
    unit.policy().hold().await?;
    let now = unit.schedules().find(&plan.uid).await?;
    let user = now.and_then(|now| now.user).map(|(user, _)| user);
    let (state, what) = match (&user, outcome) {
        // They are deleted, and nobody who must stay.
        (None, _) => (State::Cancelled, What::ScheduleCancelled),
        (Some(_), Outcome::Fail) => (State::Failed, What::ScheduleFailed),
        (Some(user), Outcome::Do) => match in_unit(services, caller, &mut unit, user, &turning(plan)).await {
            Ok(_) => (State::Done, What::ScheduleDone),
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
    if let (State::Failed, Some(user)) = (state, &user) {
        let told = json!({ "schedule": plan.uid, "user": user.as_str(), "action": plan.action.as_str() });
        mail::alert_in(services, &mut unit, now, (Template::ScheduleFailed, &told)).await?;
    }
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
        closing: None,
    }
}
