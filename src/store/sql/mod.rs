//! The only users of `sqlx`: connections, transactions, statements, group commit, migrations.
//!
//! May import the store's error and the newtypes of [`crate::base`]. Must never know what a row means.

mod db;
mod fault;
mod gate;
mod keys;
mod lookup;
mod migrate;
mod names;
mod open;
mod readers;
mod row;
mod statement;
mod tx;
mod words;

pub use db::Db;
pub use lookup::Lookup;
pub use names::Names;
pub use open::Options;
pub use row::{Column, FromRow, Row};
pub use statement::{Bind, Script, Statement};
pub use tx::{Read, Tx};
pub use words::Engine;
