//! What a reviewer should see, over all rules.

use std::collections::HashSet;

use super::gives::gives;
use super::implies::implies;
use crate::access::invariant::Cap;
use crate::access::policy::Policy;
use crate::access::rule::{Outcome, Rule, State};
use crate::base::id::{RoleKey, RuleKey};
use crate::scim::filter::{Checked, Filter, Literal, Op, check};
use crate::scim::schema::{ResourceType, Target};

/// Something a reviewer should see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Two rules say the same: one of them can go.
    Duplicate {
        /// The later one.
        rule: RuleKey,
        /// The earlier one.
        of: RuleKey,
    },
    /// Other rules give everything this one does, whenever it does: it can go. All rules told so can go together.
    Redundant {
        /// Which.
        rule: RuleKey,
        /// The rules that give it, ascending.
        by: Vec<RuleKey>,
    },
    /// A rule gives a role that provisioning may not give, and what is provisioned decides whom the rule gives it to.
    Capped {
        /// Which.
        rule: RuleKey,
        /// What it gives.
        role: RoleKey,
    },
    /// `ne` on an attribute with many values holds for whoever has another value, too; `not (… eq …)` may be meant.
    HoldsForMost {
        /// Which.
        rule: RuleKey,
        /// The comparison, as it is written.
        filter: String,
    },
}

/// Reviews the rules that are not retired, drafts as if they were active. Roles and scopes are those of the policy.
///
/// A draft is redundant where active rules give what it does; an active rule is not made redundant by a draft.
#[must_use]
pub fn review(rules: &[Rule], policy: &Policy, user: &ResourceType, cap: Cap) -> Vec<Finding> {
    let mut read: Vec<_> = rules
        .iter()
        .filter(|rule| rule.state != State::Retired)
        // A condition was checked when it was made; one that no longer fits the schema is left to whoever compiles it.
        .filter_map(|rule| Some((rule, check(rule.when.filter(), &[user]).ok()?)))
        .collect();
    // Drafts come last: of two rules that can stand for each other, the later goes.
    read.sort_by_key(|(rule, _)| (rule.state != State::Active, rule.key));
    let mut findings = superfluous(&read, policy);
    for (rule, _) in &read {
        let given = rule
            .roles()
            .filter_map(|(role, _)| policy.roles.iter().find(|known| known.key == role));
        let capped = given.filter(|role| !cap.allows(role, &policy.catalogue));
        findings.extend(capped.map(|role| Finding::Capped {
            rule: rule.key,
            role: role.key,
        }));
        holds_for_most(rule.when.filter(), user, &mut |filter| {
            findings.push(Finding::HoldsForMost {
                rule: rule.key,
                filter: filter.to_string(),
            });
        });
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Duplicates and redundant rules: from the last on, each that those left can stand in for.
fn superfluous(read: &[(&Rule, Checked)], policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut gone = HashSet::new();
    for (rule, condition) in read.iter().rev() {
        let standing_in: Vec<_> = read
            .iter()
            .filter(|(other, _)| other.key != rule.key && !gone.contains(&other.key))
            .filter(|(other, _)| other.state == State::Active || rule.state == State::Draft)
            .filter(|(other, weaker)| is_always_there(rule, other) && implies(condition, weaker))
            .collect();
        let twin = standing_in.iter().find(|(other, weaker)| {
            same_outcomes(rule, other) && rule.validity == other.validity && implies(weaker, condition)
        });
        let finding = match twin {
            Some((of, _)) => Some(Finding::Duplicate {
                rule: rule.key,
                of: of.key,
            }),
            None => redundant(rule, &standing_in, policy),
        };
        if finding.is_some() {
            gone.insert(rule.key);
        }
        findings.extend(finding);
    }
    findings
}

fn redundant(rule: &Rule, standing_in: &[&(&Rule, Checked)], policy: &Policy) -> Option<Finding> {
    let giver = |outcome: &Outcome| {
        let gives_it = |rule: &Rule| rule.then.iter().any(|more| gives(more, outcome, policy));
        standing_in
            .iter()
            .find(|(other, _)| gives_it(other))
            .map(|(other, _)| other.key)
    };
    let mut by: Vec<_> = rule.then.iter().map(giver).collect::<Option<_>>()?;
    by.sort_unstable();
    by.dedup();
    (!by.is_empty()).then_some(Finding::Redundant { rule: rule.key, by })
}

/// Whether a rule is valid whenever another is.
fn is_always_there(rule: &Rule, other: &Rule) -> bool {
    let starts = other
        .validity
        .from
        .is_none_or(|from| rule.validity.from.is_some_and(|own| from <= own));
    let ends = other
        .validity
        .to
        .is_none_or(|to| rule.validity.to.is_some_and(|own| own <= to));
    starts && ends
}

fn same_outcomes(one: &Rule, other: &Rule) -> bool {
    let within = |one: &Rule, other: &Rule| one.then.iter().all(|outcome| other.then.contains(outcome));
    within(one, other) && within(other, one)
}

/// Gives every `ne` with a value on an attribute that has many, outside brackets, to the sink.
fn holds_for_most(filter: &Filter, user: &ResourceType, sink: &mut dyn FnMut(&Filter)) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| holds_for_most(part, user, sink)),
        Filter::Not(part) => holds_for_most(part, user, sink),
        Filter::Compare {
            path,
            op: Op::Ne,
            value,
        } if *value != Literal::Null => {
            if let Some(Target::Attribute(place)) = user.resolve(path)
                && place.top().multi_valued
            {
                sink(filter);
            }
        }
        Filter::Compare { .. } | Filter::Present(_) | Filter::Some { .. } => {}
    }
}
