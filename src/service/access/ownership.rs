//! Who owns the organisation: exactly one user, who hands over to another.

use serde_json::json;
use std::collections::BTreeSet;

use super::authority::{self, require};
use super::desk::{Change, Desk, perform};
use super::invariants::user_of;
use super::names::Named;
use super::pending::Matter;
use crate::access::invariant::{Hand, Transfer, transfer as check};
use crate::access::permission::Predefined;
use crate::access::{Origin, Reach, Restriction, Subject, Validity};
use crate::base::id::{Pk, ResourceId};
use crate::service::context::{Authority, Caller, Services};
use crate::service::credentials;
use crate::service::error::{Error, Result};
use crate::service::keys::Person;
use crate::service::ledger::{self, Thing, What};
use crate::service::told;
use crate::store::Kind;
use crate::store::access::grants::{NewGrant, StoredGrant};
use crate::store::access::told::{Telling, ToldGrant};
use crate::store::document::Stored;
use crate::store::error::Unique;
use crate::store::resources::Groups;

/// Who the owner is now, and was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The owner; none until the first claim.
    pub owner: Option<Named>,
    /// Who was it before a transfer, and is an admin now.
    pub former: Option<Named>,
}

/// Who the owner is.
///
/// # Errors
/// `Forbidden`.
pub async fn find(services: &Services, caller: &Caller) -> Result<Ownership> {
    require(services, caller, &[authority::VIEW]).await?;
    let owner = services.read(caller).grants().owner().await?;
    Ok(Ownership {
        owner: owner.map(holder),
        former: None,
    })
}

/// The user of this id or `userName`, with the latter.
///
/// # Errors
/// `Forbidden`, a user that does not exist.
pub async fn candidate(services: &Services, caller: &Caller, who: &str) -> Result<Named> {
    require(services, caller, &[authority::VIEW]).await?;
    let reader = services.read(caller);
    let mut found = reader.accounts().of(&BTreeSet::from([who.to_owned()])).await?;
    if found.is_empty() {
        found = reader.accounts().named(&[who.to_owned()]).await?;
    }
    let account = found.into_iter().next();
    let account = account.ok_or_else(|| Error::invalid("/to", format!("there is no user `{who}`")))?;
    Ok(Named {
        id: account.id.into_string(),
        name: account.user_name,
    })
}

/// Makes the user of this id the owner; the owner until then becomes an admin.
///
/// The tokens the next owner has had until then end with it, whoever made them.
///
/// The owner does so as themselves. An admin token and the operator make the first owner, and another one only with
/// `break_glass`: the reason, which goes into the ledger and the log.
///
/// # Errors
/// `Forbidden` for everybody else, a user that does not exist, is not active, or is the owner already.
pub async fn transfer(services: &Services, caller: &Caller, to: &str, break_glass: Option<&str>) -> Result<Ownership> {
    // Whoever else may ask: the unit knows who the owner is.
    authority::held(services, caller).await?;
    let handing = Handing {
        to: to.to_owned(),
        reason: break_glass.map(str::to_owned),
        grant: services.ids().next().into_string(),
    };
    let (made, revoked) = perform(services, caller, handing).await?;
    if revoked {
        credentials::until_everywhere(services).await;
    }
    if made.former.is_some() && break_glass.is_some() {
        tracing::warn!(
            tenant.slug = caller.tenant_slug(),
            "the ownership of a tenant was moved by break-glass"
        );
    }
    Ok(made)
}

fn holder(row: StoredGrant) -> Named {
    Named {
        id: row.subject_id.into_string(),
        name: row.subject_name,
    }
}

struct Handing {
    to: String,
    reason: Option<String>,
    grant: String,
}

impl Handing {
    /// As whom the caller asks.
    async fn hand(&self, desk: &mut Desk, owned: bool) -> Result<Hand<'_>> {
        match (desk.caller.authority(), owned) {
            (Authority::User(id), _) => {
                let ids = [ResourceId::new(id.as_str())];
                let found = desk.unit.resources().pks(&ids).await?.into_iter().next();
                Ok(Hand::User(found.map_or(Pk(0), |(_, pk, _)| pk)))
            }
            (_, false) => Ok(Hand::FirstClaim),
            (_, true) => Ok(Hand::BreakGlass {
                reason: self.reason.as_deref().unwrap_or_default(),
            }),
        }
    }
}

