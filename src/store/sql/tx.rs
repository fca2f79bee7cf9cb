//! Transactions, and reads with or without one.

use sqlx::{Executor as _, Postgres, Transaction};
use std::future::Future;

use super::db::{Db, Handle};
use super::fault;
use super::gate::Held;
use super::names::Names;
use super::row::{FromRow, Row};
use super::statement::{self, Script, Statement};
use super::words::Engine;
use crate::store::{Error, Result};

/// Where rows are read: in a transaction, or from what is committed.
pub trait Read: Send {
    /// Which database it is.
    fn engine(&self) -> Engine;

    /// The dictionary that is committed.
    fn names(&self) -> &Names;

    /// All rows of a statement.
    fn rows<T: FromRow>(&mut self, statement: Statement) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// Remembers names that were read here.
    fn learn(&mut self, names: Vec<(String, i64)>);

    /// The number of a name that was learned here and is not committed yet.
    fn learned(&self, name: &str) -> Option<i64>;

    /// The first row of a statement.
    fn row<T: FromRow>(&mut self, statement: Statement) -> impl Future<Output = Result<Option<T>>> + Send {
        async { Ok(self.rows(statement).await?.into_iter().next()) }
    }
}

impl Read for &Db {
    fn engine(&self) -> Engine {
        Db::engine(self)
    }

    fn names(&self) -> &Names {
        &self.inner().names
    }

    async fn rows<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>> {
        match &self.inner().handle {
            Handle::Sqlite { readers, .. } => readers
                .rows(statement)
                .await?
                .into_iter()
                .map(|row| T::from_row(&Row::Sqlite(row)))
                .collect(),
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
    /// Statements that nobody waits for; they go with the save.
    later: Vec<Statement>,
    /// Names whose rows may be of this transaction, or of one that is not on disk yet.
    learned: Vec<(String, i64)>,
}

enum Inner {
    Sqlite(Held),
    Postgres {
        transaction: Transaction<'static, Postgres>,
        lost: bool,
    },
}

impl Tx {
    /// Begins one. On SQLite this waits for the writer.
    pub(in crate::store) async fn begin(db: &Db) -> Result<Self> {
        let inner = match &db.inner().handle {
            Handle::Sqlite { gate, .. } => Inner::Sqlite(gate.enter().await?),
            Handle::Postgres { pool, .. } => Inner::Postgres {
                transaction: pool.begin().await.map_err(fault::of)?,
                lost: false,
            },
        };
        Ok(Self {
            db: db.clone(),
            inner,
            later: Vec::new(),
            learned: Vec::new(),
        })
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
        match &mut self.inner {
            Inner::Sqlite(held) => held
                .write(script)
                .await?
                .into_iter()
                .map(|row| T::from_row(&Row::Sqlite(row)))
                .collect(),
            Inner::Postgres { transaction, lost } => {
                let (text, arguments) = statement::postgres(script);
                let rows = transaction.fetch_all(sqlx::query_with(text, arguments)).await;
                *lost |= rows.is_err();
                let rows = rows.map_err(fault::of)?;
                rows.into_iter().map(|row| T::from_row(&Row::Postgres(row))).collect()
            }
        }
    }

    /// Runs statements that write and return nothing.
    pub(in crate::store) async fn write(&mut self, script: impl Into<Script>) -> Result<()> {
        self.write_rows::<(i64,)>(script).await.map(drop)
    }

    /// Keeps a statement whose effect nothing in this transaction reads; it runs with the save.
    pub(in crate::store) fn later(&mut self, statement: Statement) {
        self.later.push(statement);
    }

    /// Resolves when everything is on disk.
    ///
    /// # Errors
    /// When it is not: nothing of the transaction is kept then.
    pub(in crate::store) async fn save(mut self) -> Result<()> {
        let later = std::mem::take(&mut self.later);
        match self.inner {
            Inner::Sqlite(held) => held.save(later).await?,
            Inner::Postgres { lost: true, .. } => return Err(Error::Lost),
            Inner::Postgres { mut transaction, .. } => {
                for script in merged(later) {
                    let (text, arguments) = statement::postgres(script);
                    transaction
                        .execute(sqlx::query_with(text, arguments))
                        .await
                        .map_err(fault::of)?;
                }
                transaction.commit().await.map_err(fault::of)?;
            }
        }
        self.db.inner().names.learn(self.learned);
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

/// Statements as scripts of at most a few parts each, so that one round trip does for most.
fn merged(statements: Vec<Statement>) -> Vec<Script> {
    /// A text of its own is prepared for each number of parts, so there are not many numbers.
    const PARTS: usize = 4;
    let mut scripts: Vec<(Script, usize)> = Vec::new();
    for statement in statements {
        match scripts.pop() {
            Some((script, parts)) if parts < PARTS => scripts.push((script.after(statement), parts + 1)),
            full => {
                scripts.extend(full);
                scripts.push((Script::new(statement), 1));
            }
        }
    }
    scripts.into_iter().map(|(script, _)| script).collect()
}

impl Read for &mut Tx {
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
    /// Rows of a statement that only reads. It sees what this transaction wrote, but for what was kept for later.
    async fn rows<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>> {
        match &mut self.inner {
            Inner::Sqlite(held) => held
                .read(statement)
                .await?
                .into_iter()
                .map(|row| T::from_row(&Row::Sqlite(row)))
                .collect(),
            Inner::Postgres { transaction, lost } => {
                let (text, arguments) = statement::postgres(Script::new(statement));
                let rows = transaction.fetch_all(sqlx::query_with(text, arguments)).await;
                *lost |= rows.is_err();
                let rows = rows.map_err(fault::of)?;
                rows.into_iter().map(|row| T::from_row(&Row::Postgres(row))).collect()
            }
        }
    }

    async fn row<T: FromRow>(&mut self, statement: Statement) -> Result<Option<T>> {
        Ok(self.rows(statement).await?.into_iter().next())
    }
}
