//! What happened to a user, their memberships among it.

use super::people::number;
use crate::event::Seq;
use crate::service::access::authority::{AUDIT, require};
use crate::service::access::page::{DEFAULT_ITEMS, MAX_ITEMS};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::log::read::shown;
use crate::service::log::{Events, settled};

/// Events about the user of this id after a position, in order, and those of groups that they joined or left.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn events(services: &Services, caller: &Caller, id: &str, after: i64, limit: Option<u32>) -> Result<Events> {
    require(services, caller, &[AUDIT]).await?;
    let user = number(services, caller, id).await?;
    let behind = !settled(services, caller).await?;
    let reader = services.read(caller);
    let items = limit.unwrap_or(DEFAULT_ITEMS).clamp(1, MAX_ITEMS);
    let mut positions = reader.events().positions_of(user, Seq(after), items + 1).await?;
    let more = positions.len() > items as usize;
    positions.truncate(items as usize);
    let next = positions.last().filter(|_| more).map(|last| last.0);
    let wanted: Vec<[i64; 1]> = positions.iter().map(|seq| [seq.0]).collect();
    let rows = reader.events().first_at(serde_json::json!(wanted).to_string()).await?;
    // Of large events there are fewer than were asked for.
    let next = match rows.last().map(|last| last.event.seq.0) {
        Some(last) if rows.len() < positions.len() => Some(last),
        _ => next,
    };
    let items = shown(services, caller, rows).await?;
    Ok(Events { items, next, behind })
}
