//! An administrator, or a plan of theirs, lets somebody in or keeps them out.

use std::sync::Arc;

use super::beside;
use super::schedule::{self, Source};
use super::status::{self, Turned, UserStatus};
use super::status_rules;
use crate::access::StatusRule;
use crate::access::invariant::{Deed, Demands};
use crate::access::lifecycle::{Ask, By, Hold, Joining, OffBy, Refusal, Status, Stay, Verdict, turn as verdict};
use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, Version};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::dialect::{Client, Dialect, Setting};
use crate::service::access::authority::{GIVE, require};
use crate::service::access::invariants;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::derive::{self, Known};
use crate::service::error::{Error, Refusal as Wrong, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, Author, What};
use crate::service::provision::attempt::attempts;
use crate::service::provision::draft;
use crate::store::connections::Connection;
use crate::store::document::Stored;
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::lifecycle::tombstones::State;
use crate::store::resources::{External, Groups};
use crate::store::{self, Kind, Unit};

/// Most characters of a reason.
const MAX_REASON: usize = 1000;

/// What an administrator can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To let somebody in.
    Activate,
    /// To keep somebody out for a while.
    Suspend,
    /// To keep somebody out.
    Deactivate,
}

impl Wish {
    const fn ask(self) -> Ask {
        match self {
            Self::Activate => Ask::Activate,
            Self::Suspend => Ask::Suspend,
            Self::Deactivate => Ask::Deactivate,
        }
    }
}

/// A change of status on its way.
#[derive(Debug, Clone)]
pub(in crate::service) struct Turning {
    pub(in crate::service) ask: Ask,
    pub(in crate::service) by: By,
    pub(in crate::service) reason: Option<String>,
    pub(in crate::service) until: Option<Timestamp>,
    /// The closing of a connection or tenant that it goes with, by its number.
    pub(in crate::service) closing: Option<i64>,
}

/// Does what an administrator asks for; nothing where it is so already.
///
/// # Errors
/// `Forbidden`, `NotFound`, a reason that is blank or too long; the owner, the last administrators and break-glass
/// accounts stay; who was deleted has to be restored first.
pub async fn turn(
    services: &Services,
    caller: &Caller,
    user: &str,
    wish: Wish,
    reason: Option<&str>,
) -> Result<UserStatus> {
    require(services, caller, &[GIVE]).await?;
    let turning = Turning {
        ask: wish.ask(),
        by: By::Administrator,
        reason: checked(reason)?,
        until: None,
        closing: None,
    };
    let plan = Arc::new((services.clone(), caller.clone(), ResourceId::new(user), turning));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan.0, &plan.1, &plan.2, &plan.3).await }
    })
    .await?;
    status::find(services, caller, user).await
}

/// A reason as it is kept.
pub(super) fn checked(reason: Option<&str>) -> Result<Option<String>> {
    match reason.map(str::trim) {
        None => Ok(None),
        Some("") => Err(Error::invalid("/reason", "a reason has some text, or is left out")),
        Some(reason) if reason.chars().count() > MAX_REASON => Err(Error::invalid(
            "/reason",
            format!("a reason has at most {MAX_REASON} characters"),
        )),
        Some(reason) => Ok(Some(reason.to_owned())),
    }
}

async fn attempt(services: &Services, caller: &Caller, id: &ResourceId, turning: &Turning) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    match in_unit(services, caller, &mut unit, id, turning).await {
        Ok(_) => saved(services, caller, unit).await,
        // What a refusal rests on must be on disk before it is told.
        Err(error) => match unit.dismiss().await {
            Ok(()) => Err(error),
            Err(fault) => Err(fault.into()),
        },
    }
}

/// Saves a unit that relies on the policy. Stale, it is to be made again by the one there is.
pub(in crate::service) async fn saved(services: &Services, caller: &Caller, unit: Unit) -> Result<()> {
    match unit.save().await {
        Err(store::Error::Stale) => {
            derive::forget(services, caller);
            Err(Error::Busy)
        }
        other => Ok(other?),
    }
}

