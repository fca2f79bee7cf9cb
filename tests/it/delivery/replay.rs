//! What is given up, and what is asked for again.

use std::time::Duration;

use serde_json::json;

use super::hook::Hook;
use crate::admin::desk::Problems;
use crate::support::TestHouse;
use crate::support::receiver::Reply;

each_database! {
    async fn a_delivery_is_given_up_in_the_end_and_can_be_asked_for_again(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.created"]).await;
        hook.receiver.answers(|got| Reply::Status(if got.kind() == "user.created" { 500 } else { 200 }));
        house.user("ada").await;
        for _ in 0..80 {
            house.turn().await;
            // Something else gets through now and then, so that the receiver is not the fault.
            hook.turn("test").await;
            house.clock().advance(Duration::from_mins(75));
        }
        let sent = hook.receiver.take();
        let tried = sent.iter().filter(|got| got.kind() == "user.created").count();
        assert_eq!(tried, 72);
        let troubles = hook.troubles().await;
        assert_eq!(troubles.len(), 1);
        assert_eq!(troubles[0].1, "dead");
        let log = hook.desk.get("/events?kind=delivery.dead").await.status(200).json;
        assert_eq!(log["items"][0]["data"], json!({"positions": [troubles[0].0]}));
        hook.receiver.answers(|_| Reply::Status(200));
        hook.desk.post(&hook.path("/replay"), json!({"dead": true})).await.status(204);
        house.turn().await;
        let again: Vec<_> = hook.receiver.take().into_iter().filter(|got| got.kind() == "user.created").collect();
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].id(), sent.iter().find(|got| got.kind() == "user.created").unwrap().id());
        assert_eq!(hook.troubles().await, []);
    }

    async fn everything_from_a_position_on_can_be_asked_for_again(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        for name in ["ada", "bob", "eve"] {
            house.user(name).await;
        }
        house.turn().await;
        let first = hook.receiver.take();
        let from = first[1].seq();
        hook.desk.post(&hook.path("/replay"), json!({"from": from})).await.status(204);
        house.turn().await;
        let mut again: Vec<String> = hook.receiver.take().iter().map(|got| got.id().to_owned()).collect();
        again.sort();
        let mut expected: Vec<String> = first.iter().filter(|got| got.seq() >= from).map(|got| got.id().to_owned()).collect();
        expected.sort();
        assert_eq!(again, expected);
        for (body, pointer) in [
            (json!({"from": 0}), "/from"),
            (json!({"from": 1_000_000}), "/from"),
            (json!({}), ""),
            (json!({"dead": true, "from": 1}), ""),
            (json!({"dead": false}), ""),
        ] {
            let problem = hook.desk.post(&hook.path("/replay"), body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}");
        }
    }

    async fn a_replay_meets_what_waits_and_keeps_its_order(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        let ada = house.user("ada").await;
        house.turn().await;
        let made = hook.receiver.take().remove(0).seq();
        hook.receiver.answers(|_| Reply::Status(500));
        let replace = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
        house.patch(&format!("/Users/{ada}"), replace).await.status(200);
        house.turn().await;
        hook.receiver.take();
        hook.receiver.answers(|_| Reply::Status(200));
        hook.desk.post(&hook.path("/replay"), json!({"from": made})).await.status(204);
        house.turn().await;
        house.clock().advance(Duration::from_secs(6));
        house.turn().await;
        let seqs = hook.receiver.seqs();
        assert_eq!(hook.troubles().await, []);
        assert!(seqs.is_sorted() && seqs.first() == Some(&made) && seqs.len() >= 2, "{seqs:?}");
    }

    async fn what_was_given_up_and_got_through_in_a_replay_is_not_listed_any_more(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.receiver.answers(|_| Reply::Status(500));
        house.user("ada").await;
        house.turn().await;
        let seq = hook.receiver.take().remove(0).seq();
        house.database.execute("UPDATE delivery SET state = 'dead'").await;
        hook.receiver.answers(|_| Reply::Status(200));
        hook.desk.post(&hook.path("/replay"), json!({"from": seq})).await.status(204);
        house.turn().await;
        assert_eq!(hook.receiver.seqs(), [seq]);
        assert_eq!(hook.troubles().await, []);
    }
}
