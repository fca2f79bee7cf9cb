//! Rows of either engine.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::fault;
use crate::store::Result;

/// One row.
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// The value of the column at this position, counted from 0.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    pub fn get<T: Column>(&self, at: usize) -> Result<T> {
        match self {
            Self::Sqlite(row) => T::sqlite(row, at),
            Self::Postgres(row) => T::postgres(row, at),
        }
        .map_err(fault::of)
    }
}

/// What a column may hold.
pub trait Column: Sized {
    /// Reads it from SQLite, which has no column types to check.
    ///
    /// # Errors
    /// When the column is missing.
    fn sqlite(row: &SqliteRow, at: usize) -> sqlx::Result<Self>;
    /// Reads it from PostgreSQL.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    fn postgres(row: &PgRow, at: usize) -> sqlx::Result<Self>;
}

macro_rules! columns {
    ($($type:ty),+) => {$(
        impl Column for $type {
            fn sqlite(row: &SqliteRow, at: usize) -> sqlx::Result<Self> {
                row.try_get_unchecked(at)
            }

            fn postgres(row: &PgRow, at: usize) -> sqlx::Result<Self> {
                row.try_get(at)
            }
        }
    )+};
}

columns!(i64, Option<i64>, String, Option<String>);

/// What can be read from a row.
pub trait FromRow: Sized + Send {
    /// Reads it.
    ///
    /// # Errors
    /// When the row is not of this shape.
    fn from_row(row: &Row) -> Result<Self>;
}

macro_rules! tuples {
    ($($name:ident $at:tt),+) => {
        impl<$($name: Column + Send),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row) -> Result<Self> {
                Ok(($(row.get::<$name>($at)?,)+))
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
