//! What a database holds, as text that can be compared: for tests that say that nothing changed.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection, SqliteConnection};

use super::database::{Database, Engine};

/// Columns that every request moves, whatever it does.
const RESTLESS: &[&str] = &["last_used", "last_used_at"];

/// Every row of every table, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump(BTreeMap<String, Vec<String>>);

impl Dump {
    /// Reads what is committed, through a connection of its own.
    pub async fn of(database: &Database) -> Self {
        let mut tables = match database.engine() {
            Engine::Sqlite => sqlite(database.url()).await,
            Engine::Postgres => postgres(database.url()).await,
        };
        for rows in tables.values_mut() {
            rows.sort();
        }
        Self(tables)
    }

    /// Fails with the rows that came and went.
    #[track_caller]
    pub fn assert_same(&self, later: &Self) {
        for (table, rows) in &self.0 {
            let now = later.0.get(table).map(Vec::as_slice).unwrap_or_default();
            let gone: Vec<_> = rows.iter().filter(|row| !now.contains(row)).collect();
            let come: Vec<_> = now.iter().filter(|row| !rows.contains(row)).collect();
            assert!(
                rows == now,
                "table {table} changed\n  gone: {gone:#?}\n  new: {come:#?}"
            );
        }
        assert_eq!(self.0.len(), later.0.len(), "the tables are not the same");
    }

    /// The rows of a table, each as one text.
    pub fn table(&self, name: &str) -> &[String] {
        &self.0[name]
    }

    /// The names of the tables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The rows of each table.
    pub fn tables(&self) -> impl Iterator<Item = &[String]> {
        self.0.values().map(Vec::as_slice)
    }

    /// The tables that have this text in some row.
    pub fn tables_with(&self, text: &str) -> Vec<&str> {
        let having = self
            .0
            .iter()
            .filter(|(_, rows)| rows.iter().any(|row| row.contains(text)));
        having.map(|(name, _)| name.as_str()).collect()
    }

    /// Number of rows in all tables.
    pub fn rows(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

async fn sqlite(url: &str) -> BTreeMap<String, Vec<String>> {
    const COLUMNS: &str = "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
                           WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid";
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let columns = sqlx::query_as(COLUMNS).fetch_all(&mut connection).await.unwrap();
    let mut tables = BTreeMap::new();
    for (table, statement) in statements(columns, "quote") {
        let rows = sqlx::query_scalar(trusted(statement))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        tables.insert(table, rows);
    }
    tables
}

async fn postgres(url: &str) -> BTreeMap<String, Vec<String>> {
    const COLUMNS: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns \
                           WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position";
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns = sqlx::query_as(COLUMNS).fetch_all(&mut connection).await.unwrap();
    let mut tables = BTreeMap::new();
    for (table, statement) in statements(columns, "quote_nullable") {
        let rows = sqlx::query_scalar(trusted(statement))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        tables.insert(table, rows);
    }
    tables
}

/// One statement a table, that answers each row as one text.
fn statements(columns: Vec<(String, String)>, quote: &str) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in columns {
        let quoted = format!("{quote}(\"{column}\")");
        let known = texts.entry(table).or_default();
        if !RESTLESS.contains(&column.as_str()) {
            known.push(format!("'{column}=' || {quoted}"));
        }
    }
    let select = |(table, texts): (String, Vec<String>)| {
        let statement = format!("SELECT {} FROM \"{table}\"", texts.join(" || ' ' || "));
        (table, statement)
    };
    texts.into_iter().map(select).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the text is made of the names that the database itself gives"
)]
fn trusted(statement: String) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(statement)
}
