//! Smart groups in the order they are worked out, and what keeps a set of rules from being used.
//!
//! Whether a user is in a smart group may depend on other groups: those its rules read. So each comes after all it
//! depends on. What a rule reads by a name is every group of that name, and with it every smart group that is nested
//! in one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::policy::{Policy, PolicyGroup};
use super::rule::{GroupsRead, Rule};
use crate::base::fold::{exact, fold};
use crate::base::id::{Pk, RoleKey, RuleKey, ScopeKey};

/// A group whose members are given by rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmartGroup {
    /// The group.
    pub group: Pk,
    /// The rules that give its members, by number, ascending.
    pub rules: Vec<usize>,
    /// Every group it is nested in, at any distance, ascending and without itself.
    pub above: Vec<Pk>,
}

/// One step of a circle: a rule fills a group and reads another that leads back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadStep {
    /// The rule.
    pub rule: RuleKey,
    /// Its name.
    pub rule_name: String,
    /// The smart group it fills.
    pub fills: Pk,
    /// Display name of that group.
    pub fills_name: String,
    /// The group it reads; none when it reads all of them.
    pub reads: Option<Pk>,
    /// Display name of that group.
    pub reads_name: Option<String>,
}

/// Why rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleFault {
    /// Two active rules have the same key.
    Twice(RuleKey),
    /// A rule gives a role that is not there.
    NoRole {
        /// The rule.
        rule: RuleKey,
        /// Its name.
        name: String,
        /// What it gives.
        role: RoleKey,
    },
    /// A rule names a scope that is not there.
    NoScope {
        /// The rule.
        rule: RuleKey,
        /// Its name.
        name: String,
        /// What it names.
        scope: ScopeKey,
    },
    /// A rule fills a group that is not there.
    NoGroup {
        /// The rule.
        rule: RuleKey,
        /// Its name.
        name: String,
        /// What it fills.
        group: Pk,
    },
    /// Smart groups depend on each other in a circle: each step reads what the next one fills, the last what the
    /// first one fills.
    Circle(Vec<ReadStep>),
}