/// Turns the status of the user of this id in a unit, which then has to be saved. Gives what came of it.
pub(in crate::service) async fn in_unit(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    id: &ResourceId,
    turning: &Turning,
) -> Result<Verdict> {
    let (policy, demands) = locked(unit, turning.ask).await?;
    let mut resources = unit.resources();
    let found = resources.find_for_update(Kind::User, id, None, Groups::LeftOut).await?;
    let Some(stored) = found else {
        return of_nobody(unit, id, turning).await;
    };
    // Whoever is active is held by nothing.
    let held = unit
        .statuses()
        .find(stored.pk)
        .await?
        .filter(|_| stored.active == Some(false));
    let of = (&stored, held.as_ref());
    if beside::stays(unit, caller, of, (turning, turning.closing), services.clock().now()) {
        return Ok(Verdict::Stays(Stay::HeldMore));
    }
    let by_rule = held.as_ref().is_some_and(|held| held.by_rule().is_some());
    let came = asked(&stored, held.as_ref(), turning);
    let to = match came {
        Verdict::Turns(to) => to,
        // Of whom a rule keeps out it is asked whether it still does.
        Verdict::Already if by_rule && turning.ask == Ask::Activate => Status::Active,
        Verdict::Already | Verdict::Stays(_) => return Ok(came),
        Verdict::Refused(refusal) => return Err(refused(refusal)),
    };
    let book = policy::locked_at(services, caller, policy).await?;
    let rule = over(&book, &stored, to)?;
    if let (Some(rule), By::Administrator, Ask::Activate | Ask::Accept) = (rule, turning.by, turning.ask) {
        return Err(kept_out(rule));
    }
    let (turned, turning) = turned_to((&stored, held.as_ref()), to, (rule, turning));
    let caller = rule.map_or_else(|| caller.clone(), |rule| caller.by_rule(&rule.name));
    let unit = (unit, demands.as_ref());
    write(services, &caller, unit, stored, held, (turned, &turning)).await?;
    Ok(Verdict::Turns(turned.to))
}

/// What comes of what is asked, but for rules: they are asked after it.
fn asked(stored: &Stored, held: Option<&StoredHold>, turning: &Turning) -> Verdict {
    let ask = match turning.ask {
        Ask::Return { .. } => Ask::Return {
            source_active: held.is_none_or(|held| held.source_active),
        },
        other => other,
    };
    let from = beneath(stored, held);
    match verdict(from, ask, turning.by, Joining::Accepts) {
        // An administrator makes what would end by itself a suspension of their own.
        Verdict::Already if turning.by == By::Administrator && held.is_some_and(passes) => Verdict::Turns(from),
        // Only a leave ends by itself. Whoever was deactivated meanwhile, or suspended without an end, was so by another
        // decision, which outlasts it.
        Verdict::Turns(_) if matches!(ask, Ask::Return { .. }) && held.is_none_or(|held| held.until.is_none()) => {
            Verdict::Stays(Stay::HeldMore)
        }
        came => came,
    }
}

/// What somebody is but for rules.
pub(super) fn beneath(stored: &Stored, held: Option<&StoredHold>) -> Status {
    let from = Status::of(stored.active != Some(false), held.map(|held| held.hold));
    from.beneath(held.is_some_and(|held| held.by_rule().is_some()))
}

/// The rule that keeps out somebody who would be this but for rules.
pub(super) fn over<'b>(book: &'b Book, stored: &Stored, to: Status) -> Result<Option<&'b StatusRule>> {
    if to != Status::Active || book.status_rules.is_empty() {
        return Ok(None);
    }
    let document = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(status_rules::wanted(book, &stored.id, &document))
}

/// What becomes of somebody who would be this but for a rule, and what is written of it: of a rule there is neither a
/// reason nor an end.
pub(super) fn turned_to(
    (stored, held): (&Stored, Option<&StoredHold>),
    to: Status,
    (rule, turning): (Option<&StatusRule>, &Turning),
) -> (Turned, Turning) {
    let from = Status::of(stored.active != Some(false), held.map(|held| held.hold));
    let to = to.under(rule.map(|rule| rule.keeps));
    let turning = match rule {
        None => turning.clone(),
        Some(_) => Turning {
            reason: None,
            until: None,
            closing: None,
            ..turning.clone()
        },
    };
    let until = turning.until.filter(|_| to == Status::Suspended);
    (Turned { from, to, until }, turning)
}

/// Why nobody lets in whom a rule keeps out.
fn kept_out(rule: &StatusRule) -> Error {
    Error::conflict(format!(
        "the rule of status `{}` holds for this user and keeps them out: change what is known of them, or the rule",
        rule.name
    ))
}

/// What comes of it for somebody who is not there.
async fn of_nobody(unit: &mut Unit, id: &ResourceId, turning: &Turning) -> Result<Verdict> {
    let tomb = unit.tombstones().find(Kind::User, id).await?;
    let kept = tomb.filter(|tomb| tomb.state != State::Purging);
    let from = kept.map_or(Status::Purged, |_| Status::Deleted);
    match verdict(from, turning.ask, turning.by, Joining::Accepts) {
        Verdict::Refused(refusal) => Err(refused(refusal)),
        came => Ok(came),
    }
}

/// Whether a hold ends by itself: a leave, and what goes with the suspension of a connection or of the organisation.
const fn passes(held: &StoredHold) -> bool {
    held.until.is_some() || held.closing.is_some()
}

/// Locks the policy, before resources as every unit does: held for what may end an account. Gives its version.
pub(super) async fn locked(unit: &mut Unit, ask: Ask) -> Result<(i64, Option<Demands>)> {
    match ask {
        Ask::Suspend | Ask::Deactivate => {
            let (version, settings) = unit.policy().hold_settings().await?;
            Ok((version, Some(settings.demands)))
        }
        _ => Ok((unit.policy().share().await?, None)),
    }
}

/// Why it cannot be done to who is not there.
pub(super) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Gone => Error::NotFound,
        Refusal::Deleted => Error::Conflict(Wrong::new(
            "this user was deleted: `POST /api/v1/users/{id}/restore` brings them back first",
        )),
    }
}

