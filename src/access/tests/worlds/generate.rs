//! A random organisation: large enough for everything to meet everything.

use std::collections::BTreeSet;

use super::circle::has_circle;
use super::dice::Dice;
use super::world::{At, Gift, KEYS, Law, Person, Place, Record, Span, Terms, Then, To, When, World};
use super::{ScopeKind, State};

const PEOPLE: usize = 50;
const TEAMS: usize = 24;
/// The first teams are filled by rules alone.
pub const SMART: usize = 6;
const PLACES: usize = 16;
/// The first places are territories, each in the one before.
const COUNTRIES: usize = 3;
const RECORDS: usize = 14;
const CUSTOM_ROLES: usize = 5;
const GIFTS: usize = 70;
const LAWS: usize = 30;
/// Instants are few, so that now often is one of them.
pub const TIMES: [i64; 5] = [10, 20, 30, 40, 50];

pub const TITLES: [&str; 3] = ["boss", "clerk", "guest"];
pub const DEPARTMENTS: [&str; 3] = ["Tour", "Sales", "Support"];
/// Fewer than teams: some share a name, in another letter case.
const NAMES: [&str; 18] = [
    "Sales", "sales", "Support", "EMEA", "emea", "Partners", "Gold", "Élan", "ÉLAN", "Leads", "North", "South", "West",
    "Ops", "ops", "Field", "Board", "Interns",
];
const PROPERTIES: [(&str, &[&str]); 2] = [("region", &["EU", "US", "APAC"]), ("tier", &["gold", "silver"])];

/// What conditions may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Anything.
    Free,
    /// Nothing that more groups can make untrue.
    Monotone,
}

pub fn world(seed: u64, style: Style) -> World {
    let mut dice = Dice::new(seed);
    let mut world = World {
        now: dice.pick(&TIMES),
        people: people(&mut dice),
        teams: teams(&mut dice),
        places: places(&mut dice),
        roles: (0..CUSTOM_ROLES).map(|_| role(&mut dice)).collect(),
        records: records(&mut dice),
        gifts: Vec::new(),
        laws: Vec::new(),
    };
    for number in (1..).take(GIFTS) {
        let gift = gift(&mut dice, number, &world.gifts);
        world.gifts.push(gift);
    }
    for number in (1..).take(LAWS) {
        let law = law(&mut dice, number, style);
        world.laws.push(law);
        while has_circle(&world) {
            world.laws.pop();
            let law = self::law(&mut dice, number, style);
            world.laws.push(law);
        }
    }
    world
}

fn people(dice: &mut Dice) -> Vec<Person> {
    let person = |number| Person {
        active: dice.chance(85),
        title: dice.pick(&TITLES),
        department: dice.pick(&DEPARTMENTS),
        teams: dice.some(&(SMART..TEAMS).collect::<Vec<_>>(), 4).into_iter().collect(),
        reports: {
            let others: Vec<_> = (0..PEOPLE).filter(|other| *other != number).collect();
            if dice.chance(20) {
                dice.some(&others, 3)
            } else {
                Vec::new()
            }
        },
    };
    (0..PEOPLE).map(person).collect()
}

/// Teams that nest in the next, from the lowest rank up.
const CHAIN: std::ops::Range<usize> = 2 * RANKS..3 * RANKS - 1;
/// How deep teams nest at least.
const RANKS: usize = 4;

/// Whether the second team is of the rank above that of the first.
pub fn is_higher(inner: usize, outer: usize) -> bool {
    outer % RANKS == inner % RANKS + 1
}

