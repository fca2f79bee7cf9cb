//! Has what units of work did numbered, milliseconds after they did it.

use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::idle::Idle;
use crate::base::clock::Timestamp;
use crate::service::Services;
use crate::service::log::sequence::{self, LEASE_LASTS};

/// How often it looks where nobody rings: for what another node, or a command, has written. An idle server looks less often:
/// by then the lease is over, and a node that writes numbers it itself.
const EVERY: Duration = Duration::from_millis(50);
const IDLE: Duration = Duration::from_millis(500);

/// How long it leaves the work to a node that does it already, or the database to itself.
const REST: Duration = Duration::from_secs(1);

/// Runs until `stop`. An idle server writes nothing: the lease is taken when there is work, and let go by itself.
pub async fn run(services: Services, stop: CancellationToken) {
    let mut sequencer = Sequencer::new(services);
    loop {
        let pause = tokio::select! {
            pause = sequencer.once() => pause,
            () = stop.cancelled() => return,
        };
        let rung = async {
            match pause {
                Pause::None => {}
                Pause::UntilRung(longest) => drop(timeout(longest, sequence::rung(&sequencer.services)).await),
                Pause::Rest => tokio::time::sleep(REST).await,
            }
        };
        tokio::select! {
            () = rung => {}
            () = stop.cancelled() => return,
        }
    }
}

/// What to do before the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    /// Until something is written here, at most so long.
    UntilRung(Duration),
    Rest,
}

struct Sequencer {
    services: Services,
    /// This process, as the lease names it.
    holder: String,
    /// Until when the lease is ours.
    until: Option<Timestamp>,
    idle: Idle,
}

impl Sequencer {
    fn new(services: Services) -> Self {
        Self {
            holder: services.ids().next_unit(),
            services,
            until: None,
            idle: Idle::between(EVERY, IDLE),
        }
    }

    async fn once(&mut self) -> Pause {
        match self.work().await {
            Ok(pause) => pause,
            Err(fault) => {
                tracing::warn!(
                    error = &fault as &dyn std::error::Error,
                    "what happened could not be numbered; it is tried again"
                );
                Pause::Rest
            }
        }
    }

    async fn work(&mut self) -> crate::service::Result<Pause> {
        if !sequence::is_behind(&self.services).await? {
            return Ok(Pause::UntilRung(self.idle.after(false)));
        }
        let pause = Pause::UntilRung(self.idle.after(true));
        if !self.holds().await? {
            return Ok(Pause::Rest);
        }
        let passed = sequence::pass(&self.services).await?;
        Ok(if passed.more { Pause::None } else { pause })
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
        let ours = sequence::lease(&self.services, &self.holder).await?;
        self.until = ours.then_some(whole);
        Ok(ours)
    }
}
