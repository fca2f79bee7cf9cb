//! What the log says of grants, roles, scopes and rules: each as a whole, by public ids, so that nothing else is needed to
//! know later what they were. Whoever writes such an event and whoever reads it uses these.
//!
//! May import what `event` may; must never look anything up, nor hold a row number.

mod grant;
mod instant;
mod role;
mod rule;
mod scope;
mod value;

pub use grant::{GrantImage, Place, RecordImage};
pub use role::RoleImage;
pub use rule::{OutcomeImage, RuleImage};
pub use scope::ScopeImage;
use value::value;

#[cfg(test)]
mod tests;
