//! Schemas of the organisation, and what resource types have of them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::query::Query;
use super::wire::Segments;
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::{SETTINGS, VIEW};
use crate::service::schemas::{self, Asked, InTheWay, Preview, Purpose};

const DISCARD: &[Parameter] = &[Parameter {
    name: "discard",
    says: "Take from every resource what it has of the schema, first",
    kind: "boolean",
}];

const DISCARD_TYPE: &[Parameter] = &[Parameter {
    name: "discard",
    says: "Delete every resource of a type of the organisation, or take from those of another one what they have, first",
    kind: "boolean",
}];

/// The routes of schemas and resource types.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut routes = of_schemas();
    routes.extend(of_types());
    routes
}

fn of_schemas() -> Vec<Route> {
    vec![
        Route::get("/api/v1/schemas", list)
            .says("The schemas that the organisation has defined, by URN")
            .one_of(&[VIEW, SETTINGS])
            .gives::<SchemaDefinitions>(200),
        Route::post("/api/v1/schemas/preview", preview)
            .says("What of what is stored would be invalid after a change of schemas or resource types; nothing is changed")
            .one_of(&[SETTINGS])
            .takes::<SchemaChangeAsked>()
            .gives::<SchemaPreview>(200),
        Route::get("/api/v1/schemas/{id}", read)
            .says("One of them, by its URN: a Schema of SCIM")
            .one_of(&[VIEW, SETTINGS])
            .gives::<SchemaDefinition>(200),
        Route::put("/api/v1/schemas/{id}", put)
            .says("Adds a schema or changes it; refused as a whole where something that is stored would be invalid")
            .one_of(&[SETTINGS])
            .takes::<SchemaDefinition>()
            .gives::<SchemaDefinition>(200),
        Route::delete("/api/v1/schemas/{id}", remove)
            .says("Removes a schema from the resource types that have it; refused where something that is stored has it")
            .one_of(&[SETTINGS])
            .asks(DISCARD),
    ]
}

fn of_types() -> Vec<Route> {
    vec![
        Route::get("/api/v1/resource-types", list_types)
            .says("What resource types have of the organisation, by name")
            .one_of(&[VIEW, SETTINGS])
            .gives::<SchemaDefinitions>(200),
        Route::get("/api/v1/resource-types/{id}", read_type)
            .says("What a resource type has of the organisation, by its name: a ResourceType of SCIM")
            .one_of(&[VIEW, SETTINGS])
            .gives::<SchemaDefinition>(200),
        Route::put("/api/v1/resource-types/{id}", put_type)
            .says("Says which schemas of the organisation extend a resource type, or defines a new one with its endpoint")
            .one_of(&[SETTINGS])
            .takes::<SchemaDefinition>()
            .gives::<SchemaDefinition>(200),
        Route::delete("/api/v1/resource-types/{id}", remove_type)
            .says("Takes the schemas of the organisation from a resource type, or removes one of the organisation; refused where something that is stored has them")
            .one_of(&[SETTINGS])
            .asks(DISCARD_TYPE),
    ]
}

/// A Schema or `ResourceType` as SCIM writes it (RFC 7643 §6, §7).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct SchemaDefinition(Value);

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemaDefinitions {
    /// Each as SCIM writes it.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
}

/// A change that is only thought of; one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaChangeAsked {
    /// This schema is added or changed.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// The schema of this URN is removed.
    remove_schema: Option<String>,
    /// A resource type is to have this.
    #[schema(value_type = Option<Object>)]
    resource_type: Option<Value>,
    /// The resource type of this name is to have nothing of the organisation.
    remove_resource_type: Option<String>,
}

/// What a change of schemas would come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemaPreview {
    /// Whether it would be made.
    possible: bool,
    /// Whether it would change anything.
    changes: bool,
    /// What is stored and would be invalid; at most 20 attributes.
    in_the_way: Vec<SchemaInTheWay>,
    /// Rules and settings that read what would not be there any more, in words.
    conditions: Vec<String>,
}

/// Resources that would be invalid, for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemaInTheWay {
    /// Name of their type.
    resource_type: String,
    /// Path of the attribute, or URN of the schema.
    path: String,
    /// Why.
    reason: String,
    /// How many there are.
    count: u64,
    /// The first 20 of them, oldest first.
    first: Vec<SchemaHolder>,
}

