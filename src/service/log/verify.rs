//! Whether a log in the database is what it was.

use super::chunks::{CHUNK, read_checkpoint};
use super::settled::settled;
use super::signed::signature_of;
use crate::event::{Broken, Checkpoint, Extent, Flaw, Keys, Seq, Walk};
use crate::service::access::authority::{AUDIT, require};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::keys::{self, Purpose};
use crate::store::Reader;
use crate::store::log::checkpoints::Found;
use crate::store::log::heads::Claims;

/// Walks along the whole log of the caller's tenant, a thousand events at a time: every hash, every signature, and that
/// nothing is missing at its end. A checkpoint that was kept elsewhere is compared with it. Signatures must be by `trusted`
/// keys, or, where none are given, by those of this installation.
///
/// The inner result says what was found: the whole, or the first place that is not what it was.
///
/// # Errors
/// `Forbidden`, a database that does not answer.
pub async fn verify(
    services: &Services,
    caller: &Caller,
    kept: Option<Checkpoint>,
    trusted: Option<Keys>,
) -> Result<std::result::Result<Extent, Broken>> {
    require(services, caller, &[AUDIT]).await?;
    settled(services, caller).await?;
    let tenant = services.tenant_uid(caller).await?;
    let reader = services.read(caller);
    // What is there now: what is added meanwhile is not walked along.
    let claims = reader.heads().claims().await?;
    // After the claims: whatever signed for them is known by now.
    let keys = match trusted {
        Some(keys) => keys,
        None => keys::public(services, Purpose::Log).await?,
    };
    let mut walk = Walk::begin(&tenant, &keys);
    if let Some(kept) = kept {
        walk = match walk.since(kept) {
            Ok(walk) => walk,
            Err(broken) => return Ok(Err(broken)),
        };
    }
    if let Err(broken) = along(&reader, &tenant, &mut walk, &claims).await? {
        return Ok(Err(broken));
    }
    Ok(close(&tenant, walk, &claims))
}

/// Along all events and checkpoints.
async fn along(
    reader: &Reader,
    tenant: &str,
    walk: &mut Walk<'_>,
    claims: &Claims,
) -> Result<std::result::Result<(), Broken>> {
    let (mut event, mut checkpoint) = (Seq(0), Seq(0));
    loop {
        let events = reader.events().between(event, claims.event, CHUNK).await?;
        // Of large events fewer are read at once.
        let more = events.last().is_some_and(|last| last.event.seq < claims.event);
        event = events.last().map_or(claims.event, |last| last.event.seq);
        // Behind the last event there must be none; if there is, it is told.
        let to = if more { event } else { claims.checkpoint };
        let mut checkpoints = Vec::new();
        loop {
            let found = reader.checkpoints().between(checkpoint, to, CHUNK).await?;
            let some_more = found.len() == CHUNK as usize;
            checkpoint = found.last().map_or(to, |last| Seq(last.seq));
            checkpoints.extend(found);
            if !some_more {
                break;
            }
        }
        let mut falls = checkpoints.iter().peekable();
        for found in &events {
            while let Some(earlier) = falls.next_if(|one| one.seq < found.event.seq.0) {
                if let Err(broken) = passed(walk, tenant, earlier) {
                    return Ok(Err(broken));
                }
            }
            let step = match &found.hash {
                Some(hash) => walk.event(&found.event, hash),
                None => Err(here(walk, Flaw::Hash)),
            };
            if let Err(broken) = step {
                return Ok(Err(broken));
            }
        }
        for left in falls {
            if let Err(broken) = passed(walk, tenant, left) {
                return Ok(Err(broken));
            }
        }
        if !more {
            return Ok(Ok(()));
        }
    }
}

fn passed(walk: &mut Walk<'_>, tenant: &str, found: &Found) -> std::result::Result<(), Broken> {
    match read_checkpoint(tenant, found) {
        Some(checkpoint) => walk.checkpoint(&checkpoint),
        None => Err(walk.broken(Flaw::Signature)),
    }
}

/// The signed end must be where the walk came to.
fn close(tenant: &str, walk: Walk<'_>, claims: &Claims) -> std::result::Result<Extent, Broken> {
    let nothing = walk.head().seq == Seq(0) && claims.checkpoint == Seq(0);
    match claims.head.clone() {
        // A log that says nothing yet.
        None if nothing => walk.empty(),
        head => match head.and_then(|head| signature_of(tenant, head)) {
            Some(head) => walk.close(&head),
            None => Err(walk.broken(Flaw::Signature)),
        },
    }
}

fn here(walk: &Walk<'_>, flaw: Flaw) -> Broken {
    Broken {
        at: walk.expected(),
        line: None,
        flaw,
    }
}
