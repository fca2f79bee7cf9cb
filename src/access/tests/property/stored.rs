//! The random organisation as the store gives it to the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::model::Spot;
use super::world::{At, KEYS, Span, Terms, Then, To, World};
use crate::access::role::{FIRST_CUSTOM_ROLE, predefined};
use crate::access::{
    Catalogue, Condition, Facts, Grant, GroupFact, Origin, Outcome, Permission, Policy, PolicyGroup, Reach, RecordRef,
    Restriction, Role, Rule, RuleBits, Rulebook, Scope, State, Subject, Target, Validity,
};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};
use crate::scim::schema::{ENTERPRISE_USER, Registry};

/// Users and groups share their numbers in the store, so people come after the teams.
const FIRST_PERSON: i64 = 1000;

fn number(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

pub(super) fn team_key(team: usize) -> Pk {
    Pk(number(team) + 1)
}

pub(super) fn person_key(person: usize) -> Pk {
    Pk(FIRST_PERSON + number(person))
}

fn team_id(team: usize) -> String {
    format!("team-{team}")
}

fn place_key(place: usize) -> ScopeKey {
    ScopeKey(number(place) + 1)
}

pub(super) fn role_key(role: usize) -> RoleKey {
    RoleKey(FIRST_CUSTOM_ROLE.0 + number(role))
}

fn record(record: usize) -> RecordRef {
    RecordRef {
        kind: "account".to_owned(),
        id: record.to_string(),
    }
}

pub(super) fn reach(at: At) -> Reach {
    match at {
        At::All => Reach::All,
        At::Place(place) => Reach::Scope(place_key(place)),
        At::Record(number) => Reach::Record(record(number)),
    }
}

pub(super) fn restriction(terms: &Terms) -> Restriction {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Restriction(
        terms
            .iter()
            .map(|(name, of)| ((*name).to_owned(), values(of)))
            .collect(),
    )
}

fn validity((from, to): Span) -> Validity {
    Validity {
        from: from.map(Timestamp),
        to: to.map(Timestamp),
    }
}

/// A policy and the facts of everyone, with reports that are facts, too.
pub(super) struct Stored {
    pub now: Timestamp,
    pub rulebook: Rulebook,
    pub facts: Vec<Facts>,
}

impl Stored {
    /// Everything in an order of chance.
    pub fn of(world: &World, dice: &mut Dice) -> Self {
        let rules = rules(world);
        let policy = policy(world, &rules, dice);
        let mut facts: Vec<_> = (0..world.people.len())
            .map(|person| facts(world, person, &rules, dice))
            .collect();
        let alone = facts.clone();
        for (person, facts) in world.people.iter().zip(&mut facts) {
            facts.reports = person.reports.iter().map(|report| alone[*report].clone()).collect();
            dice.shuffle(&mut facts.reports);
        }
        Self {
            now: Timestamp(world.now),
            // INVARIANT: worlds are made without circles.
            rulebook: Rulebook::compile(policy).expect("the rules of a world compile"),
            facts,
        }
    }
}

/// Active, drafts and retired.
pub(super) fn rules(world: &World) -> Vec<Rule> {
    let registry = Registry::builtin();
    // INVARIANT: the built-in registry has users, and conditions print as filters over them.
    let user = registry.resource_type("User").expect("users are built in");
    let outcome = |then: &Then| match then {
        Then::Role(role, at) => Outcome::Role {
            role: role_key(*role),
            reach: reach(*at),
        },
        Then::Member(place) => Outcome::Member(place_key(*place)),
        Then::Team(team) => Outcome::Group(team_key(*team)),
    };
    let rule = |law: &super::world::Law| Rule {
        key: RuleKey(law.number),
        id: format!("rule-{}", law.number),
        name: format!("Rule {}", law.number),
        version: law.version,
        matched: law.version,
        state: law.state,
        when: Condition::compile(&law.when.text(&team_id), user).expect("conditions print as filters"),
        then: law.then.iter().map(outcome).collect(),
        validity: validity(law.span),
    };
    world.laws.iter().map(rule).collect()
}

fn grant(gift: &super::world::Gift) -> Grant {
    Grant {
        key: GrantKey(gift.number),
        id: format!("grant-{}", gift.number),
        subject: match gift.to {
            To::Person(person) => Subject::User(person_key(person)),
            To::Team(team) => Subject::Group(team_key(team)),
        },
        role: role_key(gift.role),
        reach: reach(gift.at),
        validity: validity(gift.span),
        restriction: restriction(&gift.terms),
        origin: Origin::Manual,
    }
}

pub(super) fn policy(world: &World, laws: &[Rule], dice: &mut Dice) -> Policy {
    let catalogue = Catalogue::builtin();
    let permission = |key: &usize| -> Option<Permission> { catalogue.find(KEYS[*key]) };
    let mut roles: Vec<_> = predefined(&catalogue).into();
    roles.extend(world.roles.iter().enumerate().map(|(role, keys)| Role {
        key: role_key(role),
        id: format!("role-{role}"),
        name: format!("Role {role}"),
        permissions: keys.iter().filter_map(permission).collect(),
        origin: None,
    }));
    let scope = |(place, of): (usize, &super::world::Place)| Scope {
        key: place_key(place),
        id: format!("scope-{place}"),
        kind: of.kind,
        name: format!("Scope {place}"),
        parent: of.parent.map(place_key),
        starts: of.starts.map(Timestamp),
        ends: of.ends.map(Timestamp),
    };
    let mut policy = Policy {
        version: 1,
        settings: crate::access::Settings::default(),
        closed: false,
        roles,
        scopes: world.places.iter().enumerate().map(scope).collect(),
        grants: world
            .gifts
            .iter()
            .map(grant)
            .filter(|grant| matches!(grant.subject, Subject::Group(_)))
            .collect(),
        rules: laws.to_vec(),
        groups: known_groups(world, dice),
        catalogue: Arc::new(catalogue),
    };
    dice.shuffle(&mut policy.roles);
    dice.shuffle(&mut policy.scopes);
    dice.shuffle(&mut policy.grants);
    dice.shuffle(&mut policy.rules);
    dice.shuffle(&mut policy.groups);
    policy
}

/// What has to be listed, and now and then all.
fn known_groups(world: &World, dice: &mut Dice) -> Vec<PolicyGroup> {
    let filled = world
        .laws
        .iter()
        .flat_map(|law| &law.then)
        .filter_map(|then| match then {
            Then::Team(team) => Some(*team),
            Then::Role(..) | Then::Member(_) => None,
        });
    let mut known: BTreeSet<_> = if dice.chance(30) {
        (0..world.teams.len()).collect()
    } else {
        filled.collect()
    };
    for _ in 0..world.teams.len() {
        known = known
            .iter()
            .flat_map(|team| &world.teams[*team].inside)
            .chain(&known)
            .copied()
            .collect();
    }
    let group = |team: usize| PolicyGroup {
        pk: team_key(team),
        id: team_id(team),
        display: world.teams[team].name.to_owned(),
        parents: parents(world, team, dice),
    };
    known.into_iter().map(group).collect()
}

fn parents(world: &World, team: usize, dice: &mut Dice) -> Vec<Pk> {
    let mut parents: Vec<_> = world.teams[team].inside.iter().copied().map(team_key).collect();
    dice.shuffle(&mut parents);
    parents
}

fn facts(world: &World, person: usize, rules: &[Rule], dice: &mut Dice) -> Facts {
    let who = &world.people[person];
    let mut facts = Facts::new(person_key(person), format!("user-{person}"), who.active);
    let mut teams: BTreeMap<_, _> = who.teams.iter().map(|team| (*team, true)).collect();
    for _ in 0..world.teams.len() {
        let above: Vec<_> = teams
            .keys()
            .flat_map(|team| world.teams[*team].inside.clone())
            .collect();
        for team in above {
            teams.entry(team).or_insert(false);
        }
    }
    let group = |(team, direct): (&usize, &bool)| GroupFact {
        pk: team_key(*team),
        id: team_id(*team),
        display: world.teams[*team].name.to_owned(),
        direct: *direct,
        parents: parents(world, *team, dice),
    };
    facts.groups = teams.iter().map(group).collect();
    facts.bits = rules
        .iter()
        .flat_map(|rule| bits(rule, &document(world, person), dice))
        .collect();
    let own = world.gifts.iter().filter(|gift| gift.to == To::Person(person));
    facts.grants = own.map(grant).collect();
    dice.shuffle(&mut facts.groups);
    dice.shuffle(&mut facts.bits);
    dice.shuffle(&mut facts.grants);
    facts
}

fn document(world: &World, person: usize) -> Value {
    let who = &world.people[person];
    json!({
        "id": format!("user-{person}"),
        "userName": format!("person{person}"),
        "title": who.title,
        ENTERPRISE_USER: { "department": who.department },
    })
}

/// What is stored of a rule: a row where a bit is set, and now and then rows of other versions that claim anything.
fn bits(rule: &Rule, document: &Value, dice: &mut Dice) -> Vec<RuleBits> {
    let row = |version, bits| RuleBits {
        rule: rule.key,
        version,
        bits,
    };
    let bits = if rule.state == State::Active {
        rule.when.bits(document)
    } else {
        1
    };
    let current = (bits != 0).then(|| row(rule.matched, bits));
    let stale = dice.maybe(10, |_| row(rule.matched + 1, u64::MAX >> 1));
    current.into_iter().chain(stale).collect()
}

/// What is asked about, with what belongs to it.
pub(super) struct Asked {
    spot: Spot,
    record: RecordRef,
    scopes: Vec<ScopeKey>,
    properties: Map<String, Value>,
}

impl Asked {
    pub fn new(world: &World, spot: Spot) -> Self {
        let (number, of) = match spot {
            Spot::Record(record) => (record, Some(&world.records[record])),
            Spot::Organisation | Spot::Place(_) => (0, None),
        };
        let property = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::from(*value));
        Self {
            spot,
            record: record(number),
            scopes: of.map_or_else(Vec::new, |of| of.places.iter().copied().map(place_key).collect()),
            properties: of.map_or_else(Map::new, |of| of.properties.iter().map(property).collect()),
        }
    }

    pub fn target(&self) -> Target<'_> {
        match self.spot {
            Spot::Organisation => Target::Organisation,
            Spot::Place(place) => Target::Scope(place_key(place)),
            Spot::Record(_) => Target::Record {
                record: &self.record,
                scopes: &self.scopes,
                properties: &self.properties,
            },
        }
    }
}

/// The numbers of [`KEYS`] that are in a set.
pub(super) fn numbers(rulebook: &Rulebook, set: crate::access::Permissions) -> BTreeSet<usize> {
    let of = |permission| KEYS.iter().position(|key| *key == rulebook.catalogue().key(permission));
    set.iter().filter_map(of).collect()
}
