//! Provisioning deletes somebody whom an administrator keeps out, and creates them again: they stay out.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::answer::Answer;

const IGNORED: &str = "muster-ignored-attributes";

async fn create(house: &TestHouse, name: &str, more: Value) -> Answer {
    house.post("/Users", user(name, more)).await.status(201)
}

async fn status(desk: &Desk, id: &str) -> Value {
    desk.get(&format!("/users/{id}/status")).await.status(200).json
}

/// Creates somebody, has an administrator keep them out, and has provisioning delete them; answers their id.
async fn kept_out(house: &TestHouse, desk: &Desk, body: Value, wish: &str) -> String {
    let id = house.post("/Users", body).await.status(201).id();
    desk.post(&format!("/users/{id}/{wish}"), json!({"reason": "a case"}))
        .await
        .status(200);
    house.delete(&format!("/Users/{id}")).await.no_content();
    id
}

each_database! {
    async fn who_was_kept_out_is_kept_out_under_the_same_name(house: TestHouse) {
        let desk = Desk::admin(&house);
        for (name, wish, is) in [("ada", "suspend", "suspended"), ("bob", "deactivate", "deactivated")] {
            let old = kept_out(&house, &desk, user(name, json!({"active": true})), wish).await;
            let created = create(&house, &name.to_uppercase(), json!({"active": true})).await;
            assert_eq!((&created.json["active"], created.header(IGNORED)), (&json!(false), "active"));
            let id = created.id();
            assert_ne!(id, old);
            assert_eq!(house.get(&format!("/Users/{id}")).await.json["active"], false);
            let now = status(&desk, &id).await;
            assert_eq!((&now["status"], &now["hold"]["reason"], &now["hold"]["source_active"]), (&json!(is), &json!("a case"), &json!(true)));
            let events = desk.get(&format!("/events?subject={id}")).await.status(200).json;
            let kinds: Vec<&str> = events["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
            assert_eq!(kinds, ["user.created", &format!("user.{is}"), "user.activation_refused"]);
            assert_eq!(events["items"][1]["data"]["carried_from"], json!(old));
            let on = json!([{"op": "replace", "path": "active", "value": true}]);
            house.patch(&format!("/Users/{id}"), on).await.status(200);
            assert_eq!(status(&desk, &id).await["status"], is, "provisioning does not lift it");
        }
    }

    async fn another_name_does_not_help_who_is_called_the_same(house: TestHouse) {
        let desk = Desk::admin(&house);
        kept_out(&house, &desk, user("ada", json!({"externalId": "hr-7"})), "suspend").await;
        let again = create(&house, "ada-2", json!({"externalId": "hr-7", "title": "Chief"})).await;
        assert_eq!((again.header(IGNORED), &again.json["title"]), ("active", &json!("Chief")));
        assert_eq!(status(&desk, &again.id()).await["status"], "suspended");
        let other = create(&house, "ada-3", json!({"externalId": "hr-8"})).await;
        assert_eq!((other.header(IGNORED), &status(&desk, &other.id()).await["status"]), ("", &json!("active")));
    }

    async fn what_an_administrator_has_lifted_is_lifted(house: TestHouse) {
        let desk = Desk::admin(&house);
        kept_out(&house, &desk, user("ada", json!({})), "suspend").await;
        let second = create(&house, "ada", json!({})).await.id();
        desk.post(&format!("/users/{second}/activate"), json!({})).await.status(200);
        house.delete(&format!("/Users/{second}")).await.no_content();
        let third = create(&house, "ada", json!({})).await.id();
        assert_eq!(status(&desk, &third).await["status"], "active", "who was deleted last was not kept out");
        house.delete(&format!("/Users/{third}")).await.no_content();
        desk.post(&format!("/users/{third}/restore"), json!({"active": false})).await.status(200);
        house.delete(&format!("/Users/{third}")).await.no_content();
        let fourth = create(&house, "ada", json!({})).await.id();
        assert_eq!(status(&desk, &fourth).await["status"], "active", "whom provisioning keeps out, it may let in");
    }

    async fn a_leave_goes_on_and_ends(house: TestHouse) {
        let desk = Desk::admin(&house);
        let leave = json!({"until": "2026-01-01T00:00:20Z"});
        let mut users = Vec::new();
        for name in ["ada", "bob"] {
            let id = house.user(name).await;
            desk.ask(Method::PUT, &format!("/api/v1/users/{id}/leave"), Some(leave.clone()), &[]).await.status(200);
            users.push(id);
        }
        house.turn().await;
        for id in &users {
            house.delete(&format!("/Users/{id}")).await.no_content();
        }
        let ada = create(&house, "ada", json!({"active": true})).await.id();
        assert_eq!(status(&desk, &ada).await["hold"]["until"], "2026-01-01T00:00:20.000000Z");
        house.clock().advance(Duration::from_secs(25));
        house.turn().await;
        assert_eq!(status(&desk, &ada).await["status"], "active");
        let bob = create(&house, "bob", json!({"active": true})).await.id();
        assert_eq!(status(&desk, &bob).await["status"], "active", "a leave that is over holds nobody");
    }
}
