//! Brings rules of status that were changed to everybody who is there, also where another server has stopped in the middle.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::lifecycle::status_rules;
use crate::service::{Result, Services};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until `stop`. An idle server writes nothing.
pub async fn run(services: Services, stop: CancellationToken) {
    let holder = services.ids().next_unit();
    loop {
        let more = tokio::select! {
            done = once(&services, &holder) => done.unwrap_or_else(|fault| {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "rules of status could not be brought to everybody; it is tried again"
                );
                false
            }),
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

async fn once(services: &Services, holder: &str) -> Result<bool> {
    if !status_rules::is_behind(services).await? || !status_rules::lease(services, holder).await? {
        return Ok(false);
    }
    status_rules::pass(services).await
}
