//! The end of a resource (RFC 7644 §3.6).

use serde_json::json;
use std::sync::Arc;

use super::attempt::attempts;
use super::create::refused;
use super::draft::store_kind;
use super::guard::{self, Locked, Need};
use super::parked::{Asked, Verb, told};
use super::precondition::IfMatch;
use crate::access::invariant::Deed;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::dialect::Client;
use crate::scim::schema::ResourceType;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Fused, Result};
use crate::service::fuse::{self, Harm, Taken};
use crate::service::keys::Person;
use crate::service::ledger::{self, Thing, What};
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
pub(super) async fn apply(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    id: &ResourceId,
    if_match: &IfMatch,
) -> Result<()> {
    let plan = Arc::new((
        services.clone(),
        caller.clone(),
        store_kind(kind)?,
        id.clone(),
        if_match.clone(),
    ));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan.0, &plan.1, plan.2, &plan.3, &plan.4).await }
    })
    .await
}

async fn attempt(services: &Services, caller: &Caller, kind: Kind, id: &ResourceId, if_match: &IfMatch) -> Result<()> {
    let mut unit = services.begin(caller).await?;
    let locked = Locked::take(&mut unit, Need::Hold).await?;
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
    let guard = match guard::before_end(
        services,
        caller,
        (&mut unit, &locked),
        (kind, stored.pk, Deed::Delete),
        now,
    )
    .await
    {
        Ok(guard) => guard,
        Err(error) => return Err(refused(unit, error).await),
    };
    let members = match kind {
        Kind::User => 0,
        Kind::Group => unit.members().count(stored.pk).await?,
    };
    let deleted = unit.resources().delete(kind, stored.pk, stored.version, now).await?;
    if let Err(error) = guard.check(&mut unit, now).await {
        return Err(refused(unit, error).await);
    }
    let document = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let person = Person::of(services, caller, id, stored.seal.as_deref()).await?;
    tell_what_went(&mut unit, caller, now, (kind, stored.pk, id), &deleted);
    unit = counted(caller, unit, members, now).await?;
    let what = match kind {
        Kind::User => What::UserDeleted,
        Kind::Group => What::GroupDeleted,
    };
    ledger::record(
        &mut unit,
        caller,
        now,
        ledger::Entry {
            what,
            subject: (kind, stored.pk, id),
            about: Vec::new(),
            data: json!({ "version": stored.version.0 }),
            changes: Some(Changes::of(document.as_map(), Document::default().as_map())),
            reason: None,
            person: person.as_ref(),
        },
    );
    unit.save().await?;
    Ok(())
}

/// Counts what it takes away; gives the unit back where the connection may take that.
async fn counted(caller: &Caller, mut unit: Unit, members: u64, now: Timestamp) -> Result<Unit> {
    let taken = Taken::default().and(Harm::Deletions, 1).and(Harm::Departures, members);
    match fuse::count(caller, &mut unit, &taken, now).await? {
        None => Ok(unit),
        Some(over) => Err(refused(unit, Error::Fused(Fused::Over(over))).await),
    }
}

/// What went with it: memberships, outcomes of rules, grants.
fn tell_what_went(
    unit: &mut Unit,
    caller: &Caller,
    now: Timestamp,
    (kind, subject_pk, id): (Kind, Pk, &ResourceId),
    deleted: &Deleted,
) {
    for (pk, group) in &deleted.left {
        let data = ledger::changes(&[], None, &[], std::slice::from_ref(id));
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
    for (_, rule, name) in &deleted.rules {
        let data = json!({ "rule": rule, "name": name, "lost": { "group": id.as_str() } });
        let subject = ledger::thing(Thing::Rule, rule);
        ledger::note(unit, caller, now, (What::RuleUpdated, subject), &data);
    }
    for grant in &deleted.grants {
        let subject = ledger::resource(kind, subject_pk, id);
        ledger::note(
            unit,
            caller,
            now,
            (What::GrantDeleted, subject),
            &json!({ "grant": grant }),
        );
    }
}
