//! The use cases over a database of a test's own: an operator, a provisioning connection, and words to furnish with.

use std::sync::Arc;

use muster::access::Catalogue;
use muster::access::Settings;
use muster::base::clock::{Clock, Timestamp};
use muster::base::id::{Ids, ResourceId};
use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::discovery::Listing;
use muster::scim::project::View;
use muster::scim::schema::ResourceType;
use muster::service::access::decide::{self, Detail, Question, Resource};
use muster::service::access::grants::{self, NewGrant, SubjectKind, Where};
use muster::service::access::rules::{self, NewRule, OutcomeAsked};
use muster::service::access::scopes::{self, NewScope};
use muster::service::access::{ScopeKind, State, Validity};
use muster::service::credentials::{self, Holder};
use muster::service::{Caller, Error, IfMatch, Parts, Services, Wanted, connections, provision};
use muster::store::{Db, Unit, tenants};
use serde_json::{Map, Value, json};

use crate::support::Arrange;
use crate::support::database::{Database, Engine};
use crate::support::logs::Logs;
use crate::support::seam::{self, keyring};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// One tenant as its operator and its identity provider see it.
#[derive(Clone)]
pub struct AccessHouse {
    pub database: Database,
    pub services: Services,
    pub clock: Clock,
    /// The operator of the installation.
    pub root: Caller,
    /// A provisioning connection.
    pub idp: Caller,
    pub db: Db,
}

impl Arrange for AccessHouse {
    async fn arrange(engine: Engine, _: &Logs) -> Self {
        let database = Database::empty(engine).await;
        let db = Db::open(database.url(), &seam::patient()).await.unwrap();
        db.migrate().await.unwrap();
        let clock = Clock::fixed(START);
        let parts = Parts {
            db: db.clone(),
            keys: keyring(),
            clock: clock.clone(),
            ids: Ids::counted(),
            max_results: 200,
            max_body_bytes: 1 << 20,
            max_bulk_bytes: 1 << 20,
            catalogue: Arc::new(Catalogue::builtin()),
            listing: Listing::Standard,
            guard: muster::service::delivery::Guard::default(),
            schemas: muster::service::schemas::Definitions::default(),
            waits: seam::WAITS,
        };
        let services = Services::new(parts).await.unwrap();
        connections::create_tenant(&services, "Acme").await.unwrap();
        connections::create_connection(&services, "acme", "okta", &Setting::Strict)
            .await
            .unwrap();
        let root = Caller::operator(&services, "acme", "test").await.unwrap();
        let idp = token(&services, &Holder::Connection("okta".to_owned())).await;
        Self {
            database,
            services,
            clock,
            root,
            idp,
            db,
        }
    }

    async fn clear(self) {
        self.db.close().await;
        self.database.drop_now().await;
    }
}

async fn token(services: &Services, holder: &Holder) -> Caller {
    let issued = credentials::issue(services, "acme", holder, None).await.unwrap();
    let found = credentials::authenticate(services, issued.token.expose(), Arc::from("req-1")).await;
    found.unwrap().unwrap()
}

fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}

/// Provisioning, as an identity provider does it.
impl AccessHouse {
    fn kind(&self, endpoint: &str) -> &Arc<ResourceType> {
        self.idp.type_at(endpoint).unwrap()
    }

    async fn create(&self, endpoint: &str, body: Value) -> String {
        let kind = self.kind(endpoint);
        let dialect = strict();
        let made = provision::create(&self.services, &self.idp, &dialect, kind, body, &View::default()).await;
        made.unwrap().id.into_string()
    }

    pub async fn user(&self, name: &str, more: Value) -> String {
        let mut body = json!({"schemas": [USER], "userName": name});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.create("Users", body).await
    }

    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let mut body = json!({"schemas": [GROUP], "displayName": name});
        if !members.is_empty() {
            body["members"] = members.into();
        }
        self.create("Groups", body).await
    }

    /// A group of one member, who may be gone.
    pub async fn try_group(&self, name: &str, member: &str) -> Result<String, Error> {
        let body = json!({"schemas": [GROUP], "displayName": name, "members": [{"value": member}]});
        let (kind, dialect) = (self.kind("Groups"), strict());
        let made = provision::create(&self.services, &self.idp, &dialect, kind, body, &View::default()).await;
        made.map(|made| made.id.into_string())
    }

    pub async fn patch(&self, endpoint: &str, id: &str, operations: Value) -> Result<(), Error> {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        let wanted = Wanted {
            dialect: &strict(),
            kind: self.kind(endpoint),
            id: &ResourceId::new(id),
            if_match: &IfMatch::Absent,
            view: &View::default(),
        };
        provision::patch(&self.services, &self.idp, wanted, body)
            .await
            .map(drop)
    }

    /// A new whole in place of a resource; `body` without `schemas`.
    pub async fn put(&self, endpoint: &str, id: &str, mut body: Value) -> Result<(), Error> {
        body["schemas"] = json!([if endpoint == "Users" { USER } else { GROUP }]);
        let wanted = Wanted {
            dialect: &strict(),
            kind: self.kind(endpoint),
            id: &ResourceId::new(id),
            if_match: &IfMatch::Absent,
            view: &View::default(),
        };
        provision::replace(&self.services, &self.idp, wanted, body)
            .await
            .map(drop)
    }

    pub async fn set(&self, user: &str, path: &str, value: Value) -> Result<(), Error> {
        let replace = json!([{"op": "replace", "path": path, "value": value}]);
        self.patch("Users", user, replace).await
    }

    pub async fn join(&self, group: &str, member: &str) -> Result<(), Error> {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": member}]}]);
        self.patch("Groups", group, add).await
    }

    pub async fn leave(&self, group: &str, member: &str) -> Result<(), Error> {
        let path = format!("members[value eq \"{member}\"]");
        self.patch("Groups", group, json!([{"op": "remove", "path": path}]))
            .await
    }

    pub async fn delete(&self, endpoint: &str, id: &str) -> Result<(), Error> {
        let kind = self.kind(endpoint);
        let id = ResourceId::new(id);
        provision::delete(&self.services, &self.idp, kind, &id, &IfMatch::Absent).await
    }
}

