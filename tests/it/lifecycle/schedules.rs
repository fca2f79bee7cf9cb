//! What is planned is done when it is due, once, and not a second before.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems, texts};
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::seam::do_late;

async fn put(desk: &Desk, path: &str, body: Value) -> Answer {
    desk.ask(Method::PUT, &format!("/api/v1{path}"), Some(body), &[]).await
}

async fn status(desk: &Desk, id: &str) -> String {
    let found = desk.get(&format!("/users/{id}/status")).await.status(200).json;
    found["status"].as_str().unwrap().to_owned()
}

/// What has become of plans: action and state.
async fn plans(desk: &Desk, state: &str) -> Vec<String> {
    texts(
        &desk.get(&format!("/schedules?state={state}")).await.status(200).json,
        "action",
    )
}

/// Moves the clock and does what is due by then.
async fn pass(house: &TestHouse, seconds: u64) {
    house.clock().advance(Duration::from_secs(seconds));
    house.turn().await;
}

each_database! {
    async fn an_account_ends_in_the_second_that_was_planned(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let path = format!("/users/{ada}/schedule");
        let planned = put(&desk, &path, json!({"deactivate_at": "2026-01-01T02:00:00+01:00", "reason": "end of term"})).await.status(200).json;
        assert_eq!((&planned["due"], &planned["action"]), (&json!("2026-01-01T01:00:00.000000Z"), &json!("deactivate")));
        let moved = put(&desk, &path, json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200).json;
        assert_eq!(moved["id"], planned["id"], "there is one at most");
        assert_eq!(texts(&desk.get("/leavers").await.json, "id"), [planned["id"].as_str().unwrap()]);
        assert_eq!(texts(&desk.get("/leavers?from=2026-01-01T00:00:11Z").await.json, "id"), Vec::<String>::new());
        pass(&house, 9).await;
        assert_eq!(status(&desk, &ada).await, "active");
        pass(&house, 1).await;
        assert_eq!(status(&desk, &ada).await, "deactivated");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
        assert_eq!(plans(&desk, "done").await, ["deactivate"]);
        let events = desk.get(&format!("/events?subject={ada}&kind=user.deactivated")).await.json;
        assert_eq!(events["items"][0]["actor"], json!({"kind": "system", "id": "schedule"}));
        assert_eq!(events["items"][0]["cause"]["by"], "schedule");
        let says = json!([{"op": "replace", "path": "active", "value": true}]);
        house.patch(&format!("/Users/{ada}"), says).await.status(200);
        assert_eq!(status(&desk, &ada).await, "deactivated", "a plan is the word of who made it");
    }

    async fn the_end_of_a_leave_lets_in_nobody_whom_something_else_keeps_out(house: TestHouse) {
        let desk = Desk::admin(&house);
        let leave = json!({"until": "2026-01-01T00:00:20Z"});
        let ada = house.user("ada").await;
        put(&desk, &format!("/users/{ada}/leave"), leave.clone()).await.status(200);
        let end = json!({"deactivate_at": "2026-01-01T00:00:10Z"});
        put(&desk, &format!("/users/{ada}/schedule"), end).await.status(200);
        let mut kept_out = vec![(ada, "deactivated")];
        for (name, wish, status) in [("bob", "deactivate", "deactivated"), ("eve", "suspend", "suspended")] {
            let user = house.user(name).await;
            desk.post(&format!("/users/{user}/{wish}"), json!({})).await.status(200);
            put(&desk, &format!("/users/{user}/leave"), leave.clone()).await.status(200);
            kept_out.push((user, status));
        }
        pass(&house, 10).await;
        pass(&house, 15).await;
        for (user, expected) in kept_out {
            assert_eq!(status(&desk, &user).await, expected);
            assert_eq!(house.get(&format!("/Users/{user}")).await.json["active"], false);
        }
    }

    async fn what_has_passed_is_refused_and_what_is_cancelled_is_not_done(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let path = format!("/users/{ada}/schedule");
        for at in ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"] {
            let problem = put(&desk, &path, json!({"deactivate_at": at})).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/deactivate_at");
        }
        put(&desk, &path, json!({"deactivate_at": "2026-06-30"})).await.status(400);
        desk.delete(&path).await.problem(404, "not-found");
        put(&desk, &path, json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200);
        desk.delete(&path).await.no_content();
        let again = put(&desk, &path, json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200).id();
        desk.delete(&format!("/schedules/{again}")).await.no_content();
        desk.delete(&format!("/schedules/{again}")).await.problem(404, "not-found");
        pass(&house, 60).await;
        assert_eq!(status(&desk, &ada).await, "active");
        assert_eq!(plans(&desk, "cancelled").await, ["deactivate", "deactivate"]);
    }

    async fn a_leave_suspends_and_gives_back_what_provisioning_says(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let span = json!({"from": "2026-01-01T00:00:10Z", "until": "2026-01-01T00:00:20Z", "reason": "sabbatical"});
        for id in [&ada, &bob] {
            put(&desk, &format!("/users/{id}/leave"), span.clone()).await.status(200);
        }
        let backwards = json!({"from": "2026-01-01T00:00:20Z", "until": "2026-01-01T00:00:10Z"});
        put(&desk, &format!("/users/{ada}/leave"), backwards).await.problem(400, "invalid-value");
        pass(&house, 10).await;
        assert_eq!((status(&desk, &ada).await, status(&desk, &bob).await), ("suspended".to_owned(), "suspended".to_owned()));
        let held = desk.get(&format!("/users/{ada}/status")).await.json;
        assert_eq!(held["hold"]["until"], "2026-01-01T00:00:20.000000Z");
        let ends = json!([{"op": "replace", "path": "active", "value": false}]);
        house.patch(&format!("/Users/{bob}"), ends).await.status(200);
        pass(&house, 10).await;
        assert_eq!(status(&desk, &ada).await, "active");
        assert_eq!(status(&desk, &bob).await, "deactivated", "their source ended them meanwhile");
        let begins = json!([{"op": "replace", "path": "active", "value": true}]);
        house.patch(&format!("/Users/{bob}"), begins).await.status(200);
        assert_eq!(status(&desk, &bob).await, "active", "and can give it back");
    }

    async fn what_an_administrator_decides_meanwhile_outlasts_a_leave(house: TestHouse) {
        let desk = Desk::admin(&house);
        for (how, before, after) in [
            ("deactivate", "deactivated", "deactivated"),
            ("suspend", "suspended", "suspended"),
            ("activate", "active", "active"),
        ] {
            let id = house.user(how).await;
            let now = house.clock().now();
            let until = now.plus(Duration::from_secs(20)).rfc3339();
            put(&desk, &format!("/users/{id}/leave"), json!({"until": until})).await.status(200);
            pass(&house, 1).await;
            assert_eq!(status(&desk, &id).await, "suspended");
            desk.post(&format!("/users/{id}/{how}"), json!({})).await.status(200);
            assert_eq!(status(&desk, &id).await, before);
            pass(&house, 60).await;
            assert_eq!(status(&desk, &id).await, after, "{how}");
        }
        assert_eq!(plans(&desk, "waiting").await, Vec::<String>::new());
    }

    async fn who_must_stay_cannot_be_planned_away_and_stays_when_it_is_due(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (owner, ada) = (house.user("owner").await, house.user("ada").await);
        desk.post("/ownership", json!({"to": owner})).await.status(200);
        let end = json!({"deactivate_at": "2026-01-01T00:00:10Z"});
        let problem = put(&desk, &format!("/users/{owner}/schedule"), end.clone()).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("scheduled to end"), "{problem}");
        put(&desk, &format!("/users/{ada}/schedule"), end).await.status(200);
        desk.post("/ownership", json!({"to": ada, "break_glass": "a test"})).await.status(200);
        pass(&house, 10).await;
        assert_eq!(status(&desk, &ada).await, "active");
        assert_eq!(plans(&desk, "failed").await, ["deactivate"]);
    }

    async fn of_what_is_due_for_somebody_deleted_nothing_is_done(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        put(&desk, &format!("/users/{ada}/schedule"), json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        pass(&house, 10).await;
        assert_eq!(plans(&desk, "cancelled").await, ["deactivate"]);
    }

    async fn several_who_do_what_is_due_at_once_do_it_once(house: TestHouse) {
        let desk = Desk::admin(&house);
        for number in 0..20 {
            let id = house.user(&format!("u{number}")).await;
            put(&desk, &format!("/users/{id}/schedule"), json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200);
        }
        house.clock().advance(Duration::from_secs(10));
        tokio::join!(house.turn(), house.turn(), house.turn());
        let done = desk.get("/events?kind=user.deactivated&limit=500").await.status(200).json;
        let mut subjects = texts(&json!({"items": done["items"].as_array().unwrap().iter().map(|event| event["subject"].clone()).collect::<Vec<_>>()}), "id");
        assert_eq!(subjects.len(), 20);
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), 20, "each once");
        house.clock().set(muster::base::clock::Timestamp(0));
        house.turn().await;
        pass(&house, 60).await;
        let again = desk.get("/events?kind=user.deactivated&limit=500").await.status(200).json;
        assert_eq!(again["items"].as_array().unwrap().len(), 20, "a clock that is set back does nothing twice");
    }

    async fn of_what_was_moved_or_is_about_nobody_when_it_is_done_nothing_is(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        for id in [&ada, &bob] {
            put(&desk, &format!("/users/{id}/schedule"), json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200);
        }
        house.clock().advance(Duration::from_secs(10));
        let meanwhile = async {
            put(&desk, &format!("/users/{ada}/schedule"), json!({"deactivate_at": "2026-06-30T00:00:00Z"})).await.status(200);
            house.delete(&format!("/Users/{bob}")).await.no_content();
        };
        assert_eq!(do_late(house.rooms(), meanwhile).await, 1);
        assert_eq!(status(&desk, &ada).await, "active");
        assert_eq!((plans(&desk, "waiting").await.len(), plans(&desk, "cancelled").await.len(), plans(&desk, "failed").await.len()), (1, 1, 0));
    }

    async fn what_cannot_be_done_keeps_nothing_back(house: TestHouse) {
        let desk = Desk::admin(&house);
        // More than are looked up at once.
        for number in 0..101 {
            let id = house.user(&format!("u{number}")).await;
            put(&desk, &format!("/users/{id}/schedule"), json!({"deactivate_at": "2026-01-01T00:00:10Z"})).await.status(200);
        }
        // Their keys do not open any more.
        house.database.execute("UPDATE resource SET seal = 'broken'").await;
        let ada = house.user("ada").await;
        put(&desk, &format!("/users/{ada}/schedule"), json!({"deactivate_at": "2026-01-01T00:00:11Z"})).await.status(200);
        pass(&house, 11).await;
        assert_eq!(status(&desk, &ada).await, "deactivated");
        assert_eq!(house.find("/Users", "active eq false").await.total(), 1);
        assert!(house.logs.text().contains("could not be done"));
    }

    async fn whoever_is_on_leave_is_so_until_it_was_planned_last(house: TestHouse) {
        let desk = Desk::admin(&house);
        let until = async |id: &str| desk.get(&format!("/users/{id}/status")).await.status(200).json["hold"]["until"].clone();
        let ada = house.user("ada").await;
        let path = format!("/users/{ada}/leave");
        put(&desk, &path, json!({"until": "2026-01-01T00:00:20Z"})).await.status(200);
        pass(&house, 1).await;
        put(&desk, &path, json!({"from": "2026-01-01T00:00:30Z", "until": "2026-01-01T00:00:40Z"})).await.status(200);
        assert_eq!(until(&ada).await, "2026-01-01T00:00:40.000000Z");
        pass(&house, 25).await;
        assert_eq!(status(&desk, &ada).await, "suspended");
        pass(&house, 14).await;
        assert_eq!(status(&desk, &ada).await, "active");

        let bob = house.user("bob").await;
        put(&desk, &format!("/users/{bob}/leave"), json!({"until": "2026-01-01T00:01:20Z"})).await.status(200);
        pass(&house, 1).await;
        let waiting = desk.get("/schedules").await.status(200).json;
        let back = texts(&waiting, "id").pop().unwrap();
        desk.delete(&format!("/schedules/{back}")).await.no_content();
        assert_eq!(until(&bob).await, Value::Null, "nothing ends it");
        pass(&house, 120).await;
        assert_eq!(status(&desk, &bob).await, "suspended");
    }
}
