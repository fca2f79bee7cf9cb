//! `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5, §3.9).

use serde_json::{Value, json};

use crate::api::asks::keys;
use crate::api::bodies::{ENTERPRISE, USER, user};
use crate::support::TestHouse;

/// The path of a user with a bit of everything.
async fn ada(house: &TestHouse) -> String {
    let body = user(
        "ada@acme.test",
        json!({"name": {"givenName": "Ada", "familyName": "Lovelace"}, "title": "Countess", "password": "pw-of-ada",
        "emails": [{"value": "ada@acme.test", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"}],
        ENTERPRISE: {"employeeNumber": "E-100", "department": "R&D"}}),
    );
    let id = house.post("/Users", body).await.status(201).id();
    let sales = house.group("Sales").await;
    house.join(&sales, &id).await;
    format!("/Users/{id}")
}

async fn seen(house: &TestHouse, path: &str, query: &str) -> Value {
    house.get(&format!("{path}?{query}")).await.status(200).json
}

each_database! {
    async fn attributes_shows_the_least_and_what_is_named(house: TestHouse) {
        let path = ada(&house).await;
        for (query, expected) in [
            ("attributes=userName", vec!["id", "schemas", "userName"]),
            ("attributes=id", vec!["id", "schemas"]),
            ("attributes=noSuchThing", vec!["id", "schemas"]),
            ("attributes=password,userName", vec!["id", "schemas", "userName"]),
            (
                "attributes=USERNAME,%20Emails.VALUE",
                vec!["emails", "id", "schemas", "userName"],
            ),
            ("attributes=groups", vec!["groups", "id", "schemas"]),
            ("attributes=meta", vec!["id", "meta", "schemas"]),
        ] {
            assert_eq!(keys(&seen(&house, &path, query).await), expected, "{query}");
        }
    }

    async fn a_sub_attribute_is_shown_alone(house: TestHouse) {
        let path = ada(&house).await;
        assert_eq!(
            seen(&house, &path, "attributes=name.givenName").await["name"],
            json!({"givenName": "Ada"})
        );
        let values = json!([{"value": "ada@acme.test"}, {"value": "ada@home.example"}]);
        assert_eq!(seen(&house, &path, "attributes=emails.value").await["emails"], values);
        let location = seen(&house, &path, "attributes=meta.location").await["meta"].clone();
        assert_eq!(keys(&location), ["location"]);
        let whole = seen(&house, &path, "attributes=emails.value,emails").await["emails"].clone();
        assert_eq!(whole[0]["type"], "work");
        assert_eq!(
            keys(&seen(&house, &path, "attributes=groups.$ref").await["groups"][0]),
            ["$ref"]
        );
    }

    async fn an_extension_is_named_by_its_urn(house: TestHouse) {
        let path = ada(&house).await;
        let one = seen(&house, &path, &format!("attributes={ENTERPRISE}:department")).await;
        assert_eq!(
            (keys(&one), &one[ENTERPRISE]),
            (vec!["id", "schemas", ENTERPRISE], &json!({"department": "R&D"}))
        );
        let whole = seen(&house, &path, &format!("attributes={}", ENTERPRISE.to_lowercase())).await;
        assert_eq!(
            whole[ENTERPRISE],
            json!({"employeeNumber": "E-100", "department": "R&D"})
        );
        assert_eq!(
            keys(&seen(&house, &path, &format!("attributes={USER}:title")).await),
            ["id", "schemas", "title"]
        );
    }

    async fn excluded_attributes_cannot_take_what_is_always_shown(house: TestHouse) {
        let path = ada(&house).await;
        let less = seen(
            &house,
            &path,
            "excludedAttributes=id,schemas,emails,groups,name.familyName",
        )
        .await;
        assert_eq!(
            keys(&less),
            ["id", "meta", "name", "schemas", "title", ENTERPRISE, "userName"]
        );
        assert_eq!(less["name"], json!({"givenName": "Ada"}));
        assert_eq!(less["schemas"], json!([USER, ENTERPRISE]));
    }

    async fn an_excluded_sub_attribute_is_missing_in_every_element(house: TestHouse) {
        let path = ada(&house).await;
        let less = seen(&house, &path, "excludedAttributes=emails.type").await;
        assert_eq!(
            less["emails"],
            json!([{"value": "ada@acme.test", "primary": true}, {"value": "ada@home.example"}])
        );
        let less = seen(
            &house,
            &path,
            &format!("excludedAttributes={ENTERPRISE}:department,meta.version"),
        )
        .await;
        assert_eq!(less[ENTERPRISE], json!({"employeeNumber": "E-100"}));
        assert_eq!(less["meta"].get("version"), None);
        assert_eq!(
            seen(&house, &path, &format!("excludedAttributes={ENTERPRISE}"))
                .await
                .get(ENTERPRISE),
            None
        );
    }

    async fn both_at_once_are_refused(house: TestHouse) {
        let path = ada(&house).await;
        house
            .get(&format!("{path}?attributes=userName&excludedAttributes=emails"))
            .await
            .error(400, Some("invalidValue"));
        house
            .get("/Users?attributes=userName&excludedAttributes=emails")
            .await
            .error(400, Some("invalidValue"));
    }

    async fn a_refused_projection_changes_nothing(house: TestHouse) {
        let path = ada(&house).await;
        let before = house.dump().await;
        let query = "attributes=userName&excludedAttributes=emails";
        house
            .post(&format!("/Users?{query}"), user("bob", json!({})))
            .await
            .error(400, Some("invalidValue"));
        house
            .put(&format!("{path}?{query}"), user("bob", json!({})))
            .await
            .error(400, Some("invalidValue"));
        let change = json!([{"op": "remove", "path": "title"}]);
        house
            .patch(&format!("{path}?{query}"), change)
            .await
            .error(400, Some("invalidValue"));
        before.assert_same(&house.dump().await);
    }

    async fn a_projection_keeps_the_tag_and_the_locations(house: TestHouse) {
        let path = ada(&house).await;
        let (whole, less) = (
            house.get(&path).await,
            house.get(&format!("{path}?attributes=title")).await,
        );
        for name in ["etag", "content-location"] {
            assert_eq!(less.header(name), whole.header(name));
        }
    }

    async fn a_projection_shapes_lists(house: TestHouse) {
        ada(&house).await;
        let list = seen(&house, "/Users", "attributes=userName").await;
        assert_eq!(keys(&list["Resources"][0]), ["id", "schemas", "userName"]);
        let list = seen(&house, "/", "excludedAttributes=meta,members,groups").await;
        for resource in list["Resources"].as_array().unwrap() {
            assert!(
                !keys(resource)
                    .iter()
                    .any(|key| ["meta", "members", "groups"].contains(key)),
                "{resource}"
            );
        }
    }
}
