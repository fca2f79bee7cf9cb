//! What-if: who would gain and lose what, before a change is made.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::grants::NewGrant;
use super::roles::NewRole;
use super::rules::NewRule;
use super::scopes::NewScope;
use super::wire::{Place, Segments};
use crate::api::body::{Given, read};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::State;
use crate::service::access::authority::{GIVE, ROLES, SCOPES};
use crate::service::access::preview::{self, Asked, What};

/// The routes of previews.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/preview", create)
            .says("Works out what changes would come to, over all users; makes none of them")
            .one_of(&[GIVE, ROLES, SCOPES])
            .takes::<Changes>()
            .gives::<Preview>(200),
        Route::post("/api/v1/preview/{id}/apply", apply)
            .says("Makes the changes of a preview, all or none; 409 when they would come to something else by now")
            .needs(crate::api::table::Needs::Token),
    ]
}

/// Changes that are thought of, made in this order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// At most 100.
    changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A new rule; active unless it says that it is a draft.
    Rule(NewRule),
    /// A new grant.
    Grant(NewGrant),
    /// A new role.
    Role(NewRole),
    /// A new scope.
    Scope(NewScope),
    /// The end of something; what hangs on it goes with it.
    Delete(Ended),
}

/// What is deleted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// What it is.
    #[serde(rename = "type")]
    kind: EndedKind,
    /// Its id.
    id: String,
}

/// What can be deleted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndedKind {
    /// A grant.
    Grant,
    /// A role that is not predefined.
    Role,
    /// A scope.
    Scope,
    /// A rule.
    Rule,
}

/// What changes would come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// A UUID; under it the changes can be made.
    id: String,
    /// What users would have and do not have; at most 1000 of them.
    gains: Vec<Delta>,
    /// What users have and would not have; at most 1000 of them.
    losses: Vec<Delta>,
    /// How many there are.
    counts: Counts,
    /// For how large a part of all users something changes, from 0 to 1.
    mass_change: f64,
    /// What the changes would be refused for, in words; null where they can be made.
    refused: Option<String>,
    /// Version of the policy it was worked out by.
    policy_version: i64,
}

/// Some access of one user.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delta {
    /// Id of the user.
    user: String,
    /// Where.
    #[serde(flatten)]
    place: Place,
    /// On which records there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    restrict: BTreeMap<String, BTreeSet<String>>,
    /// Keys; empty for the bare membership of a scope.
    permissions: Vec<String>,
}

/// How much changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counts {
    /// Users that were looked at.
    users: u64,
    /// Users for whom something changes.
    changed: u64,
    /// Gains over all users.
    gains: u64,
    /// Losses over all users.
    losses: u64,
}

impl From<preview::Delta> for Delta {
    fn from(delta: preview::Delta) -> Self {
        Self {
            user: delta.user,
            place: delta.place.into(),
            restrict: delta.restrict.0,
            permissions: delta.permissions,
        }
    }
}

/// To three digits: what it is compared with is chosen by people.
fn share(part: u64, whole: u64) -> f64 {
    let thousandths = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    f64::from(u32::try_from(thousandths).unwrap_or(1000)) / 1000.0
}

impl From<preview::Preview> for Preview {
    fn from(preview: preview::Preview) -> Self {
        let deltas = |list: Vec<preview::Delta>| list.into_iter().map(Delta::from).collect();
        Self {
            mass_change: share(preview.counts.changed, preview.counts.users),
            refused: preview.refused,
            id: preview.id,
            gains: deltas(preview.gains),
            losses: deltas(preview.losses),
            counts: Counts {
                users: preview.counts.users,
                changed: preview.counts.changed,
                gains: preview.counts.gains,
                losses: preview.counts.losses,
            },
            policy_version: preview.policy_version,
        }
    }
}

impl Change {
    fn read(self) -> Result<Asked, Problem> {
        Ok(match self {
            Self::Rule(new) => Asked::Rule(new.read(State::Active)),
            Self::Grant(new) => Asked::Grant(new.read()?),
            Self::Role(new) => Asked::Role(new.read()),
            Self::Scope(new) => Asked::Scope(new.read()),
            Self::Delete(Ended { kind, id }) => {
                let what = match kind {
                    EndedKind::Grant => What::Grant,
                    EndedKind::Role => What::Role,
                    EndedKind::Scope => What::Scope,
                    EndedKind::Rule => What::Rule,
                };
                Asked::Delete(what, id)
            }
        })
    }
}

/// Changes as somebody wrote them, in the words of the use case.
fn asked(body: &Value) -> Result<Vec<Asked>, Problem> {
    let Changes { changes } = read::from_value(body)?;
    let numbered = changes.into_iter().enumerate();
    numbered
        .map(|(at, change)| {
            change
                .read()
                .map_err(|problem| problem.within(&format!("/changes/{at}/grant")))
        })
        .collect()
}

async fn create(
    caller: Caller,
    Shared(edge): Shared<Edge>,
    Given(body): Given<Value>,
) -> Result<Json<Preview>, Problem> {
    let preview = preview::preview(edge.services(), &caller, &asked(&body)?, &body.to_string()).await?;
    Ok(Json(preview.into()))
}

async fn apply(caller: Caller, path: Segments, Shared(edge): Shared<Edge>) -> Result<StatusCode, Problem> {
    let kept = preview::find(edge.services(), &caller, path.id()).await?;
    let body: Value = serde_json::from_str(&kept.changes).unwrap_or_default();
    preview::apply(edge.services(), &caller, path.id(), &asked(&body)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
