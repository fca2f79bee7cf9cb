//! Reads by key that can be made for many keys at once.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::statement::{Bind, Statement};

/// A read by key in two forms, which give the same columns.
pub struct Lookup {
    /// For one key, whose parts are `$1`, `$2` …
    pub one: &'static str,
    /// For many: `$1` is a JSON array of keys, each an array of its position and its parts. The position is one more
    /// column, the last.
    pub many: &'static str,
    /// Where that column is, counted from 0.
    pub position: usize,
}

impl Lookup {
    /// The statement for one key.
    pub(super) fn one(&self, key: Vec<Bind>) -> Statement {
        Statement::new(self.one).bind_all(key)
    }

    /// The statement for many.
    pub(super) fn many(&self, keys: &[Vec<Bind>]) -> Statement {
        let part = |bind: &Bind| match bind {
            Bind::Int(value) => Value::from(*value),
            Bind::Text(value) => Value::from(value.as_deref()),
        };
        let row = |(at, key): (usize, &Vec<Bind>)| {
            Value::Array(std::iter::once(Value::from(at)).chain(key.iter().map(part)).collect())
        };
        let rows: Value = keys.iter().enumerate().map(row).collect();
        Statement::new(self.many).bind(rows.to_string())
    }
}

/// Which of many keys a row is for.
pub(super) fn position(lookup: &Lookup, row: &SqliteRow) -> Option<usize> {
    let position: i64 = row.try_get_unchecked(lookup.position).ok()?;
    usize::try_from(position).ok()
}
