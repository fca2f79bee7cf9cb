//! What went beyond a budget, as administrators see it, and what they decide about it as one.

use serde_json::json;

use super::carry::carry_on;
use crate::base::clock::Timestamp;
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::page::{Page, Paging};
use crate::service::access::pending::{self, Pending};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::closing::State as Closed;
use crate::store::fuse::counters::{self, Release};
use crate::store::fuse::holds::{Hold as Row, State, Tally};

/// What went beyond a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// A UUID.
    pub id: String,
    /// Name of the connection; none when it is gone.
    pub connection: Option<String>,
    /// What there was too much of, such as `deletions`.
    pub what: &'static str,
    /// The budget that was used up.
    pub budget: u64,
    /// What has become of it.
    pub state: State,
    /// When the fuse tripped.
    pub opened: Timestamp,
    /// When somebody decided.
    pub decided: Option<Timestamp>,
    /// The requests that are kept, by what became of them.
    pub changes: Tally,
}

impl From<Row> for Hold {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            connection: row.name,
            what: row.harm.as_str(),
            budget: row.budget,
            state: row.state,
            opened: row.opened,
            decided: row.decided,
            changes: row.changes,
        }
    }
}

/// All of them, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Hold>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let reader = services.read(caller);
    let rows = reader.holds().list(paging.after()?, paging.rows()).await?;
    Ok(paging.cut(rows, |row| row.number).map(Hold::from))
}

/// One of them.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Hold> {
    require(services, caller, &[VIEW, GIVE]).await?;
    Ok(row(services, caller, id).await?.into())
}

async fn row(services: &Services, caller: &Caller, id: &str) -> Result<Row> {
    services.read(caller).holds().find(id).await?.ok_or(Error::NotFound)
}

/// The requests that one keeps, in the order in which they came, decided ones too.
///
/// # Errors
/// `Forbidden`, `NotFound`, a cursor that is none.
pub async fn changes(services: &Services, caller: &Caller, id: &str, paging: &Paging) -> Result<Page<Pending>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let hold = row(services, caller, id).await?;
    pending::of_hold(services, caller, hold.number, paging).await
}

/// Approves: what is kept is made, in order, as far as it still can be, and the budget is lifted for one window. The first
/// requests are made at once; workers make the rest, and asking again makes more.
///
/// # Errors
/// `Forbidden`, `NotFound`, one that is rejected.
pub async fn approve(services: &Services, caller: &Caller, id: &str) -> Result<Hold> {
    require(services, caller, &[GIVE]).await?;
    let whose = row(services, caller, id).await?.connection;
    let whose = services.read(caller).connections().find_by_id(whose).await?;
    if whose.is_some_and(|connection| connection.state == Closed::Suspended) {
        return Err(Error::conflict(
            "the connection is suspended: resume it first, as what is held is made in its name",
        ));
    }
    decide(services, caller, id, Verdict::Approve).await?;
    // What the request is done by is the decision; what follows is work.
    if let Err(error) = carry_on(services, &caller.unclaimed(), id).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "an approved hold is not made yet; workers go on with it");
    }
    Ok(row(services, caller, id).await?.into())
}

/// Rejects: nothing of what is kept is done, and nothing is left of the budget for one window.
///
/// # Errors
/// `Forbidden`, `NotFound`, one that is approved.
pub async fn reject(services: &Services, caller: &Caller, id: &str) -> Result<Hold> {
    decide(services, caller, id, Verdict::Reject).await?;
    Ok(row(services, caller, id).await?.into())
}

/// How many fuses of all tenants have tripped, and nobody has decided about.
///
/// # Errors
/// A database that does not answer.
pub async fn tripped(services: &Services) -> Result<u64> {
    Ok(counters::tripped(services.db()).await?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Approve,
    Reject,
}

impl Verdict {
    /// Whether this was decided.
    const fn is(self, state: State) -> bool {
        match self {
            Self::Approve => matches!(state, State::Applying | State::Approved),
            Self::Reject => matches!(state, State::Rejected),
        }
    }
}

async fn decide(services: &Services, caller: &Caller, id: &str, verdict: Verdict) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let deciding = Deciding {
        id: id.to_owned(),
        verdict,
    };
    perform(services, caller, deciding).await
}

struct Deciding {
    id: String,
    verdict: Verdict,
}

impl Change for Deciding {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let found = desk.unit.holds().find(&self.id).await?.ok_or(Error::NotFound)?;
        let (release, to, event) = match self.verdict {
            Verdict::Approve => (Release::Lifted, State::Applying, What::HoldApproved),
            Verdict::Reject => (Release::Spent, State::Rejected, What::HoldRejected),
        };
        // First: whoever is about to add to the hold has its fuse.
        desk.unit.fuses().release(found.number, release, desk.now).await?;
        let moved = desk
            .unit
            .holds()
            .advance(found.number, (State::Waiting, to), desk.now)
            .await?;
        if !moved {
            let now = desk.unit.holds().standing(&self.id).await?.ok_or(Error::NotFound)?;
            return if self.verdict.is(now.state) {
                Ok(())
            } else {
                let reason = format!("somebody has decided about this: it is {}", now.state.as_str());
                Err(Error::conflict(reason))
            };
        }
        if self.verdict == Verdict::Reject {
            desk.unit.pendings().dismiss_hold(found.number);
        }
        let data = json!({ "what": found.harm.as_str(), "connection": found.name, "held": found.changes.waiting });
        desk.note(event, ledger::thing(Thing::Hold, &self.id), &data);
        Ok(())
    }
}
