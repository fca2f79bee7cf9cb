//! What a restore gives back of what has changed meanwhile, and what it tells.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::{Desk, texts};
use crate::api::bodies::{group, user};
use crate::support::TestHouse;

async fn delete(house: &TestHouse, path: &str) {
    house.delete(path).await.no_content();
}

/// What a restore leaves out: what, id and why.
async fn restore(desk: &Desk, path: &str, how: Value) -> Vec<(String, String, String)> {
    let restored = desk.post(&format!("{path}/restore"), how).await.status(200).json;
    let text = |left: &Value, name: &str| left[name].as_str().unwrap().to_owned();
    let left = restored["left_out"].as_array().unwrap().iter();
    left.map(|left| (text(left, "what"), text(left, "id"), text(left, "why")))
        .collect()
}

/// The last event of a kind about something.
async fn told(desk: &Desk, kind: &str, id: &str) -> Value {
    let path = format!("/events?kind={kind}&subject={id}&limit=500");
    let events = desk.get(&path).await.status(200).json;
    events["items"]
        .as_array()
        .unwrap()
        .last()
        .unwrap_or_else(|| panic!("{kind} of {id}"))
        .clone()
}

/// A group whose members are the chiefs.
async fn chiefs(house: &TestHouse, desk: &Desk, name: &str) -> String {
    let smart = house.group(name).await;
    let rule = json!({"name": name, "when": "title eq \"Chief\"", "then": [{"group": smart}], "state": "active"});
    desk.post("/rules", rule).await.status(201);
    smart
}

