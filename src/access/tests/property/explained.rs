//! Explanations against decisions: they agree, each support is enough and needs all its leaves, and what is said to
//! stand in the way is what stands in the way.

use std::collections::BTreeSet;

use super::agree::rounds;
use super::dice::Dice;
use super::generate::{Style, world};
use super::model::Spot;
use super::stored::{Asked, Stored, person_key};
use super::world::{At, KEYS, Person, To, When, World};
use crate::access::explain::{Basis, Explanation, Leaf, Miss, Obstacle, Offer, Place, Support, explain};
use crate::access::{Facts, Permission, decide, permissions};
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};

const PEOPLE_A_WORLD: usize = 8;

/// Of what stands in the way, how much is tried: each needs a world of its own.
const MISSES_PERCENT: usize = 12;

fn team(group: Pk) -> usize {
    usize::try_from(group.0 - 1).unwrap()
}

fn place(scope: ScopeKey) -> usize {
    usize::try_from(scope.0 - 1).unwrap()
}

fn ask(stored: &Stored, world: &World, person: usize, spot: Spot, permission: Option<Permission>) -> Explanation {
    let asked = Asked::new(world, spot);
    explain(
        &stored.facts[person],
        &stored.rulebook,
        stored.now,
        permission,
        &asked.target(),
    )
}

/// Some people of some worlds, each with some spots.
fn each(style: Style, mut look: impl FnMut(&World, &Stored, usize, Spot, &str)) {
    for seed in 0..rounds() {
        let world = world(seed, style);
        let mut dice = Dice::new(seed);
        let stored = Stored::of(&world, &mut dice);
        let spots = Spot::some(&world, &mut dice);
        for _ in 0..PEOPLE_A_WORLD {
            let person = dice.roll(world.people.len());
            for spot in &spots {
                look(
                    &world,
                    &stored,
                    person,
                    *spot,
                    &format!("seed {seed}, person {person}, {spot:?}"),
                );
            }
        }
    }
}

#[test]
fn an_explanation_says_what_is_decided() {
    let (mut held, mut missing) = (0, 0);
    each(Style::Free, |world, stored, person, spot, about| {
        let asked = Asked::new(world, spot);
        let (facts, book, target) = (&stored.facts[person], &stored.rulebook, asked.target());
        let everything = ask(stored, world, person, spot, None);
        assert_eq!(
            everything.permissions,
            permissions(facts, book, stored.now, &target),
            "{about}"
        );
        for permission in KEYS.iter().filter_map(|key| book.catalogue().find(key)) {
            let one = ask(stored, world, person, spot, Some(permission));
            let decision = decide(facts, book, stored.now, permission, &target);
            assert_eq!(one.allowed(), decision.allowed, "{about}");
            assert_eq!((one.active, one.version), (decision.active, decision.version));
            assert!(
                one.supports
                    .iter()
                    .all(|support| support.permissions == permission.into()),
                "{about}"
            );
            assert!(one.misses.is_empty() || !one.allowed(), "{about}");
            assert!(one.misses.iter().all(|miss| !miss.obstacles.is_empty()), "{one}");
            assert!(one.to_string().lines().count() > 1, "{one}");
            *(if one.allowed() { &mut held } else { &mut missing }) += 1;
        }
    });
    assert!(held > 100 && missing > 100, "{held} {missing}");
}

/// The world with nothing but these facts, as far as a support is made of them.
fn only(world: &World, (person, holder): (usize, usize), spot: Spot, leaves: &BTreeSet<Leaf>) -> World {
    let mut less = world.clone();
    let has = |leaf| leaves.contains(&leaf);
    less.gifts.retain(|gift| has(Leaf::Grant(GrantKey(gift.number))));
    less.laws.retain(|law| {
        has(Leaf::Rule {
            rule: RuleKey(law.number),
            version: law.version,
        })
    });
    let group = |team: usize| Pk(i64::try_from(team).unwrap() + 1);
    for (number, one) in less.people.iter_mut().enumerate() {
        one.teams
            .retain(|team| number == holder && has(Leaf::Member(group(*team))));
    }
    less.people[person]
        .reports
        .retain(|report| has(Leaf::Report(person_key(*report))));
    for (number, team) in less.teams.iter_mut().enumerate() {
        team.inside.retain(|outer| {
            has(Leaf::Nested {
                group: group(number),
                parent: group(*outer),
            })
        });
    }
    let scope = |place: usize| ScopeKey(i64::try_from(place).unwrap() + 1);
    for (number, place) in less.places.iter_mut().enumerate() {
        place.parent = place.parent.filter(|parent| {
            has(Leaf::Below {
                scope: scope(number),
                parent: scope(*parent),
            })
        });
    }
    if let Spot::Record(record) = spot {
        less.records[record]
            .places
            .retain(|place| has(Leaf::LiesIn(scope(*place))));
    }
    less
}

