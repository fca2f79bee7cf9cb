//! Carries what happens to those who are told of it.
//!
//! Each receiver has a task of its own while there is something for it, so that a slow one delays nobody else.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::egress::{Answer, Egress};
use super::idle::Idle;
use crate::base::id::TenantId;
use crate::service::delivery::{self, Failure, Outcome, Round, Work};
use crate::service::{Error, Result, Services};

/// How often it looks where nobody rings: for what another node has numbered, and for what is due. An idle server looks less
/// often.
const EVERY: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(1);

/// How long it leaves alone what failed on our side.
const REST: Duration = Duration::from_secs(1);

/// Requests to one receiver at once.
const AT_ONCE: usize = 8;

/// Deliveries of a first round, and of a largest one.
const FIRST_ROUND: usize = 8;
const LARGEST_ROUND: usize = 256;

/// A round that takes no longer makes the next one larger.
const QUICK: Duration = Duration::from_millis(500);

/// A round that takes longer makes the next one smaller.
const SLOW: Duration = Duration::from_secs(2);

/// A round that has lasted so long begins nothing more: what it did is to be written down.
const LONG: Duration = Duration::from_secs(10);

/// Failures in a row after which a round begins nothing more.
const ENOUGH_FAILURES: usize = 20;

/// Runs until `stop`. What is on its way then is sent again, with the same ids.
pub async fn run(services: Services, egress: Egress, stop: CancellationToken) {
    let holder = services.ids().next_unit();
    let mut grown = services.grown();
    let mut idle = Idle::between(EVERY, IDLE);
    let mut tasks = JoinSet::new();
    let mut running: HashMap<(TenantId, i64), AbortHandle> = HashMap::new();
    loop {
        running.retain(|_, task| !task.is_finished());
        let mut found = !running.is_empty();
        match delivery::waiting(&services, &holder).await {
            Ok(waiting) => {
                found |= !waiting.is_empty();
                for work in waiting {
                    running.entry((work.tenant, work.receiver)).or_insert_with(|| {
                        let (services, egress, holder) = (services.clone(), egress.clone(), holder.clone());
                        tasks.spawn(async move { tend(&services, &egress, work, &holder).await })
                    });
                }
            }
            Err(fault) => complain(&fault),
        }
        tokio::select! {
            Some(_) = tasks.join_next() => {}
            _ = grown.changed() => {}
            () = sleep(idle.after(found)) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Does what is to be done by now, as a node of this name, one receiver after the other, and returns.
///
/// # Errors
/// A database that does not answer.
pub async fn turn(services: &Services, egress: &Egress, holder: &str) -> Result<()> {
    loop {
        let waiting = delivery::waiting(services, holder).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for work in waiting {
            serve(services, egress, work, holder).await?;
        }
    }
}

async fn tend(services: &Services, egress: &Egress, work: Work, holder: &str) {
    match serve(services, egress, work, holder).await {
        // Stale: somebody else delivers to it, or turned it off or on, or it is gone.
        Ok(()) | Err(Error::Stale) => {}
        Err(fault) => {
            complain(&fault);
            sleep(REST).await;
        }
    }
}

fn complain(fault: &Error) {
    tracing::warn!(
        error = fault as &dyn std::error::Error,
        "what happened could not be delivered; it is tried again"
    );
}

/// Makes rounds until nothing is left to send to a receiver.
async fn serve(services: &Services, egress: &Egress, mut work: Work, holder: &str) -> Result<()> {
    let mut most = FIRST_ROUND;
    while delivery::claim(services, &mut work, holder).await? {
        let Some(round) = delivery::begin(services, &work, most).await? else {
            return Ok(());
        };
        let round = Arc::new(round);
        let began = Instant::now();
        let outcomes = carry(services, egress, &round).await;
        work.until = Some(delivery::settle(services, &round, outcomes).await?);
        most = match began.elapsed() {
            took if took < QUICK => (most * 2).min(LARGEST_ROUND),
            took if took > SLOW => (most / 2).max(1),
            _ => most,
        };
    }
    Ok(())
}

/// How far a round has come.
struct Progress {
    /// What is left, each list in its order.
    chains: VecDeque<Vec<usize>>,
    /// What was tried, in the order in which it was done.
    outcomes: Vec<(usize, Outcome)>,
    began: Instant,
}

impl Progress {
    /// Whether nothing more is begun: it takes too long, or there is no use.
    fn is_over(&self) -> bool {
        let failed = self
            .outcomes
            .iter()
            .rev()
            .take_while(|(_, outcome)| *outcome != Outcome::Taken);
        let gone = self.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Gone);
        gone || self.began.elapsed() > LONG || failed.count() >= ENOUGH_FAILURES
    }

    fn next(&mut self) -> Option<Vec<usize>> {
        if self.is_over() { None } else { self.chains.pop_front() }
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends the deliveries of a round, several at once; those about one subject one after the other, until one fails.
async fn carry(services: &Services, egress: &Egress, round: &Arc<Round>) -> Vec<(usize, Outcome)> {
    let progress = Arc::new(Mutex::new(Progress {
        chains: round.chains().into(),
        outcomes: Vec::with_capacity(round.len()),
        began: Instant::now(),
    }));
    let mut carriers = JoinSet::new();
    for _ in 0..AT_ONCE.min(round.len()) {
        let (services, egress) = (services.clone(), egress.clone());
        let (round, progress) = (Arc::clone(round), Arc::clone(&progress));
        carriers.spawn(async move {
            loop {
                let Some(chain) = lock(&progress).next() else { return };
                for number in chain {
                    let outcome = send(&services, &egress, &round, number).await;
                    let mut progress = lock(&progress);
                    progress.outcomes.push((number, outcome));
                    if outcome != Outcome::Taken || progress.is_over() {
                        break;
                    }
                }
            }
        });
    }
    while carriers.join_next().await.is_some() {}
    std::mem::take(&mut lock(&progress).outcomes)
}

async fn send(services: &Services, egress: &Egress, round: &Round, number: usize) -> Outcome {
    let parcel = match round.parcel(number, services.clock().now()) {
        Ok(Some(parcel)) => parcel,
        Ok(None) => return again(Failure::Connection),
        Err(fault) => {
            complain(&fault);
            return again(Failure::Connection);
        }
    };
    let outcome = match egress.post(&parcel).await {
        Ok(answer) if round.is_refused(answer.status, &answer.body) => Outcome::Refused,
        Ok(answer) => judged(&answer),
        Err(failure) => again(failure),
    };
    let word = match outcome {
        Outcome::Taken => "taken",
        Outcome::Refused => "refused",
        Outcome::Again { failure, .. } => failure.as_str(),
        Outcome::Gone => "gone",
    };
    metrics::counter!("muster_delivery_attempts_total", "outcome" => word).increment(1);
    outcome
}

const fn again(failure: Failure) -> Outcome {
    Outcome::Again {
        failure,
        status: None,
        after: None,
    }
}

/// What an answer means: any 2xx is a receipt, 410 an end, and all others are to be tried again.
const fn judged(answer: &Answer) -> Outcome {
    match answer.status {
        200..=299 => Outcome::Taken,
        410 => Outcome::Gone,
        status => Outcome::Again {
            failure: Failure::Status,
            status: Some(status),
            after: answer.retry_after,
        },
    }
}
