//! The tables of both engines, and the statements on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use muster::store::{Db, Options};
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};

use super::shelf::Shelf;
use crate::support::Arrange as _;
use crate::support::database::{Database, Engine};
use crate::support::logs::Logs;

/// Type and whether NULL is allowed, by table and column.
type Columns = BTreeMap<(String, String), (String, bool)>;

async fn sqlite_columns(url: &str) -> Columns {
    const COLUMNS: &str = "SELECT m.name, c.name, lower(c.type), c.\"notnull\" = 0 AND c.pk = 0 \
                           FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                           WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '_sqlx%'";
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let rows = sqlx::query(COLUMNS).fetch_all(&mut connection).await.unwrap();
    rows.iter()
        .map(|row| {
            (
                (row.get(0), row.get(1)),
                (row.get::<String, _>(2).replace("integer", "bigint"), row.get(3)),
            )
        })
        .collect()
}

async fn postgres_columns(url: &str) -> Columns {
    const COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
                           FROM information_schema.columns \
                           WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = sqlx::query(COLUMNS).fetch_all(&mut connection).await.unwrap();
    rows.iter()
        .map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3))))
        .collect()
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let sqlite = Shelf::arrange(Engine::Sqlite, &Logs::default()).await;
    let postgres = Shelf::arrange(Engine::Postgres, &Logs::default()).await;
    let here = sqlite_columns(sqlite.database.url()).await;
    assert!(here.len() > 60);
    assert_eq!(here, postgres_columns(postgres.database.url()).await);
    sqlite.clear().await;
    postgres.clear().await;
}

/// `table.column` for each unique index and primary key, with its first column.
async fn first_of_unique(database: &Database) -> BTreeSet<String> {
    const SQLITE: &str = "SELECT m.name || '.' || c.name FROM sqlite_master m \
                          JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c \
                          WHERE m.type = 'table' AND i.\"unique\" AND c.seqno = 0 AND m.name NOT LIKE '_sqlx%' \
                          UNION SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                          WHERE m.type = 'table' AND c.pk = 1 AND m.name NOT LIKE '_sqlx%' AND m.name NOT LIKE 'sqlite%'";
    const POSTGRES: &str = "SELECT c.relname::text || '.' || a.attname::text FROM pg_index i \
                            JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
                            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
                            WHERE i.indisunique AND n.nspname = 'public' AND c.relname NOT LIKE '\\_sqlx%'";
    let found: Vec<String> = match database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
            sqlx::query_scalar(SQLITE).fetch_all(&mut connection).await.unwrap()
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            sqlx::query_scalar(POSTGRES).fetch_all(&mut connection).await.unwrap()
        }
    };
    found.into_iter().filter(|name| !name.ends_with(".tenant_id")).collect()
}

/// String literals given to constants in a source text, with `\` at the end of a line resolved.
fn statements(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in source.split(": &str = ").skip(1) {
        let Some(literal) = part.trim_start().strip_prefix('"') else {
            continue;
        };
        let mut text = String::new();
        let mut characters = literal.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' if characters.peek() == Some(&'\n') => {
                    while characters.peek().is_some_and(|next| next.is_whitespace()) {
                        characters.next();
                    }
                }
                '\\' => text.extend(characters.next()),
                other => text.push(other),
            }
        }
        if ["SELECT ", "INSERT ", "UPDATE ", "DELETE "]
            .iter()
            .any(|word| text.starts_with(word))
        {
            found.push(text);
        }
    }
    found
}

fn all_statements(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_statements(&path));
        } else {
            found.extend(statements(&fs::read_to_string(path).unwrap()));
        }
    }
    found
}

each_database! {
    async fn every_unique_index_begins_with_the_tenant_but_for_these(shelf: Shelf) {
        let names = [
            "tenant.uid", "tenant.slug", "token.hash", "attribute_path.name", "tenant.id", "attribute_path.id",
            // Of the installation.
            "installation.id", "signing_key.id", "signing_key.kid", "signing_key.purpose",
            // Like that of other tokens.
            "receiver.token_hash",
        ];
        // SQLite's row numbers are keys by themselves.
        let numbers = [
            "connection.id", "token.id", "resource.pk", "entry.id", "role.id", "scope.id", "access_grant.id", "rule.id",
            "preview.id", "pending.id", "receiver.id", "schedule.id", "hold.id", "invitation.id", "mail.id", "run.id",
            "enforcer.id", "undo.id", "closing.id", "rehire.id", "deferred.id",
        ];
        let mut expected: BTreeSet<String> = names.map(str::to_owned).into();
        if shelf.database.engine() == Engine::Sqlite {
            expected.extend(numbers.map(str::to_owned));
        }
        assert_eq!(first_of_unique(&shelf.database).await, expected);
    }

    async fn every_fixed_statement_is_read_by_the_engine(shelf: Shelf) {
        let found = all_statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store")));
        assert!(found.len() > 40, "{} statements", found.len());
        let own: Vec<_> = found.iter().filter(|text| text.contains("sqlite_sequence")).collect();
        assert_eq!(own.len(), 2, "statements for one engine only: {own:?}");
        for text in found {
            if shelf.database.engine() == Engine::Postgres && text.contains("sqlite_sequence") {
                continue;
            }
            // Tests may leak: a statement is a `&'static str`.
            let text: &'static str = text.leak();
            shelf.db.prepare(text).await.unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        }
        assert!(shelf.db.prepare("SELECT no_such_column FROM resource").await.is_err());
    }

    async fn a_database_can_be_opened_many_times(shelf: Shelf) {
        for _ in 0..3 {
            let db = Db::open(shelf.database.url(), &Options::default()).await.unwrap();
            db.ping().await.unwrap();
            db.close().await;
        }
    }
}
