//! `PATCH /Users/{id}` (RFC 7644 §3.5.2). Members of groups are in `groups`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::asks::keys;
use crate::api::bodies::{ENTERPRISE, NOBODY, USER, user};
use crate::support::TestHouse;

/// A user with a bit of everything; answers its path.
async fn nora(house: &TestHouse) -> String {
    let body = user(
        "nora@acme.test",
        json!({"name": {"givenName": "Nora", "familyName": "Quinn"}, "nickName": "Nor", "active": true,
        "emails": [{"value": "nora@acme.test", "type": "work", "primary": true},
            {"value": "nora@home.example", "type": "home"}]}),
    );
    format!("/Users/{}", house.post("/Users", body).await.status(201).id())
}

/// The representation after a PATCH that succeeds, which is also what is read afterwards.
async fn patched(house: &TestHouse, path: &str, operations: Value) -> Value {
    let answer = house.patch(path, operations).await.status(200);
    assert_eq!(answer.header("etag"), answer.json["meta"]["version"]);
    assert_eq!(house.get(path).await.json, answer.json);
    answer.json
}

each_database! {
    async fn a_patch_answers_the_whole_resource(house: TestHouse) {
        let path = nora(&house).await;
        house.clock().advance(Duration::from_mins(1));
        let before = house.get(&path).await;
        let after = patched(
            &house,
            &path,
            json!([{"op": "replace", "path": "title", "value": "Boss"}]),
        )
        .await;
        assert_eq!((&after["title"], &after["nickName"]), (&json!("Boss"), &json!("Nor")));
        assert_ne!(after["meta"]["version"], before.json["meta"]["version"]);
        assert_ne!(after["meta"]["lastModified"], before.json["meta"]["lastModified"]);
        assert_eq!(after["meta"]["created"], before.json["meta"]["created"]);
    }

    async fn operations_see_what_those_before_them_did(house: TestHouse) {
        let path = nora(&house).await;
        let after = patched(
            &house,
            &path,
            json!([
                {"op": "add", "path": "title", "value": "a"},
                {"op": "replace", "path": "title", "value": "b"},
                {"op": "add", "path": "emails", "value": [{"value": "third@x.test", "type": "other"}]},
                {"op": "replace", "path": "emails[type eq \"other\"].value", "value": "third@y.test"},
                {"op": "remove", "path": "nickName"},
            ]),
        )
        .await;
        assert_eq!((&after["title"], after.get("nickName")), (&json!("b"), None));
        assert_eq!(after["emails"][2], json!({"value": "third@y.test", "type": "other"}));
    }

    async fn what_is_so_already_changes_nothing(house: TestHouse) {
        let path = nora(&house).await;
        let (read, before) = (house.get(&path).await.json, house.dump().await);
        house.clock().advance(Duration::from_mins(1));
        for operation in [
            json!({"op": "add", "path": "emails", "value": [{"value": "nora@home.example", "type": "home"}]}),
            json!({"op": "replace", "path": "nickName", "value": "Nor"}),
            json!({"op": "replace", "value": {"active": true, "name": {"givenName": "Nora"}}}),
            json!({"op": "remove", "path": "title"}),
            json!({"op": "add", "value": {}}),
        ] {
            assert_eq!(patched(&house, &path, json!([operation])).await, read);
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_patch_without_a_path_touches_what_it_lists(house: TestHouse) {
        let path = nora(&house).await;
        let after = patched(
            &house,
            &path,
            json!([{"op": "replace", "value": {
            "nickName": "Nonnie", "name.familyName": "Quill",
            "emails": [{"value": "nora@home.example", "type": "home"}],
            format!("{ENTERPRISE}:department"): "Night", format!("{ENTERPRISE}:manager.value"): NOBODY}}]),
        )
        .await;
        assert_eq!(after["nickName"], "Nonnie");
        assert_eq!(after["emails"], json!([{"value": "nora@home.example", "type": "home"}]));
        assert_eq!(after["name"], json!({"givenName": "Nora", "familyName": "Quill"}));
        assert_eq!(after[ENTERPRISE]["department"], "Night");
        assert_eq!(after[ENTERPRISE]["manager"]["value"], NOBODY);
        assert_eq!(after["schemas"], json!([USER, ENTERPRISE]));
        assert_eq!(after.get("name.familyName"), None);
    }

    async fn an_extension_comes_and_goes_with_its_attributes(house: TestHouse) {
        let path = nora(&house).await;
        let number = format!("{ENTERPRISE}:employeeNumber");
        let after = patched(&house, &path, json!([{"op": "add", "path": number, "value": "N-7"}])).await;
        assert_eq!(
            (&after[ENTERPRISE], &after["schemas"]),
            (&json!({"employeeNumber": "N-7"}), &json!([USER, ENTERPRISE]))
        );
        assert_eq!(house.find("/Users", &format!("{number} eq \"n-7\"")).await.total(), 1);
        let after = patched(&house, &path, json!([{"op": "remove", "path": number}])).await;
        assert_eq!((after.get(ENTERPRISE), &after["schemas"]), (None, &json!([USER])));
        assert_eq!(house.find("/Users", &format!("{number} pr")).await.total(), 0);
    }

    async fn a_new_primary_demotes_the_old_one_and_none_is_promoted(house: TestHouse) {
        let path = nora(&house).await;
        let after = patched(
            &house,
            &path,
            json!([{"op": "add", "path": "emails", "value": [{"value": "n@x.test", "primary": true}]}]),
        )
        .await;
        let primaries = after["emails"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|email| email["primary"] == true);
        assert_eq!(primaries.map(|email| &email["value"]).collect::<Vec<_>>(), ["n@x.test"]);
        let after = patched(
            &house,
            &path,
            json!([{"op": "remove", "path": "emails[primary eq true]"}]),
        )
        .await;
        assert_eq!(after["emails"].as_array().unwrap().len(), 2);
        assert_eq!(house.find("/Users", "emails[primary eq true]").await.total(), 0);
    }

    async fn a_filter_in_a_path_selects_values(house: TestHouse) {
        let path = nora(&house).await;
        let after = patched(
            &house,
            &path,
            json!([{"op": "replace", "path": "emails[type eq \"WORK\"].display", "value": "Office"}]),
        )
        .await;
        assert_eq!(after["emails"][0]["display"], "Office");
        let after = patched(
            &house,
            &path,
            json!([{"op": "remove", "path": "emails[type eq \"work\"].display"}]),
        )
        .await;
        assert_eq!(after["emails"][0].get("display"), None);
        let after = patched(
            &house,
            &path,
            json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]),
        )
        .await;
        assert_eq!(after["emails"], json!([{"value": "nora@home.example", "type": "home"}]));
        let after = patched(&house, &path, json!([{"op": "remove", "path": "emails"}])).await;
        assert_eq!(after.get("emails"), None);
    }

    async fn names_and_urns_are_read_in_any_letter_case(house: TestHouse) {
        let path = nora(&house).await;
        let after = patched(
            &house,
            &path,
            json!([
                {"op": "add", "path": "NICKNAME", "value": "Nonnie"},
                {"op": "add", "path": format!("{}:Title", USER.to_uppercase()), "value": "Boss"},
                {"op": "replace", "value": {"NAME": {"FamilyName": "Quill"}}},
            ]),
        )
        .await;
        assert_eq!(
            (&after["nickName"], &after["title"], &after["name"]["familyName"]),
            (&json!("Nonnie"), &json!("Boss"), &json!("Quill"))
        );
    }

    async fn a_complex_attribute_is_merged_and_null_unassigns(house: TestHouse) {
        let path = nora(&house).await;
        let after = patched(
            &house,
            &path,
            json!([{"op": "add", "path": "name", "value": {"middleName": "Iris"}}]),
        )
        .await;
        assert_eq!(
            after["name"],
            json!({"givenName": "Nora", "familyName": "Quinn", "middleName": "Iris"})
        );
        let after = patched(
            &house,
            &path,
            json!([{"op": "replace", "path": "nickName", "value": null},
            {"op": "replace", "path": "emails", "value": []}, {"op": "remove", "path": "name"}]),
        )
        .await;
        assert_eq!(keys(&after), ["active", "id", "meta", "schemas", "userName"]);
    }

    async fn an_external_id_is_set_changed_and_removed(house: TestHouse) {
        let path = nora(&house).await;
        for (operation, expected) in [
            (json!({"op": "add", "path": "externalId", "value": "E-1"}), json!("E-1")),
            (json!({"op": "replace", "value": {"externalId": "e-1"}}), json!("e-1")),
            (json!({"op": "remove", "path": "externalId"}), Value::Null),
        ] {
            let before = house.get(&path).await.json["meta"]["version"].clone();
            let after = patched(&house, &path, json!([operation])).await;
            assert_eq!(after["externalId"], expected);
            assert_ne!(after["meta"]["version"], before);
        }
    }

    async fn a_renamed_user_is_found_by_its_new_name(house: TestHouse) {
        let path = nora(&house).await;
        patched(
            &house,
            &path,
            json!([{"op": "replace", "path": "userName", "value": "quill"}]),
        )
        .await;
        assert_eq!(house.find("/Users", "userName eq \"QUILL\"").await.total(), 1);
        house.user("nora@acme.test").await;
    }

    async fn a_projection_shapes_the_answer_of_a_patch(house: TestHouse) {
        let path = nora(&house).await;
        let change = json!([{"op": "replace", "path": "active", "value": false}]);
        let answer = house
            .patch(&format!("{path}?attributes=active"), change)
            .await
            .status(200);
        assert_eq!(
            (keys(&answer.json), &answer.json["active"]),
            (vec!["active", "id", "schemas"], &json!(false))
        );
    }

    async fn what_is_not_there_cannot_be_patched(house: TestHouse) {
        let before = house.dump().await;
        let change = json!([{"op": "add", "path": "title", "value": "x"}]);
        house
            .patch(&format!("/Users/{NOBODY}"), change.clone())
            .await
            .error(404, None);
        house.patch(&format!("/Groups/{NOBODY}"), change).await.error(404, None);
        before.assert_same(&house.dump().await);
    }

    async fn a_password_is_set_and_never_shown(house: TestHouse) {
        let path = nora(&house).await;
        let change = json!([{"op": "replace", "path": "password", "value": "pw-of-nora"}]);
        assert_eq!(patched(&house, &path, change).await.get("password"), None);
        assert!(!format!("{:?}", house.dump().await).contains("pw-of-nora"));
        house.logs.never_say("pw-of-nora");
    }
}
