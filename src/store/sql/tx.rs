//! Transactions, and reads with or without one.

use sqlx::{Executor as _, Postgres, Transaction};
use std::future::Future;

use super::db::{Db, Handle};
use super::fault;
use super::gate::Held;
use super::names::Names;
use super::places::Place;
use super::row::{FromRow, Row};
use super::sqlite::Line;
use super::statement::{self, Script, Statement};
use super::words::Engine;
use crate::store::{Error, Result};

/// Where rows are read: in a transaction, or from what is committed.
pub trait Read: Send {
    /// Which database it is.
    fn engine(&self) -> Engine;

    /// The same place, for a part of the work.
    fn again(&mut self) -> impl Read;

    /// The dictionary that is committed.
    fn names(&self) -> &Names;

    /// All rows of a statement.
    fn rows<T: FromRow>(&mut self, statement: Statement) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Remembers names that were read here.
    fn learn(&mut self, names: Vec<(String, i64)>);

    /// The number of a name that was learned here and is not committed yet.
    fn learned(&self, name: &str) -> Option<i64>;

    /// The rows of a statement that reads by key: it takes microseconds, so it may wait for others of its kind.
    fn look_up<T: FromRow>(&mut self, statement: Statement) -> impl Future<Output = Result<Vec<T>>> + Send {
        self.rows(statement)
    }

    /// The first row of a statement.
    fn row<T: FromRow>(&mut self, statement: Statement) -> impl Future<Output = Result<Option<T>>> + Send {
        async { Ok(self.rows(statement).await?.into_iter().next()) }
    }
}

impl Read for &Db {
    fn again(&mut self) -> impl Read {
        *self
    }

    fn engine(&self) -> Engine {
        Db::engine(self)
    }

    fn names(&self) -> &Names {
        &self.inner().names
    }

    async fn rows<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>> {
        match &self.inner().handle {
            Handle::Sqlite { readers, .. } => sqlite_rows(readers.rows(statement).await?),
            Handle::Postgres { pool, .. } => {
                let (text, arguments) = statement::postgres(Script::new(statement));
                let rows = pool
                    .fetch_all(sqlx::query_with(text, arguments))
                    .await
                    .map_err(fault::of)?;
                rows.into_iter().map(|row| T::from_row(&Row::Postgres(row))).collect()
            }
        }
    }

    async fn look_up<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>> {
        match &self.inner().handle {
            Handle::Sqlite { readers, .. } => sqlite_rows(readers.look_up(statement).await?),
            Handle::Postgres { .. } => self.rows(statement).await,
        }
    }

    fn learn(&mut self, names: Vec<(String, i64)>) {
        self.inner().names.learn(names);
    }

    fn learned(&self, _: &str) -> Option<i64> {
        None
    }
}

/// One transaction. Dropped, it leaves nothing behind.
pub struct Tx {
    db: Db,
    inner: Inner,
    /// Statements that nobody waits for; they go with the next one, or with the save.
    later: Vec<Script>,
    /// New rows that are written after everything else.
    last: Vec<Statement>,
    /// Names whose rows may be of this transaction, or of one that is not on disk yet.
    learned: Vec<(String, i64)>,
    /// By chance, the same throughout.
    lane: u64,
    /// What was asked for that holds until the end once it was found so.
    found: Vec<(&'static str, i64)>,
}

enum Inner {
    Sqlite(Held),
    Postgres {
        transaction: Transaction<'static, Postgres>,
        lost: bool,
        /// Given back after the connection.
        _place: Place,
    },
}

impl Tx {
    /// Begins one. On SQLite this waits for the writer.
    pub(in crate::store) async fn begin(db: &Db) -> Result<Self> {
        let inner = match &db.inner().handle {
            Handle::Sqlite { gate, .. } => Inner::Sqlite(gate.enter().await),
            Handle::Postgres { pool, places, .. } => {
                let place = places.take().await?;
                Inner::Postgres {
                    transaction: pool.begin().await.map_err(fault::of)?,
                    lost: false,
                    _place: place,
                }
            }
        };
        Ok(Self {
            db: db.clone(),
            inner,
            later: Vec::new(),
            last: Vec::new(),
            learned: Vec::new(),
            lane: rand::random(),
            found: Vec::new(),
        })
    }

