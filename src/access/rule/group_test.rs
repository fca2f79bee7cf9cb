//! A test of the groups a user is in, with the meaning of `scim::filter::eval` over `groups`.

use std::collections::BTreeSet;

use crate::access::groups::{GroupSet, Member};
use crate::base::fold::{exact, fold};
use crate::scim::filter::{Checked, Filter, Match, Node, Test};

/// Which groups a condition reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupsRead {
    /// Any group can matter.
    All,
    /// Only these can matter.
    Named {
        /// By `display eq`, folded as [`fold`] does.
        names: BTreeSet<String>,
        /// By `value eq` or `$ref eq`.
        ids: BTreeSet<String>,
    },
}

impl Default for GroupsRead {
    /// No group matters.
    fn default() -> Self {
        Self::Named {
            names: BTreeSet::new(),
            ids: BTreeSet::new(),
        }
    }
}

impl GroupsRead {
    /// Which of a user's groups can matter to a filter.
    #[must_use]
    pub fn by(filter: &Checked) -> Self {
        read_by(filter.root())
    }

    /// Whether the group of this id and display name can matter.
    #[must_use]
    pub fn reads(&self, id: &str, display: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named { names, ids } => names.contains(&fold(display)) || ids.contains(&exact(id)),
        }
    }

    /// What matters to either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Named { mut names, mut ids },
                Self::Named {
                    names: more_names,
                    ids: more_ids,
                },
            ) => {
                names.extend(more_names);
                ids.extend(more_ids);
                Self::Named { names, ids }
            }
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }
}

impl FromIterator<Self> for GroupsRead {
    fn from_iter<I: IntoIterator<Item = Self>>(reads: I) -> Self {
        reads.into_iter().fold(Self::default(), Self::union)
    }
}

/// One test of a user's groups: `groups.display eq "Sales"`, `groups[value eq "…" and type eq "direct"]`, `groups pr`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupTest {
    filter: Filter,
    whole: Whole,
    reads: GroupsRead,
}

impl GroupTest {
    /// `checked` is made of `filter`, which is one expression about `groups`.
    pub(super) fn new(filter: Filter, checked: &Checked) -> Self {
        Self {
            filter,
            whole: Whole::of(checked.root()),
            reads: GroupsRead::by(checked),
        }
    }

    /// As it was written; prints as a filter.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Which groups can matter to it.
    #[must_use]
    pub fn reads(&self) -> &GroupsRead {
        &self.reads
    }

    /// Whether a user in these groups satisfies it.
    #[must_use]
    pub fn holds(&self, groups: &GroupSet<'_>) -> bool {
        self.whole.holds(groups)
    }

    /// The groups it finds: each of them alone would make it hold, where it asks for some group and not for none.
    pub fn witnesses<'g, 'a>(&self, groups: &'g GroupSet<'a>) -> impl Iterator<Item = &'g Member<'a>> {
        groups.iter().filter(|group| self.whole.finds(group))
    }
}

/// A test of all groups of a user: a checked filter whose paths are resolved, as it runs for every user and rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whole {
    All(Vec<Whole>),
    Any(Vec<Whole>),
    Not(Box<Whole>),
    Constant(bool),
    /// There is a group. Every group has an id, so each is a value.
    Present,
    /// One group satisfies it.
    Some(One),
}

/// A test of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
enum One {
    All(Vec<One>),
    Any(Vec<One>),
    Not(Box<One>),
    Constant(bool),
    Field(Field, Match),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Value,
    Display,
    Type,
    Reference,
}

impl Whole {
    fn of(node: &Node) -> Self {
        match node {
            Node::And(parts) => Self::All(parts.iter().map(Self::of).collect()),
            Node::Or(parts) => Self::Any(parts.iter().map(Self::of).collect()),
            Node::Not(part) => Self::Not(Box::new(Self::of(part))),
            Node::Constant(constant) => Self::Constant(*constant),
            Node::Test(test) if test.path == "groups" => Self::Present,
            // A part of an element, asked of the list as a whole, has no value.
            Node::Test(_) => Self::Constant(false),
            Node::Some { node, .. } => Self::Some(One::of(node)),
        }
    }

