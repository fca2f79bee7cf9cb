//! Offboarding runs: what the end of an account opens, and how it is proven that nothing of the person's is left open.
//!
//! A run is opened by following the log, never by the request that ends the account: no enforcer slows that. May import
//! what `service` may, and its `context`, `error`, `ledger`, `setbacks`, `keys` and `log`, `access::{authority, desk, page}`,
//! `delivery` and `mail`; must never call an enforcer itself, nor hold a run confirmed for what one merely says it will do.

mod account;
mod certify;
pub mod enforcers;
mod follow;
pub mod hook;
mod late;
mod pass;
mod settle;
mod shown;

pub use certify::certificate;
pub use pass::{LEASE_LASTS, Passed, is_due, lease, pass, under_way};
pub use shown::{Run, Step, Wanted, find, list};
