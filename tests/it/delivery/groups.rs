//! What tokens with values say of groups: who is in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::pushes::Stream;
use super::token::{PROV, Set};
use crate::support::TestHouse;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn full(what: &str) -> String {
    format!("{PROV}{what}:full")
}

/// A stream that is told these with values.
async fn stream(house: &TestHouse, events: &[&str]) -> Stream {
    let events: Vec<String> = events.iter().map(|event| full(event)).collect();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    Stream::of(house, &events).await
}

fn members(ids: &[&String]) -> Value {
    ids.iter().map(|id| json!({"value": id})).collect()
}

fn group(name: &str, ids: &[&String]) -> Value {
    json!({"schemas": [GROUP], "displayName": name, "members": members(ids)})
}

/// Who is in a group for somebody who knows only what they were told.
fn told(sets: &[Set]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let id = |member: &Value| member["value"].as_str().unwrap().to_owned();
    for set in sets {
        let events = set.claims["events"].as_object().unwrap();
        if let Some(created) = events.get(&full("create")) {
            let members = created["data"]["members"].as_array().cloned().unwrap_or_default();
            known = members.iter().map(id).collect();
        }
        let operations = events
            .get(&full("patch"))
            .map(|patched| patched["data"]["Operations"].clone());
        for operation in operations.iter().filter_map(Value::as_array).flatten() {
            let path = operation["path"].as_str().unwrap();
            if let Some(left) = path.strip_prefix("members[value eq \"") {
                known.remove(left.trim_end_matches("\"]"));
            } else if path == "members" {
                known.extend(operation["value"].as_array().unwrap().iter().map(id));
            }
        }
    }
    known
}

each_database! {
    async fn whoever_is_told_a_group_as_a_whole_learns_who_is_in_it(house: TestHouse) {
        let stream = stream(&house, &["create", "put"]).await;
        let (mia, bob, eve) = (house.user("mia").await, house.user("bob").await, house.user("eve").await);
        stream.told().await;
        let sales = house.post("/Groups", group("Sales", &[&mia, &bob])).await.status(201).id();
        let made = stream.one().await;
        assert_eq!(made.events(), [full("create")]);
        assert_eq!(told(std::slice::from_ref(&made)), BTreeSet::from([mia.clone(), bob.clone()]));
        let path = format!("/Groups/{sales}");
        house.put(&path, group("Sales North", &[&bob, &eve])).await.status(200);
        let put = stream.one().await;
        let mut events = put.events();
        events.sort_unstable();
        assert_eq!(events, [full("patch"), full("put")]);
        let said = &put.claims["events"];
        assert_eq!(said[full("put")]["data"]["displayName"], "Sales North");
        assert_eq!(said[full("patch")]["data"]["Operations"], json!([
            {"op": "add", "path": "members", "value": [{"value": eve}]},
            {"op": "remove", "path": format!("members[value eq \"{mia}\"]")},
        ]));
        assert_eq!(told(&[made, put]), BTreeSet::from([bob.clone(), eve.clone()]));
        house.put(&path, group("Sales", &[&bob, &eve])).await.status(200);
        assert_eq!(stream.one().await.events(), [full("put")], "nobody joined or left");
        house.join(&sales, &mia).await;
        assert_eq!(stream.told().await, [], "it did not ask to be told of a PATCH");
    }

    async fn more_members_than_one_event_names_are_all_told(house: TestHouse) {
        let stream = stream(&house, &["create"]).await;
        let mut ids = Vec::new();
        for number in 0..1_001 {
            ids.push(house.user(&format!("u{number}")).await);
        }
        while !stream.told().await.is_empty() {}
        let all: Vec<&String> = ids.iter().collect();
        house.post("/Groups", group("Everybody", &all)).await.status(201);
        let sets = stream.told().await;
        assert_eq!(sets.iter().map(|set| set.events()[0]).collect::<Vec<_>>(), [full("create"), full("patch")]);
        assert_eq!(told(&sets), ids.into_iter().collect());
    }

    async fn what_comes_back_is_told_before_who_is_in_it(house: TestHouse) {
        let stream = stream(&house, &["create"]).await;
        let mia = house.user("mia").await;
        let sales = house.post("/Groups", group("Sales", &[&mia])).await.status(201).id();
        house.delete(&format!("/Groups/{sales}")).await.no_content();
        stream.told().await;
        stream.desk.post(&format!("/groups/{sales}/restore"), json!({})).await.status(200);
        let sets = stream.told().await;
        assert_eq!(sets.iter().map(|set| set.events()[0]).collect::<Vec<_>>(), [full("create"), full("patch")]);
        assert_eq!(told(&sets), BTreeSet::from([mia.clone()]));
        house.delete(&format!("/Users/{mia}")).await.no_content();
        stream.desk.post(&format!("/users/{mia}/restore"), json!({})).await.status(200);
        house.turn().await;
        let log = stream.desk.get("/events?limit=100").await.status(200).json["items"].clone();
        let kinds: Vec<&str> = log.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        let came = kinds.iter().position(|kind| *kind == "user.restored").unwrap();
        assert_eq!(kinds[came + 1], "group.updated", "{kinds:?}");
    }
}
