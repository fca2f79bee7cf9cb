//! A tenant is suspended, resumed or deleted: everything in it is shut at once, whatever becomes of its users.

use serde_json::json;

use super::asked::{Asked, Checked, Users};
use super::shown::{Shown, shown};
use crate::base::id::ResourceId;
use crate::service::access::authority::{SETTINGS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::invariants::user_of;
use crate::service::context::{Authority, Caller, Services};
use crate::service::credentials::until_everywhere;
use crate::service::deferred;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::closing::State;
use crate::store::closing::works::{NewClosing, Verb};
use crate::store::tenants::Tenant;

/// What can become of the users of a tenant that is suspended.
const OF_SUSPENDED: [Users; 3] = [Users::Keep, Users::Suspend, Users::Deactivate];
/// What can become of those of one that is deleted.
const OF_DELETED: [Users; 2] = [Users::Keep, Users::Deactivate];

/// The caller's tenant, whom a change of its state is about, and what was last done to them.
///
/// # Errors
/// `Forbidden` for a user who is not the owner.
pub async fn find(services: &Services, caller: &Caller) -> Result<Shown> {
    admitted(services, caller).await?;
    found(services, caller).await
}

/// Suspends the tenant: from then on every decision is no, on every server; when this returns, no server accepts a token
/// of its connections and users any more. Administrators' tokens can look, and resume it.
///
/// # Errors
/// As [`find`]; what cannot become of the users.
pub async fn suspend(services: &Services, caller: &Caller, asked: Asked) -> Result<Shown> {
    admitted(services, caller).await?;
    let Checked { users, reason } = asked.checked(&OF_SUSPENDED)?;
    change(services, caller, Step::Suspend, (users.verb(), reason)).await
}

/// Resumes the tenant, and lets in again whom its suspension has suspended; nothing where it works already.
///
/// # Errors
/// As [`find`].
pub async fn resume(services: &Services, caller: &Caller) -> Result<Shown> {
    admitted(services, caller).await?;
    change(services, caller, Step::Resume, (Verb::Return, None)).await
}

/// Deletes the tenant, whose name has to be said: nobody comes in, and no token works, until the operator restores it.
///
/// # Errors
/// As [`find`]; another name; what cannot become of the users.
pub async fn delete(services: &Services, caller: &Caller, name: &str, asked: Asked) -> Result<Shown> {
    admitted(services, caller).await?;
    let Checked { users, reason } = asked.checked(&OF_DELETED)?;
    if found(services, caller).await?.name != name {
        let reason = "the name of the organisation belongs here, letter by letter: what is deleted is all of it";
        return Err(Error::invalid("/confirm", reason));
    }
    change(services, caller, Step::Delete, (users.verb(), reason)).await
}

/// Brings a tenant back that was deleted: suspended, so that whoever does it looks first.
///
/// # Errors
/// `Forbidden` for anybody but the operator; one that is not deleted.
pub async fn restore(services: &Services, caller: &Caller) -> Result<Shown> {
    if !matches!(caller.authority(), Authority::Operator(_)) {
        return Err(Error::Forbidden(
            "only the operator restores an organisation, on the command line".to_owned(),
        ));
    }
    change(services, caller, Step::Restore, (Verb::Keep, None)).await
}

/// Lets pass the owner, an administrator's token, and the operator; no other user, whatever they hold.
async fn admitted(services: &Services, caller: &Caller) -> Result<()> {
    require(services, caller, &[SETTINGS]).await?;
    let Authority::User(id) = caller.authority() else {
        return Ok(());
    };
    let reader = services.read(caller);
    let ids = [ResourceId::new(id.as_str())];
    let (found, owner) = (reader.resources().pks(&ids).await?, reader.grants().owner().await?);
    let own = found.into_iter().next().map(|(_, pk, _)| pk);
    let owner = owner.as_ref().and_then(user_of);
    if own.is_some() && own == owner {
        return Ok(());
    }
    Err(Error::Forbidden(
        "what becomes of the organisation as a whole is for its owner to say, or for an administrator's token"
            .to_owned(),
    ))
}

async fn found(services: &Services, caller: &Caller) -> Result<Shown> {
    let reader = services.read(caller);
    let row = reader.closings().tenant().await?.ok_or(Error::NotFound)?;
    let counts = reader.closings().count(None, services.clock().now()).await?;
    let last = reader.closings().last(None).await?;
    let name = (row.uid.into_string(), row.name);
    Ok(shown(name, (row.state, row.since), counts, last))
}

async fn change(
    services: &Services,
    caller: &Caller,
    step: Step,
    (verb, reason): (Verb, Option<String>),
) -> Result<Shown> {
    let turning = Turning {
        closing: services.ids().next().into_string(),
        step,
        verb,
        reason,
    };
    perform(services, caller, turning).await?;
    until_everywhere(services).await;
    found(services, caller).await
}

/// What is done to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Suspend,
    Resume,
    Delete,
    Restore,
}

impl Step {
    /// What becomes of a tenant that is this by now, and what is said of it; none where it is so already.
    fn done_to(self, state: State) -> Result<Option<(State, What)>> {
        Ok(match (self, state) {
            (Self::Resume, State::Active) => None,
            (Self::Resume, State::Suspended) => Some((State::Active, What::TenantResumed)),
            (Self::Suspend, State::Active | State::Suspended) => Some((State::Suspended, What::TenantSuspended)),
            (Self::Delete, State::Active | State::Suspended) => Some((State::Deleted, What::TenantDeleted)),
            (Self::Restore, State::Deleted) => Some((State::Suspended, What::TenantRestored)),
            (Self::Restore, State::Active | State::Suspended) => {
                return Err(Error::conflict("this organisation is not deleted"));
            }
            // Only the operator brings it back, and says so.
            (Self::Resume | Self::Suspend | Self::Delete, State::Deleted) => {
                return Err(Error::conflict(
                    "this organisation was deleted: `muster tenant restore` brings it back first",
                ));
            }
        })
    }
}

struct Turning {
    /// Id of what is done to the users.
    closing: String,
    step: Step,
    verb: Verb,
    reason: Option<String>,
}

impl Change for Turning {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        // Held first, as every unit does; whoever decides by the version before reads it anew.
        desk.unit.policy().hold().await?;
        let row: Tenant = desk.unit.closings().tenant().await?.ok_or(Error::NotFound)?;
        let Some((to, what)) = self.step.done_to(row.state)? else {
            return Ok(());
        };
        let since = match (row.state, to) {
            (State::Suspended, State::Suspended) => row.since,
            _ => Some(desk.now),
        };
        desk.unit.closings().turn_tenant(to, since);
        desk.unit.policy().bump();
        let closing = NewClosing {
            id: &self.closing,
            connection: None,
            verb: self.verb,
            reason: self.reason.as_deref(),
            now: desk.now,
        };
        desk.unit.closings().begin(closing).await?;
        if to != State::Active {
            deferred::refuse(&mut desk.unit, None);
        }
        let data = json!({ "users": self.verb.as_str(), "closing": self.closing });
        desk.note(what, ledger::thing(Thing::Tenant, &row.uid), &data);
        Ok(())
    }
}
