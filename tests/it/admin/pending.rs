//! `/pending`: what provisioning asked for and an administrator has to decide.

use axum::http::Method;
use serde_json::{Value, json};

use super::desk::{Desk, Problems, texts};
use crate::support::TestHouse;

/// What an identity provider sends to end an account.
fn off() -> Value {
    json!([{"op": "replace", "value": {"active": false, "password": "sw0rdfish"}}])
}

async fn waiting(desk: &Desk) -> Value {
    desk.get("/pending").await.status(200).json
}

each_database! {
    async fn an_owner_whom_provisioning_wants_to_end_is_marked_once_until_a_transfer(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        let detail = house.patch(&format!("/Users/{ada}"), off()).await.error(409, None);
        let marked = waiting(&desk).await;
        let id = marked["items"][0]["id"].as_str().unwrap();
        assert!(detail.contains("transfer ownership") && detail.contains(id), "{detail}");
        house.delete(&format!("/Users/{ada}")).await.error(409, None);
        house.patch(&format!("/Users/{ada}"), off()).await.error(409, None);
        assert_eq!(texts(&waiting(&desk).await, "id"), [id], "it is marked once");
        let one = desk.get(&format!("/pending/{id}")).await.status(200).json;
        assert_eq!((&one["kind"], &one["state"]), (&json!("leaving-owner"), &json!("waiting")));
        assert_eq!(one["resource"], json!({"id": ada, "name": "ada"}));
        assert_eq!((&one["request"]["method"], &one["request"]["path"]), (&json!("PATCH"), &json!(format!("/Users/{ada}"))));
        assert!(!one.to_string().contains("sw0rdfish"), "a password is kept nowhere: {one}");
        let access = desk.get(&format!("/users/{ada}/access")).await.status(200).json;
        assert_eq!((&access["pending"][0]["kind"], &access["pending"][0]["id"]), (&json!("leaving-owner"), &json!(id)));
        desk.post(&format!("/pending/{id}/apply"), json!({})).await.problem(409, "conflict");
        Desk::user(&house, &ada).post("/ownership", json!({"to": bob})).await.status(200);
        assert_eq!(texts(&waiting(&desk).await, "id"), Vec::<String>::new(), "settled by itself");
        let one = desk.get(&format!("/pending/{id}")).await.status(200).json;
        assert_eq!((&one["state"], one.get("request")), (&json!("transferred"), None));
        house.patch(&format!("/Users/{ada}"), off()).await.status(200);
        let access = desk.get(&format!("/users/{ada}/access")).await.status(200).json;
        assert_eq!(access.get("pending"), None);
        assert!(house.logs.text().contains("ownership has to be transferred"), "an alert");
    }

    async fn a_mark_that_was_dismissed_comes_again_when_it_is_asked_for_again(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        house.delete(&format!("/Users/{ada}")).await.error(409, None);
        let first = texts(&waiting(&desk).await, "id");
        desk.delete(&format!("/pending/{}", first[0])).await.status(204);
        desk.delete(&format!("/pending/{}", first[0])).await.problem(404, "not-found");
        assert_eq!(texts(&waiting(&desk).await, "id"), Vec::<String>::new());
        house.delete(&format!("/Users/{ada}")).await.error(409, None);
        assert_ne!(texts(&waiting(&desk).await, "id"), first);
    }

    async fn what_would_end_the_last_administrator_is_only_refused_unless_it_is_to_be_parked(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.grant(&ada, "admin", "all").await;
        let before = house.dump().await;
        let detail = house.delete(&format!("/Users/{ada}")).await.error(409, None);
        assert!(!detail.contains("parked"), "{detail}");
        before.assert_same(&house.dump().await);
    }

    async fn a_parked_request_is_made_later_as_the_connection_that_sent_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&ada, "admin", "all").await;
        desk.patch("/settings", json!({"when_refused": "park"})).await.status(200);
        let path = format!("/Users/{ada}");
        let detail = house.patch(&path, off()).await.error(409, None);
        let id = texts(&waiting(&desk).await, "id").remove(0);
        assert!(detail.starts_with(&format!("parked as pending `{id}`, and nothing is done")), "{detail}");
        assert_eq!(house.get(&path).await.json.get("active"), None, "nothing is done");
        house.patch(&path, off()).await.error(409, None);
        assert_eq!(texts(&waiting(&desk).await, "id"), [id.as_str()], "the same waits once");
        house.delete(&path).await.error(409, None);
        let other = texts(&waiting(&desk).await, "id").remove(1);
        // Still the last one: it goes on waiting.
        let problem = desk.post(&format!("/pending/{id}/apply"), json!({})).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("0 active administrators"), "{problem}");
        assert_eq!(texts(&waiting(&desk).await, "id").len(), 2);
        desk.grant(&bob, "admin", "all").await;
        desk.post(&format!("/pending/{id}/apply"), json!({})).await.status(204);
        assert_eq!(house.get(&path).await.json["active"], false);
        assert_eq!(texts(&waiting(&desk).await, "id"), [other.as_str()]);
        desk.post(&format!("/pending/{id}/apply"), json!({})).await.problem(404, "not-found");
        desk.post(&format!("/pending/{other}/apply"), json!({})).await.status(204);
        house.get(&path).await.error(404, None);
        let gone = desk.get(&format!("/pending/{other}")).await.status(200).json;
        assert_eq!((&gone["state"], &gone["resource"]), (&json!("applied"), &Value::Null));
    }

    async fn a_decision_that_is_sent_again_is_answered_again(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&ada, "admin", "all").await;
        desk.patch("/settings", json!({"when_refused": "park"})).await.status(200);
        house.patch(&format!("/Users/{ada}"), off()).await.error(409, None);
        let id = texts(&waiting(&desk).await, "id").remove(0);
        desk.grant(&bob, "admin", "all").await;
        let path = format!("/api/v1/pending/{id}/apply");
        let apply = async |key: &str| desk.ask(Method::POST, &path, None, &[("idempotency-key", key)]).await;
        assert_eq!(apply("k").await.status(204).header("idempotency-replayed"), "");
        let before = house.dump().await;
        assert_eq!(apply("k").await.status(204).header("idempotency-replayed"), "true");
        before.assert_same(&house.dump().await);
        apply("another").await.problem(404, "not-found");
    }

    async fn groups_and_put_are_parked_too_and_if_match_still_counts(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let admins = house.group("Admins").await;
        house.join(&admins, &ada).await;
        desk.grant_to("group", &admins, "admin", "all").await;
        desk.patch("/settings", json!({"when_refused": "park"})).await.status(200);
        let path = format!("/Groups/{admins}");
        let schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]);
        let empty = json!({"schemas": schemas, "displayName": "Admins"});
        let etag = house.get(&path).await.header("etag").to_owned();
        let put = house.scim(Method::PUT, &path, Some(empty), &[("if-match", etag.as_str())]).await;
        put.error(409, None);
        house.delete(&path).await.error(409, None);
        let ids = texts(&waiting(&desk).await, "id");
        assert_eq!(ids.len(), 2);
        desk.grant(&bob, "admin", "all").await;
        house.patch(&path, json!([{"op": "replace", "path": "displayName", "value": "Chiefs"}])).await.status(200);
        desk.post(&format!("/pending/{}/apply", ids[0]), json!({})).await.problem(412, "stale");
        desk.post(&format!("/pending/{}/apply", ids[1]), json!({})).await.status(204);
        house.get(&path).await.error(404, None);
    }

    async fn a_parked_deletion_of_what_is_gone_counts_as_made(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&ada, "admin", "all").await;
        desk.patch("/settings", json!({"when_refused": "park"})).await.status(200);
        house.delete(&format!("/Users/{ada}")).await.error(409, None);
        let id = texts(&waiting(&desk).await, "id").remove(0);
        desk.grant(&bob, "admin", "all").await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        desk.post(&format!("/pending/{id}/apply"), json!({})).await.status(204);
        assert_eq!(desk.get(&format!("/pending/{id}")).await.status(200).json["state"], "applied");
        desk.delete(&format!("/pending/{id}")).await.problem(404, "not-found");
    }
}
