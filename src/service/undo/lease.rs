//! One server at a time carries undos out.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::log::leases;

/// The lease of whoever carries undos out.
const NAME: &str = "undo";

/// How long a node that stops in mid-work keeps the others from it.
const LASTS: Duration = Duration::from_mins(1);

/// How old it is when it is renewed.
const RENEWED_AFTER: i64 = 15_000_000;

/// The right to carry undos out, of one holder.
#[derive(Debug)]
pub(super) struct Lease {
    holder: String,
    /// When it was taken last.
    taken: Option<Timestamp>,
}

impl Lease {
    /// Of this holder, who does not have it yet.
    pub(super) const fn of(holder: String) -> Self {
        Self { holder, taken: None }
    }

    /// Takes or renews it; whether it is this holder's now.
    ///
    /// # Errors
    /// A database that does not answer.
    pub(super) async fn take(&mut self, services: &Services) -> Result<bool> {
        let now = services.clock().now();
        let took = leases::take(services.db(), NAME, &self.holder, now, now.plus(LASTS)).await?;
        self.taken = took.then_some(now);
        Ok(took)
    }

    /// Sees to it that it is not over: to be called wherever a work may take long.
    ///
    /// # Errors
    /// `Busy` when somebody else has it by now, who goes on with the work.
    pub(super) async fn hold(&mut self, services: &Services) -> Result<()> {
        let now = services.clock().now().0;
        let fresh = self
            .taken
            .is_some_and(|taken| (0..RENEWED_AFTER).contains(&(now - taken.0)));
        if fresh || self.take(services).await? {
            return Ok(());
        }
        Err(Error::Busy)
    }

    /// Lets go of it.
    ///
    /// # Errors
    /// A database that does not answer.
    pub(super) async fn give_up(self, services: &Services) -> Result<()> {
        match self.taken {
            Some(_) => Ok(leases::give_up(services.db(), NAME, &self.holder).await?),
            None => Ok(()),
        }
    }
}
