//! Rounds of deliveries: who has something to send, and what a round came to.

use std::time::Duration;

use serde_json::json;

use super::attempt::{Item, Round};
use super::outcome::Outcome;
use crate::base::clock::Timestamp;
use crate::event::SubjectKind;
use crate::event::backoff::{MAX_ATTEMPTS, wait_after};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, What};
use crate::store::delivery::deliveries::{Delivery, State};
use crate::store::delivery::receivers::{Health, Settled, State as Going};
use crate::store::delivery::work;

pub use crate::store::delivery::work::Work;

/// How long a node that stops in mid-work keeps the others from a receiver.
const HELD_FOR: Duration = Duration::from_secs(30);

/// Failures in a row after which a receiver is tried with one delivery at a time.
const BREAKS_AFTER: i64 = 20;

/// How long a receiver may fail before it is paused.
const PAUSES_AFTER: Duration = Duration::from_hours(5 * 24);

/// Longest that a receiver is left alone because it asks for it.
const LONGEST_AFTER: Duration = Duration::from_hours(1);

/// Name of this work in the log.
const NAME: &str = "relay";

/// Receivers with something to send that no other node has.
///
/// # Errors
/// A database that does not answer.
pub async fn waiting(services: &Services, holder: &str) -> Result<Vec<Work>> {
    Ok(work::waiting(services.db(), holder, services.clock().now()).await?)
}

/// Takes a receiver, or keeps it, for this node; says whether it has it. It saves work: what is done without is right, too.
///
/// # Errors
/// A database that does not answer.
pub async fn claim(services: &Services, work: &mut Work, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    if work.until.is_some_and(|until| now.plus(HELD_FOR / 2) < until) {
        return Ok(true);
    }
    let until = now.plus(HELD_FOR);
    let claimed = work::claim(services.db(), work, holder, now, until).await?;
    work.until = claimed.then_some(until);
    Ok(claimed)
}

/// Muster itself, in the tenant of a receiver.
pub(super) fn caller(services: &Services, work: &Work) -> Caller {
    Caller::system(services, work.tenant, &work.tenant_slug, NAME)
}

/// Writes what a round came to: the number of each delivery that was tried, in the order in which they were done, and its
/// outcome. Those that were not tried are the next time.
///
/// # Errors
/// [`Error::Stale`](crate::service::Error::Stale) when somebody else settled a round of this receiver meanwhile, or it is
/// gone: nothing is written then, and the same deliveries, with the same ids, are made again. A database that does not answer.
pub async fn settle(services: &Services, round: &Round, outcomes: &[(usize, Outcome)]) -> Result<()> {
    let now = services.clock().now();
    let was = &round.receiver.health;
    let health = health(was, outcomes, now);
    let rows = rows(&round.items, outcomes, was.state, now);
    let caller = caller(services, &round.work);
    let mut unit = services.begin(&caller).await?;
    let receiver = round.receiver.id;
    let settled = Settled {
        receiver,
        round: round.receiver.round,
        cursor: round.through,
        health: health.clone(),
        until: now.plus(HELD_FOR),
    };
    unit.receivers().settle(settled).await?;
    unit.deliveries().keep(receiver, &rows);
    let done: Vec<[i64; 1]> = known(&round.items, outcomes).map(|item| [item.seq.0]).collect();
    if !done.is_empty() {
        unit.deliveries().done(receiver, json!(done).to_string());
    }
    let moved: Vec<[&str; 1]> = round.items.iter().map(|item| [item.subject.as_str()]).collect();
    if round.items.iter().any(|item| item.row.is_some()) || !rows.is_empty() {
        unit.deliveries().promote(receiver, json!(moved).to_string(), now);
    }
    if was.state == Going::Failing && health.state == Going::Active {
        unit.deliveries().spread(receiver, now);
    }
    let subject = || ledger::thing(SubjectKind::Receiver, &round.receiver.uid);
    if was.state != health.state && health.state == Going::Paused {
        let data = json!({ "reason": health.reason });
        ledger::note(&mut unit, &caller, now, (What::ReceiverPaused, subject()), &data);
    }
    let dead: Vec<i64> = rows
        .iter()
        .filter(|row| row.state == State::Dead)
        .map(|row| row.seq.0)
        .collect();
    if !dead.is_empty() {
        let data = json!({ "positions": dead });
        ledger::note(&mut unit, &caller, now, (What::DeliveryDead, subject()), &data);
    }
    Ok(unit.save().await?)
}

