//! A store of a test's own, with one tenant and one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use muster::base::clock::Timestamp;
use muster::base::fold::{fold, user_name_key};
use muster::base::id::{ConnectionId, Ids, Pk, ResourceId, TenantId};
use muster::scim::schema::Registry;
use muster::store::document::{Content, Stored, Uniqueness};
use muster::store::filter::Leaves;
use muster::store::members::ByRule;
use muster::store::query::Query;
use muster::store::resources::{Groups, New};
use muster::store::{Db, Kind, Reader, Unit, tenants};
use serde_json::{Map, Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::support::Arrange;
use crate::support::database::{Database, Engine};
use crate::support::logs::Logs;
use crate::support::seam;

/// A migrated database, a tenant and a connection.
#[derive(Clone)]
pub struct Shelf {
    pub database: Database,
    pub db: Db,
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub ids: Ids,
    pub registry: Arc<Registry>,
    pub time: Arc<AtomicI64>,
}

impl Arrange for Shelf {
    async fn arrange(engine: Engine, _: &Logs) -> Self {
        let database = Database::empty(engine).await;
        let db = Db::open(database.url(), &seam::patient()).await.unwrap();
        db.migrate().await.unwrap();
        let ids = Ids::counted();
        let now = Timestamp(1_700_000_000_000_000);
        let tenant = tenants::create(&db, &ids.next(), "acme", "Acme", now).await.unwrap().id;
        let mut unit = Unit::begin(&db, tenant).await.unwrap();
        let connection = unit
            .connections()
            .create(&ids.next(), "okta", "auto", now)
            .await
            .unwrap()
            .id;
        unit.save().await.unwrap();
        let registry = Arc::new(Registry::builtin());
        Self {
            database,
            db,
            tenant,
            connection,
            ids,
            registry,
            time: Arc::new(AtomicI64::new(now.0)),
        }
    }

    async fn clear(self) {
        self.db.close().await;
        self.database.drop_now().await;
    }
}

impl Shelf {
    /// A time later than all before.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.time.fetch_add(1_000_000, Ordering::Relaxed))
    }

    pub async fn unit(&self) -> Unit {
        Unit::begin(&self.db, self.tenant).await.unwrap()
    }

    pub fn reader(&self) -> Reader {
        Reader::new(self.db.clone(), self.tenant)
    }

    /// What the store keeps of a document.
    pub fn content(&self, kind: Kind, document: &Value) -> Content {
        let map: &Map<String, Value> = document.as_object().unwrap();
        let text = |name: &str| map.get(name).and_then(Value::as_str);
        let name = text(if kind == Kind::User { "userName" } else { "displayName" }).unwrap_or_default();
        Content {
            name_key: if kind == Kind::User {
                user_name_key(name)
            } else {
                fold(name)
            },
            unique: Uniqueness::Enforced,
            label: text("displayName").unwrap_or(name).to_owned(),
            active: map.get("active").and_then(Value::as_bool),
            document: document.to_string(),
            leaves: Leaves::of(map, self.registry.resource_type(kind.name()).unwrap()),
        }
    }

    /// Writes a resource, and gives its row number.
    pub async fn put(&self, kind: Kind, id: &ResourceId, external_id: Option<&str>, document: &Value) -> Pk {
        let content = self.content(kind, document);
        let mut unit = self.unit().await;
        let connection = Some(self.connection);
        let new = New {
            kind,
            id,
            connection,
            external_id,
            seal: None,
            content: &content,
            now: self.now(),
        };
        let pk = unit.resources().insert(new).await.unwrap();
        unit.save().await.unwrap();
        pk
    }

    /// A user with this name.
    pub async fn user(&self, name: &str) -> (Pk, ResourceId) {
        let id = self.ids.next();
        (self.put(Kind::User, &id, None, &user(name)).await, id)
    }

    /// A group with this name.
    pub async fn group(&self, name: &str) -> (Pk, ResourceId) {
        let id = self.ids.next();
        (self.put(Kind::Group, &id, None, &group(name)).await, id)
    }

    /// A resource as the connection sees it, with groups.
    pub async fn find(&self, kind: Kind, id: &ResourceId) -> Option<Stored> {
        self.reader()
            .resources()
            .find(kind, id, Some(self.connection), Groups::Listed)
            .await
            .unwrap()
    }

    /// All resources of a kind, oldest first.
    pub async fn all(&self, kind: Kind) -> Vec<Stored> {
        let query = Query {
            kinds: &[kind],
            filter: None,
            sort: None,
            offset: 0,
            limit: u64::MAX,
            connection: Some(self.connection),
            groups: Groups::LeftOut,
            by_rule: None,
        };
        self.reader().queries().list(&query).await.unwrap().rows
    }

    /// Path, text, row number, element and rest of every attribute row.
    pub async fn attribute_rows(&self) -> Vec<(String, String, i64, i64, String)> {
        const ROWS: &str = "SELECT p.name, a.fold, a.resource_pk, a.elem, a.rest FROM attribute a \
                            JOIN attribute_path p ON p.id = a.path_id ORDER BY 1, 3, 4, 2";
        match self.database.engine() {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(self.database.url()).await.unwrap();
                sqlx::query_as(ROWS).fetch_all(&mut connection).await.unwrap()
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(self.database.url()).await.unwrap();
                sqlx::query_as(ROWS).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// `name` of each group of a user, with a star for indirect ones.
    pub async fn groups_of(&self, user: &ResourceId) -> Vec<String> {
        let groups = self.find(Kind::User, user).await.unwrap().groups;
        groups
            .into_iter()
            .map(|group| format!("{}{}", group.display, if group.direct { "" } else { "*" }))
            .collect()
    }

    /// Display names of the members of a group.
    pub async fn members_of(&self, group: Pk) -> Vec<String> {
        let members = self.reader().members().list(group, None, &ByRule::NONE).await.unwrap();
        members.into_iter().map(|member| member.display).collect()
    }
}

pub fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": true})
}

pub fn group(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name})
}
