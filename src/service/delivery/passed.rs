//! How far a receiver can be moved on because nothing up to there is left to be told to it.

use crate::event::{Event, Seq};
use crate::service::access::desk::Desk;
use crate::service::error::Result;
use crate::store::delivery::receivers::Receiver;
use crate::store::log::events::Which;

/// Events that are read at once.
const CHUNK: u32 = 256;

/// Events that are looked at before what a receiver wants is changed: few enough to be read while others wait to write.
const MOST: i64 = 4_096;

/// The last position after this one, at most so much further, before which there is nothing that is `left`.
pub(super) async fn passed<F>(desk: &mut Desk, from: Seq, most: i64, left: F) -> Result<Seq>
where
    F: Fn(&Event) -> bool + Send + Sync,
{
    let mut at = from;
    while at.0 - from.0 < most {
        let events = desk.unit.events().list(at, CHUNK, &Which::default()).await?;
        if events.is_empty() {
            break;
        }
        for kept in events {
            if left(&kept.event) {
                return Ok(at);
            }
            at = kept.event.seq;
        }
    }
    Ok(at)
}

/// Writes what a receiver becomes. A round that is under way is thrown away, and where it is to be told something else, it
/// is moved on past what it was not told until now: what happened before the change means nothing more to it after.
pub(super) async fn change<F>(desk: &mut Desk, before: &Receiver, mut after: Receiver, told: F) -> Result<()>
where
    F: Fn(&Event) -> bool + Send + Sync,
{
    let held = desk.unit.receivers().hold(before.id).await?;
    let from = held.ok_or(crate::service::Error::NotFound)?;
    after.cursor = if before.settings == after.settings {
        from
    } else {
        passed(desk, from, MOST, told).await?
    };
    let changed = desk.unit.receivers().change(before, &after).await;
    changed.map_err(|fault| super::webhooks::taken(fault, &after.name))
}
