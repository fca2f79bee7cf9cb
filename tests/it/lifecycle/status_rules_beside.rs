//! Rules of status beside everything else that decides who may come in: leaves, restores, people who come again, undo, the
//! past, connections that are suspended, invitations.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::status_rules::{LEFT, decide, free, held, left, made, moved, of, status};
use super::undo::{Scene, counts};
use crate::admin::desk::{Desk, Problems};
use crate::closing::town::{another, work};
use crate::history::town;
use crate::support::TestHouse;

async fn pass(house: &TestHouse, seconds: u64) {
    house.clock().advance(Duration::from_secs(seconds));
    house.turn().await;
}

/// A leave of absence until one o'clock.
async fn leave(desk: &Desk, id: &str) {
    let body = json!({"from": "2026-01-01T00:30:00Z", "until": "2026-01-01T01:00:00Z"});
    let path = format!("/api/v1/users/{id}/leave");
    desk.ask(Method::PUT, &path, Some(body), &[]).await.status(200);
}

each_database! {
    async fn a_leave_outlasts_a_rule_and_ends_in_one_that_holds(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("suspended")])).await;
        let (ada, bob) = (made(&house, "ada", "left").await, made(&house, "bob", "sales").await);
        leave(&desk, &ada).await;
        leave(&desk, &bob).await;
        pass(&house, 1800).await;
        assert_eq!((status(&desk, &ada).await, status(&desk, &bob).await), (free("suspended"), free("suspended")));
        moved(&house, &ada, "sales").await.status(200);
        moved(&house, &bob, "left").await.status(200);
        assert_eq!((status(&desk, &ada).await, status(&desk, &bob).await), (free("suspended"), free("suspended")));
        pass(&house, 1800).await;
        assert_eq!((status(&desk, &ada).await, status(&desk, &bob).await), (free("active"), held("suspended")));
        assert_eq!(desk.get("/schedules?state=failed").await.json["items"], json!([]));
    }

    async fn whoever_comes_back_is_asked_about_anew(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("suspended")])).await;
        let ids = [made(&house, "ada", "left").await, made(&house, "bob", "left").await, made(&house, "eve", "sales").await];
        for id in &ids {
            house.delete(&format!("/Users/{id}")).await.no_content();
        }
        let restore = async |id: &str, body: Value| desk.post(&format!("/users/{id}/restore"), body).await.status(200);
        restore(&ids[0], json!({})).await;
        assert_eq!(status(&desk, &ids[0]).await, held("suspended"));
        let titled = json!({"name": "Named", "when": "userName sw \"e\"", "status": "deactivated"});
        decide(&house, &desk, json!([titled])).await;
        restore(&ids[1], json!({})).await;
        assert_eq!(status(&desk, &ids[1]).await, free("active"), "the rule is gone");
        restore(&ids[2], json!({"active": true})).await;
        assert_eq!(status(&desk, &ids[2]).await, ("deactivated".to_owned(), Some("Named".to_owned())));
        house.delete(&format!("/Users/{}", ids[2])).await.no_content();
        restore(&ids[2], json!({"user_name": "adele"})).await;
        assert_eq!(status(&desk, &ids[2]).await, free("active"), "the name under which they come back counts");
    }

    async fn somebody_new_of_the_same_name_is_not_kept_out_by_what_was_known_of_the_former(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("deactivated")])).await;
        let ada = made(&house, "ada", "left").await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let again = house.post("/Users", of("ada", "sales")).await.status(201);
        assert_eq!((&again.json["active"], again.header("muster-ignored-attributes")), (&json!(true), ""));
        assert_eq!(status(&desk, &again.id()).await, free("active"));
    }

    async fn whoever_is_linked_to_who_they_were_is_what_rules_make_of_them_now(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.patch("/settings", json!({"rehire": "link"})).await.status(200);
        decide(&house, &desk, json!([left("suspended")])).await;
        let person = |department: &str| {
            let mut body = of("ada", department);
            body["externalId"] = json!("hr-1");
            body
        };
        let ada = house.post("/Users", person("left")).await.status(201).id();
        for (department, expected) in [("sales", free("active")), ("left", held("suspended")), ("left", held("suspended")), ("away", free("active"))] {
            house.delete(&format!("/Users/{ada}")).await.no_content();
            let again = house.post("/Users", person(department)).await.status(201);
            assert_eq!(again.id(), ada);
            assert_eq!(again.json["active"], json!(expected == free("active")));
            assert_eq!(status(&desk, &ada).await, expected, "{department}");
        }
    }

    async fn what_followed_from_a_rule_is_taken_back_with_what_it_followed_from(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        decide(house, desk, json!([left("suspended")])).await;
        let (ada, bob, eve) = (made(house, "ada", "sales").await, made(house, "bob", "left").await, made(house, "eve", "left").await);
        let mut off = of("lin", "left");
        off["active"] = json!(false);
        let lin = house.post("/Users", off).await.status(201).id();
        let before = scene.sheet().await;
        let from = scene.later().await;
        moved(house, &ada, "left").await.status(200);
        moved(house, &bob, "sales").await.status(200);
        scene.put(&format!("/Users/{eve}"), "active", json!(false)).await;
        scene.put(&format!("/Users/{lin}"), "active", json!(true)).await;
        let new = made(house, "mia", "left").await;
        assert_eq!((status(desk, &eve).await, status(desk, &lin).await), (free("deactivated"), held("suspended")));
        let to = scene.later().await;
        let done = scene.undo(json!({"connection": "test", "from": from, "to": to})).await;
        assert_eq!(counts(&done), [0, 1, 4, 0], "{done}");
        scene.sheet().await.is(&before);
        assert_eq!((status(desk, &ada).await, status(desk, &bob).await), (free("active"), held("suspended")));
        assert_eq!((status(desk, &eve).await, status(desk, &lin).await), (held("suspended"), free("deactivated")));
        house.get(&format!("/Users/{new}")).await.error(404, None);
    }

    async fn the_past_knows_whom_a_rule_kept_out(house: TestHouse) {
        let desk = town::desk(&house);
        decide(&house, &desk, json!([left("deactivated")])).await;
        // The past is what is numbered.
        let later = async || {
            house.turn().await;
            house.clock().advance(Duration::from_secs(30));
            let at = house.clock().now().rfc3339();
            house.clock().advance(Duration::from_secs(30));
            at
        };
        let ada = made(&house, "ada", "sales").await;
        let first = later().await;
        moved(&house, &ada, "left").await.status(200);
        let second = later().await;
        moved(&house, &ada, "sales").await.status(200);
        let third = later().await;
        for (at, expected) in [(&first, "active"), (&second, "deactivated"), (&third, "active")] {
            let then = desk.get(&format!("/users/{ada}/access?as_of={at}")).await.status(200).json;
            assert_eq!(then["status"], expected, "{at}");
            let then = desk.get(&format!("/users/{ada}?as_of={at}")).await.status(200).json;
            assert!(then.get("gaps").is_none_or(|gaps| gaps == &json!([])), "{then}");
        }
    }

    async fn a_connection_that_is_suspended_keeps_out_whom_a_rule_lets_go(house: TestHouse) {
        let desk = Desk::admin(&house);
        decide(&house, &desk, json!([left("suspended")])).await;
        let (id, okta) = another(&house, "okta").await;
        let ada = made(&okta, "ada", "left").await;
        desk.post(&format!("/connections/{id}/suspend"), json!({"users": "suspend"})).await.status(202);
        work(&house).await;
        assert_eq!(status(&desk, &ada).await, free("suspended"));
        decide(&house, &desk, json!([])).await;
        assert_eq!(status(&desk, &ada).await, free("suspended"));
        decide(&house, &desk, json!([left("suspended")])).await;
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        assert_eq!(status(&desk, &ada).await, held("suspended"));
        decide(&house, &desk, json!([])).await;
        assert_eq!(status(&desk, &ada).await, free("active"));
    }

    async fn whoever_was_invited_stays_so_and_cannot_come_while_a_rule_holds(house: TestHouse) {
        let desk = Desk::admin(&house);
        let rule = json!({"name": LEFT, "when": "emails.value ew \"@gone.example\"", "status": "suspended"});
        decide(&house, &desk, json!([rule])).await;
        let asked = json!({"emails": "ada@gone.example", "role": "analyst"});
        let told = desk.post("/invitations", asked).await.status(200).json;
        let ada = told["items"][0]["user"].as_str().unwrap().to_owned();
        assert_eq!(status(&desk, &ada).await, free("invited"));
        desk.post(&format!("/users/{ada}/activate"), json!({})).await.problem(409, "conflict");
        assert_eq!(status(&desk, &ada).await, free("invited"));
        decide(&house, &desk, json!([])).await;
        desk.post(&format!("/users/{ada}/activate"), json!({})).await.status(200);
        assert_eq!(status(&desk, &ada).await, free("active"));
    }
}
