//! An invitation is sent again, or taken back.

use serde_json::json;

use super::invite::{give, take_back};
use super::list::{self, Invitation};
use super::token::{self, For, To};
use crate::access::lifecycle::Hold;
use crate::base::id::ResourceId;
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::grants::{Giving, Where};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::service::provision::{self, IfMatch};
use crate::store::Kind;
use crate::store::document::Stored;
use crate::store::invitations::{Invitation as Row, State};
use crate::store::resources::Groups;

/// Sends an invitation again, with a new token and from now on as long as a new one: also one that has expired.
///
/// # Errors
/// `Forbidden`, also for a role that permits what the caller does not hold; `NotFound`; one that was accepted or revoked, or
/// whose user does not wait any more.
pub async fn resend(services: &Services, caller: &Caller, id: &str) -> Result<Invitation> {
    let held = require(services, caller, &[GIVE]).await?;
    let id = id.to_owned();
    let grant = services.ids().next().into_string();
    let resending = Resending {
        id: id.clone(),
        grant,
        held,
    };
    perform(services, caller, resending).await?;
    list::find(services, caller, &id).await
}

/// Takes an invitation back: nobody can accept it. Whoever was made by it goes with it, unless somebody has changed them
/// since: then they stay, without what they were invited to.
///
/// # Errors
/// As [`resend`].
pub async fn revoke(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let goes = perform(services, caller, Revoking { id: id.to_owned() }).await?;
    let Some(user) = goes else { return Ok(()) };
    let kind = caller.user_type()?;
    match provision::delete(services, caller, kind, &user, &IfMatch::Versions(vec![1])).await {
        // Somebody has changed or deleted them just now.
        Ok(()) | Err(Error::Stale | Error::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The invitation, and the user who waits for it.
async fn waiting(desk: &mut Desk, id: &str) -> Result<(Row, Stored)> {
    // The policy before resources, as every unit locks them.
    desk.unit.policy().share().await?;
    let found = desk.unit.invitations().find(id).await?.ok_or(Error::NotFound)?;
    let over = || Error::conflict("this invitation does not wait any more");
    let (user, ..) = found.user.as_ref().ok_or_else(over)?;
    let mut resources = desk.unit.resources();
    let stored = resources
        .find_for_update(Kind::User, user, None, Groups::LeftOut)
        .await?;
    let stored = stored.ok_or_else(over)?;
    let held = desk.unit.statuses().find(stored.pk).await?;
    let waits = stored.active == Some(false) && held.is_some_and(|held| held.hold == Hold::Invited);
    if found.state == State::Waiting && waits {
        Ok((found, stored))
    } else {
        Err(over())
    }
}

/// Whether a user is as an invitation has made them.
fn is_untouched(stored: &Stored) -> bool {
    stored.version.0 == 1 && stored.connection.is_none()
}

/// The user whom a revoked invitation has made and left behind, as a server does that stops before it is done.
async fn half_revoked(desk: &mut Desk, id: &str) -> Result<Option<ResourceId>> {
    let found = desk.unit.invitations().find(id).await?;
    let revoked = found.filter(|found| found.state == State::Revoked);
    let Some((user, ..)) = revoked.and_then(|found| found.user) else {
        return Ok(None);
    };
    let mut resources = desk.unit.resources();
    let Some(stored) = resources.find(Kind::User, &user, None, Groups::LeftOut).await? else {
        return Ok(None);
    };
    let waits = desk.unit.statuses().find(stored.pk).await?;
    let waits = waits.is_some_and(|held| held.hold == Hold::Invited) && is_untouched(&stored);
    // Whoever was invited again since waits for that.
    let waits = waits && desk.unit.invitations().of(stored.pk).await?.is_none();
    Ok(waits.then_some(stored.id))
}

struct Resending {
    id: String,
    /// Id of the grant, where there is none any more.
    grant: String,
    held: Held,
}

impl Change for Resending {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let (found, stored) = waiting(desk, &self.id).await?;
        let to = To::new(&found.role, Some(&found.scope));
        Giving::admit(desk, &to.role, &Where::Scope(to.scope.clone()), self.held).await?;
        let whom = For {
            user: (stored.pk, &stored.id),
            address: found.address.as_deref(),
        };
        if desk.unit.grants().find(&found.grant).await?.is_some() {
            token::send(desk, whom, &to, &found.grant).await?;
            return Ok(());
        }
        // Somebody took away what they are invited to.
        give(desk, (&self.grant, self.held), stored.id.as_str(), &to).await?;
        token::send(desk, whom, &to, &self.grant).await?;
        Ok(())
    }
}

struct Revoking {
    id: String,
}

impl Change for Revoking {
    /// The user, where they are as the invitation has made them.
    type Made = Option<ResourceId>;

    async fn make(&self, desk: &mut Desk) -> Result<Self::Made> {
        if let Some(user) = half_revoked(desk, &self.id).await? {
            return Ok(Some(user));
        }
        let (found, stored) = waiting(desk, &self.id).await?;
        let mut invitations = desk.unit.invitations();
        if !invitations.settle(&found.uid, None, State::Revoked, desk.now).await? {
            return Err(Error::Busy);
        }
        let subject = ledger::resource(Kind::User, stored.pk, &stored.id);
        desk.note(What::InvitationRevoked, subject, &json!({ "invitation": found.uid }));
        // Now, and not with the user: whoever takes them in before they are gone takes them in without it.
        take_back(desk, &found.grant).await?;
        Ok(is_untouched(&stored).then_some(stored.id))
    }
}
