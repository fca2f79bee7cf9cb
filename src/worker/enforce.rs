//! Calls enforcers: has them end what a person has open, and asks what is left.
//!
//! Each enforcer has a task of its own while there is something for it, so that a slow one delays nobody else.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::egress::{Answer, Egress};
use super::idle::Idle;
use crate::base::id::TenantId;
use crate::service::delivery::{Failure, Parcel};
use crate::service::offboarding::hook::{self, Answers, Call, Reply, Work};
use crate::service::{Error, Result, Services};

/// How often it looks for what is due where nobody rings. An idle server looks less often: a run is told of in the log.
const EVERY: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_secs(1);

/// How long it leaves alone what failed on our side.
const REST: Duration = Duration::from_secs(1);

/// Runs until `stop`. What is on its way then is asked again.
pub async fn run(services: Services, egress: Egress, stop: CancellationToken) {
    let holder = services.ids().next_unit();
    let mut grown = services.grown();
    let mut idle = Idle::between(EVERY, IDLE);
    let mut tasks = JoinSet::new();
    let mut running: HashMap<(TenantId, i64), AbortHandle> = HashMap::new();
    loop {
        running.retain(|_, task| !task.is_finished());
        let mut found = !running.is_empty();
        match hook::waiting(&services, &holder).await {
            Ok(waiting) => {
                found |= !waiting.is_empty();
                for work in waiting {
                    running.entry((work.tenant, work.enforcer)).or_insert_with(|| {
                        let (services, egress, holder) = (services.clone(), egress.clone(), holder.clone());
                        tasks.spawn(async move { tend(&services, &egress, work, &holder).await })
                    });
                }
            }
            Err(fault) => complain(&fault),
        }
        let pause = idle.after(found);
        tokio::select! {
            Some(_) = tasks.join_next() => {}
            () = rung(&mut grown), if pause > EVERY => {}
            () = sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Resolves a moment after something was added to the log: what that calls for is there by then, and a busy log rings often.
async fn rung(grown: &mut watch::Receiver<u64>) {
    drop(grown.changed().await);
    sleep(EVERY).await;
}

/// Does what is to be done by now, as a node of this name, one enforcer after the other; says whether there was anything.
///
/// # Errors
/// A database that does not answer.
pub async fn turn(services: &Services, egress: &Egress, holder: &str) -> Result<bool> {
    let mut did = false;
    loop {
        let waiting = hook::waiting(services, holder).await?;
        if waiting.is_empty() {
            return Ok(did);
        }
        did = true;
        for work in waiting {
            serve(services, egress, work, holder).await?;
        }
    }
}

async fn tend(services: &Services, egress: &Egress, work: Work, holder: &str) {
    match serve(services, egress, work, holder).await {
        Ok(()) | Err(Error::Stale | Error::Busy | Error::Crowded) => {}
        Err(fault) => {
            complain(&fault);
            sleep(REST).await;
        }
    }
}

fn complain(fault: &Error) {
    tracing::warn!(
        error = fault as &dyn std::error::Error,
        "an enforcer could not be called; it is tried again"
    );
}

/// Calls an enforcer until nothing is due for it.
async fn serve(services: &Services, egress: &Egress, mut work: Work, holder: &str) -> Result<()> {
    while hook::claim(services, &mut work, holder).await? {
        let calls = hook::calls(services, &work).await?;
        if calls.is_empty() {
            return Ok(());
        }
        let mut made = JoinSet::new();
        for call in calls {
            let (services, egress, work) = (services.clone(), egress.clone(), work.clone());
            made.spawn(async move {
                let answers = carry(&egress, &call).await;
                hook::answered(&services, &work, &call, &answers).await
            });
        }
        while let Some(written) = made.join_next().await {
            written.map_err(|fault| Error::Internal(Box::new(fault)))??;
        }
    }
    Ok(())
}

/// Posts what a call has to post.
pub async fn carry(egress: &Egress, call: &Call) -> Answers {
    let mut answers = Answers::default();
    if let Some(parcel) = &call.hook {
        answers.hook = Some(post(egress, parcel).await);
    }
    if let Some(parcel) = call.probe.as_ref().filter(|_| call.goes_on(&answers)) {
        answers.probe = Some(post(egress, parcel).await);
    }
    answers
}

async fn post(egress: &Egress, parcel: &Parcel) -> std::result::Result<Reply, Failure> {
    let answer = egress.post(parcel).await.map(replied);
    let word = match &answer {
        Ok(reply) if (200..300).contains(&reply.status) => "taken",
        Ok(_) => Failure::Status.as_str(),
        Err(failure) => failure.as_str(),
    };
    metrics::counter!("muster_enforcer_requests_total", "outcome" => word).increment(1);
    answer
}

fn replied(answer: Answer) -> Reply {
    Reply {
        status: answer.status,
        is_whole: answer.is_whole,
        body: answer.body,
    }
}
