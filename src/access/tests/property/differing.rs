//! Differences against decisions: everything that is decided otherwise is told, and what is told is decided otherwise.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::agree::rounds;
use super::circle::has_circle;
use super::dice::Dice;
use super::generate::{Style, world};
use super::model::Spot;
use super::stored::{Asked, Stored};
use super::world::{At, KEYS, World};
use crate::access::diff::{Access, Differ, Moment};
use crate::access::{Assignments, Level, Permission, Reach, RecordRef, Restriction, Rulebook, State, Target, evaluate};
use crate::base::clock::Timestamp;
use crate::base::id::ScopeKey;

const REGIONS: [Option<&str>; 4] = [None, Some("EU"), Some("US"), Some("APAC")];
const TIERS: [Option<&str>; 3] = [None, Some("gold"), Some("silver")];

/// One change of the world.
fn change(world: &mut World, dice: &mut Dice) {
    let (gift, law) = (dice.roll(world.gifts.len()), dice.roll(world.laws.len()));
    let (person, place) = (dice.roll(world.people.len()), dice.roll(world.places.len()));
    match dice.roll(12) {
        0 => world.gifts[gift].role = dice.roll(world.roles.len()),
        1 => world.gifts[gift].at = dice.pick(&[At::All, At::Place(place), At::Record(0)]),
        2 => world.gifts[gift].terms = vec![("region", vec!["EU", "US"])],
        3 => world.gifts[gift].span = (None, dice.maybe(50, |_| 10)),
        4 => {
            world.gifts.remove(gift);
        }
        5 => {
            let role = dice.roll(world.roles.len());
            let key = dice.roll(KEYS.len());
            let role = &mut world.roles[role];
            if !role.remove(&key) {
                role.insert(key);
            }
        }
        6 | 7 => world.places[place].parent = dice.maybe(70, |dice| dice.roll(place.max(1))).filter(|up| *up < place),
        8 => (world.places[place].starts, world.places[place].ends) = (None, dice.maybe(50, |_| 10)),
        9 => world.laws[law].state = dice.pick(State::ALL),
        10 => {
            let record = dice.roll(world.records.len());
            world.records[record].places = vec![place];
        }
        _ => world.people[person].active ^= true,
    }
}

struct Side {
    stored: Stored,
    records: BTreeMap<RecordRef, Vec<ScopeKey>>,
}

impl Side {
    fn of(world: &World) -> Self {
        let records =
            (0..world.records.len()).filter_map(|number| match Asked::new(world, Spot::Record(number)).target() {
                Target::Record { record, scopes, .. } => Some((record.clone(), scopes.to_vec())),
                Target::Organisation | Target::Scope(_) => None,
            });
        Self {
            records: records.collect(),
            stored: Stored::of(world, &mut Dice::new(1)),
        }
    }

    fn moment(&self) -> Moment<'_> {
        Moment {
            rulebook: &self.stored.rulebook,
            now: self.stored.now,
            records: &self.records,
        }
    }
}

/// What is asked about, on one side.
struct Question {
    organisation: bool,
    scope: Option<ScopeKey>,
    record: RecordRef,
    scopes: Vec<ScopeKey>,
    properties: Map<String, Value>,
}

impl Question {
    fn target(&self) -> Target<'_> {
        match self.scope {
            _ if self.organisation => Target::Organisation,
            Some(scope) => Target::Scope(scope),
            None => Target::Record {
                record: &self.record,
                scopes: &self.scopes,
                properties: &self.properties,
            },
        }
    }
}

/// Everything in a place that a decision could tell apart: the scope, and records there with every property.
fn questions(side: &Side, reach: &Reach) -> Vec<Question> {
    let question = |scope, properties| Question {
        organisation: false,
        scope,
        record: match reach {
            Reach::Record(record) => record.clone(),
            Reach::All | Reach::Scope(_) => RecordRef::new("account", "made-up").unwrap(),
        },
        scopes: match reach {
            Reach::Record(record) => side.records[record].clone(),
            Reach::All => Vec::new(),
            Reach::Scope(scope) => vec![*scope],
        },
        properties,
    };
    let mut found = vec![Question {
        organisation: *reach == Reach::All,
        ..question(reach.scope(), Map::new())
    }];
    for (region, tier) in REGIONS
        .iter()
        .flat_map(|region| TIERS.iter().map(move |tier| (region, tier)))
    {
        let pairs = [("region", region), ("tier", tier)];
        let given = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::from((*value)?))));
        found.push(question(None, given.collect()));
    }
    found
}

