//! Which smart groups have to be worked out for a read, so that one that names a group does not pay for all of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::access::rule::GroupsRead;
use crate::access::rulebook::SmartGroup;
use crate::access::{Condition, Rulebook};
use crate::base::fold::{exact, fold};
use crate::base::id::Pk;
use crate::scim::filter::{Checked, Match, Node, Test};

/// The groups whose members can change what a filter finds: those that it asks of users, and those whose members it asks
/// for. None where it does neither.
pub(super) fn asked(filter: &Checked) -> GroupsRead {
    GroupsRead::by(filter).union(asked_of_groups(filter.root()))
}

/// The groups of whose members a filter asks something.
fn asked_of_groups(node: &Node) -> GroupsRead {
    let is_asked = |path: &str| path.split('.').next() == Some("members");
    match node {
        Node::Or(parts) => parts.iter().map(asked_of_groups).collect(),
        // A group without the name that one part wants is not found, whoever its members are.
        Node::And(parts) => match parts.iter().map(asked_of_groups).collect() {
            GroupsRead::All => found_by(node),
            few @ GroupsRead::Named { .. } => few,
        },
        Node::Not(part) => asked_of_groups(part),
        Node::Test(Test { path, .. }) | Node::Some { path, .. } if is_asked(path) => GroupsRead::All,
        Node::Test(_) | Node::Some { .. } | Node::Constant(_) => GroupsRead::default(),
    }
}

/// Names and ids such that no group without them is found; all groups where there are no such.
fn found_by(node: &Node) -> GroupsRead {
    match node {
        Node::Or(parts) => parts.iter().map(found_by).collect(),
        Node::And(parts) => {
            let mut parts = parts.iter().map(found_by);
            parts.find(|part| *part != GroupsRead::All).unwrap_or(GroupsRead::All)
        }
        Node::Constant(false) => GroupsRead::default(),
        Node::Test(Test {
            path,
            check: Match::Equal(operand),
            ..
        }) => match path.as_str() {
            "displayName" => named([fold(operand)], []),
            "id" => named([], [exact(operand)]),
            _ => GroupsRead::All,
        },
        Node::Test(_) | Node::Some { .. } | Node::Not(_) | Node::Constant(true) => GroupsRead::All,
    }
}

fn named<const N: usize, const I: usize>(names: [String; N], ids: [String; I]) -> GroupsRead {
    GroupsRead::Named {
        names: BTreeSet::from(names),
        ids: BTreeSet::from(ids),
    }
}

/// The smart groups whose members are in one of these groups, directly or through nesting.
pub(super) fn wanted(book: &Rulebook, asked: &GroupsRead) -> HashSet<Pk> {
    let smart = book.smart_groups();
    let index = Index::of(book);
    index.numbers(asked).into_iter().map(|at| smart[at].group).collect()
}

/// Places of these smart groups and of all that their rules read, in the order in which they are worked out.
pub(super) fn with_what_they_read(book: &Rulebook, wanted: &HashSet<Pk>) -> BTreeSet<usize> {
    let (rules, smart) = (book.rules(), book.smart_groups());
    let mut needed: BTreeSet<usize> = (0..smart.len())
        .filter(|at| wanted.contains(&smart[*at].group))
        .collect();
    let reads = |at: usize| smart[at].rules.iter().map(|number| &rules[*number].when);
    if !needed.iter().any(|at| reads(*at).any(Condition::reads_groups)) {
        return needed;
    }
    let index = Index::of(book);
    // What a rule reads comes before it.
    let mut next = needed.last().copied();
    while let Some(at) = next {
        for when in reads(at) {
            needed.extend(index.numbers(when.groups_read()));
        }
        next = needed.range(..at).next_back().copied();
    }
    needed
}

/// The smart groups by the names and ids under which their members can be asked for.
struct Index {
    all: usize,
    names: HashMap<String, Vec<usize>>,
    ids: HashMap<String, Vec<usize>>,
}

impl Index {
    fn of(book: &Rulebook) -> Self {
        let smart = book.smart_groups();
        let mut index = Self {
            all: smart.len(),
            names: HashMap::new(),
            ids: HashMap::new(),
        };
        for (at, SmartGroup { group, above, .. }) in smart.iter().enumerate() {
            for known in std::iter::once(group).chain(above).filter_map(|pk| book.group(*pk)) {
                index.names.entry(fold(&known.display)).or_default().push(at);
                index.ids.entry(exact(&known.id)).or_default().push(at);
            }
        }
        index
    }

