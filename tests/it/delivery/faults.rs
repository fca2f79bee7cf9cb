//! Receivers that do not do what they should.

use std::time::Duration;

use serde_json::{Value, json};

use super::hook::Hook;
use crate::support::receiver::Reply;
use crate::support::{TestHouse, seam};

each_database! {
    async fn a_receiver_that_answers_500_for_an_hour_gets_everything_then_with_the_same_ids(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::Status(500));
        house.user("ada").await;
        house.user("bob").await;
        house.turn().await;
        let first = hook.receiver.take();
        assert_eq!(first.len(), 2);
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0, "it is not tried again before it is due");
        // Waits of 5 s, 25 s, 2 min and 10 min are each a fifth longer at most; the fifth of an hour is not over.
        let mut tried = Vec::new();
        for step in [6, 30, 144, 720, 2700] {
            house.clock().advance(Duration::from_secs(step));
            house.turn().await;
            tried.push(hook.receiver.take().len());
        }
        assert_eq!(tried, [2, 2, 2, 2, 0]);
        assert_eq!(hook.shown().await["state"], "active", "ten failures are not yet a receiver that fails");
        hook.receiver.answers(|_| Reply::Status(200));
        house.clock().advance(Duration::from_secs(1700));
        house.turn().await;
        let last = hook.receiver.take();
        let ids = |all: &[crate::support::receiver::Got]| {
            let mut ids: Vec<_> = all.iter().map(|got| (got.id().to_owned(), got.text.clone())).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&first), ids(&last), "the same ids with the same bodies");
        assert_eq!(hook.troubles().await, []);
    }

    async fn what_is_about_one_subject_stays_in_order_and_others_pass_it(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        house.turn().await;
        hook.receiver.take();
        let refused = ada.clone();
        hook.receiver.answers(move |got| {
            Reply::Status(if got.json["data"]["subject"]["id"] == refused.as_str() { 503 } else { 200 })
        });
        for title in ["one", "two"] {
            for user in [&ada, &bob] {
                let replace = serde_json::json!([{"op": "replace", "path": "title", "value": title}]);
                house.patch(&format!("/Users/{user}"), replace).await.status(200);
            }
            house.turn().await;
        }
        let states: Vec<String> = hook.troubles().await.into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, ["waiting", "behind"]);
        let sent = hook.receiver.take();
        let of = |user: &str| sent.iter().filter(|got| got.json["data"]["subject"]["id"] == *user).count();
        assert_eq!((of(&ada), of(&bob)), (1, 2), "what is behind is not even tried");
        hook.receiver.answers(|_| Reply::Status(200));
        house.clock().advance(Duration::from_secs(6));
        house.turn().await;
        let seqs = hook.receiver.seqs();
        assert_eq!(seqs.len(), 2);
        assert!(seqs[0] < seqs[1], "{seqs:?}");
        assert_eq!(hook.troubles().await, []);
    }

    async fn a_receiver_that_is_gone_is_paused_at_once_and_loses_nothing(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::Status(410));
        house.user("ada").await;
        house.turn().await;
        let shown = hook.shown().await;
        assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("paused"), Some("gone")));
        house.user("bob").await;
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1);
        hook.receiver.answers(|_| Reply::Status(200));
        hook.turn("resume").await;
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 2);
        let log = hook.desk.get("/events?kind=receiver.paused").await.status(200).json;
        assert_eq!(log["items"][0]["actor"], serde_json::json!({"kind": "system", "id": "relay"}));
        assert_eq!(log["items"][0]["data"]["reason"], "gone");
    }

    async fn a_receiver_that_asks_to_be_left_alone_is(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::With(429, "retry-after", "120".to_owned()));
        house.user("ada").await;
        house.turn().await;
        hook.receiver.answers(|_| Reply::Status(200));
        house.clock().advance(Duration::from_secs(119));
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1);
        house.clock().advance(Duration::from_secs(1));
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1);
        // Nobody asks for longer than an hour.
        hook.receiver.answers(|_| Reply::With(503, "retry-after", "999999999".to_owned()));
        house.user("bob").await;
        house.turn().await;
        house.clock().advance(Duration::from_hours(1));
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 2);
    }

    async fn a_receiver_to_whom_nothing_gets_through_is_tried_with_one_delivery(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::Status(500));
        for number in 0..40 {
            house.user(&format!("user-{number}")).await;
        }
        house.turn().await;
        let tried = hook.receiver.take().len();
        assert!((20..40).contains(&tried), "{tried} attempts");
        let shown = hook.shown().await;
        assert_eq!(shown["state"], "failing");
        house.clock().advance(Duration::from_secs(6));
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1, "one to try it");
        hook.receiver.answers(|_| Reply::Status(200));
        house.clock().advance(Duration::from_secs(30));
        house.turn().await;
        assert_eq!(hook.shown().await["state"], "active");
        house.clock().advance(Duration::from_mins(1));
        house.turn().await;
        let mut seqs = hook.receiver.seqs();
        seqs.sort_unstable();
        seqs.dedup();
        assert_eq!(seqs.len(), 40, "everything got through in the end");
        assert_eq!(hook.troubles().await, []);
    }

    async fn a_receiver_that_fails_for_five_days_is_paused(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::Status(500));
        for number in 0..25 {
            house.user(&format!("user-{number}")).await;
        }
        house.turn().await;
        for _ in 0..4 {
            house.clock().advance(Duration::from_hours(24));
            house.turn().await;
            assert_eq!(hook.shown().await["state"], "failing");
        }
        house.clock().advance(Duration::from_hours(24));
        house.turn().await;
        let shown = hook.shown().await;
        assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("paused"), Some("failing")));
        hook.receiver.take();
        hook.receiver.answers(|_| Reply::Status(200));
        hook.turn("resume").await;
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 25);
    }

    async fn a_receiver_that_refuses_some_for_ever_gets_all_others(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*", "group.*"]).await;
        hook.receiver.answers(|got| Reply::Status(if got.kind().starts_with("group.") { 400 } else { 200 }));
        for number in 0..25 {
            house.group(&format!("group-{number}")).await;
        }
        house.turn().await;
        assert_eq!(hook.shown().await["state"], "failing");
        hook.receiver.take();
        let ada = house.user("ada").await;
        for _ in 0..2 {
            house.clock().advance(Duration::from_mins(12));
            house.turn().await;
        }
        let sent = hook.receiver.take();
        let of_ada = sent.iter().filter(|got| got.json["data"]["subject"]["id"] == ada.as_str()).count();
        assert_eq!(of_ada, 1, "what is new is tried as well as what was refused");
        assert_eq!(hook.shown().await["state"], "active");
        assert_eq!(hook.troubles().await.len(), 25, "nothing is lost");
    }

    async fn what_is_behind_others_does_not_stop_a_failing_receiver_from_being_tried(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*", "group.*"]).await;
        hook.receiver.answers(|got| Reply::Status(if got.kind().starts_with("group.") { 500 } else { 200 }));
        let mut groups = Vec::new();
        for number in 0..25 {
            groups.push(house.group(&format!("group-{number}")).await);
        }
        house.turn().await;
        assert_eq!(hook.shown().await["state"], "failing");
        // All that is new is about groups that wait, and then there is somebody else.
        for group in &groups {
            let rename = serde_json::json!([{"op": "replace", "path": "displayName", "value": format!("{group} x")}]);
            house.patch(&format!("/Groups/{group}"), rename).await;
        }
        house.user("ada").await;
        for _ in 0..2 {
            house.clock().advance(Duration::from_mins(12));
            house.turn().await;
        }
        assert_eq!(hook.shown().await["state"], "active");
        let troubles = hook.troubles().await;
        let behind = troubles.iter().filter(|(_, state)| state == "behind").count();
        assert_eq!((troubles.len(), behind), (50, 25));
    }

    async fn where_nothing_gets_through_nothing_is_given_up(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::Status(500));
        house.user("ada").await;
        for _ in 0..80 {
            house.turn().await;
            house.clock().advance(Duration::from_mins(75));
        }
        assert_eq!(hook.receiver.take().len(), 80);
        let states: Vec<String> = hook.troubles().await.into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, ["waiting"]);
    }

    async fn what_a_clock_that_was_ahead_put_off_is_sent_when_it_is_set_right(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        let now = house.clock().now();
        hook.receiver.answers(|_| Reply::Status(500));
        house.clock().advance(Duration::from_hours(24));
        house.user("ada").await;
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1);
        house.clock().set(now);
        hook.receiver.answers(|_| Reply::Status(200));
        // Another node: this one has died.
        assert_eq!(seam::deliver_unsettled(house.rooms()).await, 1);
    }

    async fn what_a_round_finds_out_does_not_undo_what_somebody_decided_meanwhile(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        house.user("ada").await;
        seam::number(house.rooms()).await;
        let both = async || {
            hook.turn("pause").await;
            hook.turn("resume").await;
        };
        assert!(!seam::deliver_while(house.rooms(), both).await);
        assert_eq!(hook.shown().await["state"], "active");
        assert!(!seam::deliver_while(house.rooms(), async || hook.turn("pause").await).await);
        let shown = hook.shown().await;
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("paused"), &json!("asked")));
        house.turn().await;
        let log = hook.desk.get("/events?kind=receiver.paused").await.status(200).json;
        let reasons: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|one| &one["data"]["reason"]).collect();
        assert_eq!(reasons, ["asked", "asked"]);
    }

    async fn a_receiver_that_wants_nothing_of_it_costs_no_write(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["role.*"]).await;
        let unmoved = "UPDATE receiver SET round = round WHERE round = 0 AND cursor_seq = 0";
        house.database.execute("UPDATE receiver SET round = 0, cursor_seq = 0").await;
        for number in 0..5 {
            house.user(&format!("user-{number}")).await;
            house.turn().await;
        }
        assert_eq!(house.database.execute(unmoved).await, 1);
        hook.desk.post("/roles", json!({"name": "Clerk", "permissions": []})).await.status(201);
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1);
        assert_eq!(house.database.execute(unmoved).await, 0);
    }
}
