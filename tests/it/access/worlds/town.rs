//! An organisation in a database: a tenant whose every fact was written by a use case.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use muster::access::Catalogue;
use muster::base::clock::Clock;
use muster::base::id::{Ids, Pk, ResourceId};
use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::discovery::Listing;
use muster::scim::project::View;
use muster::scim::schema::ResourceType;
use muster::service::access::State;
use muster::service::access::grants;
use muster::service::access::records;
use muster::service::access::roles::{self, NewRole, RoleChange};
use muster::service::access::rules::{self, RuleChange};
use muster::service::access::scopes::{self, NewScope, ScopeChange};
use muster::service::{Caller, IfMatch, Parts, Services, Wanted, connections, provision};
use muster::store::{Db, Reader, tenants};
use serde_json::{Value, json};

use super::ENTERPRISE_USER;
use super::change::Change;
use super::drawn::dice::Dice;
use super::drawn::world::{Law, World};
use super::words::{instant, keys, shown, validity};
use crate::access::house::START;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A tenant, and the ids of all that is in it.
pub struct Town {
    pub services: Services,
    pub caller: Caller,
    pub reader: Reader,
    clock: Clock,
    pub people: Vec<String>,
    pub teams: Vec<String>,
    pub team_of: HashMap<Pk, usize>,
    pub places: Vec<String>,
    pub roles: Vec<String>,
    /// By number.
    pub gifts: BTreeMap<i64, String>,
    /// By number.
    pub laws: BTreeMap<i64, String>,
}

impl Town {
    /// A tenant with nothing in it, and use cases whose clock is its own.
    async fn empty(db: &Db, name: &str) -> Self {
        let clock = Clock::fixed(START);
        let parts = Parts {
            db: db.clone(),
            clock: clock.clone(),
            ids: Ids::system(),
            max_results: 200,
            max_body_bytes: 1 << 20,
            catalogue: Arc::new(Catalogue::builtin()),
            listing: Listing::Standard,
        };
        let services = Services::new(parts).await.unwrap();
        connections::create_tenant(&services, name).await.unwrap();
        let caller = Caller::operator(&services, name, "worlds").await.unwrap();
        let tenant = tenants::find(db, name).await.unwrap().unwrap();
        Self {
            reader: Reader::new(db.clone(), tenant.id),
            services,
            caller,
            clock,
            people: Vec::new(),
            teams: Vec::new(),
            team_of: HashMap::new(),
            places: Vec::new(),
            roles: Vec::new(),
            gifts: BTreeMap::new(),
            laws: BTreeMap::new(),
        }
    }

    /// The organisation, written. Rules come before the people they speak of, after them, or between, as chance will
    /// have it; so do grants. The versions of rules become those that the database gave.
    pub async fn of(db: &Db, name: &str, world: &mut World, dice: &mut Dice) -> Self {
        let mut town = Self::empty(db, name).await;
        town.set_time(world.now);
        for number in 0..world.places.len() {
            town.place(world, number).await;
        }
        for number in 0..world.roles.len() {
            town.role(number, &world.roles[number]).await;
        }
        for number in 0..world.teams.len() {
            town.team(world, number).await;
        }
        let mut steps: Vec<Change> = Vec::new();
        steps.extend(std::mem::take(&mut world.laws).into_iter().map(Change::Enact));
        let cut = dice.roll(steps.len() + 1);
        let later = steps.split_off(cut);
        for step in steps {
            town.make(world, &step).await;
        }
        for number in 0..world.people.len() {
            town.person(world, number).await;
        }
        for number in 0..world.teams.len() {
            town.fill(world, number).await;
        }
        for number in 0..world.records.len() {
            for place in world.records[number].places.clone() {
                town.put(number, place).await;
            }
        }
        let mut steps: Vec<Change> = later;
        steps.extend(std::mem::take(&mut world.gifts).into_iter().map(Change::Give));
        dice.shuffle(&mut steps);
        for step in steps {
            town.make(world, &step).await;
        }
        town
    }

    fn set_time(&self, now: i64) {
        self.clock.set(instant(now));
    }

