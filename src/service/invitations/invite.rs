//! Several people are asked to come, each by themselves.

use serde_json::json;

use super::address;
use super::token::{self, For, To};
use crate::access::Origin;
use crate::access::Validity;
use crate::access::lifecycle::{Hold, Status};
use crate::base::id::{Pk, ResourceId};
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform, rehearse};
use crate::service::access::grants::{Giving, NewGrant, SubjectKind, Where};
use crate::service::access::policy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::Author;
use crate::service::lifecycle::newcomer::{Newcomer, Profile};
use crate::service::told;
use crate::store::Kind;
use crate::store::access::told::Telling;
use crate::store::document::Stored;
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::resources::Groups;

/// Who is asked to come, and to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Addresses, with commas between them.
    pub emails: String,
    /// Id of the role they get.
    pub role: String,
    /// Id of the scope where it counts; everywhere without one.
    pub scope: Option<String>,
}

/// What came of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// There is somebody new, who waits.
    Invited,
    /// They were invited before, and have another token now.
    InvitedAgain,
    /// They are there, and come in already.
    AlreadyActive,
    /// It is no address.
    Invalid,
    /// It cannot be.
    Refused,
}

impl Came {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::InvitedAgain => "invited_again",
            Self::AlreadyActive => "already_active",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
        }
    }
}

/// An address and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The address, as it is compared.
    pub address: String,
    /// What came of it.
    pub came: Came,
    /// Id of the user, where there is one.
    pub user: Option<String>,
    /// Id of the invitation, where there is one.
    pub invitation: Option<String>,
    /// Why not.
    pub reason: Option<String>,
}

/// Asks everybody of a list to come: one result an address, each once. What is refused for one is done for the others.
///
/// # Errors
/// `Forbidden`, also for a role that permits what the caller does not hold; no address or too many; a role or scope that does
/// not exist; the role of the owner.
pub async fn invite(services: &Services, caller: &Caller, asked: &Asked) -> Result<Vec<Told>> {
    let held = require(services, caller, &[GIVE]).await?;
    let addresses = address::all(&asked.emails)?;
    let to = To::new(&asked.role, asked.scope.as_deref());
    rehearse(services, caller, Admitting { to: to.clone(), held }).await?;
    let mut told = Vec::with_capacity(addresses.len());
    for address in addresses {
        let (came, reason) = if address::is_one(&address) {
            let inviting = Inviting {
                newcomer: Newcomer::new(services, caller).await?,
                address: address.clone(),
                grant: services.ids().next().into_string(),
                to: to.clone(),
                held,
            };
            match perform(services, caller, inviting).await {
                Ok(made) => (made, None),
                Err(Error::Invalid(refusal) | Error::Conflict(refusal)) => {
                    (Made::none(Came::Refused), Some(refusal.reason))
                }
                // What everybody is invited to may be given, so it is this address to which rules give more.
                Err(Error::Forbidden(reason)) => (Made::none(Came::Refused), Some(reason)),
                Err(error @ (Error::Violated(_) | Error::Protocol(_))) => {
                    (Made::none(Came::Refused), Some(error.to_string()))
                }
                // Those before are invited, and nobody is to ask for them again.
                Err(error) if !told.is_empty() => {
                    not_now(&error);
                    (Made::none(Came::Refused), Some(NOT_NOW.to_owned()))
                }
                Err(error) => return Err(error),
            }
        } else {
            let reason = "this is no e-mail address".to_owned();
            (Made::none(Came::Invalid), Some(reason))
        };
        told.push(Told {
            address,
            came: came.came,
            user: came.user,
            invitation: came.invitation,
            reason,
        });
    }
    Ok(told)
}

/// Why one of many was not invited though it could be.
const NOT_NOW: &str = "this could not be done just now: ask for this address again";

fn not_now(error: &Error) {
    if let Error::Internal(fault) = error {
        tracing::error!(error = %fault, "somebody could not be invited; those before are");
    }
}

/// Whether the caller may give what everybody is invited to.
struct Admitting {
    to: To,
    held: Held,
}

impl Change for Admitting {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().share().await?;
        let place = Where::Scope(self.to.scope.clone());
        Giving::admit(desk, &self.to.role, &place, self.held).await.map(drop)
    }
}

/// One person is asked to come.
struct Inviting {
    newcomer: Newcomer,
    address: String,
    grant: String,
    to: To,
    held: Held,
}

/// What came of it.
struct Made {
    came: Came,
    user: Option<String>,
    invitation: Option<String>,
}

impl Made {
    const fn none(came: Came) -> Self {
        Self {
            came,
            user: None,
            invitation: None,
        }
    }
}

impl Change for Inviting {
    type Made = Made;