/// Furnishing and asking, as the operator.
impl AccessHouse {
    /// Decides something for the whole organisation.
    pub async fn decide(&self, settings: &Settings) {
        let tenant = tenants::find(&self.db, "acme").await.unwrap().unwrap();
        let mut unit = Unit::begin(&self.db, tenant.id).await.unwrap();
        unit.policy().decide(settings);
        unit.save().await.unwrap();
    }

    /// A caller with the token of a user.
    pub async fn as_user(&self, id: &str) -> Caller {
        token(&self.services, &Holder::User(id.to_owned())).await
    }

    /// The same of one who may be gone or not active.
    pub async fn try_user(&self, id: &str) -> Option<Caller> {
        let holder = Holder::User(id.to_owned());
        let issued = credentials::issue(&self.services, "acme", &holder, None).await.ok()?;
        let found = credentials::authenticate(&self.services, issued.token.expose(), Arc::from("req-1")).await;
        found.unwrap()
    }

    pub async fn scope(&self, name: &str, parent: Option<&str>) -> String {
        let new = NewScope {
            kind: ScopeKind::Territory,
            name: name.to_owned(),
            parent: parent.map(str::to_owned),
            starts: None,
            ends: None,
        };
        scopes::create(&self.services, &self.root, &new).await.unwrap().id
    }

    pub async fn grant(&self, subject: (SubjectKind, &str), role: &str, scope: &str) -> String {
        let new = new_grant(subject, role, scope);
        grants::create(&self.services, &self.root, &new).await.unwrap().id
    }

    pub async fn rule(&self, name: &str, when: &str, then: &[OutcomeAsked]) -> rules::Rule {
        rules::create(&self.services, &self.root, &new_rule(name, when, then))
            .await
            .unwrap()
    }

    pub async fn may_on(&self, user: &str, action: &str, resource: Resource) -> bool {
        let question = Question {
            subject: user.to_owned(),
            action: action.to_owned(),
            resource,
            detail: Detail::Decision,
        };
        let answer = decide::evaluation(&self.services, &self.root, &question).await;
        answer.unwrap().decision
    }

    /// Whether a user may do something on a scope.
    pub async fn may(&self, user: &str, action: &str, scope: &str) -> bool {
        self.may_on(user, action, Resource::Scope(scope.to_owned())).await
    }
}

pub fn new_grant((subject_kind, subject): (SubjectKind, &str), role: &str, scope: &str) -> NewGrant {
    NewGrant {
        subject_kind,
        subject: subject.to_owned(),
        role: role.to_owned(),
        place: Where::Scope(scope.to_owned()),
        validity: Validity::ALWAYS,
        restrict: std::collections::BTreeMap::new(),
    }
}

pub fn new_rule(name: &str, when: &str, then: &[OutcomeAsked]) -> NewRule {
    NewRule {
        name: name.to_owned(),
        when: when.to_owned(),
        then: then.to_vec(),
        state: State::Active,
        validity: Validity::ALWAYS,
        examples: Vec::new(),
    }
}

/// A role on a scope.
pub fn gives(role: &str, scope: &str) -> OutcomeAsked {
    OutcomeAsked {
        role: Some(role.to_owned()),
        scope: Some(scope.to_owned()),
        ..OutcomeAsked::default()
    }
}

/// Membership of a group.
pub fn joins(group: &str) -> OutcomeAsked {
    OutcomeAsked {
        group: Some(group.to_owned()),
        ..OutcomeAsked::default()
    }
}

pub fn record(kind: &str, id: &str, properties: &Value) -> Resource {
    Resource::Record {
        kind: kind.to_owned(),
        id: id.to_owned(),
        properties: properties.as_object().cloned().unwrap_or_else(Map::new),
    }
}

/// The sentence of a refusal that contradicts what is there, or of a SCIM 409.
#[track_caller]
pub fn conflict<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome.unwrap_err() {
        Error::Conflict(refusal) => refusal.reason,
        Error::Protocol(error) if error.status == 409 => error.detail,
        other => panic!("{other:?}"),
    }
}
