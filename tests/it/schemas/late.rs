//! Requests that were let in before the schemas changed.

use axum::http::Method;
use serde_json::{Value, json};

use super::words::{BADGE, attach, badge, badges, extends, schema, set, worn};
use crate::admin::desk::{Desk, token};
use crate::api::bodies::patch_op;
use crate::bulk::words::{end, request};
use crate::support::TestHouse;

/// The badge with one attribute that must be unique.
fn unique(name: &str) -> Value {
    let mut other = badge();
    let list = other["attributes"].as_array_mut().unwrap();
    list.iter_mut().find(|one| one["name"] == name).unwrap()["uniqueness"] = json!("server");
    other
}

each_database! {
    async fn what_they_say_is_not_saved_by_the_schemas_of_then_whoever_asks(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"color": "red"}))).await.status(201).id();
        desk.grant(&ada, "admin", "all").await;
        let me = house.with_token(Some(&token(&house, "acme", &["--user", &ada])));
        let blue = patch_op(&json!([{"op": "replace", "path": format!("{BADGE}:color"), "value": "blue"}]));
        let changed = async { drop(set(&desk, &unique("color")).await.status(200)) };
        me.late(Method::PATCH, "/scim/v2/Me", blue.clone(), changed).await.error(503, None);
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json[BADGE]["color"], "red");
        assert_eq!(me.patch("/Me", blue["Operations"].clone()).await.status(200).json[BADGE]["color"], "blue");
        let admin = house.with_token(Some(&token(&house, "acme", &["--admin"])));
        let changed = async { drop(set(&desk, &unique("code")).await.status(200)) };
        let path = format!("/api/v1/users/{ada}/clone");
        let told = admin.late(Method::POST, &path, json!({"userName": "bob"}), changed).await;
        assert_eq!(told.status, 503, "{told:?}");
        assert_eq!(house.get("/Users?count=0").await.total(), 1);
    }

    async fn an_end_is_no_change_of_what_ends(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"color": "red"}))).await.status(201).id();
        desk.grant(&ada, "admin", "all").await;
        let eve = house.user("eve").await;
        desk.grant(&eve, "admin", "all").await;
        let kind = "urn:example:more:1.0:User";
        let changed = async {
            set(&desk, &schema(kind, &json!([{"name": "cost", "type": "string"}]))).await.status(200);
            attach(&desk, &extends("User", &[(BADGE, false), (kind, false)])).await.status(200);
        };
        let body = request(&[end(&format!("/Users/{ada}"))]);
        let answer = house.late(Method::POST, "/scim/v2/Bulk", body, changed).await.status(200);
        assert_eq!(answer.json["Operations"][0]["status"], "204", "{}", answer.text);
    }

    async fn who_comes_back_has_no_value_of_another_type(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"color": "red", "level": 3}))).await.status(201).id();
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let mut other = badge();
        for one in other["attributes"].as_array_mut().unwrap() {
            if one["name"] == "level" {
                one["type"] = json!("string");
            }
        }
        set(&desk, &other).await.status(200);
        desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(200);
        let path = format!("/Users/{ada}");
        assert_eq!(house.get(&path).await.json[BADGE], json!({"color": "red"}));
        let level = json!([{"op": "add", "path": format!("{BADGE}:level"), "value": "three"}]);
        house.patch(&path, level).await.status(200);
        assert_eq!(house.find("/Users", &format!("{BADGE}:level eq \"three\"")).await.ids(), [ada]);
    }
}
