//! Territories, programs and record groups, and the records in them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::roles::{FORCE, holding};
use super::wire::{self, Instant, Named, Record, Segments};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{SCOPES, VIEW};
use crate::service::access::records::{self, RecordShown};
use crate::service::access::{ScopeKind, scopes};

const KIND: &[Parameter] = &[Parameter {
    name: "kind",
    says: "Only `territory`, only `program` or only `record_group`",
    kind: "string",
}];

/// The routes of scopes and their records.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/scopes", list)
            .says("Scopes: `all`, which holds every one there is and will be, then the others, oldest first")
            .one_of(&[VIEW, SCOPES])
            .asks(KIND)
            .asks(PAGING)
            .gives::<Page<Scope>>(200),
        Route::post("/api/v1/scopes", create)
            .says("Makes a scope")
            .one_of(&[SCOPES])
            .takes::<NewScope>()
            .gives::<Scope>(201),
        Route::get("/api/v1/scopes/{id}", read)
            .says("One scope")
            .one_of(&[VIEW, SCOPES])
            .gives::<Scope>(200),
        Route::patch("/api/v1/scopes/{id}", change)
            .says("Changes a scope, or moves it below another one")
            .one_of(&[SCOPES])
            .takes::<ScopeChange>()
            .gives::<Scope>(200),
        Route::delete("/api/v1/scopes/{id}", delete)
            .says("Deletes a scope; its records stay in the product")
            .one_of(&[SCOPES])
            .asks(FORCE),
        Route::get("/api/v1/scopes/{id}/records", list_records)
            .says("Records of a scope, by kind and id")
            .one_of(&[VIEW, SCOPES])
            .asks(PAGING)
            .gives::<Page<Record>>(200),
        Route::put("/api/v1/scopes/{id}/records/{kind}/{record_id}", put_record)
            .says("Puts a record into a scope")
            .one_of(&[SCOPES]),
        Route::delete("/api/v1/scopes/{id}/records/{kind}/{record_id}", delete_record)
            .says("Takes a record out of a scope")
            .one_of(&[SCOPES]),
        Route::get("/api/v1/records/{kind}/{record_id}/scopes", scopes_of_record)
            .says("The scopes a record belongs to")
            .one_of(&[VIEW, SCOPES])
            .gives::<Page<Named>>(200),
    ]
}

/// What a scope is to be.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindOfScope {
    /// A place in a tree: region, country, area.
    Territory,
    /// Something with a start and an end.
    Program,
    /// A set of records.
    RecordGroup,
}

impl From<KindOfScope> for ScopeKind {
    fn from(kind: KindOfScope) -> Self {
        match kind {
            KindOfScope::Territory => Self::Territory,
            KindOfScope::Program => Self::Program,
            KindOfScope::RecordGroup => Self::RecordGroup,
        }
    }
}

/// A scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scope {
    /// A UUID, or `all`.
    id: String,
    /// What it is.
    kind: ShownKind,
    /// For people.
    name: String,
    /// Id of the scope above it: what is held there is held here, too. All of them lie in `all`.
    parent: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_name: Option<String>,
    /// Of a program: when it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts: Option<Instant>,
    /// Of a program: when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<Instant>,
    /// When it was made; `all` was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Instant>,
}

/// What a scope is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownKind {
    /// Everything there is and will be.
    All,
    /// A place in a tree: region, country, area.
    Territory,
    /// Something with a start and an end.
    Program,
    /// A set of records.
    RecordGroup,
}

impl From<Option<ScopeKind>> for ShownKind {
    fn from(kind: Option<ScopeKind>) -> Self {
        match kind {
            None => Self::All,
            Some(ScopeKind::Territory) => Self::Territory,
            Some(ScopeKind::Program) => Self::Program,
            Some(ScopeKind::RecordGroup) => Self::RecordGroup,
        }
    }
}

