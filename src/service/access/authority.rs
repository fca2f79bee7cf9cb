//! The one gate: whether a caller may do what it asks for.
//!
//! An admin token and the operator have every permission in their tenant. A user has those Muster decides for them,
//! now. A connection provisions, and has none here.

use crate::access::invariant::{Violation, mints};
use crate::access::permission::Permissions;
use crate::access::{Target, permissions};
use crate::base::id::ResourceId;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::facts::UserKey;

use super::policy;

/// See users, roles, grants, rules, and what access they come to.
pub const VIEW: &str = "org.users.view";
/// Give and take access, by grants and by rules.
pub const GIVE: &str = "org.users.manage";
/// Make and change custom roles.
pub const ROLES: &str = "org.roles.manage";
/// Read the log.
pub const AUDIT: &str = "org.audit.view";
/// Make and change scopes, and which records belong to them.
pub const SCOPES: &str = "org.scopes.manage";

/// Decide what holds for the whole organisation.
pub const SETTINGS: &str = "org.settings.manage";
/// Make connections and their tokens.
pub const INTEGRATIONS: &str = "org.integrations.manage";

/// What a caller holds on *All*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held(Permissions);

/// Everything the caller holds, without what it sees as a manager of others.
///
/// # Errors
/// `Forbidden` for a provisioning connection.
pub async fn held(services: &Services, caller: &Caller) -> Result<Held> {
    match caller.authority() {
        Authority::Admin | Authority::Operator(_) | Authority::System(_) => Ok(Held(services.catalogue().all())),
        Authority::Connection(_) => Err(Error::Forbidden(
            "the token of a provisioning connection has no permissions here; use an admin token".to_owned(),
        )),
        Authority::User(id) => {
            let id = ResourceId::new(id.as_str());
            let found = policy::facts(services, caller, UserKey::Id(&id), None).await?;
            let now = services.clock().now();
            Ok(Held(found.map_or(Permissions::NONE, |(mut row, book)| {
                // What one sees of one's reports is not one's own to give.
                row.facts.reports.clear();
                permissions(&row.facts, &book.rulebook, now, &Target::Organisation)
            })))
        }
    }
}

/// Lets the caller pass if it holds one of these permissions on *All*.
///
/// # Errors
/// `Forbidden`, with the permissions of which one is needed.
pub async fn require(services: &Services, caller: &Caller, any_of: &[&str]) -> Result<Held> {
    let held = held(services, caller).await?;
    let wanted = services.catalogue().known(any_of.iter().copied());
    if (held.0 & wanted).is_empty() {
        let list: Vec<String> = any_of.iter().map(|key| format!("`{key}`")).collect();
        return Err(Error::Forbidden(format!(
            "this needs the permission {}",
            list.join(" or ")
        )));
    }
    Ok(held)
}

impl Held {
    /// Lets pass who may create a token that can do this: nobody mints more than they hold.
    pub(super) fn mints(self, services: &Services, wanted: Permissions) -> Result<()> {
        Ok(mints(self.0, wanted, services.catalogue())?)
    }

    /// Lets pass what the caller holds itself: nobody gives more than they have.
    pub(in crate::service) fn covers(self, services: &Services, wanted: Permissions) -> Result<()> {
        let missing = wanted - self.0;
        if missing.is_empty() {
            return Ok(());
        }
        let keys = services.catalogue().keys(missing).map(str::to_owned).collect();
        Err(Violation::MoreThanHeld(keys).into())
    }
}
