//! Rounds of deliveries: who has something to send, and what a round came to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::attempt::{Item, Round};
use super::outcome::Outcome;
use crate::base::clock::Timestamp;
use crate::base::id::TenantId;
use crate::event::backoff::{MAX_ATTEMPTS, wait_after};
use crate::event::{Seq, SubjectKind};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, What};
use crate::service::mail::{self, Template};
use crate::service::provision::attempt::attempts;
use crate::store::Unit;
use crate::store::delivery::deliveries::{Delivery, State};
use crate::store::delivery::receivers::{Family, Health, Receiver, Settled, State as Going};
use crate::store::delivery::work;

pub use crate::store::delivery::work::Work;

/// How long a node that stops in mid-work keeps the others from a receiver.
const HELD_FOR: Duration = Duration::from_secs(30);

/// How long a round takes at most: what it begins within ten seconds, and the fifteen of the last request.
const LONGEST_ROUND: Duration = Duration::from_secs(25);

/// Failures in a row after which a receiver is tried with one delivery at a time.
const BREAKS_AFTER: i64 = 20;

/// How long a receiver may fail before it is paused.
const PAUSES_AFTER: Duration = Duration::from_hours(5 * 24);

/// Tries of a failing receiver after which the waits between them do not grow any more: it is tried every ten minutes.
const LONGEST_PROBE: i64 = 4;

/// Longest that a receiver is left alone because it asks for it.
const LONGEST_AFTER: Duration = Duration::from_hours(1);

/// Name of this work in the log.
const NAME: &str = "relay";

/// How far this process has looked for receivers that wanted nothing of it. That is not written down for each batch of
/// events: a hundred receivers that each want one kind would keep the database busier than who makes the changes.
#[derive(Debug, Default)]
pub(in crate::service) struct Looked(Mutex<HashMap<(TenantId, i64), (i64, Seq)>>);

impl Looked {
    fn all(&self) -> MutexGuard<'_, HashMap<(TenantId, i64), (i64, Seq)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far, since this round of the receiver (its tenant and row number) began.
    pub(super) fn through(&self, receiver: (TenantId, i64), round: i64) -> Option<Seq> {
        let known = self.all().get(&receiver).copied();
        known.filter(|known| known.0 == round).map(|known| known.1)
    }

    pub(super) fn note(&self, receiver: (TenantId, i64), round: i64, through: Seq) {
        self.all().insert(receiver, (round, through));
    }
}

/// Receivers with something to send that no other node has.
///
/// # Errors
/// A database that does not answer.
pub async fn waiting(services: &Services, holder: &str) -> Result<Vec<Work>> {
    let mut waiting = work::waiting(services.db(), holder, services.clock().now()).await?;
    let looked = |work: &Work| services.looked().through((work.tenant, work.receiver), work.round);
    waiting.retain(|work| work.due || looked(work).is_none_or(|through| through < work.end));
    Ok(waiting)
}

/// Takes a receiver, or keeps it, for this node and longer than a round takes; says whether it has it. It saves work: what is
/// done without is right, too.
///
/// # Errors
/// A database that does not answer.
pub async fn claim(services: &Services, work: &mut Work, holder: &str) -> Result<bool> {
    let now = services.clock().now();
    let until = now.plus(HELD_FOR);
    if work
        .until
        .is_some_and(|held| now.plus(LONGEST_ROUND) < held && held <= until)
    {
        return Ok(true);
    }
    let claimed = work::claim(services.db(), work, holder, now, until).await?;
    work.until = claimed.then_some(until);
    Ok(claimed)
}

/// Muster itself, in the tenant of a receiver.
pub(super) fn caller(services: &Services, work: &Work) -> Caller {
    Caller::system(services, work.tenant, &work.tenant_slug, NAME)
}

/// Writes what a round came to: the number of each delivery that was tried, in the order in which they were done, and its
/// outcome. Those that were not tried are the next time. Gives until when this node has the receiver.
///
/// # Errors
/// [`Error::Stale`](crate::service::Error::Stale) when somebody else settled a round of this receiver meanwhile, paused or
/// resumed it, or it is gone: nothing is written then, and the same deliveries, with the same ids, are made again. A database
/// that does not answer.
pub async fn settle(services: &Services, round: &Arc<Round>, outcomes: Vec<(usize, Outcome)>) -> Result<Timestamp> {
    let outcomes = Arc::new(outcomes);
    // What was sent is not sent again because other work was in the way of saying so.
    attempts(|| {
        let (services, round, outcomes) = (services.clone(), Arc::clone(round), Arc::clone(&outcomes));
        async move { settle_once(&services, &round, &outcomes).await }
    })
    .await
}

