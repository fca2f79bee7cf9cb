//! Whose turn it is to be called, and what came of it. Between the two there is no unit of work.

use std::time::Duration;

use super::call::{Call, Matter, Writer};
use super::judge::{Answers, Tried, hook_said, judge, probe_said};
use crate::base::clock::Timestamp;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::offboarding::enforcers::Tested;
use crate::service::offboarding::pass::NAME;
use crate::service::offboarding::settle::{hold, settle};
use crate::service::setbacks::unless_overtaken;
use crate::store::runs::enforcers::State;
use crate::store::runs::hooks::{self, DueHook, Work};

/// How long a node that stops in mid-work keeps the others from an enforcer: longer than one call may take, twice.
const HELD_FOR: Duration = Duration::from_mins(1);

/// Calls of one round: they are made at once.
const MOST: u32 = 8;

/// Enforcers for whom something is due and whom no other node calls.
///
/// # Errors
/// A database that does not answer.
pub async fn waiting(services: &Services, holder: &str) -> Result<Vec<Work>> {
    Ok(hooks::waiting(services.db(), holder, services.clock().now()).await?)
}

/// Takes an enforcer, or keeps it, for this node; says whether it has it. It saves work: what is done without is right, too.
///
/// # Errors
/// A database that does not answer.
pub async fn claim(services: &Services, work: &mut Work, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    let lasts = |until: Timestamp| now.plus(HELD_FOR / 2) < until && until <= now.plus(HELD_FOR);
    if work.until.is_some_and(lasts) {
        return Ok(true);
    }
    let until = now.plus(HELD_FOR);
    let claimed = hooks::claim(services.db(), work, holder, now, until).await?;
    work.until = claimed.then_some(until);
    Ok(claimed)
}

/// What an enforcer is to be called for now; empty when there is nothing left.
///
/// # Errors
/// A database that does not answer, secrets that are damaged.
pub async fn calls(services: &Services, work: &Work) -> Result<Vec<Call>> {
    let reader = services.read(&caller(services, work));
    let Some(enforcer) = reader.enforcers().find_by_id(work.enforcer).await? else {
        return Ok(Vec::new());
    };
    let now = services.clock().now();
    let writer = Writer::open(services, work, &enforcer, now)?;
    let mut calls = Vec::new();
    if enforcer.test_due.is_some_and(|due| hooks::is_due(due, now)) {
        calls.push(writer.trial()?);
    }
    if enforcer.state == State::Active {
        let due = reader.hooks().due(enforcer.id, now, MOST).await?;
        for due in due {
            calls.push(writer.step(due)?);
        }
    }
    Ok(calls)
}

/// Muster itself, in the tenant of an enforcer.
fn caller(services: &Services, work: &Work) -> Caller {
    Caller::system(services, work.tenant, &work.tenant_slug, NAME)
}

/// Writes down what a call came to; false when somebody else has, or nobody wants to know any more.
///
/// # Errors
/// A database that does not answer.
pub async fn answered(services: &Services, work: &Work, call: &Call, answers: &Answers) -> Result<bool> {
    let written = match &call.matter {
        Matter::Step(due, tried) => step_answered(services, work, (due, *tried), answers).await,
        Matter::Trial => tried_out(services, work, answers).await,
    };
    Ok(unless_overtaken(written)?.unwrap_or(false))
}

async fn step_answered(
    services: &Services,
    work: &Work,
    (due, tried): (&DueHook, Tried),
    answers: &Answers,
) -> Result<bool> {
    let internal = |fault: serde_json::Error| Error::Internal(Box::new(fault));
    let caller = caller(services, work);
    let mut unit = services.begin(&caller).await?;
    let Some(held) = hold(&mut unit, &due.step).await? else {
        unit.dismiss().await?;
        return Ok(false);
    };
    let now = services.clock().now();
    let outcome = judge(tried, answers, now).map_err(internal)?;
    if settle(services, &mut unit, &caller, (&due.step, &held), &outcome, now).await? {
        unit.save().await?;
        return Ok(true);
    }
    unit.dismiss().await?;
    Ok(false)
}

async fn tried_out(services: &Services, work: &Work, answers: &Answers) -> Result<bool> {
    let tested = Tested {
        at: services.clock().now().0,
        hook: hook_said(answers.hook.as_ref()),
        probe: answers.probe.as_ref().map(probe_said),
    };
    let text = serde_json::to_string(&tested).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let mut unit = services.begin(&caller(services, work)).await?;
    unit.enforcers().test(work.enforcer, None, Some(text));
    unit.save().await?;
    Ok(true)
}
