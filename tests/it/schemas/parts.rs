//! Parts of a value that only the server writes or that never change, and extensions that go as a whole.

use serde_json::{Value, json};

use super::words::{attach, extends, own_type, schema, set};
use crate::admin::desk::Desk;
use crate::api::asks::as_connection;
use crate::api::bodies::{ENTERPRISE, GROUP, group, user};
use crate::support::TestHouse;

const PLATE: &str = "urn:example:plate:1.0:Group";
const CRATE: &str = "urn:example:crate:1.0:Crate";

fn manager(value: &Value) -> Value {
    json!([{"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": value}])
}

/// Crates have an owner, labels, and a seal that is never another one.
async fn crates(desk: &Desk) {
    let name = |name: &str, mutability: &str| json!({"name": name, "type": "string", "mutability": mutability});
    let attributes = json!([
        {"name": "owner", "type": "complex", "subAttributes": [name("value", "readWrite"), name("display", "readOnly")]},
        {"name": "labels", "type": "complex", "multiValued": true, "subAttributes": [
            name("value", "readWrite"), name("display", "readOnly"),
            {"name": "$ref", "type": "reference", "referenceTypes": ["Crate"], "mutability": "readOnly"}]},
        {"name": "seal", "type": "complex", "subAttributes": [
            name("number", "immutable"), name("note", "readWrite"),
            {"name": "colour", "type": "string", "required": true}]},
    ]);
    set(desk, &schema(CRATE, &attributes)).await.status(200);
    attach(desk, &own_type("Crate", "/Crates", CRATE)).await.status(200);
}

