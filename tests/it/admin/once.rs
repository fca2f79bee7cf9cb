//! `Idempotency-Key`: a POST that comes again is answered again, and not done again.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::desk::{Desk, Problems, texts};
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// A POST below `/api/v1` with a key.
async fn keyed(desk: &Desk, path: &str, key: &str, body: Value) -> Answer {
    let headers = [("idempotency-key", key)];
    desk.ask(Method::POST, &format!("/api/v1{path}"), Some(body), &headers)
        .await
}

fn territory(name: &str) -> Value {
    json!({"kind": "territory", "name": name})
}

each_database! {
    async fn the_same_request_is_answered_the_same_and_done_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        let first = keyed(&desk, "/scopes", "k-1", territory("EMEA")).await.status(201);
        assert_eq!(first.header("idempotency-replayed"), "");
        for key in ["k-1", "\"k-1\""] {
            let again = keyed(&desk, "/scopes", key, territory("EMEA")).await.status(201);
            assert_eq!((again.text.as_str(), again.header("location")), (first.text.as_str(), first.header("location")));
            assert_eq!((again.header("content-type"), again.header("idempotency-replayed")), ("application/json", "true"));
        }
        assert_eq!(texts(&desk.get("/scopes?kind=territory").await.json, "name"), ["EMEA"]);
        keyed(&desk, "/scopes", "k-2", territory("EMEA")).await.status(201);
        assert_eq!(texts(&desk.get("/scopes?kind=territory").await.json, "name"), ["EMEA", "EMEA"]);
    }

    async fn a_key_of_another_request_is_422(house: TestHouse) {
        let desk = Desk::admin(&house);
        keyed(&desk, "/scopes", "k", territory("EMEA")).await.status(201);
        let before = house.dump().await;
        keyed(&desk, "/scopes", "k", territory("APAC")).await.problem(422, "idempotency-key-reused");
        keyed(&desk, "/roles", "k", territory("EMEA")).await.problem(422, "idempotency-key-reused");
        before.assert_same(&house.dump().await);
    }

    async fn a_refusal_is_answered_again_too(house: TestHouse) {
        let desk = Desk::admin(&house);
        let broken = json!({"kind": "territory", "nmae": "EMEA"});
        let first = keyed(&desk, "/scopes", "k", broken.clone()).await.problem(400, "unknown-field");
        let mut again = keyed(&desk, "/scopes", "k", broken).await.problem(400, "unknown-field");
        again["request_id"] = first["request_id"].clone();
        assert_eq!(again, first);
        keyed(&desk, "/scopes", "k", territory("EMEA")).await.problem(422, "idempotency-key-reused");
    }

    async fn a_change_without_a_body_in_its_answer_is_done_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        let changes = json!({"changes": [{"scope": territory("EMEA")}]});
        let preview = desk.post("/preview", changes).await.status(200).id();
        let apply = format!("/preview/{preview}/apply");
        for _ in 0..2 {
            keyed(&desk, &apply, "k", json!({})).await.no_content();
        }
        keyed(&desk, &apply, "other", json!({})).await.problem(409, "conflict");
        assert_eq!(texts(&desk.get("/scopes?kind=territory").await.json, "name"), ["EMEA"]);
    }

    async fn a_token_is_made_once_shown_once_and_kept_nowhere(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let made = keyed(&desk, "/tokens", "k", json!({"user": ada})).await.status(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let secret = made.json["token"].as_str().unwrap();
        assert!(!format!("{:?}", house.dump().await).contains(secret));
        keyed(&desk, "/tokens", "k", json!({"user": ada})).await.problem(409, "answer-not-kept");
        let list = desk.get("/tokens").await.status(200).json;
        let of_ada = list["items"].as_array().unwrap().iter().filter(|token| token["user"] == ada.as_str()).count();
        assert_eq!(of_ada, 1);
        Desk::with(&house, secret).get(&format!("/users/{ada}/access")).await.status(200);
    }

    async fn keys_of_different_callers_do_not_meet(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mia = house.user("mia").await;
        desk.grant(&mia, "manager", "all").await;
        let callers = [&desk, &Desk::user(&house, &mia), &Desk::neighbour(&house)];
        let mut ids = Vec::new();
        for caller in callers {
            ids.push(keyed(caller, "/scopes", "k", territory("EMEA")).await.status(201).id());
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3);
    }

    async fn of_many_at_once_one_is_done(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let desk = desk.clone();
            asked.spawn(async move { keyed(&desk, "/scopes", "k", territory("EMEA")).await });
        }
        let mut made = Vec::new();
        while let Some(answer) = asked.join_next().await {
            let answer = answer.unwrap();
            match answer.status {
                201 => made.push(answer.id()),
                _ => assert_eq!(answer.problem(409, "request-in-progress")["status"], 409),
            }
        }
        made.dedup();
        assert_eq!(made.len(), 1);
        assert_eq!(texts(&desk.get("/scopes?kind=territory").await.json, "id"), made);
    }

    async fn a_key_is_forgotten_after_a_day(house: TestHouse) {
        let desk = Desk::admin(&house);
        keyed(&desk, "/scopes", "k", territory("EMEA")).await.status(201);
        house.clock().advance(Duration::from_hours(23));
        keyed(&desk, "/scopes", "k", territory("APAC")).await.status(422);
        house.clock().advance(Duration::from_hours(2));
        keyed(&desk, "/scopes", "k", territory("APAC")).await.status(201);
    }

    async fn a_key_that_cannot_be_one_is_refused(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        for key in ["", "\"\"", "a b", &"x".repeat(256)] {
            keyed(&desk, "/scopes", key, territory("EMEA")).await.problem(400, "invalid-idempotency-key");
        }
        before.assert_same(&house.dump().await);
    }
}