each_database! {
    async fn nobody_comes_into_a_smart_group_by_a_restore(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let eve = house.post("/Users", user("eve", json!({"title": "Chief"}))).await.status(201).id();
        let sales = house.post("/Groups", group("Sales", &[&ada, &bob])).await.status(201).id();
        let smart = chiefs(&house, &desk, "Chiefs").await;
        delete(&house, &format!("/Groups/{sales}")).await;
        let left = restore(&desk, &format!("/groups/{sales}"), json!({"into": smart})).await;
        let expected = [&ada, &bob].map(|id| ("membership".to_owned(), id.clone(), "rules say who is in `Chiefs`".to_owned()));
        assert_eq!(left, expected);
        assert_eq!(house.get(&format!("/Groups/{smart}")).await.values_of("members"), [eve]);
        assert_eq!(house.dump().await.table("member").len(), 0);

        let berlin = house.group("Berlin").await;
        house.join(&berlin, &ada).await;
        delete(&house, &format!("/Users/{ada}")).await;
        let rule = json!({"name": "Berlin", "when": "title eq \"Chief\"", "then": [{"group": berlin}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let left = restore(&desk, &format!("/users/{ada}"), json!({})).await;
        assert_eq!(left, [("membership".to_owned(), berlin, "rules say who is in `Berlin`".to_owned())]);
        assert_eq!(house.get(&format!("/Users/{ada}")).await.values_of("groups"), Vec::<String>::new());
    }

    async fn a_membership_comes_back_with_whichever_end_comes_back_last(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        let (user, group) = (format!("/users/{ada}"), format!("/groups/{sales}"));
        let (at_user, at_group) = (format!("/Users/{ada}"), format!("/Groups/{sales}"));
        for (first, second) in [(&at_group, &at_user), (&at_user, &at_group)] {
            for (one, other) in [(&group, &user), (&user, &group)] {
                delete(&house, first).await;
                delete(&house, second).await;
                // Which of them says that the other is gone depends on which went first.
                restore(&desk, one, json!({})).await;
                assert_eq!(restore(&desk, other, json!({})).await, []);
                assert_eq!(house.get(&at_user).await.values_of("groups"), std::slice::from_ref(&sales));
                assert_eq!(house.get(&at_group).await.values_of("members"), std::slice::from_ref(&ada));
            }
        }
        assert_eq!(house.dump().await.table("tombstone_member").len(), 0);
    }

    async fn whoever_was_given_what_a_member_had_is_in_the_group_when_it_comes_back(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob, sales) = (house.user("ada").await, house.user("bob").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        delete(&house, &format!("/Users/{ada}")).await;
        delete(&house, &format!("/Groups/{sales}")).await;
        restore(&desk, &format!("/users/{ada}"), json!({"into": bob})).await;
        restore(&desk, &format!("/groups/{sales}"), json!({})).await;
        assert_eq!(house.get(&format!("/Groups/{sales}")).await.values_of("members"), [bob]);
    }

    async fn a_group_that_is_given_members_has_another_version(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, other) = (house.user("ada").await, house.group("Other").await);
        let sales = house.post("/Groups", group("Sales", &[&ada])).await.status(201).id();
        delete(&house, &format!("/Groups/{sales}")).await;
        let before = house.get(&format!("/Groups/{other}")).await.header("etag").to_owned();
        restore(&desk, &format!("/groups/{sales}"), json!({"into": other})).await;
        let after = house.get(&format!("/Groups/{other}")).await.header("etag").to_owned();
        assert_ne!(before, after);
        let event = told(&desk, "group.updated", &other).await;
        assert_eq!(after, format!("W/\"{}\"", event["data"]["version"]));
        delete(&house, &format!("/Users/{ada}")).await;
        restore(&desk, &format!("/users/{ada}"), json!({})).await;
        let event = told(&desk, "group.updated", &other).await;
        assert_eq!(house.get(&format!("/Groups/{other}")).await.header("etag"), format!("W/\"{}\"", event["data"]["version"]));
    }

    async fn a_leave_that_ended_meanwhile_has_ended(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let leave = json!({"until": "2026-01-01T00:00:20Z"});
        desk.ask(Method::PUT, &format!("/api/v1/users/{ada}/leave"), Some(leave), &[]).await.status(200);
        house.turn().await;
        let status = async || desk.get(&format!("/users/{ada}/status")).await.status(200).json;
        assert_eq!(status().await["status"], "suspended");
        delete(&house, &format!("/Users/{ada}")).await;
        restore(&desk, &format!("/users/{ada}"), json!({})).await;
        assert_eq!(status().await["status"], "suspended", "it goes on");
        assert_eq!(told(&desk, "user.restored", &ada).await["data"]["status"], "suspended");
        delete(&house, &format!("/Users/{ada}")).await;
        house.clock().advance(Duration::from_secs(25));
        house.turn().await;
        restore(&desk, &format!("/users/{ada}"), json!({})).await;
        assert_eq!(status().await["status"], "active");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], true);
        assert_eq!(house.dump().await.table("user_status").len(), 0);
        let event = told(&desk, "user.activated", &ada).await;
        assert_eq!((&event["data"]["from"], &event["data"]["to"]), (&json!("suspended"), &json!("active")));
    }

    async fn the_log_says_what_somebody_is_again_and_who_calls_them_what(house: TestHouse) {
        let desk = Desk::admin(&house);
        let connections = desk.get("/connections").await.status(200).json;
        let ada = house.post("/Users", user("ada", json!({"externalId": "hr-7"}))).await.status(201).id();
        delete(&house, &format!("/Users/{ada}")).await;
        restore(&desk, &format!("/users/{ada}"), json!({"active": false})).await;
        let event = told(&desk, "user.restored", &ada).await;
        let data = json!({"version": 2, "left_out": 0, "called_by": texts(&connections, "name"), "status": "deactivated_by_source"});
        assert_eq!(event["data"], data);
        assert_eq!(told(&desk, "user.deactivated", &ada).await["data"]["from"], "active");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.header("etag"), "W/\"2\"");
    }

    async fn who_is_an_administrator_for_a_while_is_so_again_only_beside_one_for_good(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&bob, "admin", "all").await;
        let passing = json!({"subject": {"type": "user", "id": ada}, "role": "admin", "scope": "all", "valid_to": "2027-01-01T00:00:00Z"});
        let grant = desk.post("/grants", passing).await.status(201).id();
        desk.grant(&ada, "analyst", "all").await;
        let path = format!("/users/{ada}");
        delete(&house, &format!("/Users/{ada}")).await;
        restore(&desk, &path, json!({})).await;
        delete(&house, &format!("/Users/{ada}")).await;
        house.database.execute("DELETE FROM access_grant").await;
        let left = restore(&desk, &path, json!({})).await;
        let [(what, id, why)] = &left[..] else { panic!("{left:?}") };
        assert_eq!((what.as_str(), id), ("grant", &grant));
        assert!(why.contains("ends by itself"), "{why}");
        let access = desk.get(&format!("{path}/access")).await.status(200).json;
        assert_eq!(access["assignments"].as_array().unwrap().len(), 1, "{access}");
    }

    async fn who_is_restored_after_their_planned_end_has_ended(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut users = Vec::new();
        for name in ["ada", "bob", "cyd", "dora"] {
            let id = house.user(name).await;
            let plan = json!({"deactivate_at": "2026-01-01T01:00:00Z"});
            desk.ask(Method::PUT, &format!("/api/v1/users/{id}/schedule"), Some(plan), &[]).await.status(200);
            users.push(id);
        }
        let [ada, bob, cyd, dora] = &users[..] else { panic!("four users") };
        // One of the plans is cancelled by somebody while the user is deleted, and one of the users is there again in time.
        for user in &users {
            delete(&house, &format!("/Users/{user}")).await;
        }
        let plans = desk.get("/schedules").await.status(200).json;
        let plan = plans["items"][2]["id"].as_str().unwrap();
        desk.delete(&format!("/schedules/{plan}")).await.no_content();
        restore(&desk, &format!("/users/{bob}"), json!({})).await;
        house.clock().advance(Duration::from_hours(2));
        house.turn().await;
        assert_eq!(texts(&desk.get("/schedules?state=done").await.json, "action"), ["deactivate"]);
        restore(&desk, &format!("/users/{ada}"), json!({})).await;
        restore(&desk, &format!("/users/{cyd}"), json!({})).await;
        restore(&desk, &format!("/users/{dora}"), json!({"active": true})).await;
        house.turn().await;
        let mut statuses = Vec::new();
        for user in [ada, bob, cyd, dora] {
            statuses.push(desk.get(&format!("/users/{user}/status")).await.status(200).json["status"].clone());
        }
        assert_eq!(statuses, ["deactivated", "deactivated", "active", "active"]);
        assert_eq!(told(&desk, "user.deactivated", ada).await["actor"]["id"], "schedule");
    }

    async fn who_is_restored_in_the_middle_of_their_leave_is_on_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        for (user, until) in [(&ada, "2026-01-05T00:00:00Z"), (&bob, "2026-01-03T00:00:00Z")] {
            let leave = json!({"from": "2026-01-02T00:00:00Z", "until": until});
            desk.ask(Method::PUT, &format!("/api/v1/users/{user}/leave"), Some(leave), &[]).await.status(200);
            delete(&house, &format!("/Users/{user}")).await;
        }
        house.clock().advance(Duration::from_hours(72));
        house.turn().await;
        let status = async |user: &String| desk.get(&format!("/users/{user}/status")).await.status(200).json["status"].clone();
        for user in [&ada, &bob] {
            restore(&desk, &format!("/users/{user}"), json!({})).await;
        }
        house.turn().await;
        assert_eq!([status(&ada).await, status(&bob).await], ["suspended", "active"]);
        house.clock().advance(Duration::from_hours(48));
        house.turn().await;
        assert_eq!(status(&ada).await, "active");
    }
}
