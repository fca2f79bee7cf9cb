//! Writes down what requests only noted in memory: when tokens were used, which client habits were tolerated.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::{Services, credentials, tolerances};

/// How old a noted use may become before it is on disk.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until `stop`, and once more then.
pub async fn run(services: Services, stop: CancellationToken) {
    loop {
        let stopping = tokio::select! {
            () = tokio::time::sleep(EVERY) => false,
            () = stop.cancelled() => true,
        };
        once(&services).await;
        if stopping {
            return;
        }
    }
}

/// One sweep. A failure is logged and what was noted is kept for the next one.
pub async fn once(services: &Services) {
    if let Err(fault) = credentials::write_uses(services).await {
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "uses of tokens could not be written down"
        );
    }
    if let Err(fault) = tolerances::write(services).await {
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "tolerated habits could not be written down"
        );
    }
}
