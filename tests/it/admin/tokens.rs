//! `/tokens` and `/connections`: nobody makes a token that can do more than they can.

use serde_json::{Value, json};

use super::desk::{Desk, Problems, texts};
use crate::support::TestHouse;

fn secret(made: &Value) -> &str {
    made["token"].as_str().unwrap()
}

each_database! {
    async fn a_token_works_until_it_is_revoked_and_its_secret_is_shown_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        let made = desk.post("/connections", json!({"name": "hr", "dialect": "strict"})).await.status(201).json;
        assert_eq!((&made["name"], &made["dialect"]), (&json!("hr"), &json!("strict")));
        assert!(made["base_url"].as_str().unwrap().ends_with("/t/acme/scim/v2"), "{made}");
        assert!(texts(&desk.get("/connections").await.status(200).json, "name").contains(&"hr".to_owned()));
        let made = desk.post("/tokens", json!({"connection": "hr"})).await.status(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let made = made.json;
        let hr = house.with_token(Some(secret(&made)));
        hr.get("/Users").await.status(200);
        let list = desk.get("/tokens").await.status(200);
        assert!(!list.text.contains(secret(&made)));
        let listed = list.json["items"].as_array().unwrap().iter().find(|token| token["id"] == made["id"]).unwrap();
        assert_eq!((&listed["connection"], &listed["revoked"]), (&json!("hr"), &Value::Null));
        desk.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).await.status(204);
        hr.get("/Users").await.error(401, None);
        for taken in [json!({"name": "hr"}), json!({"name": ""}), json!({"name": "x", "dialect": "azure"})] {
            assert_eq!(desk.post("/connections", taken).await.status / 100, 4);
        }
    }

    async fn a_manager_makes_neither_tokens_of_connections_nor_of_administrators(house: TestHouse) {
        let (mia, ada) = (house.user("mia").await, house.user("ada").await);
        let desk = Desk::admin(&house);
        desk.grant(&mia, "manager", "all").await;
        desk.grant(&ada, "admin", "all").await;
        let manager = Desk::user(&house, &mia);
        manager.post("/connections", json!({"name": "hr"})).await.status(201);
        for holder in [json!({"connection": "hr"}), json!({"admin": true})] {
            let problem = manager.post("/tokens", holder.clone()).await.problem(403, "forbidden");
            assert!(problem["detail"].as_str().unwrap().contains("org.users.manage"), "{holder}: {problem}");
        }
        manager.post("/tokens", json!({"user": ada})).await.problem(403, "forbidden");
        let admins = texts(&desk.get("/tokens").await.json, "id").remove(0);
        manager.delete(&format!("/tokens/{admins}")).await.problem(403, "forbidden");
        let own = manager.post("/tokens", json!({"user": mia})).await.status(201).json;
        Desk::with(&house, secret(&own)).get("/scopes").await.status(200);
        manager.delete(&format!("/tokens/{}", own["id"].as_str().unwrap())).await.status(204);
        let admin = Desk::user(&house, &ada).post("/tokens", json!({"admin": true})).await.status(201).json;
        Desk::with(&house, secret(&admin)).get("/roles").await.status(200);
    }

    async fn nobody_becomes_the_owner_by_making_a_token_of_theirs(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let desk = Desk::admin(&house);
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        desk.grant(&bob, "admin", "all").await;
        desk.post("/tokens", json!({"user": ada})).await.problem(403, "forbidden");
        Desk::user(&house, &bob).post("/tokens", json!({"user": ada})).await.problem(403, "forbidden");
        desk.post("/tokens", json!({"user": bob})).await.status(201);
        Desk::user(&house, &ada).post("/tokens", json!({"user": ada})).await.status(201);
    }

    async fn a_token_made_for_the_next_owner_beforehand_ends_with_the_transfer(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let desk = Desk::admin(&house);
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        let planted = desk.post("/tokens", json!({"user": bob})).await.status(201).json;
        let bobs = Desk::with(&house, secret(&planted));
        let further = bobs.post("/tokens", json!({"user": bob})).await.status(201).json;
        let adas = Desk::user(&house, &ada);
        adas.post("/ownership", json!({"to": bob})).await.status(200);
        for token in [&planted, &further] {
            Desk::with(&house, secret(token)).get("/roles").await.problem(401, "unauthorized");
        }
        adas.get("/roles").await.status(200);
        desk.get("/roles").await.status(200);
        desk.post("/tokens", json!({"user": bob})).await.problem(403, "forbidden");
        Desk::user(&house, &bob).get("/roles").await.status(200);
    }

    async fn a_token_has_one_holder_that_is_there_and_an_end_that_has_not_passed(house: TestHouse) {
        let desk = Desk::admin(&house);
        for (body, pointer) in [
            (json!({"connection": "nowhere"}), "/connection"),
            (json!({"user": "nobody"}), "/user"),
            (json!({"admin": true, "user": "nobody"}), ""),
            (json!({"admin": true, "expires": "2025-12-31T00:00:00Z"}), "/expires"),
        ] {
            let problem = desk.post("/tokens", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}");
        }
        desk.post("/tokens", json!({})).await.problem(400, "missing-field");
        let made = desk.post("/tokens", json!({"admin": true, "expires": "2026-01-01T00:00:05Z"})).await.status(201).json;
        let short = Desk::with(&house, secret(&made));
        short.get("/roles").await.status(200);
        house.clock().advance(std::time::Duration::from_secs(5));
        short.get("/roles").await.problem(401, "unauthorized");
    }

    async fn a_token_ends_no_later_than_the_one_it_is_made_with(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.grant(&ada, "admin", "all").await;
        let made = desk.post("/tokens", json!({"user": ada, "expires": "2026-01-01T00:01:00Z"})).await.status(201).json;
        let short = Desk::with(&house, secret(&made));
        for holder in [json!({"user": ada}), json!({"connection": "test"})] {
            let mut body = holder.clone();
            body["expires"] = json!("2026-01-01T00:01:01Z");
            let problem = short.post("/tokens", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/expires", "{holder}");
            assert!(problem["detail"].as_str().unwrap().contains("`2026-01-01T00:01:00"), "{problem}");
            let silent = short.post("/tokens", holder.clone()).await.status(201).json;
            assert_eq!(silent["expires"], made["expires"], "{holder}");
            body["expires"] = json!("2026-01-01T00:00:30Z");
            let sooner = short.post("/tokens", body).await.status(201).json;
            assert!(sooner["expires"].as_str().unwrap().starts_with("2026-01-01T00:00:30"), "{holder}: {sooner}");
        }
        let lasting = Desk::user(&house, &ada).post("/tokens", json!({"user": ada})).await.status(201).json;
        assert_eq!(lasting["expires"], Value::Null, "who asks by one without an end makes one without an end");
        let admin = desk.post("/tokens", json!({"admin": true, "expires": "2026-01-01T00:02:00Z"})).await.status(201).json;
        let further = Desk::with(&house, secret(&admin)).post("/tokens", json!({"admin": true})).await.status(201).json;
        assert_eq!(further["expires"], admin["expires"]);
        let grandchild = Desk::with(&house, secret(&further)).post("/tokens", json!({"user": ada})).await.status(201).json;
        assert_eq!(grandchild["expires"], admin["expires"]);
    }
}
