//! What was, as the access engine sees it.

use std::sync::Arc;

use super::person::PersonPast;
use super::policy::PolicyPast;
use super::ties::Ties;
use crate::access::permission::Predefined;
use crate::access::role::predefined;
use crate::access::settings::Settings;
use crate::access::{
    Catalogue, Condition, Facts, Grant, Origin, Outcome, Policy, PolicyGroup, Reach, RecordRef, Restriction, Role,
    Rule, Scope, ScopeKind, State, Subject,
};
use crate::base::id::{GrantKey, Pk, RoleKey, ScopeKey};
use crate::event::Seq;
use crate::event::image::{GrantImage, OutcomeImage, Place, RuleImage};

/// A policy and which groups were in which, at one position.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What all users shared.
    pub policy: PolicyPast,
    /// Which groups were in which.
    pub nesting: Ties,
}

impl Stage {
    /// What decisions were made by. A condition that cannot be used any more, by the schema of today, is left out; so are
    /// permissions that the catalogue of today does not know.
    pub fn policy(&self, catalogue: &Arc<Catalogue>, compiled: impl Fn(&str) -> Option<Condition>) -> Policy {
        let past = &self.policy;
        let mut roles: Vec<Role> = predefined(catalogue).into();
        roles.extend(past.roles.iter().map(|(key, (id, image))| Role {
            key: *key,
            id: id.clone(),
            name: image.name.clone(),
            permissions: catalogue.known(image.permissions.iter().map(String::as_str)),
            origin: image.copy_of.as_deref().and_then(|id| self.role(id)),
        }));
        let scopes = past.scopes.iter().filter_map(|(key, (id, image))| {
            Some(Scope {
                key: *key,
                id: id.clone(),
                kind: ScopeKind::parse(&image.kind)?,
                name: image.name.clone(),
                parent: image.parent.as_deref().and_then(|id| past.scope_of(id)),
                starts: image.starts,
                ends: image.ends,
            })
        });
        let grants = past
            .grants
            .iter()
            .filter_map(|(first, (holder, image))| self.grant(*first, Subject::Group(*holder), image));
        let in_force = past.rules.iter().filter_map(|(key, (id, image))| {
            Some(Rule {
                key: *key,
                id: id.clone(),
                name: image.name.clone(),
                version: image.version,
                matched: image.version,
                state: State::parse(&image.state).filter(|state| *state == State::Active)?,
                when: compiled(&image.when)?,
                then: self.outcomes(image),
                validity: image.validity(),
            })
        });
        Policy {
            version: past.last().0,
            settings: Settings {
                managers_see_reports: past.managers_see_reports(),
                ..Settings::default()
            },
            closed: past.is_closed(),
            catalogue: Arc::clone(catalogue),
            scopes: scopes.collect(),
            grants: grants.collect(),
            rules: in_force.collect(),
            groups: self.groups(),
            roles,
        }
    }

    /// A user, but for what their document says about rules, and those who reported to them.
    #[must_use]
    pub fn facts(&self, person: &PersonPast, ties: &Ties) -> Facts {
        let mut facts = Facts::new(person.pk, person.id.as_str(), person.is_active());
        facts.groups = ties.facts(person.pk, &self.policy, &self.nesting);
        let grants = person.grants();
        let grants = grants.filter_map(|(first, image)| self.grant(first, Subject::User(person.pk), image));
        facts.grants = grants.collect();
        facts
    }

    /// Every group that was there.
    fn groups(&self) -> Vec<PolicyGroup> {
        let there = self.policy.groups().filter(|group| group.there);
        let group = |group: &super::GroupPast| PolicyGroup {
            pk: group.pk,
            id: group.id.clone(),
            display: group.name.clone(),
            parents: self.nesting.groups_of(group.pk, &self.policy).collect(),
        };
        there.map(group).collect()
    }

    fn role(&self, id: &str) -> Option<RoleKey> {
        if let Some(predefined) = Predefined::from_id(id) {
            return Some(predefined.key());
        }
        let key = RoleKey(self.policy.role_numbers.get(id)?);
        self.policy.roles.contains_key(&key).then_some(key)
    }

    fn scope(&self, id: &str) -> Option<ScopeKey> {
        self.policy.scope_of(id)
    }

    fn group(&self, id: &str) -> Option<Pk> {
        let group = self.policy.group(self.policy.group_of(id)?)?;
        group.there.then_some(group.pk)
    }

    fn reach(&self, place: &Place) -> Option<Reach> {
        if place.is_all() {
            return Some(Reach::All);
        }
        match place {
            Place::Scope(id) => Some(Reach::Scope(self.scope(id)?)),
            Place::Record(record) => RecordRef::new(&record.kind, &record.id).map(Reach::Record),
        }
    }

    /// A grant whose role and scope were there; its number is where it was given.
    fn grant(&self, first: Seq, subject: Subject, image: &GrantImage) -> Option<Grant> {
        Some(Grant {
            key: GrantKey(first.0),
            id: image.grant.clone(),
            subject,
            role: self.role(&image.role)?,
            reach: self.reach(&image.place)?,
            validity: image.validity(),
            restriction: Restriction(image.restrict.clone()),
            origin: Origin::parse(&image.origin)?,
        })
    }

    fn outcomes(&self, image: &RuleImage) -> Vec<Outcome> {
        let one = |outcome: &OutcomeImage| {
            Some(match outcome {
                OutcomeImage::Role { role, place } => Outcome::Role {
                    role: self.role(role)?,
                    reach: self.reach(place)?,
                },
                OutcomeImage::Group { group } => Outcome::Group(self.group(group)?),
                OutcomeImage::Member { scope } => Outcome::Member(self.scope(scope)?),
            })
        };
        image.then.iter().filter_map(one).collect()
    }
}
