//! A change of a schema is looked at with all that is stored, and made as a whole or not at all.

use serde_json::{Value, json};

use super::words::{BADGE, attach, badge, badges, extends, own_type, schema, set, worn};
use crate::admin::desk::Desk;
use crate::api::bodies::{ENTERPRISE, USER, user};
use crate::support::TestHouse;

/// The badge with one attribute otherwise.
fn with(name: &str, member: &str, value: Value) -> Value {
    let mut other = badge();
    let list = other["attributes"].as_array_mut().unwrap();
    let one = list.iter_mut().find(|one| one["name"] == name).unwrap();
    one[member] = value;
    other
}

/// The badge without one attribute.
fn without(name: &str) -> Value {
    let mut other = badge();
    other["attributes"]
        .as_array_mut()
        .unwrap()
        .retain(|one| one["name"] != name);
    other
}

async fn preview(desk: &Desk, change: Value) -> Value {
    desk.post("/schemas/preview", change).await.status(200).json
}

each_database! {
    async fn what_would_make_stored_values_invalid_is_previewed_and_refused(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let value = json!({"color": "red", "code": "A", "level": 1, "number": "1", "doors": [{"value": "d"}], "pin": "1"});
        let ada = house.post("/Users", worn("ada", &value)).await.status(201).id();
        let before = house.dump().await;
        for (change, path, reason) in [
            (with("level", "type", json!("string")), "level", "`type`"),
            (with("color", "multiValued", json!(true)), "color", "`multiValued`"),
            (with("color", "caseExact", json!(true)), "color", "`caseExact`"),
            (with("color", "returned", json!("never")), "color", "`returned`"),
            (without("color"), "color", "not be defined"),
            (without("pin"), "pin", "not be defined"),
            (without("doors"), "doors", "not be defined"),
            (with("serial", "required", json!(true)), "serial", "required"),
        ] {
            let told = preview(&desk, json!({"schema": change})).await;
            assert_eq!((&told["possible"], &told["changes"]), (&json!(false), &json!(true)), "{told}");
            let held = &told["in_the_way"][0];
            assert_eq!(held["path"], format!("{BADGE}:{path}"), "{told}");
            assert!(held["reason"].as_str().unwrap().contains(reason), "{told}");
            assert_eq!((&held["count"], &held["first"][0]["id"]), (&json!(1), &json!(ada)));
            let refused = set(&desk, &change).await.status(409);
            assert!(refused.text.contains(path), "{}", refused.text);
        }
        before.assert_same(&house.dump().await);
        assert_eq!(desk.get(&format!("/schemas/{BADGE}")).await.json["attributes"][0]["caseExact"], false);
    }

    async fn what_nobody_has_can_change(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        house.post("/Users", worn("ada", &json!({"level": 1}))).await.status(201);
        house.user("bob").await;
        for change in [with("color", "type", json!("integer")), without("number"), without("doors"), with("level", "required", json!(true))] {
            assert_eq!(preview(&desk, json!({"schema": change})).await["possible"], true, "{change}");
            set(&desk, &change).await.status(200);
        }
        house.post("/Users", worn("carl", &json!({"color": "red"}))).await.error(400, Some("invalidValue"));
    }

    async fn a_type_is_not_demanded_of_those_who_lack_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let bob = house.user("bob").await;
        let told = preview(&desk, json!({"resource_type": extends("User", &[(BADGE, true)])})).await;
        assert_eq!((&told["in_the_way"][0]["path"], &told["in_the_way"][0]["first"][0]["id"]), (&json!(BADGE), &json!(bob)));
        attach(&desk, &extends("User", &[(BADGE, true)])).await.status(409);
        let wear = json!([{"op": "add", "path": format!("{BADGE}:level"), "value": 1}]);
        house.patch(&format!("/Users/{bob}"), wear).await.status(200);
        attach(&desk, &extends("User", &[(BADGE, true)])).await.status(200);
    }

    async fn values_become_unique_only_where_they_are(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"color": "red"}))).await.status(201).id();
        let bob = house.post("/Users", worn("bob", &json!({"color": "RED"}))).await.status(201).id();
        let unique = with("color", "uniqueness", json!("global"));
        let told = preview(&desk, json!({"schema": unique})).await;
        assert_eq!(told["in_the_way"][0]["count"], 2, "{told}");
        set(&desk, &unique).await.status(409);
        let blue = json!([{"op": "replace", "path": format!("{BADGE}:color"), "value": "blue"}]);
        house.patch(&format!("/Users/{bob}"), blue.clone()).await.status(200);
        set(&desk, &unique).await.status(200);
        house.patch(&format!("/Users/{ada}"), blue.clone()).await.error(409, Some("uniqueness"));
        set(&desk, &badge()).await.status(200);
        house.patch(&format!("/Users/{ada}"), blue).await.status(200);
    }

    async fn a_schema_that_is_in_use_goes_only_with_what_is_stored_of_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"color": "red", "pin": "1"}))).await.status(201).id();
        let path = format!("/schemas/{BADGE}");
        desk.delete(&path).await.status(409);
        let told = preview(&desk, json!({"remove_schema": BADGE})).await;
        assert_eq!((&told["possible"], &told["in_the_way"][0]["path"]), (&json!(false), &json!(BADGE)));
        desk.delete(&format!("{path}?discard=true")).await.no_content();
        desk.get(&path).await.status(404);
        desk.get("/resource-types/User").await.status(404);
        let read = house.get(&format!("/Users/{ada}")).await.status(200);
        assert!(read.json.get(BADGE).is_none() && !read.text.contains(BADGE), "{}", read.text);
        house.find("/Users", &format!("{BADGE}:color pr")).await.error(400, Some("invalidFilter"));
        badges(&desk).await;
        assert!(house.get(&format!("/Users/{ada}")).await.json.get(BADGE).is_none());
    }

    async fn what_a_type_has_anyway_does_not_go_with_its_definition(house: TestHouse) {
        let desk = Desk::admin(&house);
        set(&desk, &badge()).await.status(200);
        attach(&desk, &extends("User", &[(ENTERPRISE, false), (BADGE, false)])).await.status(200);
        let works = json!({"schemas": [USER, ENTERPRISE, BADGE], ENTERPRISE: {"department": "Sales"}, BADGE: {"color": "red"}});
        let ada = house.post("/Users", user("ada", works)).await.status(201).id();
        desk.delete("/resource-types/User?discard=true").await.no_content();
        let read = house.get(&format!("/Users/{ada}")).await.status(200);
        assert_eq!(read.json[ENTERPRISE], json!({"department": "Sales"}));
        assert!(read.json.get(BADGE).is_none(), "{}", read.text);
    }

    async fn who_comes_back_has_nothing_of_a_schema_that_is_gone(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"color": "red", "pin": "77-secret"}))).await.status(201).id();
        house.delete(&format!("/Users/{ada}")).await.no_content();
        desk.delete(&format!("/schemas/{BADGE}")).await.no_content();
        desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200);
        let read = house.get(&format!("/Users/{ada}")).await.status(200);
        assert!(!read.text.contains("badge") && !read.text.contains("77-secret"), "{}", read.text);
    }

    async fn another_process_changes_it_and_the_next_request_knows(house: TestHouse) {
        let file = house.database.folder().join("badge.json");
        std::fs::write(&file, json!([badge(), extends("User", &[(BADGE, false)])]).to_string()).unwrap();
        house.user("bob").await;
        let set = ["schema", "set", "--tenant", "acme", file.to_str().unwrap()];
        assert!(crate::support::program::run(&house.database, &set).status.success());
        let made = house.post("/Users", worn("ada", &json!({"level": 3}))).await.status(201);
        assert_eq!(made.json[BADGE]["level"], 3);
        let extra = schema("urn:example:more:1.0", &json!([{"name": "a", "type": "string"}]));
        std::fs::write(&file, extra.to_string()).unwrap();
        assert!(crate::support::program::run(&house.database, &set).status.success());
        assert_eq!(house.find("/Users", &format!("{BADGE}:level eq 3")).await.status(200).total(), 1);
    }

    async fn what_cannot_be_discarded_is_refused_before_anything_is_taken_away(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        attach(&desk, &own_type("Badge", "/Badges", BADGE)).await.status(200);
        house.post("/Users", worn("ada", &json!({"level": 3}))).await.status(201);
        let before = house.dump().await;
        let refused = desk.delete(&format!("/schemas/{BADGE}?discard=true")).await.status(409);
        assert!(refused.text.contains("`Badge`"), "{}", refused.text);
        before.assert_same(&house.dump().await);
        desk.delete("/resource-types/Badge?discard=true").await.no_content();
        let when = format!("{BADGE}:level gt 2");
        let rule = json!({"name": "Level", "when": when, "then": [{"role": "analyst", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let before = house.dump().await;
        for path in [format!("/schemas/{BADGE}?discard=true"), "/resource-types/User?discard=true".to_owned()] {
            let refused = desk.delete(&path).await.status(409);
            assert!(refused.text.contains("the rule `Level` reads it"), "{}", refused.text);
        }
        before.assert_same(&house.dump().await);
    }
}
