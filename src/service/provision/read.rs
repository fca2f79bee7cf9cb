//! One resource by its id (RFC 7644 §3.4.1).

use std::sync::Arc;

use super::draft::store_kind;
use super::membership;
use super::shown::{Relations, Shown};
use crate::base::id::ResourceId;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
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
    let store_kind = store_kind(kind)?;
    let reader = services.read(caller);
    let groups = if view.wants("groups") {
        Groups::Listed
    } else {
        Groups::LeftOut
    };
    let stored = reader
        .resources()
        .find(store_kind, id, caller.connection_id(), groups)
        .await?
        .ok_or(Error::NotFound)?;
    let members = match store_kind {
        Kind::Group if view.wants("members") => Some(membership::of_group(&reader, stored.pk).await?),
        _ => None,
    };
    Ok(shown(kind, stored, view, members))
}

/// A stored resource as its type shows it; `members` were read where the view wants them.
pub(super) fn shown(kind: &Arc<ResourceType>, stored: Stored, view: &View, members: Option<Relations>) -> Shown {
    let relations = match stored.kind {
        Kind::User if view.wants("groups") => membership::groups(stored.groups),
        Kind::User => Relations::Unread,
        Kind::Group => members.unwrap_or_default(),
    };
    Shown {
        kind: Arc::clone(kind),
        id: stored.id,
        version: stored.version.0,
        created: stored.created,
        modified: stored.modified,
        document: stored.document,
        external_id: stored.external_id,
        relations,
        asked_for: Vec::new(),
        ignored: Vec::new(),
    }
}
