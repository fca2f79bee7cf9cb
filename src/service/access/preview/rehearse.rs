//! What stands against the changes of a preview: they are made in a unit that is given up.

use super::apply::Step;
use super::ask::{Asked, within};
use crate::service::access::authority::Held;
use crate::service::access::desk::{Change, Desk, rehearse};
use crate::service::access::policy;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// What the changes would be refused for, in words: an invariant they break, or something that is in their way. Nothing
/// where they can be made.
///
/// # Errors
/// What is wrong with the changes themselves.
pub(super) async fn refusal(
    services: &Services,
    caller: &Caller,
    asked: &[Asked],
    held: Held,
) -> Result<Option<String>> {
    let book = policy::current(services, caller).await?;
    let steps = asked.iter().enumerate().map(|(at, change)| {
        let step = Step::of((services, caller), &book, change, held);
        step.map_err(|error| within(error, at))
    });
    let trial = Rehearsing(steps.collect::<Result<_>>()?);
    match rehearse(services, caller, trial).await {
        Ok(()) => Ok(None),
        Err(Error::Violated(violation)) => Ok(Some(violation.to_string())),
        Err(Error::Conflict(refusal)) => Ok(Some(refusal.reason)),
        Err(error) => Err(error),
    }
}

struct Rehearsing(Vec<Step>);

impl Change for Rehearsing {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.policy().hold().await?;
        for (at, step) in self.0.iter().enumerate() {
            step.make(desk).await.map_err(|error| within(error, at))?;
        }
        Ok(())
    }
}
