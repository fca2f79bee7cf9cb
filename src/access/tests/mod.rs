//! What the engine means, one fact at a time.

mod conditions;
mod effort;
mod house;
mod places;
mod property;
mod reachable;
mod reports;
mod rules;
mod strata;
mod subjects;
mod worlds;

use crate::access::{ScopeKind, State};
use crate::scim::schema::ENTERPRISE_USER;
