//! The numbered events of all tenants, as the tests of the history read them.

use serde_json::Value;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::support::TestHouse;
use crate::support::database::Engine;

/// What happened to a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub kind: String,
    pub actor: (String, String),
    /// Name of the connection.
    pub connection: Option<String>,
    pub request_id: Option<String>,
    pub resource: String,
    pub data: Value,
}

impl Event {
    /// Names of the attributes that changed, sorted.
    pub fn attributes(&self) -> Vec<&str> {
        self.list("attributes")
    }

    /// A list of texts in the details, sorted.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let list = self.data[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut texts: Vec<_> = list.iter().filter_map(Value::as_str).collect();
        texts.sort_unstable();
        texts
    }
}

type Row = (String, String, String, Option<String>, Option<String>, String, String);

/// Everything that happened to resources of any tenant, in its order.
pub async fn events(house: &TestHouse) -> Vec<Event> {
    const ROWS: &str = "SELECT e.kind, e.actor_kind, e.actor_id, e.connection, e.request_id, e.subject_id, e.data \
                        FROM event e WHERE e.subject_pk IS NOT NULL ORDER BY e.entry, e.part";
    house.turn().await;
    let database = &house.database;
    let rows: Vec<Row> = match database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
            sqlx::query_as(ROWS).fetch_all(&mut connection).await.unwrap()
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            sqlx::query_as(ROWS).fetch_all(&mut connection).await.unwrap()
        }
    };
    rows.into_iter().map(event).collect()
}

fn event((kind, actor_kind, actor_name, connection, request_id, resource, data): Row) -> Event {
    let data = serde_json::from_str(&data).unwrap();
    Event {
        kind,
        actor: (actor_kind, actor_name),
        connection,
        request_id,
        resource,
        data,
    }
}
