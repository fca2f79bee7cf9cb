//! Types of an organisation may have different attributes of one name: a search over all types asks each by its own schema.

use serde_json::{Value, json};

use super::words::{ROBOT, attach, own_type, schema, set};
use crate::admin::desk::Desk;
use crate::api::bodies::{search, user};
use crate::support::TestHouse;

const GADGET: &str = "urn:example:gadget:1.0:Gadget";

/// Gadgets and robots, whose attributes have the same names and little else in common.
async fn both(house: &TestHouse) {
    let desk = Desk::admin(house);
    let gadget = json!([
        {"name": "serial", "type": "string", "caseExact": true},
        {"name": "displayName", "type": "string", "caseExact": true},
        {"name": "level", "type": "integer"},
        {"name": "code", "type": "string"},
        {"name": "tags", "type": "string", "multiValued": true},
        {"name": "pin", "type": "string"},
    ]);
    let robot = json!([
        {"name": "serial", "type": "string"},
        {"name": "level", "type": "string"},
        {"name": "Code", "type": "string"},
        {"name": "tags", "type": "string"},
        {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
    ]);
    for (name, endpoint, urn, attributes) in [
        ("Gadget", "/Gadgets", GADGET, gadget),
        ("Robot", "/Robots", ROBOT, robot),
    ] {
        set(&desk, &schema(urn, &attributes)).await.status(200);
        attach(&desk, &own_type(name, endpoint, urn)).await.status(200);
    }
}

async fn made(house: &TestHouse, endpoint: &str, urn: &str, more: Value) -> String {
    let mut body = more;
    body["schemas"] = json!([urn]);
    house.post(endpoint, body).await.status(201).id()
}

/// All pages of a walk of single resources.
async fn walked(house: &TestHouse, query: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house
            .get(&format!("/?count=1&cursor={cursor}&{query}"))
            .await
            .status(200);
        seen.extend(page.ids());
        match page.json["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return seen,
        }
    }
}

