//! A policy made ready for use: everything that can be worked out once a version, is.

use std::collections::HashMap;

use super::facts::Facts;
use super::grant::{Grant, Subject};
use super::permission::{Catalogue, Level, Permissions};
use super::policy::{Policy, PolicyGroup};
use super::role::Role;
use super::rule::{Rule, State};
use super::scope::Scope;
use super::shelf::{Offer, Shelf};
use super::strata;
use super::target::{Located, Target};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};

pub use super::strata::{ReadStep, RuleFault, SmartGroup};

/// A compiled policy. Whatever order the parts of the policy were in, it decides the same.
#[derive(Debug)]
pub struct Rulebook {
    /// INVARIANT: rules are the active ones, ordered by key.
    policy: Policy,
    roles: HashMap<RoleKey, usize>,
    scopes: HashMap<ScopeKey, usize>,
    groups: HashMap<Pk, usize>,
    grants: HashMap<GrantKey, usize>,
    rules: HashMap<RuleKey, usize>,
    /// Numbers of the grants of each group.
    held: HashMap<Pk, Vec<usize>>,
    /// What each group offers, by reach.
    offers: HashMap<Pk, Shelf<Offer>>,
    /// What rules offer, by reach: number of the rule and the permissions of the role.
    promises: Shelf<(usize, Permissions)>,
    smart: Vec<SmartGroup>,
    /// By number of the rule: whether it can hold for a user without bits of it.
    unasked: Vec<bool>,
    organisation: Permissions,
    viewing: Permissions,
}

impl Rulebook {
    /// Compiles a policy. Rules that are not active are left out.
    ///
    /// # Errors
    /// Every rule that names what is not there, rules of the same key, and every circle of smart groups.
    pub fn compile(mut policy: Policy) -> Result<Self, Vec<RuleFault>> {
        policy.rules.retain(|rule| rule.state == State::Active);
        policy.rules.sort_by_key(|rule| rule.key);
        let groups = index(&policy.groups, |group| group.pk);
        let roles = index(&policy.roles, |role| role.key);
        let scopes = index(&policy.scopes, |scope| scope.key);
        let mut faults = strata::names(&policy, &roles, &scopes, &groups);
        let smart = match strata::stack(&policy, &groups) {
            Ok(smart) => smart,
            Err(circles) => {
                faults.extend(circles);
                Vec::new()
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut book = Self {
            grants: index(&policy.grants, |grant| grant.key),
            rules: index(&policy.rules, |rule| rule.key),
            held: HashMap::new(),
            offers: HashMap::new(),
            promises: Shelf::default(),
            organisation: policy.catalogue.of_level(Level::Organisation),
            viewing: policy.catalogue.viewing(),
            unasked: policy
                .rules
                .iter()
                .map(|rule| rule.when.can_hold_without_bits())
                .collect(),
            roles,
            scopes,
            groups,
            smart,
            policy,
        };
        book.shelve();
        Ok(book)
    }

    /// Compiles what can be: rules at fault give nothing. For a policy that was compiled when it was written and that
    /// something else has broken since, such as a group that got another name.
    #[must_use]
    pub fn salvage(mut policy: Policy) -> (Self, Vec<RuleFault>) {
        let mut all = Vec::new();
        loop {
            match Self::compile(policy.clone()) {
                Ok(book) => return (book, all),
                Err(faults) => {
                    policy
                        .rules
                        .retain(|rule| !faults.iter().any(|fault| fault.concerns(rule.key)));
                    all.extend(faults);
                }
            }
        }
    }

    fn shelve(&mut self) {
        for (number, grant) in self.policy.grants.iter().enumerate() {
            if let Subject::Group(group) = grant.subject {
                self.held.entry(group).or_default().push(number);
                let permissions = permissions_of(&self.policy, &self.roles, grant.role);
                let offers = self.offers.entry(group).or_default();
                Offer::add(offers.at(&grant.reach), permissions, grant);
            }
        }
        for (number, rule) in self.policy.rules.iter().enumerate() {
            for (role, reach) in rule.roles() {
                let permissions = permissions_of(&self.policy, &self.roles, role);
                self.promises.at(reach).push((number, permissions));
            }
        }
    }

    /// The policy it was compiled from, without the rules that are not active.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Version of the policy.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.policy.version
    }

    /// Whether a user can have anything at all: whose account is active, in an organisation that is open.
    #[must_use]
    pub fn lets_in(&self, facts: &Facts) -> bool {
        facts.active && !self.policy.closed
    }

    /// The permissions there are.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.policy.catalogue
    }

    /// Permissions that count only when held on *All*.
    #[must_use]
    pub fn organisation(&self) -> Permissions {
        self.organisation
    }

