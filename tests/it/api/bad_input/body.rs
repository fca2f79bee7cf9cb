//! Bodies that are not the message they should be.

use axum::http::Method;
use serde_json::json;

use crate::api::asks::{post_bytes, raw, refused};
use crate::api::bodies::{USER, patch_op, user};
use crate::support::TestHouse;

/// Stands for what is personal: no answer and no log line may repeat it.
const SECRET: &str = "secret-of-ada";

each_database! {
    async fn broken_json_is_invalid_syntax(house: TestHouse) {
        let body = format!(r#"{{"schemas": ["{USER}"], "userName": "{SECRET}", "#);
        refused(&house, SECRET, post_bytes(&house, "/Users", body))
            .await
            .error(400, Some("invalidSyntax"));
        refused(&house, SECRET, post_bytes(&house, "/Users", SECRET))
            .await
            .error(400, Some("invalidSyntax"));
    }

    async fn broken_json_changes_nothing_by_put_and_patch_and_search(house: TestHouse) {
        let id = house.user("ada").await;
        let json = [("content-type", "application/scim+json")];
        for line in [
            format!("PUT /scim/v2/Users/{id}"),
            format!("PATCH /scim/v2/Users/{id}"),
            "POST /scim/v2/.search".into(),
        ] {
            let ask = raw(&house, &line, &json, format!("{{\"userName\": \"{SECRET}\"]"));
            refused(&house, SECRET, ask).await.error(400, Some("invalidSyntax"));
        }
    }

    async fn an_empty_body_is_invalid_syntax(house: TestHouse) {
        let id = house.user("ada").await;
        refused(&house, SECRET, post_bytes(&house, "/Users", ""))
            .await
            .error(400, Some("invalidSyntax"));
        let path = format!("/Users/{id}");
        refused(&house, SECRET, house.scim(Method::PUT, &path, None, &[]))
            .await
            .error(400, Some("invalidSyntax"));
    }

    async fn a_body_that_is_no_object_is_invalid_syntax(house: TestHouse) {
        for body in [
            json!([user(SECRET, json!({}))]),
            json!(SECRET),
            json!(7),
            json!(null),
            json!(true),
        ] {
            refused(&house, SECRET, house.post("/Users", body))
                .await
                .error(400, Some("invalidSyntax"));
        }
    }

    async fn another_media_type_is_415(house: TestHouse) {
        let body = user(SECRET, json!({})).to_string();
        for media in [
            "text/xml",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml; charset=utf-8",
            "json",
        ] {
            let headers = [("content-type", media)];
            let ask = raw(&house, "POST /scim/v2/Users", &headers, body.clone());
            refused(&house, SECRET, ask).await.error(415, None);
        }
    }

    async fn bytes_that_are_not_utf_8_are_invalid_syntax(house: TestHouse) {
        let body = [
            format!(r#"{{"schemas":["{USER}"],"userName":"{SECRET}"#).as_bytes(),
            b"\xff\"}",
        ]
        .concat();
        refused(&house, SECRET, post_bytes(&house, "/Users", body))
            .await
            .error(400, Some("invalidSyntax"));
    }

    async fn a_member_given_twice_is_invalid_syntax(house: TestHouse) {
        let twice = format!(r#"{{"schemas":["{USER}"],"userName":"{SECRET}","userName":"{SECRET}-too"}}"#);
        refused(&house, SECRET, post_bytes(&house, "/Users", twice))
            .await
            .error(400, Some("invalidSyntax"));
        let deep =
            format!(r#"{{"schemas":["{USER}"],"userName":"ada","name":{{"familyName":"{SECRET}","familyName":"x"}}}}"#);
        refused(&house, SECRET, post_bytes(&house, "/Users", deep))
            .await
            .error(400, Some("invalidSyntax"));
    }

    async fn members_that_differ_only_in_letter_case_are_invalid_syntax(house: TestHouse) {
        let top = user("ada", json!({"USERNAME": SECRET}));
        refused(&house, SECRET, house.post("/Users", top))
            .await
            .error(400, Some("invalidSyntax"));
        let deep = user("ada", json!({"name": {"familyName": "x", "FamilyName": SECRET}}));
        refused(&house, SECRET, house.post("/Users", deep))
            .await
            .error(400, Some("invalidSyntax"));
    }

    async fn a_patch_that_is_no_patch_is_invalid_syntax(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let bodies = [
            json!({"schemas": [USER], "Operations": [{"op": "add", "path": "title", "value": SECRET}]}),
            json!({"Operations": [{"op": "add", "path": "title", "value": SECRET}]}),
            patch_op(&json!([])),
            patch_op(&json!({"op": "add", "path": "title", "value": SECRET})),
            patch_op(&json!([{"path": "title", "value": SECRET}])),
            patch_op(&json!([{"op": "move", "path": "title", "value": SECRET}])),
            patch_op(&json!([{"op": "add", "path": 7, "value": SECRET}])),
            patch_op(&json!([SECRET])),
        ];
        for body in bodies {
            let ask = house.scim(Method::PATCH, &path, Some(body), &[]);
            refused(&house, SECRET, ask).await.error(400, Some("invalidSyntax"));
        }
    }

    async fn a_patch_that_fails_in_its_third_operation_applies_nothing(house: TestHouse) {
        let id = house
            .post("/Users", user("ada", json!({"title": "Countess"})))
            .await
            .status(201)
            .id();
        let operations = json!([
            {"op": "replace", "path": "title", "value": SECRET},
            {"op": "add", "path": "nickName", "value": SECRET},
            {"op": "replace", "path": "active", "value": "perhaps"},
        ]);
        let path = format!("/Users/{id}");
        let ask = house.patch(&path, operations);
        let detail = refused(&house, SECRET, ask).await.error(400, Some("invalidValue"));
        assert!(detail.contains("operation 3"), "{detail}");
        assert_eq!(house.get(&path).await.json["title"], "Countess");
    }

    async fn a_group_patch_that_fails_in_its_third_operation_keeps_its_members(house: TestHouse) {
        let (ada, bob, sales) = (
            house.user("ada").await,
            house.user("bob").await,
            house.group("Sales").await,
        );
        house.join(&sales, &ada).await;
        let operations = json!([
            {"op": "add", "path": "members", "value": [{"value": bob}]},
            {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
            {"op": "replace", "path": "displayName", "value": {"is": SECRET}},
        ]);
        let path = format!("/Groups/{sales}");
        refused(&house, SECRET, house.patch(&path, operations))
            .await
            .error(400, Some("invalidValue"));
        assert_eq!(house.get(&path).await.values_of("members"), [ada]);
    }

    async fn an_extension_without_the_base_schema_is_refused(house: TestHouse) {
        let body = json!({"schemas": [crate::api::bodies::ENTERPRISE], "userName": SECRET});
        refused(&house, SECRET, house.post("/Users", body))
            .await
            .error(400, Some("invalidValue"));
    }
}
