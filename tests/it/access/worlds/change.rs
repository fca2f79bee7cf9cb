//! Single changes of an organisation: made here in the list of facts, and by a [`Town`](super::town::Town) in a
//! database.

use std::collections::BTreeSet;

use super::drawn::circle::has_circle;
use super::drawn::dice::Dice;
use super::drawn::generate::{self, DEPARTMENTS, SMART, Style, TIMES, TITLES, is_higher};
use super::drawn::world::{Gift, Law, Span, Then, When, World};
use super::{ScopeKind, State};

/// One change; people, teams, places, roles and records by their position, grants and rules by their number.
#[derive(Debug, Clone)]
pub enum Change {
    Time(i64),
    Active(usize, bool),
    /// Title and department.
    Profile(usize, &'static str, &'static str),
    Join(usize, usize),
    Leave(usize, usize),
    /// The first team into the second.
    Nest(usize, usize),
    Unnest(usize, usize),
    Move(usize, Option<usize>),
    Dates(usize, Span),
    /// A record into a place.
    Put(usize, usize),
    TakeOut(usize, usize),
    Role(usize, BTreeSet<usize>),
    Give(Gift),
    GiftSpan(i64, Span),
    Take(i64),
    Enact(Law),
    LawSpan(i64, Span),
    LawState(i64, State),
    Rewrite(i64, When),
    Repeal(i64),
}

impl Change {
    /// Any change that a database takes.
    pub fn any(world: &World, dice: &mut Dice, style: Style) -> Self {
        Self::fitting(world, || Self::draw(world, dice, style))
    }

    /// A change that can be previewed.
    pub fn of_the_policy(world: &World, dice: &mut Dice, style: Style) -> Self {
        let draw = || match dice.roll(6) {
            0 | 1 => Self::Give(new_gift(world, dice)),
            2 => Self::Take(dice.pick(&world.gifts).number),
            3 => Self::Repeal(dice.pick(&world.laws).number),
            _ => Self::Enact(Law {
                state: State::Active,
                ..new_law(world, dice, style)
            }),
        };
        Self::fitting(world, draw)
    }

    fn fitting(world: &World, mut draw: impl FnMut() -> Self) -> Self {
        loop {
            let change = draw();
            let mut after = world.clone();
            change.make(&mut after);
            if !has_circle(&after) && !is_nested_in_a_circle(&after) && has_territories_in_territories(&after) {
                return change;
            }
        }
    }

    fn draw(world: &World, dice: &mut Dice, style: Style) -> Self {
        let (person, place) = (dice.roll(world.people.len()), dice.roll(world.places.len()));
        let (record, role) = (dice.roll(world.records.len()), dice.roll(world.roles.len()));
        let teams: Vec<_> = (SMART..world.teams.len()).collect();
        let (inner, outer) = (dice.roll(world.teams.len()), dice.pick(&teams));
        let (gift, law) = (dice.pick(&world.gifts).number, dice.pick(&world.laws).number);
        let who = &world.people[person];
        let there = || world.records[record].places.contains(&place);
        match dice.roll(20) {
            0 => Self::Time(dice.pick(&TIMES)),
            1 => Self::Active(person, !who.active),
            2 | 3 => Self::Profile(person, dice.pick(&TITLES), dice.pick(&DEPARTMENTS)),
            4 | 5 if who.teams.contains(&outer) => Self::Leave(person, outer),
            4 | 5 => Self::Join(person, outer),
            6 | 7 if world.teams[inner].inside.contains(&outer) => Self::Unnest(inner, outer),
            6 | 7 => Self::Nest(inner, outer),
            8 => Self::Move(
                place,
                dice.maybe(70, |dice| dice.roll(place.max(1))).filter(|up| *up < place),
            ),
            9 if world.places[place].kind == ScopeKind::Program => Self::Dates(place, ordered(generate::span(dice))),
            9 | 10 if there() => Self::TakeOut(record, place),
            9 | 10 => Self::Put(record, place),
            11 => Self::Role(role, generate::role(dice)),
            12 => Self::Give(new_gift(world, dice)),
            13 => Self::GiftSpan(gift, ordered(generate::span(dice))),
            14 => Self::Take(gift),
            15 => Self::Enact(new_law(world, dice, style)),
            16 => Self::LawSpan(law, ordered(generate::span(dice))),
            17 => Self::LawState(law, dice.pick(State::ALL)),
            18 => Self::Rewrite(law, generate::when(dice, 2, style)),
            _ => Self::Repeal(law),
        }
    }

