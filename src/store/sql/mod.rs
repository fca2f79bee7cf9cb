//! The only users of `sqlx` and `rusqlite`: connections, transactions, statements, group commit, migrations.
//!
//! May import the store's error and the newtypes of [`crate::base`]. Must never know what a row means.

mod db;
mod fault;
mod gate;
mod keys;
mod migrate;
mod names;
mod open;
mod places;
mod readers;
mod row;
mod scrub;
mod sqlite;
mod statement;
mod tx;
mod words;
mod worker;

pub use db::Db;
pub use names::Names;
pub use open::Options;
pub use row::{Column, FromRow, Row};
pub use statement::{Bind, Script, Statement};
pub use tx::{Read, Tx};
pub use words::Engine;
