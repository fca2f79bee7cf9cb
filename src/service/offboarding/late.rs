//! Runs whose deadline has passed before everything was confirmed.

use super::follow::tell;
use super::pass::{NAME, unless_overtaken};
use crate::base::clock::Timestamp;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::What;
use crate::store::Unit;
use crate::store::runs::due::{self, Place};

/// Turns runs late; gives how many.
pub(super) async fn turn(services: &Services) -> Result<usize> {
    let mut turned = 0;
    for place in due::overdue(services.db(), services.clock().now()).await? {
        turned += unless_overtaken(turn_in(services, &place).await)?.unwrap_or(0);
    }
    Ok(turned)
}

async fn turn_in(services: &Services, place: &Place) -> Result<usize> {
    let caller = Caller::system(services, place.tenant, &place.slug, NAME);
    let mut unit = services.begin(&caller).await?;
    let late = turn_and_tell(&mut unit, &caller, None, services.clock().now()).await?;
    unit.save().await?;
    Ok(late)
}

/// Turns runs of the unit's tenant late, or this one only, where their deadline has passed.
pub(super) async fn turn_and_tell(
    unit: &mut Unit,
    caller: &Caller,
    only: Option<i64>,
    now: Timestamp,
) -> Result<usize> {
    let late = unit.runs().turn_late(only, now).await?;
    tell(unit, caller, now, What::RunLate, &late);
    for run in &late {
        tracing::error!(
            tenant.slug = caller.tenant_slug(),
            run.id = run.uid,
            "an offboarding run is late: somebody whose account ended may still have access"
        );
    }
    Ok(late.len())
}