    /// Permissions a manager may have through their reports.
    #[must_use]
    pub fn viewing(&self) -> Permissions {
        self.viewing
    }

    /// The role of this key.
    #[must_use]
    pub fn role(&self, key: RoleKey) -> Option<&Role> {
        self.roles.get(&key).map(|number| &self.policy.roles[*number])
    }

    /// What a role permits; nothing, where there is no such role.
    #[must_use]
    pub fn permissions(&self, role: RoleKey) -> Permissions {
        permissions_of(&self.policy, &self.roles, role)
    }

    /// The scope of this key.
    #[must_use]
    pub fn scope(&self, key: ScopeKey) -> Option<&Scope> {
        self.scopes.get(&key).map(|number| &self.policy.scopes[*number])
    }

    /// The group of this key, if the policy knows it.
    #[must_use]
    pub fn group(&self, key: Pk) -> Option<&PolicyGroup> {
        self.groups.get(&key).map(|number| &self.policy.groups[*number])
    }

    /// The group grant of this key.
    #[must_use]
    pub fn grant(&self, key: GrantKey) -> Option<&Grant> {
        self.grants.get(&key).map(|number| &self.policy.grants[*number])
    }

    /// The grant of this key, be it of a group or the user's own.
    #[must_use]
    pub fn grant_of<'a>(&'a self, facts: &'a Facts, key: GrantKey) -> Option<&'a Grant> {
        self.grant(key).or_else(|| facts.grant(key))
    }

    /// All grants of a group.
    pub fn grants_of(&self, group: Pk) -> impl Iterator<Item = &Grant> {
        let numbers = self.held.get(&group).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| &self.policy.grants[*number])
    }

    /// The active rules, in order of their keys.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.policy.rules
    }

    /// Whether rule number `number` of [`Rulebook::rules`] can hold for a user of whom no part of its condition does.
    #[must_use]
    pub fn can_hold_without_bits(&self, number: usize) -> bool {
        self.unasked[number]
    }

    /// Place of a rule in [`Rulebook::rules`]; none for a rule that is not active.
    #[must_use]
    pub fn rule_number(&self, key: RuleKey) -> Option<usize> {
        self.rules.get(&key).copied()
    }

    /// The active rule of this key.
    #[must_use]
    pub fn rule(&self, key: RuleKey) -> Option<&Rule> {
        self.rule_number(key).map(|number| &self.policy.rules[number])
    }

    /// The smart groups, each after all that its rules read.
    #[must_use]
    pub fn smart_groups(&self) -> &[SmartGroup] {
        &self.smart
    }

    /// Whether active rules say who is in the group.
    #[must_use]
    pub fn is_smart(&self, group: Pk) -> bool {
        self.smart.iter().any(|smart| smart.group == group)
    }

    /// The target with every scope it lies in at an instant.
    #[must_use]
    pub fn locate<'a>(&self, target: Target<'a>, now: Timestamp) -> Located<'a> {
        let mut scopes = Vec::new();
        match target {
            Target::Organisation => {}
            Target::Scope(scope) => self.climb(scope, now, &mut scopes),
            Target::Record { scopes: own, .. } => own.iter().for_each(|scope| self.climb(*scope, now, &mut scopes)),
        }
        Located::new(target, scopes, self.organisation)
    }

    /// Adds a scope and those above it. A program that does not run ends the way: nothing reaches through it. A scope
    /// that is there already does, too, as all above it is there; so a circle, which the store refuses, ends as well.
    fn climb(&self, from: ScopeKey, now: Timestamp, found: &mut Vec<ScopeKey>) {
        let mut next = Some(from);
        while let Some(scope) = next.and_then(|key| self.scope(key)) {
            if !scope.is_running(now) || found.contains(&scope.key) {
                return;
            }
            found.push(scope.key);
            next = scope.parent;
        }
    }

    /// What groups offer.
    pub(super) fn offers(&self, group: Pk) -> Option<&Shelf<Offer>> {
        self.offers.get(&group)
    }

    /// What rules offer.
    pub(super) fn promises(&self) -> &Shelf<(usize, Permissions)> {
        &self.promises
    }
}

fn index<T, K: std::hash::Hash + Eq>(items: &[T], key: impl Fn(&T) -> K) -> HashMap<K, usize> {
    items
        .iter()
        .enumerate()
        .map(|(number, item)| (key(item), number))
        .collect()
}

fn permissions_of(policy: &Policy, roles: &HashMap<RoleKey, usize>, role: RoleKey) -> Permissions {
    roles
        .get(&role)
        .map_or(Permissions::NONE, |number| policy.roles[*number].permissions)
}
