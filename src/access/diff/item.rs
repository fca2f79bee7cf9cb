//! What one assignment is worth, and what it covers of another.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::assignment::{Assignment, Assignments};
use crate::access::grant::Restriction;
use crate::access::permission::Permissions;
use crate::access::rulebook::Rulebook;
use crate::access::scope::Reach;

/// Most combinations of values of a restriction that are looked at one by one. Beyond it, only a single wider
/// restriction is seen to cover it: a loss may then be told that is none, never the other way round.
const MAX_COMBINATIONS: usize = 4096;

/// Permissions that are held alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub permissions: Permissions,
    pub reach: Reach,
    pub restriction: Restriction,
}

/// What assignments are worth. Organisation-level permissions count on *All* alone, and through a report only what lets
/// a manager look.
pub(super) fn items(assignments: &Assignments, rulebook: &Rulebook) -> Vec<Item> {
    assignments
        .iter()
        .filter_map(|assignment| item(assignment, rulebook))
        .collect()
}

fn item(assignment: &Assignment, rulebook: &Rulebook) -> Option<Item> {
    let mut permissions = rulebook.permissions(assignment.role?);
    if assignment.report.is_some() {
        permissions = permissions & rulebook.viewing();
    }
    if assignment.reach != Reach::All || !assignment.restriction.is_empty() {
        permissions = permissions - rulebook.organisation();
    }
    (!permissions.is_empty()).then(|| Item {
        permissions,
        reach: assignment.reach.clone(),
        restriction: assignment.restriction.clone(),
    })
}

/// What of the wanted permissions, narrowed like this, items do not cover that all reach the place in question.
pub(super) fn uncovered<'a>(
    wanted: Permissions,
    restriction: &Restriction,
    items: &(impl Iterator<Item = &'a Item> + Clone),
) -> Permissions {
    let wider = items.clone().filter(|item| is_within(restriction, &item.restriction));
    let left = wider.fold(wanted, |left, item| left - item.permissions);
    if left.is_empty() || restriction.is_empty() {
        return left;
    }
    // None covers it alone; several may together.
    let together = |permission| {
        let boxes: Vec<_> = items
            .clone()
            .filter(|item| item.permissions.contains(permission))
            .map(|item| &item.restriction)
            .collect();
        covered_together(restriction, &boxes)
    };
    left.iter().filter(|permission| !together(*permission)).collect()
}

/// Whether every record that satisfies the narrow restriction satisfies the wide one.
pub(super) fn is_within(narrow: &Restriction, wide: &Restriction) -> bool {
    let inside = |(name, values): (&String, &BTreeSet<String>)| {
        narrow.0.get(name).is_some_and(|narrow| narrow.is_subset(values))
    };
    is_unsatisfiable(narrow) || wide.0.iter().all(inside)
}

fn is_unsatisfiable(restriction: &Restriction) -> bool {
    restriction.0.values().any(BTreeSet::is_empty)
}

/// Whether each combination of values that satisfies a restriction satisfies one of the others. One that asks for a
/// further property cannot help: a record without that property satisfies none of those.
fn covered_together(restriction: &Restriction, others: &[&Restriction]) -> bool {
    let combinations = restriction
        .0
        .values()
        .try_fold(1_usize, |all, values| all.checked_mul(values.len()));
    let useful: Vec<_> = others
        .iter()
        .filter(|other| other.0.keys().all(|name| restriction.0.contains_key(name)))
        .collect();
    if useful.is_empty() || combinations.is_none_or(|count| count > MAX_COMBINATIONS) {
        return false;
    }
    let mut points: Vec<Point<'_>> = vec![Point::new()];
    for (name, values) in &restriction.0 {
        points = points
            .iter()
            .flat_map(|point| values.iter().map(|value| with(point, name, value)))
            .collect();
    }
    points.iter().all(|point| {
        let admits = |other: &&&Restriction| {
            other
                .0
                .iter()
                .all(|(name, values)| values.contains(point[name.as_str()]))
        };
        useful.iter().any(admits)
    })
}

/// One value for each property.
type Point<'a> = BTreeMap<&'a str, &'a str>;

fn with<'a>(point: &Point<'a>, name: &'a str, value: &'a str) -> Point<'a> {
    let mut more = point.clone();
    more.insert(name, value);
    more
}
