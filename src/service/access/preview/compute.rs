//! The difference a set of changes makes, over all users.

use serde_json::json;
use sha2::Digest as _;
use std::sync::Arc;

use super::again::Seen;
use super::ask::{Asked, admit, trial};
use super::everybody::Work;
use super::rehearse::refusal;
use crate::access::{Restriction, Rulebook};
use crate::base::clock::Timestamp;
use crate::service::access::authority::{VIEW, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::names::Place;
use crate::service::access::policy;
use crate::service::context::{Caller, Services};
use crate::service::credentials::hex;
use crate::service::error::{Error, Refusal, Result};
use crate::store::access::previews::Preview as Row;

/// Gains and losses that are listed of each; beyond, they are counted.
pub const MAX_DELTAS: usize = 1000;
/// Previews of a tenant that are kept: the latest ones.
const MOST_KEPT: u32 = 100;
/// How long they are kept, in microseconds: a week. By then the world has moved on.
const KEPT_US: i64 = 7 * 24 * 3600 * 1_000_000;
/// Beginnings before a policy that changes all the time is given up on.
const MAX_BEGINNINGS: u32 = 3;

/// What changes would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// A UUID; under it the changes can be made.
    pub id: String,
    /// Version of the policy it was worked out by.
    pub policy_version: i64,
    /// What users would have and do not have; at most [`MAX_DELTAS`].
    pub gains: Vec<Delta>,
    /// What users have and would not have; at most [`MAX_DELTAS`].
    pub losses: Vec<Delta>,
    /// How many there are.
    pub counts: Counts,
    /// What the changes would be refused for: something that must hold and would not, or something in their way.
    pub refused: Option<String>,
}

/// Some access of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Id of the user.
    pub user: String,
    /// Where.
    pub place: Place,
    /// On which records there.
    pub restrict: Restriction,
    /// Keys; empty for the bare membership of a scope.
    pub permissions: Vec<String>,
}

/// How much changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users that were looked at.
    pub users: u64,
    /// Users for whom something changes.
    pub changed: u64,
    /// Gains over all users.
    pub gains: u64,
    /// Losses over all users.
    pub losses: u64,
}

/// A preview that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The changes, as the caller wrote them.
    pub changes: String,
    /// When it was worked out.
    pub created: Timestamp,
    /// When the changes were made.
    pub applied: Option<Timestamp>,
}

/// Works out what changes would come to, and keeps it; `text` is the changes as the caller wrote them.
///
/// # Errors
/// `Forbidden` for who may not make them, `Invalid` for what cannot be made, with its place among the changes.
pub async fn preview(services: &Services, caller: &Caller, asked: &[Asked], text: &str) -> Result<Preview> {
    let held = admit(services, caller, asked).await?;
    let WorkedOut {
        preview: worked_out,
        digest,
        ..
    } = work_out(services, caller, asked).await?;
    let refused = refusal(services, caller, asked, held).await?;
    let id = services.ids().next().into_string();
    let counts = worked_out.counts;
    let row = Row {
        id: id.clone(),
        created: services.clock().now(),
        policy_version: worked_out.policy_version,
        changes: text.to_owned(),
        result:
            json!({"users": counts.users, "changed": counts.changed, "gains": counts.gains, "losses": counts.losses})
                .to_string(),
        digest,
        applied: None,
    };
    perform(services, caller, Keep(row)).await?;
    Ok(Preview {
        id,
        refused,
        ..worked_out
    })
}

/// A preview that was kept under this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Kept> {
    require(services, caller, &[VIEW]).await?;
    let row = services
        .read(caller)
        .previews()
        .find(id)
        .await?
        .ok_or(Error::NotFound)?;
    Ok(Kept {
        changes: row.changes,
        created: row.created,
        applied: row.applied,
    })
}

struct Keep(Row);

impl Change for Keep {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        desk.unit.previews().keep(&self.0);
        let before = Timestamp(desk.now.0.saturating_sub(KEPT_US));
        desk.unit.previews().prune(before, MOST_KEPT).await?;
        desk.unit.previews().crop(MOST_KEPT).await?;
        Ok(())
    }
}

/// What changes come to.
pub(super) struct WorkedOut {
    /// As it is shown, without an id.
    pub(super) preview: Preview,
    /// Of all of it.
    pub(super) digest: String,
    /// What is known of everybody.
    pub(super) seen: Seen,
}

/// Works it out over all users.
pub(super) async fn work_out(services: &Services, caller: &Caller, asked: &[Asked]) -> Result<WorkedOut> {
    for _ in 0..MAX_BEGINNINGS {
        let book = policy::current(services, caller).await?;
        let trial = trial(services, caller, &book, asked).await?;
        let after = Rulebook::compile(trial.policy.clone()).map_err(|faults| {
            let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Error::Invalid(Refusal::new(texts.join("; ")).at("/changes"))
        })?;
        let policy_version = book.rulebook.version();
        let work = Arc::new(Work {
            book,
            trial,
            after,
            now: services.clock().now(),
        });
        if let Some((tally, shared)) = work.over_all_users(services, caller).await? {
            let digest = hex(&tally.digest.finalize());
            let preview = Preview {
                id: String::new(),
                policy_version,
                gains: tally.gains,
                losses: tally.losses,
                counts: tally.counts,
                refused: None,
            };
            return Ok(WorkedOut {
                preview,
                digest,
                seen: Seen::new(work, shared, tally.prints),
            });
        }
    }
    Err(Error::Busy)
}
