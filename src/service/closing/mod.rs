//! What becomes of a connection or a tenant as a whole: suspended, resumed, deleted; and of its users.
//!
//! That it does not work any more is one row, which every token and every decision looks at. What is done to its users is
//! a work that servers carry out some users at a time, as everything that ends an account is told of each of them.
//!
//! May import what `service` may, and its `access`, `lifecycle` and `provision`; must never turn a status by anything but
//! `lifecycle`.

mod asked;
mod connection;
mod run;
mod shown;
mod tenant;

pub use asked::{Asked, Users};
pub use connection::{
    delete as delete_connection, find as connection, resume as resume_connection, suspend as suspend_connection,
};
pub use run::{Looked, carry, finish, is_behind, lease, look, pass};
pub use shown::{Counted, Shown, Work};
pub use tenant::{
    delete as delete_tenant, find as tenant, restore as restore_tenant, resume as resume_tenant,
    suspend as suspend_tenant,
};
