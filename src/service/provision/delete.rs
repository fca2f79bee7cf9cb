//! The end of a resource (RFC 7644 §3.6).

use serde_json::json;
use std::sync::Arc;

use super::attempt::attempts;
use super::create::refused;
use super::draft::store_kind;
use super::guard;
use super::parked::{Asked, Verb, told};
use super::precondition::IfMatch;
use crate::access::invariant::Deed;
use crate::base::id::ResourceId;
use crate::scim::dialect::Client;
use crate::scim::schema::ResourceType;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger;
use crate::store::Kind;
use crate::store::resources::Groups;

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
    let guard = match guard::before_end(services, caller, &mut unit, (kind, stored.pk, Deed::Delete), now).await {
        Ok(guard) => guard,
        Err(error) => return Err(refused(unit, error).await),
    };
    let deleted = unit.resources().delete(kind, stored.pk, stored.version, now).await?;
    if let Err(error) = guard.check(&mut unit, now).await {
        return Err(refused(unit, error).await);
    }
    for (pk, group) in &deleted.left {
        let data = ledger::changes(&[], &[], std::slice::from_ref(id));
        ledger::record(
            &mut unit,
            caller,
            now,
            &ledger::Entry {
                kind: "group.updated",
                subject: (*pk, group),
                data,
            },
        );
    }
    let event = if kind == Kind::User {
        "user.deleted"
    } else {
        "group.deleted"
    };
    ledger::record(
        &mut unit,
        caller,
        now,
        &ledger::Entry {
            kind: event,
            subject: (stored.pk, id),
            data: json!({}),
        },
    );
    unit.save().await?;
    Ok(())
}
