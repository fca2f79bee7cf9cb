//! Does what was planned for people, in the second in which it is due.

use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::watch::Watch;
use crate::service::Services;
use crate::service::lifecycle::due;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until `stop`. A clock that jumps ends nobody's account: what is due by it waits until it has gone as it should
/// for a while.
pub async fn run(services: Services, stop: CancellationToken) {
    let begun = Instant::now();
    let mut watch = Watch::default();
    loop {
        if watch.believes(services.clock().now(), begun.elapsed()) {
            tokio::select! {
                () = once(&services) => {}
                () = stop.cancelled() => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Does all that is due. A failure is logged; what is left is there the next time.
async fn once(services: &Services) {
    if let Err(fault) = due::pass(services).await {
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "what is due could not be looked for; it is tried again"
        );
    }
}
