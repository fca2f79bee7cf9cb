//! Waiting until a log grows, whoever numbers it.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::event::Seq;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;

/// How often it looks where nobody rings: for what another node has numbered.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// After somebody rang: most likely it was for another tenant, and more follows at once. So many readers of a busy server
/// look ten times a second each, and no more.
const GATHER: Duration = Duration::from_millis(100);

/// Somebody who waits for the log of a tenant to grow.
pub struct Watch {
    services: Services,
    caller: Caller,
    grown: watch::Receiver<u64>,
}

impl Watch {
    /// For the log of the caller's tenant.
    #[must_use]
    pub fn new(services: &Services, caller: &Caller) -> Self {
        Self {
            grown: services.grown(),
            services: services.clone(),
            caller: caller.clone(),
        }
    }

    /// Where the log ends.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn end(&mut self) -> Result<Seq> {
        // Before the look: whatever is numbered after it rings again.
        self.grown.mark_unchanged();
        end(&self.services, &self.caller).await
    }

    /// Resolves when the log has events after this position.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn beyond(&mut self, seq: Seq) -> Result<()> {
        while self.end().await? <= seq {
            tokio::select! {
                _ = self.grown.changed() => sleep(GATHER).await,
                () = sleep(LOOK_AGAIN) => {}
            }
        }
        Ok(())
    }
}

/// Where the log of the caller's tenant ends; 0 before the first event.
pub(in crate::service) async fn end(services: &Services, caller: &Caller) -> Result<Seq> {
    let end = services.read(caller).heads().find().await?;
    Ok(end.map_or(Seq(0), |end| end.head.seq))
}
