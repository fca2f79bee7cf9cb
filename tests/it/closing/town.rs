//! Who asks, and what is looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::desk::{Desk, token};
use crate::log::folded::events;
use crate::support::TestHouse;

/// Makes another connection; gives its id, and the house as it sees it.
pub async fn another(house: &TestHouse, name: &str) -> (String, TestHouse) {
    let desk = Desk::admin(house);
    let id = desk
        .post("/connections", json!({ "name": name }))
        .await
        .status(201)
        .id();
    let token = token(house, "acme", &["--connection", name]);
    (id, house.with_token(Some(&token)))
}

/// Id of the connection that the house asks by.
pub async fn own(desk: &Desk) -> String {
    let all = desk.get("/connections").await.status(200).json;
    let items = all["items"].as_array().unwrap();
    let own = items.iter().find(|one| one["name"] == "test").unwrap();
    own["id"].as_str().unwrap().to_owned()
}

/// Servers do what there is to do, once requests that were under way are over.
pub async fn work(house: &TestHouse) {
    house.clock().advance(Duration::from_secs(5));
    house.turn().await;
}

/// What each of these is.
pub async fn statuses(desk: &Desk, users: &[&String]) -> Vec<String> {
    let mut statuses = Vec::new();
    for user in users {
        let status = desk.get(&format!("/users/{user}/status")).await;
        let status = if status.status == 404 {
            "gone".into()
        } else {
            status.status(200).json["status"].clone()
        };
        statuses.push(status.as_str().unwrap().to_owned());
    }
    statuses
}

/// How often each kind of event was told of what became of users and of what is suspended.
pub async fn told(desk: &Desk) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for event in events(desk).await {
        let kind = event["kind"].as_str().unwrap().to_owned();
        *told.entry(kind).or_default() += 1;
    }
    told
}

/// The last event of a kind.
pub async fn last(desk: &Desk, kind: &str) -> Value {
    let events = events(desk).await;
    let found = events.into_iter().rev().find(|event| event["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind}"))
}