    async fn place(&mut self, world: &World, number: usize) {
        let place = &world.places[number];
        let new = NewScope {
            kind: place.kind,
            name: format!("Place {number}"),
            parent: place.parent.map(|parent| self.places[parent].clone()),
            starts: place.starts.map(instant),
            ends: place.ends.map(instant),
        };
        let made = scopes::create(&self.services, &self.caller, &new).await.unwrap();
        self.places.push(made.id);
    }

    async fn role(&mut self, number: usize, permissions: &std::collections::BTreeSet<usize>) {
        let new = NewRole {
            name: format!("Role {number}"),
            permissions: keys(permissions),
        };
        let made = roles::create(&self.services, &self.caller, &new).await.unwrap();
        self.roles.push(made.id);
    }

    /// An empty group.
    async fn team(&mut self, world: &World, number: usize) {
        let body = json!({"schemas": [GROUP], "displayName": world.teams[number].name});
        let id = self.create("Groups", body).await;
        let ids = [ResourceId::new(id.as_str())];
        let found = self.reader.resources().pks(&ids).await.unwrap();
        self.team_of.insert(found[0].1, number);
        self.teams.push(id);
    }

    async fn person(&mut self, world: &World, number: usize) {
        let person = &world.people[number];
        let body = json!({
            "schemas": [USER, ENTERPRISE_USER],
            "userName": format!("person{number}"),
            "active": person.active,
            "title": person.title,
            ENTERPRISE_USER: {"department": person.department},
        });
        let id = self.create("Users", body).await;
        self.people.push(id);
    }

    /// Puts the people and teams that belong into a team there.
    async fn fill(&self, world: &World, team: usize) {
        let people = (0..world.people.len()).filter(|person| world.people[*person].teams.contains(&team));
        let teams = (0..world.teams.len()).filter(|inner| world.teams[*inner].inside.contains(&team));
        let members: Vec<&String> = people
            .map(|person| &self.people[person])
            .chain(teams.map(|inner| &self.teams[inner]))
            .collect();
        if !members.is_empty() {
            self.join(team, &members).await;
        }
    }

    async fn put(&self, record: usize, place: usize) {
        let records = [shown(record)];
        records::put(&self.services, &self.caller, &self.places[place], &records)
            .await
            .unwrap();
    }
}

/// Provisioning.
impl Town {
    fn kind(&self, endpoint: &str) -> &Arc<ResourceType> {
        self.services.type_at(endpoint).unwrap()
    }

    async fn create(&self, endpoint: &str, body: Value) -> String {
        let made = provision::create(
            &self.services,
            &self.caller,
            &strict(),
            self.kind(endpoint),
            body,
            &View::default(),
        )
        .await;
        made.unwrap().id.into_string()
    }

    async fn patch(&self, endpoint: &str, id: &str, operations: Value) {
        let wanted = Wanted {
            dialect: &strict(),
            kind: self.kind(endpoint),
            id: &ResourceId::new(id),
            if_match: &IfMatch::Absent,
            view: &View::default(),
        };
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        provision::patch(&self.services, &self.caller, wanted, body)
            .await
            .unwrap();
    }

    async fn join(&self, team: usize, members: &[&String]) {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let add = json!([{"op": "add", "path": "members", "value": members}]);
        self.patch("Groups", &self.teams[team], add).await;
    }

    async fn leave(&self, team: usize, member: &str) {
        let path = format!("members[value eq \"{member}\"]");
        self.patch("Groups", &self.teams[team], json!([{"op": "remove", "path": path}]))
            .await;
    }

    async fn set(&self, person: usize, values: Value) {
        self.patch(
            "Users",
            &self.people[person],
            json!([{"op": "replace", "value": values}]),
        )
        .await;
    }
}

