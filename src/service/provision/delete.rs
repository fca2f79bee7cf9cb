//! The end of a resource (RFC 7644 §3.6).

use serde_json::{Value, json};
use std::sync::Arc;

use super::attempt::{attempts, refused};
use super::draft::store_kind;
use super::former;
use super::guard::{self, Locked, Need};
use super::parked::{Asked, Verb, told};
use super::precondition::IfMatch;
use crate::access::invariant::Deed;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, RuleKey};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::dialect::Client;
use crate::scim::schema::ResourceType;
use crate::service::access::smart::Given;
use crate::service::context::{Caller, Services};
use crate::service::deferred;
use crate::service::error::{Error, Fused, Result};
use crate::service::fuse::{self, Harm, Taken};
use crate::service::keys::Person;
use crate::service::ledger::{self, Thing, What};
use crate::service::told;
use crate::store::resources::Deleted;
use crate::store::resources::Groups;
use crate::store::{Kind, Unit};

/// Deletes a resource with its memberships in both directions.
///
/// # Errors
/// `NotFound`, `Stale` by `If-Match`.
pub async fn delete(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    id: &ResourceId,
    if_match: &IfMatch,
) -> Result<()> {
    let outcome = apply(services, caller, kind, id, if_match).await;
    let asked = Asked {
        verb: Verb::Delete,
        client: Client::Generic,
        kind,
        id,
        if_match,
        body: None,
    };
    told(services, caller, &asked, outcome).await
}

/// The same; a violation is told as such.
pub(in crate::service) async fn apply(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    id: &ResourceId,
    if_match: &IfMatch,
) -> Result<()> {
    let plan = Arc::new((
        services.clone(),
        caller.clone(),
        Arc::clone(kind),
        id.clone(),
        if_match.clone(),
    ));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan.0, &plan.1, &plan.2, &plan.3, &plan.4).await }
    })
    .await
}

async fn attempt(
    services: &Services,
    caller: &Caller,
    ty: &ResourceType,
    id: &ResourceId,
    if_match: &IfMatch,
) -> Result<()> {
    let kind = store_kind(ty)?;
    let mut unit = services.begin(caller).await?;
    let need = if kind.is_own() { Need::Share } else { Need::Hold };
    let locked = match Locked::take(&mut unit, need).await {
        Ok(locked) => locked,
        Err(error) => return Err(refused(unit, error).await),
    };
    let Some(stored) = unit
        .resources()
        .find_for_update(kind, id, caller.connection_id(), Groups::LeftOut)
        .await?
    else {
        return Err(refused(unit, Error::NotFound).await);
    };
    if !if_match.allows(stored.version.0) {
        return Err(refused(unit, Error::Stale).await);
    }
    let now = services.clock().now();
    let deed = (kind, stored.pk, Deed::Delete);
    let guard = match guard::before_end(services, caller, (&mut unit, &locked), deed, now).await {
        Ok(guard) => guard,
        Err(error) => return Err(refused(unit, error).await),
    };
    let members = match kind {
        Kind::User | Kind::Own(_) => 0,
        Kind::Group => members(services, caller, &mut unit, (stored.pk, locked.version())).await?,
    };
    let deleted = unit.resources().delete(kind, stored.pk, stored.version, now).await?;
    if let Err(error) = guard.check(&mut unit, now).await {
        return Err(refused(unit, error).await);
    }
    let document = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
    former::keep_number(&mut unit, (kind, stored.pk), &document);
    let person = Person::of(services, caller, id, stored.seal.as_deref()).await?;
    tell_what_went(&mut unit, caller, now, (stored.pk, id), &deleted).await?;
    unit = counted(caller, unit, members, now).await?;
    let what = match kind {
        Kind::User => What::UserDeleted,
        Kind::Group => What::GroupDeleted,
        Kind::Own(_) => What::ResourceDeleted,
    };
    let changes = Changes::of(&document.told(ty), Document::default().as_map());
    ledger::record(
        &mut unit,
        caller,
        now,
        ledger::Entry {
            what,
            subject: (kind, stored.pk, id),
            about: Vec::new(),
            data: json!({ "version": stored.version.0 }),
            // What the connection calls it: with somebody who is created anew it may be another one.
            changes: Some(changes.and("externalId", stored.external_id.map(Value::from), None)),
            reason: None,
            person: person.as_ref(),
        },
    );
    deferred::done(&mut unit, caller, now, (id, None));
    Ok(unit.save().await?)
}

/// How many lose membership of a group with it: also those whom rules put into it.
async fn members(services: &Services, caller: &Caller, unit: &mut Unit, (group, policy): (Pk, i64)) -> Result<u64> {
    let given = Given::for_groups(services, caller, &[(group, Some(policy))]).await?;
    Ok(unit.members().count(group, Given::members(given.as_ref())).await?)
}

/// Counts what it takes away; gives the unit back where the connection may take that.
async fn counted(caller: &Caller, mut unit: Unit, members: u64, now: Timestamp) -> Result<Unit> {
    let taken = Taken::default().and(Harm::Deletions, 1).and(Harm::Departures, members);
    match fuse::count(caller, &mut unit, &taken, now).await? {
        None => Ok(unit),
        Some(over) => Err(refused(unit, Error::Fused(Fused::Over(over))).await),
    }
}

/// What went with it: memberships, outcomes of rules, grants, tokens.
async fn tell_what_went(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (subject_pk, id): (Pk, &ResourceId),
    deleted: &Deleted,
) -> Result<()> {
    for (pk, group, version) in &deleted.left {
        let data = ledger::changes(&[], Some(*version), &[], std::slice::from_ref(id));
        ledger::record(
            unit,
            caller,
            now,
            ledger::Entry {
                what: What::GroupUpdated,
                subject: (Kind::Group, *pk, group),
                about: ledger::moves(*pk, &[], &[subject_pk]),
                data,
                changes: None,
                reason: None,
                person: None,
            },
        );
    }
    let rules: Vec<RuleKey> = deleted.rules.iter().map(|(key, ..)| *key).collect();
    told::rules(unit, caller, now, &rules).await?;
    told::taken(unit, caller, now, &deleted.grants);
    for token in &deleted.tokens {
        let subject = ledger::thing(Thing::Token, token);
        let data = json!({ "token": token });
        ledger::note(unit, caller, now, (What::TokenRevoked, subject), &data);
    }
    Ok(())
}
