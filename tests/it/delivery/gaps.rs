//! Streams that fetch and leave something out, wait, or are not who they were.

use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};

use super::polls::{Stream, jtis};
use super::token::PROV;
use crate::admin::desk::Problems;
use crate::support::TestHouse;

/// More events than a polled stream is looked through for at once.
const MANY: usize = 1_100;

/// Writes events that mean nothing to other streams.
async fn fill(house: &TestHouse, other: &Stream) {
    for _ in 0..MANY {
        other.desk.post(&other.path("/verify"), json!({})).await.status(204);
    }
    house.turn().await;
}

each_database! {
    async fn what_is_never_told_about_holds_nothing_up(house: TestHouse) {
        let (stream, other) = (Stream::new(&house, "hr").await, Stream::new(&house, "other").await);
        for name in ["mia", "bob", "eve"] {
            house.user(name).await;
        }
        let first = stream.fetch(json!({})).await;
        assert_eq!(jtis(&stream.fetch(json!({"ack": [first[1].jti(), first[2].jti()]})).await), [first[0].jti()]);
        fill(&house, &other).await;
        house.user("ida").await;
        let rest = stream.fetch(json!({})).await;
        assert_eq!((rest.len(), rest[0].jti()), (2, first[0].jti()), "the missing one, and what is new");
        let shown = stream.shown().await;
        assert_eq!(shown["deliveries"], json!({"waiting": 1, "behind": 0, "dead": 0}));
        let list = stream.desk.get(&stream.path("/deliveries")).await.status(200).json["items"].clone();
        assert_eq!((&list[0]["state"], &list[0]["subject"]["kind"]), (&json!("waiting"), &json!("user")));
        // It may still be told about, either way.
        let error = json!({"setErrs": {rest[0].jti(): {"err": "invalid_request"}}, "ack": [rest[1].jti()]});
        assert_eq!(stream.fetch(error).await, []);
        assert_eq!(stream.shown().await["deliveries"]["dead"], 1);
        stream.desk.post(&stream.path("/replay"), json!({"dead": true})).await.status(204);
        assert_eq!(jtis(&stream.fetch(json!({})).await), [first[0].jti()]);
        assert_eq!(stream.fetch(json!({"ack": [first[0].jti()]})).await, []);
        assert_eq!(stream.shown().await["deliveries"], json!({"waiting": 0, "behind": 0, "dead": 0}));
        let all = json!({"from": 1});
        stream.desk.post(&stream.path("/replay"), all).await.status(204);
        assert_eq!(stream.fetch(json!({})).await.len(), 4, "whatever had become of them");
    }

    async fn all_are_given_again_also_what_was_acknowledged_behind_a_gap(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        for name in ["mia", "bob", "eve"] {
            house.user(name).await;
        }
        let all = stream.fetch(json!({})).await;
        stream.fetch(json!({"ack": [all[0].jti(), all[2].jti()]})).await;
        let from: i64 = all[0].jti().rsplit_once('-').unwrap().1.parse().unwrap();
        stream.desk.post(&stream.path("/replay"), json!({"from": from})).await.status(204);
        assert_eq!(jtis(&stream.fetch(json!({})).await), jtis(&all));
    }

    async fn what_is_told_again_is_written_down_once(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        for name in ["mia", "bob"] {
            house.user(name).await;
        }
        let all = stream.fetch(json!({})).await;
        for _ in 0..3 {
            let again = stream.fetch(json!({"setErrs": {all[1].jti(): {"err": "invalid_key"}}})).await;
            assert_eq!(jtis(&again), [all[0].jti()]);
        }
        let told = stream.desk.get("/events?kind=delivery.dead").await.status(200).json["items"].clone();
        assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    }

    async fn who_waits_with_a_token_that_is_ended_is_given_nothing(house: TestHouse) {
        let stream = Stream::new(&house, "hr").await;
        let waiting = stream.ask(&stream.token, json!({}));
        let meanwhile = async {
            tokio::task::yield_now().await;
            let renewed = stream.desk.post(&stream.path("/token"), json!({})).await.status(201).json["token"].clone();
            house.user("mia").await;
            house.turn().await;
            renewed
        };
        let (answer, renewed) = tokio::join!(waiting, meanwhile);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        answer.problem(401, "unauthorized");
        let own = stream.ask(renewed.as_str().unwrap(), json!({"returnImmediately": true})).await.status(200).json;
        assert_eq!(own["sets"].as_object().unwrap().len(), 1);
    }

    async fn of_two_who_wait_for_the_same_stream_the_second_is_answered_at_once(house: TestHouse) {
        let (one, other) = (Stream::new(&house, "one").await, Stream::new(&house, "other").await);
        let (mut first, mut second) = (pin!(one.ask(&one.token, json!({}))), pin!(one.ask(&one.token, json!({}))));
        let (answered, waiting) = tokio::select! {
            answered = &mut first => (answered, second),
            answered = &mut second => (answered, first),
        };
        assert_eq!(answered.status(200).json, json!({"sets": {}}));
        assert_eq!(other.fetch(json!({})).await, []);
        house.user("mia").await;
        house.turn().await;
        let told = waiting.await.status(200).json;
        assert_eq!(told["sets"].as_object().unwrap().len(), 1, "the other one goes on waiting");
    }

    async fn a_stream_of_little_is_looked_through_once(house: TestHouse) {
        let (stream, other) = (Stream::new(&house, "hr").await, Stream::new(&house, "other").await);
        let only = json!({"events": [format!("{PROV}delete")]});
        stream.desk.patch(&stream.path(""), only).await.status(200);
        let at = async || stream.shown().await["position"].as_i64().unwrap();
        let before = at().await;
        assert_eq!(stream.fetch(json!({})).await, []);
        fill(&house, &other).await;
        let mia = house.user("mia").await;
        assert_eq!(stream.fetch(json!({})).await, []);
        assert!(at().await >= before + 1_024, "what means nothing to it is passed");
        house.delete(&format!("/Users/{mia}")).await.no_content();
        house.clock().advance(Duration::from_secs(1));
        let told: Vec<Value> = stream.fetch(json!({})).await.into_iter().map(|set| set.claims).collect();
        assert_eq!((told.len(), &told[0]["sub_id"]["uri"]), (1, &json!(format!("/Users/{mia}"))));
    }
}
