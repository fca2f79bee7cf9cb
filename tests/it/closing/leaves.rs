//! Leaves, and suspensions of everybody: each keeps somebody out as long as it lasts.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::town::{another, statuses, work};
use crate::admin::desk::Desk;
use crate::log::folded::events;
use crate::support::TestHouse;

async fn put(desk: &Desk, path: &str, body: Value) {
    desk.ask(Method::PUT, &format!("/api/v1{path}"), Some(body), &[])
        .await
        .status(200);
}

/// Some days later, with what is due by then done.
async fn days(house: &TestHouse, days: u64) {
    house.clock().advance(Duration::from_hours(24 * days));
    house.turn().await;
}

async fn turn(house: &TestHouse, desk: &Desk, id: &str, verb: &str, users: Value) {
    desk.post(&format!("/connections/{id}/{verb}"), users).await.status(202);
    work(house).await;
}

each_database! {
    async fn a_leave_that_begins_during_a_suspension_lasts_until_it_ends(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        put(&desk, &format!("/users/{ada}/leave"), json!({ "from": "2026-01-03T00:00:00Z", "until": "2026-01-10T00:00:00Z" })).await;
        turn(&house, &desk, &id, "suspend", json!({ "users": "suspend" })).await;
        days(&house, 3).await;
        turn(&house, &desk, &id, "resume", json!({})).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["suspended", "active"]);
        let hold = desk.get(&format!("/users/{ada}/status")).await.json["hold"].clone();
        assert_eq!(hold["until"], "2026-01-10T00:00:00.000000Z");
        days(&house, 7).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["active"]);
    }

    async fn a_suspension_outlasts_a_leave_that_ends_meanwhile(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        // One is on leave before, the other begins it meanwhile.
        put(&desk, &format!("/users/{ada}/leave"), json!({ "until": "2026-01-03T00:00:00Z" })).await;
        house.turn().await;
        turn(&house, &desk, &id, "suspend", json!({ "users": "suspend" })).await;
        put(&desk, &format!("/users/{bob}/leave"), json!({ "until": "2026-01-04T00:00:00Z" })).await;
        house.turn().await;
        days(&house, 5).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["suspended", "suspended"]);
        turn(&house, &desk, &id, "resume", json!({})).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["active", "active"]);
    }

    async fn a_leave_that_was_on_before_goes_on_when_the_suspension_ends(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        for user in [&ada, &bob] {
            put(&desk, &format!("/users/{user}/leave"), json!({ "until": "2026-01-10T00:00:00Z" })).await;
        }
        house.turn().await;
        turn(&house, &desk, &id, "suspend", json!({ "users": "suspend" })).await;
        house.delete(&format!("/Users/{bob}")).await.no_content();
        turn(&house, &desk, &id, "resume", json!({})).await;
        desk.post(&format!("/users/{bob}/restore"), json!({})).await.status(200);
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["suspended", "suspended"]);
        days(&house, 10).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["active", "active"]);
    }

    async fn what_begins_or_ends_beside_the_other_is_told_with_until_when(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        put(&desk, &format!("/users/{ada}/leave"), json!({ "until": "2026-01-10T00:00:00Z" })).await;
        house.turn().await;
        turn(&house, &desk, &id, "suspend", json!({ "users": "suspend" })).await;
        put(&desk, &format!("/users/{bob}/leave"), json!({ "until": "2026-01-03T00:00:00Z" })).await;
        house.turn().await;
        days(&house, 5).await;
        turn(&house, &desk, &id, "resume", json!({})).await;
        let mut told = Vec::new();
        for event in events(&desk).await {
            for (name, user) in [("ada", &ada), ("bob", &bob)] {
                if event["kind"] == "user.suspended" && event["subject"]["id"] == json!(user) {
                    let until = event["data"]["until"].as_str().map(|until| until[..10].to_owned());
                    told.push((name, event["data"]["from"].as_str().unwrap().to_owned(), until));
                }
            }
        }
        let until = |day: &str| Some(format!("2026-01-{day}"));
        let (active, suspended) = (|| "active".to_owned(), || "suspended".to_owned());
        assert_eq!(told, [
            ("ada", active(), until("10")),
            ("ada", suspended(), until("10")),
            ("bob", active(), None),
            ("bob", suspended(), until("03")),
            ("bob", suspended(), None),
            ("ada", suspended(), until("10")),
        ]);
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["suspended", "active"]);
    }

    async fn accounts_end_of_those_who_are_on_leave_as_well(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        put(&desk, &format!("/users/{ada}/leave"), json!({ "until": "2026-01-10T00:00:00Z" })).await;
        house.turn().await;
        desk.delete(&format!("/connections/{id}?users=deactivate")).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["deactivated"]);
        days(&house, 10).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["deactivated"]);
    }
}
