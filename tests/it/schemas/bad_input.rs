//! Definitions that cannot be used are refused with what is wrong, and nothing is stored.

use axum::http::Method;
use serde_json::{Value, json};

use super::words::{BADGE, attach, badges, extends, schema, set};
use crate::admin::desk::Desk;
use crate::support::TestHouse;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const X: &str = "urn:example:x:1.0:User";

fn of(attribute: &Value) -> Value {
    schema(X, &json!([attribute]))
}

each_database! {
    async fn a_schema_that_cannot_be_used_says_why(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        let many: Vec<Value> = (0..301).map(|n| json!({"name": format!("a{n}"), "type": "string"})).collect();
        let deep = json!([{"name": "a", "type": "complex", "subAttributes": [
            {"name": "b", "type": "complex", "subAttributes": [{"name": "c", "type": "string"}]}]}]);
        for (given, status, why) in [
            (schema(USER, &json!([{"name": "a"}])), 409, "cannot be defined anew"),
            (schema("urn:muster:x:1.0", &json!([])), 409, "cannot be defined anew"),
            (schema("urn:ietf:params:scim:api:messages:2.0:X", &json!([])), 409, "cannot be defined anew"),
            (schema("urn:x", &json!([])), 400, "no URN"),
            (schema("http:x:y", &json!([])), 400, "no URN"),
            (of(&json!({"name": "id", "type": "string"})), 400, "every resource has the attribute `id`"),
            (of(&json!({"name": "a", "type": "text"})), 400, "`text` is not a known `type`"),
            (of(&json!({"name": "1a", "type": "string"})), 400, "`1a` is not a valid attribute name"),
            (of(&json!({"name": "a", "type": "complex"})), 400, "`a` must have sub-attributes"),
            (of(&json!({"name": "a", "type": "reference"})), 400, "a reference has `referenceTypes`"),
            (of(&json!({"name": "a", "type": "reference", "referenceTypes": []})), 400, "a reference has `referenceTypes`"),
            (of(&json!({"name": "a", "type": "reference", "referenceTypes": ["no name"]})), 400, "are names of resource types"),
            (of(&json!({"name": "a", "type": "string", "referenceTypes": ["uri"]})), 400, "only a reference"),
            (of(&json!({"name": "a", "mutability": "writeOnly"})), 400, "`writeOnly`"),
            (of(&json!({"name": "a", "type": "boolean", "uniqueness": "server"})), 400, "cannot be unique"),
            (of(&json!({"name": "a", "returned": "never", "uniqueness": "server"})), 400, "cannot be unique"),
            (of(&json!({"name": "a".repeat(65)})), 400, "at most 64"),
            (schema(X, &json!(many)), 400, "at most 300 attributes"),
            (schema(X, &deep), 400, "`a.b` must not be complex"),
            (schema(X, &json!([{"name": "a"}, {"name": "A"}])), 400, "defined twice"),
            (schema(X, &json!("a")), 400, "`attributes`"),
        ] {
            let refused = set(&desk, &given).await.status(status);
            assert!(refused.text.contains(why), "{why}: {}", refused.text);
        }
        let elsewhere = desk.ask(Method::PUT, "/api/v1/schemas/urn:example:other:1.0", Some(of(&json!({"name": "a"}))), &[]).await;
        assert!(elsewhere.status(400).text.contains("the one of the path"));
        before.assert_same(&house.dump().await);
    }

    async fn a_resource_type_that_cannot_be_used_says_why(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        set(&desk, &of(&json!({"name": "userName", "type": "string"}))).await.status(200);
        let before = house.dump().await;
        let member = |name: &str, value: Value| {
            let mut definition = extends("User", &[(BADGE, false)]);
            definition[name] = value;
            definition
        };
        for (given, status, why) in [
            (extends("User", &[("urn:example:none:1.0", false)]), 400, "there is no schema `urn:example:none:1.0`"),
            (extends("User", &[(X, false)]), 400, "`User` has the attribute `userName` already"),
            (extends("User", &[("urn:ietf:params:scim:schemas:core:2.0:Group", false)]), 409, "cannot be defined anew"),
            (extends("Robot", &[(BADGE, false)]), 400, "there is no resource type `Robot`"),
            (member("endpoint", json!("/People")), 409, "`endpoint`"),
            (member("schema", json!(BADGE)), 409, "`schema`"),
            (member("endpoint", json!("/a/b")), 400, "no endpoint"),
            (member("schemaExtensions", json!("x")), 400, "`schemaExtensions`"),
        ] {
            let refused = attach(&desk, &given).await.status(status);
            assert!(refused.text.contains(why), "{why}: {}", refused.text);
        }
        before.assert_same(&house.dump().await);
    }

    async fn only_who_decides_about_the_organisation_changes_it(house: TestHouse) {
        let ada = house.user("ada").await;
        let desk = Desk::user(&house, &ada);
        set(&desk, &of(&json!({"name": "a"}))).await.status(403);
        attach(&desk, &extends("User", &[])).await.status(403);
        desk.delete(&format!("/schemas/{X}")).await.status(403);
        desk.get("/schemas").await.status(403);
        Desk::admin(&house).post("/schemas/preview", json!({})).await.status(400);
        Desk::admin(&house).post("/schemas/preview", json!({"remove_schema": "urn:a:b", "remove_resource_type": "User"})).await.status(400);
    }
}
