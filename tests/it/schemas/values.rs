//! Attributes of a schema that was defined at run time are attributes like others.

use serde_json::{Value, json};

use super::words::{BADGE, attach, badge, badges, extends, set, worn};
use crate::admin::desk::Desk;
use crate::support::TestHouse;

async fn discovered(house: &TestHouse) -> (bool, Value) {
    let schemas = house.get("/Schemas").await.status(200).json;
    let listed = schemas["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one["id"] == BADGE);
    let user = house.get("/ResourceTypes/User").await.status(200).json;
    (listed, user["schemaExtensions"].clone())
}

each_database! {
    async fn discovery_tells_of_it_with_the_next_request(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (_, before) = discovered(&house).await;
        badges(&desk).await;
        let (listed, extensions) = discovered(&house).await;
        assert!(listed);
        let mut expected = before.as_array().unwrap().clone();
        expected.push(json!({"schema": BADGE, "required": false}));
        assert_eq!(extensions, Value::Array(expected));
        let shown = house.get(&format!("/Schemas/{BADGE}")).await.status(200).json;
        assert_eq!(shown["attributes"].as_array().unwrap().len(), 9);
        assert_eq!(shown["attributes"][0]["mutability"], "readWrite", "defaults are told");
        let kept = desk.get(&format!("/schemas/{BADGE}")).await.status(200).json;
        assert_eq!(kept["attributes"], shown["attributes"]);
        assert_eq!(desk.get("/resource-types/User").await.status(200).json["schemaExtensions"], json!([{"schema": BADGE, "required": false}]));
    }

    async fn the_neighbour_has_none_of_it(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let neighbour = house.second_tenant();
        assert!(!discovered(&neighbour).await.0);
        let theirs = Desk::neighbour(&house);
        assert_eq!(theirs.get("/schemas").await.status(200).json["items"], json!([]));
        theirs.get(&format!("/schemas/{BADGE}")).await.status(404);
        theirs.delete(&format!("/schemas/{BADGE}")).await.status(404);
    }

    async fn values_are_kept_found_sorted_and_changed(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let ada = house.post("/Users", worn("ada", &json!({"COLOR": "Red", "code": "Ab", "level": 7, "doors": [{"value": "D1", "type": "front"}]}))).await.status(201);
        assert_eq!(ada.json[BADGE]["color"], "Red");
        let ada = [ada.id()];
        let bob = [house.post("/Users", worn("bob", &json!({"level": 10, "code": "ab"}))).await.status(201).id()];
        let found = async |filter: String| house.find("/Users", &filter).await.status(200).ids();
        assert_eq!(found(format!("{BADGE}:color eq \"rED\"")).await, ada);
        assert_eq!(found(format!("{BADGE}:code eq \"ab\"")).await, bob, "it is caseExact");
        assert_eq!(found(format!("{BADGE}:level gt 7")).await, bob);
        assert_eq!(found(format!("{BADGE}:doors[type eq \"front\" and value eq \"d1\"]")).await, ada);
        let sorted = house.get(&format!("/Users?sortBy={BADGE}:level&sortOrder=descending")).await.status(200).ids();
        assert_eq!(sorted, [&*bob[0], &*ada[0]]);
        let level = json!([{"op": "replace", "path": format!("{BADGE}:level"), "value": 11}]);
        assert_eq!(house.patch(&format!("/Users/{}", ada[0]), level).await.status(200).json[BADGE]["level"], 11);
        let wrong = json!([{"op": "replace", "path": format!("{BADGE}:level"), "value": "eleven"}]);
        house.patch(&format!("/Users/{}", ada[0]), wrong).await.error(400, Some("invalidValue"));
        let put = house.put(&format!("/Users/{}", ada[0]), worn("ada", &json!({"level": 12}))).await.status(200);
        assert_eq!(put.json[BADGE], json!({"level": 12}));
        let gone = json!([{"op": "remove", "path": BADGE}]);
        let without = house.patch(&format!("/Users/{}", bob[0]), gone).await.status(200).json;
        assert!(without.get(BADGE).is_none() && !without["schemas"].as_array().unwrap().contains(&json!(BADGE)));
    }

    async fn mutability_and_returned_are_kept(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let body = worn("ada", &json!({"serial": "S-1", "printed": "2026-01-01T00:00:00Z", "pin": "1234", "note": "left", "level": 1}));
        let made = house.post("/Users", body).await.status(201);
        assert!(!made.text.contains("1234"));
        assert_eq!(made.json[BADGE]["note"], "left", "the request named it");
        assert!(made.json[BADGE].get("printed").is_none(), "only the server writes it");
        let path = format!("/Users/{}", made.id());
        let read = house.get(&path).await.status(200);
        assert_eq!(read.json[BADGE], json!({"serial": "S-1", "level": 1}));
        let asked = house.get(&format!("{path}?attributes={BADGE}:note")).await.status(200);
        assert_eq!(asked.json[BADGE], json!({"note": "left"}));
        let other = json!([{"op": "replace", "path": format!("{BADGE}:serial"), "value": "S-2"}]);
        house.patch(&path, other).await.error(400, Some("mutability"));
        house.put(&path, worn("ada", &json!({"serial": "S-2"}))).await.error(400, Some("mutability"));
        let pin = house.find("/Users", &format!("{BADGE}:pin eq \"1234\"")).await;
        assert!(pin.status == 400 || pin.status == 403, "{pin:?}");
    }

    async fn a_value_that_must_be_unique_occurs_once(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let ada = house.post("/Users", worn("ada", &json!({"number": "N-1"}))).await.status(201).id();
        let before = house.dump().await;
        let told = house.post("/Users", worn("bob", &json!({"number": "n-1"}))).await.error(409, Some("uniqueness"));
        assert!(told.contains(&format!("{BADGE}:number")), "{told}");
        before.assert_same(&house.dump().await);
        let bob = house.post("/Users", worn("bob", &json!({"number": "N-2"}))).await.status(201).id();
        let take = |value: &str| json!([{"op": "replace", "path": format!("{BADGE}:number"), "value": value}]);
        house.patch(&format!("/Users/{bob}"), take("N-1")).await.error(409, Some("uniqueness"));
        house.put(&format!("/Users/{bob}"), worn("bob", &json!({"number": "N-1"}))).await.error(409, Some("uniqueness"));
        house.patch(&format!("/Users/{ada}"), take("N-3")).await.status(200);
        house.patch(&format!("/Users/{bob}"), take("N-1")).await.status(200);
        house.delete(&format!("/Users/{bob}")).await.no_content();
        house.patch(&format!("/Users/{ada}"), take("N-1")).await.status(200);
        house.post("/Users", worn("carl", &json!({"number": "x".repeat(257)}))).await.error(400, Some("invalidValue"));
        let desk = Desk::admin(&house);
        let back = desk.post(&format!("/users/{bob}/restore"), json!({})).await;
        assert_eq!(back.status, 409, "somebody has what he had: {back:?}");
    }

    async fn of_two_at_once_one_gets_it(house: TestHouse) {
        badges(&Desk::admin(&house)).await;
        let (ada, bob) = tokio::join!(
            house.post("/Users", worn("ada", &json!({"number": "N-1"}))),
            house.post("/Users", worn("bob", &json!({"number": "N-1"}))),
        );
        let mut both = [ada.status, bob.status];
        both.sort_unstable();
        assert_eq!(both, [201, 409]);
    }

    async fn a_required_extension_is_demanded_and_groups_can_have_one(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        attach(&desk, &extends("User", &[(BADGE, true)])).await.status(200);
        let told = house.post("/Users", crate::api::bodies::user("ada", json!({}))).await.error(400, Some("invalidValue"));
        assert!(told.contains(BADGE), "{told}");
        house.post("/Users", worn("ada", &json!({"level": 1}))).await.status(201);
        let kind = "urn:example:kind:1.0:Group";
        set(&desk, &super::words::schema(kind, &json!([{"name": "cost", "type": "string"}]))).await.status(200);
        attach(&desk, &extends("Group", &[(kind, false)])).await.status(200);
        let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", kind], "displayName": "Sales", kind: {"cost": "4711"}});
        let made = house.post("/Groups", group).await.status(201);
        assert_eq!(made.json[kind]["cost"], "4711");
        assert_eq!(house.find("/Groups", &format!("{kind}:cost eq \"4711\"")).await.status(200).ids(), [made.id()]);
    }

    async fn rules_read_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let rule = json!({"name": "Red", "when": format!("{BADGE}:color eq \"red\""), "then": [{"role": "analyst", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let ada = house.post("/Users", worn("ada", &json!({"color": "red"}))).await.status(201).id();
        let roles = desk.get(&format!("/users/{ada}/access")).await.status(200).json["assignments"].clone();
        assert_eq!(roles.as_array().unwrap().len(), 1, "{roles}");
        let told = desk.delete("/resource-types/User").await;
        assert_eq!(told.status, 409);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let told = desk.delete(&format!("/schemas/{BADGE}")).await.status(409);
        assert!(told.text.contains("the rule `Red` reads it"), "{}", told.text);
    }

    async fn setting_the_same_again_changes_nothing(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let before = house.dump().await;
        set(&desk, &badge()).await.status(200);
        before.assert_same(&house.dump().await);
        let events = crate::log::folded::events(&desk).await;
        let told: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).filter(|kind| kind.starts_with("schema.") || kind.starts_with("resource_type.")).collect();
        assert_eq!(told, ["schema.set", "resource_type.set"]);
    }
}