    fn holds(&self, groups: &GroupSet<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(groups)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(groups)),
            Self::Not(part) => !part.holds(groups),
            Self::Constant(constant) => *constant,
            Self::Present => !groups.is_empty(),
            Self::Some(one) => groups.iter().any(|group| one.matches(group)),
        }
    }

    /// Whether some positive part of the test is satisfied by the group.
    fn finds(&self, group: &Member<'_>) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.finds(group)),
            Self::Not(_) | Self::Constant(_) => false,
            Self::Present => true,
            Self::Some(one) => one.matches(group),
        }
    }
}

impl One {
    fn of(node: &Node) -> Self {
        match node {
            Node::And(parts) => Self::All(parts.iter().map(Self::of).collect()),
            Node::Or(parts) => Self::Any(parts.iter().map(Self::of).collect()),
            Node::Not(part) => Self::Not(Box::new(Self::of(part))),
            Node::Constant(constant) => Self::Constant(*constant),
            Node::Test(test) => match test.path.as_str() {
                "groups.value" => Self::Field(Field::Value, test.check.clone()),
                "groups.display" => Self::Field(Field::Display, test.check.clone()),
                "groups.type" => Self::Field(Field::Type, test.check.clone()),
                "groups.$ref" => Self::Field(Field::Reference, test.check.clone()),
                _ => Self::Constant(false),
            },
            Node::Some { .. } => Self::Constant(false),
        }
    }

    fn matches(&self, group: &Member<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(group)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(group)),
            Self::Not(part) => !part.matches(group),
            Self::Constant(constant) => *constant,
            Self::Field(Field::Value, check) => passes(check, group.value_key()),
            Self::Field(Field::Display, check) => passes(check, group.display_key()),
            Self::Field(Field::Type, check) => passes(check, group.kind()),
            Self::Field(Field::Reference, check) => passes(check, &group.reference_key()),
        }
    }
}

fn passes(check: &Match, value: &str) -> bool {
    match check {
        Match::Present => !value.is_empty(),
        Match::Equal(operand) => value == operand,
        Match::Contains(operand) => value.contains(operand.as_str()),
        Match::StartsWith(operand) => value.starts_with(operand.as_str()),
        Match::EndsWith(operand) => value.ends_with(operand.as_str()),
        Match::Less(operand) => value < operand.as_str(),
        Match::AtMost(operand) => value <= operand.as_str(),
        Match::Greater(operand) => value > operand.as_str(),
        Match::AtLeast(operand) => value >= operand.as_str(),
    }
}

/// Which groups can matter to a test of the whole set; what asks for something else reads none.
fn read_by(node: &Node) -> GroupsRead {
    let is_asked = |path: &str| path.split('.').next() == Some("groups");
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().map(read_by).collect(),
        Node::Not(part) => read_by(part),
        Node::Test(test) if is_asked(&test.path) => GroupsRead::All,
        Node::Some { path, node } if is_asked(path) => satisfied_by(node),
        Node::Constant(_) | Node::Test(_) | Node::Some { .. } => GroupsRead::default(),
    }
}

/// Names and ids such that a group with none of them satisfies nothing; all groups where there are no such.
fn satisfied_by(node: &Node) -> GroupsRead {
    match node {
        Node::Or(parts) => parts.iter().map(satisfied_by).collect(),
        // One part that only few groups satisfy is enough to bound the whole.
        Node::And(parts) => parts
            .iter()
            .map(satisfied_by)
            .find(|read| *read != GroupsRead::All)
            .unwrap_or(GroupsRead::All),
        Node::Constant(false) => GroupsRead::default(),
        Node::Test(Test {
            path,
            check: Match::Equal(operand),
            ..
        }) => named(path, operand),
        Node::Not(_) | Node::Test(_) | Node::Constant(true) | Node::Some { .. } => GroupsRead::All,
    }
}

fn named(path: &str, operand: &str) -> GroupsRead {
    let one = BTreeSet::from([operand.to_owned()]);
    match path {
        "groups.display" => GroupsRead::Named {
            names: one,
            ids: BTreeSet::new(),
        },
        "groups.value" => GroupsRead::Named {
            names: BTreeSet::new(),
            ids: one,
        },
        "groups.$ref" => match operand.rsplit_once('/') {
            Some((_, id)) => GroupsRead::Named {
                names: BTreeSet::new(),
                ids: BTreeSet::from([id.to_owned()]),
            },
            None => GroupsRead::All,
        },
        _ => GroupsRead::All,
    }
}
