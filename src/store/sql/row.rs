//! Rows of either engine.

use rusqlite::types::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::fault;
use super::sqlite::Line;
use crate::store::{Error, Result};

/// One row.
pub enum Row {
    /// Of SQLite.
    Sqlite(Line),
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
            Self::Sqlite(line) => T::sqlite(line.value(at)).ok_or(Error::Damaged("a column")),
            Self::Postgres(row) => T::postgres(row, at).map_err(fault::of),
        }
    }
}

/// What a column may hold.
pub trait Column: Sized {
    /// Reads it from SQLite; `None` when the value is of another type.
    fn sqlite(value: &Value) -> Option<Self>;
    /// Reads it from PostgreSQL.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    fn postgres(row: &PgRow, at: usize) -> sqlx::Result<Self>;
}

macro_rules! columns {
    ($($type:ty, $value:ident => $read:expr;)+) => {$(
        impl Column for $type {
            fn sqlite($value: &Value) -> Option<Self> {
                $read
            }

            fn postgres(row: &PgRow, at: usize) -> sqlx::Result<Self> {
                row.try_get(at)
            }
        }
    )+};
}

columns! {
    i64, value => match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    Option<i64>, value => match value {
        Value::Null => Some(None),
        other => i64::sqlite(other).map(Some),
    };
    String, value => match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    Option<String>, value => match value {
        Value::Null => Some(None),
        other => String::sqlite(other).map(Some),
    };
}

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
