//! Grants: roles given to users and groups.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::wire::{self, Instant, Place, Record, Segments};
use crate::api::body::Given;
use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::Validity;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::access::grants::{self, Filter, SubjectKind, Where};

const FILTER: &[Parameter] = &[
    Parameter {
        name: "subject",
        says: "Id of a user or group: those it holds itself",
        kind: "string",
    },
    Parameter {
        name: "role",
        says: "Id of a role",
        kind: "string",
    },
    Parameter {
        name: "scope",
        says: "Id of a scope: those on the scope itself; `all`: those on everything",
        kind: "string",
    },
    Parameter {
        name: "record",
        says: "`kind:id` of a record: those on the record itself",
        kind: "string",
    },
];

/// The routes of grants.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/grants", list)
            .says("Grants, oldest first")
            .one_of(&[VIEW, GIVE])
            .asks(FILTER)
            .asks(PAGING)
            .gives::<Page<Grant>>(200),
        Route::post("/api/v1/grants", create)
            .says("Gives a user or a group a role")
            .one_of(&[GIVE])
            .takes::<NewGrant>()
            .gives::<Grant>(201),
        Route::get("/api/v1/grants/{id}", read)
            .says("One grant")
            .one_of(&[VIEW, GIVE])
            .gives::<Grant>(200),
        Route::put("/api/v1/grants/{id}/validity", change)
            .says("Says when a grant counts; what is absent is open")
            .one_of(&[GIVE])
            .takes::<Period>()
            .gives::<Grant>(200),
        Route::delete("/api/v1/grants/{id}", delete)
            .says("Takes a grant away")
            .one_of(&[GIVE]),
    ]
}

/// Whether a user or a group.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HolderKind {
    /// One user.
    User,
    /// Everyone in a group, directly or through groups in it.
    Group,
}

impl From<HolderKind> for SubjectKind {
    fn from(kind: HolderKind) -> Self {
        match kind {
            HolderKind::User => Self::User,
            HolderKind::Group => Self::Group,
        }
    }
}

impl From<SubjectKind> for HolderKind {
    fn from(kind: SubjectKind) -> Self {
        match kind {
            SubjectKind::User => Self::User,
            SubjectKind::Group => Self::Group,
        }
    }
}

/// Who holds a grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holder {
    /// Whether a user or a group.
    #[serde(rename = "type")]
    kind: HolderKind,
    /// Its id.
    id: String,
    /// Its name.
    name: String,
}

/// Who is to hold a grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderOf {
    /// Whether a user or a group.
    #[serde(rename = "type")]
    kind: HolderKind,
    /// Its id.
    id: String,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Grant {
    /// A UUID.
    id: String,
    /// Who holds it.
    subject: Holder,
    /// Id of the role.
    role: String,
    /// Its name.
    role_name: String,
    /// Where it counts.
    #[serde(flatten)]
    place: Place,
    /// From when it counts, this instant included.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Instant>,
    /// Until when it counts, this instant excluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Instant>,
    /// Which records it is narrowed to: several values of one property are OR, several properties AND.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    restrict: BTreeMap<String, BTreeSet<String>>,
    /// `manual`, `rule`, `import`, `invitation` or `provisioned`.
    origin: &'static str,
    /// Who made it.
    made: Made,
}

/// Who made something so, when, and by which request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made {
    /// When.
    at: Instant,
    /// `connection`, `admin`, `user` or `operator`.
    by_kind: String,
    /// Which of them.
    by: String,
    /// Name of the connection it came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// Id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// A grant to be: on a scope, or on one record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// Who is to hold it.
    subject: HolderOf,
    /// Id of the role.
    role: String,
    /// Id of the scope it counts on, and below; `all` for everything.
    #[serde(default)]
    scope: Option<String>,
    /// The record it counts on, in place of a scope.
    #[serde(default)]
    record: Option<Record>,
    /// From when it counts, this instant included.
    #[serde(default)]
    valid_from: Option<Instant>,
    /// Until when it counts, this instant excluded.
    #[serde(default)]
    valid_to: Option<Instant>,
    /// Narrows it to records with one of the values of every property.
    #[serde(default)]
    restrict: BTreeMap<String, Vec<String>>,
}

