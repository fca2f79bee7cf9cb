//! A database of a test's own, on either engine: copied from a migrated template, dropped when the test has passed.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::cluster;
use super::template::{self, Keys};

/// The two engines that the server runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// One database, and a folder for what a test writes beside it.
#[derive(Debug, Clone)]
pub struct Database {
    engine: Engine,
    url: String,
    folder: Arc<TempDir>,
}

impl Database {
    /// Migrated, with the tenants that [`Keys`] speak for.
    pub async fn fresh(engine: Engine) -> Self {
        let template = template::of(engine).await;
        let folder = Arc::new(TempDir::new().unwrap());
        let url = match engine {
            Engine::Sqlite => {
                let file = folder.path().join("muster.db");
                fs::copy(&template.place, &file).unwrap();
                sqlite_url(&file)
            }
            Engine::Postgres => {
                let name = unique_name();
                maintain(&format!("CREATE DATABASE {name} TEMPLATE {}", template.place)).await;
                postgres_url(&name)
            }
        };
        Self { engine, url, folder }
    }

    /// Without a single table, as on the first start ever.
    pub async fn empty(engine: Engine) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let url = match engine {
            Engine::Sqlite => sqlite_url(&folder.path().join("muster.db")),
            Engine::Postgres => {
                let name = unique_name();
                maintain(&format!("CREATE DATABASE {name}")).await;
                postgres_url(&name)
            }
        };
        Self { engine, url, folder }
    }

    /// A database that is there already, for the maker of the template.
    pub fn existing(engine: Engine, url: String) -> Self {
        Self {
            engine,
            url,
            folder: Arc::new(TempDir::new().unwrap()),
        }
    }

    /// Tokens of its tenants, when it is [`fresh`](Self::fresh).
    pub async fn keys(&self) -> Keys {
        template::of(self.engine).await.keys.clone()
    }

    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// As `--database` takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Removed with the last clone of this value.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until the engine has noticed that a killed server is gone: until then PostgreSQL may still be about to
    /// commit what that server had sent.
    pub async fn settle(&self) {
        const ASK: &str =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
        if self.engine == Engine::Sqlite {
            return;
        }
        let mut connection = PgConnection::connect(cluster::url()).await.unwrap();
        loop {
            let name = self.url.rsplit('/').next().unwrap();
            let left: i64 = sqlx::query_scalar(ASK)
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs a statement that no use case would; answers how many rows it changed.
    #[expect(
        clippy::disallowed_methods,
        reason = "a forger writes what they like; these statements are made by the tests alone"
    )]
    pub async fn execute(&self, statement: &str) -> u64 {
        let text = sqlx::AssertSqlSafe(statement.to_owned());
        match self.engine {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                let done = connection.execute(text).await;
                done.unwrap_or_else(|fault| panic!("{statement}: {fault}"))
                    .rows_affected()
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                let done = connection.execute(text).await;
                done.unwrap_or_else(|fault| panic!("{statement}: {fault}"))
                    .rows_affected()
            }
        }
    }

    /// How often transactions waited for each other in a circle, so that one of them was undone; `SQLite` has one writer.
    /// What a session saw is counted when it has ended.
    pub async fn deadlocks(&self) -> i64 {
        const ASK: &str = "SELECT deadlocks FROM pg_stat_database WHERE datname = $1";
        if self.engine == Engine::Sqlite {
            return 0;
        }
        let mut connection = PgConnection::connect(cluster::url()).await.unwrap();
        let name = self.url.rsplit('/').next().unwrap();
        let asked = sqlx::query_scalar(ASK).bind(name).fetch_one(&mut connection);
        asked.await.unwrap()
    }

    /// Does by hand what PostgreSQL does by itself a minute after many rows have come: looks at how they are spread.
    pub async fn analyze(&self) {
        if self.engine == Engine::Postgres {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute("ANALYZE").await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Drops it now; SQLite's file goes with the folder.
    pub async fn drop_now(self) {
        if self.engine == Engine::Postgres {
            let name = self.url.rsplit('/').next().unwrap();
            maintain(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

/// Runs a statement that cannot take binds, such as `CREATE DATABASE`, in the cluster's maintenance database.
#[expect(
    clippy::disallowed_methods,
    reason = "names of databases cannot be bound; these are made by the tests alone"
)]
pub async fn maintain(statement: &str) {
    let mut connection = PgConnection::connect(cluster::url()).await.unwrap();
    let done = connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await;
    done.unwrap_or_else(|fault| panic!("{statement}: {fault}"));
    connection.close().await.unwrap();
}

/// URL of a SQLite file.
pub fn sqlite_url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// URL of a database in the test cluster.
pub fn postgres_url(name: &str) -> String {
    let (cluster, _) = cluster::url().rsplit_once('/').unwrap();
    format!("{cluster}/{name}")
}

fn unique_name() -> String {
    format!("muster_test_{:016x}", rand::random::<u64>())
}