async fn settle_once(services: &Services, round: &Round, outcomes: &[(usize, Outcome)]) -> Result<Timestamp> {
    let now = services.clock().now();
    let was = &round.receiver.health;
    let health = match outcomes {
        // Nothing was left to try it with: it may be that nothing is wrong any more.
        [] if was.state == Going::Failing && round.items.is_empty() && round.unwanted.is_empty() => well(was),
        [] => was.clone(),
        _ => health(was, outcomes, now),
    };
    let rows = rows(&round.items, outcomes, health.last_success, now);
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
    let until = settled.until;
    unit.receivers().settle(settled).await?;
    write(&mut unit, round, (&rows, outcomes), now);
    if was.state == Going::Failing && health.state == Going::Active {
        unit.deliveries().spread(receiver, now);
    }
    let subject = || ledger::thing(SubjectKind::Receiver, &round.receiver.uid);
    if was.state != health.state && health.state == Going::Paused {
        let data = json!({ "reason": health.reason });
        ledger::note(&mut unit, &caller, now, (What::ReceiverPaused, subject()), &data);
        alert(services, &mut unit, &round.receiver, (health.reason.as_deref(), now)).await?;
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
    unit.save().await?;
    Ok(until)
}

/// Has administrators told that a receiver is sent nothing any more.
pub(super) async fn alert(
    services: &Services,
    unit: &mut Unit,
    receiver: &Receiver,
    (reason, now): (Option<&str>, Timestamp),
) -> Result<()> {
    let path = match receiver.kind.family() {
        Family::Webhooks => "webhooks",
        Family::Streams => "streams",
    };
    let told = json!({
        "receiver": receiver.name, "id": receiver.uid.as_str(), "reason": reason.unwrap_or_default(), "path": path,
    });
    mail::alert_in(services, unit, now, (Template::ReceiverPaused, &told)).await
}

/// Writes what is left of a round's deliveries, takes out the rows of those that are done or not wanted any more, and has
/// what waited behind them be sent.
fn write(unit: &mut Unit, round: &Round, (rows, outcomes): (&[Delivery], &[(usize, Outcome)]), now: Timestamp) {
    let receiver = round.receiver.id;
    unit.deliveries().keep(receiver, rows);
    let unwanted = round.unwanted.iter().map(|row| row.seq);
    let done = known(&round.items, outcomes).map(|item| item.seq).chain(unwanted);
    let done: Vec<[i64; 1]> = done.map(|seq| [seq.0]).collect();
    if !done.is_empty() {
        unit.deliveries().done(receiver, json!(done).to_string());
    }
    if !done.is_empty() || !rows.is_empty() || round.items.iter().any(|item| item.row.is_some()) {
        let moved = round.items.iter().map(|item| item.subject.as_str());
        let moved = moved.chain(round.unwanted.iter().map(|row| row.subject.as_str()));
        let moved: Vec<[&str; 1]> = moved.map(|subject| [subject]).collect();
        unit.deliveries().promote(receiver, json!(moved).to_string(), now);
    }
}

/// Deliveries that had a row and got through.
fn known<'a>(items: &'a [Item], outcomes: &'a [(usize, Outcome)]) -> impl Iterator<Item = &'a Item> {
    let taken = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Taken);
    taken
        .filter_map(|(at, _)| items.get(*at))
        .filter(|item| item.row.is_some())
}

/// How it goes with a receiver with which nothing is wrong.
fn well(was: &Health) -> Health {
    Health {
        state: Going::Active,
        reason: None,
        failures: 0,
        failing_since: None,
        next_try: None,
        last_success: was.last_success,
    }
}

/// How it goes with a receiver after these outcomes, at least one, in the order in which they came.
fn health(was: &Health, outcomes: &[(usize, Outcome)], now: Timestamp) -> Health {
    let mut is = was.clone();
    for (_, outcome) in outcomes {
        match outcome {
            // Who is gone for one delivery wants none of the others either.
            Outcome::Taken if is.state == Going::Paused => is.last_success = Some(now),
            Outcome::Taken => {
                is = Health {
                    last_success: Some(now),
                    ..well(&is)
                }
            }
            // It answers, and what is wrong is this one alone.
            Outcome::Refused if is.state == Going::Paused => {}
            Outcome::Refused => {
                is.state = Going::Active;
                (is.failures, is.failing_since, is.next_try) = (0, None, None);
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
        if is.failing_since.is_some_and(|since| since.plus(PAUSES_AFTER) <= now) {
            is.state = Going::Paused;
            is.reason = Some("failing".to_owned());
        } else {
            let tries = u32::try_from(is.failures.min(LONGEST_PROBE)).unwrap_or(u32::MAX);
            let wait = wait_after(tries, rand::random());
            is.next_try = Some(now.plus(wait.max(asked(outcomes))));
        }
    }
    is
}

/// How long the receiver asked to be left alone, if it did.
fn asked(outcomes: &[(usize, Outcome)]) -> Duration {
    let asked = outcomes.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Again { after, .. } => *after,
        Outcome::Taken | Outcome::Refused | Outcome::Gone => None,
    });
    asked.max().unwrap_or_default().min(LONGEST_AFTER)
}

/// Rows of what did not get through. Of one subject the first that is left waits, and all after it are behind it. A delivery
/// is given up only where something else got through since it was tried first: otherwise the fault is the receiver's.
fn rows(
    items: &[Item],
    outcomes: &[(usize, Outcome)],
    last_success: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Delivery> {
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
                if tried >= MAX_ATTEMPTS && last_success.is_some_and(|at| at > row.since) {
                    row.state = State::Dead;
                }
            }
            Some(Outcome::Refused) => {
                row.attempts += 1;
                row.status = Some(400);
                row.error = Some("refused".to_owned());
                row.state = State::Dead;
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
