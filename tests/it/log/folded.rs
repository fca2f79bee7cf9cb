//! What the log says is all there is: whoever reads nothing else has the same users, groups and members.

use std::collections::{BTreeMap, BTreeSet};

use muster::event::Changes;
use serde_json::{Map, Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::{ENTERPRISE, user};
use crate::support::TestHouse;
use crate::support::dice::{Dice, seed};

/// Requests of a run.
const REQUESTS: usize = 150;

/// Users and groups by their ids, each with its document, `externalId` among it; and members of groups.
#[derive(Debug, Default, PartialEq)]
struct World {
    resources: BTreeMap<String, Map<String, Value>>,
    members: BTreeMap<String, BTreeSet<String>>,
}

impl World {
    /// What is served.
    async fn served(house: &TestHouse) -> Self {
        let mut world = Self::default();
        for endpoint in ["/Users", "/Groups"] {
            let list = house.get(&format!("{endpoint}?count=500")).await.status(200).json;
            for resource in list["Resources"].as_array().into_iter().flatten() {
                let mut document = resource.as_object().unwrap().clone();
                let id = document["id"].as_str().unwrap().to_owned();
                if endpoint == "/Groups" {
                    let members = document.get("members").and_then(Value::as_array).into_iter().flatten();
                    let members = members.map(|member| member["value"].as_str().unwrap().to_owned());
                    world.members.insert(id.clone(), members.collect());
                }
                for derived in ["id", "meta", "members", "groups"] {
                    document.shift_remove(derived);
                }
                world.resources.insert(id, document);
            }
        }
        world
    }

    /// What the log says, told forward.
    fn told(events: &[Value]) -> Self {
        let mut world = Self::default();
        for event in events {
            let id = event["subject"]["id"].as_str().unwrap_or_default().to_owned();
            let (of_user, data) = (event["subject"]["kind"] == "user", &event["data"]);
            match event["kind"].as_str().unwrap() {
                "user.deleted" | "group.deleted" => {
                    world.resources.remove(&id).expect("what is deleted was there");
                    world.members.remove(&id);
                }
                "user.created" | "user.updated" | "group.created" | "group.updated" => {
                    let sides = if of_user { event } else { data };
                    let document = world.resources.entry(id.clone()).or_default();
                    Changes::read(sides).unwrap().forward(document);
                    if !of_user {
                        world.move_members(&id, data);
                    }
                }
                _ => {}
            }
        }
        world
    }

    fn move_members(&mut self, group: &str, data: &Value) {
        let ids = |name: &str| {
            let ids = data[name].as_array().cloned().unwrap_or_default();
            ids.into_iter().map(|id| id.as_str().unwrap().to_owned())
        };
        let members = self.members.entry(group.to_owned()).or_default();
        for joined in ids("members_added") {
            assert!(members.insert(joined), "who joins was no member");
        }
        for left in ids("members_removed") {
            assert!(members.remove(&left), "who leaves was a member");
        }
    }
}

/// Everything that the log says, from its beginning.
pub async fn events(desk: &Desk) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let page = desk
            .get(&format!("/events?limit=500&after={after}"))
            .await
            .status(200)
            .json;
        all.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return all,
        }
    }
}

fn whole(dice: &mut Dice, number: usize) -> Value {
    let mut more = json!({ "externalId": format!("x{}", dice.below(1_000_000)), "active": dice.below(4) > 0 });
    if dice.below(2) == 0 {
        more["emails"] = json!([{ "value": format!("a{number}@example.com"), "type": "work", "primary": true }]);
    }
    if dice.below(2) == 0 {
        more[ENTERPRISE] = json!({ "department": format!("d{}", dice.below(3)), "costCenter": "7" });
    }
    user(&format!("u{number}"), more)
}

fn operation(dice: &mut Dice) -> Value {
    let number = dice.below(1_000);
    match dice.below(7) {
        0 => json!({ "op": "replace", "path": "title", "value": format!("t{number}") }),
        1 => json!({ "op": "remove", "path": "emails" }),
        2 => {
            json!({ "op": "add", "path": "emails", "value": [{ "value": format!("b{number}@example.com"), "type": "home" }] })
        }
        3 => json!({ "op": "replace", "path": format!("{ENTERPRISE}:department"), "value": format!("d{number}") }),
        4 => json!({ "op": "remove", "path": ENTERPRISE }),
        5 => json!({ "op": "replace", "path": "externalId", "value": format!("y{number}") }),
        _ => {
            json!({ "op": "replace", "value": { "active": number.is_multiple_of(2), "nickName": format!("n{number}") } })
        }
    }
}

