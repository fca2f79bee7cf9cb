//! A grant is changed, or taken away.

use super::give::{check_validity, permissions_of};
use super::shown::{Grant, find_again};
use crate::access::invariant::{self, Deed};
use crate::access::permission::Predefined;
use crate::access::{Subject, Validity};
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::told;
use crate::store::access::grants::StoredGrant;
use crate::store::access::told::{Telling, ToldGrant};

/// Changes when a grant counts.
///
/// # Errors
/// `Forbidden`, `NotFound`; the owner's grant, and the last administrator's, have no end.
pub async fn change(services: &Services, caller: &Caller, id: &str, validity: Validity) -> Result<Grant> {
    let held = require(services, caller, &[GIVE]).await?;
    check_validity(validity)?;
    let moving = Moving {
        id: id.to_owned(),
        held,
        deed: Edit::Validity(validity),
    };
    perform(services, caller, moving).await?;
    find_again(services, caller, id).await
}

/// Takes a grant away.
///
/// # Errors
/// `Forbidden`, `NotFound`; the owner's grant, and the last administrator's.
pub async fn delete(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    let held = require(services, caller, &[GIVE]).await?;
    let moving = Moving {
        id: id.to_owned(),
        held,
        deed: Edit::Delete,
    };
    perform(services, caller, moving).await
}

pub(in crate::service::access) enum Edit {
    Validity(Validity),
    Delete,
}

/// A grant that is changed or taken.
pub(in crate::service::access) struct Moving {
    pub(in crate::service::access) id: String,
    pub(in crate::service::access) held: Held,
    pub(in crate::service::access) deed: Edit,
}

impl Change for Moving {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.grants().find(&self.id).await?;
        let StoredGrant { grant, .. } = found.ok_or(Error::NotFound)?;
        if grant.role == Predefined::Owner.key() {
            return Err(invariant::Violation::OwnerStays(Deed::TakeRole).into());
        }
        // Shared by whoever changes what a user has. The grant of a group moves the policy, and administrators are counted
        // with it held: two that share it first would wait for each other.
        if matches!(grant.subject, Subject::Group(_)) || invariant::makes_admins(&grant) {
            desk.unit.policy().hold().await?;
        } else {
            desk.unit.policy().share().await?;
        }
        // Who cannot give it cannot take it, nor make it last longer.
        let permissions = permissions_of(desk, grant.role).await?;
        self.held.covers(&desk.services, permissions)?;
        if invariant::makes_admins(&grant) {
            desk.watch_admins().await?;
        }
        let told = desk.unit.grants().told(Telling::Id(&self.id)).await?;
        let told = told.into_iter().next().ok_or(Error::NotFound)?;
        match self.deed {
            Edit::Validity(validity) => {
                desk.unit.grants().set_validity(grant.key, validity).await?;
                if invariant::makes_admins(&grant) && validity.to.is_some() {
                    desk.watch_passing().await?;
                }
                let before = told.image.clone();
                let after = ToldGrant {
                    image: told.image.valid(validity),
                    ..told
                };
                told::changed(&mut desk.unit, &desk.caller, desk.now, &before, &after);
            }
            Edit::Delete => {
                if !desk.unit.grants().delete(grant.key).await? {
                    return Err(Error::NotFound);
                }
                told::taken(&mut desk.unit, &desk.caller, desk.now, &[told]);
            }
        }
        Ok(())
    }
}