/// Four ranks, each nesting in the next, some teams of them for certain; now and then one nests in any other, so that
/// there are circles.
fn teams(dice: &mut Dice) -> Vec<super::world::Team> {
    let team = |number: usize| {
        let higher: Vec<_> = (SMART..TEAMS).filter(|other| is_higher(number, *other)).collect();
        let any: Vec<_> = (SMART..TEAMS).filter(|other| *other != number).collect();
        let mut inside: BTreeSet<_> = if dice.chance(60) {
            dice.some(&higher, 2).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        if CHAIN.contains(&number) {
            inside.insert(number + 1);
        }
        inside.extend(dice.maybe(10, |dice| dice.pick(&any)));
        super::world::Team {
            name: dice.pick(&NAMES),
            inside,
        }
    };
    (0..TEAMS).map(team).collect()
}

fn places(dice: &mut Dice) -> Vec<Place> {
    let place = |number: usize| {
        let any = dice.pick(&[
            ScopeKind::Territory,
            ScopeKind::Territory,
            ScopeKind::Program,
            ScopeKind::Program,
            ScopeKind::RecordGroup,
        ]);
        let before: Vec<_> = (0..number).collect();
        let (kind, parent) = if number < COUNTRIES {
            (ScopeKind::Territory, number.checked_sub(1))
        } else {
            (any, dice.maybe(75, |dice| dice.pick(&before)))
        };
        let (starts, ends) = if kind == ScopeKind::Program {
            span(dice)
        } else {
            (None, None)
        };
        Place {
            kind,
            parent,
            starts,
            ends,
        }
    };
    (0..PLACES).map(place).collect()
}

pub fn role(dice: &mut Dice) -> BTreeSet<usize> {
    dice.some(&(0..KEYS.len()).collect::<Vec<_>>(), 5).into_iter().collect()
}

fn records(dice: &mut Dice) -> Vec<Record> {
    let record = |_| Record {
        places: dice.some(&(0..PLACES).collect::<Vec<_>>(), 3),
        properties: PROPERTIES
            .iter()
            .filter_map(|(name, values)| dice.maybe(75, |dice| (*name, dice.pick(values))))
            .collect(),
    };
    (0..RECORDS).map(record).collect()
}

pub fn span(dice: &mut Dice) -> Span {
    (
        dice.maybe(30, |dice| dice.pick(&TIMES)),
        dice.maybe(30, |dice| dice.pick(&TIMES)),
    )
}

fn at(dice: &mut Dice) -> At {
    match dice.roll(10) {
        0 | 1 => At::All,
        2 | 3 => At::Record(dice.roll(RECORDS)),
        _ => At::Place(dice.roll(PLACES)),
    }
}

fn terms(dice: &mut Dice) -> Terms {
    let term = |(name, values): (&'static str, &'static [&'static str])| (name, dice.some(values, values.len()));
    PROPERTIES
        .into_iter()
        .map(term)
        .filter(|(_, values)| !values.is_empty())
        .collect()
}

/// Now and then one more to someone who has one there: with another role, other terms or at another time.
pub fn gift(dice: &mut Dice, number: i64, before: &[Gift]) -> Gift {
    let like = if before.is_empty() {
        None
    } else {
        dice.maybe(30, |dice| dice.pick(before))
    };
    let to = if dice.chance(60) {
        To::Team(dice.roll(TEAMS))
    } else {
        To::Person(dice.roll(PEOPLE))
    };
    let at = at(dice);
    Gift {
        number,
        to: like.as_ref().map_or(to, |like| like.to),
        role: dice.roll(CUSTOM_ROLES),
        at: like.as_ref().map_or(at, |like| like.at),
        span: span(dice),
        terms: if dice.chance(25) { terms(dice) } else { Vec::new() },
    }
}

pub fn law(dice: &mut Dice, number: i64, style: Style) -> Law {
    let state = match dice.roll(10) {
        0 => State::Draft,
        1 => State::Retired,
        _ => State::Active,
    };
    let then = |dice: &mut Dice| match dice.roll(10) {
        0..5 => Then::Role(dice.roll(CUSTOM_ROLES), at(dice)),
        5 => Then::Member(dice.roll(PLACES)),
        _ => Then::Team(dice.roll(SMART)),
    };
    Law {
        number,
        version: i64::from(dice.chance(50)) + 1,
        state,
        when: when(dice, 2, style),
        then: (0..=dice.roll(2)).map(|_| then(dice)).collect(),
        span: span(dice),
    }
}

pub fn when(dice: &mut Dice, depth: usize, style: Style) -> When {
    let parts = |dice: &mut Dice| (0..2 + dice.roll(2)).map(|_| when(dice, depth - 1, style)).collect();
    if depth > 0 {
        match dice.roll(5) {
            0 => return When::All(parts(dice)),
            1 => return When::Any(parts(dice)),
            2 if style == Style::Free => return When::Not(Box::new(when(dice, depth - 1, style))),
            _ => {}
        }
    }
    // What reads all groups cannot stand in a rule that fills one, so it is rare.
    match dice.roll(if style == Style::Free { 24 } else { 20 }) {
        0..5 => When::Title(dice.pick(&TITLES)),
        5..9 => When::Department(dice.pick(&DEPARTMENTS)),
        9..16 => When::Named(dice.pick(&NAMES)),
        16..20 => When::Id(dice.roll(TEAMS)),
        20 => When::Direct(dice.pick(&NAMES)),
        21 => When::Other(dice.pick(&NAMES)),
        22 => When::Like(dice.pick(&["s", "E", "or"])),
        _ => dice.pick(&[When::Indirect, When::SomeTeam]),
    }
}