impl RuleFault {
    /// Whether the rule is at fault, alone or with others.
    #[must_use]
    pub fn concerns(&self, key: RuleKey) -> bool {
        match self {
            Self::Twice(rule) | Self::NoRole { rule, .. } | Self::NoScope { rule, .. } | Self::NoGroup { rule, .. } => {
                *rule == key
            }
            Self::Circle(steps) => steps.iter().any(|step| step.rule == key),
        }
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(_) => f.write_str("a rule is active twice"),
            Self::NoRole { name, .. } => write!(f, "rule `{name}` gives a role that does not exist"),
            Self::NoScope { name, .. } => write!(f, "rule `{name}` names a scope that does not exist"),
            Self::NoGroup { name, .. } => write!(f, "rule `{name}` fills a group that does not exist"),
            Self::Circle(steps) => {
                f.write_str("smart groups depend on each other in a circle: ")?;
                for (index, step) in steps.iter().enumerate() {
                    let then = if index > 0 { ", " } else { "" };
                    write!(
                        f,
                        "{then}`{}` is filled by rule `{}`, which reads ",
                        step.fills_name, step.rule_name
                    )?;
                    match &step.reads_name {
                        Some(name) => write!(f, "`{name}`")?,
                        None => f.write_str("all groups")?,
                    }
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for RuleFault {}

/// Rules whose outcomes name what is not there, and rules of one key. The rules are ordered by key.
pub(super) fn names(
    policy: &Policy,
    roles: &HashMap<RoleKey, usize>,
    scopes: &HashMap<ScopeKey, usize>,
    groups: &HashMap<Pk, usize>,
) -> Vec<RuleFault> {
    let twice = policy.rules.windows(2).filter(|pair| pair[0].key == pair[1].key);
    let mut faults: Vec<_> = twice.map(|pair| RuleFault::Twice(pair[0].key)).collect();
    for rule in &policy.rules {
        let (key, name) = (rule.key, &rule.name);
        let no_role = rule
            .roles()
            .map(|(role, _)| role)
            .filter(|role| !roles.contains_key(role));
        faults.extend(no_role.map(|role| RuleFault::NoRole {
            rule: key,
            name: name.clone(),
            role,
        }));
        let no_scope = rule.scopes().filter(|scope| !scopes.contains_key(scope));
        faults.extend(no_scope.map(|scope| RuleFault::NoScope {
            rule: key,
            name: name.clone(),
            scope,
        }));
        let no_group = rule.groups().filter(|group| !groups.contains_key(group));
        faults.extend(no_group.map(|group| RuleFault::NoGroup {
            rule: key,
            name: name.clone(),
            group,
        }));
    }
    faults
}

/// The smart groups, each after all it depends on, else in order of their keys.
///
/// # Errors
/// The circles; groups that merely depend on one are not named.
pub(super) fn stack(policy: &Policy, groups: &HashMap<Pk, usize>) -> Result<Vec<SmartGroup>, Vec<RuleFault>> {
    let world = World::new(policy, groups);
    let mut waiting: BTreeMap<_, _> = world
        .smart
        .keys()
        .map(|group| (*group, world.reads_of(*group)))
        .collect();
    let (mut order, mut circles) = (Vec::new(), Vec::new());
    while !waiting.is_empty() {
        let blocked = |reads: &[Edge]| reads.iter().any(|edge| waiting.contains_key(&edge.filled));
        let free: Vec<_> = waiting
            .iter()
            .filter(|(_, reads)| !blocked(reads))
            .map(|(group, _)| *group)
            .collect();
        let settled = if free.is_empty() {
            let circle = circle(&waiting);
            circles.push(RuleFault::Circle(circle.iter().map(|edge| world.step(edge)).collect()));
            circle.iter().map(|edge| edge.fills).collect()
        } else {
            order.extend(free.iter().map(|group| world.smart[group].clone()));
            free
        };
        waiting.retain(|group, _| !settled.contains(group));
    }
    if circles.is_empty() { Ok(order) } else { Err(circles) }
}

/// A rule that fills `fills` reads `reads`, where members of the smart group `filled` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    rule: usize,
    fills: Pk,
    reads: Option<Pk>,
    filled: Pk,
}

struct World<'a> {
    policy: &'a Policy,
    groups: &'a HashMap<Pk, usize>,
    smart: BTreeMap<Pk, SmartGroup>,
    /// By name and by id of a group: the group, and a smart group whose members are in it.
    names: HashMap<String, Vec<(Pk, Pk)>>,
    ids: HashMap<String, Vec<(Pk, Pk)>>,
}

impl<'a> World<'a> {
    fn new(policy: &'a Policy, groups: &'a HashMap<Pk, usize>) -> Self {
        let mut smart: BTreeMap<Pk, SmartGroup> = BTreeMap::new();
        for (number, rule) in policy.rules.iter().enumerate() {
            for group in rule.groups().collect::<BTreeSet<_>>() {
                let entry = smart.entry(group).or_insert_with(|| SmartGroup {
                    group,
                    rules: Vec::new(),
                    above: above(policy, groups, group),
                });
                entry.rules.push(number);
            }
        }
        let (mut names, mut ids): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = (HashMap::new(), HashMap::new());
        for (filled, entry) in &smart {
            for group in std::iter::once(filled).chain(&entry.above) {
                if let Some(known) = known(policy, groups, *group) {
                    names.entry(fold(&known.display)).or_default().push((known.pk, *filled));
                    ids.entry(exact(&known.id)).or_default().push((known.pk, *filled));
                }
            }
        }
        Self {
            policy,
            groups,
            smart,
            names,
            ids,
        }
    }

    /// What the rules of a smart group read, as far as rules decide about it.
    fn reads_of(&self, group: Pk) -> Vec<Edge> {
        let mut edges = Vec::new();
        for rule in &self.smart[&group].rules {
            let mut add = |reads, filled| {
                edges.push(Edge {
                    rule: *rule,
                    fills: group,
                    reads,
                    filled,
                });
            };
            match self.policy.rules[*rule].when.groups_read() {
                GroupsRead::All => self.smart.keys().for_each(|filled| add(None, *filled)),
                GroupsRead::Named { names, ids } => {
                    let by_name = names.iter().filter_map(|name| self.names.get(name));
                    let by_id = ids.iter().filter_map(|id| self.ids.get(id));
                    by_name
                        .chain(by_id)
                        .flatten()
                        .for_each(|(read, filled)| add(Some(*read), *filled));
                }
            }
        }
        edges
    }

    fn step(&self, edge: &Edge) -> ReadStep {
        let rule: &Rule = &self.policy.rules[edge.rule];
        let name = |group| known(self.policy, self.groups, group).map(|known| known.display.clone());
        ReadStep {
            rule: rule.key,
            rule_name: rule.name.clone(),
            fills: edge.fills,
            fills_name: name(edge.fills).unwrap_or_default(),
            reads: edge.reads,
            reads_name: edge.reads.and_then(name),
        }
    }
}

/// A circle among groups of which each waits for another of them: from the smallest, along what it waits for first.
fn circle(waiting: &BTreeMap<Pk, Vec<Edge>>) -> Vec<Edge> {
    let mut way: Vec<Edge> = Vec::new();
    let mut at = waiting.keys().next().copied();
    while let Some(group) = at {
        if let Some(start) = way.iter().position(|edge| edge.fills == group) {
            return way.split_off(start);
        }
        let next = waiting[&group].iter().find(|edge| waiting.contains_key(&edge.filled));
        way.extend(next);
        at = next.map(|edge| edge.filled);
    }
    way
}

fn known<'a>(policy: &'a Policy, groups: &HashMap<Pk, usize>, group: Pk) -> Option<&'a PolicyGroup> {
    groups.get(&group).map(|number| &policy.groups[*number])
}

/// Every group that a group is nested in, ascending and without itself; nesting may go in circles.
fn above(policy: &Policy, groups: &HashMap<Pk, usize>, group: Pk) -> Vec<Pk> {
    let mut found = BTreeSet::new();
    let mut rest = vec![group];
    while let Some(next) = rest.pop() {
        let parents = known(policy, groups, next).map_or(&[][..], |known| &known.parents);
        rest.extend(parents.iter().filter(|parent| found.insert(**parent)));
    }
    found.remove(&group);
    found.into_iter().collect()
}
