//! What a user has, and why.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::events::time;
use super::explanation::Explanation;
use super::history::{AS_OF, Incomplete};
use super::pending::Pending;
use super::query::{Query, unusable};
use super::views::{CSV, table, wants_table};
use super::wire::{Instant, Place, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Needs, Parameter, Route};
use crate::service::Caller;
use crate::service::access::access_of_user::{self, Access, Entry, Step, Why};
use crate::service::access::decide::Resource;
use crate::service::access::explain;
use crate::service::access::views::rows;
use crate::service::history::{self, AccessThen};

const ASKED: &[Parameter] = &[
    Parameter {
        name: "permission",
        says: "Key of the permission to explain; everything the user has there when absent",
        kind: "string",
    },
    Parameter {
        name: "record",
        says: "`kind:id` of the record to explain it for",
        kind: "string",
    },
    Parameter {
        name: "scope",
        says: "Id of the scope to explain it for; the organisation as a whole when neither is there",
        kind: "string",
    },
];

/// The routes of one user's access.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users/{id}/access", access)
            .says("Everything a user has, each with everything that gives it; anyone may ask about themselves")
            .needs(Needs::Token)
            .asks(&[AS_OF])
            .gives::<UserAccess>(200)
            .sends(CSV),
        Route::get("/api/v1/users/{id}/explain", why)
            .says("Why a user has a permission, or why not; anyone may ask about themselves")
            .needs(Needs::Token)
            .asks(ASKED)
            .gives::<Explanation>(200),
    ]
}

/// Everything a user has.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserAccess {
    /// Id of the user.
    user: String,
    /// What they sign in with.
    user_name: String,
    /// Their name.
    name: String,
    /// `active`, or `invited`, `suspended` or `deactivated`: then there is nothing.
    status: &'static str,
    /// What they have.
    assignments: Vec<Assignment>,
    /// What they may do in the organisation as a whole: keys.
    permissions: Vec<String>,
    /// What everything comes to on each scope that is named in `assignments`; `all` first.
    scopes: Vec<OnScope>,
    /// Version of the policy it was evaluated by.
    policy_version: i64,
    /// What waits for a decision about them: a `leaving-owner` is one that provisioning wants to end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pending: Vec<Pending>,
    /// The instant that was asked about; absent of an answer about now, as are the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Instant>,
    /// The last position of the log that was not after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    /// What is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Incomplete>,
}

/// What a user may do on a scope, wherever they have it from.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnScope {
    /// Where.
    #[serde(flatten)]
    place: Place,
    /// Keys of scope-level permissions. What is held with a restriction counts on records alone.
    permissions: Vec<String>,
}

/// A role somewhere, or the bare membership of a scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct Assignment {
    /// Id of the role; `null` for the bare membership of a scope.
    role: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_name: Option<String>,
    /// Where.
    #[serde(flatten)]
    place: Place,
    /// Which records it is narrowed to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    restrict: BTreeMap<String, BTreeSet<String>>,
    /// Id of the user who has it, where their manager sees what they see: to look only.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    /// What it gives there: keys; organisation-level ones count on `all` alone.
    permissions: Vec<String>,
    /// In which ways it is held: `direct` by a grant of the user's own, `group` by one of a group, `rule`; and
    /// `inherited` where it is shown for a scope that lies in the one it is held on.
    via: Vec<&'static str>,
    /// Everything that gives it: `{grant, origin, through}` or `{rule, rule_name, version, through}`, where `through`
    /// tells the way into the groups that count.
    #[schema(value_type = Vec<Object>)]
    why: Vec<Value>,
}

impl From<Access> for UserAccess {
    fn from(access: Access) -> Self {
        Self {
            user: access.user.id,
            user_name: access.user_name,
            name: access.user.name,
            status: access.status.as_str(),
            assignments: access.assignments.into_iter().map(Assignment::from).collect(),
            permissions: access.permissions,
            scopes: access.scopes.into_iter().map(OnScope::from).collect(),
            policy_version: access.policy_version,
            pending: access.pending.into_iter().map(Pending::from).collect(),
            as_of: None,
            position: None,
            incomplete: None,
        }
    }
}

