//! What a user comes back as who was deleted.

use serde_json::json;

use super::status::Turned;
use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::scim::Document;
use crate::service::error::Result;
use crate::store::Unit;

/// What held them when they were deleted holds them on, unless they are to be active, or it was to end meanwhile. Writes
/// what comes of it into the document with which they come back; gives what they were, and are.
pub(super) async fn of(
    unit: &mut Unit,
    (user, document): (Pk, &mut Document),
    active: Option<bool>,
    now: Timestamp,
) -> Result<Turned> {
    let held = unit.statuses().find(user).await?;
    let was_active = document.as_map().get("active") != Some(&json!(false));
    let from = Status::of(was_active, held.as_ref().map(|held| held.hold));
    let over = held.filter(|held| held.until.is_some_and(|until| until <= now));
    let lifted = active == Some(true) || over.is_some();
    let says = active.or(over.map(|held| held.source_active));
    if lifted {
        unit.statuses().lift(user);
    }
    if let Some(active) = says {
        *document = std::mem::take(document).with_active(active);
    }
    let to = Status::of(says.unwrap_or(was_active), from.hold().filter(|_| !lifted));
    Ok(Turned { from, to, until: None })
}