    async fn make(&self, desk: &mut Desk) -> Result<Made> {
        // The policy before resources, as every unit locks them.
        let version = desk.unit.policy().share().await?;
        policy::locked_at(&desk.services, &desk.caller, version).await?;
        let found = desk.unit.accounts().named(std::slice::from_ref(&self.address)).await?;
        let Some(account) = found.into_iter().next() else {
            return self.first(desk).await;
        };
        let mut resources = desk.unit.resources();
        let stored = resources
            .find_for_update(Kind::User, &account.id, None, Groups::LeftOut)
            .await?;
        let stored = stored.ok_or(Error::Busy)?;
        let held = desk.unit.statuses().find(stored.pk).await?;
        let status = Status::of(stored.active != Some(false), held.map(|held| held.hold));
        let made = |came, invitation| Made {
            came,
            user: Some(stored.id.as_str().to_owned()),
            invitation,
        };
        match status {
            Status::Invited => {
                let invitation = self.again(desk, &stored).await?;
                Ok(made(Came::InvitedAgain, Some(invitation)))
            }
            Status::Active => Ok(made(Came::AlreadyActive, None)),
            other => Err(Error::conflict(format!(
                "this user is {}: an administrator can activate them",
                other.as_str()
            ))),
        }
    }
}

impl Inviting {
    /// Makes somebody who waits.
    async fn first(&self, desk: &mut Desk) -> Result<Made> {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": self.address,
            "emails": [{ "value": self.address, "primary": true }],
            "active": false,
        });
        let profile = Profile::of(&desk.caller, &body)?;
        let (pk, by_profile) = self.newcomer.enter(desk, &profile, ("invitation", None)).await?;
        // Whoever chooses an address gives what rules give to it.
        self.held.covers(&desk.services, by_profile)?;
        let author = Author::of(&desk.caller);
        let (actor_kind, actor_id) = author.who();
        let hold = StoredHold {
            hold: Hold::Invited,
            source_active: true,
            since: desk.now,
            until: None,
            reason: None,
            actor_kind: actor_kind.to_owned(),
            actor_id: actor_id.to_owned(),
            closing: None,
        };
        desk.unit.statuses().set(pk, hold);
        let user = (pk, &self.newcomer.id);
        self.give(desk, self.newcomer.id.as_str()).await?;
        let invitation = token::send(desk, self.whom(user), &self.to, &self.grant).await?;
        Ok(Made {
            came: Came::Invited,
            user: Some(self.newcomer.id.as_str().to_owned()),
            invitation: Some(invitation),
        })
    }

    /// Gives somebody who waits a new token; and what they are invited to, where that is something else by now.
    async fn again(&self, desk: &mut Desk, stored: &Stored) -> Result<String> {
        let whom = self.whom((stored.pk, &stored.id));
        let before = desk.unit.invitations().of(stored.pk).await?;
        if let Some(before) = &before {
            let same = To::new(&before.role, Some(&before.scope)) == self.to;
            if same && desk.unit.grants().find(&before.grant).await?.is_some() {
                return token::send(desk, whom, &self.to, &before.grant).await;
            }
            take_back(desk, &before.grant).await?;
        }
        self.give(desk, stored.id.as_str()).await?;
        token::send(desk, whom, &self.to, &self.grant).await
    }

    fn whom<'a>(&'a self, user: (Pk, &'a ResourceId)) -> For<'a> {
        For {
            user,
            address: Some(&self.address),
        }
    }

    async fn give(&self, desk: &mut Desk, user: &str) -> Result<()> {
        give(desk, (&self.grant, self.held), user, &self.to).await
    }
}

/// Gives a user what they are invited to, as a grant of this id.
pub(super) async fn give(desk: &mut Desk, (grant, held): (&str, Held), user: &str, to: &To) -> Result<()> {
    let new = NewGrant {
        subject_kind: SubjectKind::User,
        subject: user.to_owned(),
        role: to.role.clone(),
        place: Where::Scope(to.scope.clone()),
        validity: Validity::ALWAYS,
        restrict: std::collections::BTreeMap::new(),
    };
    let giving = Giving::new(grant, &new, held)?.of(Origin::Invitation);
    giving.make(desk).await
}

/// Takes back what somebody was given with an invitation, as far as it is there.
pub(super) async fn take_back(desk: &mut Desk, grant: &str) -> Result<()> {
    let Some(found) = desk.unit.grants().find(grant).await? else {
        return Ok(());
    };
    let told = desk.unit.grants().told(Telling::Id(grant)).await?;
    desk.unit.grants().withdraw(&[found.grant.key]);
    told::taken(&mut desk.unit, &desk.caller, desk.now, &told);
    Ok(())
}
