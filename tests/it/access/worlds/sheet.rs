//! What the database says of an organisation at one instant, and whether that is what it means.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use muster::access::diff::Moment;
use muster::access::role::predefined;
use muster::access::{
    Assignment, Catalogue, Condition, Facts, Grant, Policy, Provenance, Reach, RecordRef, Restriction, Role, Rule,
    Rulebook, Target, evaluate, permissions,
};
use muster::base::clock::Timestamp;
use muster::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};
use muster::store::access::matches::Range;
use muster::store::access::policy::{RuleRow, Shared};

use super::drawn::model::{Model, Reason, Spot};
use super::drawn::world::{At, KEYS, World};
use super::town::Town;
use super::words::{ACCOUNT, instant, properties, restriction};

const EVERYBODY: Range = Range {
    from: Pk(0),
    to: Pk(i64::MAX),
};

/// The policy, compiled, and the facts of everybody, read in one statement each.
pub struct Sheet {
    pub book: Rulebook,
    pub now: Timestamp,
    /// In the order of the people.
    pub facts: Vec<Facts>,
    pub records: BTreeMap<RecordRef, Vec<ScopeKey>>,
}

impl Sheet {
    pub async fn of(town: &Town, world: &World) -> Self {
        let shared = town.reader.policy().load().await.unwrap();
        let rows = town.reader.facts().of_range(EVERYBODY).await.unwrap();
        assert_eq!(rows.len(), town.people.len());
        assert!(rows.iter().all(|row| row.policy_version == shared.version));
        let mut known: HashMap<_, _> = rows.into_iter().map(|row| (row.facts.id.clone(), row.facts)).collect();
        let facts = town.people.iter().map(|id| known.remove(id).unwrap()).collect();
        let mut records = BTreeMap::new();
        for number in 0..world.records.len() {
            let record = record(number);
            let scopes = town.reader.records().scopes_of(&record).await.unwrap();
            records.insert(record, scopes);
        }
        Self {
            book: Rulebook::compile(policy(town, shared)).unwrap(),
            now: instant(world.now),
            facts,
            records,
        }
    }

    pub fn moment(&self) -> Moment<'_> {
        Moment {
            rulebook: &self.book,
            now: self.now,
            records: &self.records,
        }
    }

    /// Every grant of the tenant.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        let own = self.facts.iter().flat_map(|facts| &facts.grants);
        self.book.policy().grants.iter().chain(own)
    }

    /// What a person may do somewhere, as the engine decides.
    pub fn permitted(&self, town: &Town, world: &World, person: usize, spot: Spot) -> BTreeSet<usize> {
        self.at(town, world, spot, |target| {
            let found = permissions(&self.facts[person], &self.book, self.now, target);
            let number = |permission| {
                KEYS.iter()
                    .position(|key| *key == self.book.catalogue().key(permission))
            };
            found.iter().map(|permission| number(permission).unwrap()).collect()
        })
    }

    /// Does something with a spot as the engine knows it.
    pub fn at<T>(&self, town: &Town, world: &World, spot: Spot, look: impl FnOnce(&Target<'_>) -> T) -> T {
        match spot {
            Spot::Organisation => look(&Target::Organisation),
            Spot::Place(place) => {
                let scopes = &self.book.policy().scopes;
                let scope = scopes.iter().find(|scope| scope.id == town.places[place]).unwrap();
                look(&Target::Scope(scope.key))
            }
            Spot::Record(number) => {
                let record = record(number);
                look(&Target::Record {
                    record: &record,
                    scopes: &self.records[&record],
                    properties: &properties(world, number),
                })
            }
        }
    }

    /// Fails where the engine, by what is stored, says anything else of anybody than the model. Gives what it says of
    /// everybody on every spot.
    pub fn agrees(&self, town: &Town, model: &Model<'_>, spots: &[Spot]) -> Answers {
        let words = Words::of(self, town);
        let mut answers = Answers::new();
        for (person, facts) in self.facts.iter().enumerate() {
            let access = model.access(person);
            let mut expected: BTreeMap<Held, BTreeSet<Reason>> = BTreeMap::new();
            for ((_, at, role, terms), reasons) in &access {
                let held = (*at, *role, restriction(terms));
                expected.entry(held).or_default().extend(reasons);
            }
            let found = evaluate(facts, &self.book, self.now);
            let found: BTreeMap<_, _> = found.iter().map(|assignment| words.line(assignment)).collect();
            assert_eq!(found, expected, "what person {person} holds");
            for spot in spots {
                let found = self.permitted(town, model.world, person, *spot);
                let expected = model.permitted(&access, *spot);
                assert_eq!(found, expected, "what person {person} may do on {spot:?}");
                answers.push((person, *spot, found));
            }
        }
        answers
    }
}

