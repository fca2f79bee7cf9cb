//! Does to the users of what was suspended, resumed or deleted what was decided, also what another server was about to do
//! when it stopped.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::{Result, Services, closing};

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
                    "users of what was suspended or deleted could not be changed; it is tried again"
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
    if !closing::is_behind(services).await? || !closing::lease(services, holder).await? {
        return Ok(false);
    }
    closing::pass(services).await
}
