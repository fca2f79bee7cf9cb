//! Signed places of a log: its end, and those that are kept.

use serde_json::json;

use super::chunks::read_checkpoint;
use super::settled::settled;
use crate::event::{Broken, Checkpoint, Flaw, Hash, Seq};
use crate::service::access::authority::{AUDIT, require};
use crate::service::access::page::{DEFAULT_ITEMS, MAX_ITEMS};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys;
use crate::service::ledger::{self, Thing, What};
use crate::store::log::heads::Claimed;

/// Some checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// In the order of their positions.
    pub items: Vec<Checkpoint>,
    /// The position to go on after, where there are more.
    pub next: Option<i64>,
}

/// Where a log ends, signed; none before its first event.
///
/// # Errors
/// `Forbidden`, a database that does not answer.
pub async fn head(services: &Services, caller: &Caller) -> Result<Option<Checkpoint>> {
    require(services, caller, &[AUDIT]).await?;
    settled(services, caller).await?;
    let tenant = services.tenant_uid(caller).await?;
    let claims = services.read(caller).heads().claims().await?;
    Ok(claims.head.and_then(|head| signature_of(&tenant, head)))
}

/// The same where a key of this installation signed it; none of a log that says nothing. What is signed for by Muster later,
/// an export or a certificate, stands on this and not on what else is in the database.
///
/// # Errors
/// A head that is not what was signed, or is gone; a database that does not answer.
pub(in crate::service) async fn proven_head(services: &Services, caller: &Caller) -> Result<Option<Checkpoint>> {
    let tenant = services.tenant_uid(caller).await?;
    let claims = services.read(caller).heads().claims().await?;
    let broken = |flaw| {
        let at = claims.head.as_ref().map_or(Seq(0), |head| head.seq);
        Error::Internal(Box::new(Broken { at, line: None, flaw }))
    };
    let Some(head) = claims.head.clone() else {
        let nothing = claims.event == Seq(0) && claims.checkpoint == Seq(0);
        return if nothing { Ok(None) } else { Err(broken(Flaw::Missing)) };
    };
    let head = signature_of(&tenant, head).ok_or_else(|| broken(Flaw::Signature))?;
    keys::proven(services, &head).await?.map_err(broken)?;
    Ok(Some(head))
}

/// What the end of a log says and by whom; none where nobody has signed, or what stands there is no hash.
pub(super) fn signature_of(tenant: &str, head: Claimed) -> Option<Checkpoint> {
    let (key, signature) = head.signed?;
    Some(Checkpoint {
        tenant: tenant.to_owned(),
        seq: head.seq,
        at: head.at,
        hash: Hash::parse(&head.hash)?,
        key,
        signature,
    })
}

/// The same, to be kept elsewhere: the log says that it was handed out.
///
/// # Errors
/// `Forbidden`, a database that does not answer.
pub async fn hand_out(services: &Services, caller: &Caller) -> Result<Option<Checkpoint>> {
    let Some(head) = head(services, caller).await? else {
        return Ok(None);
    };
    let mut unit = services.begin(caller).await?;
    let subject = ledger::thing(Thing::Key, &head.key);
    let data = json!({ "seq": head.seq.0, "key": head.key });
    let now = services.clock().now();
    ledger::note(&mut unit, caller, now, (What::LogCheckpointExported, subject), &data);
    unit.save().await?;
    Ok(Some(head))
}

/// Checkpoints after a position.
///
/// # Errors
/// `Forbidden`, a database that does not answer, a checkpoint that is damaged.
pub async fn checkpoints(services: &Services, caller: &Caller, after: i64, limit: Option<u32>) -> Result<Checkpoints> {
    require(services, caller, &[AUDIT]).await?;
    let tenant = services.tenant_uid(caller).await?;
    let items = limit.unwrap_or(DEFAULT_ITEMS).clamp(1, MAX_ITEMS);
    let reader = services.read(caller);
    let mut rows = reader
        .checkpoints()
        .between(Seq(after), Seq(i64::MAX), items + 1)
        .await?;
    let more = rows.len() > items as usize;
    rows.truncate(items as usize);
    let read = rows.iter().map(|row| {
        let read = read_checkpoint(&tenant, row);
        read.ok_or_else(|| Error::Internal("a checkpoint is damaged".into()))
    });
    Ok(Checkpoints {
        next: rows.last().filter(|_| more).map(|last| last.seq),
        items: read.collect::<Result<_>>()?,
    })
}
