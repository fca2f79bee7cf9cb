//! What all users share: the roles, scopes, group grants, rules and groups of one version of the policy.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::grant::{Grant, Subject};
use super::permission::{Catalogue, Permissions};
use super::role::Role;
use super::rule::{Rule, State};
use super::scope::Scope;
use super::settings::Settings;
use crate::base::id::Pk;

/// A group the policy has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyGroup {
    /// Number inside.
    pub pk: Pk,
    /// Id on the wire.
    pub id: String,
    /// Its display name.
    pub display: String,
    /// The groups it is directly nested in.
    pub parents: Vec<Pk>,
}

/// Everything that is not about one user, as the store reads it. [`Rulebook::compile`](super::Rulebook::compile)
/// makes it ready for use, once a version.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Counts every change of what is in here.
    pub version: i64,
    /// What the organisation has decided for all of it.
    pub settings: Settings,
    /// Whether the organisation is suspended or deleted: then nobody has anything.
    pub closed: bool,
    /// The permissions there are.
    pub catalogue: Arc<Catalogue>,
    /// Every role, the predefined ones included.
    pub roles: Vec<Role>,
    /// Every scope.
    pub scopes: Vec<Scope>,
    /// Grants whose subject is a group, expired and future ones included.
    pub grants: Vec<Grant>,
    /// Rules; only active ones count, others may be left out.
    pub rules: Vec<Rule>,
    /// Smart groups, groups that hold grants, groups that rules name, and with each group those it is nested in, at any
    /// distance: every one of `parents` is listed, too. Others may be left out, and may be listed.
    pub groups: Vec<PolicyGroup>,
}

impl Policy {
    /// Everything that being in one of these groups can come to permit, wherever: by grants to them and to the groups
    /// they are nested in, and by active rules that read any of these, also by way of the groups such a rule fills.
    ///
    /// Neither time nor the rest of a condition is looked at: who can put people into a group can wait, and can choose
    /// whom.
    #[must_use]
    pub fn reachable(&self, groups: &[Pk]) -> Permissions {
        let known: HashMap<Pk, &PolicyGroup> = self.groups.iter().map(|group| (group.pk, group)).collect();
        let (mut reached, mut read) = (BTreeSet::new(), Vec::new());
        let mut rest = groups.to_vec();
        while !rest.is_empty() {
            while let Some(group) = rest.pop() {
                let parents = known.get(&group).map_or(&[][..], |known| &known.parents);
                if reached.insert(group) {
                    rest.extend(parents);
                }
            }
            let is_read = |rule: &&Rule| {
                let reads = rule.when.groups_read();
                let mut there = reached.iter().filter_map(|group| known.get(group));
                rule.state == State::Active && there.any(|group| reads.reads(&group.id, &group.display))
            };
            read = self.rules.iter().filter(is_read).collect();
            let filled = read.iter().flat_map(|rule| rule.groups());
            rest.extend(filled.filter(|group| !reached.contains(group)));
        }
        let is_reached = |grant: &&Grant| matches!(grant.subject, Subject::Group(group) if reached.contains(&group));
        let by_grants = self.grants.iter().filter(is_reached).map(|grant| grant.role);
        let by_rules = read.iter().flat_map(|rule| rule.roles().map(|(role, _)| role));
        let given: BTreeSet<_> = by_grants.chain(by_rules).collect();
        let roles = self.roles.iter().filter(|role| given.contains(&role.key));
        roles.fold(Permissions::NONE, |all, role| all | role.permissions)
    }
}