each_database! {
    async fn a_search_over_all_types_asks_each_by_its_own_schema(house: TestHouse) {
        both(&house).await;
        let crew = house.group("Alpha").await;
        let first = json!({"serial": "AB1", "displayName": "Alpha", "level": 5, "code": "x", "tags": ["a", "b"], "pin": "1"});
        let gadget = made(&house, "/Gadgets", GADGET, first).await;
        let robot = made(&house, "/Robots", ROBOT, json!({"serial": "AB1", "level": "5", "Code": "X", "tags": "a", "pin": "1"})).await;
        let (crew, gadget, robot) = (crew.as_str(), gadget.as_str(), robot.as_str());
        for (filter, expected) in [
            ("serial eq \"AB1\"", vec![gadget, robot]),
            ("serial eq \"ab1\"", vec![robot]),
            ("serial ne \"ab1\"", vec![crew, gadget]),
            ("not (serial eq \"ab1\")", vec![crew, gadget]),
            ("serial eq null", vec![crew]),
            ("serial ne null", vec![gadget, robot]),
            ("serial sw \"ab\" and meta.resourceType eq \"Robot\"", vec![robot]),
            ("displayName eq \"alpha\"", vec![crew]),
            ("displayName eq \"Alpha\"", vec![crew, gadget]),
            ("level eq 5", vec![gadget]),
            ("level gt 4.5", vec![gadget]),
            ("level eq \"5\"", vec![robot]),
            ("level co \"5\" or level eq 5", vec![gadget, robot]),
            ("not (level eq 5)", vec![crew, robot]),
            ("code eq \"X\"", vec![gadget, robot]),
            ("CODE pr", vec![gadget, robot]),
            ("code ne \"y\"", vec![crew, gadget, robot]),
            ("tags eq \"a\"", vec![gadget, robot]),
            ("tags[value eq \"a\"]", vec![gadget]),
            ("tags ne \"a\"", vec![crew, gadget]),
            ("pin eq \"1\"", vec![gadget]),
            ("not (pin eq \"1\")", vec![crew, robot]),
        ] {
            let found = house.post("/.search", search(json!({"filter": filter}))).await.status(200);
            assert_eq!(found.ids(), expected, "{filter}");
        }
        house.post("/.search", search(json!({"filter": "level eq true"}))).await.error(400, Some("invalidFilter"));
        house.find("/Robots", "pin eq \"1\"").await.error(403, Some("sensitive"));
        let many: Vec<&str> = vec!["serial eq \"x\""; 400];
        let refused = house.post("/.search", search(json!({"filter": many.join(" or ")}))).await.error(400, Some("invalidFilter"));
        assert!(refused.contains("each another one"), "{refused}");
    }

    async fn an_order_over_all_types_has_the_values_of_each(house: TestHouse) {
        both(&house).await;
        let c = made(&house, "/Gadgets", GADGET, json!({"code": "c", "tags": ["z", "a"]})).await;
        let a = made(&house, "/Robots", ROBOT, json!({"Code": "A", "tags": "y"})).await;
        let b = made(&house, "/Gadgets", GADGET, json!({"code": "B", "tags": ["x"]})).await;
        let crew = house.group("crew").await;
        assert_eq!(house.get("/?sortBy=code").await.status(200).ids(), [&*a, &*b, &*c, &*crew]);
        assert_eq!(house.get("/?sortBy=code&sortOrder=descending").await.status(200).ids(), [&*crew, &*c, &*b, &*a]);
        assert_eq!(house.get("/?sortBy=tags").await.status(200).ids(), [&*b, &*a, &*c, &*crew]);
        assert_eq!(walked(&house, "sortBy=code").await, [&*a, &*b, &*c, &*crew]);
        assert_eq!(walked(&house, "sortBy=tags&sortOrder=descending").await, [&*crew, &*c, &*a, &*b]);
        for (attribute, types) in [("level", ["Gadget", "Robot"]), ("serial", ["Gadget", "Robot"]), ("displayName", ["User", "Gadget"])] {
            let refused = house.get(&format!("/?sortBy={attribute}")).await.error(400, Some("invalidPath"));
            assert!(types.iter().all(|ty| refused.contains(&format!("`{ty}`"))), "{refused}");
        }
        let hidden = house.get("/?sortBy=pin").await.error(403, Some("sensitive"));
        assert!(hidden.contains("`Robot`"), "{hidden}");
        assert_eq!(house.get("/Gadgets?sortBy=level").await.status(200).total(), 2);
    }

    async fn what_is_a_column_of_users_is_sorted_with_the_attributes_of_others(house: TestHouse) {
        let desk = Desk::admin(&house);
        let attributes = json!([{"name": "userName", "type": "string"}, {"name": "active", "type": "boolean"}]);
        set(&desk, &schema(ROBOT, &attributes)).await.status(200);
        attach(&desk, &own_type("Robot", "/Robots", ROBOT)).await.status(200);
        let crew = house.group("crew").await;
        let on = made(&house, "/Robots", ROBOT, json!({"userName": "Bolt", "active": true})).await;
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.status(201).id();
        let off = made(&house, "/Robots", ROBOT, json!({"userName": "droid", "active": false})).await;
        let cyd = house.post("/Users", user("cyd", json!({"active": false}))).await.status(201).id();
        let by_name = [&*ada, &*on, &*cyd, &*off, &*crew];
        let by_state = [&*off, &*cyd, &*on, &*ada, &*crew];
        for (query, expected) in [("sortBy=userName", by_name), ("sortBy=active", by_state)] {
            assert_eq!(house.get(&format!("/?{query}")).await.status(200).ids(), expected, "{query}");
            assert_eq!(walked(&house, query).await, expected, "{query}");
        }
        let upside = house.get("/?sortBy=active&sortOrder=descending").await.status(200);
        assert_eq!(upside.ids(), [&*crew, &*on, &*ada, &*off, &*cyd]);
        assert_eq!(house.get("/Users?sortBy=active").await.status(200).ids(), [&*cyd, &*ada]);
    }

    async fn a_cursor_of_one_type_is_none_of_another_with_the_same_core(house: TestHouse) {
        let desk = Desk::admin(&house);
        set(&desk, &schema(ROBOT, &json!([{"name": "name", "type": "string"}]))).await.status(200);
        for (name, endpoint) in [("Robot", "/Robots"), ("Drone", "/Drones")] {
            attach(&desk, &own_type(name, endpoint, ROBOT)).await.status(200);
            for number in 0..2 {
                made(&house, endpoint, ROBOT, json!({"name": format!("{name} {number}")})).await;
            }
        }
        let page = house.get("/Robots?count=1&cursor=").await.status(200);
        let next = page.json["nextCursor"].as_str().unwrap();
        house.get(&format!("/Drones?count=1&cursor={next}")).await.error(400, Some("invalidCursor"));
        assert_eq!(house.get(&format!("/Robots?count=1&cursor={next}")).await.status(200).ids().len(), 1);
    }
}
