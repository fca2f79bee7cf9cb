//! From a URL to connections.

use rusqlite::ffi;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::path::Path;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use super::db::Handle;
use super::fault;
use super::gate::Gate;
use super::keys::Keys;
use super::places::Places;
use super::readers::Readers;
use super::sqlite;
use super::worker::Gone;
use crate::store::error::{OpenFault, Result};

/// Between two tries at a file that another process is making.
const PAUSE: Duration = Duration::from_millis(5);

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to PostgreSQL, at least two.
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

/// Prepared statements kept by a connection to PostgreSQL: more than there are texts, but for odd filters.
const STATEMENTS: usize = 512;

pub(super) async fn open(url: &str, options: &Options) -> Result<Handle> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return embedded(path.strip_prefix("//").unwrap_or(path), options).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url, options).await;
    }
    Err(OpenFault::BadUrl("it begins with neither").into())
}

async fn embedded(path: &str, options: &Options) -> Result<Handle> {
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
    let patience = options.patience;
    let gate = writer(path, patience).await?;
    let readers = Readers::open(path, patience, options.readers, options.longest).await;
    let readers = readers.map_err(gone)?.map_err(|error| sqlite_fault(path, error))?;
    Ok(Handle::Sqlite { gate, readers })
}

/// The writer, which makes the file when it is missing. SQLite does not wait by itself for another process that makes it at
/// the same time and sets the kind of its log.
async fn writer(path: &Path, patience: Duration) -> Result<Gate> {
    let until = Instant::now() + patience;
    loop {
        let of = path.to_owned();
        let gate = Gate::start(move || sqlite::writer(&of, patience)).await;
        match gate.map_err(gone)? {
            Err(error) if fault::code(&error) == ffi::SQLITE_BUSY && Instant::now() < until => {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome.map_err(|error| sqlite_fault(path, error).into()),
        }
    }
}

fn gone(gone: Gone) -> OpenFault {
    OpenFault::Connect(Box::new(gone))
}

pub(super) fn sqlite_fault(path: &Path, error: rusqlite::Error) -> OpenFault {
    match fault::code(&error) {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => OpenFault::InUse(path.to_owned()),
        ffi::SQLITE_PERM | ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN => OpenFault::NotWritable(path.to_owned()),
        ffi::SQLITE_NOTADB => OpenFault::NotADatabase(path.to_owned()),
        _ => OpenFault::Connect(Box::new(error)),
    }
}

/// What PostgreSQL is told on each connection. Statements are planned once, perhaps while a table is still empty, and
/// there is an index for all of them; a merge of two indexes walks the tenant for a few members of a group; disks have no
/// moving parts; and no compiler for questions that take milliseconds.
const SETTINGS: [(&str, &str); 4] = [
    ("enable_seqscan", "off"),
    ("enable_mergejoin", "off"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
];

async fn postgres(url: &str, options: &Options) -> Result<Handle> {
    let connect = PgConnectOptions::from_str(url)
        .map_err(|_| OpenFault::BadUrl("the address cannot be read"))?
        .application_name("muster")
        .options(SETTINGS)
        .options([("statement_timeout", options.longest.as_millis().to_string())])
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let connections = options.connections.max(2);
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.patience)
        .test_before_acquire(false)
        .connect_with(connect)
        .await
        .map_err(|error| OpenFault::Connect(Box::new(error)))?;
    Ok(Handle::Postgres {
        pool,
        places: Places::among(connections, options.patience),
        keys: Keys::default(),
    })
}