/// Person, spot, permissions.
pub type Answers = Vec<(usize, Spot, BTreeSet<usize>)>;

/// Where, which role if any, how it is restricted.
type Held = (At, Option<usize>, Restriction);

/// The keys of a database in the words of the list of facts.
struct Words {
    roles: HashMap<RoleKey, usize>,
    places: HashMap<ScopeKey, usize>,
    teams: HashMap<Pk, usize>,
    gifts: HashMap<GrantKey, i64>,
    laws: HashMap<RuleKey, i64>,
}

impl Words {
    fn of(sheet: &Sheet, town: &Town) -> Self {
        let position = |ids: &[String], id: &str| ids.iter().position(|other| other == id);
        let policy = sheet.book.policy();
        let roles = policy.roles.iter();
        let gifts: HashMap<_, _> = town.gifts.iter().map(|(number, id)| (id, *number)).collect();
        let laws: HashMap<_, _> = town.laws.iter().map(|(number, id)| (id, *number)).collect();
        Self {
            roles: roles
                .filter_map(|role| Some((role.key, position(&town.roles, &role.id)?)))
                .collect(),
            places: policy
                .scopes
                .iter()
                .filter_map(|scope| Some((scope.key, position(&town.places, &scope.id)?)))
                .collect(),
            teams: town.team_of.clone(),
            gifts: sheet.grants().map(|grant| (grant.key, gifts[&grant.id])).collect(),
            laws: policy.rules.iter().map(|rule| (rule.key, laws[&rule.id])).collect(),
        }
    }

    fn line(&self, assignment: &Assignment) -> (Held, BTreeSet<Reason>) {
        let at = match &assignment.reach {
            Reach::All => At::All,
            Reach::Scope(scope) => At::Place(self.places[scope]),
            Reach::Record(record) => At::Record(record.id.parse().unwrap()),
        };
        let role = assignment.role.map(|role| self.roles[&role]);
        let reason = |why: &Provenance| match why {
            Provenance::Grant { grant, through } => {
                Reason::Gift(self.gifts[grant], through.group().map(|group| self.teams[&group]))
            }
            Provenance::Rule { rule, version, .. } => Reason::Law(self.laws[rule], *version),
        };
        let reasons = assignment.why.iter().map(reason).collect();
        ((at, role, assignment.restriction.clone()), reasons)
    }
}

pub fn record(number: usize) -> RecordRef {
    RecordRef::new(ACCOUNT, &number.to_string()).unwrap()
}

/// The rows as the engine takes them.
fn policy(town: &Town, shared: Shared) -> Policy {
    let catalogue = Catalogue::builtin();
    let mut roles: Vec<Role> = predefined(&catalogue).into();
    roles.extend(shared.roles.into_iter().map(|row| Role {
        key: row.key,
        id: row.id,
        name: row.name,
        permissions: catalogue.known(row.permissions.iter().map(String::as_str)),
        origin: row.origin,
    }));
    assert!(shared.preparing.is_empty(), "a rule is left in preparation");
    let user = town.caller.type_at("Users").unwrap();
    let rule = |row: RuleRow| Rule {
        key: row.key,
        id: row.id,
        name: row.name,
        version: row.version,
        matched: row.matched,
        state: row.state,
        when: Condition::compile(&row.when, user).unwrap(),
        then: row.then,
        validity: row.validity,
    };
    Policy {
        version: shared.version,
        closed: shared.closed,
        settings: shared.settings,
        catalogue: Arc::new(catalogue),
        roles,
        scopes: shared.scopes,
        grants: shared.grants,
        rules: shared.rules.into_iter().map(rule).collect(),
        groups: shared.groups,
    }
}
