//! Takes back what connections did, also what another server was about to take back when it stopped.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::{Result, Services, undo};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(2);

/// Runs until `stop`. An idle server writes nothing.
pub async fn run(services: Services, stop: CancellationToken) {
    let holder = services.ids().next_unit();
    loop {
        tokio::select! {
            done = once(&services, &holder) => if let Err(fault) = done {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "changes could not be taken back; it is tried again"
                );
            },
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn once(services: &Services, holder: &str) -> Result<()> {
    if undo::is_behind(services).await? {
        Box::pin(undo::resume(services, holder)).await?;
    }
    Ok(())
}
