//! Changes that are thought of, and the policy as it would be with them.

use std::collections::{HashMap, HashSet};

use crate::access::permission::Predefined;
use crate::access::{Condition, Grant, Origin, Outcome, Policy, Reach, Role, Rule, Scope, State, Subject, invariant};
use crate::base::id::{GrantKey, Pk, ResourceId, RoleKey, RuleKey, ScopeKey};
use crate::service::access::authority::{GIVE, Held, ROLES, SCOPES, require};
use crate::service::access::grants::{NewGrant, SubjectKind, Where, restriction};
use crate::service::access::names::{self, ALL};
use crate::service::access::policy::Book;
use crate::service::access::roles::NewRole;
use crate::service::access::rules::{NewRule, OutcomeAsked, condition};
use crate::service::access::scopes::NewScope;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// Most changes of one preview.
pub(super) const MAX_CHANGES: usize = 100;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// A new grant.
    Grant(NewGrant),
    /// A new role.
    Role(NewRole),
    /// A new scope.
    Scope(NewScope),
    /// A new rule, looked at as if it were active.
    Rule(NewRule),
    /// The end of something, by its id; what hangs on it is detached.
    Delete(What, String),
}

/// What can be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A grant.
    Grant,
    /// A custom role.
    Role,
    /// A scope.
    Scope,
    /// A rule.
    Rule,
}

/// The policy with the changes, and what they are for users.
pub(super) struct Trial {
    pub(super) policy: Policy,
    /// New grants of users.
    pub(super) given: HashMap<Pk, Vec<Grant>>,
    /// Ids of grants that are taken.
    pub(super) taken: HashSet<String>,
    /// Conditions whose matches nobody has kept.
    pub(super) conditions: Vec<(RuleKey, Condition)>,
}

/// Lets pass who may make every one of the changes.
pub(super) async fn admit(services: &Services, caller: &Caller, asked: &[Asked]) -> Result<Held> {
    let needs = |change: &Asked| match change {
        Asked::Grant(_) | Asked::Rule(_) | Asked::Delete(What::Grant | What::Rule, _) => GIVE,
        Asked::Role(_) | Asked::Delete(What::Role, _) => ROLES,
        Asked::Scope(_) | Asked::Delete(What::Scope, _) => SCOPES,
    };
    if asked.is_empty() || asked.len() > MAX_CHANGES {
        return Err(Error::invalid(
            "/changes",
            format!("a preview has 1 to {MAX_CHANGES} changes"),
        ));
    }
    let held = require(services, caller, &[GIVE, ROLES, SCOPES]).await?;
    let wanted = services.catalogue().known(asked.iter().map(needs));
    held.covers(services, wanted)?;
    Ok(held)
}

/// The policy as it would be.
pub(super) async fn trial(services: &Services, caller: &Caller, book: &Book, asked: &[Asked]) -> Result<Trial> {
    let known = resources(services, caller, asked).await?;
    let mut policy = book.rulebook.policy().clone();
    let unknown = filled(asked, &known).filter(|group| !policy.groups.iter().any(|known| known.pk == *group));
    let unknown: Vec<Pk> = unknown.collect();
    if !unknown.is_empty() {
        let more = services.read(caller).policy().groups(&unknown).await?;
        policy
            .groups
            .retain(|group| !more.iter().any(|other| other.pk == group.pk));
        policy.groups.extend(more);
    }
    let mut trial = Trial {
        policy,
        given: HashMap::new(),
        taken: HashSet::new(),
        conditions: Vec::new(),
    };
    // Below 0: no row has such a number.
    for ((at, change), number) in asked.iter().enumerate().zip((i64::MIN..0).rev()) {
        trial
            .make((services, caller), &known, change, number)
            .map_err(|error| within(error, at))?;
    }
    Ok(trial)
}

/// A refusal about one change, told about its place among them.
pub(super) fn within(error: Error, at: usize) -> Error {
    below(&format!("/changes/{at}"), error)
}

/// A refusal seen from further out: its place is one below this pointer.
fn below(outer: &str, error: Error) -> Error {
    match error {
        Error::Invalid(mut refusal) => {
            let inner = refusal.pointer.unwrap_or_default();
            refusal.pointer = Some(format!("{outer}{inner}"));
            Error::Invalid(refusal)
        }
        other => other,
    }
}

