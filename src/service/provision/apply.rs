//! What differs is written, and told.

use super::aside::Settled;
use super::hold::Standing;
use super::membership::Moved;
use super::plan::Planned;
use super::roles;
use super::secret;
use super::stand;
use super::write::Target;
use crate::base::clock::Timestamp;
use crate::base::id::Version;
use crate::event::Changes;
use crate::service::derive::Derived;
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::store::document::Stored;
use crate::store::resources::External;
use crate::store::{self, Kind, Unit};

/// The resource after the change, and whether there was one.
pub(super) struct After {
    pub(super) stored: Stored,
    pub(super) wrote: bool,
    /// What a user's document says about rules, and when.
    pub(super) derived: Option<(Derived, Timestamp)>,
}

/// Writes what differs; nothing when nothing does, so that neither version nor time moves.
pub(super) async fn apply(
    target: &Target,
    unit: &mut Unit,
    planned: Planned,
    moved: &Moved,
    now: Timestamp,
) -> store::Result<After> {
    let Planned {
        mut stored,
        next,
        content,
        derived,
        roles_moved,
        changes,
        person,
        standing,
        flip,
        leaving,
        password,
        aside,
        ..
    } = planned;
    let external = external(target, stored.external_id.as_deref(), next.external_id.as_deref());
    let mut names = next.names;
    names.extend(beside(&names, &external, roles_moved, password.is_some()));
    names.extend(secret::named(&next.secrets, &names));
    secret::keep(unit, stored.pk, password.as_ref(), now);
    aside.keep(unit, &target.caller, stored.pk, now);
    let turns = standing.as_ref().is_some_and(Standing::turns);
    let moves_beside = roles_moved || password.is_some() || !next.secrets.is_empty() || aside.moves() || turns;
    let version: Option<Version> = if let Some((content, old)) = content {
        let version = unit
            .resources()
            .update(stored.pk, stored.version, &old, &content, external, now)
            .await?;
        stored.document = content.document;
        Some(version)
    } else if moves_beside || !matches!(external, External::Keep) {
        Some(unit.resources().rename(stored.pk, stored.version, external, now))
    } else if moved.is_nothing() {
        None
    } else {
        Some(unit.resources().touch(stored.pk, stored.version, now))
    };
    let wrote = version.is_some() || standing.as_ref().is_some_and(Standing::is_kept);
    if let Some(version) = version {
        stored.version = version;
        stored.modified = now;
        stored.external_id = next.external_id;
        let told = (changes, person.as_ref(), &aside);
        tell(target, unit, (&stored, &names), moved, told, now);
    }
    if let Some(standing) = &standing {
        let user = (stored.pk, &stored.id);
        stand::tell_flip(target, unit, standing, (&stored, person.as_ref()), (flip, now));
        standing.tell(unit, &target.caller, now, user, stored.version);
    }
    if let Some(leaving) = &leaving {
        let user = (stored.pk, &stored.id);
        leaving.keep(&target.services, &target.caller, unit, user, now).await?;
    }
    let derived = derived.map(|derived| (derived, now));
    Ok(After { stored, wrote, derived })
}

/// Names of what differs beside the document.
fn beside(names: &[String], external: &External<'_>, roles_moved: bool, password: bool) -> Vec<String> {
    let moved = [
        (!matches!(external, External::Keep), "externalId"),
        (roles_moved, roles::ATTRIBUTE),
        (password, secret::ATTRIBUTE),
    ];
    let new = moved
        .into_iter()
        .filter(|(moved, name)| *moved && !names.iter().any(|known| known == name));
    new.map(|(_, name)| name.to_owned()).collect()
}

/// Says in the log what changed.
fn tell(
    target: &Target,
    unit: &mut Unit,
    (stored, names): (&Stored, &[String]),
    moved: &Moved,
    (changes, person, aside): (Changes, Option<&Person>, &Settled),
    now: Timestamp,
) {
    // What follows from a rule alone has an event of its own.
    if names.is_empty() && changes.is_empty() && moved.is_nothing() && !aside.moves() {
        return;
    }
    let mut data = ledger::changes(names, Some(stored.version), &moved.added(), &moved.removed());
    aside.tell(&mut data);
    if target.replaces {
        data["via"] = "put".into();
    }
    let entry = ledger::Entry {
        what: match target.store_kind {
            Kind::User => What::UserUpdated,
            Kind::Group => What::GroupUpdated,
            Kind::Own(_) => What::ResourceUpdated,
        },
        subject: (target.store_kind, stored.pk, &stored.id),
        about: ledger::moves(stored.pk, &moved.joined(), &moved.left()),
        data,
        changes: (!changes.is_empty()).then_some(changes),
        reason: None,
        person,
    };
    ledger::record(unit, &target.caller, now, entry);
}

/// What becomes of the caller's own name for the resource.
fn external<'a>(target: &Target, before: Option<&str>, after: Option<&'a str>) -> External<'a> {
    match (target.caller.connection_id(), after) {
        (Some(connection), Some(after)) if before != Some(after) => External::Set(connection, after),
        (Some(connection), None) if before.is_some() => External::Clear(connection),
        _ => External::Keep,
    }
}
