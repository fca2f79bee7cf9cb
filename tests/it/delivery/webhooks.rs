//! Webhooks as administrators manage them, and what they are sent.

use std::time::Duration;

use serde_json::{Value, json};

use super::hook::Hook;
use crate::admin::desk::{Desk, Problems};
use crate::support::TestHouse;

each_database! {
    async fn what_happens_is_sent_with_its_position_and_signed(house: TestHouse) {
        let hook = Hook::new(&house).await;
        let ada = house.user("ada-of-the-hook").await;
        house.turn().await;
        let got = hook.receiver.take();
        assert_eq!(got.len(), 1);
        let got = &got[0];
        assert_eq!(got.kind(), "user.created");
        assert_eq!(got.json["data"]["subject"], json!({"kind": "user", "id": ada}));
        let tenant = got.json["data"]["tenant"].as_str().unwrap();
        assert_eq!(got.id(), format!("evt_{tenant}_{}", got.seq()));
        assert_eq!(got.header("webhook-timestamp"), "1767225631");
        assert_eq!(got.signed_by(&hook.secret), Some(0));
        assert!(!got.text.contains("ada-of-the-hook"), "no personal value leaves: {}", got.text);
        let events = hook.desk.get("/events?kind=user.created").await.status(200).json;
        assert_eq!(events["items"][0]["seq"], got.seq());
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0, "once");
        assert_eq!(hook.shown().await["position"], got.seq());
        assert_eq!(hook.troubles().await, []);
    }

    async fn what_is_refused_is_not_sent(house: TestHouse) {
        let hook = Hook::new(&house).await;
        house.post("/Users", json!({"userName": ""})).await;
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0, "what is refused did not happen");
    }

    async fn a_webhook_is_sent_the_kinds_that_it_names(house: TestHouse) {
        let hook = Hook::of(&house, "groups", &["group.*", "user.deleted"]).await;
        let ada = house.user("ada").await;
        house.group("Sales").await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.turn().await;
        let kinds: Vec<String> = hook.receiver.take().iter().map(|got| got.kind().to_owned()).collect();
        assert_eq!(kinds, ["group.created", "user.deleted"]);
        let refused = hook.desk.patch(&hook.path(""), json!({"kinds": ["user.made"]})).await;
        assert_eq!(refused.problem(400, "invalid-value")["pointer"], "/kinds/0");
        let changed = hook.desk.patch(&hook.path(""), json!({"kinds": []})).await.status(200).json;
        assert_eq!(changed["kinds"], json!([]));
        house.user("bob").await;
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 1, "all kinds, but not its own change");
    }

    async fn two_secrets_sign_while_one_takes_the_place_of_the_other(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        let second = hook.desk.post(&hook.path("/secrets"), json!({})).await.status(201);
        assert_eq!(second.header("cache-control"), "no-store");
        let new = second.json["secret"].as_str().unwrap().to_owned();
        house.user("ada").await;
        house.turn().await;
        let got = hook.receiver.take().remove(0);
        assert_eq!((got.signed_by(&hook.secret), got.signed_by(&new)), (Some(0), Some(1)));
        house.clock().advance(Duration::from_hours(24));
        house.user("bob").await;
        house.turn().await;
        let got = hook.receiver.take().remove(0);
        assert_eq!((got.signed_by(&hook.secret), got.signed_by(&new)), (None, Some(0)));
        let third = hook.desk.post(&hook.path("/secrets"), json!({})).await.status(201).json;
        let ids = |shown: &Value| shown["secrets"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&hook.shown().await), [second.json["id"].clone(), third["id"].clone()]);
        let end = |id: &Value| hook.path(&format!("/secrets/{}", id.as_str().unwrap()));
        hook.desk.delete(&end(&third["id"])).await.problem(409, "conflict");
        hook.desk.delete(&end(&second.json["id"])).await.status(204);
        hook.desk.delete(&end(&second.json["id"])).await.problem(404, "not-found");
        house.user("eve").await;
        house.turn().await;
        let got = hook.receiver.take().remove(0);
        assert_eq!((got.signed_by(&new), got.signed_by(third["secret"].as_str().unwrap())), (None, Some(0)));
    }

    async fn a_paused_webhook_is_sent_nothing_and_then_everything(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        hook.turn("pause").await;
        hook.turn("pause").await;
        let (_ada, _bob) = (house.user("ada").await, house.user("bob").await);
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0);
        let shown = hook.shown().await;
        assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("paused"), Some("asked")));
        hook.turn("resume").await;
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 2);
        let log = hook.desk.get("/events?kind=receiver.paused").await.status(200).json;
        assert_eq!(log["items"].as_array().unwrap().len(), 1, "a second pause is none");
        assert_eq!(log["items"][0]["subject"]["id"], hook.id.as_str());
    }

    async fn a_test_goes_to_that_webhook_alone(house: TestHouse) {
        let (one, other) = (Hook::of(&house, "one", &["group.created"]).await, Hook::of(&house, "other", &[]).await);
        one.receiver.take();
        one.turn("test").await;
        house.turn().await;
        assert_eq!(one.receiver.got()[0].kind(), "receiver.tested");
        assert_eq!(other.receiver.got().len(), 0);
    }

    async fn a_webhook_that_is_removed_is_gone_with_what_waits_for_it(house: TestHouse) {
        let hook = Hook::new(&house).await;
        hook.receiver.answers(|_| crate::support::receiver::Reply::Status(500));
        house.user("ada").await;
        house.turn().await;
        assert_eq!(hook.troubles().await.len(), 1);
        hook.desk.delete(&hook.path("")).await.status(204);
        hook.desk.delete(&hook.path("")).await.problem(404, "not-found");
        house.turn().await;
        assert_eq!(hook.desk.get("/webhooks").await.status(200).json["items"], json!([]));
    }

    async fn what_cannot_be_a_webhook_is_refused_with_its_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let long = format!("https://example.com/{}", "x".repeat(2048));
        for (body, pointer) in [
            (json!({"name": "", "url": "https://example.com"}), "/name"),
            (json!({"name": "x", "url": "example.com"}), "/url"),
            (json!({"name": "x", "url": "ftp://example.com"}), "/url"),
            (json!({"name": "x", "url": "https://10.0.0.1/"}), "/url"),
            (json!({"name": "x", "url": "https://169.254.169.254/"}), "/url"),
            (json!({"name": "x", "url": "https://[::1]/"}), "/url"),
            (json!({"name": "x", "url": "https://me:secret@example.com/"}), "/url"),
            (json!({"name": "x", "url": long}), "/url"),
            (json!({"name": "x", "url": "https://example.com", "kinds": ["user.created", "made"]}), "/kinds/1"),
        ] {
            let problem = desk.post("/webhooks", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}");
        }
        desk.post("/webhooks", json!({"name": "x", "url": "https://example.com"})).await.status(201);
        let taken = desk.post("/webhooks", json!({"name": "x", "url": "https://example.com"})).await;
        assert_eq!(taken.problem(409, "conflict")["pointer"], "/name");
        house.logs.never_say("whsec_");
    }

    async fn a_neighbour_is_told_nothing(house: TestHouse) {
        let hook = Hook::new(&house).await;
        house.second_tenant().user("eve").await;
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0);
    }
}
