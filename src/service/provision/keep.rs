//! What is kept with the document of a user, and what must hold before it is written.

use super::guard::{self, Locked, Need};
use super::plan::Planned;
use super::write::Target;
use crate::access::invariant::Deed;
use crate::base::clock::Timestamp;
use crate::service::derive::{self, Known};
use crate::service::error::Error;
use crate::store::{self, Unit};

/// Why a resource was not written.
pub(super) enum Failure {
    /// The resource, or the policy, is not at the version that was read.
    Stale,
    Other(Error),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// What must hold before a resource is written, and what is kept with the document of a user.
pub(super) async fn keep(
    target: &Target,
    unit: &mut Unit,
    planned: &mut Planned,
    now: Timestamp,
) -> std::result::Result<(), Failure> {
    let Target { services, caller, .. } = target;
    let pk = planned.stored.pk;
    let locked = locked(target, unit, planned).await?;
    if let (true, Some(locked)) = (planned.ends, &locked) {
        let deed = (target.store_kind, pk, Deed::Deactivate);
        guard::before_end(services, caller, (unit, locked), deed, now).await?;
    }
    // Before anything is written: the policy is locked first.
    if let Some(derived) = &planned.derived {
        derived.share(unit);
    } else if target.store_kind.is_own() && locked.is_none() {
        unit.policy().share_later();
    }
    if let (Some(asked), Some(locked)) = (&planned.asked, &locked) {
        let user = (pk, &planned.stored.id);
        let settled = asked.settle(services, caller, (unit, locked), user, now).await?;
        // Whoever counts administrators holds the policy: the whole is made again by a unit that does.
        planned.roles_moved = settled.ok_or(Failure::Stale)?;
    }
    if let Some(standing) = &planned.standing {
        standing.keep(unit, pk, now);
    }
    if let Some(derived) = &planned.derived {
        derived.write(caller, unit, (pk, Known::Before), now);
    }
    Ok(())
}

/// The policy as far as it has to be locked before anything is read: what is read must not be what finds out that it is
/// another by now.
async fn locked(
    target: &Target,
    unit: &mut Unit,
    planned: &mut Planned,
) -> std::result::Result<Option<Locked>, Failure> {
    let locked = match (planned.locked.take(), planned.ends, &planned.asked) {
        (Some(locked), ..) => locked,
        (None, true, _) => Locked::take(unit, Need::Hold).await?,
        (None, false, Some(_)) => Locked::take(unit, Need::Share).await?,
        (None, false, None) => return Ok(None),
    };
    let derived = planned.derived.as_ref();
    if derived.is_some_and(|derived| derived.book().rulebook.version() != locked.version()) {
        derive::forget(&target.services, &target.caller);
        return Err(Failure::Stale);
    }
    Ok(Some(locked))
}
