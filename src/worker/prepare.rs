//! Takes up rules on their way into force that somebody left behind: this server when it stopped, or another one.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::Services;
use crate::service::access::rules;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until `stop`, and looks at once when it begins.
pub async fn run(services: Services, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = once(&services) => {}
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Looks once. A failure is logged; what is left is there the next time.
pub async fn once(services: &Services) {
    match rules::resume(services).await {
        Ok(0) => {}
        Ok(entered) => tracing::info!(entered, "rules that were left behind are in force"),
        Err(fault) => tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "rules that were left behind could not be taken up"
        ),
    }
}
