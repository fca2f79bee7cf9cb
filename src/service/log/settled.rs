//! Waiting until what is committed has its numbers.

use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::sequence::{is_broken, pass_of};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;

/// How long whoever numbers the same entries is left to it.
const PAUSE: Duration = Duration::from_millis(5);

/// Resolves when everything that the caller's tenant had committed before has its number, or when that takes too long; says which.
///
/// What waits is numbered here, so that no one depends on a worker being alive. For a log that cannot go on nobody waits.
///
/// # Errors
/// A database that does not answer.
pub async fn settled(services: &Services, caller: &Caller) -> Result<bool> {
    let reader = services.read(caller);
    let Some(last) = reader.entries().last().await? else {
        return Ok(true);
    };
    let end = Instant::now() + services.waits().log;
    while Instant::now() < end {
        let passed = pass_of(services, caller.tenant()).await?;
        if !reader.entries().any_up_to(last).await? {
            return Ok(true);
        }
        if is_broken(services, caller.tenant()) {
            return Ok(false);
        }
        if passed.numbered == 0 {
            sleep(PAUSE).await;
        }
    }
    Ok(false)
}

/// Whether the log of the caller's tenant could not go on a moment ago, so that waiting is of no use.
#[must_use]
pub fn cannot_go_on(services: &Services, caller: &Caller) -> bool {
    is_broken(services, caller.tenant())
}
