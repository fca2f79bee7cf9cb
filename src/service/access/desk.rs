//! Where a change is made: one unit of work, its caller and its instant. Saved, or given up as a whole.

use serde_json::Value;
use std::future::Future;
use std::sync::Arc;

use super::invariants::{self, Admins};
use crate::base::clock::Timestamp;
use crate::event::Subject;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Author, What};
use crate::service::provision::attempt::attempts;
use crate::store::Unit;

/// A unit of work with what a change needs beside it.
pub(in crate::service) struct Desk {
    pub(in crate::service) services: Services,
    pub(in crate::service) caller: Caller,
    pub(in crate::service) unit: Unit,
    pub(in crate::service) now: Timestamp,
    /// The administrators before the first change that could make them fewer.
    admins: Option<Admins>,
    /// Whether something makes administrators who do not last.
    passing: bool,
}

impl Desk {
    /// Before a change that could leave too few administrators: they are counted now, and again when everything is
    /// made, because several changes of one unit may make up for each other.
    pub(in crate::service) async fn watch_admins(&mut self) -> Result<()> {
        if self.admins.is_none() {
            self.admins = Some(invariants::admins(&mut self.unit, self.now).await?);
        }
        Ok(())
    }

    /// The same where there may be administrators after it who do not last.
    pub(in crate::service) async fn watch_passing(&mut self) -> Result<()> {
        self.watch_admins().await?;
        self.passing = true;
        Ok(())
    }

    /// What must hold when everything is made.
    async fn check(&mut self) -> Result<()> {
        if let Some(admins) = &self.admins {
            admins.stay(&mut self.unit, self.now).await??;
        }
        if self.passing {
            invariants::founded(&mut self.unit, self.now).await??;
        }
        Ok(())
    }

    /// Who makes it so; a value of its own, so that the unit can be written to meanwhile.
    pub(in crate::service) fn author(caller: &Caller) -> Author<'_> {
        Author::of(caller)
    }

    /// Says in the log what happened.
    pub(in crate::service) fn note(&mut self, what: What, subject: Subject, data: &Value) {
        ledger::note(&mut self.unit, &self.caller, self.now, (what, subject), data);
    }
}

/// One change, which may have to be made several times until it is not in the way of other work.
pub(in crate::service) trait Change: Send + Sync + 'static {
    /// What it gives.
    type Made: Send + 'static;

    /// Makes it in the unit; the unit is saved when this succeeds and given up when not.
    fn make(&self, desk: &mut Desk) -> impl Future<Output = Result<Self::Made>> + Send;
}

/// Makes a change in a unit of its own.
pub(in crate::service) async fn perform<C: Change>(services: &Services, caller: &Caller, change: C) -> Result<C::Made> {
    let plan = Arc::new((services.clone(), caller.clone(), change));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan.0, &plan.1, &plan.2, Purpose::Make).await }
    })
    .await
}

/// Makes a change and takes it back: gives what it gives, or what it is refused for.
pub(in crate::service) async fn rehearse<C: Change>(
    services: &Services,
    caller: &Caller,
    change: C,
) -> Result<C::Made> {
    let plan = Arc::new((services.clone(), caller.clone(), change));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move { attempt(&plan.0, &plan.1, &plan.2, Purpose::Rehearse).await }
    })
    .await
}

/// What a change is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To stay.
    Make,
    /// To see whether it could be.
    Rehearse,
}

async fn attempt<C: Change>(services: &Services, caller: &Caller, change: &C, purpose: Purpose) -> Result<C::Made> {
    let unit = services.begin(caller).await?;
    let mut desk = Desk {
        services: services.clone(),
        caller: caller.clone(),
        unit,
        now: services.clock().now(),
        admins: None,
        passing: false,
    };
    let made = match change.make(&mut desk).await {
        Ok(made) => desk.check().await.map(|()| made),
        refused => refused,
    };
    match made {
        Ok(made) => {
            match purpose {
                Purpose::Make => {
                    // It may have waited for what others had locked: nobody was told of it at the instant it began.
                    desk.unit.stamp(services.clock().now());
                    desk.unit.save().await?;
                }
                Purpose::Rehearse => desk.unit.dismiss().await?,
            }
            Ok(made)
        }
        // What a refusal rests on must be on disk before it is told.
        Err(error) => match desk.unit.dismiss().await {
            Ok(()) => Err(error),
            Err(fault) => Err(Error::from(fault)),
        },
    }
}
