//! Receivers that are to be told something else while something waits for them, or is on its way.

use std::time::Duration;

use serde_json::{Value, json};

use super::hook::Hook;
use super::polls;
use super::pushes::Stream;
use super::token::PROV;
use crate::admin::desk::Problems;
use crate::support::receiver::Reply;
use crate::support::{TestHouse, seam};

/// How long it takes until something is tried again.
const A_WHILE: Duration = Duration::from_hours(2);

fn only_deletes() -> Value {
    json!({"events": [format!("{PROV}delete")]})
}

/// The position of the last event.
async fn end(house: &TestHouse, hook: &Hook) -> i64 {
    house.turn().await;
    let log = hook.desk.get("/events?limit=500").await.status(200).json;
    log["items"].as_array().unwrap().last().unwrap()["seq"]
        .as_i64()
        .unwrap()
}

each_database! {
    async fn what_a_stream_is_not_told_any_more_is_not_sent_to_it_again(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        stream.receiver.answers(|_| Reply::Status(500));
        let mia = house.user("mia").await;
        stream.told().await;
        let replace = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
        house.patch(&format!("/Users/{mia}"), replace).await.status(200);
        stream.told().await;
        let states = |troubles: Vec<(String, Value)>| troubles.into_iter().map(|one| one.0).collect::<Vec<_>>();
        assert_eq!(states(stream.troubles().await), ["waiting", "behind"]);
        stream.desk.patch(&stream.path(""), only_deletes()).await.status(200);
        stream.receiver.answers(|_| Reply::Status(202));
        house.clock().advance(A_WHILE);
        house.delete(&format!("/Users/{mia}")).await.no_content();
        assert_eq!(stream.one().await.events(), [format!("{PROV}delete")]);
        assert_eq!(stream.troubles().await, []);
        assert_eq!(stream.desk.get(&stream.path("")).await.status(200).json["state"], "active");
    }

    async fn one_to_which_nothing_gets_through_goes_on_with_what_it_is_told_now(house: TestHouse) {
        let stream = Stream::of(&house, &[]).await;
        stream.receiver.answers(|_| Reply::Status(500));
        for number in 0..40 {
            house.user(&format!("u{number}")).await;
        }
        let eve = house.user("eve").await;
        stream.told().await;
        assert_eq!(stream.desk.get(&stream.path("")).await.status(200).json["state"], "failing");
        stream.desk.patch(&stream.path(""), only_deletes()).await.status(200);
        stream.receiver.answers(|_| Reply::Status(202));
        house.delete(&format!("/Users/{eve}")).await.no_content();
        house.clock().advance(A_WHILE);
        assert_eq!(stream.one().await.events(), [format!("{PROV}delete")]);
        house.clock().advance(A_WHILE);
        assert_eq!((stream.told().await, stream.troubles().await), (Vec::new(), Vec::new()));
        assert_eq!(stream.desk.get(&stream.path("")).await.status(200).json["state"], "active");
    }

    async fn what_a_polled_stream_is_not_told_any_more_is_not_given_to_it(house: TestHouse) {
        let stream = polls::Stream::new(&house, "hr").await;
        let mia = house.user("mia").await;
        house.user("bob").await;
        let all = stream.fetch(json!({})).await;
        // Given up behind one that is missing.
        stream.poll(json!({"maxEvents": 0, "setErrs": {all[1].jti(): {"err": "invalid_key"}}})).await;
        // A change that means nothing to a stream of SCIM's events.
        let made = stream.desk.get("/events?kind=receiver.created").await.status(200).json["items"][0]["seq"].clone();
        let no_token = format!("{}-{made}", stream.id);
        stream.poll(json!({"maxEvents": 0, "setErrs": {no_token: {"err": "invalid_key"}}})).await;
        assert_eq!(stream.shown().await["deliveries"]["dead"], 1, "only what it was told can be given up");
        stream.desk.patch(&stream.path(""), only_deletes()).await.status(200);
        stream.desk.post(&stream.path("/replay"), json!({"dead": true})).await.status(204);
        assert_eq!(stream.fetch(json!({})).await, []);
        assert_eq!(stream.shown().await["deliveries"], json!({"waiting": 0, "behind": 0, "dead": 0}));
        house.delete(&format!("/Users/{mia}")).await.no_content();
        assert_eq!(stream.fetch(json!({})).await.len(), 1);
    }

    async fn what_is_on_its_way_while_a_receiver_is_changed_does_not_move_it_on(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.deleted"]).await;
        let (mia, bob) = (house.user("mia").await, house.user("bob").await);
        house.delete(&format!("/Users/{mia}")).await.no_content();
        seam::number(house.rooms()).await;
        let settled = seam::deliver_while(house.rooms(), async || {
            hook.desk.patch(&hook.path(""), json!({"kinds": ["user.*"]})).await.status(200);
            house.user("eve").await;
            seam::number(house.rooms()).await;
        });
        assert!(!settled.await, "what came of it is of the receiver as it was");
        assert_eq!(hook.shown().await["state"], "active");
        house.turn().await;
        let kinds = |hook: &Hook| hook.receiver.take().iter().map(|got| got.kind().to_owned()).collect::<Vec<_>>();
        assert_eq!(kinds(&hook), ["user.deleted", "user.created"]);
        house.delete(&format!("/Users/{bob}")).await.no_content();
        house.turn().await;
        assert_eq!(kinds(&hook), ["user.deleted"]);
    }

    async fn what_was_before_a_change_is_not_sent_after_it(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.deleted"]).await;
        for number in 0..30 {
            house.user(&format!("u{number}")).await;
        }
        let before = end(&house, &hook).await;
        assert!(hook.shown().await["position"].as_i64().unwrap() < before, "not worth writing down");
        hook.desk.patch(&hook.path(""), json!({"kinds": ["user.*"]})).await.status(200);
        assert_eq!(hook.shown().await["position"], before);
        // A node that has looked at nothing yet.
        house.clock().advance(Duration::from_secs(31));
        let other = seam::open(house.database.url()).await;
        seam::turn(&other).await;
        assert_eq!(hook.receiver.take().len(), 0);
        house.user("mia").await;
        house.turn().await;
        assert_eq!(hook.receiver.take().len(), 1);
        seam::close(other).await;
    }

    async fn another_server_is_not_sent_what_the_one_until_now_is_known_by(house: TestHouse) {
        let (stream, other) = (Stream::of(&house, &[]).await, crate::support::receiver::Receiver::open().await);
        let refused = stream.desk.patch(&stream.path(""), json!({"url": other.url()})).await;
        assert_eq!(refused.problem(400, "invalid-value")["pointer"], "/authorization");
        let same = json!({"url": format!("{}/elsewhere", stream.receiver.url())});
        stream.desk.patch(&stream.path(""), same).await.status(200);
        assert_eq!(stream.desk.get(&stream.path("")).await.status(200).json["authorized"], true);
        let both = json!({"url": other.url(), "authorization": "Bearer others-own"});
        stream.desk.patch(&stream.path(""), both).await.status(200);
        house.user("mia").await;
        house.turn().await;
        assert_eq!(other.take().remove(0).header("authorization"), "Bearer others-own");
        let bare = json!({"url": stream.receiver.url(), "authorization": null});
        stream.desk.patch(&stream.path(""), bare).await.status(200);
        stream.desk.patch(&stream.path(""), json!({"url": other.url()})).await.status(200);
    }

    async fn one_whose_secret_does_not_open_is_paused_and_can_be_given_another(house: TestHouse) {
        let (stream, hook) = (Stream::of(&house, &[]).await, Hook::of(&house, "hook", &[]).await);
        house.user("bob").await;
        assert_eq!(stream.told().await.len(), 1);
        hook.receiver.take();
        house.database.execute("UPDATE receiver SET sealed = substr(sealed, 1, length(sealed) - 4) || 'AAAA'").await;
        let listed = stream.desk.get("/streams").await.status(200).json;
        assert_eq!((&listed["items"][0]["state"], &listed["items"][0]["reason"]), (&json!("active"), &json!("unreadable")));
        stream.desk.get("/webhooks").await.status(200);
        house.user("mia").await;
        house.turn().await;
        assert_eq!(stream.desk.get(&stream.path("")).await.status(200).json["state"], "paused");
        assert_eq!(hook.shown().await["state"], "paused");
        let log = hook.desk.get("/events?kind=receiver.paused").await.status(200).json["items"].clone();
        assert_eq!((&log[0]["data"]["reason"], log.as_array().unwrap().len()), (&json!("unreadable"), 2));
        stream.desk.patch(&stream.path(""), json!({"authorization": "Bearer another"})).await.status(200);
        stream.desk.post(&stream.path("/resume"), json!({})).await.status(204);
        assert_eq!(stream.told().await.len(), 1, "what happened meanwhile");
        hook.desk.delete(&hook.path("")).await.status(204);
    }
}
