//! Does what clients asked for that did not wait, also what another server was about to do when it stopped.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::idle::Idle;
use crate::service::{Result, Services, deferred};

/// How often it looks; less often where nothing was asked for in a while.
const EVERY: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(1);

/// Runs until `stop`. An idle server writes nothing.
pub async fn run(services: Services, stop: CancellationToken) {
    let holder = services.ids().next_unit();
    let mut idle = Idle::between(EVERY, IDLE);
    loop {
        let more = tokio::select! {
            done = once(&services, &holder) => done.unwrap_or_else(|fault| {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "requests that wait could not be looked for; it is tried again"
                );
                false
            }),
            () = stop.cancelled() => return,
        };
        let pause = idle.after(more);
        if more {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn once(services: &Services, holder: &str) -> Result<bool> {
    if !deferred::is_behind(services).await? || !deferred::lease(services, holder).await? {
        return Ok(false);
    }
    deferred::pass(services).await
}
