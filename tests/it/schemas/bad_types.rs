//! Resource types that cannot be defined, changed or removed say why, and nothing is stored.

use serde_json::{Value, json};

use super::words::{ROBOT, attach, badges, extends, own_type, robot, robots, schema, set};
use crate::admin::desk::Desk;
use crate::support::TestHouse;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

each_database! {
    async fn a_type_that_cannot_be_says_why(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        badges(&desk).await;
        let other = "urn:example:other:1.0:Thing";
        set(&desk, &schema(other, &json!([{"name": "a", "type": "string"}]))).await.status(200);
        let before = house.dump().await;
        let of = |name: &str, endpoint: &str| own_type(name, endpoint, other);
        let without = |member: &str| {
            let mut definition = of("Thing", "/Things");
            definition.as_object_mut().unwrap().shift_remove(member);
            definition
        };
        for (given, status, why) in [
            (of("user", "/Things"), 409, "`user` is already in use"),
            (of("GROUP", "/Things"), 409, "`GROUP` is already in use"),
            (of("Role", "/Things"), 409, "`Role` is already in use"),
            (of("robot", "/Things"), 409, "`robot` is already in use"),
            (of("Schema", "/Things"), 409, "`Schema` is already in use"),
            (of("Thing", "/Users"), 409, "`/Users` is already in use"),
            (of("Thing", "/groups"), 409, "`/groups` is already in use"),
            (of("Thing", "/ROBOTS"), 409, "`/ROBOTS` is already in use"),
            (of("Thing", "/Roles"), 409, "`/Roles` is already in use"),
            (of("Thing", "/Bulk"), 409, "`/Bulk` is already in use"),
            (of("Thing", "/me"), 409, "`/me` is already in use"),
            (of("Thing", "/Schemas"), 409, "`/Schemas` is already in use"),
            (of("Thing", "/ResourceTypes"), 409, "`/ResourceTypes` is already in use"),
            (of("Thing", "/serviceproviderconfig"), 409, "is already in use"),
            (of("Thing", "/AsyncResults"), 409, "is already in use"),
            (of("Thing", "/.search"), 400, "no endpoint"),
            (of("Thing", "/Things/more"), 400, "no endpoint"),
            (of("Thing", ""), 400, "no endpoint"),
            (without("endpoint"), 400, "`endpoint`"),
            (without("schema"), 400, "`schema`"),
            (own_type("Thing", "/Things", "urn:example:none:1.0"), 400, "there is no schema `urn:example:none:1.0`"),
            (own_type("Thing", "/Things", USER), 409, "already in use"),
            (extends("Thing", &[(other, false)]), 400, "there is no resource type `Thing`"),
        ] {
            let refused = attach(&desk, &given).await.status(status);
            assert!(refused.text.contains(why), "{why}: {}", refused.text);
        }
        let mut twice = of("Thing", "/Things");
        twice["schemaExtensions"] = json!([{"schema": other, "required": false}]);
        let refused = attach(&desk, &twice).await.status(400);
        assert!(refused.text.contains("cannot redefine"), "{}", refused.text);
        before.assert_same(&house.dump().await);
    }

    async fn names_that_mean_memberships_or_secrets_are_kept_for_users_and_groups(house: TestHouse) {
        let desk = Desk::admin(&house);
        let thing = "urn:example:thing:1.0:Thing";
        let member = json!({"name": "members", "type": "string", "multiValued": true});
        let secret = json!({"name": "password", "type": "string", "mutability": "writeOnly", "returned": "never"});
        for wrong in [&member, &secret] {
            set(&desk, &schema(thing, &json!([wrong]))).await.status(200);
            let refused = attach(&desk, &own_type("Thing", "/Things", thing)).await.status(400);
            assert!(refused.text.contains("only users"), "{}", refused.text);
        }
        set(&desk, &schema(thing, &json!([{"name": "a"}]))).await.status(200);
        attach(&desk, &own_type("Thing", "/Things", thing)).await.status(200);
        set(&desk, &schema(thing, &json!([{"name": "a"}, member]))).await.status(400);
    }

    async fn a_type_that_has_resources_stays_as_it_is(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        let other = "urn:example:other:1.0:Robot";
        set(&desk, &schema(other, &json!([{"name": "name", "type": "string"}]))).await.status(200);
        let marvin = house.post("/Robots", robot("Marvin", 2)).await.status(201).id();
        house.post("/Robots", robot("Bender", 0)).await.status(201);
        let before = house.dump().await;
        for (given, why) in [
            (own_type("Robot", "/Machines", ROBOT), "`endpoint`"),
            (own_type("Robot", "/Robots", other), "`schema`"),
        ] {
            let refused = attach(&desk, &given).await.status(409);
            assert!(refused.text.contains(why) && refused.text.contains("2 stored"), "{}", refused.text);
        }
        let refused = desk.delete("/resource-types/Robot").await.status(409);
        assert!(refused.text.contains("2 stored") && refused.text.contains(&marvin), "{}", refused.text);
        let told = desk.post("/schemas/preview", json!({"remove_resource_type": "Robot"})).await.status(200).json;
        assert_eq!((&told["possible"], &told["in_the_way"][0]["count"]), (&json!(false), &json!(2)), "{told}");
        assert_eq!(told["in_the_way"][0]["first"][0], json!({"id": marvin, "name": "Marvin"}));
        for gone in ["", "?discard=true"] {
            let refused = desk.delete(&format!("/schemas/{ROBOT}{gone}")).await.status(409);
            assert!(refused.text.contains("the type `Robot`"), "{}", refused.text);
        }
        let text = json!([{"name": "name", "type": "integer"}, {"name": "wheels", "type": "integer"}]);
        set(&desk, &schema(ROBOT, &text)).await.status(409);
        set(&desk, &schema(ROBOT, &json!([{"name": "name", "type": "string"}]))).await.status(409);
        before.assert_same(&house.dump().await);
    }

    async fn a_type_goes_with_its_resources_where_that_is_asked_for(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        let ada = house.user("ada").await;
        for number in 0..3 {
            house.post("/Robots", robot(&format!("robot {number}"), 1)).await.status(201);
        }
        desk.delete("/resource-types/Robot?discard=true").await.no_content();
        house.get("/Robots").await.error(404, None);
        desk.get("/resource-types/Robot").await.status(404);
        desk.delete("/resource-types/Robot").await.status(404);
        assert_eq!(house.get("/").await.status(200).ids(), [&*ada]);
        house.turn().await;
        let told = crate::log::folded::events(&desk).await;
        let deleted = told.iter().filter(|event| event["kind"] == "resource.deleted");
        assert_eq!(deleted.count(), 3);
        desk.delete(&format!("/schemas/{ROBOT}")).await.no_content();
        assert!(house.dump().await.table("unique_value").is_empty());
        robots(&desk).await;
        assert_eq!(house.get("/Robots").await.status(200).total(), 0);
        house.post("/Robots", robot("robot 0", 1)).await.status(201);
    }

    async fn a_type_without_resources_can_move_and_change(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        let gone = house.post("/Robots", robot("Marvin", 2)).await.status(201).id();
        house.delete(&format!("/Robots/{gone}")).await.no_content();
        attach(&desk, &own_type("Robot", "/Machines", ROBOT)).await.status(200);
        house.get("/Robots").await.error(404, None);
        let made = house.post("/Machines", robot("Marvin", 2)).await.status(201);
        assert!(made.json["meta"]["location"].as_str().unwrap().contains("/Machines/"));
        house.post("/Machines", robot("marvin", 2)).await.error(409, Some("uniqueness"));
        let free = json!([{"name": "name", "type": "string", "required": true}, {"name": "wheels", "type": "integer"}]);
        set(&desk, &schema(ROBOT, &free)).await.status(200);
        house.post("/Machines", robot("marvin", 2)).await.status(201);
        let unique = json!([{"name": "name", "type": "string", "uniqueness": "server"}, {"name": "wheels", "type": "integer"}]);
        let refused = set(&desk, &schema(ROBOT, &unique)).await.status(409);
        assert!(refused.text.contains("unique"), "{}", refused.text);
    }

    async fn values_of_two_types_do_not_collide(house: TestHouse) {
        let desk = Desk::admin(&house);
        robots(&desk).await;
        let tool = "urn:example:tool:1.0:Tool";
        set(&desk, &schema(tool, &json!([{"name": "name", "type": "string", "uniqueness": "server"}]))).await.status(200);
        attach(&desk, &own_type("Tool", "/Tools", tool)).await.status(200);
        let body = |name: &str| json!({"schemas": [tool], "name": name});
        house.post("/Robots", robot("Drill", 2)).await.status(201);
        house.post("/Tools", body("Drill")).await.status(201);
        house.post("/Tools", body("drill")).await.error(409, Some("uniqueness"));
        house.post("/Robots", robot("drill", 2)).await.error(409, Some("uniqueness"));
        assert_eq!(house.find("/", "meta.resourceType eq \"Tool\" or wheels eq 2").await.status(200).total(), 2);
        let listed: Value = house.get("/Tools").await.status(200).json;
        assert_eq!(listed["Resources"][0]["meta"]["resourceType"], "Tool");
    }
}
