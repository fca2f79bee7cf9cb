//! The status of somebody who is written: worked out before anything is, and taken over into what is written.

use std::sync::Arc;

use super::draft::{content, leaves};
use super::guard;
use super::hold::{self, Standing};
use super::join;
use super::plan::{Planned, changes, parsed};
use super::write::Target;
use crate::access::invariant::Deed;
use crate::base::clock::Timestamp;
use crate::event::Changes;
use crate::service::access::policy::{self, Book};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::service::lifecycle::status_rules;
use crate::store::document::Stored;
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::{Kind, Reader, Unit};

/// Works out what becomes of the status without a lock; false when a rule ends the account: whoever ends one holds the
/// policy first.
pub(super) async fn unlocked(target: &Target, planned: &mut Planned, reader: &Reader) -> Result<bool> {
    let Some(book) = book(target, planned).await? else {
        return Ok(true);
    };
    // After the resource: every change of a status moves its version, so one that this misses makes the write stale.
    let held = if may_be_held(planned, &book) {
        reader.statuses().find(planned.stored.pk).await?
    } else {
        None
    };
    let standing = standing(target, planned, held, &book, Rules::Asked).await?;
    if ends_by_rule(standing.as_ref()) {
        return Ok(false);
    }
    take(target, planned, standing)?;
    Ok(true)
}

/// The same in a unit that has locked the policy and the resource. Whoever must stay is not kept out by a rule.
pub(super) async fn locked(target: &Target, planned: &mut Planned, unit: &mut Unit) -> Result<()> {
    let Some(book) = book(target, planned).await? else {
        return Ok(());
    };
    let held = if may_be_held(planned, &book) {
        unit.statuses().find(planned.stored.pk).await?
    } else {
        None
    };
    let mut stands = standing(target, planned, held.clone(), &book, Rules::Asked).await?;
    if ends_by_rule(stands.as_ref()) && must_stay(target, planned, unit).await? {
        stands = standing(target, planned, held, &book, Rules::Spared).await?;
    }
    take(target, planned, stands)
}

/// Whether rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// They are.
    Asked,
    /// No: of who must stay.
    Spared,
}

/// The policy by which rules of status are asked; groups have no status.
async fn book(target: &Target, planned: &mut Planned) -> Result<Option<Arc<Book>>> {
    if planned.stored.kind != Kind::User {
        return Ok(None);
    }
    let book = policy::latest(&target.services, &target.caller).await?;
    planned.ruled_by = Some(book.rulebook.version());
    Ok(Some(book))
}

/// Whether something may hold the user whom the request is about: it is looked up then.
fn may_be_held(planned: &Planned, book: &Book) -> bool {
    let asks = says_of_active(planned) || !book.status_rules.is_empty();
    asks && planned.stored.active == Some(false)
}

/// Whether the request says of a user what provisioning takes their account for.
fn says_of_active(planned: &Planned) -> bool {
    planned.next.says.active || after(planned) != planned.stored.active
}

fn after(planned: &Planned) -> Option<bool> {
    let content = planned.content.as_ref();
    content.map_or(planned.stored.active, |(content, _)| content.active)
}

async fn standing(
    target: &Target,
    planned: &Planned,
    held: Option<StoredHold>,
    book: &Book,
    rules: Rules,
) -> Result<Option<Standing>> {
    let word = says_of_active(planned).then(|| after(planned) != Some(false));
    let rule = match rules {
        Rules::Asked => status_rules::wanted(book, &planned.stored.id, &planned.next.document),
        Rules::Spared => None,
    };
    if word.is_none() && rule.is_none() && held.as_ref().is_none_or(|held| held.by_rule().is_none()) {
        return Ok(None);
    }
    let joining = join::decided(target, held.as_ref()).await?;
    let was = (planned.stored.active != Some(false), held);
    Ok(Standing::of(was, word, joining, rule))
}

fn ends_by_rule(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| standing.ends() && standing.is_flipped_by_rule())
}

/// Whether it is the owner, one of the last administrators or a break-glass account.
async fn must_stay(target: &Target, planned: &Planned, unit: &mut Unit) -> Result<bool> {
    let locked = planned.locked.as_ref().ok_or(Error::Busy)?;
    let deed = (Kind::User, planned.stored.pk, Deed::Deactivate);
    let now = target.services.clock().now();
    match guard::before_end(&target.services, &target.caller, (unit, locked), deed, now).await {
        Ok(_) => Ok(false),
        Err(Error::Violated(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Takes over what becomes of the status: what follows from a rule is told by itself, beside what the request changes.
fn take(target: &Target, planned: &mut Planned, standing: Option<Standing>) -> Result<()> {
    let Some(standing) = standing else { return Ok(()) };
    let was = planned.stored.active != Some(false);
    let by_rule = standing.is_flipped_by_rule();
    let next = &mut planned.next;
    if standing.is_refused() {
        next.ignored.push(hold::ATTRIBUTE.to_owned());
    }
    let before = parsed(&planned.stored)?;
    // What the request itself makes of the attribute.
    let asked = if by_rule { was } else { standing.is_active() };
    let says = next.document.as_map().get(hold::ATTRIBUTE) != Some(&false.into());
    if says != asked {
        next.document = std::mem::take(&mut next.document).with_active(asked);
    }
    if asked == was {
        next.names.retain(|name| name != hold::ATTRIBUTE);
    }
    planned.changes = changes(target, &before, &planned.stored, next);
    if by_rule {
        let asked = next.document.clone();
        next.document = asked.clone().with_active(!was);
        planned.flip = Some(Changes::of(
            &asked.told(&target.kind),
            &next.document.told(&target.kind),
        ));
    }
    next.changed = next.document != before;
    planned.content = next.changed.then(|| {
        let content = content(&target.kind, target.dialect, &next.document);
        (content, leaves(&target.kind, &before))
    });
    planned.ends = standing.ends();
    planned.standing = Some(standing);
    Ok(())
}

/// Says in the log that a rule changed the attribute.
pub(super) fn tell_flip(
    target: &Target,
    unit: &mut Unit,
    standing: &Standing,
    (stored, person): (&Stored, Option<&Person>),
    (flip, now): (Option<Changes>, Timestamp),
) {
    let Some((flip, caller)) = flip.zip(standing.ruling(&target.caller)) else {
        return;
    };
    let entry = ledger::Entry {
        what: What::UserUpdated,
        subject: (Kind::User, stored.pk, &stored.id),
        about: Vec::new(),
        data: ledger::changes(&[hold::ATTRIBUTE.to_owned()], Some(stored.version), &[], &[]),
        changes: Some(flip),
        reason: None,
        person,
    };
    ledger::record(unit, &caller, now, entry);
}
