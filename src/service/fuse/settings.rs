//! The budgets of a connection.

use serde_json::{Value, json};
use std::time::Duration;

use crate::access::fuse::{Beyond, Fuse, Harm, LONGEST_WINDOW, Limit, SHORTEST_WINDOW};
use crate::base::clock::Timestamp;
use crate::service::access::authority::{GIVE, INTEGRATIONS, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};

/// The budgets of a connection, and what it has used of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fused {
    /// Its budgets.
    pub fuse: Fuse,
    /// What it has used, where a window is open or the fuse has tripped.
    pub used: Vec<Used>,
}

/// What a connection has taken away in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// In which.
    pub harm: Harm,
    /// When the window began.
    pub opened: Timestamp,
    /// What it may take in the window; `None` where an administrator has lifted the budget.
    pub budget: Option<u64>,
    /// What it has taken.
    pub used: u64,
    /// Whether the fuse has tripped, and nobody has decided.
    pub tripped: bool,
}

/// What is to be decided anew; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FuseChange {
    /// See [`Fuse::window`], in seconds.
    pub window: Option<u64>,
    /// See [`Fuse::beyond`].
    pub beyond: Option<Beyond>,
    /// The budgets; `None` has nothing counted.
    pub limits: Vec<(Harm, Option<Limit>)>,
}

/// The budgets of the connection with this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, connection: &str) -> Result<Fused> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    read(services, caller, connection).await
}

async fn read(services: &Services, caller: &Caller, connection: &str) -> Result<Fused> {
    let reader = services.read(caller);
    let found = reader.fuses().of(connection).await?.ok_or(Error::NotFound)?;
    let now = services.clock().now();
    let counters = reader.fuses().counters(found.connection).await?;
    let used = counters
        .into_iter()
        .map(|(harm, counter)| Used {
            harm,
            opened: counter.opened,
            budget: counter.budget,
            used: counter.used,
            tripped: counter.hold.is_some(),
        })
        .filter(|used| used.tripped || now < used.opened.plus(found.fuse.window))
        .collect();
    Ok(Fused { fuse: found.fuse, used })
}

/// Decides anew. A window that is open keeps the budget that it began with.
///
/// # Errors
/// `Forbidden`, `NotFound`, a window or a share that cannot be.
pub async fn change(services: &Services, caller: &Caller, connection: &str, change: &FuseChange) -> Result<Fused> {
    require(services, caller, &[GIVE]).await?;
    check(change)?;
    let deciding = Deciding {
        connection: connection.to_owned(),
        change: change.clone(),
    };
    perform(services, caller, deciding).await?;
    read(services, caller, connection).await
}

fn check(change: &FuseChange) -> Result<()> {
    let (shortest, longest) = (SHORTEST_WINDOW.as_secs(), LONGEST_WINDOW.as_secs());
    if change
        .window
        .is_some_and(|window| !(shortest..=longest).contains(&window))
    {
        let reason = format!("a window lasts {shortest} to {longest} seconds");
        return Err(Error::invalid("/window_seconds", reason));
    }
    for (harm, limit) in &change.limits {
        if limit.is_some_and(|limit| limit.percent > 100) {
            return Err(Error::invalid(
                format!("/{harm}/percent"),
                "a share is 0 to 100 percent",
            ));
        }
        if limit.is_some_and(|limit| i64::try_from(limit.least).is_err()) {
            return Err(Error::invalid(format!("/{harm}/least"), "the number is too large"));
        }
    }
    Ok(())
}

struct Deciding {
    connection: String,
    change: FuseChange,
}

impl Change for Deciding {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        // Held: who decides about another budget meanwhile would take this one back.
        let found = desk.unit.fuses().of_for_update(&self.connection).await?;
        let found = found.ok_or(Error::NotFound)?;
        let mut after = found.fuse;
        if let Some(window) = self.change.window {
            after.window = Duration::from_secs(window);
        }
        after.beyond = self.change.beyond.unwrap_or(after.beyond);
        for (harm, limit) in &self.change.limits {
            *after.limit_mut(*harm) = *limit;
        }
        if after != found.fuse {
            desk.unit.fuses().decide(found.connection, &after);
            let connection = ledger::thing(Thing::Connection, &self.connection);
            let data = json!({ "before": said(&found.fuse), "after": said(&after) });
            desk.note(What::FuseUpdated, connection, &data);
        }
        Ok(())
    }
}

fn said(fuse: &Fuse) -> Value {
    let mut said = json!({ "window_seconds": fuse.window.as_secs(), "beyond": word(fuse.beyond) });
    for harm in Harm::ALL {
        let limit = |limit: Limit| json!({ "percent": limit.percent, "least": limit.least });
        said[harm.as_str()] = fuse.limit(harm).map(limit).into();
    }
    said
}

/// `refuse` or `hold`, as it stands in JSON.
pub(super) const fn word(beyond: Beyond) -> &'static str {
    match beyond {
        Beyond::Refuse => "refuse",
        Beyond::Hold => "hold",
    }
}