impl From<AccessThen> for UserAccess {
    fn from(then: AccessThen) -> Self {
        Self {
            as_of: Some(Instant(then.at)),
            position: Some(then.seq),
            incomplete: Incomplete::of(then.incomplete),
            ..then.access.into()
        }
    }
}

impl From<access_of_user::OnScope> for OnScope {
    fn from(on: access_of_user::OnScope) -> Self {
        Self {
            place: on.place.into(),
            permissions: on.permissions,
        }
    }
}

impl From<access_of_user::Assignment> for Assignment {
    fn from(assignment: access_of_user::Assignment) -> Self {
        let (role, role_name) = assignment.role.map(|role| (role.id, role.name)).unzip();
        Self {
            role,
            role_name,
            place: assignment.place.into(),
            restrict: assignment.restrict.0,
            report: assignment.report,
            permissions: assignment.permissions,
            via: assignment.via.iter().map(|via| via.as_str()).collect(),
            why: assignment.why.iter().map(reason).collect(),
        }
    }
}

fn reason(why: &Why) -> Value {
    match why {
        Why::Grant { id, origin, through } => json!({ "grant": id, "origin": origin, "through": way(through) }),
        Why::Rule { rule, version, through } => json!({
            "rule": rule.id,
            "rule_name": rule.name,
            "version": version,
            "through": through.iter().map(|way_in| way(way_in)).collect::<Vec<_>>(),
        }),
    }
}

/// Group by group; `by` tells how one comes into it.
fn way(steps: &[Step]) -> Value {
    let step = |step: &Step| {
        let mut said = json!({ "group": step.group.id, "group_name": step.group.name });
        match &step.entry {
            Entry::Member => said["by"] = "member".into(),
            Entry::Nested => said["by"] = "nested".into(),
            Entry::Rule(rule) => {
                said["by"] = "rule".into();
                said["rule"] = rule.id.as_str().into();
            }
        }
        said
    };
    steps.iter().map(step).collect()
}

/// What a query asks about.
fn place(query: &Query) -> Result<Option<Resource>, Problem> {
    match (query.text("record"), query.text("scope")) {
        (None, None) => Ok(None),
        (None, Some(scope)) => Ok(Some(Resource::Scope(scope.to_owned()))),
        (Some(record), None) => {
            let parts = record
                .split_once(':')
                .ok_or_else(|| unusable("record", "`kind:id` belongs here"));
            parts.map(|(kind, id)| Some(explain::record(kind, id)))
        }
        (Some(_), Some(_)) => Err(unusable("record", "a record or a scope can be asked about, not both")),
    }
}

async fn access(
    caller: Caller,
    path: Segments,
    query: Query,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Response, Problem> {
    let query = query.only(&[&[AS_OF]])?;
    let (services, user) = (edge.services(), path.id());
    let shown = |access: &Access| table(rows(&access.user, &access.user_name, &access.assignments));
    if let Some(at) = time(&query, "as_of")? {
        let then = history::access_of_user(services, &caller, user, Some(at)).await?;
        return Ok(if wants_table(&headers) {
            shown(&then.access)
        } else {
            Json(UserAccess::from(then)).into_response()
        });
    }
    let access = access_of_user::access_of_user(services, &caller, user).await?;
    Ok(if wants_table(&headers) {
        shown(&access)
    } else {
        Json(UserAccess::from(access)).into_response()
    })
}

async fn why(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Explanation>, Problem> {
    let query = query.only(&[ASKED])?;
    let (permission, place) = (query.text("permission"), place(&query)?);
    let explained = explain::explain(edge.services(), &caller, path.id(), permission, place.as_ref()).await?;
    Ok(Json(explained.into()))
}
