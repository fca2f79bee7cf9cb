//! Roles, scopes, grants, rules, and what decisions read.

mod facts;
mod grants;
mod kept;
mod matches;
mod policy;
mod roles;
mod rules;
mod scopes;
mod views;

use muster::access::{Origin, Outcome, Reach, RecordRef, Restriction, State, Subject, Validity};
use muster::base::id::{GrantKey, Pk, ResourceId, RoleKey, RuleKey, ScopeKey};
use muster::store::access::grants::NewGrant;
use muster::store::access::roles::NewRole;
use muster::store::access::rules::RuleContent;
use muster::store::access::scopes::ScopeContent;
use muster::store::{By, Cause, Kind};

use super::shelf::Shelf;

pub const READ_ONLY: RoleKey = RoleKey(5);

/// What every part of these tests begins with.
impl Shelf {
    pub fn by(&self) -> By<'static> {
        By {
            actor_kind: "admin",
            actor_name: "root",
            cause: Cause {
                at: self.now(),
                connection: Some(self.connection),
                request_id: Some("r-1"),
            },
        }
    }

    pub async fn version(&self) -> i64 {
        self.reader().policy().version().await.unwrap()
    }

    pub async fn role(&self, name: &str) -> RoleKey {
        let id = self.ids.next();
        let new = NewRole {
            id: id.as_str(),
            name,
            permissions: &["record.edit", "data.act"],
            origin: Some(RoleKey(4)),
        };
        let mut unit = self.unit().await;
        let key = unit.roles().create(new, self.now()).await.unwrap();
        unit.save().await.unwrap();
        key
    }

    pub async fn scope(&self, name: &str, parent: Option<ScopeKey>) -> ScopeKey {
        let content = ScopeContent {
            name,
            parent,
            starts: None,
            ends: None,
        };
        let mut unit = self.unit().await;
        let kind = muster::access::ScopeKind::Territory;
        let id = self.ids.next();
        let key = unit
            .scopes()
            .create(id.as_str(), kind, content, self.now())
            .await
            .unwrap();
        unit.save().await.unwrap();
        key
    }

    pub async fn grant(&self, subject: Subject, role: RoleKey, reach: Reach) -> GrantKey {
        let mut unit = self.unit().await;
        let id = self.ids.next();
        let key = unit
            .grants()
            .create(grant(id.as_str(), subject, role, &reach), self.by())
            .await
            .unwrap();
        unit.save().await.unwrap();
        key
    }

    pub async fn rule(&self, name: &str, then: &[Outcome], state: State) -> RuleKey {
        let mut unit = self.unit().await;
        let id = self.ids.next();
        let key = unit
            .rules()
            .create(id.as_str(), content(name, "title pr", then), state, self.by())
            .await
            .unwrap();
        unit.save().await.unwrap();
        key
    }

    pub async fn join(&self, group: Pk, ids: &[&ResourceId]) {
        let ids: Vec<_> = ids.iter().map(|id| ((*id).clone(), None)).collect();
        let mut unit = self.unit().await;
        let cause = self.by().cause;
        assert!(!unit.members().add(group, &ids, cause).await.unwrap().is_refused());
        unit.save().await.unwrap();
    }

    pub async fn delete(&self, kind: Kind, id: &ResourceId) {
        let stored = self.find(kind, id).await.unwrap();
        let mut unit = self.unit().await;
        let now = self.now();
        unit.resources()
            .delete(kind, stored.pk, stored.version, now)
            .await
            .unwrap();
        unit.save().await.unwrap();
    }
}

/// A grant that always counts.
pub fn grant<'a>(id: &'a str, subject: Subject, role: RoleKey, reach: &'a Reach) -> NewGrant<'a> {
    static NONE: Restriction = Restriction(std::collections::BTreeMap::new());
    NewGrant {
        id,
        subject,
        role,
        reach,
        validity: Validity::ALWAYS,
        restriction: &NONE,
        origin: Origin::Manual,
    }
}

/// A rule that always counts.
pub fn content<'a>(name: &'a str, when: &'a str, then: &'a [Outcome]) -> RuleContent<'a> {
    RuleContent {
        name,
        when,
        then,
        validity: Validity::ALWAYS,
        examples: "[]",
    }
}

pub fn record(kind: &str, id: &str) -> RecordRef {
    RecordRef::new(kind, id).unwrap()
}

pub fn on(role: RoleKey, scope: ScopeKey) -> Outcome {
    Outcome::Role {
        role,
        reach: Reach::Scope(scope),
    }
}
