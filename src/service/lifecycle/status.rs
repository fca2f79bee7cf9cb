//! The status of a user as it is told: to who asks, and to the log.

use serde_json::json;

use crate::access::lifecycle::{OffBy, Status};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::store::resources::Groups;
use crate::store::{Kind, Unit};

/// The status of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserStatus {
    /// Id of the user.
    pub user: String,
    /// Their name.
    pub name: String,
    /// What they are.
    pub status: Status,
    /// What keeps them out, if it is more than the word of provisioning.
    pub hold: Option<HeldSince>,
}

/// What keeps a user out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSince {
    /// Since when.
    pub since: Timestamp,
    /// Until when it is planned for.
    pub until: Option<Timestamp>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What kind of caller did it.
    pub by_kind: String,
    /// Which one.
    pub by: String,
    /// What provisioning last said of the account: a leave that ends gives this back.
    pub source_active: bool,
}

/// The status of the user of this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, user: &str) -> Result<UserStatus> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let reader = services.read(caller);
    let id = ResourceId::new(user);
    let mut resources = reader.resources();
    let stored = resources.find(Kind::User, &id, None, Groups::LeftOut).await?;
    let stored = stored.ok_or(Error::NotFound)?;
    let held = reader.statuses().find(stored.pk).await?;
    // Whoever is active by now was let in between the two reads.
    let held = held.filter(|_| stored.active == Some(false));
    Ok(UserStatus {
        user: stored.id.into_string(),
        name: stored.label,
        status: Status::of(stored.active != Some(false), held.as_ref().map(|held| held.hold)),
        hold: held.map(|held| HeldSince {
            since: held.since,
            until: held.until,
            reason: held.reason,
            by_kind: held.actor_kind,
            by: held.actor_id,
            source_active: held.source_active,
        }),
    })
}

/// A change of status.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Turned {
    pub(in crate::service) from: Status,
    pub(in crate::service) to: Status,
    pub(in crate::service) until: Option<Timestamp>,
}

/// Why a status was changed, in somebody's words, and the person under whose key that is sealed.
pub(in crate::service) type Said<'a> = (Option<&'a str>, Option<&'a Person>);

/// Says in the log that a status has changed; nothing of a change that has an event of its own.
pub(in crate::service) fn tell(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (user, id): (Pk, &ResourceId),
    change: (Turned, Version),
    said: Said<'_>,
) {
    record(unit, caller, now, (user, id), change, (None, said));
}

/// The same of a new user whom a hold of somebody else holds: of whom they were when they were deleted.
pub(in crate::service) fn tell_carried(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (user, id): (Pk, &ResourceId),
    change: (Turned, Version),
    (deleted, said): (&ResourceId, Said<'_>),
) {
    record(unit, caller, now, (user, id), change, (Some(deleted), said));
}

fn record(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (user, id): (Pk, &ResourceId),
    (turned, version): (Turned, Version),
    (deleted, (reason, person)): (Option<&ResourceId>, Said<'_>),
) {
    let Turned { from, to, until } = turned;
    let what = match to {
        Status::Active => What::UserActivated,
        Status::Suspended => What::UserSuspended,
        Status::Off(_) => What::UserDeactivated,
        Status::Invited | Status::Deleted | Status::Purged => return,
    };
    let mut data = json!({ "from": word(from), "to": word(to), "version": version.0 });
    if let Some(until) = until {
        data["until"] = until.rfc3339().into();
    }
    if let Some(rule) = caller.rule() {
        data["rule"] = rule.into();
    }
    if let Some(deleted) = deleted {
        data["carried_from"] = deleted.as_str().into();
    }
    let entry = ledger::Entry {
        what,
        subject: (Kind::User, user, id),
        about: Vec::new(),
        data,
        changes: None,
        reason,
        person,
    };
    ledger::record(unit, caller, now, entry);
}

/// Says in the log that provisioning took somebody for active who stays out: an administrator keeps them out, or the rule
/// by which the caller does so.
pub(in crate::service) fn tell_refused(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (user, id): (Pk, &ResourceId),
    status: Status,
) {
    let subject = ledger::resource(Kind::User, user, id);
    let mut data = json!({ "status": word(status) });
    if let Some(rule) = caller.rule() {
        data["rule"] = rule.into();
    }
    ledger::note(unit, caller, now, (What::UserActivationRefused, subject), &data);
}

/// Says in the log that provisioning takes the account of somebody who is kept out for another thing than before.
pub(in crate::service) fn tell_noted(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (user, id): (Pk, &ResourceId),
    (from, to): (bool, bool),
) {
    let subject = ledger::resource(Kind::User, user, id);
    let data = json!({ "from": from, "to": to });
    ledger::note(unit, caller, now, (What::UserSourceNoted, subject), &data);
}

/// The word of the log: it tells who deactivated somebody, too.
pub(in crate::service) const fn word(status: Status) -> &'static str {
    match status {
        Status::Off(OffBy::Source) => "deactivated_by_source",
        Status::Off(OffBy::Administrator) => "deactivated",
        other => other.as_str(),
    }
}
