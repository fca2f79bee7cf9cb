//! Subjects, actions and resources as they stand in requests and answers.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::problem::Problem;

/// The one type of subjects there is.
pub const USER: &str = "user";

/// A subject or a resource.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Entity {
    /// `user` for a subject; a record kind, `scope` or `tenant` for a resource.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one; left out for what a search is to find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of a resource: what restrictions of grants ask about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Map<String, Value>>,
}

impl Entity {
    /// Its id.
    ///
    /// # Errors
    /// 400 without one.
    pub fn id(&self, name: &str) -> Result<&str, Problem> {
        self.id.as_deref().ok_or_else(|| missing(&format!("{name}.id")))
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Action {
    /// Key of a permission.
    pub name: String,
    /// Not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Map<String, Value>>,
}

/// 400 for a member that must be there.
pub fn missing(name: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("`{name}` is missing"))
}
