//! What was: a user as of an instant, what happened to them, what became of them, and who could do something.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::events::{EventPage, position, time};
use super::query::{PAGING, Query, unusable};
use super::users::Assignment;
use super::wire::{Instant, Named, Segments};
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::AUDIT;
use crate::service::history::{self, Asked, Place};
use crate::service::lifecycle::Status;

/// The instant that is asked about.
pub(super) const AS_OF: Parameter = Parameter {
    name: "as_of",
    says: "An instant that has passed: what was then, told from the log. It needs `org.audit.view`",
    kind: "string:date-time",
};

const AFTER: &[Parameter] = &[
    Parameter {
        name: "after",
        says: "A position (`seq`): only what happened after it; 0, the beginning, when absent",
        kind: "integer",
    },
    Parameter {
        name: "limit",
        says: "Most items of the page, 1 to 500; 100 when absent",
        kind: "integer",
    },
];

const BETWEEN: &[Parameter] = &[
    Parameter {
        name: "from",
        says: "The first instant; the beginning when absent",
        kind: "string:date-time",
    },
    Parameter {
        name: "to",
        says: "The second instant, not before the first; now when absent",
        kind: "string:date-time",
    },
];

const WHO: &[Parameter] = &[
    Parameter {
        name: "permission",
        says: "Key of the permission",
        kind: "string",
    },
    Parameter {
        name: "scope",
        says: "Id of a scope; the organisation as a whole when neither a scope nor a record is there",
        kind: "string",
    },
    Parameter {
        name: "record",
        says: "`kind:id` of a record",
        kind: "string",
    },
    Parameter {
        name: "as_of",
        says: "An instant that has passed; now when absent, and on further pages that of the first",
        kind: "string:date-time",
    },
];

/// The routes of history.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users/{id}", profile)
            .says("What was known of a user at an instant, told from the log; now when none is given")
            .one_of(&[AUDIT])
            .asks(&[AS_OF])
            .gives::<UserProfile>(200),
        Route::get("/api/v1/users/{id}/history", events)
            .says("What happened to a user, in its order: changes, status, grants, and groups they joined or left")
            .one_of(&[AUDIT])
            .asks(AFTER)
            .gives::<EventPage>(200),
        Route::get("/api/v1/users/{id}/diff", diff)
            .says("What became of a user between two instants: attributes, groups, access")
            .one_of(&[AUDIT])
            .asks(BETWEEN)
            .gives::<UserDiff>(200),
        Route::get("/api/v1/who-could", who_could)
            .says("Who could do something at an instant. A page may have few items, or none, and still go on")
            .one_of(&[AUDIT])
            .asks(WHO)
            .asks(PAGING)
            .gives::<WhoCould>(200),
    ]
}

/// What an answer about the past cannot know; absent where it knows all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryIncomplete)]
pub struct Incomplete {
    /// Events that do not say what they should: those of a release before them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
    /// Whether the person was erased: their values cannot be read, and rules over them count as not fulfilled.
    erased: bool,
    /// Whether managers saw what those see who report to them: that is not part of the answer.
    reports: bool,
    /// Whether something that was saved by then is not in the log yet: the answer may be another one when it is.
    behind: bool,
}

/// An event that does not say what it should.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryGap)]
pub struct Gap {
    /// Its position.
    seq: i64,
    /// What happened.
    kind: String,
}

impl Incomplete {
    pub(super) fn of(incomplete: history::Incomplete) -> Option<Self> {
        if incomplete == history::Incomplete::default() {
            return None;
        }
        let gaps = incomplete.gaps.into_iter();
        Some(Self {
            gaps: gaps.map(|(seq, kind)| Gap { seq, kind }).collect(),
            erased: incomplete.erased,
            reports: incomplete.reports,
            behind: incomplete.behind,
        })
    }
}

/// A user at an instant.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserProfile {
    /// Their id.
    user: String,
    /// The instant.
    as_of: Instant,
    /// The last position of the log that was not after it.
    position: i64,
    /// `active`, `invited`, `suspended` or `deactivated`.
    status: &'static str,
    /// Version of the resource.
    version: i64,
    /// When they were made.
    created: Instant,
    /// Attributes, as SCIM has them.
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
    /// What connections called them, by the names of the connections.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    external_ids: BTreeMap<String, Value>,
    /// The groups that they were a member of themselves, but for those that rules fill.
    groups: Vec<Named>,
    /// What is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Incomplete>,
}

