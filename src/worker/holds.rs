//! Makes the changes of holds that are approved, also those that another server was about to make when it stopped.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::{Services, fuse};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(2);

/// Runs until `stop`. An idle server writes nothing.
pub async fn run(services: Services, stop: CancellationToken) {
    let holder = services.ids().next_unit();
    loop {
        let more = tokio::select! {
            more = once(&services, &holder) => more,
            () = stop.cancelled() => return,
        };
        if more {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Goes on with what is approved, and says how many fuses have tripped; whether there is more to do at once.
async fn once(services: &Services, holder: &str) -> bool {
    match work(services, holder).await {
        Ok(more) => more,
        Err(fault) => {
            tracing::warn!(
                error = &fault as &dyn std::error::Error,
                "approved changes could not be made; it is tried again"
            );
            false
        }
    }
}

async fn work(services: &Services, holder: &str) -> crate::service::Result<bool> {
    let tripped = fuse::tripped(services).await?;
    metrics::gauge!("muster_fuse_tripped").set(u32::try_from(tripped).unwrap_or(u32::MAX));
    if !fuse::is_behind(services).await? || !fuse::lease(services, holder).await? {
        return Ok(false);
    }
    fuse::resume(services).await
}
