//! The SCIM protocol as values: schemas, filters, PATCH, projection, messages, dialects.
//!
//! Values in, values out, so that it can be tested by the thousand a second. May import `base`; must never
//! import tokio, sqlx, axum, tracing or a clock, nor know any word of tenancy.

pub mod bulk;
pub mod cursor;
pub mod dialect;
pub mod discovery;
pub mod document;
pub mod error;
pub mod filter;
pub mod json;
pub mod message;
pub mod patch;
pub mod path;
pub mod profile;
pub mod project;
pub mod schema;
pub mod validate;
mod verb;

pub use document::Document;
pub use error::{Error, ScimType};
pub use verb::Verb;