/// One request; whether it is refused does not matter.
async fn request(house: &TestHouse, dice: &mut Dice, number: usize, users: &mut Vec<String>, groups: &mut Vec<String>) {
    let members = |dice: &mut Dice, users: &[String]| -> Vec<Value> {
        let one = |dice: &mut Dice| json!({ "value": dice.pick(users) });
        (0..dice.below(4)).map(|_| one(dice)).collect()
    };
    match dice.below(12) {
        0 | 1 => users.push(house.post("/Users", whole(dice, number)).await.status(201).id()),
        2 => {
            let group = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": format!("g{number}"), "externalId": format!("e{number}"), "members": members(dice, users),
            });
            groups.push(house.post("/Groups", group).await.status(201).id());
        }
        3 => drop(
            house
                .put(&format!("/Users/{}", dice.pick(users)), whole(dice, number))
                .await,
        ),
        4..=6 => {
            let operations: Vec<_> = (0..=dice.below(3)).map(|_| operation(dice)).collect();
            drop(
                house
                    .patch(&format!("/Users/{}", dice.pick(users)), json!(operations))
                    .await,
            );
        }
        7 | 8 => {
            let op = *dice.pick(&["add", "replace"]);
            let operations = json!([{ "op": op, "path": "members", "value": members(dice, users) }]);
            drop(house.patch(&format!("/Groups/{}", dice.pick(groups)), operations).await);
        }
        9 => {
            let path = format!("members[value eq \"{}\"]", dice.pick(users));
            let operations = json!([
                { "op": "remove", "path": path },
                { "op": "replace", "path": "displayName", "value": format!("renamed{number}") },
            ]);
            drop(house.patch(&format!("/Groups/{}", dice.pick(groups)), operations).await);
        }
        10 if users.len() > 3 => {
            let gone = users.swap_remove(dice.below(users.len()));
            house.delete(&format!("/Users/{gone}")).await.no_content();
        }
        _ if groups.len() > 2 => {
            let gone = groups.swap_remove(dice.below(groups.len()));
            house.delete(&format!("/Groups/{gone}")).await.no_content();
        }
        _ => {}
    }
}

each_database! {
    async fn the_log_alone_gives_what_is_stored(house: TestHouse) {
        let mut dice = Dice::new(seed(), 0);
        let (mut users, mut groups) = (vec![house.user("first").await], vec![house.group("first").await]);
        for number in 0..REQUESTS {
            request(&house, &mut dice, number, &mut users, &mut groups).await;
        }
        let told = World::told(&events(&Desk::admin(&house)).await);
        let served = World::served(&house).await;
        assert!(served.resources.len() > 5);
        assert_eq!(told, served);
    }

    async fn what_is_personal_stands_nowhere_in_clear_and_is_opened_for_auditors(house: TestHouse) {
        const CANARY: &str = "qzvkxwjhplmtrbng";
        let body = user("ada", json!({
            "userName": CANARY, "title": CANARY, "externalId": CANARY, "name": { "familyName": CANARY },
            ENTERPRISE: { "department": CANARY },
        }));
        let id = house.post("/Users", body).await.status(201).id();
        let desk = Desk::admin(&house);
        desk.post("/ownership", json!({ "to": id, "break_glass": CANARY })).await.status(200);
        house.turn().await;
        let log = house.dump().await;
        for table in ["event", "entry"] {
            assert!(log.table(table).iter().all(|row| !row.contains(CANARY)), "a value stands in {table}");
        }
        let told = desk.get(&format!("/events?subject={id}")).await.status(200).json;
        let created = &told["items"][0];
        assert_eq!((&created["after"]["title"], &created["after"]["externalId"]), (&json!(CANARY), &json!(CANARY)));
        assert_eq!(created["before"], Value::Null);
        let transferred = told["items"].as_array().unwrap().iter().find(|event| event["kind"] == "ownership.transferred");
        assert_eq!(transferred.unwrap()["reason"], CANARY);
    }

    async fn without_the_key_of_a_person_the_log_says_that_they_were_erased(house: TestHouse) {
        let ada = house.user("ada").await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.database.execute("UPDATE tombstone SET seal = NULL").await;
        let told = Desk::admin(&house).get(&format!("/events?subject={ada}")).await.status(200).json;
        let told = told["items"].as_array().unwrap();
        assert_eq!(told.iter().map(|event| event["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["user.created", "user.deleted"]);
        assert!(told.iter().all(|event| event["erased"] == true && event.get("after").is_none()));
    }
}