fn of_crate(more: &Value) -> Value {
    let mut body = json!({"schemas": [CRATE]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Groups may have a plate, which has a code.
async fn plates(desk: &Desk, required: bool) {
    let attributes = json!([{"name": "code", "type": "string", "required": true}, {"name": "note", "type": "string"}]);
    set(desk, &schema(PLATE, &attributes)).await.status(200);
    attach(desk, &extends("Group", &[(PLATE, required)])).await.status(200);
}

fn plated(name: &str) -> Value {
    let mut body = group(name, &[]);
    body["schemas"] = json!([GROUP, PLATE]);
    body[PLATE] = json!({"code": "C", "note": "n"});
    body
}

each_database! {
    async fn a_read_only_part_of_a_value_is_refused_by_strict_and_named_elsewhere(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let profile = as_connection(&house, "profile", "interop-profile");
        let boss = house.user("boss").await;
        let path = format!("/Users/{}", house.user("ada").await);
        let (alone, beside) = (json!({"displayName": "Boss"}), json!({"value": boss, "displayName": "Boss"}));
        let before = house.dump().await;
        for one in [&strict, &profile] {
            for value in [&alone, &beside] {
                one.patch(&path, manager(value)).await.error(400, Some("mutability"));
            }
        }
        strict.patch(&path, json!([{"op": "add", "value": {ENTERPRISE: {"manager": alone}}}])).await.error(400, Some("mutability"));
        before.assert_same(&house.dump().await);
        for (value, became) in [(&alone, "already-true;ignored=1"), (&beside, "applied;ignored=1"), (&beside, "already-true;ignored=1")] {
            let answer = house.patch(&path, manager(value)).await.status(200);
            assert_eq!(answer.header("muster-operations"), became, "{value}");
            assert_eq!(answer.header("muster-tolerated"), "read-only-dropped", "{value}");
            assert_eq!(answer.header("muster-ignored-attributes"), format!("{ENTERPRISE}:manager.displayName"));
        }
        let kept = strict.patch(&path, manager(&json!({"value": boss, "displayName": null}))).await.status(200);
        assert_eq!(kept.json[ENTERPRISE]["manager"]["value"], boss.as_str());
        strict.put(&path, user("ada", json!({ENTERPRISE: {"manager": beside}}))).await.status(200);
    }

    async fn a_read_only_part_of_an_element_is_treated_the_same(house: TestHouse) {
        crates(&Desk::admin(&house)).await;
        let strict = as_connection(&house, "strict", "strict");
        let made = house.post("/Crates", of_crate(&json!({"labels": [{"value": "a", "display": "A"}]}))).await.status(201);
        let path = format!("/Crates/{}", made.id());
        let element = json!({"value": "b", "display": "B", "$ref": "../Crates/1"});
        for operation in [
            json!({"op": "add", "path": "labels", "value": [element]}),
            json!({"op": "add", "value": {"labels": [element]}}),
            json!({"op": "replace", "path": "labels[value eq \"a\"]", "value": element}),
            json!({"op": "replace", "path": "owner", "value": {"value": "o", "display": "O"}}),
        ] {
            strict.patch(&path, json!([operation])).await.error(400, Some("mutability"));
        }
        let added = house.patch(&path, json!([{"op": "add", "path": "labels", "value": [element]}])).await.status(200);
        assert_eq!(added.header("muster-operations"), "applied;ignored=1");
        assert_eq!(added.header("muster-ignored-attributes"), "labels.display");
        assert_eq!(added.json["labels"], json!([{"value": "a"}, {"value": "b"}]));
        // What is taken away is only selected by its value, and a link is what the server makes of it.
        let removed = house.patch(&path, json!([{"op": "remove", "path": "labels", "value": [element]}])).await.status(200);
        assert_eq!((removed.header("muster-operations"), &removed.json["labels"]), ("", &json!([{"value": "a"}])));
        let linked = json!([{"op": "add", "path": "labels", "value": [{"value": "c", "$ref": "../Crates/1"}]}]);
        assert_eq!(strict.patch(&path, linked).await.status(200).json["labels"], json!([{"value": "a"}, {"value": "c"}]));
    }

    async fn members_may_be_sent_with_their_names(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let member = json!({"value": ada, "display": "Ada", "$ref": format!("../Users/{ada}")});
        for one in [&strict, &house] {
            let path = format!("/Groups/{sales}");
            let answer = one.patch(&path, json!([{"op": "add", "path": "members", "value": [member]}])).await;
            assert!([200, 204].contains(&answer.status), "{}", answer.text);
            assert_eq!(answer.header("muster-tolerated"), "");
            assert!(!answer.header("muster-operations").contains("ignored"));
            one.patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}])).await;
        }
    }

    async fn an_extension_goes_with_what_is_required_of_it(house: TestHouse) {
        plates(&Desk::admin(&house), false).await;
        for (name, operation) in [
            ("one", json!({"op": "remove", "path": PLATE})),
            ("two", json!({"op": "replace", "value": {PLATE: null}})),
            ("three", json!({"op": "replace", "path": PLATE, "value": null})),
        ] {
            let path = format!("/Groups/{}", house.post("/Groups", plated(name)).await.status(201).id());
            let part = json!([{"op": "remove", "path": format!("{PLATE}:code")}]);
            house.patch(&path, part).await.error(400, Some("mutability"));
            let gone = house.patch(&path, json!([operation])).await.status(200);
            assert_eq!((gone.json.get(PLATE), &gone.json["schemas"]), (None, &json!([GROUP])), "{operation}");
            let again = house.patch(&path, json!([operation])).await.status(200);
            assert_eq!(again.header("muster-operations"), "already-true");
        }
    }

    async fn an_extension_that_the_type_requires_stays(house: TestHouse) {
        plates(&Desk::admin(&house), true).await;
        let path = format!("/Groups/{}", house.post("/Groups", plated("one")).await.status(201).id());
        let before = house.dump().await;
        house.patch(&path, json!([{"op": "remove", "path": PLATE}])).await.error(400, Some("mutability"));
        house.patch(&path, json!([{"op": "replace", "value": {PLATE: null}}])).await.error(400, Some("invalidValue"));
        before.assert_same(&house.dump().await);
    }

    async fn what_resources_have_of_an_extension_can_be_discarded_though_it_is_required_there(house: TestHouse) {
        let desk = Desk::admin(&house);
        plates(&desk, false).await;
        let path = format!("/Groups/{}", house.post("/Groups", plated("one")).await.status(201).id());
        desk.delete("/resource-types/Group?discard=true").await.no_content();
        assert!(house.get(&path).await.status(200).json.get(PLATE).is_none());
    }

    async fn a_put_may_leave_out_what_has_an_immutable_part(house: TestHouse) {
        crates(&Desk::admin(&house)).await;
        let sealed = of_crate(&json!({"seal": {"number": "1", "colour": "red", "note": "n"}}));
        let path = format!("/Crates/{}", house.post("/Crates", sealed).await.status(201).id());
        let put = house.put(&path, of_crate(&json!({"owner": {"value": "o"}}))).await.status(200);
        assert_eq!(put.json["seal"], json!({"number": "1", "colour": "red"}), "what it must have stays, the rest goes");
        let without = of_crate(&json!({"seal": {"note": "m"}}));
        house.put(&path, without).await.error(400, Some("invalidValue"));
        let other = of_crate(&json!({"seal": {"number": "2", "colour": "red"}}));
        house.put(&path, other).await.error(400, Some("mutability"));
    }
}