/// Of what the profile is known to satisfy, only what is among the leaves.
fn forget(facts: &mut Facts, leaves: &BTreeSet<Leaf>) {
    for fact in &mut facts.bits {
        let known = |atom: usize| {
            leaves.contains(&Leaf::Profile {
                rule: fact.rule,
                atom,
                holds: true,
            })
        };
        fact.bits = (0..63)
            .filter(|atom| known(*atom))
            .fold(0, |bits, atom| bits | (fact.bits & 1 << atom));
    }
    facts.reports.iter_mut().for_each(|report| forget(report, leaves));
}

/// What is said of a person where nothing is known but these facts; `holder` is whose groups they speak of.
fn bare(world: &World, (person, holder): (usize, usize), spot: Spot, leaves: &BTreeSet<Leaf>) -> Explanation {
    let bare = only(world, (person, holder), spot, leaves);
    let mut stored = Stored::of(&bare, &mut Dice::new(1));
    forget(&mut stored.facts[person], leaves);
    if person != holder {
        stored.facts[person].bits.clear();
    }
    ask(&stored, &bare, person, spot, None)
}

/// Whether a world can be made in which the leaf is not so.
fn can_go(leaf: Leaf, spot: Spot) -> bool {
    match leaf {
        Leaf::NoGroup { .. } | Leaf::Profile { holds: false, .. } => false,
        Leaf::LiesIn(_) => matches!(spot, Spot::Record(_)),
        _ => true,
    }
}

/// What gives what where, without how it comes to the user.
fn source(support: &Support) -> (Option<GrantKey>, Option<RuleKey>, RoleKey, &Place, Option<Pk>) {
    let (grant, rule) = match &support.basis {
        Basis::Grant { key, .. } => (Some(*key), None),
        Basis::Rule(proof) => (None, Some(proof.rule.key)),
    };
    let report = support.report.as_ref().map(|(report, _)| *report);
    (grant, rule, support.role.key, &support.held, report)
}

fn stands_on_its_leaves(
    world: &World,
    person: usize,
    spot: Spot,
    support: &Support,
    style: Style,
    about: &str,
) -> usize {
    let leaves = support.leaves();
    let holder = support
        .report
        .as_ref()
        .map(|(report, _)| usize::try_from(report.0 - person_key(0).0).unwrap());
    let who = (person, holder.unwrap_or(person));
    let alone = bare(world, who, spot, &leaves);
    assert!(
        alone.permissions.contains_all(support.permissions),
        "enough: {about}: {support:#?}"
    );
    // Where something counts against who has it, knowing less can do with less: who is not known to be a member of a
    // group is in it through another alone.
    let same = |found: &Support| match style {
        Style::Monotone => found.leaves() == leaves,
        Style::Free => found.leaves().is_subset(&leaves),
    };
    assert!(alone.supports.iter().any(same), "the same: {about}: {support:#?}");
    let removable: Vec<_> = leaves.iter().copied().filter(|leaf| can_go(*leaf, spot)).collect();
    for gone in &removable {
        let mut fewer = leaves.clone();
        fewer.remove(gone);
        let left = bare(world, who, spot, &fewer);
        assert!(
            left.supports.iter().all(|found| found.leaves() != leaves),
            "without {gone:?}: {about}: {support:#?}"
        );
        // What else there is may give the same: a rule that fills a group may give the role, too. And where a rule says
        // `not`, taking something away can open another way.
        let gives = left.supports.iter().any(|found| source(found) == source(support));
        assert!(
            style == Style::Free || !gives,
            "without {gone:?}: {about}: {support:#?}"
        );
    }
    removable.len()
}

fn supports_stand(style: Style) {
    let (mut dice, mut looked_at, mut largest) = (Dice::new(7), 0, 0);
    each(style, |world, stored, person, spot, about| {
        let mut supports = ask(stored, world, person, spot, None).supports;
        dice.shuffle(&mut supports);
        for support in supports.iter().take(2) {
            largest = largest.max(stands_on_its_leaves(world, person, spot, support, style, about));
            looked_at += 1;
        }
    });
    assert!(looked_at > 20 && largest > 3, "{looked_at} {largest}");
}

#[test]
fn a_support_is_enough_and_needs_each_of_its_leaves() {
    supports_stand(Style::Monotone);
}

#[test]
fn so_is_a_support_of_rules_that_say_not() {
    supports_stand(Style::Free);
}

