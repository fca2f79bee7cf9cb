//! A leave of absence that never begins, or ends early.

use super::schedule::{self, Source};
use super::turn::{self, Turning};
use crate::access::lifecycle::{Ask, By, Verdict};
use crate::base::id::ResourceId;
use crate::service::access::authority::{GIVE, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::policy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::What;
use crate::store::Kind;
use crate::store::resources::Groups;

/// Decides against a leave of absence. Whoever is on it comes back now: they are what provisioning said last.
///
/// # Errors
/// `Forbidden`, `NotFound`, also where none is planned and nobody is away.
pub async fn cancel_leave(services: &Services, caller: &Caller, user: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let user = ResourceId::new(user);
    perform(services, caller, Cancelling { user }).await
}

struct Cancelling {
    user: ResourceId,
}

impl Change for Cancelling {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        // What the change of the status rests on is the policy that the unit has locked.
        let version = desk.unit.policy().share().await?;
        policy::locked_at(&desk.services, &desk.caller, version).await?;
        let turning = Turning {
            ask: Ask::Return { source_active: true },
            by: By::Administrator,
            reason: None,
            until: None,
            closing: None,
        };
        let came = turn::in_unit(&desk.services, &desk.caller, &mut desk.unit, &self.user, &turning);
        let came = came.await.map_err(|error| match error {
            // Whoever is deleted has no leave.
            Error::Conflict(_) => Error::NotFound,
            other => other,
        })?;
        let mut resources = desk.unit.resources();
        let stored = resources.find(Kind::User, &self.user, None, Groups::LeftOut).await?;
        let stored = stored.ok_or(Error::NotFound)?;
        let cancelled = desk.unit.schedules().cancel(stored.pk, Source::Leave, desk.now).await?;
        if cancelled.is_empty() && !matches!(came, Verdict::Turns(_)) {
            return Err(Error::NotFound);
        }
        for plan in &cancelled {
            schedule::tell(&mut desk.unit, &desk.caller, desk.now, What::ScheduleCancelled, plan);
        }
        Ok(())
    }
}