/// Changing.
impl Town {
    /// Makes a change in the database and in the list of facts.
    pub async fn make(&mut self, world: &mut World, change: &Change) {
        change.make(world);
        match change {
            Change::Time(now) => self.set_time(*now),
            Change::Active(person, active) => self.set(*person, json!({"active": active})).await,
            Change::Profile(person, title, department) => {
                let values = json!({"title": title, ENTERPRISE_USER: {"department": department}});
                self.set(*person, values).await;
            }
            Change::Join(person, team) => self.join(*team, &[&self.people[*person]]).await,
            Change::Leave(person, team) => self.leave(*team, &self.people[*person]).await,
            Change::Nest(inner, outer) => self.join(*outer, &[&self.teams[*inner]]).await,
            Change::Unnest(inner, outer) => self.leave(*outer, &self.teams[*inner]).await,
            Change::Move(..) | Change::Dates(..) => self.make_place(change).await,
            Change::Put(record, place) => self.put(*record, *place).await,
            Change::TakeOut(record, place) => {
                let records = [shown(*record)];
                let place = &self.places[*place];
                let out = records::remove(&self.services, &self.caller, place, &records).await;
                assert_eq!(out.unwrap(), 1);
            }
            Change::Role(role, permissions) => {
                let change = RoleChange {
                    name: None,
                    permissions: Some(keys(permissions)),
                };
                let role = &self.roles[*role];
                roles::change(&self.services, &self.caller, role, &change)
                    .await
                    .unwrap();
            }
            Change::Give(..) | Change::GiftSpan(..) | Change::Take(_) => self.make_gift(change).await,
            Change::Enact(law) => self.enact(world, law).await,
            Change::LawSpan(number, span) => {
                let change = RuleChange {
                    valid_from: Some(validity(*span).from),
                    valid_to: Some(validity(*span).to),
                    ..RuleChange::default()
                };
                self.amend(world, *number, &change).await;
            }
            Change::LawState(number, state) => self.amend(world, *number, &to(*state)).await,
            Change::Rewrite(number, when) => {
                let change = RuleChange {
                    when: Some(when.text(&|team| self.teams[team].clone())),
                    ..RuleChange::default()
                };
                self.amend(world, *number, &change).await;
            }
            Change::Repeal(number) => {
                let id = self.laws.remove(number).unwrap();
                rules::delete(&self.services, &self.caller, &id).await.unwrap();
            }
        }
    }

    async fn make_place(&self, change: &Change) {
        let (place, change) = match change {
            Change::Move(place, parent) => {
                let parent = parent.map(|parent| self.places[parent].clone());
                let change = ScopeChange {
                    parent: Some(parent),
                    ..ScopeChange::default()
                };
                (*place, change)
            }
            Change::Dates(place, (starts, ends)) => {
                let change = ScopeChange {
                    starts: Some(starts.map(instant)),
                    ends: Some(ends.map(instant)),
                    ..ScopeChange::default()
                };
                (*place, change)
            }
            other => panic!("{other:?}"),
        };
        let place = &self.places[place];
        scopes::change(&self.services, &self.caller, place, &change)
            .await
            .unwrap();
    }

    async fn make_gift(&mut self, change: &Change) {
        let (services, caller) = (&self.services, &self.caller);
        match change {
            Change::Give(gift) => {
                let made = grants::create(services, caller, &self.new_grant(gift)).await.unwrap();
                self.gifts.insert(gift.number, made.id);
            }
            Change::GiftSpan(number, span) => {
                let changed = grants::change(services, caller, &self.gifts[number], validity(*span)).await;
                changed.unwrap();
            }
            Change::Take(number) => {
                let id = self.gifts.remove(number).unwrap();
                grants::delete(services, caller, &id).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }

    /// No new rule is retired, so it is a draft first.
    async fn enact(&mut self, world: &mut World, law: &Law) {
        let made = rules::create(&self.services, &self.caller, &self.new_rule(law)).await;
        let made = made.unwrap_or_else(|fault| panic!("{fault:?}: {law:?}"));
        self.laws.insert(law.number, made.id);
        if law.state == State::Retired {
            self.amend(world, law.number, &to(State::Retired)).await;
        } else {
            renumber(world, law.number, made.version);
        }
    }

    async fn amend(&self, world: &mut World, number: i64, change: &RuleChange) {
        let changed = rules::change(&self.services, &self.caller, &self.laws[&number], change).await;
        let changed = changed.unwrap_or_else(|fault| panic!("{fault:?}: {change:?}"));
        renumber(world, number, changed.version);
    }
}

pub fn renumber(world: &mut World, number: i64, version: i64) {
    let law = world.laws.iter_mut().find(|law| law.number == number);
    law.unwrap().version = version;
}

fn to(state: State) -> RuleChange {
    RuleChange {
        state: Some(state),
        ..RuleChange::default()
    }
}

fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}
