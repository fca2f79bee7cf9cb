//! Writes down what requests only noted in memory: when tokens were used, which client habits were tolerated. Removes
//! what is kept for a time only.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::service::access::rules;
use crate::service::{Services, credentials, deferred, once as keyed, tolerances};

/// How old a noted use may become before it is on disk.
const EVERY: Duration = Duration::from_secs(5);

/// Sweeps between two looks at what is too old.
const FORGET_EVERY: u32 = 120;

/// Runs until `stop`, and once more then.
pub async fn run(services: Services, stop: CancellationToken) {
    for number in (1..=FORGET_EVERY).cycle() {
        let stopping = tokio::select! {
            () = tokio::time::sleep(EVERY) => false,
            () = stop.cancelled() => true,
        };
        once(&services).await;
        if stopping {
            return;
        }
        if number == FORGET_EVERY {
            forget(&services).await;
        }
    }
}

async fn forget(services: &Services) {
    if let Err(fault) = keyed::prune(services).await {
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "answers kept for idempotency keys could not be removed"
        );
    }
    if let Err(fault) = deferred::prune(services).await {
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "results kept for clients that did not wait could not be removed"
        );
    }
    if let Err(fault) = rules::forget_left(services).await {
        tracing::warn!(
            error = &fault as &dyn std::error::Error,
            "matches of rules that no longer count could not be removed"
        );
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
