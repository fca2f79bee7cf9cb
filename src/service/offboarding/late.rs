//! Runs in which somebody has let their deadline pass before they confirmed.

use serde_json::json;

use super::follow::tell;
use super::pass::{NAME, left_alone};
use crate::base::clock::Timestamp;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::What;
use crate::service::mail::{self, Template};
use crate::service::setbacks::{Work, one_of_many};
use crate::store::Unit;
use crate::store::runs::due::{self, Place};

/// Turns runs late; gives how many.
pub(super) async fn turn(services: &Services) -> Result<usize> {
    let mut turned = 0;
    let alone = left_alone(services, Work::Late);
    for place in due::overdue(services.db(), services.clock().now(), &alone).await? {
        let of = (Work::Late, place.tenant.0);
        turned += one_of_many(services, of, turn_in(services, &place)).await?.unwrap_or(0);
    }
    Ok(turned)
}

async fn turn_in(services: &Services, place: &Place) -> Result<usize> {
    let caller = Caller::system(services, place.tenant, &place.slug, NAME);
    let mut unit = services.begin(&caller).await?;
    let late = turn_and_tell(services, &mut unit, &caller, None, services.clock().now()).await?;
    unit.save().await?;
    Ok(late)
}

/// Turns runs of the unit's tenant late, or this one only, where somebody is late, and has administrators told.
pub(super) async fn turn_and_tell(
    services: &Services,
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
    if let Some(first) = late.first() {
        let told = json!({ "run": first.uid, "runs": late.len() });
        mail::alert_in(services, unit, now, (Template::RunLate, &told)).await?;
    }
    Ok(late.len())
}
