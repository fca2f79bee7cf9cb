//! What is named as the reason is the reason: it is enough alone, nothing in it is too much, and what is not in it does
//! not matter.
//!
//! Conditions are such that more groups make them no less true; else what lies outside a reason does matter.

use std::collections::BTreeSet;

use super::agree::rounds;
use super::dice::Dice;
use super::generate::{Style, world};
use super::model::Spot;
use super::stored::{Asked, Stored, person_key};
use super::world::World;
use crate::access::{Assignment, Entry, Path, Permissions, Provenance, Standing, evaluate, permissions};
use crate::base::id::Pk;

/// One fact of a world that access can hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Leaf {
    Gift(i64),
    Law(i64),
    /// A person is stored as a member of a team.
    Member(usize, usize),
    /// A team is nested in another.
    Nested(usize, usize),
    /// Someone reports to a person.
    Report(usize, usize),
}

/// All facts of a world, without those that are not in `kept`.
fn only(world: &World, kept: impl Fn(Leaf) -> bool) -> World {
    let mut less = world.clone();
    less.gifts.retain(|gift| kept(Leaf::Gift(gift.number)));
    less.laws.retain(|law| kept(Leaf::Law(law.number)));
    for (number, person) in less.people.iter_mut().enumerate() {
        person.teams.retain(|team| kept(Leaf::Member(number, *team)));
        person.reports.retain(|report| kept(Leaf::Report(number, *report)));
    }
    for (number, team) in less.teams.iter_mut().enumerate() {
        team.inside.retain(|outer| kept(Leaf::Nested(number, *outer)));
    }
    less
}

fn all_leaves(world: &World) -> Vec<Leaf> {
    let found = std::cell::RefCell::new(Vec::new());
    only(world, |leaf| {
        found.borrow_mut().push(leaf);
        true
    });
    found.into_inner()
}

fn team(group: Pk) -> usize {
    usize::try_from(group.0 - 1).unwrap()
}

/// One way to a permission, as leaves.
struct Support<'a> {
    standing: Standing<'a>,
    person: usize,
    leaves: BTreeSet<Leaf>,
    /// Whether rules stand on the way: then there may be a second way among its leaves.
    winds: bool,
}

impl<'a> Support<'a> {
    fn of(stored: &'a Stored, world: &World, person: usize, assignment: &Assignment, why: &Provenance) -> Self {
        let mut leaves = BTreeSet::new();
        let reports = &world.people[person].reports;
        let report = assignment
            .report
            .and_then(|key| reports.iter().find(|report| person_key(**report) == key));
        leaves.extend(report.map(|report| Leaf::Report(person, *report)));
        let person = report.copied().unwrap_or(person);
        let mut support = Self {
            standing: Standing::of(&stored.facts[person], &stored.rulebook, stored.now),
            person,
            leaves,
            winds: false,
        };
        match why {
            Provenance::Grant { grant, through } => {
                support.leaves.insert(Leaf::Gift(grant.0));
                support.walk(through);
            }
            Provenance::Rule { rule, through, .. } => {
                support.leaves.insert(Leaf::Law(rule.0));
                support.winds = !through.is_empty();
                for path in through {
                    support.walk(path);
                }
            }
        }
        support
    }

    fn walk(&mut self, path: &Path) {
        for (index, step) in path.0.iter().enumerate() {
            match step.entry {
                Entry::Direct => {
                    self.leaves.insert(Leaf::Member(self.person, team(step.group)));
                }
                Entry::Nested => {
                    self.leaves
                        .insert(Leaf::Nested(team(path.0[index - 1].group), team(step.group)));
                }
                Entry::Rule { rule, .. } => {
                    self.winds = true;
                    if self.leaves.insert(Leaf::Law(rule.0)) {
                        let rule = self.standing.rulebook().rule(rule).unwrap();
                        let ways = self.standing.ways(rule, &self.standing.routes());
                        for path in &ways {
                            self.walk(path);
                        }
                    }
                }
            }
        }
    }
}

/// What a person may do somewhere.
fn permitted(world: &World, person: usize, spot: Spot) -> Permissions {
    let stored = Stored::of(world, &mut Dice::new(0));
    let asked = Asked::new(world, spot);
    permissions(&stored.facts[person], &stored.rulebook, stored.now, &asked.target())
}

/// Whether a grant or rule gives a person anything, of their own or through a report.
fn gives(world: &World, person: usize, report: Option<Pk>, source: &Provenance) -> bool {
    let stored = Stored::of(world, &mut Dice::new(0));
    let found = evaluate(&stored.facts[person], &stored.rulebook, stored.now);
    let same = |why: &Provenance| match (why, source) {
        (Provenance::Grant { grant, .. }, Provenance::Grant { grant: other, .. }) => grant == other,
        (Provenance::Rule { rule, .. }, Provenance::Rule { rule: other, .. }) => rule == other,
        _ => false,
    };
    let alike = found.iter().filter(|assignment| assignment.report == report);
    alike.flat_map(|assignment| &assignment.why).any(same)
}

#[test]
fn a_reason_is_enough_and_nothing_in_it_is_too_much() {
    let mut looked_at = 0;
    for seed in 0..rounds() {
        let world = world(seed, Style::Monotone);
        let mut dice = Dice::new(seed);
        let stored = Stored::of(&world, &mut dice);
        let (leaves, spots) = (all_leaves(&world), Spot::some(&world, &mut dice));
        for _ in 0..12 {
            let (person, spot) = (dice.roll(world.people.len()), dice.pick(&spots));
            let asked = Asked::new(&world, spot);
            let located = stored.rulebook.locate(asked.target(), stored.now);
            let found = evaluate(&stored.facts[person], &stored.rulebook, stored.now);
            for assignment in &found {
                let given = assignment.permits(&stored.rulebook, &located);
                if given.is_empty() {
                    continue;
                }
                let why = dice.pick(&assignment.why);
                let support = Support::of(&stored, &world, person, assignment, &why);
                let about = format!("seed {seed}, person {person}, {spot:?}: {why:?}");
                enough(&world, &support, (person, spot, given), &about);
                nothing_too_much(&world, &support, (person, assignment.report, &why), &about);
                let outside: Vec<_> = leaves.iter().filter(|leaf| !support.leaves.contains(leaf)).collect();
                let gone = dice.pick(&outside);
                let rest = only(&world, |leaf| leaf != *gone);
                assert!(
                    permitted(&rest, person, spot).contains_all(given),
                    "without {gone:?}, outside: {about}"
                );
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}

fn enough(world: &World, support: &Support<'_>, (person, spot, given): (usize, Spot, Permissions), about: &str) {
    let bare = only(world, |leaf| support.leaves.contains(&leaf));
    assert!(permitted(&bare, person, spot).contains_all(given), "enough: {about}");
}

fn nothing_too_much(
    world: &World,
    support: &Support<'_>,
    (person, report, why): (usize, Option<Pk>, &Provenance),
    about: &str,
) {
    for gone in support
        .leaves
        .iter()
        .filter(|leaf| !support.winds || matches!(leaf, Leaf::Gift(_)))
    {
        let broken = only(world, |leaf| support.leaves.contains(&leaf) && leaf != *gone);
        assert!(!gives(&broken, person, report, why), "without {gone:?}: {about}");
    }
}
