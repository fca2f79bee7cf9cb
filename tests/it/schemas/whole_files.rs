//! A file of definitions is one change: all of it, or none, in any order; and what is misspelt in it is told by name.

use serde_json::{Value, json};

use super::words::{BADGE, ROBOT, badge, extends, own_type, robot, robots, schema, set};
use crate::admin::desk::Desk;
use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::run;

/// What `muster schema` says of a file with this content; `Err` of one that it refuses.
fn said(house: &TestHouse, verb: &str, content: &Value) -> Result<String, String> {
    let file = house.database.folder().join("given.json");
    std::fs::write(&file, content.to_string()).unwrap();
    let words = ["schema", verb, "--tenant", "acme", file.to_str().unwrap()];
    let done = run(&house.database, &words);
    if done.status.success() {
        return Ok(String::from_utf8(done.stdout).unwrap());
    }
    Err(fails(command(&house.database).args(words), 1))
}

/// Robots whose type comes before their schema.
fn type_first() -> Value {
    let core = schema(
        ROBOT,
        &json!([{"name": "name", "type": "string", "required": true}, {"name": "wheels", "type": "integer"}]),
    );
    json!([
        extends("User", &[(BADGE, false)]),
        own_type("Robot", "/Robots", ROBOT),
        badge(),
        core
    ])
}

each_database! {
    async fn what_is_wrong_in_one_definition_keeps_all_of_the_file_out(house: TestHouse) {
        let before = house.dump().await;
        let wrong = schema("urn:example:wrong:1.0:X", &json!([{"name": "q", "type": "nonsense"}]));
        let told = said(&house, "set", &json!([badge(), wrong])).unwrap_err();
        assert!(told.contains("`urn:example:wrong:1.0:X`: `nonsense` is not a known `type`"), "{told}");
        let lost = own_type("Robot", "/Robots", ROBOT);
        let told = said(&house, "set", &json!([badge(), extends("User", &[(BADGE, false)]), lost])).unwrap_err();
        assert!(told.contains("the resource type `Robot`: there is no schema"), "{told}");
        let told = said(&house, "set", &json!([badge(), badge()])).unwrap_err();
        assert!(told.contains(&format!("the schema `{BADGE}` is defined twice")), "{told}");
        before.assert_same(&house.dump().await);
    }

    async fn the_order_of_a_file_makes_no_difference(house: TestHouse) {
        let before = house.dump().await;
        assert_eq!(said(&house, "preview", &type_first()).unwrap(), "nothing is in the way\n");
        before.assert_same(&house.dump().await);
        said(&house, "set", &type_first()).unwrap();
        house.post("/Robots", robot("Marvin", 2)).await.status(201);
        assert_eq!(said(&house, "preview", &type_first()).unwrap(), "nothing would change\n");
        let events = crate::log::folded::events(&Desk::admin(&house)).await;
        for kind in ["schema.set", "resource_type.set"] {
            assert_eq!(events.iter().filter(|event| event["kind"] == kind).count(), 2, "{kind}");
        }
        let longer = schema(ROBOT, &json!([{"name": "name", "type": "string", "required": true}, {"name": "legs", "type": "integer", "required": true}]));
        let told = said(&house, "preview", &json!([badge(), longer])).unwrap();
        assert!(told.contains("legs") && told.contains("1 of the type Robot"), "{told}");
    }

    async fn what_a_server_publishes_of_its_definitions_can_be_read_in(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        let read = async || {
            let schema = house.get(&format!("/Schemas/{ROBOT}")).await.status(200).json;
            (schema, house.get("/ResourceTypes/Robot").await.status(200).json)
        };
        let published = read().await;
        let (mut core, mut ty) = published.clone();
        desk.delete("/resource-types/Robot").await.no_content();
        desk.delete(&format!("/schemas/{ROBOT}")).await.no_content();
        // Servers say more than the RFC has.
        core["attributes"][0]["displayOrder"] = 1.into();
        core["vendor"] = "Robots Inc.".into();
        ty["location"] = ty["meta"]["location"].clone();
        let list = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
        said(&house, "set", &json!({"schemas": [list], "totalResults": 2, "startIndex": 1, "itemsPerPage": 2, "Resources": [ty, core]})).unwrap();
        assert_eq!(read().await, published);
    }

    async fn members_that_are_misspelt_are_told_by_name(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        let of = |attribute: Value| schema(BADGE, &json!([attribute]));
        let with = |mut definition: Value, name: &str, value: Value| {
            definition[name] = value;
            definition
        };
        let user = || extends("User", &[(BADGE, false)]);
        let sub = json!({"name": "a", "type": "complex", "subAttributes": [{"name": "b", "requird": true}]});
        for (given, why) in [
            (json!({"schemas": [badge()], "resourcetypes": [user()]}), "`resourcetypes` is no member that holds definitions; did you mean `resourceTypes`?"),
            (json!({"schemas": [badge()], "typo": [user()]}), "`typo` is no member that holds definitions"),
            (json!({"schemas": []}), "neither a Schema nor a ResourceType"),
            (json!({"schemas": [badge()], "resourceTypes": 5}), "`resourceTypes`"),
            (json!({"id": BADGE, "name": "Badge"}), "lacks a usable `attributes`"),
            (with(badge(), "atributes", json!([])), "`atributes` is no member of the schema; did you mean `attributes`?"),
            (of(json!({"name": "a", "mutabilty": "readOnly"})), "`mutabilty` is no member of the attribute `a`; did you mean `mutability`?"),
            (of(json!({"name": "a", "MultiValued": true})), "did you mean `multiValued`?"),
            (of(sub), "`requird` is no member of the attribute `b`"),
            (of(json!({"name": "$x"})), "`$x` is not a valid attribute name"),
            (with(badge(), "schemas", json!(["urn:nope"])), "`schemas` must name `urn:ietf:params:scim:schemas:core:2.0:Schema`"),
            (json!([badge(), with(user(), "schemaExtension", json!([]))]), "`schemaExtension` is no member of the resource type"),
            (json!([badge(), with(user(), "schemas", json!("urn:nope"))]), "`schemas` must name `urn:ietf:params:scim:schemas:core:2.0:ResourceType`"),
            (json!([badge(), {"name": "User", "schemaExtensions": [{"schema": BADGE, "require": true}]}]), "`require` is no member of `schemaExtensions`"),
        ] {
            let told = said(&house, "set", &given).unwrap_err();
            // Lines are wrapped for people.
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(why), "{why}: {told}");
        }
        let refused = set(&desk, &of(json!({"name": "a", "caseExcat": true}))).await.status(400);
        assert!(refused.text.contains("did you mean `caseExact`?"), "{}", refused.text);
        before.assert_same(&house.dump().await);
    }

    async fn a_folder_with_a_misspelt_member_stops_the_start(house: TestHouse) {
        let folder = tempfile::tempdir().unwrap();
        let file = json!({"schemas": [badge()], "resourceTyps": [extends("User", &[(BADGE, false)])]});
        std::fs::write(folder.path().join("badge.json"), file.to_string()).unwrap();
        let list = ["schema", "list", "--tenant", "acme", "--schemas", folder.path().to_str().unwrap()];
        let told = fails(command(&house.database).args(list), 2);
        assert!(told.contains("badge.json") && told.contains("resourceTyps"), "{told}");
    }
}
