//! Values that do not fit their attributes.

use serde_json::{Value, json};

use crate::api::asks::refused;
use crate::api::bodies::{ENTERPRISE, GROUP, NOBODY, USER, group, refs, user};
use crate::support::TestHouse;

const SECRET: &str = "secret-of-ada";

each_database! {
    async fn values_of_another_type_are_invalid(house: TestHouse) {
        let wrong = [
            json!({"userName": 7}),
            json!({"userName": [SECRET]}),
            json!({"userName": {"value": SECRET}}),
            json!({"title": 7}),
            json!({"title": [SECRET, SECRET]}),
            json!({"title": {"value": SECRET}}),
            json!({"name": SECRET}),
            json!({"name": [{"familyName": SECRET}, {"familyName": SECRET}]}),
            json!({"name": {"familyName": 1}}),
            json!({"emails": SECRET}),
            json!({"emails": [7]}),
            json!({"emails": [{"value": {"is": SECRET}}]}),
            json!({"emails": [{"value": SECRET, "primary": "yes"}]}),
            json!({"active": SECRET}),
            json!({"active": 1}),
            json!({"active": [true]}),
            json!({"externalId": 7}),
            json!({"x509Certificates": [{"value": "not base64!"}]}),
            json!({ENTERPRISE: SECRET}),
            json!({ENTERPRISE: {"employeeNumber": 7}}),
            json!({"password": 7}),
            json!({"password": ""}),
        ];
        for more in wrong {
            let ask = house.post("/Users", user("ada", more.clone()));
            let answer = refused(&house, SECRET, ask).await;
            assert_eq!(
                (answer.status, &answer.json["scimType"]),
                (400, &json!("invalidValue")),
                "{more}"
            );
        }
    }

    async fn a_patch_with_a_value_of_another_type_is_invalid(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        for (attribute, value) in [
            ("title", json!(7)),
            ("active", json!("perhaps")),
            ("emails", json!([7])),
            ("name", json!(SECRET)),
        ] {
            let add = json!([{"op": "add", "path": attribute, "value": value}]);
            refused(&house, SECRET, house.patch(&path, add))
                .await
                .error(400, Some("invalidValue"));
            let bare = json!([{"op": "replace", "value": {attribute: value}}]);
            refused(&house, SECRET, house.patch(&path, bare))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn two_primaries_are_invalid(house: TestHouse) {
        let two = json!([{"value": "a@x.test", "primary": true}, {"value": SECRET, "primary": true}]);
        refused(
            &house,
            SECRET,
            house.post("/Users", user("ada", json!({"emails": two}))),
        )
        .await
        .error(400, Some("invalidValue"));
        let path = format!("/Users/{}", house.user("bob").await);
        refused(&house, SECRET, house.put(&path, user("bob", json!({"emails": two}))))
            .await
            .error(400, Some("invalidValue"));
        let add = json!([{"op": "add", "path": "emails", "value": two}]);
        refused(&house, SECRET, house.patch(&path, add))
            .await
            .error(400, Some("invalidValue"));
    }

    async fn a_required_attribute_that_is_missing_is_invalid_value(house: TestHouse) {
        for body in [
            json!({"schemas": [USER]}),
            user("", json!({})),
            json!({"schemas": [USER], "userName": null}),
        ] {
            refused(&house, SECRET, house.post("/Users", body))
                .await
                .error(400, Some("invalidValue"));
        }
        for body in [
            json!({"schemas": [GROUP]}),
            group("", &[]),
            json!({"schemas": [GROUP], "displayName": null}),
        ] {
            refused(&house, SECRET, house.post("/Groups", body))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn a_put_without_a_required_attribute_is_invalid_value(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let (ada, sales) = (format!("/Users/{ada}"), format!("/Groups/{sales}"));
        let put = house.put(&ada, json!({"schemas": [USER], "title": SECRET}));
        let detail = refused(&house, SECRET, put).await.error(400, Some("invalidValue"));
        assert!(detail.contains("`userName`"), "{detail}");
        let put = house.put(&sales, json!({"schemas": [GROUP], "externalId": SECRET}));
        let detail = refused(&house, SECRET, put).await.error(400, Some("invalidValue"));
        assert!(detail.contains("`displayName`"), "{detail}");
    }

    async fn a_required_attribute_cannot_be_patched_away(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        for (path, attribute) in [
            (format!("/Users/{ada}"), "userName"),
            (format!("/Groups/{sales}"), "displayName"),
        ] {
            let remove = json!([{"op": "remove", "path": attribute}]);
            refused(&house, SECRET, house.patch(&path, remove))
                .await
                .error(400, Some("mutability"));
            let answer = refused(
                &house,
                SECRET,
                house.patch(&path, json!([{"op": "replace", "path": attribute, "value": null}])),
            )
            .await;
            assert_eq!(answer.status, 400, "{}", answer.text);
        }
    }

    async fn a_member_that_does_not_exist_is_invalid_value(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let path = format!("/Groups/{sales}");
        let some = [ada.as_str(), NOBODY];
        refused(&house, SECRET, house.post("/Groups", group("Ops", &some)))
            .await
            .error(400, Some("invalidValue"));
        refused(&house, SECRET, house.put(&path, group("Sales", &some)))
            .await
            .error(400, Some("invalidValue"));
        for verb in ["add", "replace"] {
            let change = json!([{"op": verb, "path": "members", "value": refs(&some)}]);
            refused(&house, SECRET, house.patch(&path, change))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn removing_a_member_that_does_not_exist_succeeds_and_changes_nothing(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let path = format!("/Groups/{sales}");
        house.join(&sales, &ada).await;
        let before = house.dump().await;
        for operation in [
            json!({"op": "remove", "path": format!("members[value eq \"{NOBODY}\"]")}),
            json!({"op": "remove", "path": "members", "value": refs(&[NOBODY])}),
        ] {
            assert_eq!(
                house
                    .patch(&path, json!([operation]))
                    .await
                    .status(200)
                    .values_of("members"),
                [ada.as_str()]
            );
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_member_without_a_value_is_invalid(house: TestHouse) {
        let path = format!("/Groups/{}", house.group("Sales").await);
        let wrong: [Value; 5] = [
            json!([{"display": SECRET}]),
            json!([SECRET]),
            json!([7]),
            json!([{"value": 7}]),
            json!(SECRET),
        ];
        for members in wrong {
            let add = json!([{"op": "add", "path": "members", "value": members}]);
            refused(&house, SECRET, house.patch(&path, add))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn a_group_inside_itself_is_invalid_value(house: TestHouse) {
        let sales = house.group("Sales").await;
        let path = format!("/Groups/{sales}");
        refused(&house, SECRET, house.put(&path, group("Sales", &[&sales])))
            .await
            .error(400, Some("invalidValue"));
        for verb in ["add", "replace"] {
            let change = json!([{"op": verb, "path": "members", "value": refs(&[&sales])}]);
            refused(&house, SECRET, house.patch(&path, change))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn what_the_server_owns_cannot_be_patched(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        for (attribute, value) in [
            ("id", json!(SECRET)),
            ("meta.created", json!("2020-01-01T00:00:00Z")),
            ("meta", json!({"version": SECRET})),
            ("groups", json!([{"value": SECRET}])),
        ] {
            for verb in ["add", "replace"] {
                let change = json!([{"op": verb, "path": attribute, "value": value}]);
                refused(&house, SECRET, house.patch(&path, change))
                    .await
                    .error(400, Some("mutability"));
            }
        }
        refused(
            &house,
            SECRET,
            house.patch(&path, json!([{"op": "remove", "path": "groups"}])),
        )
        .await
        .error(400, Some("mutability"));
    }

    async fn a_path_that_names_nothing_is_refused(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let cases = [
            ("titel", "invalidPath"),
            ("emails[0]", "invalidPath"),
            ("/title", "invalidPath"),
            ("name..familyName", "invalidPath"),
            ("emails[", "invalidFilter"),
            ("emails[colour eq \"x\"].value", "invalidFilter"),
            ("emails[type eq \"fax\"].value", "noTarget"),
        ];
        for (wrong, scim_type) in cases {
            let change = json!([{"op": "replace", "path": wrong, "value": SECRET}]);
            let answer = refused(&house, SECRET, house.patch(&path, change)).await;
            assert_eq!(
                (answer.status, &answer.json["scimType"]),
                (400, &json!(scim_type)),
                "{wrong}"
            );
        }
        refused(&house, SECRET, house.patch(&path, json!([{"op": "remove"}])))
            .await
            .error(400, Some("noTarget"));
    }
}
