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
use muster::service::Waits;
use muster::service::access::State;
use muster::service::access::records;
use muster::service::access::roles::{self, NewRole};
use muster::service::access::scopes::{self, NewScope};
use muster::service::{Caller, IfMatch, Parts, Services, Wanted, connections, provision};
use muster::store::{Db, Reader, tenants};
use serde_json::{Value, json};

use super::ENTERPRISE_USER;
use super::change::Change;
use super::drawn::dice::Dice;
use super::drawn::world::World;
use super::words::{instant, keys, shown};
use crate::access::house::START;
use crate::support::seam::keyring;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Grants and rules that are made one by one before the others are made together.
const ONE_BY_ONE: usize = 3;
/// Changes of one preview.
const OF_A_SET: usize = 100;

/// When groups get their members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    AtOnce,
    Later,
}

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
            keys: keyring(),
            clock: clock.clone(),
            ids: Ids::system(),
            max_results: 200,
            max_body_bytes: 1 << 20,
            max_bulk_bytes: 1 << 20,
            catalogue: Arc::new(Catalogue::builtin()),
            listing: Listing::Standard,
            guard: muster::service::delivery::Guard::default(),
            schemas: muster::service::schemas::Definitions::default(),
            waits: Waits::default(),
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

    /// The organisation, written: its people first and what is decided about them after, or the other way round. A
    /// few grants and rules are made one by one, the others as one set. The versions of rules become those that the
    /// database gave.
    pub async fn of(db: &Db, name: &str, world: &mut World, dice: &mut Dice) -> Self {
        let mut town = Self::empty(db, name).await;
        town.set_time(world.now);
        for number in 0..world.places.len() {
            town.place(world, number).await;
        }
        for number in 0..world.roles.len() {
            town.role(number, &world.roles[number]).await;
        }
        let laws = std::mem::take(&mut world.laws).into_iter().map(Change::Enact);
        let gifts = std::mem::take(&mut world.gifts).into_iter().map(Change::Give);
        let mut decided: Vec<Change> = laws.chain(gifts).collect();
        dice.shuffle(&mut decided);
        if dice.chance(50) {
            town.teams(world, Filled::Later).await;
            // Grants name people, who are not there yet.
            let (early, late) = decided
                .into_iter()
                .partition(|change| matches!(change, Change::Enact(_)) && dice.chance(80));
            town.decide(world, early).await;
            town.everybody(world).await;
            for team in 0..world.teams.len() {
                town.fill(world, team).await;
            }
            town.decide(world, late).await;
        } else {
            town.everybody(world).await;
            town.teams(world, Filled::AtOnce).await;
            town.decide(world, decided).await;
        }
        for place in 0..world.places.len() {
            town.put_all(world, place).await;
        }
        town
    }

    /// Makes the first few changes, and what no set can hold, one by one; the others as sets.
    async fn decide(&mut self, world: &mut World, changes: Vec<Change>) {
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for change in changes {
            let active = !matches!(&change, Change::Enact(law) if law.state != State::Active);
            if active && alone.len() >= ONE_BY_ONE {
                together.push(change);
            } else {
                alone.push(change);
            }
        }
        for change in alone {
            self.make(world, &change).await;
        }
        for set in together.chunks(OF_A_SET) {
            self.make_together(world, set).await;
        }
    }

    pub(super) fn set_time(&self, now: i64) {
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

    /// The groups: empty ones, or each with everybody who belongs there, so that what is nested comes first.
    async fn teams(&mut self, world: &World, filled: Filled) {
        let mut made: BTreeMap<usize, String> = BTreeMap::new();
        while made.len() < world.teams.len() {
            let ready = |team: &usize| {
                let mut inner = (0..world.teams.len()).filter(|inner| world.teams[*inner].inside.contains(team));
                !made.contains_key(team) && (filled == Filled::Later || inner.all(|inner| made.contains_key(&inner)))
            };
            let next: Vec<usize> = (0..world.teams.len()).filter(ready).collect();
            assert!(!next.is_empty(), "groups in a circle");
            for team in next {
                let mut body = json!({"schemas": [GROUP], "displayName": world.teams[team].name});
                if filled == Filled::AtOnce {
                    body["members"] = members(&self.members(world, team, &|inner| &made[&inner]));
                }
                made.insert(team, self.create("Groups", body).await);
            }
        }
        self.teams = made.into_values().collect();
        let ids: Vec<_> = self.teams.iter().map(|id| ResourceId::new(id.as_str())).collect();
        let position = |id: &ResourceId| self.teams.iter().position(|team| *team == id.as_str()).unwrap();
        let found = self.reader.resources().pks(&ids).await.unwrap();
        self.team_of = found.into_iter().map(|(id, pk, _)| (pk, position(&id))).collect();
        assert_eq!(self.team_of.len(), world.teams.len());
    }

    async fn everybody(&mut self, world: &World) {
        for number in 0..world.people.len() {
            self.person(world, number).await;
        }
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

    /// Ids of the people and teams that belong into a team.
    fn members<'t>(&'t self, world: &World, team: usize, id: &dyn Fn(usize) -> &'t String) -> Vec<&'t String> {
        let people = (0..world.people.len()).filter(|person| world.people[*person].teams.contains(&team));
        let teams = (0..world.teams.len()).filter(|inner| world.teams[*inner].inside.contains(&team));
        people.map(|person| &self.people[person]).chain(teams.map(id)).collect()
    }

    /// Puts the people and teams that belong into a team there.
    async fn fill(&self, world: &World, team: usize) {
        let members = self.members(world, team, &|inner| &self.teams[inner]);
        if !members.is_empty() {
            self.join(team, &members).await;
        }
    }

    /// Puts the records of a place there.
    async fn put_all(&self, world: &World, place: usize) {
        let here = (0..world.records.len()).filter(|record| world.records[*record].places.contains(&place));
        let records: Vec<_> = here.map(shown).collect();
        if !records.is_empty() {
            let put = records::put(&self.services, &self.caller, &self.places[place], &records).await;
            put.unwrap();
        }
    }
}

/// Provisioning.
impl Town {
    fn kind(&self, endpoint: &str) -> &Arc<ResourceType> {
        self.caller.type_at(endpoint).unwrap()
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

    pub(super) async fn join(&self, team: usize, members: &[&String]) {
        let add = json!([{"op": "add", "path": "members", "value": self::members(members)}]);
        self.patch("Groups", &self.teams[team], add).await;
    }

    pub(super) async fn leave(&self, team: usize, member: &str) {
        let path = format!("members[value eq \"{member}\"]");
        self.patch("Groups", &self.teams[team], json!([{"op": "remove", "path": path}]))
            .await;
    }

    pub(super) async fn set(&self, person: usize, values: Value) {
        self.patch(
            "Users",
            &self.people[person],
            json!([{"op": "replace", "value": values}]),
        )
        .await;
    }
}

fn members(ids: &[&String]) -> Value {
    ids.iter().map(|id| json!({"value": id})).collect()
}

fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}
