//! What counts, and how much of it is too much.

use serde_json::{Value, json};
use std::time::Duration;

use super::words::{Fused, off};
use crate::admin::desk::{Desk, Problems};
use crate::api::bodies::{NOBODY, user};
use crate::support::TestHouse;
use muster::base::clock::Timestamp;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What it has used of one budget.
async fn used(fused: &Fused, what: &str) -> Value {
    let shown = fused.desk.get(&fused.path).await.status(200).json;
    let used = shown["used"]
        .as_array()
        .unwrap()
        .iter()
        .find(|used| used["what"] == what);
    used.map_or(Value::Null, |used| used["used"].clone())
}

each_database! {
    async fn every_connection_has_budgets_that_ordinary_use_does_not_reach(house: TestHouse) {
        let fused = Fused::with(house, json!({})).await;
        let shown = fused.desk.get(&fused.path).await.status(200).json;
        let tenth = json!({"percent": 10, "least": 1000});
        assert_eq!((&shown["deactivations"], &shown["deletions"], &shown["renames"]), (&tenth, &tenth, &tenth));
        assert_eq!(shown["departures"], json!({"percent": 100, "least": 10_000}));
        assert_eq!((&shown["window_seconds"], &shown["beyond"], &shown["used"]), (&json!(3600), &json!("refuse"), &json!([])));
        assert_eq!(fused.events("fuse.updated").await, 0, "nothing was changed");
    }

    async fn creations_never_count_and_each_way_of_taking_away_has_its_budget(house: TestHouse) {
        let one = json!({"percent": 0, "least": 1});
        let budgets = json!({"deactivations": one, "deletions": one, "departures": one, "renames": one});
        let fused = Fused::with(house, budgets).await;
        let house = &fused.house;
        let users = fused.users(6).await;
        let (first, second) = (house.group("First").await, house.group("Second").await);
        for user in &users[..2] {
            house.join(&first, user).await;
            house.join(&second, user).await;
        }
        let of = |id: &str| format!("/Users/{id}");
        house.patch(&of(&users[0]), off()).await.status(200);
        house.patch(&of(&users[1]), off()).await.error(429, None);
        let name = |name: &str| json!([{"op": "replace", "path": "userName", "value": name}]);
        house.patch(&of(&users[2]), name("renamed")).await.status(200);
        house.patch(&of(&users[3]), name("another")).await.error(429, None);
        house.patch(&format!("/Groups/{first}"), json!([{"op": "replace", "path": "displayName", "value": "Third"}])).await.error(429, None);
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", users[0])}]);
        let left = house.patch(&format!("/Groups/{first}"), leave.clone()).await;
        assert!(matches!(left.status, 200 | 204), "{left:?}");
        house.patch(&format!("/Groups/{second}"), leave).await.error(429, None);
        // Its members leave a group that is deleted, or emptied.
        house.delete(&format!("/Groups/{second}")).await.error(429, None);
        house.put(&format!("/Groups/{second}"), json!({"schemas": [GROUP], "displayName": "Second"})).await.error(429, None);
        house.delete(&of(&users[4])).await.no_content();
        house.delete(&of(&users[5])).await.error(429, None);
        for what in ["deactivations", "deletions", "departures", "renames"] {
            assert_eq!(used(&fused, what).await, 1, "{what}");
        }
        assert_eq!(fused.there().await, 5);
        house.user("created").await;
    }

    async fn a_window_that_is_over_begins_anew_and_one_that_is_open_keeps_its_budget(house: TestHouse) {
        let budgets = json!({"deletions": {"percent": 0, "least": 2}, "window_seconds": 600});
        let fused = Fused::with(house, budgets).await;
        let users = fused.users(7).await;
        let delete = async |user: usize| fused.house.delete(&format!("/Users/{}", users[user])).await;
        delete(0).await.no_content();
        fused.desk.patch(&fused.path, json!({"deletions": {"percent": 0, "least": 3}})).await.status(200);
        fused.house.clock().advance(Duration::from_secs(599));
        delete(1).await.no_content();
        assert_eq!(used(&fused, "deletions").await, 2);
        fused.house.clock().advance(Duration::from_secs(1));
        assert_eq!(used(&fused, "deletions").await, Value::Null);
        for user in 2..5 {
            delete(user).await.no_content();
        }
        let refused = delete(5).await;
        assert_eq!(refused.header("retry-after"), "600");
        refused.error(429, None);
        // It does not close by itself: somebody has to look.
        fused.house.clock().advance(Duration::from_hours(2));
        let refused = delete(5).await;
        assert_eq!(refused.header("retry-after"), "1");
        refused.error(429, None);
        assert_eq!(fused.events("fuse.tripped").await, 1);
        fused.decide("reject").await;
        fused.house.clock().advance(Duration::from_mins(10));
        delete(5).await.no_content();
    }

    async fn a_fuse_that_was_lifted_and_trips_again_can_be_rejected(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 0}})).await;
        let users = fused.users(2).await;
        let delete = async |user: usize| fused.house.delete(&format!("/Users/{}", users[user])).await;
        delete(0).await.error(429, None);
        fused.decide("approve").await;
        delete(0).await.no_content();
        fused.house.clock().advance(Duration::from_hours(2));
        delete(1).await.error(429, None);
        let holds = fused.desk.get("/holds").await.status(200).json;
        let second = holds["items"][1]["id"].as_str().unwrap();
        fused.desk.post(&format!("/holds/{second}/reject"), json!({})).await.status(200);
        delete(1).await.error(429, None);
        assert_eq!(fused.there().await, 1);
    }

    async fn who_becomes_active_again_is_not_counted(house: TestHouse) {
        let fused = Fused::with(house, json!({"deactivations": {"percent": 0, "least": 2}})).await;
        let users = fused.users(3).await;
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        for _ in 0..5 {
            fused.house.patch(&format!("/Users/{}", users[0]), off()).await.status(200);
            fused.house.patch(&format!("/Users/{}", users[0]), on.clone()).await.status(200);
        }
        assert_eq!(used(&fused, "deactivations").await, 0);
        for user in &users[..2] {
            fused.house.patch(&format!("/Users/{user}"), off()).await.status(200);
        }
        fused.house.patch(&format!("/Users/{}", users[2]), off()).await.error(429, None);
        let again = fused.house.patch(&format!("/Users/{}", users[0]), off()).await;
        again.status(200);
    }

    async fn who_was_not_counted_gives_nothing_back(house: TestHouse) {
        let fused = Fused::with(house, json!({"deactivations": {"percent": 0, "least": 2}})).await;
        let users = fused.users(3).await;
        let path = |id: &str| format!("/Users/{id}");
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        let mut others = Vec::new();
        for name in ["ada", "bob", "cyd"] {
            let made = fused.house.post("/Users", user(name, json!({"active": false}))).await;
            others.push(made.status(201).id());
        }
        for (user, other) in users.iter().zip(&others).take(2) {
            fused.house.patch(&path(user), off()).await.status(200);
            fused.house.patch(&path(other), on.clone()).await.status(200);
        }
        assert_eq!(used(&fused, "deactivations").await, 2);
        fused.house.patch(&path(&users[2]), off()).await.error(429, None);
    }

    async fn who_was_counted_in_a_window_that_is_over_gives_nothing_back(house: TestHouse) {
        let budgets = json!({"deactivations": {"percent": 0, "least": 2}, "window_seconds": 600});
        let fused = Fused::with(house, budgets).await;
        let users = fused.users(4).await;
        let path = |user: usize| format!("/Users/{}", users[user]);
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        fused.house.patch(&path(0), off()).await.status(200);
        fused.house.clock().advance(Duration::from_mins(10));
        fused.house.patch(&path(1), off()).await.status(200);
        fused.house.patch(&path(0), on).await.status(200);
        assert_eq!(used(&fused, "deactivations").await, 1);
    }

    async fn a_request_that_began_before_a_decision_is_counted_after_it(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 1}})).await;
        let users = fused.users(4).await;
        let delete = async |user: usize| fused.house.delete(&format!("/Users/{}", users[user])).await;
        delete(0).await.no_content();
        delete(1).await.error(429, None);
        let now = fused.house.clock().now();
        fused.decide("reject").await;
        fused.house.clock().set(Timestamp(now.0 - 5_000_000));
        delete(1).await.error(429, None);
        assert_eq!(fused.there().await, 3);
    }

    async fn a_request_that_began_before_an_approval_profits_from_it(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 0}})).await;
        let users = fused.users(2).await;
        let delete = async |user: usize| fused.house.delete(&format!("/Users/{}", users[user])).await;
        delete(0).await.error(429, None);
        let now = fused.house.clock().now();
        fused.decide("approve").await;
        fused.house.clock().set(Timestamp(now.0 - 5_000_000));
        for user in 0..2 {
            delete(user).await.no_content();
        }
    }

    async fn a_share_is_of_those_who_were_there_before(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 10, "least": 0}})).await;
        let users = fused.users(10).await;
        fused.house.delete(&format!("/Users/{}", users[0])).await.no_content();
        fused.house.delete(&format!("/Users/{}", users[1])).await.error(429, None);
    }

    async fn a_refused_request_leaves_nothing_and_counts_nothing(house: TestHouse) {
        let fused = Fused::with(house, json!({"renames": {"percent": 0, "least": 5}})).await;
        let users = fused.users(2).await;
        let taken = json!([{"op": "replace", "path": "userName", "value": "user1"}]);
        fused.house.patch(&format!("/Users/{}", users[0]), taken).await.error(409, Some("uniqueness"));
        assert_eq!(used(&fused, "renames").await, Value::Null);
        let stale = [("if-match", "W/\"77\"")];
        let gone = fused.house.scim(axum::http::Method::DELETE, &format!("/Users/{}", users[0]), None, &stale).await;
        gone.error(412, None);
        assert_eq!(used(&fused, "deletions").await, Value::Null);
    }

    async fn a_budget_that_is_null_is_none_and_what_cannot_be_is_refused(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 0}})).await;
        let users = fused.users(2).await;
        fused.house.delete(&format!("/Users/{}", users[0])).await.error(429, None);
        let shown = fused.desk.patch(&fused.path, json!({"deletions": null})).await.status(200).json;
        assert_eq!(shown["deletions"], Value::Null);
        fused.house.delete(&format!("/Users/{}", users[0])).await.no_content();
        for (body, pointer) in [
            (json!({"window_seconds": 59}), "/window_seconds"),
            (json!({"window_seconds": 604_801}), "/window_seconds"),
            (json!({"deletions": {"percent": 101, "least": 0}}), "/deletions/percent"),
            (json!({"renames": {"percent": 1, "least": u64::MAX}}), "/renames/least"),
        ] {
            let problem = fused.desk.patch(&fused.path, body).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{problem}");
        }
        fused.desk.patch(&fused.path, json!({"delettions": null})).await.problem(400, "unknown-field");
        fused.desk.patch(&format!("/connections/{NOBODY}/fuse"), json!({})).await.problem(404, "not-found");
        Desk::neighbour(&fused.house).get(&fused.path).await.problem(404, "not-found");
    }

    async fn who_is_in_a_group_by_a_rule_leaves_with_it(house: TestHouse) {
        let fused = Fused::with(house, json!({"departures": {"percent": 0, "least": 2}})).await;
        let smart = fused.house.group("Chiefs").await;
        let rule = json!({"name": "Chiefs", "when": "title eq \"Chief\"", "then": [{"group": smart}], "state": "active"});
        fused.desk.post("/rules", rule).await.status(201);
        for name in ["ada", "bob", "eve"] {
            fused.house.post("/Users", user(name, json!({"title": "Chief"}))).await.status(201);
        }
        fused.house.delete(&format!("/Groups/{smart}")).await.error(429, None);
        assert_eq!(fused.house.get(&format!("/Groups/{smart}")).await.values_of("members").len(), 3);
        fused.decide("approve").await;
        fused.house.delete(&format!("/Groups/{smart}")).await.no_content();
        assert_eq!(used(&fused, "departures").await, 3);
    }

    async fn a_window_of_a_clock_that_ran_ahead_is_over(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 1}})).await;
        let users = fused.users(3).await;
        let delete = async |user: usize| fused.house.delete(&format!("/Users/{}", users[user])).await;
        let now = fused.house.clock().now();
        fused.house.clock().set(now.plus(Duration::from_hours(24)));
        delete(0).await.no_content();
        fused.house.clock().set(now);
        delete(1).await.no_content();
        delete(2).await.error(429, None);
    }

    async fn of_two_who_decide_about_budgets_at_once_neither_is_lost(house: TestHouse) {
        let fused = Fused::with(house, json!({})).await;
        for least in 1..=8 {
            let limit = json!({"percent": 0, "least": least});
            let (one, other) = tokio::join!(
                fused.desk.patch(&fused.path, json!({"deletions": limit})),
                fused.desk.patch(&fused.path, json!({"renames": limit})),
            );
            one.status(200);
            other.status(200);
            let shown = fused.desk.get(&fused.path).await.status(200).json;
            assert_eq!((&shown["deletions"], &shown["renames"]), (&limit, &limit));
        }
    }
}