    /// Keeps a statement for later that locks a row, or finds that it has a version and locks that: only the first time.
    pub(in crate::store) fn once(&mut self, text: &'static str, version: i64, statement: impl Into<Script>) {
        if !self.found.contains(&(text, version)) {
            self.found.push((text, version));
            self.later(statement);
        }
    }

    /// One of so many numbers, always the same of one transaction: of rows that writers spread over it locks one.
    pub(in crate::store) const fn lane(&self, of: u64) -> u64 {
        self.lane % of
    }

    /// The database, to look at what is committed.
    pub(in crate::store) fn db(&self) -> Db {
        self.db.clone()
    }

    /// The next row number for a resource. Numbers ascend, on PostgreSQL only within one node.
    pub(in crate::store) async fn next_pk(&mut self) -> Result<i64> {
        let keys = match (&mut self.inner, &self.db.inner().handle) {
            (Inner::Sqlite(held), _) => return held.next_pk().await,
            (Inner::Postgres { .. }, Handle::Postgres { keys, .. }) => keys,
            (Inner::Postgres { .. }, Handle::Sqlite { .. }) => return Err(Error::Lost),
        };
        if let Some(pk) = keys.next() {
            return Ok(pk);
        }
        let first = self
            .row::<(i64,)>(Statement::new("SELECT nextval('resource_pk')"))
            .await?;
        let first = first.ok_or(Error::Damaged("sequence"))?.0;
        match &self.db.inner().handle {
            Handle::Postgres { keys, .. } => Ok(keys.refill(first)),
            Handle::Sqlite { .. } => Ok(first),
        }
    }

    /// Runs statements that write; gives the rows the main one returns.
    pub(in crate::store) async fn write_rows<T: FromRow>(&mut self, script: impl Into<Script>) -> Result<Vec<T>> {
        let script = script.into();
        let later = std::mem::take(&mut self.later);
        match &mut self.inner {
            Inner::Sqlite(held) => {
                let statements = later
                    .into_iter()
                    .chain([script])
                    .flat_map(Script::into_statements)
                    .collect();
                sqlite_rows(held.write(statements).await?)
            }
            Inner::Postgres { transaction, lost, .. } => {
                for script in later {
                    run(transaction, lost, script).await?;
                }
                postgres_rows(run(transaction, lost, script).await?)
            }
        }
    }

    /// Runs statements that write and return nothing.
    pub(in crate::store) async fn write(&mut self, script: impl Into<Script>) -> Result<()> {
        self.write_rows::<(i64,)>(script).await.map(drop)
    }

    /// Keeps statements that return nothing; they run with the next one, or with the save, which then reports what is
    /// wrong with them.
    pub(in crate::store) fn later(&mut self, script: impl Into<Script>) {
        self.later.push(script.into());
    }

    /// Keeps new rows for the end: they are inserted with the save, when everything that the transaction locks is locked,
    /// and whoever waits for new entries of the log is told of them. Each is an `INSERT … SELECT` without `FROM`.
    pub(in crate::store) fn last(&mut self, statements: Vec<Statement>) {
        self.last = statements;
    }

    /// Runs what was kept for later.
    ///
    /// # Errors
    /// What is wrong with it; the transaction is lost then.
    pub(in crate::store) async fn settle(&mut self) -> Result<()> {
        let later = std::mem::take(&mut self.later);
        if later.is_empty() {
            return Ok(());
        }
        match &mut self.inner {
            Inner::Sqlite(held) => {
                let statements = later.into_iter().flat_map(Script::into_statements).collect();
                held.write(statements).await.map(drop)
            }
            Inner::Postgres { transaction, lost, .. } => {
                for script in later {
                    run(transaction, lost, script).await?;
                }
                Ok(())
            }
        }
    }

