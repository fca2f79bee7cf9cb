//! The migrated database that every test starts from a copy of: made once for each build of the program, through its
//! own command line, and shared by all test processes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::sync::OnceCell;

use super::cluster;
use super::database::{Database, Engine, maintain, postgres_url, sqlite_url};
use super::program::{PROGRAM, run_json};

/// Name of the connection of both tenants.
pub const CONNECTION: &str = "test";

/// Tokens for what a fresh database holds: two tenants, each with one connection.
#[derive(Debug, Clone)]
pub struct Keys {
    /// SCIM token of the tenant `acme`.
    pub token: String,
    /// SCIM token of the tenant `neighbour`.
    pub neighbour: String,
}

/// A template: for SQLite the path of a file, for PostgreSQL the name of a database.
#[derive(Debug)]
pub struct Template {
    pub place: String,
    pub keys: Keys,
}

/// The template of an engine, made if no process of this build has made it yet.
pub async fn of(engine: Engine) -> &'static Template {
    static SQLITE: OnceCell<Template> = OnceCell::const_new();
    static POSTGRES: OnceCell<Template> = OnceCell::const_new();
    match engine {
        Engine::Sqlite => SQLITE.get_or_init(sqlite).await,
        Engine::Postgres => POSTGRES.get_or_init(postgres).await,
    }
}

async fn sqlite() -> Template {
    let folder = folder();
    let _one_process_at_a_time = lock(&folder.join("sqlite.lock"));
    let (file, noted) = (folder.join("sqlite.db"), folder.join("sqlite.json"));
    if let Ok(text) = fs::read_to_string(&noted) {
        return Template {
            place: file.display().to_string(),
            keys: keys(&text),
        };
    }
    drop(fs::remove_file(&file));
    let url = sqlite_url(&file);
    let text = furnish(&Database::existing(Engine::Sqlite, url.clone()));
    // Everything into the one file that is copied.
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    fs::write(&noted, &text).unwrap();
    Template {
        place: file.display().to_string(),
        keys: keys(&text),
    }
}

async fn postgres() -> Template {
    const COMMENT: &str = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1";
    let folder = folder();
    let _one_process_at_a_time = lock(&folder.join("postgres.lock"));
    let place = format!("muster_template_{}", folder.file_name().unwrap().to_string_lossy());
    let mut connection = PgConnection::connect(cluster::url()).await.unwrap();
    let found = sqlx::query_scalar(COMMENT)
        .bind(&place)
        .fetch_optional(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    // The comment is written last: a template without one was never finished.
    if let Some(Some(text)) = found {
        return Template {
            place,
            keys: keys::<String>(text),
        };
    }
    maintain(&format!("DROP DATABASE IF EXISTS {place} WITH (FORCE)")).await;
    maintain(&format!("CREATE DATABASE {place}")).await;
    let database = Database::existing(Engine::Postgres, postgres_url(&place));
    let text = furnish(&database);
    database.settle().await;
    maintain(&format!("COMMENT ON DATABASE {place} IS '{text}'")).await;
    Template {
        place,
        keys: keys(&text),
    }
}

/// Two tenants with a connection and a token each, made as an operator makes them; answers the tokens as JSON.
fn furnish(database: &Database) -> String {
    let token = |tenant: &str| {
        run_json(database, &["tenant", "create", tenant, "--json"]);
        run_json(
            database,
            &[
                "connection",
                "create",
                "--tenant",
                tenant,
                "--name",
                CONNECTION,
                "--json",
            ],
        );
        let made = run_json(
            database,
            &[
                "token",
                "create",
                "--tenant",
                tenant,
                "--connection",
                CONNECTION,
                "--json",
            ],
        );
        made["token"].clone()
    };
    json!({"token": token("acme"), "neighbour": token("neighbour")}).to_string()
}

fn keys<T: AsRef<str>>(text: T) -> Keys {
    let noted: Value = serde_json::from_str(text.as_ref()).unwrap();
    let key = |name: &str| noted[name].as_str().unwrap().to_owned();
    Keys {
        token: key("token"),
        neighbour: key("neighbour"),
    }
}

/// After so long no test uses what another build left.
const OLD: Duration = Duration::from_hours(24);

/// A folder for this build of the program, named after it; those of builds of another day are removed.
fn folder() -> PathBuf {
    let program = fs::metadata(PROGRAM.as_str()).unwrap();
    let built = program.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates");
    let _one_process_at_a_time = lock(&all.with_extension("lock"));
    let mine = all.join(format!("{:x}_{:x}", built.as_nanos(), program.len()));
    if !mine.exists() {
        for other in fs::read_dir(&all).into_iter().flatten().flatten() {
            let made = other.metadata().and_then(|known| known.modified());
            if made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > OLD)) {
                drop(fs::remove_dir_all(other.path()));
            }
        }
        fs::create_dir_all(&mine).unwrap();
    }
    mine
}

fn lock(path: &Path) -> File {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .unwrap();
    file.lock().unwrap();
    file
}
