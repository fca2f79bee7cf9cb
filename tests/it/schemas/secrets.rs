//! What is never returned is kept, and told to nobody: in no answer, by no event, and by no sign of a right guess.

use std::time::Duration;

use serde_json::{Value, json};

use super::words::{BADGE, attach, badge, badges, extends, schema, set, worn};
use crate::admin::desk::Desk;
use crate::api::bodies::{GROUP, USER, user};
use crate::delivery::polls::Stream;
use crate::delivery::token::PROV;
use crate::history::town;
use crate::support::TestHouse;

const VPN: &str = "urn:example:vpn:1.0:User";
const DOOR: &str = "urn:example:door:1.0:Group";

fn secret(name: &str) -> Value {
    json!({"name": name, "type": "string", "mutability": "writeOnly", "returned": "never"})
}

/// Users and groups have something that is called as the password is.
async fn passwords(desk: &Desk) {
    let subs = json!([{"name": "login", "type": "string"}, secret("password")]);
    let vpn = json!([{"name": "vpn", "type": "complex", "subAttributes": subs}]);
    set(desk, &schema(VPN, &vpn)).await.status(200);
    set(
        desk,
        &schema(DOOR, &json!([{"name": "place", "type": "string"}, secret("password")])),
    )
    .await
    .status(200);
    attach(desk, &extends("User", &[(VPN, false)])).await.status(200);
    attach(desk, &extends("Group", &[(DOOR, false)])).await.status(200);
}

