//! Provisioning speaks of somebody whom an invitation waits for. Never silently by the address alone: an organisation decides
//! whether they join, and nobody does where it has not.

use serde_json::Value;
use std::sync::Arc;

use super::parked::{Asked, Verb, told};
use super::precondition::IfMatch;
use super::replace;
use super::shown::Shown;
use super::write::{Target, Wanted};
use crate::access::lifecycle::{Hold, Joining};
use crate::scim::dialect::Dialect;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::scim::{self, ScimType};
use crate::service::access::policy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::resources::Groups;

/// Whether somebody who is held may join. Only of who is invited is the policy asked; the unit shares it then.
pub(super) async fn decided(target: &Target, held: Option<&StoredHold>) -> Result<Joining> {
    if held.is_none_or(|held| held.hold != Hold::Invited) {
        return Ok(Joining::Accepts);
    }
    let book = policy::latest(&target.services, &target.caller).await?;
    Ok(book.rulebook.policy().settings.joining)
}

/// A create that was refused.
pub(super) struct Refused<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) kind: &'a Arc<ResourceType>,
    pub(super) view: &'a View,
    /// What the name compares as.
    pub(super) name_key: &'a str,
    /// The body in clean form.
    pub(super) body: Value,
}

/// What becomes of a create whose name is taken: of somebody who is invited it is a replace, where the organisation has
/// decided so, and they are active then. Every other error stays.
pub(super) async fn instead(services: &Services, caller: &Caller, refused: Refused<'_>, error: Error) -> Result<Shown> {
    let is_taken = matches!(&error, Error::Protocol(fault) if fault.scim_type == Some(ScimType::Uniqueness));
    if !is_taken || refused.kind.name() != "User" {
        return Err(error);
    }
    let reader = services.read(caller);
    let Some(id) = reader.resources().holder(Kind::User, refused.name_key).await? else {
        return Err(error);
    };
    let mut resources = reader.resources();
    let Some(stored) = resources.find(Kind::User, &id, None, Groups::LeftOut).await? else {
        return Err(error);
    };
    let held = reader.statuses().find(stored.pk).await?;
    if stored.active != Some(false) || held.is_none_or(|held| held.hold != Hold::Invited) {
        return Err(error);
    }
    let book = policy::current(services, caller).await?;
    if book.rulebook.policy().settings.joining == Joining::Accepts {
        let detail = "this person was invited and has not come yet: they come by the invitation, or the organisation \
                      decides with `invitation_link` that provisioning takes them in";
        return Err(scim::Error::uniqueness(detail).into());
    }
    let mut body = refused.body;
    if let (false, Some(members)) = (replace::says_active(&body), body.as_object_mut()) {
        members.insert("active".to_owned(), true.into());
    }
    let wanted = Wanted {
        dialect: refused.dialect,
        kind: refused.kind,
        id: &id,
        // Who has come or is kept out since is nobody who waits.
        if_match: &IfMatch::Versions(vec![stored.version.0]),
        view: refused.view,
    };
    let body = Arc::new(body);
    let outcome = match replace::apply(services, caller, wanted, &body).await {
        Err(Error::Stale | Error::NotFound) => Err(error),
        other => other,
    };
    told(services, caller, &Asked::of(Verb::Put, &wanted, &body), outcome).await
}
