//! What becomes of held requests that come again, are taken back, or cannot be made.

use std::time::Duration;

use serde_json::{Value, json};

use super::words::{Fused, off};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::program::run;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Nothing may be taken away without being held.
fn nothing() -> Value {
    let none = json!({"percent": 0, "least": 0});
    json!({"deactivations": none, "deletions": none, "departures": none, "renames": none, "beyond": "hold"})
}

fn on() -> Value {
    json!([{"op": "replace", "path": "active", "value": true}])
}

/// What has become of the requests of the hold of what there was too much of.
async fn changes(fused: &Fused, what: &str) -> Value {
    let holds = fused.desk.get("/holds").await.status(200).json;
    let mut holds = holds["items"].as_array().unwrap().iter();
    holds.find(|hold| hold["what"] == what).unwrap()["changes"].clone()
}

/// Approves every hold.
async fn approve(fused: &Fused) {
    let holds = fused.desk.get("/holds").await.status(200).json;
    for hold in holds["items"].as_array().unwrap() {
        let path = format!("/holds/{}/approve", hold["id"].as_str().unwrap());
        fused.desk.post(&path, json!({})).await.status(202);
    }
}

each_database! {
    async fn a_request_that_comes_again_takes_no_room(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(2).await;
        for user in [0, 0, 1, 0] {
            fused.house.delete(&format!("/Users/{}", users[user])).await.status(202);
        }
        let dump = fused.house.dump().await;
        let [hold] = dump.table("hold") else { panic!("one hold") };
        assert!(hold.contains("held=2") || hold.contains("held='2'"), "{hold}");
        assert_eq!(fused.events("request.parked").await, 2);
    }

    async fn what_a_client_takes_back_is_not_made(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let house = &fused.house;
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.status(201).id();
        let path = format!("/Users/{ada}");
        house.patch(&path, off()).await.status(202);
        let title = json!([{"op": "replace", "path": "title", "value": "Chief"}]);
        house.patch(&path, title.clone()).await.status(200);
        assert_eq!(changes(&fused, "deactivations").await["waiting"], 1, "this says nothing of it");
        let version = house.get(&path).await.header("etag").to_owned();
        house.patch(&path, on()).await.status(200);
        assert_eq!(house.get(&path).await.header("etag"), version, "it was active all the while");
        assert_eq!(changes(&fused, "deactivations").await, json!({"waiting": 0, "applied": 0, "failed": 0, "dismissed": 1}));

        let rename = json!([{"op": "replace", "path": "userName", "value": "eve"}]);
        house.patch(&path, rename).await.status(202);
        house.put(&path, user("ada", json!({"active": true}))).await.status(200);
        house.delete(&path).await.status(202);
        house.patch(&path, title).await.status(200);
        for what in ["renames", "deletions"] {
            assert_eq!(changes(&fused, what).await["dismissed"], 1, "{what}");
        }
        let events = fused.desk.get("/events?kind=request.dismissed").await.status(200).json;
        let told: Vec<&Value> = events["items"].as_array().unwrap().iter().map(|event| &event["data"]["taken_back"]).collect();
        assert_eq!(told, [true, true, true]);
        approve(&fused).await;
        let ada = house.get(&path).await.status(200).json;
        assert_eq!((&ada["active"], &ada["userName"]), (&json!(true), &json!("ada")));
    }

    async fn a_member_who_is_put_back_stays_and_the_others_go(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let house = &fused.house;
        let users = fused.users(3).await;
        let sales = house.group("Sales").await;
        let path = format!("/Groups/{sales}");
        for user in &users {
            house.join(&sales, user).await;
        }
        for user in &users[..2] {
            let remove = json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]);
            house.patch(&path, remove).await.status(202);
        }
        let newcomer = house.user("newcomer").await;
        house.join(&sales, &newcomer).await;
        assert_eq!(changes(&fused, "departures").await["waiting"], 2);
        house.join(&sales, &users[0]).await;
        assert_eq!(changes(&fused, "departures").await["waiting"], 1);
        approve(&fused).await;
        let mut left = house.get(&path).await.values_of("members");
        left.sort();
        let mut expected = vec![users[0].clone(), users[2].clone(), newcomer];
        expected.sort();
        assert_eq!(left, expected);
    }

    async fn however_many_are_held_about_a_group_whoever_is_put_back_stays(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let house = &fused.house;
        let users = fused.users(102).await;
        let members: Vec<Value> = users.iter().map(|user| json!({"value": user})).collect();
        let sales = house.post("/Groups", json!({"schemas": [GROUP], "displayName": "Sales", "members": members})).await.status(201).id();
        let path = format!("/Groups/{sales}");
        for user in &users {
            let remove = json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]);
            house.patch(&path, remove).await.status(202);
        }
        assert_eq!(changes(&fused, "departures").await["waiting"], 102);
        house.join(&sales, &users[101]).await;
        assert_eq!(changes(&fused, "departures").await["waiting"], 101, "not one of the oldest hundred");
        let back = json!([{"op": "add", "path": "members", "value": members}]);
        house.patch(&path, back).await;
        assert_eq!(changes(&fused, "departures").await["waiting"], 0);
    }

    async fn what_agrees_with_a_deletion_does_not_take_it_back(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 0}, "beyond": "hold"})).await;
        let house = &fused.house;
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        house.delete(&format!("/Users/{ada}")).await.status(202);
        house.delete(&format!("/Groups/{sales}")).await.status(202);
        house.patch(&format!("/Users/{ada}"), off()).await.status(200);
        let remove = json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}]);
        house.patch(&format!("/Groups/{sales}"), remove).await;
        assert_eq!(changes(&fused, "deletions").await["waiting"], 2);
        house.patch(&format!("/Users/{ada}"), on()).await.status(200);
        house.join(&sales, &ada).await;
        assert_eq!(changes(&fused, "deletions").await["dismissed"], 2);
    }

    async fn one_that_cannot_be_read_any_more_has_failed(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(3).await;
        for user in &users {
            fused.house.delete(&format!("/Users/{user}")).await.status(202);
        }
        let first = fused.changes().await[0]["id"].as_str().unwrap().to_owned();
        let spoil = format!("UPDATE pending SET request = '{{' WHERE uid = '{first}'");
        assert_eq!(fused.house.database.execute(&spoil).await, 1);
        let hold = fused.decide("approve").await;
        assert_eq!((&hold["state"], &hold["changes"]), (&json!("approved"), &json!({"waiting": 0, "applied": 2, "failed": 1, "dismissed": 0})));
        assert_eq!(fused.there().await, 1);
        let reason = fused.changes().await[0]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("cannot be read"), "{reason}");
    }

    async fn what_is_approved_waits_while_the_organisation_is_shut(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        for user in fused.users(3).await {
            fused.house.patch(&format!("/Users/{user}"), off()).await.status(202);
        }
        fused.desk.post("/tenant/suspend", json!({"users": "keep"})).await.status(202);
        let hold = fused.hold().await["id"].as_str().unwrap().to_owned();
        run(&fused.house.database, &["hold", "approve", "--tenant", "acme", &hold]);
        for _ in 0..2 {
            assert_eq!(changes(&fused, "deactivations").await, json!({"waiting": 3, "applied": 0, "failed": 0, "dismissed": 0}));
            fused.house.turn().await;
        }
        fused.desk.post("/tenant/resume", json!({})).await.status(202);
        fused.house.turn().await;
        assert_eq!(changes(&fused, "deactivations").await, json!({"waiting": 0, "applied": 3, "failed": 0, "dismissed": 0}));
        assert_eq!(fused.hold().await["state"], "approved");
    }

    async fn a_fault_of_ours_keeps_nothing_else_back_and_is_given_up_after_an_hour(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(3).await;
        for user in &users[..2] {
            fused.house.patch(&format!("/Users/{user}"), off()).await.status(202);
        }
        fused.house.delete(&format!("/Users/{}", users[2])).await.status(202);
        // Their key does not open any more.
        let spoil = format!("UPDATE resource SET seal = 'broken' WHERE id = '{}'", users[0]);
        assert_eq!(fused.house.database.execute(&spoil).await, 1);
        approve(&fused).await;
        fused.house.turn().await;
        assert_eq!(changes(&fused, "deactivations").await, json!({"waiting": 1, "applied": 1, "failed": 0, "dismissed": 0}));
        assert_eq!(changes(&fused, "deletions").await["applied"], 1, "of the next hold");
        fused.house.clock().advance(Duration::from_hours(1));
        fused.house.turn().await;
        assert_eq!(changes(&fused, "deactivations").await, json!({"waiting": 0, "applied": 1, "failed": 1, "dismissed": 0}));
        assert_eq!(fused.events("hold.finished").await, 2);
    }
}