/// When something counts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// From when, this instant included.
    #[serde(default)]
    valid_from: Option<Instant>,
    /// Until when, this instant excluded.
    #[serde(default)]
    valid_to: Option<Instant>,
}

const NO_PLACE: Code = Code {
    name: "missing-field",
    title: "The body lacks a field",
};

impl NewGrant {
    /// The grant in the words of the use case.
    ///
    /// # Errors
    /// 400 when it says two places or none.
    pub fn read(self) -> Result<grants::NewGrant, Problem> {
        let place = match (self.scope, self.record) {
            (Some(scope), None) => Where::Scope(scope),
            (None, Some(record)) => Where::Record {
                kind: record.kind,
                id: record.id,
            },
            (None, None) => {
                let text = "the field `scope` is missing; or `record`, for a grant on one record";
                return Err(Problem::new(StatusCode::BAD_REQUEST, text).coded(NO_PLACE).at("/scope"));
            }
            (Some(_), Some(_)) => {
                let text = "a grant counts on a scope or on one record, not both";
                return Err(Problem::new(StatusCode::BAD_REQUEST, text).at("/record"));
            }
        };
        Ok(grants::NewGrant {
            subject_kind: self.subject.kind.into(),
            subject: self.subject.id,
            role: self.role,
            place,
            validity: validity(self.valid_from, self.valid_to),
            restrict: self.restrict,
        })
    }
}

/// When something counts, in the words of the use cases.
#[must_use]
pub fn validity(from: Option<Instant>, to: Option<Instant>) -> Validity {
    Validity {
        from: wire::given(from),
        to: wire::given(to),
    }
}

impl From<grants::Made> for Made {
    fn from(made: grants::Made) -> Self {
        Self {
            at: Instant(made.at),
            by_kind: made.by_kind,
            by: made.by,
            connection: made.connection,
            request_id: made.request_id,
        }
    }
}

impl From<grants::Grant> for Grant {
    fn from(grant: grants::Grant) -> Self {
        Self {
            id: grant.id,
            subject: Holder {
                kind: grant.subject_kind.into(),
                id: grant.subject.id,
                name: grant.subject.name,
            },
            role: grant.role.id,
            role_name: grant.role.name,
            place: grant.place.into(),
            valid_from: wire::at(grant.validity.from),
            valid_to: wire::at(grant.validity.to),
            restrict: grant.restrict.0,
            origin: grant.origin,
            made: grant.made.into(),
        }
    }
}

fn filter(query: &Query) -> Result<Filter, Problem> {
    let text = |name| query.text(name).map(str::to_owned);
    let record = query.text("record").map(|text| {
        let parts = text
            .split_once(':')
            .ok_or_else(|| unusable("record", "`kind:id` belongs here"));
        parts.map(|(kind, id)| (kind.to_owned(), id.to_owned()))
    });
    Ok(Filter {
        subject: text("subject"),
        role: text("role"),
        scope: text("scope"),
        record: record.transpose()?,
    })
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Grant>>, Problem> {
    let query = query.only(&[FILTER, PAGING])?;
    let page = grants::list(edge.services(), &caller, &filter(&query)?, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, State(edge): State<Edge>, Given(new): Given<NewGrant>) -> Result<Response, Problem> {
    let grant = grants::create(edge.services(), &caller, &new.read()?).await?;
    let location = format!("/api/v1/grants/{}", grant.id);
    Ok(wire::created(&location, Grant::from(grant)))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Grant>, Problem> {
    Ok(Json(grants::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(period): Given<Period>,
) -> Result<Json<Grant>, Problem> {
    let validity = validity(period.valid_from, period.valid_to);
    let grant = grants::change(edge.services(), &caller, path.id(), validity).await?;
    Ok(Json(grant.into()))
}

async fn delete(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    grants::delete(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}