#[test]
fn no_support_stands_on_the_facts_of_another_and_more() {
    each(Style::Free, |world, stored, person, spot, about| {
        let found = ask(stored, world, person, spot, None).supports;
        for (one, other) in found.iter().flat_map(|one| found.iter().map(move |other| (one, other))) {
            let same = std::ptr::eq(one, other) || source(one) != source(other);
            assert!(
                same || !one.leaves().is_subset(&other.leaves()),
                "{about}: {one:#?} {other:#?}"
            );
        }
    });
}

/// What a condition is that a person satisfies, whatever groups they are in.
fn certain(person: &Person) -> When {
    When::Title(person.title)
}

/// Does what an obstacle says is missing.
fn repair(world: &mut World, person: usize, spot: Spot, key: usize, miss: &Miss, obstacle: &Obstacle) {
    let who = world.people[person].clone();
    match &miss.offer {
        Offer::Grant { key: number, group, .. } => {
            let gift = world.gifts.iter_mut().find(|gift| gift.number == number.0).unwrap();
            match obstacle {
                Obstacle::NotYet(_) | Obstacle::Over(_) => gift.span = (None, None),
                Obstacle::Restricted(_) => gift.terms.clear(),
                Obstacle::OnlyOnAll => (gift.at, gift.terms) = (At::All, Vec::new()),
                Obstacle::Elsewhere => gift.at = here(spot),
                Obstacle::NotInGroup => {
                    assert_eq!(gift.to, To::Team(team(group.as_ref().unwrap().key)));
                    world.people[person].teams.insert(team(group.as_ref().unwrap().key));
                }
                Obstacle::RoleLacks => {
                    world.roles[gift.role].insert(key);
                }
                Obstacle::NotRunning(program) => run(world, program.key),
                Obstacle::Condition(_) => panic!("a grant has no condition"),
            }
        }
        Offer::Rule(offered) => {
            let law = world.laws.iter_mut().find(|law| law.number == offered.key.0).unwrap();
            match obstacle {
                Obstacle::NotYet(_) | Obstacle::Over(_) => law.span = (None, None),
                Obstacle::OnlyOnAll => law.then = moved(law, miss, At::All),
                Obstacle::Elsewhere => law.then = moved(law, miss, here(spot)),
                Obstacle::RoleLacks => {
                    let role = usize::try_from(miss.role.key.0 - 100).unwrap();
                    world.roles[role].insert(key);
                }
                Obstacle::NotRunning(program) => run(world, program.key),
                Obstacle::Condition(_) => law.when = certain(&who),
                Obstacle::Restricted(_) | Obstacle::NotInGroup => panic!("a rule has no such thing"),
            }
        }
    }
}

fn moved(law: &super::world::Law, miss: &Miss, to: At) -> Vec<super::world::Then> {
    let role = usize::try_from(miss.role.key.0 - 100).unwrap();
    let mut then = law.then.clone();
    then.push(super::world::Then::Role(role, to));
    then
}

fn here(spot: Spot) -> At {
    match spot {
        Spot::Organisation => At::All,
        Spot::Place(place) => At::Place(place),
        Spot::Record(record) => At::Record(record),
    }
}

fn run(world: &mut World, program: ScopeKey) {
    let program = &mut world.places[place(program)];
    (program.starts, program.ends) = (None, None);
}

#[test]
fn what_is_said_to_stand_in_the_way_is_all_that_does() {
    let mut kinds = BTreeSet::new();
    let mut dice = Dice::new(3);
    each(Style::Free, |world, stored, person, spot, about| {
        let key = dice.roll(KEYS.len());
        let permission = stored.rulebook.catalogue().find(KEYS[key]).unwrap();
        let explanation = ask(stored, world, person, spot, Some(permission));
        // A role cannot be held on a program that does not run, so there only what is held on All counts.
        let asked = Asked::new(world, spot);
        let there = match spot {
            Spot::Place(_) => !stored.rulebook.locate(asked.target(), stored.now).scopes().is_empty(),
            Spot::Organisation | Spot::Record(_) => true,
        };
        for miss in explanation
            .misses
            .iter()
            .filter(|_| there && dice.chance(MISSES_PERCENT))
        {
            let mut repaired = world.clone();
            for obstacle in &miss.obstacles {
                kinds.insert(format!("{obstacle:?}").split(['(', ' ']).next().unwrap().to_owned());
                repair(&mut repaired, person, spot, key, miss, obstacle);
            }
            if super::circle::has_circle(&repaired) {
                continue;
            }
            let stored = Stored::of(&repaired, &mut Dice::new(2));
            let asked = Asked::new(&repaired, spot);
            let decision = decide(
                &stored.facts[person],
                &stored.rulebook,
                stored.now,
                permission,
                &asked.target(),
            );
            assert!(decision.allowed, "{about}, {}: {miss:#?}", KEYS[key]);
        }
    });
    assert_eq!(kinds.len(), 9, "{kinds:?}");
}
