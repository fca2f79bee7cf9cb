//! The engine and the model answer alike, in whatever order things come.

use std::collections::{BTreeMap, BTreeSet};

use super::circle::has_circle;
use super::dice::Dice;
use super::generate::{Style, world};
use super::model::{Model, Reason, Spot};
use super::stored::{Asked, Stored, numbers, person_key, policy, reach, restriction, role_key, rules, team_key};
use super::world::{KEYS, Then, World};
use crate::access::{
    Assignment, Assignments, Entry, Path, Provenance, RuleFault, Rulebook, decide, evaluate, permissions,
};
use crate::base::id::Pk;

/// How many worlds are asked for: `MUSTER_TEST_WORLDS`.
#[expect(
    clippy::disallowed_methods,
    reason = "how long tests look is a setting of the person who runs them"
)]
fn worlds() -> u64 {
    let setting = std::env::var("MUSTER_TEST_WORLDS").ok();
    let worlds: Option<u64> = setting.and_then(|text| text.parse().ok());
    worlds.map_or(FEWEST, |worlds| worlds.max(FEWEST))
}

/// Worlds in which a property is looked at for everybody and everything: one in fifty of [`worlds`], as each takes up
/// to a second without optimisation.
pub(super) fn rounds() -> u64 {
    (worlds() / 50).max(FEWEST)
}

/// Worlds, where nobody asks for more.
const FEWEST: u64 = 8;
/// People looked at in each of the other worlds.
const A_FEW: usize = 2;

/// An assignment and its reasons, in the engine's words.
type Line = (
    Option<Pk>,
    crate::access::Reach,
    Option<i64>,
    crate::access::Restriction,
    BTreeSet<Reason>,
);

fn line(assignment: &Assignment) -> Line {
    let reason = |why: &Provenance| match why {
        Provenance::Grant { grant, through } => {
            let team = through.group().and_then(|group| usize::try_from(group.0 - 1).ok());
            Reason::Gift(grant.0, team)
        }
        Provenance::Rule { rule, version, .. } => Reason::Law(rule.0, *version),
    };
    let reasons: BTreeSet<_> = assignment.why.iter().map(reason).collect();
    assert_eq!(reasons.len(), assignment.why.len(), "each reason once: {assignment:?}");
    let role = assignment.role.map(|role| role.0);
    (
        assignment.report,
        assignment.reach.clone(),
        role,
        assignment.restriction.clone(),
        reasons,
    )
}

fn lines_of_model(model: &Model<'_>, person: usize) -> Vec<Line> {
    // Terms in another order are the same restriction.
    let mut lines: BTreeMap<_, BTreeSet<Reason>> = BTreeMap::new();
    for ((report, at, role, terms), reasons) in model.access(person) {
        let role = role.map(|role| role_key(role).0);
        let held = (report.map(person_key), reach(at), role, restriction(&terms));
        lines.entry(held).or_default().extend(reasons);
    }
    let line = |((report, reach, role, restriction), reasons)| (report, reach, role, restriction, reasons);
    lines.into_iter().map(line).collect()
}

#[test]
fn the_engine_answers_as_the_model_does() {
    for seed in 0..worlds() {
        let world = world(seed, Style::Free);
        let mut dice = Dice::new(seed);
        let stored = Stored::of(&world, &mut dice);
        let model = Model {
            world: &world,
            flaw: None,
        };
        let spots = Spot::some(&world, &mut dice);
        let mut people: Vec<_> = stored.facts.iter().enumerate().collect();
        if seed >= rounds() {
            dice.shuffle(&mut people);
            people.truncate(A_FEW);
        }
        for (person, facts) in people {
            let found = evaluate(facts, &stored.rulebook, stored.now);
            let lines: Vec<_> = found.iter().map(line).collect();
            assert_eq!(lines, lines_of_model(&model, person), "seed {seed}, person {person}");
            let access = model.access(person);
            for spot in &spots {
                let expected = model.permitted(&access, *spot);
                let about = format!("seed {seed}, person {person}, {spot:?}");
                answers(&stored, person, &found, &Asked::new(&world, *spot), &expected, &about);
            }
        }
    }
}

/// Every way to ask gives the same permissions.
fn answers(
    stored: &Stored,
    person: usize,
    found: &Assignments,
    asked: &Asked,
    expected: &BTreeSet<usize>,
    about: &str,
) {
    let (facts, rulebook, now, target) = (&stored.facts[person], &stored.rulebook, stored.now, asked.target());
    let evaluated = found.permissions(rulebook, now, &target);
    assert_eq!(&numbers(rulebook, evaluated), expected, "evaluate: {about}");
    assert_eq!(
        permissions(facts, rulebook, now, &target),
        evaluated,
        "permissions: {about}"
    );
    for (number, key) in KEYS.iter().enumerate() {
        let permission = rulebook.catalogue().find(key).unwrap();
        let decision = decide(facts, rulebook, now, permission, &target);
        assert_eq!(decision.allowed, expected.contains(&number), "{key}: {about}");
        assert_eq!(decision.active, facts.active);
    }
}

