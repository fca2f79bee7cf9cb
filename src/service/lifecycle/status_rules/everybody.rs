//! What rules make of users who are there: worked out without a lock, done to some of them in one unit.

use std::collections::HashMap;

use crate::access::StatusRule;
use crate::access::lifecycle::{Ask, By, Status};
use crate::base::id::Pk;
use crate::scim::Document;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::lifecycle::several::{Came, guarded, may};
use crate::service::lifecycle::status::Turned;
use crate::service::lifecycle::status_rules::wanted;
use crate::service::lifecycle::turn::{Turning, put};
use crate::store::Unit;
use crate::store::document::Stored;
use crate::store::lifecycle::statuses::StoredHold;

/// What is to become of somebody.
pub(super) struct Due<'b> {
    turned: Turned,
    /// The rule that keeps them out from now on.
    rule: Option<&'b StatusRule>,
}

/// What is to become of somebody whom this holds; none where they stay as they are.
pub(super) fn due<'b>(book: &'b Book, stored: &Stored, held: Option<&StoredHold>) -> Result<Option<Due<'b>>> {
    // Whoever is active is held by nothing.
    let held = held.filter(|_| stored.active == Some(false));
    let by_rule = held.and_then(StoredHold::by_rule);
    let from = Status::of(stored.active != Some(false), held.map(|held| held.hold));
    if from.beneath(by_rule.is_some()) != Status::Active {
        return Ok(None);
    }
    let document = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let rule = wanted(book, &stored.id, &document);
    let to = Status::Active.under(rule.map(|rule| rule.keeps));
    let stays = (from, by_rule) == (to, rule.map(|rule| rule.name.as_str()));
    let turned = Turned { from, to, until: None };
    Ok((!stays).then_some(Due { turned, rule }))
}

/// Does to some users what rules make of them, in a unit that then has to be saved. Who is gone meanwhile is left out.
///
/// # Errors
/// `Busy` when the policy in memory is an old one; a database that does not answer.
pub(super) async fn settle(services: &Services, caller: &Caller, unit: &mut Unit, users: &[Pk]) -> Result<Came> {
    let (version, settings) = unit.policy().hold_settings().await?;
    let book = policy::locked_at(services, caller, version).await?;
    let now = services.clock().now();
    let found = unit.resources().users_for_update(users).await?;
    let mut holds: HashMap<Pk, StoredHold> = unit.statuses().of(users).await?;
    let guarded = guarded(unit, &found, now).await?;
    let mut came = Came::default();
    for stored in found {
        let held = holds.remove(&stored.pk).filter(|_| stored.active == Some(false));
        let Some(Due { turned, rule }) = due(&book, &stored, held.as_ref())? else {
            continue;
        };
        if guarded.contains(&stored.pk) && !may(unit, Some(&settings.demands), (&stored, turned), now).await? {
            came.stayed += 1;
            continue;
        }
        let before = held.as_ref().and_then(StoredHold::by_rule);
        let name = rule.map(|rule| rule.name.as_str()).or(before);
        let caller = name.map_or_else(|| caller.clone(), |name| caller.by_rule(name));
        let turning = Turning {
            ask: Ask::Deactivate,
            by: By::Schedule,
            reason: None,
            until: None,
            closing: None,
        };
        put(services, &caller, unit, stored, held, (turned, &turning)).await?;
        came.turned += 1;
    }
    Ok(came)
}