    /// Makes it in the list of facts.
    pub fn make(&self, world: &mut World) {
        match self {
            Self::Time(now) => world.now = *now,
            Self::Active(person, active) => world.people[*person].active = *active,
            Self::Profile(person, title, department) => {
                let person = &mut world.people[*person];
                (person.title, person.department) = (title, department);
            }
            Self::Join(person, team) => drop(world.people[*person].teams.insert(*team)),
            Self::Leave(person, team) => drop(world.people[*person].teams.remove(team)),
            Self::Nest(inner, outer) => drop(world.teams[*inner].inside.insert(*outer)),
            Self::Unnest(inner, outer) => drop(world.teams[*inner].inside.remove(outer)),
            Self::Move(place, parent) => world.places[*place].parent = *parent,
            Self::Dates(place, (starts, ends)) => {
                let place = &mut world.places[*place];
                (place.starts, place.ends) = (*starts, *ends);
            }
            Self::Put(record, place) => world.records[*record].places.push(*place),
            Self::TakeOut(record, place) => world.records[*record].places.retain(|other| other != place),
            Self::Role(role, permissions) => world.roles[*role].clone_from(permissions),
            Self::Give(gift) => world.gifts.push(gift.clone()),
            Self::GiftSpan(number, span) => {
                let of = world.gifts.iter_mut().filter(|gift| gift.number == *number);
                of.for_each(|gift| gift.span = *span);
            }
            Self::Take(number) => world.gifts.retain(|gift| gift.number != *number),
            Self::Enact(law) => world.laws.push(law.clone()),
            Self::LawSpan(number, span) => edit(world, *number, |law| law.span = *span),
            Self::LawState(number, state) => edit(world, *number, |law| law.state = *state),
            Self::Rewrite(number, when) => edit(world, *number, |law| law.when = when.clone()),
            Self::Repeal(number) => world.laws.retain(|law| law.number != *number),
        }
    }
}

fn edit(world: &mut World, number: i64, change: impl FnOnce(&mut Law)) {
    world.laws.iter_mut().find(|law| law.number == number).map(change);
}

fn new_gift(world: &World, dice: &mut Dice) -> Gift {
    let number = world.gifts.iter().map(|gift| gift.number).max().unwrap_or_default() + 1;
    let gift = generate::gift(dice, number, &world.gifts);
    Gift {
        span: ordered(gift.span),
        ..gift
    }
}

fn new_law(world: &World, dice: &mut Dice, style: Style) -> Law {
    let number = world.laws.iter().map(|law| law.number).max().unwrap_or_default() + 1;
    let law = generate::law(dice, number, style);
    Law {
        span: ordered(law.span),
        then: each_once(&law.then),
        ..law
    }
}

/// The organisation without what the use cases refuse or do not know: circles of teams, territories below something
/// else, spans that end before they begin, and reports.
pub fn storable(mut world: World) -> World {
    world.people.iter_mut().for_each(|person| person.reports.clear());
    // What leads up a rank stays: it is what makes them deep, and no circle.
    let mut others = Vec::new();
    for (inner, team) in world.teams.iter_mut().enumerate() {
        others.extend(
            team.inside
                .extract_if(.., |outer| !is_higher(inner, *outer))
                .map(|outer| (inner, outer)),
        );
    }
    for (inner, outer) in others {
        world.teams[inner].inside.insert(outer);
        if is_nested_in_a_circle(&world) {
            world.teams[inner].inside.remove(&outer);
        }
    }
    for place in 0..world.places.len() {
        let parent = world.places[place].parent;
        let fits = |up: &usize| world.places[place].kind != ScopeKind::Territory || is_territory(&world, *up);
        world.places[place].parent = parent.filter(fits);
    }
    for place in &mut world.places {
        (place.starts, place.ends) = ordered((place.starts, place.ends));
    }
    world.gifts.iter_mut().for_each(|gift| gift.span = ordered(gift.span));
    for law in &mut world.laws {
        law.span = ordered(law.span);
        law.then = each_once(&law.then);
    }
    world
}

fn each_once(outcomes: &[Then]) -> Vec<Then> {
    let mut kept: Vec<Then> = Vec::new();
    for outcome in outcomes {
        if !kept.contains(outcome) {
            kept.push(outcome.clone());
        }
    }
    kept
}

fn ordered((from, to): Span) -> Span {
    (from.filter(|from| to.is_none_or(|to| *from < to)), to)
}

fn is_territory(world: &World, place: usize) -> bool {
    world.places[place].kind == ScopeKind::Territory
}

fn has_territories_in_territories(world: &World) -> bool {
    let fits = |(place, parent): (usize, Option<usize>)| {
        !is_territory(world, place) || parent.is_none_or(|up| is_territory(world, up))
    };
    world.places.iter().map(|place| place.parent).enumerate().all(fits)
}

fn is_nested_in_a_circle(world: &World) -> bool {
    (0..world.teams.len()).any(|team| {
        let mut above = world.teams[team].inside.clone();
        for _ in 0..world.teams.len() {
            let more: Vec<_> = above.iter().flat_map(|up| world.teams[*up].inside.clone()).collect();
            let before = above.len();
            above.extend(more);
            if above.len() == before {
                break;
            }
        }
        above.contains(&team)
    })
}
