//! Enforcers as administrators manage them.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop::{HELD, Shop, honest, lying};
use crate::admin::desk::{Desk, Problems as _};
use crate::support::receiver::{Receiver, Reply};
use crate::support::{TestHouse, seam};

const URL: &str = "https://example.com/end";

each_database! {
    async fn an_enforcer_needs_a_probe_or_has_to_be_believed(house: TestHouse) {
        let desk = Desk::admin(&house);
        for (body, pointer) in [
            (json!({"name": "shop", "url": URL}), "/probe"),
            (json!({"name": "shop", "url": URL, "confirms_by": "probe"}), "/probe"),
            (json!({"name": "shop", "url": URL, "probe": URL, "confirms_by": "acknowledgement"}), "/probe"),
            (json!({"name": "shop", "url": "https://10.0.0.1/", "probe": URL}), "/url"),
            (json!({"name": "shop", "url": URL, "probe": "https://[::1]/"}), "/probe"),
            (json!({"name": "shop", "url": "nowhere", "probe": URL}), "/url"),
            (json!({"name": " ", "url": URL, "probe": URL}), "/name"),
            (json!({"name": "account-tokens", "url": URL, "probe": URL}), "/name"),
            (json!({"name": "sessions", "url": URL, "probe": URL}), "/name"),
        ] {
            let problem = desk.post("/enforcers", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}");
        }
        let made = desk.post("/enforcers", json!({"name": "shop", "url": URL, "probe": URL})).await.status(201);
        assert_eq!(made.header("cache-control"), "no-store");
        assert_eq!((&made.json["confirms_by"], &made.json["state"]), (&json!("probe"), &json!("active")));
        assert!(made.json["secret"].as_str().unwrap().starts_with("whsec_"));
        let again = desk.post("/enforcers", json!({"name": "shop", "url": URL, "probe": URL})).await.problem(409, "conflict");
        assert_eq!(again["pointer"], "/name");
        let list = desk.get("/enforcers").await.status(200).json;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert!(list["items"][0].get("secret").is_none());
        let nobodys = Desk::neighbour(&house).get("/enforcers").await.status(200).json;
        assert_eq!(nobodys["items"], json!([]));
    }

    async fn what_waits_is_asked_for_where_the_enforcer_is_now(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(|_| Reply::Status(503));
        let user = shop.leaver("ada").await;
        let moved = Receiver::open().await;
        moved.answers(honest);
        let change = json!({"name": "store", "url": moved.url(), "probe": moved.url()});
        let changed = shop.desk.patch(&shop.path(""), change.clone()).await.status(200).json;
        assert_eq!((&changed["name"], &changed["url"], &changed["waiting"]), (&json!("store"), &json!(moved.url()), &json!(1)));
        shop.asked();
        house.turn().await;
        assert_eq!((shop.asked().len(), moved.got().len()), (0, 2));
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed", "a step keeps the name that it was opened with");
        let believed = shop.desk.patch(&shop.path(""), json!({"confirms_by": "acknowledgement"})).await.status(200).json;
        assert_eq!((&believed["probe"], &believed["confirms_by"]), (&Value::Null, &json!("acknowledgement")));
        shop.desk.patch(&shop.path(""), json!({"confirms_by": "acknowledgement"})).await.status(200);
        assert_eq!(shop.told("enforcer.changed").await.len(), 2, "what is already so is no event");
        let other = Shop::open(&house, "forum").await;
        shop.desk.patch(&other.path(""), json!({"name": "store"})).await.problem(409, "conflict");
    }

    async fn another_place_is_told_to_end_and_not_only_asked(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        shop.receiver.answers(lying);
        let user = shop.leaver("kim").await;
        assert_eq!(shop.step(&user, "shop").await["state"], "acknowledged");
        let moved = Receiver::open().await;
        moved.answers(honest);
        shop.desk.patch(&shop.path(""), json!({"url": moved.url(), "probe": moved.url()})).await.status(200);
        assert_eq!(shop.step(&user, "shop").await["acknowledged"], Value::Null, "nobody has acknowledged it there");
        house.turn().await;
        let asked: Vec<String> = moved.got().iter().map(|got| got.kind().to_owned()).collect();
        assert_eq!(asked, ["offboarding.end", "offboarding.probe"]);
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed");
    }

    async fn an_answer_of_the_place_before_counts_no_more(house: TestHouse) {
        let shop = Shop::believed(&house, "shop").await;
        let user = house.user("kim").await;
        house.delete(&format!("/Users/{user}")).await.no_content();
        seam::number(house.rooms()).await;
        seam::open_runs(house.rooms()).await;
        let moved = Receiver::open().await;
        moved.answers(lying);
        let change = async || {
            let body = json!({"probe": moved.url(), "confirms_by": "probe"});
            shop.desk.patch(&shop.path(""), body).await.status(200);
        };
        assert_eq!(seam::enforce_while(house.rooms(), change).await, [false], "it was called before it had to be proven");
        house.clock().advance(HELD);
        house.turn().await;
        let step = shop.step(&user, "shop").await;
        assert_eq!((&step["state"], &step["confirmed"]), (&json!("acknowledged"), &Value::Null));
        moved.answers(honest);
        shop.wait(HELD).await;
        assert_eq!(shop.step(&user, "shop").await["state"], "confirmed");
    }

    async fn a_new_secret_signs_beside_the_old_one_for_a_day(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        let made = shop.desk.post(&shop.path("/secrets"), json!({})).await.status(201).json;
        let newer = made["secret"].as_str().unwrap();
        shop.leaver("ada").await;
        let got = shop.receiver.take().remove(0);
        assert_eq!((got.signed_by(&shop.secret), got.signed_by(newer)), (Some(0), Some(1)));
        let ids: Vec<String> = shop.shown().await["secrets"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        shop.desk.delete(&shop.path(&format!("/secrets/{}", ids[1]))).await.problem(409, "conflict");
        shop.desk.delete(&shop.path(&format!("/secrets/{}", ids[0]))).await.status(204);
        house.clock().advance(Duration::from_mins(1));
        shop.leaver("bob").await;
        let got = shop.receiver.take().remove(0);
        assert_eq!((got.signed_by(&shop.secret), got.signed_by(newer)), (None, Some(0)));
    }

    async fn it_can_be_tried_without_ending_anything(house: TestHouse) {
        let shop = Shop::open(&house, "shop").await;
        assert_eq!(shop.shown().await["tested"], Value::Null);
        shop.receiver.answers(|got| {
            assert_eq!(got.kind(), "offboarding.test");
            Reply::Text(r#"{"open":7}"#.to_owned())
        });
        shop.turn("test").await;
        assert_eq!(shop.shown().await["testing"], true);
        house.turn().await;
        let got = shop.receiver.take();
        assert_eq!(got.len(), 2, "its URL and its probe");
        assert_eq!((got[0].signed_by(&shop.secret), got[0].json["data"].get("user")), (Some(0), None));
        let shown = shop.shown().await;
        assert_eq!(shown["testing"], false);
        assert_eq!(shown["tested"]["hook"], json!({"ok": true, "says": "its URL answered 200"}));
        assert_eq!(shown["tested"]["probe"], json!({"ok": true, "says": "its probe says that 7 are open"}));
        shop.receiver.answers(|_| Reply::Status(500));
        // A pause is no reason not to try it.
        shop.turn("pause").await;
        shop.turn("test").await;
        house.turn().await;
        let tested = shop.shown().await["tested"].clone();
        assert_eq!((&tested["hook"]["ok"], &tested["probe"]["ok"]), (&json!(false), &json!(false)));
        assert_eq!(shop.told("enforcer.tested").await.len(), 2);
        assert_eq!(shop.desk.get("/offboarding-runs").await.status(200).json["items"], json!([]));
    }
}
