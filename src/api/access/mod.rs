//! Decisions for the product, in the words of the `AuthZEN` Authorization API 1.0.
//!
//! May import the rest of `api`, `service` and `base`; must never decide anything: it reads questions and says answers.
//!
//! A subject is `{type: "user", id: <id or userName>}`, an action `{name: <permission key>}`, a resource
//! `{type: <record kind>, id: <record id>}`, `{type: "scope", id}` or `{type: "tenant", id: <slug>}`. Properties of a
//! resource feed restrictions of grants; what a request says about its subject is never believed.
//! DEPARTS: the *Properties* levels of the certification scenario ask for just that.

mod batch;
mod entity;
mod evaluation;
mod message;
mod metadata;
mod search;
mod surface;

pub use surface::{open_routes, routes};
