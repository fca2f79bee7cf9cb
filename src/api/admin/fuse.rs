//! The budgets of the mass-change fuse of a connection.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Instant, Segments, nullable};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, INTEGRATIONS};
use crate::service::fuse::{self, Harm, Limit};

/// The routes of budgets.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/connections/{id}/fuse", read)
            .says("What a connection may take away within a window, and what it has")
            .one_of(&[INTEGRATIONS, GIVE])
            .gives::<Fuse>(200),
        Route::patch("/api/v1/connections/{id}/fuse", change)
            .says("Decides anew; what is absent stays. A window that is open keeps its budget")
            .one_of(&[GIVE])
            .takes::<FuseChange>()
            .gives::<Fuse>(200),
    ]
}

/// What becomes of a request beyond a budget.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Beyond {
    /// 429; nothing is kept.
    Refuse,
    /// 202; it is made when an administrator approves.
    Hold,
}

/// A budget: a share of the users and groups there are, and never less than a number.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// 0 to 100.
    percent: u32,
    /// The budget where the share is smaller.
    least: u64,
}

/// The mass-change fuse of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fuse {
    /// How long a budget lasts.
    window_seconds: u64,
    /// What becomes of a request beyond a budget.
    beyond: Beyond,
    /// Users who become inactive; `null` where they are not counted.
    deactivations: Option<Budget>,
    /// Users and groups that are deleted.
    deletions: Option<Budget>,
    /// Members who leave groups, also because those are deleted.
    departures: Option<Budget>,
    /// Users and groups that get another `userName` or `displayName`.
    renames: Option<Budget>,
    /// What was taken away in windows that are open, or when the fuse tripped.
    used: Vec<FuseUse>,
}

/// What a connection has taken away in one way.
#[derive(Debug, Serialize, ToSchema)]
pub struct FuseUse {
    /// `deactivations`, `deletions`, `departures` or `renames`.
    what: &'static str,
    /// When the window began.
    opened: Instant,
    /// The budget of the window; `null` where an administrator has lifted it.
    budget: Option<u64>,
    /// What was taken.
    used: u64,
    /// Nothing more is taken until an administrator decides about the hold.
    tripped: bool,
}

/// What is to be decided anew; `null` has a way of taking away not counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things to say")]
pub struct FuseChange {
    /// 60 to 604800.
    #[serde(default)]
    window_seconds: Option<u64>,
    /// What becomes of a request beyond a budget.
    #[serde(default)]
    beyond: Option<Beyond>,
    /// Users who become inactive.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Budget>)]
    deactivations: Option<Option<Budget>>,
    /// Users and groups that are deleted.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Budget>)]
    deletions: Option<Option<Budget>>,
    /// Members who leave groups.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Budget>)]
    departures: Option<Option<Budget>>,
    /// Users and groups that get another name.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Budget>)]
    renames: Option<Option<Budget>>,
}

impl From<Limit> for Budget {
    fn from(limit: Limit) -> Self {
        Self {
            percent: limit.percent,
            least: limit.least,
        }
    }
}

impl From<Budget> for Limit {
    fn from(budget: Budget) -> Self {
        Self {
            percent: budget.percent,
            least: budget.least,
        }
    }
}

impl From<fuse::Beyond> for Beyond {
    fn from(beyond: fuse::Beyond) -> Self {
        match beyond {
            fuse::Beyond::Refuse => Self::Refuse,
            fuse::Beyond::Hold => Self::Hold,
        }
    }
}

impl From<Beyond> for fuse::Beyond {
    fn from(beyond: Beyond) -> Self {
        match beyond {
            Beyond::Refuse => Self::Refuse,
            Beyond::Hold => Self::Hold,
        }
    }
}

impl From<fuse::Used> for FuseUse {
    fn from(used: fuse::Used) -> Self {
        Self {
            what: used.harm.as_str(),
            opened: Instant(used.opened),
            budget: used.budget,
            used: used.used,
            tripped: used.tripped,
        }
    }
}

impl From<fuse::Fused> for Fuse {
    fn from(fused: fuse::Fused) -> Self {
        let budget = |harm| fused.fuse.limit(harm).map(Budget::from);
        Self {
            window_seconds: fused.fuse.window.as_secs(),
            beyond: fused.fuse.beyond.into(),
            deactivations: budget(Harm::Deactivations),
            deletions: budget(Harm::Deletions),
            departures: budget(Harm::Departures),
            renames: budget(Harm::Renames),
            used: fused.used.into_iter().map(FuseUse::from).collect(),
        }
    }
}

impl From<FuseChange> for fuse::FuseChange {
    fn from(change: FuseChange) -> Self {
        let limits = [
            (Harm::Deactivations, change.deactivations),
            (Harm::Deletions, change.deletions),
            (Harm::Departures, change.departures),
            (Harm::Renames, change.renames),
        ];
        let said = |(harm, limit): (Harm, Option<Option<Budget>>)| Some((harm, limit?.map(Limit::from)));
        Self {
            window: change.window_seconds,
            beyond: change.beyond.map(fuse::Beyond::from),
            limits: limits.into_iter().filter_map(said).collect(),
        }
    }
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Fuse>, Problem> {
    Ok(Json(fuse::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(change): Given<FuseChange>,
) -> Result<Json<Fuse>, Problem> {
    let changed = fuse::change(edge.services(), &caller, path.id(), &change.into()).await?;
    Ok(Json(changed.into()))
}
