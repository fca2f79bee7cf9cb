//! From a URL to connections.

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use super::db::Handle;
use super::gate::Gate;
use super::keys::Keys;
use super::readers::Readers;
use crate::store::error::{OpenFault, Result};

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to PostgreSQL.
    pub connections: u32,
    /// Reading connections of SQLite.
    pub readers: u16,
    /// How long to wait for a connection of the pool, or for another process that writes to the SQLite file.
    pub patience: Duration,
    /// How long a statement may take; on SQLite, one that reads.
    pub longest: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            readers: 4,
            patience: Duration::from_secs(5),
            longest: Duration::from_secs(30),
        }
    }
}

/// Prepared statements kept by a connection: more than there are texts, but for odd filters.
const STATEMENTS: usize = 512;

/// Rows that may wait between SQLite's thread and the reader: more than a page, so that neither waits.
const ROWS: usize = 1024;

/// Pages in the log of SQLite before a commit moves them to the file: 64 MiB.
const CHECKPOINT_PAGES: &str = "16384";

pub(super) async fn open(url: &str, options: &Options) -> Result<Handle> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return sqlite(path.strip_prefix("//").unwrap_or(path), options).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url, options).await;
    }
    Err(OpenFault::BadUrl("it begins with neither").into())
}

async fn sqlite(path: &str, options: &Options) -> Result<Handle> {
    if path.is_empty() {
        return Err(OpenFault::BadUrl("the path is missing").into());
    }
    if path.contains(":memory:") {
        return Err(OpenFault::BadUrl("`:memory:` would lose everything; give a file").into());
    }
    if path.contains('?') {
        return Err(OpenFault::BadUrl("there are no options behind `?` for SQLite").into());
    }
    let path = Path::new(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(OpenFault::NoFolder(path.to_owned()).into());
    }
    let common = connect_options(path, options);
    let writer = common
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "268435456")
        .thread_name(|_| "sqlite-writer".to_owned());
    let gate = writer
        .connect()
        .await
        .map(Gate::new)
        .map_err(|error| sqlite_fault(path, error))?;
    let reader = common
        .pragma("query_only", "ON")
        .thread_name(|at| format!("sqlite-reader-{at}"));
    let readers = Readers::open(reader, options.readers, options.longest)
        .await
        .map_err(|error| sqlite_fault(path, error))?;
    Ok(Handle::Sqlite { gate, readers })
}

/// What the writer and the readers of SQLite have in common.
fn connect_options(path: &Path, options: &Options) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(options.patience)
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS)
        .pragma("cache_size", "-65536")
        .pragma("mmap_size", "1073741824")
        // The rollback copies of a savepoint stay in memory, too.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

fn sqlite_fault(path: &Path, error: sqlx::Error) -> OpenFault {
    let code = match &error {
        sqlx::Error::Database(inner) => inner.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or(0) & 0xff,
        _ => 0,
    };
    match code {
        // BUSY, LOCKED
        5 | 6 => OpenFault::InUse(path.to_owned()),
        // PERM, READONLY, CANTOPEN
        3 | 8 | 14 => OpenFault::NotWritable(path.to_owned()),
        // NOTADB
        26 => OpenFault::NotADatabase(path.to_owned()),
        _ => OpenFault::Connect(Box::new(error)),
    }
}

async fn postgres(url: &str, options: &Options) -> Result<Handle> {
    let connect = PgConnectOptions::from_str(url)
        .map_err(|_| OpenFault::BadUrl("the address cannot be read"))?
        .application_name("muster")
        .options([("statement_timeout", options.longest.as_millis().to_string())])
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.patience)
        .test_before_acquire(false)
        .connect_with(connect)
        .await
        .map_err(|error| OpenFault::Connect(Box::new(error)))?;
    Ok(Handle::Postgres {
        pool,
        keys: Keys::default(),
    })
}
