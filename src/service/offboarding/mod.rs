//! Offboarding runs: what the end of an account opens, and how it is proven that nothing of the person's is left open.
//!
//! A run is opened by following the log, never by the request that ends the account: no enforcer slows that. May import
//! what `service` may, and its `context`, `error`, `ledger` and `keys`, `access::{authority, page}`; must never call an enforcer
//! itself, nor hold a run confirmed for what an enforcer merely says it will do.

mod account;
mod certify;
mod follow;
mod late;
mod pass;
mod settle;
mod shown;

pub use certify::certificate;
pub use pass::{LEASE_LASTS, Passed, is_due, lease, pass, under_way};
pub use shown::{Run, Step, Wanted, find, list};
