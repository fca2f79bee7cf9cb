//! What a user comes back as who was deleted.

use serde_json::json;

use super::status::Turned;
use super::status_rules;
use crate::access::StatusRule;
use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::scim::Document;
use crate::service::access::policy::Book;
use crate::service::error::Result;
use crate::store::Unit;
use crate::store::lifecycle::statuses::StoredHold;

/// What they were, and are; and the rule that keeps them out, where it is one.
#[derive(Debug, Clone)]
pub(super) struct Stands {
    pub(super) turned: Turned,
    pub(super) rule: Option<StatusRule>,
}

/// What held them when they were deleted holds them on, unless they are to be active, or it was to end meanwhile, or it was
/// a rule: rules are asked anew. Writes what comes of it into the document with which they come back.
pub(super) async fn of(
    unit: &mut Unit,
    (user, id, document): (Pk, &ResourceId, &mut Document),
    (book, active): (&Book, Option<bool>),
    now: Timestamp,
) -> Result<Stands> {
    let held = unit.statuses().find(user).await?;
    let was_active = document.as_map().get("active") != Some(&json!(false));
    let from = Status::of(was_active, held.as_ref().map(|held| held.hold));
    let is_over = |held: &StoredHold| {
        let ends = held.closing.is_none() && held.until.is_some_and(|until| until <= now);
        held.by_rule().is_some() || ends
    };
    let over = held.filter(is_over);
    let lifted = active == Some(true) || over.is_some();
    let says = active.or(over.map(|held| held.source_active));
    if lifted {
        unit.statuses().lift(user);
    }
    if let Some(active) = says {
        *document = std::mem::take(document).with_active(active);
    }
    let beneath = Status::of(says.unwrap_or(was_active), from.hold().filter(|_| !lifted));
    let rule = (beneath == Status::Active).then(|| status_rules::wanted(book, id, document));
    let rule = rule.flatten().cloned();
    if let Some(rule) = &rule {
        *document = std::mem::take(document).with_active(false);
        unit.statuses().set(user, status_rules::hold(rule, now));
    }
    let to = beneath.under(rule.as_ref().map(|rule| rule.keeps));
    let turned = Turned { from, to, until: None };
    Ok(Stands { turned, rule })
}
