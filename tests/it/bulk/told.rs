//! What an answer tells of all operations together, and what they are charged.

use serde_json::{Value, json};

use super::words::{bulk, change, create, request, statuses};
use crate::admin::desk::Desk;
use crate::api::bodies::{patch_op, user};
use crate::cli::server::Server;
use crate::closing::town::own;
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// More requests than any budget here allows at once, and few enough to be sent in a moment.
const MANY: usize = 200;

fn patch(id: &str, operations: &Value) -> Value {
    change("PATCH", &format!("/Users/{id}"), patch_op(operations))
}

fn two(round: usize) -> Value {
    let made = |name: &str| create(name, "/Users", user(&format!("{name}-{round}"), json!({})));
    request(&[made("a"), made("b")])
}

each_database! {
    async fn habits_and_what_became_of_operations_are_told_in_sum(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let off = patch(&ada, &json!([
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "replace", "path": "userName", "value": "ada"},
        ]));
        let strange = patch(&bob, &json!([{"op": "add", "value": {"title": "x", "shoeSize": 43, "urn:example:acme:2.0:User": {"a": 1}}}]));
        let missing = patch("none", &json!([{"op": "Replace", "path": "title", "value": "x"}]));
        let made = create("c", "/Users", json!({"userName": "cyd", "active": "true"}));
        let answer = house.post("/Bulk", request(&[off, strange, missing, made])).await.status(200);
        assert_eq!(answer.header("muster-operations"), "applied=2, already-true=1, ignored=1, kept=1");
        let told: Vec<&str> = answer.header("muster-tolerated").split(", ").collect();
        assert_eq!(told, ["operation-case", "string-booleans", "undeclared-extension-kept", "schemas-added"]);
        assert_eq!(answer.header("muster-ignored-attributes"), "shoeSize");
        let line = house.logs.text();
        assert!(line.contains("applied=2, already-true=1, ignored=1, kept=1") && line.contains("schemas-added"), "{line}");
        // Counted by operation, also those that were refused afterwards.
        house.count_tolerances().await;
        let desk = Desk::admin(&house);
        let shown = desk.get(&format!("/connections/{}", own(&desk).await)).await.status(200).json;
        let counts: Vec<_> = shown["tolerances"].as_array().unwrap().iter().map(|one| (one["rule"].as_str().unwrap(), one["count"].as_u64().unwrap())).collect();
        assert!(counts.contains(&("operation-case", 2)) && counts.contains(&("string-booleans", 2)), "{counts:?}");
    }

    async fn operations_that_did_all_they_were_asked_for_are_not_told_of(house: TestHouse) {
        let ada = house.user("ada").await;
        let clean = [create("b", "/Users", user("bob", json!({}))), patch(&ada, &json!([{"op": "add", "path": "title", "value": "x"}]))];
        let answer = house.post("/Bulk", request(&clean)).await.status(200);
        assert_eq!((answer.header("muster-operations"), answer.header("muster-tolerated")), ("", ""));
    }

    async fn each_operation_counts_as_a_request_and_too_many_are_429_before_anything_is_done(house: TestHouse) {
        let server = Server::start(&house.database, &["--rate-limit", "1"], &[]);
        let client = server.client(&house.database.keys().await.token);
        let mut refused: Option<Answer> = None;
        let mut round = 0;
        while refused.is_none() && round < MANY {
            let answer = client.ask("POST", "/Bulk", Some(&two(round))).await.unwrap();
            if answer.status == 429 {
                refused = Some(answer);
            } else {
                assert_eq!(statuses(answer.json["Operations"].as_array().unwrap()), ["201", "201"]);
                round += 1;
            }
        }
        let refused = refused.expect("no limit");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        refused.error(429, None);
        assert_eq!(house.get("/Users?count=0").await.total(), 2 * round as u64, "nothing of it is done");
    }

    async fn a_request_of_more_operations_than_a_burst_has_is_done_when_a_whole_burst_is_there(house: TestHouse) {
        let server = Server::start(&house.database, &["--rate-limit", "1"], &[]);
        let client = server.client(&house.database.keys().await.token);
        let many: Vec<Value> = (0..9).map(|n| create(&n.to_string(), "/Users", user(&format!("u{n}"), json!({})))).collect();
        let answer = client.ask("POST", "/Bulk", Some(&request(&many))).await.unwrap().status(200);
        assert_eq!(statuses(answer.json["Operations"].as_array().unwrap()), ["201"; 9]);
        // Nobody else pays for it.
        assert_eq!(statuses(&bulk(&house.second_tenant(), &many).await), ["201"; 9]);
    }
}