#[test]
fn the_order_of_things_does_not_matter() {
    for seed in 0..rounds() {
        let world = world(seed, Style::Free);
        let mut dice = Dice::new(seed);
        let (one, other) = (Stored::of(&world, &mut dice), Stored::of(&world, &mut dice));
        for (facts, shuffled) in one.facts.iter().zip(&other.facts) {
            let found = evaluate(facts, &one.rulebook, one.now);
            assert_eq!(
                found,
                evaluate(shuffled, &other.rulebook, other.now),
                "seed {seed}, {}",
                facts.id
            );
            assert_eq!(
                found,
                evaluate(shuffled, &one.rulebook, one.now),
                "seed {seed}, {}",
                facts.id
            );
        }
    }
}

#[test]
fn every_path_can_be_walked_and_none_is_shorter() {
    let mut longest = 0;
    for seed in 0..rounds() {
        let world = world(seed, Style::Free);
        let stored = Stored::of(&world, &mut Dice::new(seed));
        for (person, facts) in stored.facts.iter().enumerate() {
            for assignment in &evaluate(facts, &stored.rulebook, stored.now) {
                let walker = assignment.report.map_or(person, |report| {
                    world.people[person]
                        .reports
                        .iter()
                        .copied()
                        .find(|other| person_key(*other) == report)
                        .unwrap()
                });
                let distances = distances(&world, walker);
                for path in assignment.why.iter().flat_map(paths) {
                    walk(&world, walker, path);
                    longest = longest.max(path.0.len());
                    if let Some(group) = path.group() {
                        assert_eq!(
                            path.0.len(),
                            distances[&group],
                            "seed {seed}, person {walker}, {path:?}"
                        );
                    }
                }
            }
        }
    }
    assert!(longest >= 4, "worlds are nested {longest} deep at most");
}

fn paths(why: &Provenance) -> Vec<&Path> {
    match why {
        Provenance::Grant { through, .. } => vec![through],
        Provenance::Rule { through, .. } => through.iter().collect(),
    }
}

/// Panics where a step is none.
fn walk(world: &World, person: usize, path: &Path) {
    let team = |group: Pk| usize::try_from(group.0 - 1).unwrap();
    for (index, step) in path.0.iter().enumerate() {
        let here = team(step.group);
        match step.entry {
            Entry::Direct => assert!(index == 0 && world.people[person].teams.contains(&here), "{path:?}"),
            Entry::Nested => {
                let before = team(path.0[index - 1].group);
                assert!(world.teams[before].inside.contains(&here), "{path:?}");
            }
            Entry::Rule { rule, version } => {
                let law = world
                    .laws
                    .iter()
                    .find(|law| law.number == rule.0 && law.version == version)
                    .unwrap();
                assert!(index == 0 && law.then.contains(&Then::Team(here)), "{path:?}");
            }
        }
    }
}

/// Steps to each team of a person.
fn distances(world: &World, person: usize) -> BTreeMap<Pk, usize> {
    let model = Model { world, flaw: None };
    let teams = model.teams(person);
    let mut steps: BTreeMap<usize, usize> = teams
        .iter()
        .filter(|(_, direct)| **direct)
        .map(|(team, _)| (*team, 1))
        .collect();
    for distance in 1..=teams.len() {
        let rank: Vec<_> = steps
            .iter()
            .filter(|(_, at)| **at == distance)
            .map(|(team, _)| *team)
            .collect();
        for above in rank.iter().flat_map(|team| &world.teams[*team].inside) {
            steps.entry(*above).or_insert(distance + 1);
        }
    }
    assert_eq!(steps.len(), teams.len());
    steps.into_iter().map(|(team, at)| (team_key(team), at)).collect()
}

#[test]
fn circles_and_only_circles_are_refused() {
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..rounds() * 10 {
        let mut dice = Dice::new(seed);
        let mut world = world(seed, Style::Free);
        // Now and then a group is nested in another, whatever the rules say.
        for _ in 0..dice.roll(4) {
            let (inner, outer) = (dice.roll(world.teams.len()), dice.roll(world.teams.len()));
            if inner != outer && outer >= 6 {
                world.teams[inner].inside.insert(outer);
            }
        }
        let policy = policy(&world, &rules(&world), &mut dice);
        let compiled = Rulebook::compile(policy.clone());
        assert_eq!(compiled.is_err(), has_circle(&world), "seed {seed}");
        match compiled {
            Ok(_) => taken += 1,
            Err(faults) => {
                refused += 1;
                faults.iter().for_each(closed);
                let (_, named) = Rulebook::salvage(policy);
                assert!(!named.is_empty());
            }
        }
    }
    assert!(refused > 0 && taken > 0, "{refused} refused, {taken} taken");
}

/// A circle ends where it began, and a step that names what it reads leads to the next.
fn closed(fault: &RuleFault) {
    let RuleFault::Circle(steps) = fault else {
        panic!("{fault}");
    };
    assert!(!steps.is_empty());
    let filled: BTreeSet<_> = steps.iter().map(|step| step.fills).collect();
    assert_eq!(filled.len(), steps.len(), "each group once: {fault}");
}
