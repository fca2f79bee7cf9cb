//! What provisioning may not do, whatever an identity provider asks: end the owner's account or the last
//! administrator's, or say who is in a smart group.
//!
//! What is told of a violation, and what becomes of the request, is in `parked`.

use crate::access::invariant::{Deed, by_rules};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::scim;
use crate::service::access::{invariants, policy};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::{Kind, Unit};

/// What is to be looked at again when the change is made.
pub(super) struct Guard {
    services: Services,
    admins: Option<invariants::Admins>,
    /// Whether rules say who is in the group: then nobody else does.
    smart: bool,
}

/// Before a resource ends; of a group, whoever was an administrator through it may be the last.
pub(super) async fn before_end(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    (kind, pk, deed): (Kind, Pk, Deed),
    now: Timestamp,
) -> Result<Guard> {
    match kind {
        Kind::User => {
            let may = invariants::may_end(unit, pk, deed, now).await?;
            may.map_err(Error::Violated)?;
            Ok(Guard {
                services: services.clone(),
                admins: None,
                smart: false,
            })
        }
        Kind::Group => {
            let guard = before_members(services, caller, unit, pk, now).await?;
            Ok(Guard { smart: false, ..guard })
        }
    }
}

/// Before members of a group come and go.
pub(super) async fn before_members(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    group: Pk,
    now: Timestamp,
) -> Result<Guard> {
    let book = policy::latest(services, caller).await?;
    // Held at once where it has to be: who shares it first and holds it then waits for others who do the same.
    let (version, admins) = if invariants::groups_make_admins(&book) {
        let admins = invariants::admins(unit, now).await?;
        (unit.policy().version().await?, Some(admins))
    } else {
        (unit.policy().share().await?, None)
    };
    if book.rulebook.version() != version {
        services.policies().forget(caller.tenant());
        return Err(Error::Busy);
    }
    Ok(Guard {
        services: services.clone(),
        admins,
        smart: book.rulebook.is_smart(group),
    })
}

impl Guard {
    /// Whether rules say who is in the group.
    pub(super) fn is_smart(&self) -> bool {
        self.smart
    }

    /// After the change.
    pub(super) async fn check(&self, unit: &mut Unit, now: Timestamp) -> Result<()> {
        if let Some(admins) = &self.admins {
            let stay = admins.stay(unit, now).await?;
            stay.map_err(Error::Violated)?;
            if let Err(violation) = invariants::founded(unit, now).await? {
                // Nobody was an administrator for good. What rules give to a group, it may now give to others.
                let shared = unit.policy().load().await?;
                if by_rules(&policy::read(&self.services, shared)?.0) {
                    return Err(Error::Violated(violation));
                }
            }
        }
        Ok(())
    }
}

/// Why nobody says who is in a smart group.
pub(super) fn given_by_rules() -> Error {
    scim::Error::mutability(
        "the members of this group are given by rules; change the rules, or the users they speak of",
    )
    .into()
}