/// Users and groups that changes name.
type Known = HashMap<String, Pk>;

async fn resources(services: &Services, caller: &Caller, asked: &[Asked]) -> Result<Known> {
    let mut ids = Vec::new();
    for change in asked {
        match change {
            Asked::Grant(new) => ids.push(ResourceId::new(new.subject.as_str())),
            Asked::Rule(new) => {
                let groups = new.then.iter().filter_map(|outcome| outcome.group.as_deref());
                ids.extend(groups.map(ResourceId::new));
            }
            Asked::Role(_) | Asked::Scope(_) | Asked::Delete(..) => {}
        }
    }
    let rows = services.read(caller).resources().pks(&ids).await?;
    Ok(rows.into_iter().map(|(id, pk, _)| (id.into_string(), pk)).collect())
}

/// The groups that new rules fill.
fn filled<'a>(asked: &'a [Asked], known: &'a Known) -> impl Iterator<Item = Pk> + 'a {
    let rules = asked.iter().filter_map(|change| match change {
        Asked::Rule(new) => Some(new),
        Asked::Grant(_) | Asked::Role(_) | Asked::Scope(_) | Asked::Delete(..) => None,
    });
    let groups = rules
        .flat_map(|new| &new.then)
        .filter_map(|outcome| outcome.group.as_deref());
    groups.filter_map(|group| known.get(group).copied())
}

impl Trial {
    fn make(
        &mut self,
        (services, caller): (&Services, &Caller),
        known: &Known,
        change: &Asked,
        number: i64,
    ) -> Result<()> {
        match change {
            Asked::Grant(new) => self.grant(known, new, number)?,
            Asked::Role(new) => {
                let catalogue = services.catalogue();
                let keys = new.permissions.iter().map(String::as_str);
                let permissions = catalogue.set(keys);
                self.policy.roles.push(Role {
                    key: RoleKey(number),
                    id: String::new(),
                    name: new.name.clone(),
                    permissions: permissions
                        .map_err(|unknown| Error::invalid("/role/permissions", unknown.to_string()))?,
                    origin: None,
                });
            }
            Asked::Scope(new) => {
                let parent = new.parent.as_deref();
                self.policy.scopes.push(Scope {
                    key: ScopeKey(number),
                    id: String::new(),
                    kind: new.kind,
                    name: new.name.clone(),
                    parent: parent.map(|parent| self.scope("/scope/parent", parent)).transpose()?,
                    starts: new.starts,
                    ends: new.ends,
                });
            }
            Asked::Rule(new) => self.rule(caller, known, new, number)?,
            Asked::Delete(what, id) => self.delete(*what, id)?,
        }
        Ok(())
    }

    fn grant(&mut self, known: &Known, new: &NewGrant, number: i64) -> Result<()> {
        let pk = resource(known, "/grant/subject/id", &new.subject)?;
        let subject = match new.subject_kind {
            SubjectKind::User => Subject::User(pk),
            SubjectKind::Group => Subject::Group(pk),
        };
        let reach = match &new.place {
            Where::Scope(id) => self.reach("/grant/scope", id)?,
            Where::Record { kind, id } => Reach::Record(names::record("/grant/record", kind, id)?),
        };
        let grant = Grant {
            key: GrantKey(number),
            id: String::new(),
            subject,
            role: self.role("/grant/role", &new.role)?,
            reach,
            validity: new.validity,
            restriction: restriction(&new.restrict).map_err(|error| below("/grant", error))?,
            origin: Origin::Manual,
        };
        match subject {
            Subject::User(pk) => self.given.entry(pk).or_default().push(grant),
            Subject::Group(_) => self.policy.grants.push(grant),
        }
        Ok(())
    }

