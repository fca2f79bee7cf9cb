//! Everything that is kept: tenants, connections, tokens, resources, members, access, events, and all SQL.
//!
//! May import [`crate::event`], [`crate::access`], [`crate::scim`] and [`crate::base`], and `sqlx` in [`sql`] alone.
//! Must never import `service` or anything above it, nor know about HTTP.

pub mod access;
pub mod asides;
pub mod cause;
pub mod closing;
pub mod connections;
pub mod credentials;
pub mod deferred;
pub mod delivery;
pub mod document;
pub mod error;
pub mod filter;
pub mod fuse;
pub mod invitations;
pub mod kind;
pub mod lifecycle;
pub mod log;
pub mod mail;
pub mod members;
pub mod query;
pub mod reader;
pub mod resources;
pub mod runs;
pub mod schemas;
pub mod sql;
pub mod tenants;
pub mod together;
pub mod tokens;
pub mod tolerances;
pub mod undo;
pub mod unit;

pub use cause::{By, Cause, Maker};
pub use error::{Error, Result};
pub use kind::Kind;
pub use reader::Reader;
pub use sql::{Db, Options};
pub use together::Together;
pub use unit::Unit;
