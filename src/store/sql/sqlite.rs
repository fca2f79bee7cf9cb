//! Statements on a connection to SQLite, and their rows.

use rusqlite::types::{Type, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

use super::statement::{Bind, Statement};

/// Prepared statements kept by a connection: more than there are texts, but for odd filters.
const STATEMENTS: usize = 512;

/// What writer and readers have in common. The rollback copies of a savepoint stay in memory, too.
const COMMON: &str = "PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA mmap_size = 1073741824; \
                      PRAGMA temp_store = MEMORY;";

/// What is said to the writer besides: an acknowledged write is on disk. The log is moved to the file when it holds
/// 64 MiB.
const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
                      PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 268435456;";

/// What is said to readers besides.
const READER: &str = "PRAGMA query_only = ON;";

/// One row: the values of its columns, in order.
pub struct Line(Vec<Value>);

impl Line {
    /// The value at this position; NULL where there is no such column.
    pub(super) fn value(&self, at: usize) -> &Value {
        self.0.get(at).unwrap_or(&Value::Null)
    }
}

/// The connection that writes; makes the file when it is missing.
pub(super) fn writer(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, patience, WRITER)
}

/// A connection that only reads. It may write to the index of the log, which all of them share.
pub(super) fn reader(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, patience, READER)
}

fn open(path: &Path, flags: OpenFlags, patience: Duration, own: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(own)?;
    connection.execute_batch(COMMON)?;
    Ok(connection)
}

/// Runs a fixed text without binds.
pub(super) fn plain(connection: &Connection, text: &str) -> rusqlite::Result<()> {
    let mut prepared = connection.prepare_cached(text)?;
    prepared.raw_query().next().map(drop)
}

/// Runs a statement; adds the rows it returns.
pub(super) fn run(connection: &Connection, statement: &Statement, lines: &mut Vec<Line>) -> rusqlite::Result<()> {
    let text = statement.sqlite_text();
    let mut prepared = connection.prepare_cached(&text)?;
    // A value that the text does not use has no place.
    let places = prepared.parameter_count();
    let (binds, rows) = statement.binds_and_rows();
    for (at, value) in (1..=places).zip(binds) {
        bind(&mut prepared, at, value)?;
    }
    let Some(rows) = rows else {
        let before = lines.len();
        step(&mut prepared, lines)?;
        if statement.expects_row() {
            if lines.len() == before {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            lines.truncate(before);
        }
        return Ok(());
    };
    for row in rows {
        for (at, value) in (binds.len() + 1..=places).zip(row) {
            bind(&mut prepared, at, value)?;
        }
        step(&mut prepared, lines)?;
    }
    Ok(())
}

fn bind(prepared: &mut CachedStatement<'_>, at: usize, value: &Bind) -> rusqlite::Result<()> {
    match value {
        Bind::Int(value) => prepared.raw_bind_parameter(at, value),
        Bind::Text(value) => prepared.raw_bind_parameter(at, value.as_deref()),
        // Only ever the last bind, whose rows are bound one by one.
        Bind::Rows(_) => Ok(()),
    }
}

fn step(prepared: &mut CachedStatement<'_>, lines: &mut Vec<Line>) -> rusqlite::Result<()> {
    let columns = prepared.column_count();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        let mut line = Vec::with_capacity(columns);
        for at in 0..columns {
            line.push(match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(value) => Value::Integer(value),
                ValueRef::Real(value) => Value::Real(value),
                ValueRef::Text(text) => Value::Text(utf8(at, text)?),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            });
        }
        lines.push(Line(line));
    }
    Ok(())
}

fn utf8(at: usize, text: &[u8]) -> rusqlite::Result<String> {
    match std::str::from_utf8(text) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(rusqlite::Error::FromSqlConversionFailure(
            at,
            Type::Text,
            Box::new(error),
        )),
    }
}
