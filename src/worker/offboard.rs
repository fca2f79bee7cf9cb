//! Drives offboarding runs: opens them from the log, tries what is due, turns late what took too long.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::idle::Idle;
use crate::base::clock::Timestamp;
use crate::service::Services;
use crate::service::offboarding::{self, LEASE_LASTS};

/// How often it looks. A run has minutes; this is what the first request to an enforcer waits at most. An idle server looks
/// less often: the end of an account is told of in the log.
const EVERY: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_secs(1);

/// How long it leaves the work to a node that does it already, or the database to itself.
const REST: Duration = Duration::from_secs(2);

/// Runs until `stop`.
pub async fn run(services: Services, stop: CancellationToken) {
    let mut grown = services.grown();
    let mut node = Node::new(services);
    loop {
        let pause = tokio::select! {
            pause = node.once() => pause,
            () = stop.cancelled() => return,
        };
        // A busy log rings often.
        let rung = async {
            drop(grown.changed().await);
            tokio::time::sleep(EVERY).await;
        };
        tokio::select! {
            () = rung, if pause > EVERY && pause <= IDLE => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

struct Node {
    services: Services,
    /// This process, as the lease names it.
    holder: String,
    /// Until when the lease is ours.
    until: Option<Timestamp>,
    idle: Idle,
}

impl Node {
    fn new(services: Services) -> Self {
        Self {
            holder: services.ids().next_unit(),
            services,
            until: None,
            idle: Idle::between(EVERY, IDLE),
        }
    }

    /// Looks once; gives how long to wait. A failure is logged, and what is left is there the next time.
    async fn once(&mut self) -> Duration {
        match self.work().await {
            Ok(pause) => pause,
            Err(fault) => {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "offboarding runs could not be driven; it is tried again"
                );
                REST
            }
        }
    }

    async fn work(&mut self) -> crate::service::Result<Duration> {
        let (open, late) = offboarding::under_way(&self.services).await?;
        metrics::gauge!("muster_offboarding_open").set(f64::from(open));
        metrics::gauge!("muster_offboarding_late").set(f64::from(late));
        if !offboarding::is_due(&self.services).await? {
            return Ok(self.idle.after(open > 0));
        }
        self.idle.after(true);
        if !self.holds().await? {
            return Ok(REST);
        }
        let passed = offboarding::pass(&self.services).await?;
        Ok(if passed.done > 0 { Duration::ZERO } else { EVERY })
    }

    /// Whether the lease is ours for a while; renewed when half of it is over, or the clock is set back.
    async fn holds(&mut self) -> crate::service::Result<bool> {
        let now = self.services.clock().now();
        let whole = now.plus(LEASE_LASTS);
        if self
            .until
            .is_some_and(|until| now.plus(LEASE_LASTS / 2) < until && until <= whole)
        {
            return Ok(true);
        }
        let ours = offboarding::lease(&self.services, &self.holder).await?;
        self.until = ours.then_some(whole);
        Ok(ours)
    }
}