/// Writes a new status of who may have it.
async fn write(
    services: &Services,
    caller: &Caller,
    (unit, demands): (&mut Unit, Option<&Demands>),
    stored: Stored,
    held: Option<StoredHold>,
    (turned, turning): (Turned, &Turning),
) -> Result<()> {
    let Turned { from, to, .. } = turned;
    if from.is_active() {
        // Whatever ends an account has locked what it is counted by.
        let demands = demands.ok_or(Error::Busy)?;
        let deed = match to {
            Status::Suspended => Deed::Suspend,
            _ => Deed::Deactivate,
        };
        let now = services.clock().now();
        invariants::may_end(unit, demands, (stored.pk, deed), now).await??;
    }
    put(services, caller, unit, stored, held, (turned, turning)).await
}

/// Writes a new status, of whom nobody asks any more: the document, what holds it, and what the log says.
pub(super) async fn put(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    stored: Stored,
    held: Option<StoredHold>,
    (turned, turning): (Turned, &Turning),
) -> Result<()> {
    let now = services.clock().now();
    let Turned { from, to, .. } = turned;
    let source_active = held.map_or(!matches!(from, Status::Off(OffBy::Source)), |held| held.source_active);
    keep(
        unit,
        caller,
        &stored,
        (to.hold(), source_active),
        (turned, turning),
        now,
    );
    let person = Person::of(services, caller, &stored.id, stored.seal.as_deref()).await?;
    let version = if from.is_active() == to.is_active() {
        unit.resources().rename(stored.pk, stored.version, External::Keep, now)
    } else {
        flip(services, caller, unit, (&stored, person.as_ref()), to.is_active(), now).await?
    };
    let said = (turning.reason.as_deref(), person.as_ref());
    status::tell(unit, caller, now, (stored.pk, &stored.id), (turned, version), said);
    if turning.by == By::Administrator && turning.ask != Ask::Accept {
        // What an administrator decides now is not undone by the end of a leave that was planned before.
        for plan in unit.schedules().cancel(stored.pk, Source::Leave, now).await? {
            schedule::tell(unit, caller, now, What::ScheduleCancelled, &plan);
        }
    }
    Ok(())
}

/// Keeps what holds a user from now on, if anything does.
fn keep(
    unit: &mut Unit,
    caller: &Caller,
    stored: &Stored,
    (kept, source_active): (Option<Hold>, bool),
    (turned, turning): (Turned, &Turning),
    now: Timestamp,
) {
    let Some(kept) = kept else {
        unit.statuses().lift(stored.pk);
        return;
    };
    let author = Author::of(caller);
    let (actor_kind, actor_id) = author.who();
    let held = StoredHold {
        hold: kept,
        source_active,
        since: now,
        until: turned.until,
        reason: turning.reason.clone(),
        actor_kind: actor_kind.to_owned(),
        actor_id: actor_id.to_owned(),
        closing: turning.closing,
    };
    unit.statuses().set(stored.pk, held);
}

/// Writes `active` into the document of a user, with what follows from it.
async fn flip(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    (stored, person): (&Stored, Option<&Person>),
    active: bool,
    now: Timestamp,
) -> Result<Version> {
    let kind = caller.user_type()?;
    let damaged = |fault| Error::Internal(Box::new(fault));
    let before = Document::from_stored(&stored.document).map_err(damaged)?;
    let after = before.clone().with_active(active);
    let meta = derive::Meta {
        id: &stored.id,
        version: stored.version.0 + 1,
        created: stored.created,
        modified: now,
    };
    let derived = derive::of(services, caller, &after, &meta).await?;
    derived.share(unit);
    derived.write(caller, unit, (stored.pk, Known::Before), now);
    let content = draft::content(kind, plain(), &after);
    let old = draft::leaves(kind, &before);
    let mut resources = unit.resources();
    let updated = resources.update(stored.pk, stored.version, &old, &content, External::Keep, now);
    let version = updated.await?;
    let names = draft::differences(&before, &after);
    let entry = ledger::Entry {
        what: What::UserUpdated,
        subject: (Kind::User, stored.pk, &stored.id),
        about: Vec::new(),
        data: ledger::changes(&names, Some(version), &[], &[]),
        changes: Some(Changes::of(before.as_map(), after.as_map())),
        reason: None,
        person,
    };
    ledger::record(unit, caller, now, entry);
    Ok(version)
}

/// No client's habits: what is written here was written clean before.
pub(in crate::service) const fn plain() -> Dialect {
    Dialect::remembered(Setting::Auto, Client::Generic)
}

/// The habits of the connection that something is of: a strict one may repeat the name of a group.
pub(in crate::service) fn habits(connection: Option<&Connection>) -> Dialect {
    let setting: Option<Setting> = connection.and_then(|connection| connection.dialect.parse().ok());
    setting.map_or_else(plain, |setting| Dialect::remembered(setting, Client::Generic))
}
