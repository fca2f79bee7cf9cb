//! Rules: who has what because of what they are.
//!
//! May import the rest of `service::access`; must never decide for whom a rule holds but by `crate::access`.

mod change;
mod content;
mod enter;
mod file;
mod force;
mod shown;

pub(super) use change::{End, Making};
pub use change::{change, create, delete};
pub(super) use content::condition;
pub use content::{Example, NewRule, OutcomeAsked, RuleChange};
pub use enter::resume;
pub(super) use enter::{Prepared, enter_each};
pub use file::{Deed, Difference, Patience, diff, export, import};
pub(super) use force::forget;
pub use force::forget_left;
pub use shown::{OutcomeShown, Progress, Rule, Version, find, list, versions};
