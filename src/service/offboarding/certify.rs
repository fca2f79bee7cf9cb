//! Gives runs that are confirmed their certificates, as soon as the event that says so has its number.

use std::time::Duration;

use super::pass::{NAME, left_alone};
use super::shown::read;
use crate::base::clock::Timestamp;
use crate::event::Seq;
use crate::event::certificate::{Certificate, Mark, Removed, Step};
use crate::service::access::authority::{AUDIT, VIEW, require};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::service::ledger::What;
use crate::service::log::proven_head;
use crate::service::setbacks::{Work, one_of_many};
use crate::store::Reader;
use crate::store::log::events::Which;
use crate::store::runs::due::{self, Uncertified};
use crate::store::runs::list::Run;
use crate::store::runs::step::Step as StepRow;

/// Certificates that one round makes.
const MOST: u32 = 64;

/// How long an event may have no number before its log counts as one that does not go on: it has one in milliseconds.
const NUMBERED_IN: Duration = Duration::from_secs(1);

/// Makes certificates; gives how many. An organisation whose log does not go on is left alone for a while: however many of
/// its runs wait for that, they are not in front of those of others.
pub(super) async fn certify(services: &Services) -> Result<usize> {
    let mut made = 0;
    let mut stuck = left_alone(services, Work::Marks);
    let alone = left_alone(services, Work::Certify);
    for waiting in due::uncertified(services.db(), MOST, &alone, &stuck).await? {
        let tenant = waiting.place.tenant.0;
        if stuck.contains(&tenant) {
            continue;
        }
        let certified = one_of_many(services, (Work::Certify, waiting.run), certify_one(services, &waiting)).await?;
        match certified {
            Some(true) => {
                services.setbacks().done(Work::Marks, tenant);
                made += 1;
            }
            Some(false) if has_waited(&waiting, services.clock().now()) => {
                services.setbacks().failed(Work::Marks, tenant, services.clock().now());
                stuck.push(tenant);
            }
            _ => {}
        }
    }
    Ok(made)
}

/// Whether the event that closed the run should have a number by now. One of a clock that was ahead should, too.
fn has_waited(waiting: &Uncertified, now: Timestamp) -> bool {
    let closed = waiting.closed.unwrap_or(now);
    closed.plus(NUMBERED_IN) <= now || closed > now.plus(NUMBERED_IN)
}

/// False while the event that closed the run has no number.
async fn certify_one(services: &Services, waiting: &Uncertified) -> Result<bool> {
    let caller = Caller::system(services, waiting.place.tenant, &waiting.place.slug, NAME);
    let reader = services.read(&caller);
    let Some(run) = reader.runs().find(&waiting.run_uid).await? else {
        return Ok(false);
    };
    let Some((ended, closed)) = marks(&reader, &run).await? else {
        return Ok(false);
    };
    // After the marks: it is at or behind both. It stands as it was signed when the log came there.
    let Some(checkpoint) = proven_head(services, &caller).await? else {
        return Ok(false);
    };
    let signer = keys::signer(services, Purpose::Log).await?;
    let failed = |fault: crate::event::Error| Error::Internal(Box::new(fault));
    let steps = reader.runs().steps(&[run.id]).await?;
    let (removed, steps): (Vec<_>, Vec<_>) = steps.into_iter().partition(|row| row.removed.is_some());
    let certificate = Certificate {
        tenant: waiting.tenant_uid.clone(),
        run: run.uid,
        user: run.user,
        ended,
        asked_by: read(&run.asked_by)?,
        deadline: run.deadline,
        late: run.late.is_some(),
        steps: steps.into_iter().map(step).collect::<Result<_>>()?,
        removed: removed.into_iter().filter_map(gone).collect(),
        closed,
        checkpoint,
        key: String::new(),
        signature: String::new(),
    };
    let body = certificate.signed(&signer).map_err(failed)?.line();
    let mut unit = services.begin(&caller).await?;
    unit.runs().certify(run.id, body).await?;
    unit.save().await?;
    Ok(true)
}

/// Where the log says that the account ended, and that everything is confirmed.
async fn marks(reader: &Reader, run: &Run) -> Result<Option<(Mark, Mark)>> {
    let before = Seq(run.opened_seq - 1);
    let ended = reader.events().list(before, 1, &Which::default()).await?;
    let which = Which {
        kind: Some(What::RunConfirmed.as_str().to_owned()),
        subject: Some(run.uid.clone()),
        ..Which::default()
    };
    let closed = reader.events().list(Seq(run.opened_seq), 1, &which).await?;
    let first = |kept: Vec<_>| kept.into_iter().next();
    let marks = first(ended).zip(first(closed));
    Ok(marks.map(|(ended, closed)| (Mark::of(&ended.event, ended.hash), Mark::of(&closed.event, closed.hash))))
}

fn step(row: StepRow) -> Result<Step> {
    let unfinished = || Error::Internal("a step of a confirmed run is not confirmed".into());
    Ok(Step {
        name: row.name,
        requested: row.requested,
        acknowledged: row.acknowledged.ok_or_else(unfinished)?,
        confirmed: row.confirmed.ok_or_else(unfinished)?,
        proof: read(&row.proof.ok_or_else(unfinished)?)?,
    })
}

fn gone(row: StepRow) -> Option<Removed> {
    row.removed.map(|removed| Removed {
        name: row.name,
        requested: row.requested,
        removed,
    })
}

/// The certificate of a run, byte for byte; none while it has none.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn certificate(services: &Services, caller: &Caller, id: &str) -> Result<Option<String>> {
    require(services, caller, &[AUDIT, VIEW]).await?;
    let reader = services.read(caller);
    let run = reader.runs().find(id).await?.ok_or(Error::NotFound)?;
    Ok(reader.runs().certificate(run.id).await?)
}