impl Handing {
    /// Says in the log who handed over to whom, and why.
    async fn tell(&self, desk: &mut Desk, to: &Stored, former: Option<&Named>) -> Result<()> {
        let person = Person::of(&desk.services, &desk.caller, &to.id, to.seal.as_deref()).await?;
        let entry = ledger::Entry {
            what: What::OwnershipTransferred,
            subject: (Kind::User, to.pk, &to.id),
            about: Vec::new(),
            data: json!({
                "grant": self.grant,
                "from": former.map(|former| &former.id),
                "break_glass": self.reason.is_some(),
            }),
            changes: None,
            reason: self.reason.as_deref(),
            person: person.as_ref(),
        };
        ledger::record(&mut desk.unit, &desk.caller, desk.now, entry);
        Ok(())
    }
}

impl Change for Handing {
    /// Who owns it now, and whether tokens ended.
    type Made = (Ownership, bool);

    async fn make(&self, desk: &mut Desk) -> Result<(Ownership, bool)> {
        desk.unit.policy().hold().await?;
        let owner = desk.unit.grants().owner().await?;
        let id = ResourceId::new(self.to.as_str());
        let mut resources = desk.unit.resources();
        let found = resources
            .find_for_update(Kind::User, &id, None, Groups::LeftOut)
            .await?;
        let to = found.ok_or_else(|| Error::invalid("/to", format!("there is no user `{id}`")))?;
        let by = self.hand(desk, owner.is_some()).await?;
        let owner_pk = owner.as_ref().and_then(user_of);
        check(&Transfer {
            owner: owner_pk,
            by,
            to: to.pk,
            to_is_active: to.active.unwrap_or(true),
        })?;
        if let Some(owner) = &owner {
            let admin = Predefined::Admin.key();
            let before = desk.unit.grants().told(Telling::Id(&owner.grant.id)).await?;
            desk.unit.grants().set_role(owner.grant.key, admin).await?;
            tell_admin(desk, before);
        }
        let author = Desk::author(&desk.caller);
        let row = NewGrant {
            id: &self.grant,
            subject: Subject::User(to.pk),
            role: Predefined::Owner.key(),
            reach: &Reach::All,
            validity: Validity::ALWAYS,
            restriction: &Restriction::NONE,
            origin: Origin::Manual,
        };
        let made = desk.unit.grants().create(row, author.at(desk.now)).await;
        drop(author);
        made.map_err(|error| match error {
            crate::store::Error::Taken(Unique::Owner) => crate::access::invariant::Violation::SecondOwner.into(),
            other => Error::from(other),
        })?;
        if let Some(former) = owner_pk {
            // Whatever provisioning wanted of them, it can have it now: it only has to ask again.
            desk.unit
                .pendings()
                .settle_about(former, Matter::LeavingOwner.as_str(), "transferred");
        }
        if owner_pk.is_some() {
            rule_again(desk).await?;
        }
        let made = desk.unit.grants().told(Telling::Id(&self.grant)).await?;
        for made in &made {
            told::given(&mut desk.unit, &desk.caller, desk.now, made);
        }
        let revoked = revoke_tokens(desk, to.pk).await?;
        let former = owner.map(holder);
        self.tell(desk, &to, former.as_ref()).await?;
        let owner = Some(Named {
            id: to.id.into_string(),
            name: to.label,
        });
        Ok((Ownership { owner, former }, revoked))
    }
}

/// The former owner did not have to go by any rule of status: everybody is asked about anew.
async fn rule_again(desk: &mut Desk) -> Result<()> {
    if !desk.unit.policy().settings().await?.status_rules.is_empty() {
        let id = desk.services.ids().next().into_string();
        desk.unit.rulings().begin(&id, desk.now);
    }
    Ok(())
}

/// Says in the log that the owner until now is an admin.
fn tell_admin(desk: &mut Desk, before: Vec<ToldGrant>) {
    for before in before {
        let mut after = before.clone();
        Predefined::Admin.id().clone_into(&mut after.image.role);
        told::changed(&mut desk.unit, &desk.caller, desk.now, &before.image, &after);
    }
}

/// Ends the tokens of the next owner: who made one for them beforehand would be the owner. Their own end, too, as they
/// may have been made with such a one. Says whether there were any.
async fn revoke_tokens(desk: &mut Desk, user: Pk) -> Result<bool> {
    let ended = desk.unit.tokens().revoke_of(user, desk.now).await?;
    for id in &ended {
        desk.note(
            What::TokenRevoked,
            ledger::thing(Thing::Token, id),
            &json!({ "token": id }),
        );
    }
    Ok(!ended.is_empty())
}