    fn rule(&mut self, caller: &Caller, known: &Known, new: &NewRule, number: i64) -> Result<()> {
        let when = condition(&new.when, caller.user_type()?).map_err(|error| below("/rule", error))?;
        let then = new.then.iter().map(|asked| self.outcome(known, asked));
        let rule = Rule {
            key: RuleKey(number),
            id: String::new(),
            name: new.name.clone(),
            version: 1,
            matched: 1,
            state: new.state,
            then: then.collect::<Result<_>>()?,
            when: when.clone(),
            validity: new.validity,
        };
        // A draft is looked at for its faults, and gives nothing.
        if new.state == State::Active {
            self.policy.rules.push(rule);
            self.conditions.push((RuleKey(number), when));
        }
        Ok(())
    }

    fn outcome(&self, known: &Known, asked: &OutcomeAsked) -> Result<Outcome> {
        let pointer = "/rule/then";
        match (&asked.role, &asked.scope, &asked.record, &asked.group) {
            (Some(role), Some(scope), None, None) => Ok(Outcome::Role {
                role: self.role(pointer, role)?,
                reach: self.reach(pointer, scope)?,
            }),
            (Some(role), None, Some((kind, id)), None) => Ok(Outcome::Role {
                role: self.role(pointer, role)?,
                reach: Reach::Record(names::record(pointer, kind, id)?),
            }),
            (None, Some(scope), None, None) => Ok(Outcome::Member(self.scope(pointer, scope)?)),
            (None, None, None, Some(group)) => Ok(Outcome::Group(resource(known, pointer, group)?)),
            _ => Err(Error::invalid(
                pointer,
                "an outcome is `role` with `scope` or `record`, `scope` alone, or `group` alone",
            )),
        }
    }

    fn role(&self, pointer: &str, id: &str) -> Result<RoleKey> {
        let found = self.policy.roles.iter().find(|role| role.id == id).map(|role| role.key);
        let role = found.ok_or_else(|| Error::invalid(pointer, format!("there is no role `{id}`")))?;
        if role == Predefined::Owner.key() {
            return Err(invariant::Violation::OwnerIsTransferred.into());
        }
        Ok(role)
    }

    fn scope(&self, pointer: &str, id: &str) -> Result<ScopeKey> {
        let found = self.policy.scopes.iter().find(|scope| scope.id == id);
        let found = found.filter(|_| !id.is_empty()).map(|scope| scope.key);
        found.ok_or_else(|| Error::invalid(pointer, format!("there is no scope `{id}`")))
    }

    fn reach(&self, pointer: &str, id: &str) -> Result<Reach> {
        if id == ALL {
            return Ok(Reach::All);
        }
        self.scope(pointer, id).map(Reach::Scope)
    }

    fn delete(&mut self, what: What, id: &str) -> Result<()> {
        let pointer = "/delete/id";
        let policy = &mut self.policy;
        match what {
            What::Grant => {
                policy.grants.retain(|grant| grant.id != id);
                self.taken.insert(id.to_owned());
            }
            What::Rule => policy.rules.retain(|rule| rule.id != id),
            What::Role => {
                let key = self.role(pointer, id)?;
                invariant::editable(key)?;
                let named = |outcome: &Outcome| matches!(outcome, Outcome::Role { role, .. } if *role == key);
                self.policy.roles.retain(|role| role.key != key);
                self.detach(named);
            }
            What::Scope => {
                let key = self.scope(pointer, id)?;
                let parent = self.policy.scopes.iter().find(|scope| scope.key == key);
                let parent = parent.and_then(|scope| scope.parent);
                self.policy.scopes.retain(|scope| scope.key != key);
                let below = self.policy.scopes.iter_mut().filter(|scope| scope.parent == Some(key));
                below.for_each(|scope| scope.parent = parent);
                self.detach(|outcome| match outcome {
                    Outcome::Role { reach, .. } => reach.scope() == Some(key),
                    Outcome::Member(scope) => *scope == key,
                    Outcome::Group(_) => false,
                });
            }
        }
        Ok(())
    }

    fn detach(&mut self, named: impl Fn(&Outcome) -> bool) {
        for rule in &mut self.policy.rules {
            rule.then.retain(|outcome| !named(outcome));
        }
        self.policy.rules.retain(|rule| !rule.then.is_empty());
    }
}

fn resource(known: &Known, pointer: &str, id: &str) -> Result<Pk> {
    let found = known.get(id).copied();
    found.ok_or_else(|| Error::invalid(pointer, format!("there is no user or group `{id}`")))
}