    /// Resolves when everything is on disk.
    ///
    /// # Errors
    /// When it is not: nothing of the transaction is kept then.
    pub(in crate::store) async fn save(mut self) -> Result<()> {
        let tells = !self.last.is_empty();
        let later = closed(std::mem::take(&mut self.later), std::mem::take(&mut self.last));
        match self.inner {
            Inner::Sqlite(held) => {
                held.save(later.into_iter().flat_map(Script::into_statements).collect())
                    .await?;
            }
            Inner::Postgres { lost: true, .. } => return Err(Error::Lost),
            Inner::Postgres {
                mut transaction,
                mut lost,
                _place,
            } => {
                for script in later {
                    run(&mut transaction, &mut lost, script).await?;
                }
                transaction.commit().await.map_err(fault::of)?;
            }
        }
        self.db.inner().names.learn(self.learned);
        if tells {
            self.db.inner().bell.notify_one();
        }
        Ok(())
    }

    /// Drops the writes, and resolves when everything this transaction may have read is on disk.
    ///
    /// # Errors
    /// When that failed: what was read did not happen.
    pub(in crate::store) async fn dismiss(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(held) => held.dismiss().await,
            Inner::Postgres { transaction, .. } => transaction.rollback().await.map_err(fault::of),
        }
    }
}

/// The scripts with the rows that come last: the first of these is part of the last script where that says whether it did
/// anything, which saves a way to the server.
fn closed(mut scripts: Vec<Script>, last: Vec<Statement>) -> Vec<Script> {
    let mut last = last.into_iter();
    if scripts.last().is_some_and(Script::expects_row)
        && let Some(first) = last.next()
    {
        let script = scripts.pop().map(|script| script.closing(first));
        scripts.extend(script);
    }
    scripts.extend(last.map(Script::new));
    scripts
}

async fn run(
    transaction: &mut Transaction<'static, Postgres>,
    lost: &mut bool,
    script: Script,
) -> Result<Vec<sqlx::postgres::PgRow>> {
    let expects_row = script.expects_row();
    let (text, arguments) = statement::postgres(script);
    let rows = transaction.fetch_all(sqlx::query_with(text, arguments)).await;
    let rows = match rows.map_err(fault::of) {
        Ok(rows) if expects_row && rows.is_empty() => Err(Error::Stale),
        rows => rows,
    };
    *lost |= rows.is_err();
    rows
}

fn sqlite_rows<T: FromRow>(rows: Vec<Line>) -> Result<Vec<T>> {
    rows.into_iter().map(|row| T::from_row(&Row::Sqlite(row))).collect()
}

fn postgres_rows<T: FromRow>(rows: Vec<sqlx::postgres::PgRow>) -> Result<Vec<T>> {
    rows.into_iter().map(|row| T::from_row(&Row::Postgres(row))).collect()
}

impl Read for &mut Tx {
    fn again(&mut self) -> impl Read {
        &mut **self
    }

    fn engine(&self) -> Engine {
        self.db.engine()
    }

    fn names(&self) -> &Names {
        &self.db.inner().names
    }

    async fn rows<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>> {
        Tx::rows(self, statement).await
    }

    fn learn(&mut self, names: Vec<(String, i64)>) {
        self.learned.extend(names);
    }

    fn learned(&self, name: &str) -> Option<i64> {
        self.learned.iter().find(|known| known.0 == name).map(|known| known.1)
    }
}

impl Tx {
    /// Rows of a statement that only reads. It sees what this transaction wrote.
    async fn rows<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>> {
        if !self.later.is_empty() {
            return self.write_rows(statement).await;
        }
        match &mut self.inner {
            Inner::Sqlite(held) => sqlite_rows(held.read(statement).await?),
            Inner::Postgres { transaction, lost, .. } => {
                postgres_rows(run(transaction, lost, Script::new(statement)).await?)
            }
        }
    }

    async fn row<T: FromRow>(&mut self, statement: Statement) -> Result<Option<T>> {
        Ok(self.rows(statement).await?.into_iter().next())
    }
}