fn has(
    assignments: &Assignments,
    book: &Rulebook,
    now: Timestamp,
    permission: Permission,
    question: &Question,
) -> bool {
    assignments
        .permissions(book, now, &question.target())
        .contains(permission)
}

/// Whether somewhere in a place something is permitted here and not there.
fn differs(
    access: &Access,
    permission: Permission,
    (here, had): (&Side, &Assignments),
    (there, have): (&Side, &Assignments),
) -> bool {
    let (one, other) = (questions(here, &access.reach), questions(there, &access.reach));
    let admits = |question: &Question| match question.target() {
        Target::Record { properties, .. } => access.restriction.admits(properties),
        Target::Organisation | Target::Scope(_) => access.restriction == Restriction::default(),
    };
    one.iter()
        .zip(&other)
        .filter(|(here, _)| admits(here))
        .any(|(one, other)| {
            has(had, &here.stored.rulebook, here.stored.now, permission, one)
                && !has(have, &there.stored.rulebook, there.stored.now, permission, other)
        })
}

/// Whether some access in a list is the one that is missing on a target.
fn told(list: &[Access], side: &Side, permission: Permission, target: Target<'_>) -> bool {
    let located = side.stored.rulebook.locate(target, side.stored.now);
    let organisation = side.stored.rulebook.catalogue().level(permission) == Level::Organisation;
    list.iter().any(|access| {
        let here = located.hold(&access.reach).is_some() && located.admits(&access.restriction);
        access.permissions.contains(permission) && (here || (organisation && access.reach == Reach::All))
    })
}

#[test]
fn what_is_told_to_change_is_what_changes() {
    let (mut gains, mut losses) = (0, 0);
    for seed in 0..rounds() * 4 {
        let first = world(seed, Style::Free);
        let mut dice = Dice::new(seed);
        let mut second = first.clone();
        for _ in 0..=dice.roll(4) {
            change(&mut second, &mut dice);
        }
        if has_circle(&second) {
            continue;
        }
        let (before, after) = (Side::of(&first), Side::of(&second));
        let differ = Differ::new(before.moment(), after.moment());
        let spots = Spot::some(&first, &mut dice);
        for person in 0..first.people.len() {
            let had = evaluate(&before.stored.facts[person], &before.stored.rulebook, before.stored.now);
            let have = evaluate(&after.stored.facts[person], &after.stored.rulebook, after.stored.now);
            let diff = differ.diff(&had, &have);
            let about = format!("seed {seed}, person {person}: {diff:#?}");
            let (mine, theirs) = ((&before, &had), (&after, &have));
            for (list, one, other) in [(&diff.lost, mine, theirs), (&diff.gained, theirs, mine)] {
                for (access, permission) in list
                    .iter()
                    .flat_map(|one| one.permissions.iter().map(move |p| (one, p)))
                {
                    assert!(
                        differs(access, permission, one, other),
                        "{permission:?} {access:?}: {about}"
                    );
                }
            }
            for spot in &spots {
                let (one, other) = (Asked::new(&first, *spot), Asked::new(&second, *spot));
                let was = had.permissions(&before.stored.rulebook, before.stored.now, &one.target());
                let is = have.permissions(&after.stored.rulebook, after.stored.now, &other.target());
                let gone = (was - is)
                    .iter()
                    .all(|lost| told(&diff.lost, &before, lost, one.target()));
                let come = (is - was)
                    .iter()
                    .all(|new| told(&diff.gained, &after, new, other.target()));
                assert!(gone && come, "{spot:?} {was:?} {is:?}: {about}");
            }
            gains += diff.gained.len();
            losses += diff.lost.len();
        }
    }
    assert!(gains > 100 && losses > 100, "{gains} {losses}");
}
