//! Runs, as administrators see them.

use serde_json::Value;

use crate::base::clock::Timestamp;
use crate::event::certificate::AskedBy;
use crate::service::access::authority::{AUDIT, VIEW, require};
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::runs::list::{Run as Row, Which};
use crate::store::runs::step::Step as StepRow;

/// Words for the states of a run.
const STATES: [&str; 4] = ["open", "late", "confirmed", "withdrawn"];

/// Which runs are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of the person with this id.
    pub user: Option<String>,
    /// In this state.
    pub state: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Id of the person.
    pub user: String,
    /// What they are called, while they are there.
    pub name: Option<String>,
    /// `open`, `late`, `confirmed` or `withdrawn`.
    pub state: String,
    /// Position of the event that ended the account.
    pub opened_seq: i64,
    /// Instant of that event.
    pub opened: Timestamp,
    /// Who asked for it.
    pub asked_by: AskedBy,
    /// Until when everything has to be confirmed.
    pub deadline: Timestamp,
    /// When it turned late.
    pub late: Option<Timestamp>,
    /// When it was confirmed or withdrawn.
    pub closed: Option<Timestamp>,
    /// The part of each enforcer, by name.
    pub steps: Vec<Step>,
}

/// The part of an enforcer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Name of the enforcer.
    pub name: String,
    /// `requested`, `acknowledged`, `confirmed`, `removed` with its enforcer, or `late`: it waits, and its deadline has passed.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub due: Option<Timestamp>,
    /// When it was to be asked first.
    pub requested: Timestamp,
    /// When the enforcer said that it would.
    pub acknowledged: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
    /// Why the last attempt came to nothing.
    pub trouble: Option<String>,
    /// How it was confirmed: JSON of [`crate::event::certificate::Proof`].
    pub proof: Option<Value>,
    /// When its enforcer was removed.
    pub removed: Option<Timestamp>,
    /// Until when it has to be confirmed.
    pub deadline: Timestamp,
}

/// Runs, newest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none, a state that is none.
pub async fn list(services: &Services, caller: &Caller, wanted: &Wanted, paging: &Paging) -> Result<Page<Run>> {
    require(services, caller, &[AUDIT, VIEW]).await?;
    if wanted.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        let text = format!("the states of a run are `{}`", STATES.join("`, `"));
        return Err(Error::invalid("/state", text));
    }
    let reader = services.read(caller);
    let which = Which {
        user: wanted.user.clone(),
        state: wanted.state.clone(),
    };
    let rows = reader.runs().page(paging.after()?, paging.rows(), &which).await?;
    let page = paging.cut(rows, |row| row.id);
    let runs: Vec<i64> = page.items.iter().map(|row| row.id).collect();
    let steps = reader.runs().steps(&runs).await?;
    let now = services.clock().now();
    let items = page.items.into_iter().map(|row| shown(row, &steps, now));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next: page.next,
    })
}

/// One run.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Run> {
    require(services, caller, &[AUDIT, VIEW]).await?;
    let reader = services.read(caller);
    let row = reader.runs().find(id).await?.ok_or(Error::NotFound)?;
    let steps = reader.runs().steps(&[row.id]).await?;
    shown(row, &steps, services.clock().now())
}

fn shown(row: Row, steps: &[StepRow], now: Timestamp) -> Result<Run> {
    let of = steps.iter().filter(|step| step.run == row.id);
    let steps = of.map(|step| step_shown(step, &row, now)).collect::<Result<_>>()?;
    Ok(Run {
        id: row.uid,
        user: row.user,
        name: row.name,
        state: row.state,
        opened_seq: row.opened_seq,
        opened: row.opened,
        asked_by: read(&row.asked_by)?,
        deadline: row.deadline,
        late: row.late,
        closed: row.closed,
        steps,
    })
}

fn step_shown(step: &StepRow, run: &Row, now: Timestamp) -> Result<Step> {
    let deadline = step.deadline.unwrap_or(run.deadline);
    let waits = step.confirmed.is_none() && step.removed.is_none();
    let late = run.state == "late" && waits && deadline <= now;
    Ok(Step {
        name: step.name.clone(),
        state: if late { "late".to_owned() } else { step.state.clone() },
        attempts: step.attempts,
        due: step.due,
        requested: step.requested,
        acknowledged: step.acknowledged,
        confirmed: step.confirmed,
        trouble: step.trouble.clone(),
        proof: step.proof.as_deref().map(read).transpose()?,
        removed: step.removed,
        deadline,
    })
}

/// JSON that was written here.
pub(super) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|fault| Error::Internal(Box::new(fault)))
}