/// Deliveries that had a row and got through.
fn known<'a>(items: &'a [Item], outcomes: &'a [(usize, Outcome)]) -> impl Iterator<Item = &'a Item> {
    let taken = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Taken);
    taken
        .filter_map(|(at, _)| items.get(*at))
        .filter(|item| item.row.is_some())
}

/// How it goes with a receiver after these outcomes, in the order in which they came.
fn health(was: &Health, outcomes: &[(usize, Outcome)], now: Timestamp) -> Health {
    let mut is = was.clone();
    for (_, outcome) in outcomes {
        match outcome {
            // Who is gone for one delivery wants none of the others either.
            Outcome::Taken if is.state == Going::Paused => is.last_success = Some(now),
            Outcome::Taken => {
                is = Health {
                    state: Going::Active,
                    reason: None,
                    failures: 0,
                    failing_since: None,
                    next_try: None,
                    last_success: Some(now),
                }
            }
            Outcome::Again { .. } => is.failures += 1,
            Outcome::Gone => {
                is.state = Going::Paused;
                is.reason = Some("gone".to_owned());
            }
        }
    }
    if is.state == Going::Active && is.failures >= BREAKS_AFTER {
        is.state = Going::Failing;
        is.failing_since = Some(now);
        is.failures = 1;
    }
    if is.state == Going::Failing {
        // Nothing was left to try it with: it may be that nothing is wrong any more.
        if outcomes.is_empty() {
            is.state = Going::Active;
            is.failures = 0;
            is.failing_since = None;
            is.next_try = None;
        } else if is.failing_since.is_some_and(|since| since.plus(PAUSES_AFTER) <= now) {
            is.state = Going::Paused;
            is.reason = Some("failing".to_owned());
        } else {
            let wait = wait_after(u32::try_from(is.failures).unwrap_or(u32::MAX), rand::random());
            is.next_try = Some(now.plus(wait.max(asked(outcomes))));
        }
    }
    is
}

/// How long the receiver asked to be left alone, if it did.
fn asked(outcomes: &[(usize, Outcome)]) -> Duration {
    let asked = outcomes.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Again { after, .. } => *after,
        Outcome::Taken | Outcome::Gone => None,
    });
    asked.max().unwrap_or_default().min(LONGEST_AFTER)
}

/// Rows of what did not get through. Of one subject the first that is left waits, and all after it are behind it.
fn rows(items: &[Item], outcomes: &[(usize, Outcome)], going: Going, now: Timestamp) -> Vec<Delivery> {
    let mut rows: Vec<Delivery> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let outcome = outcomes.iter().find(|(of, _)| *of == at).map(|(_, outcome)| *outcome);
        if outcome == Some(Outcome::Taken) || (outcome.is_none() && item.row.is_some()) {
            continue;
        }
        let mut row = item.row.clone().unwrap_or_else(|| Delivery {
            seq: item.seq,
            subject: item.subject.clone(),
            state: State::Waiting,
            attempts: 0,
            due: now,
            status: None,
            error: None,
            since: now,
        });
        match outcome {
            Some(Outcome::Again { failure, status, after }) => {
                row.attempts += 1;
                row.status = status.map(i64::from);
                row.error = Some(failure.as_str().to_owned());
                let tried = u32::try_from(row.attempts).unwrap_or(u32::MAX);
                let wait = wait_after(tried, rand::random()).max(after.unwrap_or_default().min(LONGEST_AFTER));
                row.due = now.plus(wait);
                // While nothing gets through, the fault is the receiver's, and nothing is given up.
                if tried >= MAX_ATTEMPTS && going == Going::Active {
                    row.state = State::Dead;
                }
            }
            Some(Outcome::Gone) => {
                row.attempts += 1;
                row.status = Some(410);
                row.error = Some("gone".to_owned());
            }
            _ => {}
        }
        let waits = |one: &Delivery| one.subject == item.subject && one.state != State::Dead;
        if row.state == State::Waiting && (item.blocked || rows.iter().any(waits)) {
            row.state = State::Behind;
        }
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_is_gone_stays_paused_whatever_else_came_of_the_round() {
        let well = Health {
            state: Going::Active,
            reason: None,
            failures: 0,
            failing_since: None,
            next_try: None,
            last_success: None,
        };
        for outcomes in [
            [(0, Outcome::Taken), (1, Outcome::Gone)],
            [(0, Outcome::Gone), (1, Outcome::Taken)],
        ] {
            let is = health(&well, &outcomes, Timestamp(7));
            assert_eq!(
                (is.state, is.reason.as_deref(), is.last_success),
                (Going::Paused, Some("gone"), Some(Timestamp(7)))
            );
        }
    }
}