/// One of two instants.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistorySide)]
pub struct Side {
    /// The instant.
    as_of: Instant,
    /// The last position of the log that was not after it.
    position: i64,
    /// What they were; `null` where they were not there yet.
    status: Option<&'static str>,
}

impl From<history::diff::Side> for Side {
    fn from(side: history::diff::Side) -> Self {
        Self {
            as_of: Instant(side.at),
            position: side.seq,
            status: side.status.map(Status::as_str),
        }
    }
}

/// What became of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserDiff {
    /// Their id.
    user: String,
    /// The first instant.
    from: Side,
    /// The second.
    to: Side,
    /// Values of the attributes that are others, by their paths: before.
    #[schema(value_type = Object)]
    before: Map<String, Value>,
    /// The same after.
    #[schema(value_type = Object)]
    after: Map<String, Value>,
    /// Groups, direct or not, that they are in and were not; but for those that rules fill.
    joined: Vec<Named>,
    /// Groups that they were in and are not.
    left: Vec<Named>,
    /// What they have and had not. What has other permissions by now is in both.
    gained: Vec<Assignment>,
    /// What they had and have not.
    lost: Vec<Assignment>,
    /// What is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Incomplete>,
}

/// Those who could.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhoCould {
    /// They, in the order in which they were made.
    items: Vec<Able>,
    /// For `after`: where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The last position of the log that was not after the instant.
    position: i64,
    /// What is not known of those who were looked at for this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Incomplete>,
}

/// Somebody who could.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryAble)]
pub struct Able {
    /// Id of the user.
    user: String,
    /// What they signed in with.
    user_name: String,
    /// Their name.
    name: String,
}

async fn profile(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<UserProfile>, Problem> {
    let query = query.only(&[&[AS_OF]])?;
    let profile = history::profile(edge.services(), &caller, path.id(), time(&query, "as_of")?).await?;
    Ok(Json(UserProfile {
        user: profile.user,
        as_of: Instant(profile.at),
        position: profile.seq,
        status: profile.status.as_str(),
        version: profile.version,
        created: Instant(profile.created),
        attributes: profile.attributes,
        external_ids: profile.external_ids,
        groups: profile.groups.into_iter().map(Named::from).collect(),
        incomplete: Incomplete::of(profile.incomplete),
    }))
}

async fn events(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<EventPage>, Problem> {
    let query = query.only(&[AFTER])?;
    let after = position(&query)?;
    let found = history::events(edge.services(), &caller, path.id(), after, query.limit()?).await?;
    Ok(Json(found.into()))
}

async fn diff(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<UserDiff>, Problem> {
    let query = query.only(&[BETWEEN])?;
    let between = (time(&query, "from")?, time(&query, "to")?);
    let diff = history::difference(edge.services(), &caller, path.id(), between).await?;
    Ok(Json(UserDiff {
        user: diff.user,
        from: diff.from.into(),
        to: diff.to.into(),
        before: diff.before,
        after: diff.after,
        joined: diff.joined.into_iter().map(Named::from).collect(),
        left: diff.left.into_iter().map(Named::from).collect(),
        gained: diff.gained.into_iter().map(Assignment::from).collect(),
        lost: diff.lost.into_iter().map(Assignment::from).collect(),
        incomplete: Incomplete::of(diff.incomplete),
    }))
}

async fn who_could(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<WhoCould>, Problem> {
    let query = query.only(&[WHO, PAGING])?;
    let place = match (query.text("record"), query.text("scope")) {
        (None, None) => Place::Organisation,
        (None, Some(scope)) => Place::Scope(scope.to_owned()),
        (Some(record), None) => {
            let (kind, id) = record
                .split_once(':')
                .ok_or_else(|| unusable("record", "`kind:id` belongs here"))?;
            Place::Record {
                kind: kind.to_owned(),
                id: id.to_owned(),
            }
        }
        (Some(_), Some(_)) => {
            return Err(unusable("record", "a record or a scope can be asked about, not both"));
        }
    };
    let asked = Asked {
        permission: query.text("permission").unwrap_or_default().to_owned(),
        place,
        at: time(&query, "as_of")?,
    };
    let found = history::who_could(edge.services(), &caller, &asked, &query.paging()?).await?;
    let able = found.page.items.into_iter().map(|able| Able {
        user: able.user.id,
        user_name: able.user_name,
        name: able.user.name,
    });
    Ok(Json(WhoCould {
        items: able.collect(),
        next: found.page.next,
        position: found.seq,
        incomplete: Incomplete::of(found.incomplete),
    }))
}