/// A resource that would be invalid.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemaHolder {
    /// Its id.
    id: String,
    /// Its display name.
    name: String,
}

impl From<InTheWay> for SchemaInTheWay {
    fn from(told: InTheWay) -> Self {
        let holder = |(id, name)| SchemaHolder { id, name };
        Self {
            resource_type: told.resource_type,
            path: told.path,
            reason: told.reason,
            count: told.count,
            first: told.first.into_iter().map(holder).collect(),
        }
    }
}

impl From<Preview> for SchemaPreview {
    fn from(preview: Preview) -> Self {
        Self {
            possible: preview.first().is_none(),
            changes: preview.changes,
            in_the_way: preview.in_the_way.into_iter().map(SchemaInTheWay::from).collect(),
            conditions: preview.conditions,
        }
    }
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl SchemaChangeAsked {
    fn asked(&self) -> Result<Asked<'_>, Problem> {
        match (
            &self.schema,
            &self.remove_schema,
            &self.resource_type,
            &self.remove_resource_type,
        ) {
            (Some(body), None, None, None) => Ok(Asked::Schema(text(body, "id"), body)),
            (None, Some(urn), None, None) => Ok(Asked::NoSchema(urn)),
            (None, None, Some(body), None) => Ok(Asked::Type(text(body, "name"), body)),
            (None, None, None, Some(name)) => Ok(Asked::NoType(name)),
            _ => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "exactly one of `schema`, `remove_schema`, `resource_type` and `remove_resource_type` belongs here",
            )),
        }
    }
}

async fn list(caller: Caller, State(edge): State<Edge>) -> Result<Json<SchemaDefinitions>, Problem> {
    let items = schemas::schemas(edge.services(), &caller).await?;
    Ok(Json(SchemaDefinitions { items }))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<SchemaDefinition>, Problem> {
    let found = schemas::schema(edge.services(), &caller, path.id()).await?;
    Ok(Json(SchemaDefinition(found)))
}

async fn preview(
    caller: Caller,
    State(edge): State<Edge>,
    Given(asked): Given<SchemaChangeAsked>,
) -> Result<Json<SchemaPreview>, Problem> {
    let preview = schemas::change(edge.services(), &caller, asked.asked()?, Purpose::Preview).await?;
    Ok(Json(preview.into()))
}

async fn put(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(body): Given<SchemaDefinition>,
) -> Result<Json<SchemaDefinition>, Problem> {
    let asked = Asked::Schema(path.id(), &body.0);
    schemas::change(edge.services(), &caller, asked, Purpose::Make).await?;
    let found = schemas::schema(edge.services(), &caller, path.id()).await?;
    Ok(Json(SchemaDefinition(found)))
}

async fn remove(caller: Caller, path: Segments, query: Query, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    let services = edge.services();
    if query.only(&[DISCARD])?.flag("discard")? {
        schemas::discard(services, &caller, path.id()).await?;
    } else {
        schemas::change(services, &caller, Asked::NoSchema(path.id()), Purpose::Make).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn list_types(caller: Caller, State(edge): State<Edge>) -> Result<Json<SchemaDefinitions>, Problem> {
    let items = schemas::resource_types(edge.services(), &caller).await?;
    Ok(Json(SchemaDefinitions { items }))
}

async fn read_type(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
) -> Result<Json<SchemaDefinition>, Problem> {
    let found = schemas::resource_type(edge.services(), &caller, path.id()).await?;
    Ok(Json(SchemaDefinition(found)))
}

async fn put_type(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(body): Given<SchemaDefinition>,
) -> Result<Json<SchemaDefinition>, Problem> {
    let asked = Asked::Type(path.id(), &body.0);
    schemas::change(edge.services(), &caller, asked, Purpose::Make).await?;
    let found = schemas::resource_type(edge.services(), &caller, path.id()).await?;
    Ok(Json(SchemaDefinition(found)))
}

async fn remove_type(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<StatusCode, Problem> {
    let services = edge.services();
    if query.only(&[DISCARD_TYPE])?.flag("discard")? {
        schemas::discard_type(services, &caller, path.id()).await?;
    } else {
        schemas::change(services, &caller, Asked::NoType(path.id()), Purpose::Make).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