    /// Places of the smart groups that these are, or that are nested in them.
    fn numbers(&self, read: &GroupsRead) -> BTreeSet<usize> {
        match read {
            GroupsRead::All => (0..self.all).collect(),
            GroupsRead::Named { names, ids } => {
                let by_name = names.iter().filter_map(|name| self.names.get(name));
                let by_id = ids.iter().filter_map(|id| self.ids.get(id));
                by_name.chain(by_id).flatten().copied().collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Catalogue, Outcome, Policy, PolicyGroup, Rule, Settings, State, Validity, role};
    use crate::base::id::RuleKey;
    use crate::scim::filter::{Filter, check};
    use crate::scim::schema::Registry;
    use std::sync::Arc;

    /// Groups 1 to 4 are smart: 1 by profile, 2 reads 1, 3 reads 2, 4 by profile. 5 is none, and 4 is nested in it.
    fn book() -> Rulebook {
        let catalogue = Arc::new(Catalogue::builtin());
        let group = |key: i64, parents: &[i64]| PolicyGroup {
            pk: Pk(key),
            id: format!("g{key}"),
            display: format!("Group {key}"),
            parents: parents.iter().copied().map(Pk).collect(),
        };
        let registry = Registry::builtin();
        let rule = |key: i64, when: &str| Rule {
            key: RuleKey(key),
            id: format!("r{key}"),
            name: format!("Rule {key}"),
            version: 1,
            matched: 1,
            state: State::Active,
            when: Condition::compile(when, registry.resource_type("User").unwrap()).unwrap(),
            then: vec![Outcome::Group(Pk(key))],
            validity: Validity::ALWAYS,
        };
        let policy = Policy {
            version: 1,
            settings: Settings::default(),
            closed: false,
            roles: role::predefined(&catalogue).into(),
            catalogue,
            scopes: Vec::new(),
            grants: Vec::new(),
            rules: vec![
                rule(1, "title pr"),
                rule(2, "groups.display eq \"group 1\""),
                rule(3, "not (groups.value eq \"g2\")"),
                rule(4, "userType eq \"partner\""),
            ],
            groups: vec![
                group(1, &[]),
                group(2, &[]),
                group(3, &[]),
                group(4, &[5]),
                group(5, &[]),
            ],
        };
        Rulebook::compile(policy).unwrap()
    }

    /// The groups whose members a filter gets to see, and all that are worked out for them.
    fn looked_at(filter: &str) -> (Vec<i64>, Vec<i64>) {
        let (book, registry) = (book(), Registry::builtin());
        let types = ["User", "Group"].map(|name| registry.resource_type(name).unwrap());
        let filter = check(&Filter::parse(filter).unwrap(), &types).unwrap();
        let wanted = wanted(&book, &asked(&filter));
        let worked_out = with_what_they_read(&book, &wanted);
        let mut worked_out: Vec<i64> = worked_out.iter().map(|at| book.smart_groups()[*at].group.0).collect();
        let mut wanted: Vec<i64> = wanted.iter().map(|group| group.0).collect();
        wanted.sort_unstable();
        worked_out.sort_unstable();
        (wanted, worked_out)
    }

    #[test]
    fn a_group_that_is_named_is_worked_out_with_what_it_reads_and_nothing_else() {
        for (filter, wanted, worked_out) in [
            ("groups.value eq \"g1\"", &[1][..], &[1][..]),
            ("groups.value eq \"g3\"", &[3], &[1, 2, 3]),
            ("groups.display eq \"GROUP 2\" and title pr", &[2], &[1, 2]),
            (
                "groups.value eq \"g1\" or groups.display eq \"group 5\"",
                &[1, 4],
                &[1, 4],
            ),
            ("not (groups[value eq \"g4\" and type eq \"direct\"])", &[4], &[4]),
            ("groups.$ref eq \"/Groups/g2\"", &[2], &[1, 2]),
            ("groups.value eq \"nobody\"", &[], &[]),
            ("displayName eq \"group 2\" and members.value eq \"u\"", &[2], &[1, 2]),
            ("members pr and (id eq \"g1\" or id eq \"g4\")", &[1, 4], &[1, 4]),
            ("title pr", &[], &[]),
        ] {
            assert_eq!(looked_at(filter), (wanted.to_vec(), worked_out.to_vec()), "{filter}");
        }
    }

    #[test]
    fn what_may_be_any_group_needs_all() {
        let all = vec![1, 2, 3, 4];
        for filter in [
            "groups pr",
            "groups.display sw \"group\"",
            "groups.value ne \"g1\"",
            "groups[not (value eq \"g1\")]",
            "groups.value eq \"g1\" or groups.display co \"2\"",
            "groups.type eq \"direct\" and title pr",
            "displayName eq \"group 1\" and groups pr",
            "members.value eq \"u\"",
            "members pr or displayName eq \"group 1\"",
            "members pr and not (displayName eq \"group 1\")",
            "members pr and displayName co \"1\"",
        ] {
            assert_eq!(looked_at(filter), (all.clone(), all.clone()), "{filter}");
        }
    }
}
