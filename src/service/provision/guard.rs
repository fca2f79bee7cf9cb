//! What provisioning may not do, whatever an identity provider asks: end the owner's account or the last
//! administrator's, or say who is in a smart group.
//!
//! What is told of a violation, and what becomes of the request, is in `parked`.

use crate::access::invariant::{Deed, Demands, by_rules};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::scim;
use crate::service::access::{invariants, policy};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::{Kind, Unit};

/// How much of the policy a change needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// That it stays as it is.
    Share,
    /// That nobody else shares it: to count administrators, or because the change may move it.
    Hold,
}

/// The policy, locked by a unit.
///
/// INVARIANT: a unit locks the policy first and resources after it. Units that lock them in different orders wait for each
/// other; PostgreSQL finds that out after a second, and undoes one of them.
pub(super) struct Locked {
    version: i64,
    /// What an organisation demands of its administrators, where the policy is held.
    demands: Option<Demands>,
}

impl Locked {
    /// Locks it, before anything else.
    pub(super) async fn take(unit: &mut Unit, need: Need) -> Result<Self> {
        Ok(match need {
            Need::Share => Self {
                version: unit.policy().share().await?,
                demands: None,
            },
            Need::Hold => {
                let (version, settings) = unit.policy().hold_settings().await?;
                Self {
                    version,
                    demands: Some(settings.demands),
                }
            }
        })
    }

    /// The version that is locked.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }

    /// Whether it is enough.
    pub(super) fn is_enough(&self, need: Need) -> bool {
        need == Need::Share || self.demands.is_some()
    }

    /// What is demanded of administrators. The whole is done again by a unit that holds the policy, if this one does not.
    fn demands(&self) -> Result<&Demands> {
        self.demands.as_ref().ok_or(Error::Busy)
    }
}

/// What a unit needs that changes the members of some group: being in a group may make administrators.
pub(super) async fn need_for_members(services: &Services, caller: &Caller) -> Result<Need> {
    let book = policy::latest(services, caller).await?;
    let counts = invariants::groups_make_admins(&book);
    Ok(if counts { Need::Hold } else { Need::Share })
}

/// Begins what several requests do together, of which some may change the members of groups: the policy is locked as far as
/// any of them needs it, before one of them locks anything else.
///
/// # Errors
/// A database that does not answer.
pub(in crate::service) async fn begin_together(services: &Services, caller: &Caller) -> Result<()> {
    let need = need_for_members(services, caller).await?;
    let mut unit = services.begin(caller).await?;
    Locked::take(&mut unit, need).await?;
    Ok(unit.save().await?)
}

/// What is to be looked at again when the change is made.
pub(super) struct Guard {
    services: Services,
    caller: Caller,
    admins: Option<invariants::Admins>,
    /// Whether rules say who is in the group: then nobody else does.
    smart: bool,
}

/// Before a resource ends; of a group, whoever was an administrator through it may be the last.
pub(super) async fn before_end(
    services: &Services,
    caller: &Caller,
    (unit, locked): (&mut Unit, &Locked),
    (kind, pk, deed): (Kind, Pk, Deed),
    now: Timestamp,
) -> Result<Guard> {
    match kind {
        Kind::User => {
            let may = invariants::may_end(unit, locked.demands()?, (pk, deed), now).await?;
            may.map_err(Error::Violated)?;
            Ok(Guard {
                services: services.clone(),
                caller: caller.clone(),
                admins: None,
                smart: false,
            })
        }
        Kind::Group => {
            let guard = before_members(services, caller, (unit, locked), pk, now).await?;
            Ok(Guard { smart: false, ..guard })
        }
        // Nobody has access by it.
        Kind::Own(_) => Ok(Guard {
            services: services.clone(),
            caller: caller.clone(),
            admins: None,
            smart: false,
        }),
    }
}

/// Before members of a group come and go.
pub(super) async fn before_members(
    services: &Services,
    caller: &Caller,
    (unit, locked): (&mut Unit, &Locked),
    group: Pk,
    now: Timestamp,
) -> Result<Guard> {
    let book = policy::latest(services, caller).await?;
    if book.rulebook.version() != locked.version {
        services.policies().forget(caller.tenant());
        return Err(Error::Busy);
    }
    let admins = if invariants::groups_make_admins(&book) {
        Some(invariants::count(unit, locked.demands()?.clone(), now).await?)
    } else {
        None
    };
    Ok(Guard {
        services: services.clone(),
        caller: caller.clone(),
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
                if by_rules(&policy::read(&self.services, &self.caller, shared)?.0) {
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