each_database! {
    async fn it_is_shown_to_nobody_also_when_it_is_called_password(house: TestHouse) {
        passwords(&Desk::admin(&house)).await;
        let body = user("ada", json!({"schemas": [USER, VPN], VPN: {"vpn": {"login": "a", "password": "s3cret-vpn"}}}));
        let ada = house.post("/Users", body).await.status(201);
        let hall = json!({"schemas": [GROUP, DOOR], "displayName": "Hall", DOOR: {"place": "x", "password": "s3cret-door"}});
        let hall = house.post("/Groups", hall).await.status(201);
        assert_eq!((&ada.json[VPN], &hall.json[DOOR]), (&json!({"vpn": {"login": "a"}}), &json!({"place": "x"})));
        let (ada, hall) = (format!("/Users/{}", ada.id()), format!("/Groups/{}", hall.id()));
        let change = json!([{"op": "replace", "path": format!("{VPN}:vpn.password"), "value": "s3cret-again"}]);
        for answer in [
            house.patch(&ada, change).await.status(200),
            house.get(&ada).await,
            house.get(&hall).await,
            house.get("/Users").await,
            house.get("/Groups").await,
            house.get(&format!("{ada}?attributes={VPN}:vpn.password,userName")).await,
        ] {
            assert!(!answer.text.contains("s3cret"), "{}", answer.text);
        }
    }

    async fn it_stays_hidden_when_only_the_server_may_write_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let path = format!("/Users/{}", house.post("/Users", worn("ada", &json!({"pin": "s3cret", "note": "aside", "level": 1}))).await.status(201).id());
        let mut fixed = badge();
        for one in fixed["attributes"].as_array_mut().unwrap() {
            if ["pin", "note"].contains(&one["name"].as_str().unwrap()) {
                one["mutability"] = json!("readOnly");
            }
        }
        set(&desk, &fixed).await.status(200);
        assert_eq!(house.get(&path).await.json[BADGE], json!({"level": 1}));
        let asked = house.get(&format!("{path}?attributes={BADGE}:note,{BADGE}:pin")).await;
        assert_eq!(asked.json[BADGE], json!({"note": "aside"}), "on request, as before");
    }

    async fn the_log_streams_and_history_name_it_and_do_not_have_it(house: TestHouse) {
        let desk = town::desk(&house);
        badges(&desk).await;
        let stream = Stream::new(&house, "hr").await;
        let full = ["create:full", "patch:full", "put:full"].map(|event| format!("{PROV}{event}"));
        desk.patch(&stream.path(""), json!({"events": full})).await.status(200);
        let ada = house.post("/Users", worn("ada", &json!({"pin": "s3cret-1", "level": 1}))).await.status(201).id();
        let path = format!("/Users/{ada}");
        house.patch(&path, json!([{"op": "replace", "path": format!("{BADGE}:pin"), "value": "s3cret-2"}])).await.status(200);
        house.put(&path, worn("ada", &json!({"pin": "s3cret-3", "level": 2}))).await.status(200);
        house.turn().await;
        let events = crate::log::folded::events(&desk).await;
        let about: Vec<&Value> = events.iter().filter(|event| event["subject"]["id"] == ada).collect();
        assert_eq!(about.len(), 3, "{about:?}");
        for event in about {
            let names = event["data"]["attributes"].as_array().unwrap();
            assert!(names.contains(&json!(format!("{BADGE}:pin"))), "{event}");
        }
        let told = async || {
            let sets = stream.fetch(json!({})).await;
            json!(sets.iter().map(|set| &set.claims).collect::<Vec<_>>()).to_string()
        };
        let told_then = told().await;
        assert!(told_then.contains("\"level\":2"), "{told_then}");
        house.clock().advance(Duration::from_secs(1));
        let now = house.clock().now().rfc3339();
        house.clock().advance(Duration::from_secs(1));
        let history = desk.get(&format!("/users/{ada}?as_of={now}")).await.status(200);
        assert_eq!(history.json["attributes"][BADGE], json!({"level": 2}));
        house.delete(&path).await.no_content();
        desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200);
        let events = crate::log::folded::events(&desk).await;
        for text in [json!(events).to_string(), told_then, history.text, told().await] {
            assert!(!text.contains("s3cret"), "{text}");
        }
        assert_eq!(house.dump().await.tables_with("s3cret-3"), ["resource"], "it is kept all the same");
    }

    async fn a_copy_has_none_of_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"pin": "s3cret", "level": 1}))).await.status(201).id();
        let bob = desk.post(&format!("/users/{ada}/clone"), json!({"userName": "bob"})).await.status(201);
        assert_eq!(house.get(&format!("/Users/{}", bob.json["id"].as_str().unwrap())).await.json[BADGE], json!({"level": 1}));
        let having = house.dump().await;
        let rows = having.table("resource").iter().filter(|row| row.contains("s3cret"));
        assert_eq!(rows.count(), 1);
    }

    async fn a_right_guess_looks_as_a_wrong_one_does(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let made = house.post("/Users", worn("ada", &json!({"pin": "1234", "level": 1}))).await.status(201);
        let path = format!("/Users/{}", made.id());
        let mut tag = made.header("etag").to_owned();
        for guess in ["1234", "9999", "9999"] {
            let pin = json!([{"op": "replace", "path": format!("{BADGE}:pin"), "value": guess}]);
            let whole = json!([{"op": "add", "value": {BADGE: {"pin": guess, "level": 1}}}]);
            for answer in [
                house.patch(&path, pin).await.status(200),
                house.patch(&path, whole).await.status(200),
                house.put(&path, worn("ada", &json!({"pin": guess, "level": 1}))).await.status(200),
            ] {
                assert_eq!(answer.header("muster-operations"), "");
                assert_ne!(answer.header("etag"), tag, "{guess}");
                answer.header("etag").clone_into(&mut tag);
            }
        }
        // To take it away does not tell either whether it was there.
        for remove in [format!("{BADGE}:pin"), format!("{BADGE}:pin"), BADGE.to_owned(), BADGE.to_owned()] {
            let answer = house.patch(&path, json!([{"op": "remove", "path": remove}])).await.status(200);
            assert_eq!(answer.header("muster-operations"), "", "{remove}");
            assert_ne!(answer.header("etag"), tag, "{remove}");
            answer.header("etag").clone_into(&mut tag);
        }
        let same = json!([{"op": "replace", "path": format!("{BADGE}:level"), "value": 1}]);
        house.patch(&path, same.clone()).await.status(200).header("etag").clone_into(&mut tag);
        assert_eq!(house.patch(&path, same).await.status(200).header("etag"), tag, "of what is shown it is told");
    }

    async fn a_guess_at_a_part_looks_right_and_wrong_alike(house: TestHouse) {
        let desk = Desk::admin(&house);
        let parts = json!([{"name": "login", "type": "string"}, secret("password")]);
        let attributes = json!([
            {"name": "vpn", "type": "complex", "subAttributes": parts},
            {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": [{"name": "name", "type": "string"}, secret("code")]},
        ]);
        set(&desk, &schema(VPN, &attributes)).await.status(200);
        attach(&desk, &extends("User", &[(VPN, false)])).await.status(200);
        let held = json!({"vpn": {"login": "a", "password": "s3cret"}, "keys": [{"name": "k", "code": "4711"}]});
        let made = house.post("/Users", user("ada", json!({"schemas": [USER, VPN], VPN: held}))).await.status(201);
        let path = format!("/Users/{}", made.id());
        let mut tag = made.header("etag").to_owned();
        // A second key beside the first would tell that the guess is wrong.
        for code in ["0815", "4711", "4711"] {
            let add = json!([{"op": "add", "path": format!("{VPN}:keys"), "value": [{"name": "k", "code": code}]}]);
            let answer = house.patch(&path, add).await.status(200);
            assert_eq!((&answer.json[VPN]["keys"], answer.header("muster-operations")), (&json!([{"name": "k"}]), ""), "{code}");
            assert_ne!(answer.header("etag"), tag);
            answer.header("etag").clone_into(&mut tag);
            let choose = json!([{"op": "remove", "path": format!("{VPN}:keys"), "value": [{"code": code}]}]);
            house.patch(&path, choose).await.error(403, Some("sensitive"));
        }
        for remove in ["vpn.password", "vpn.password", "keys[name eq \"k\"].code", "keys.code", "vpn", "vpn"] {
            let answer = house.patch(&path, json!([{"op": "remove", "path": format!("{VPN}:{remove}")}])).await.status(200);
            assert_eq!(answer.header("muster-operations"), "", "{remove}");
            assert_ne!(answer.header("etag"), tag, "{remove}");
            answer.header("etag").clone_into(&mut tag);
        }
        assert_eq!(house.get(&path).await.json[VPN], json!({"keys": [{"name": "k"}]}));
        house.patch(&path, json!([{"op": "remove", "path": format!("{VPN}:keys"), "value": [{"name": "K"}]}])).await.status(200);
        assert_eq!(house.get(&path).await.json.get(VPN), None);
    }

    async fn what_is_never_returned_cannot_be_immutable(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        let hidden = |name: &str, mutability: &str| json!({"name": name, "type": "string", "mutability": mutability, "returned": "never"});
        for attribute in [
            hidden("pin", "immutable"),
            json!({"name": "vpn", "type": "complex", "subAttributes": [hidden("code", "immutable")]}),
            json!({"name": "vpn", "type": "complex", "mutability": "immutable", "subAttributes": [hidden("code", "writeOnly")]}),
        ] {
            let refused = set(&desk, &schema(VPN, &json!([attribute]))).await.status(400);
            assert!(refused.text.contains("cannot be immutable"), "{}", refused.text);
        }
        before.assert_same(&house.dump().await);
    }
}
