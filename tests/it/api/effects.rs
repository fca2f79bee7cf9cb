//! No silent no-op: what became of each operation of a PATCH, and what was tolerated.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::bodies::{ENTERPRISE, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

const OPERATIONS: &str = "muster-operations";

fn set(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "replace", "path": path, "value": value.into()})
}

async fn ada(house: &TestHouse) -> String {
    let body = user("ada", json!({"title": "Countess", "nickName": "Al"}));
    format!("/Users/{}", house.post("/Users", body).await.status(201).id())
}

async fn told(house: &TestHouse, path: &str, operations: Value) -> String {
    let answer: Answer = house.patch(path, operations).await;
    assert!([200, 204].contains(&answer.status), "{}", answer.status);
    answer.header(OPERATIONS).to_owned()
}

each_database! {
    async fn a_request_that_did_what_it_asked_for_says_nothing(house: TestHouse) {
        let path = ada(&house).await;
        assert_eq!(told(&house, &path, json!([set("title", "Lady"), set("nickName", "Ada")])).await, "");
    }

    async fn what_was_so_already_is_told_operation_by_operation(house: TestHouse) {
        let path = ada(&house).await;
        let tag = house.get(&path).await.header("etag").to_owned();
        let same = house.patch(&path, json!([set("title", "Countess")])).await.status(200);
        assert_eq!((same.header(OPERATIONS), same.header("etag")), ("already-true", tag.as_str()));
        let mixed = json!([
            set("title", "Countess"),
            set("nickName", "Ada"),
            {"op": "remove", "path": "emails"},
            {"op": "add", "value": {"title": "Countess", "nickName": "Ada"}},
        ]);
        assert_eq!(told(&house, &path, mixed).await, "already-true, applied, already-true, already-true");
    }

    async fn names_that_mean_nothing_are_counted_where_they_stand(house: TestHouse) {
        let path = ada(&house).await;
        let strange = json!([
            {"op": "add", "value": {"title": "Lady", "favouriteTea": "oolong"}},
            {"op": "add", "value": {"favouriteCake": "scones", "shoeSize": 7}},
        ]);
        let answer = house.patch(&path, strange).await.status(200);
        assert_eq!(answer.header(OPERATIONS), "applied;ignored=1, already-true;ignored=2");
        assert_eq!(answer.header("muster-ignored-attributes"), "favouriteTea, favouriteCake, shoeSize");
    }

    async fn an_end_that_an_administrator_decided_is_no_silent_no_op(house: TestHouse) {
        let path = ada(&house).await;
        let id = path.trim_start_matches("/Users/");
        let desk = crate::admin::desk::Desk::admin(&house);
        desk.post(&format!("/users/{id}/suspend"), json!({"reason": "audit"})).await.status(200);
        let answer = house.patch(&path, json!([set("title", "Lady"), set("active", true)])).await.status(200);
        assert_eq!(answer.json["active"], false);
        assert_eq!(answer.header(OPERATIONS), "applied, ignored;ignored=1");
        let both = json!([{"op": "replace", "value": {"title": "Dame", "active": true}}]);
        assert_eq!(told(&house, &path, both).await, "applied;ignored=1");
    }

    async fn names_below_the_top_are_counted_as_well(house: TestHouse) {
        let path = ada(&house).await;
        let strange = json!([
            {"op": "add", "path": "name", "value": {"firstName": "A", "givenName": "B"}},
            {"op": "add", "value": {"name.familyName": "C", ENTERPRISE: {"noSuch": 1, "department": "D"}}},
            {"op": "add", "path": ENTERPRISE, "value": {"noSuch": 1, "nor": 2}},
            {"op": "add", "path": "emails", "value": [{"value": "a@acme.test", "foo": 1}]},
        ]);
        assert_eq!(
            told(&house, &path, strange).await,
            "applied;ignored=1, applied;ignored=1, already-true;ignored=2, applied;ignored=1"
        );
    }

    async fn members_are_told_by_who_moved(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let group = format!("/Groups/{}", house.group("Sales").await);
        let add = |id: &str| json!({"op": "add", "path": "members", "value": [{"value": id}]});
        let remove = |id: &str| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
        assert_eq!(told(&house, &group, json!([add(&ada)])).await, "");
        assert_eq!(told(&house, &group, json!([add(&ada), add(&bob)])).await, "already-true, applied");
        assert_eq!(told(&house, &group, json!([add(&ada)])).await, "already-true");
        assert_eq!(told(&house, &group, json!([remove(&bob), add(&ada), set("displayName", "Sales")])).await, "applied, already-true, already-true");
    }

    async fn a_habit_that_was_needed_is_named(house: TestHouse) {
        let path = ada(&house).await;
        let habits = json!([{"op": "Replace", "path": "active", "value": "False"}]);
        let answer = house.patch(&path, habits).await.status(200);
        assert_eq!(answer.header("muster-tolerated"), "operation-case, string-booleans");
        assert_eq!(answer.json["active"], false);
        let created = house.scim(Method::POST, "/Users", Some(json!({"userName": "bob"})), &[]).await.status(201);
        assert_eq!(created.header("muster-tolerated"), "schemas-added");
        let whole = json!({"userName": "bob", "title": "Mr", "active": "true"});
        let replaced = house.scim(Method::PUT, &format!("/Users/{}", created.id()), Some(whole), &[]).await.status(200);
        assert_eq!(replaced.header("muster-tolerated"), "schemas-added, string-booleans");
        let clean = house.post("/Users", user("eve", json!({}))).await.status(201);
        assert_eq!(clean.header("muster-tolerated"), "");
    }
}
