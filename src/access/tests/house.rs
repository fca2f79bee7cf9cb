//! A small organisation put together by name, and questions to it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::access::role::predefined;
use crate::access::{
    Assignments, Catalogue, Condition, Facts, Grant, GroupFact, Origin, Outcome, Policy, PolicyGroup, Reach, RecordRef,
    Restriction, Rule, RuleBits, RuleFault, Rulebook, Scope, ScopeKind, State, Subject, Target, Validity, decide,
    evaluate, permissions,
};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};
use crate::scim::schema::Registry;

pub const ADA: Pk = Pk(1);
pub const OWNER: RoleKey = RoleKey(1);
pub const ADMIN: RoleKey = RoleKey(2);
pub const MANAGER: RoleKey = RoleKey(3);
pub const ANALYST: RoleKey = RoleKey(4);
pub const READ_ONLY: RoleKey = RoleKey(5);
pub const NOW: Timestamp = Timestamp(1000);

/// A policy and one user, Ada.
pub struct House {
    pub policy: Policy,
    pub ada: Facts,
    pub now: Timestamp,
    pub document: Value,
}

pub fn house() -> House {
    let catalogue = Catalogue::builtin();
    House {
        policy: Policy {
            version: 7,
            settings: crate::access::Settings::default(),
            closed: false,
            roles: predefined(&catalogue).into(),
            catalogue: Arc::new(catalogue),
            scopes: Vec::new(),
            grants: Vec::new(),
            rules: Vec::new(),
            groups: Vec::new(),
        },
        ada: Facts::new(ADA, "ada", true),
        now: NOW,
        document: json!({ "userName": "ada", "title": "boss" }),
    }
}

pub fn on(scope: i64) -> Reach {
    Reach::Scope(ScopeKey(scope))
}

pub fn record(id: &str) -> RecordRef {
    RecordRef::new("lead", id).unwrap()
}

pub fn to_group(group: i64) -> Subject {
    Subject::Group(Pk(group))
}

impl House {
    pub fn scope(&mut self, key: i64, kind: ScopeKind, parent: Option<i64>) -> &mut Scope {
        self.policy.scopes.push(Scope {
            key: ScopeKey(key),
            id: format!("s{key}"),
            kind,
            name: format!("Scope {key}"),
            parent: parent.map(ScopeKey),
            starts: None,
            ends: None,
        });
        self.policy.scopes.last_mut().unwrap()
    }

    pub fn territory(&mut self, key: i64, parent: Option<i64>) {
        self.scope(key, ScopeKind::Territory, parent);
    }

    /// A grant to Ada or to a group; keys count from 1.
    pub fn grant(&mut self, subject: Subject, role: RoleKey, reach: Reach) -> &mut Grant {
        let key = i64::try_from(self.policy.grants.len() + self.ada.grants.len() + 1).unwrap();
        let grants = match subject {
            Subject::User(_) => &mut self.ada.grants,
            Subject::Group(_) => &mut self.policy.grants,
        };
        grants.push(Grant {
            key: GrantKey(key),
            id: format!("grant{key}"),
            subject,
            role,
            reach,
            validity: Validity::ALWAYS,
            restriction: Restriction::NONE,
            origin: Origin::Manual,
        });
        grants.last_mut().unwrap()
    }

    /// A grant to Ada.
    pub fn hers(&mut self, role: RoleKey, reach: Reach) -> &mut Grant {
        self.grant(Subject::User(ADA), role, reach)
    }

    /// A group the policy knows.
    pub fn group(&mut self, key: i64, display: &str, parents: &[i64]) {
        self.policy.groups.push(PolicyGroup {
            pk: Pk(key),
            id: format!("g{key}"),
            display: display.to_owned(),
            parents: parents.iter().copied().map(Pk).collect(),
        });
    }

    /// Ada is stored in a group.
    pub fn in_group(&mut self, key: i64, display: &str, direct: bool, parents: &[i64]) {
        self.ada.groups.push(GroupFact {
            pk: Pk(key),
            id: format!("g{key}"),
            display: display.to_owned(),
            direct,
            parents: parents.iter().copied().map(Pk).collect(),
        });
    }

    /// An active rule, with what is stored of it about Ada; keys count from 1.
    pub fn rule(&mut self, when: &str, then: Outcome) -> &mut Rule {
        let key = i64::try_from(self.policy.rules.len() + 1).unwrap();
        let registry = Registry::builtin();
        let when = Condition::compile(when, registry.resource_type("User").unwrap()).unwrap();
        self.ada.bits.push(RuleBits {
            rule: RuleKey(key),
            version: 1,
            bits: when.bits(&self.document),
        });
        self.policy.rules.push(Rule {
            key: RuleKey(key),
            id: format!("rule{key}"),
            name: format!("Rule {key}"),
            version: 1,
            matched: 1,
            state: State::Active,
            when,
            then: vec![then],
            validity: Validity::ALWAYS,
        });
        self.policy.rules.last_mut().unwrap()
    }

    pub fn book(&self) -> Rulebook {
        Rulebook::compile(self.policy.clone()).unwrap()
    }

    pub fn faults(&self) -> Vec<RuleFault> {
        Rulebook::compile(self.policy.clone()).unwrap_err()
    }

    pub fn access(&self) -> Assignments {
        evaluate(&self.ada, &self.book(), self.now)
    }

    /// Whether Ada may; all ways to ask must agree.
    pub fn may(&self, permission: &str, target: Target<'_>) -> bool {
        let book = self.book();
        let permission = book.catalogue().find(permission).unwrap();
        let allowed = decide(&self.ada, &book, self.now, permission, &target).allowed;
        let all = permissions(&self.ada, &book, self.now, &target);
        assert_eq!(all.contains(permission), allowed);
        assert_eq!(self.access().permissions(&book, self.now, &target), all);
        allowed
    }

    /// Whether Ada may on a scope.
    pub fn may_on(&self, permission: &str, scope: i64) -> bool {
        self.may(permission, Target::Scope(ScopeKey(scope)))
    }

    /// Whether Ada may on lead `id` in these scopes with these properties.
    pub fn may_see(&self, id: &str, scopes: &[i64], properties: &Value) -> bool {
        let scopes: Vec<_> = scopes.iter().copied().map(ScopeKey).collect();
        let empty = Map::new();
        self.may(
            "data.view_anonymised",
            Target::Record {
                record: &record(id),
                scopes: &scopes,
                properties: properties.as_object().unwrap_or(&empty),
            },
        )
    }
}
