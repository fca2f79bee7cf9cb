//! Which part of a filter should lead: a guess from its form, since neither engine is told what the values are.

use super::column::Column;
use crate::scim::filter::{Checked, Kind as ValueKind, Match, Node, Test};
use crate::store::kind::Kind;

/// Ranks up to this one are expected to find few resources.
pub(super) const FEW: u32 = 6;

/// How many resources a positive node is expected to find: less is better. `None`: it should not lead.
pub(super) fn rank(node: &Node, kinds: &[Kind]) -> Option<u32> {
    match node {
        Node::Test(test) => match Column::of(&test.path, kinds) {
            Some(Column::Id | Column::Name(_) | Column::ExternalId) => Some(by_check(test) / 2),
            Some(Column::Version | Column::Location) if matches!(test.check, Match::Equal(_)) => Some(80),
            Some(_) => None,
            None => Some(by_check(test)),
        },
        Node::Some { node, .. } => element_rank(node),
        Node::And(parts) => parts.iter().filter_map(|part| rank(part, kinds)).min(),
        Node::Or(parts) => {
            let ranks: Option<Vec<_>> = parts.iter().map(|part| rank(part, kinds)).collect();
            ranks?.into_iter().max().map(|worst| worst + 1)
        }
        Node::Not(_) | Node::Constant(_) => None,
    }
}

fn element_rank(node: &Node) -> Option<u32> {
    match node {
        Node::Test(test) => Some(by_check(test)),
        Node::And(parts) => parts.iter().filter_map(element_rank).min(),
        Node::Or(parts) => {
            let ranks: Option<Vec<_>> = parts.iter().map(element_rank).collect();
            ranks?.into_iter().max().map(|worst| worst + 1)
        }
        Node::Constant(true) => Some(90),
        Node::Not(_) | Node::Constant(false) | Node::Some { .. } => Some(95),
    }
}

/// How many resources one test is expected to find.
pub(super) fn by_check(test: &Test) -> u32 {
    let common = [
        "type",
        "primary",
        "schemas",
        "userType",
        "locale",
        "timezone",
        "preferredLanguage",
        "country",
    ];
    let name = test.path.rsplit(['.', ':']).next().unwrap_or_default();
    let of_few = test.kind == ValueKind::Boolean || common.contains(&name);
    match &test.check {
        Match::Equal(_) if of_few => 50,
        Match::Equal(_) => 2,
        Match::StartsWith(operand) if operand.chars().count() >= 3 => 6,
        Match::StartsWith(_) | Match::Contains(_) | Match::EndsWith(_) => 20,
        Match::Less(_) | Match::AtMost(_) | Match::Greater(_) | Match::AtLeast(_) => 40,
        Match::Present => 70,
    }
}

/// The position of the part of an `and` that should lead.
pub(super) fn leads_best(parts: &[Node], kinds: &[Kind]) -> Option<usize> {
    let ranked = parts
        .iter()
        .enumerate()
        .filter_map(|(at, part)| Some((rank(part, kinds)?, at)));
    ranked.min().map(|(_, at)| at)
}

/// The test of an `and` that should find the element, and its position.
pub(super) fn best_element_test(parts: &[Node]) -> Option<(usize, &Test)> {
    let tests = parts.iter().enumerate().filter_map(|(at, part)| match part {
        Node::Test(test) => Some((by_check(test), at, test)),
        _ => None,
    });
    tests
        .min_by_key(|(rank, at, _)| (*rank, *at))
        .map(|(_, at, test)| (at, test))
}

/// How many subqueries a node needs, roughly.
pub(super) fn subqueries(node: &Node) -> usize {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().map(subqueries).sum(),
        Node::Not(part) => subqueries(part),
        Node::Some { node, .. } => 1 + subqueries(node),
        Node::Test(_) => 1,
        Node::Constant(_) => 0,
    }
}

/// Whether a node tests this path.
pub(super) fn mentions(node: &Node, path: &str) -> bool {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().any(|part| mentions(part, path)),
        Node::Not(part) => mentions(part, path),
        Node::Some { node, .. } => mentions(node, path),
        Node::Test(test) => test.path == path,
        Node::Constant(_) => false,
    }
}

/// Whether the filter asks for nothing but columns that the index of pages has: then it is cheap to walk that index in
/// order, once for the total and again for as much as the page needs.
pub(in crate::store) fn is_of_listed_columns(filter: &Checked, kinds: &[Kind]) -> bool {
    fn listed(node: &Node, kinds: &[Kind]) -> bool {
        match node {
            Node::And(parts) | Node::Or(parts) => parts.iter().all(|part| listed(part, kinds)),
            Node::Not(part) => listed(part, kinds),
            Node::Constant(_) => true,
            Node::Some { .. } => false,
            Node::Test(test) => matches!(
                Column::of(&test.path, kinds),
                Some(Column::Active | Column::Created | Column::Modified | Column::ResourceType | Column::Meta)
            ),
        }
    }
    listed(filter.root(), kinds)
}

/// Whether the filter names one resource by a value that is unique, or nearly so: then there is nothing to count or
/// to page through.
pub(in crate::store) fn finds_few(filter: &Checked, kinds: &[Kind]) -> bool {
    fn few(node: &Node, users: bool) -> bool {
        match node {
            Node::Test(Test {
                path,
                check: Match::Equal(_),
                ..
            }) => path == "id" || users && path == "userName",
            Node::And(parts) => parts.iter().any(|part| few(part, users)),
            _ => false,
        }
    }
    few(filter.root(), !kinds.iter().any(|kind| kind.is_own()))
}