/// A scope to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScope {
    /// What it is.
    kind: KindOfScope,
    /// For people; other scopes may have the same.
    name: String,
    /// Id of the scope above it.
    #[serde(default)]
    parent: Option<String>,
    /// Of a program: when it begins, this instant included.
    #[serde(default)]
    starts: Option<Instant>,
    /// Of a program: when it is over, this instant excluded.
    #[serde(default)]
    ends: Option<Instant>,
}

/// What becomes of a scope: what is absent stays, `null` takes away.
#[expect(clippy::option_option, reason = "absent, null and a value are three things to say")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeChange {
    /// Another name.
    #[serde(default)]
    name: Option<String>,
    /// Id of another scope above it.
    #[serde(default, deserialize_with = "wire::nullable")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<String>>,
    /// Another start.
    #[serde(default, deserialize_with = "wire::nullable")]
    #[schema(value_type = Option<Instant>)]
    starts: Option<Option<Instant>>,
    /// Another end.
    #[serde(default, deserialize_with = "wire::nullable")]
    #[schema(value_type = Option<Instant>)]
    ends: Option<Option<Instant>>,
}

impl From<scopes::Scope> for Scope {
    fn from(scope: scopes::Scope) -> Self {
        let (parent, parent_name) = scope.parent.map(|parent| (parent.id, parent.name)).unzip();
        Self {
            id: scope.id,
            kind: scope.kind.into(),
            name: scope.name,
            parent,
            parent_name,
            starts: wire::at(scope.starts),
            ends: wire::at(scope.ends),
            created: wire::at(scope.created),
        }
    }
}

impl From<RecordShown> for Record {
    fn from(record: RecordShown) -> Self {
        Self {
            kind: record.kind,
            id: record.id,
        }
    }
}

impl NewScope {
    /// The scope in the words of the use case.
    #[must_use]
    pub fn read(self) -> scopes::NewScope {
        scopes::NewScope {
            kind: self.kind.into(),
            name: self.name,
            parent: self.parent,
            starts: wire::given(self.starts),
            ends: wire::given(self.ends),
        }
    }
}

fn kind(query: &Query) -> Result<Option<ScopeKind>, Problem> {
    let known = |text| ScopeKind::parse(text).ok_or_else(|| unusable("kind", KIND[0].says));
    query.text("kind").map(known).transpose()
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Scope>>, Problem> {
    let query = query.only(&[KIND, PAGING])?;
    let page = scopes::list(edge.services(), &caller, kind(&query)?, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, State(edge): State<Edge>, Given(new): Given<NewScope>) -> Result<Response, Problem> {
    let scope = scopes::create(edge.services(), &caller, &new.read()).await?;
    let location = format!("/api/v1/scopes/{}", scope.id);
    Ok(wire::created(&location, Scope::from(scope)))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Scope>, Problem> {
    Ok(Json(scopes::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(change): Given<ScopeChange>,
) -> Result<Json<Scope>, Problem> {
    let change = scopes::ScopeChange {
        name: change.name,
        parent: change.parent,
        starts: change.starts.map(wire::given),
        ends: change.ends.map(wire::given),
    };
    let scope = scopes::change(edge.services(), &caller, path.id(), &change).await?;
    Ok(Json(scope.into()))
}

async fn delete(caller: Caller, path: Segments, query: Query, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    let holding = holding(&query.only(&[FORCE])?)?;
    scopes::delete(edge.services(), &caller, path.id(), holding).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_records(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Record>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = records::list(edge.services(), &caller, path.id(), &query.paging()?).await?;
    Ok(Json(page.into()))
}

fn record(path: &Segments) -> [RecordShown; 1] {
    [RecordShown {
        kind: path.get("kind").to_owned(),
        id: path.get("record_id").to_owned(),
    }]
}

async fn put_record(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    records::put(edge.services(), &caller, path.id(), &record(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_record(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    records::remove(edge.services(), &caller, path.id(), &record(&path)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn scopes_of_record(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
) -> Result<Json<Page<Named>>, Problem> {
    let scopes = records::scopes_of(edge.services(), &caller, path.get("kind"), path.get("record_id")).await?;
    Ok(Json(Page::whole(scopes)))
}
