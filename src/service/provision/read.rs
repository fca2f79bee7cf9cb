//! One resource by its id (RFC 7644 §3.4.1).

use std::sync::Arc;

use super::draft::store_kind;
use super::membership;
use super::published::Source;
use super::shown::{Relations, Shown};
use crate::base::id::ResourceId;
use crate::scim::dialect::Applied;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::service::access::smart::{self, Given};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::document::Stored;
use crate::store::resources::Groups;

/// The resource of this type with this id.
///
/// # Errors
/// `NotFound` when the caller's tenant has none: another tenant's id answers the same.
pub async fn read(
    services: &Services,
    caller: &Caller,
    kind: &Arc<ResourceType>,
    id: &ResourceId,
    view: &View,
) -> Result<Shown> {
    if let Some(source) = Source::of(kind) {
        return source.find(services, caller, kind, id).await;
    }
    let store_kind = store_kind(kind)?;
    let reader = services.read(caller);
    let groups = groups(view);
    for _ in 0..smart::MAX_READS {
        let mut stored = reader
            .resources()
            .find(store_kind, id, caller.connection_id(), groups)
            .await?
            .ok_or(Error::NotFound)?;
        if store_kind == Kind::User {
            smart::complete(services, caller, std::slice::from_mut(&mut stored)).await?;
            return Ok(shown(kind, stored, view, None));
        }
        if store_kind != Kind::Group || !view.wants("members") {
            return Ok(shown(kind, stored, view, None));
        }
        let given = Given::for_groups(services, caller, &[(stored.pk, stored.policy_version)]).await?;
        let by_rule = Given::members(given.as_ref());
        let members = membership::of_group(&reader, stored.pk, by_rule).await?;
        let holds = match &given {
            Some(given) => given.still_holds(services, caller).await?,
            None => true,
        };
        if holds {
            return Ok(shown(kind, stored, view, Some(members)));
        }
    }
    Err(Error::Busy)
}

/// What a view needs to know of groups: who is in them may follow from the policy.
pub(super) fn groups(view: &View) -> Groups {
    if view.wants("groups") || view.wants("members") {
        Groups::Listed
    } else {
        Groups::LeftOut
    }
}

/// A stored resource as its type shows it; `members` were read where the view wants them.
pub(super) fn shown(kind: &Arc<ResourceType>, stored: Stored, view: &View, members: Option<Relations>) -> Shown {
    let relations = match stored.kind {
        Kind::User if view.wants("groups") => membership::groups(stored.groups),
        Kind::User | Kind::Own(_) => Relations::Unread,
        Kind::Group => members.unwrap_or_default(),
    };
    Shown {
        kind: Arc::clone(kind),
        id: stored.id,
        version: stored.version.0,
        created: Some(stored.created),
        modified: Some(stored.modified),
        document: stored.document,
        external_id: stored.external_id,
        relations,
        asked_for: Vec::new(),
        ignored: Vec::new(),
        effects: Vec::new(),
        tolerated: Applied::default(),
    }
}
