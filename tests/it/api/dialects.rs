//! What a connection tolerates: `auto` reads the habits of clients and counts them, `strict` refuses them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::asks::as_connection;
use crate::api::bodies::{ENTERPRISE, GROUP, USER, group, user};
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::program::run_json;

/// A PATCH of a user that only a tolerant connection takes, what it means, and what a strict one says.
fn habits() -> Vec<(Value, &'static str, Value, &'static str)> {
    vec![
        (
            json!({"op": "Replace", "path": "title", "value": "t"}),
            "title",
            json!("t"),
            "invalidSyntax",
        ),
        (
            json!({"op": "ADD", "path": "nickName", "value": "n"}),
            "nickName",
            json!("n"),
            "invalidSyntax",
        ),
        (
            json!({"op": "replace", "path": "active", "value": "False"}),
            "active",
            json!(false),
            "invalidValue",
        ),
        (
            json!({"op": "replace", "path": "", "value": {"title": "u"}}),
            "title",
            json!("u"),
            "invalidPath",
        ),
        (
            json!({"op": "replace", "value": {"active": "true"}}),
            "active",
            json!(true),
            "invalidValue",
        ),
        (
            json!({"op": "replace", "value": {"id": "x", "title": "v"}}),
            "title",
            json!("v"),
            "mutability",
        ),
    ]
}

each_database! {
    async fn the_interoperability_profile_refuses_what_can_be_understood_in_two_ways(house: TestHouse) {
        let profile = as_connection(&house, "profile", "interop-profile");
        let body = user("ada", json!({"emails": [{"type": "work", "value": "ada@acme.test"}]}));
        let path = format!("/Users/{}", profile.post("/Users", body).await.status(201).id());
        let before = house.dump().await;
        for strange in [json!({"shoeSize": 7}), json!({"name": {"shoe": 9}}), json!({"emails": [{"value": "a@x", "x": 1}]})] {
            profile.post("/Users", user("eve", strange.clone())).await.error(400, Some("invalidSyntax"));
            profile.put(&path, user("ada", strange.clone())).await.error(400, Some("invalidSyntax"));
            let (name, value) = strange.as_object().unwrap().iter().next().unwrap();
            let expected = if name == "shoeSize" { "invalidPath" } else { "invalidSyntax" };
            profile.patch(&path, json!([{"op": "add", "path": name, "value": value}])).await.error(400, Some(expected));
        }
        for ambiguous in [
            json!({"op": "add", "value": {"title": "Countess"}}),
            json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "b@acme.test"}}),
        ] {
            profile.patch(&path, json!([ambiguous])).await.error(400, Some("invalidPath"));
        }
        before.assert_same(&house.dump().await);
        let clear = json!([
            {"op": "add", "path": "title", "value": "Countess"},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@acme.test"},
        ]);
        let changed = profile.patch(&path, clear).await.status(200);
        assert_eq!((&changed.json["title"], &changed.json["emails"][0]["value"]), (&json!("Countess"), &json!("b@acme.test")));
        profile.patch(&path, json!([{"op": "remove", "path": "emails[type eq \"work\"]"}])).await.status(200);
        // A strict connection goes by the RFC.
        let strict = as_connection(&house, "plain", "strict");
        strict.post("/Users", user("eve", json!({"shoeSize": 7}))).await.status(201);
    }

    async fn a_patch_with_a_habit_is_read_by_auto_and_refused_by_strict(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let path = format!(
            "/Users/{}",
            house.post("/Users", user("ada", json!({"active": true}))).await.id()
        );
        for (operation, attribute, expected, refusal) in habits() {
            let before = house.dump().await;
            strict.patch(&path, json!([operation])).await.error(400, Some(refusal));
            before.assert_same(&house.dump().await);
            assert_eq!(
                house.patch(&path, json!([operation])).await.status(200).json[attribute],
                expected,
                "{operation}"
            );
        }
    }

    async fn a_resource_with_a_habit_is_read_by_auto_and_refused_by_strict(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let bodies = [
            (json!({"userName": "a"}), "invalidSyntax"),
            (user("b", json!({"active": "true"})), "invalidValue"),
            (user("c", json!({"schemas": [USER, "urn:x:made:up"]})), "invalidValue"),
            (user("d", json!({"emails": {"value": "d@x.test"}})), "invalidValue"),
            (
                user("e", json!({"emails": [{"value": "e@x.test", "primary": "True"}]})),
                "invalidValue",
            ),
            (
                user("f", json!({"addresses": [{"country": "Germany"}]})),
                "invalidValue",
            ),
        ];
        for (body, refusal) in bodies {
            let before = house.dump().await;
            strict.post("/Users", body.clone()).await.error(400, Some(refusal));
            before.assert_same(&house.dump().await);
            let made = house.post("/Users", body.clone()).await.status(201);
            assert_eq!(made.json["schemas"], json!([USER]));
            house.put(&format!("/Users/{}", made.id()), body).await.status(200);
        }
    }

    async fn what_the_rfc_allows_is_the_same_for_both(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        for (one, name) in [(&house, "ada"), (&strict, "bob")] {
            let body = user(
                name,
                json!({"active": true, "emails": [{"value": "x@x.test", "primary": true}],
                    ENTERPRISE: {"department": "d"}}),
            );
            let made = one.post("/Users", body).await.status(201);
            let path = format!("/Users/{}", made.id());
            one.patch(&path, json!([{"op": "replace", "value": {"title": "t"}}]))
                .await
                .status(200);
            one.patch(&path, json!([{"op": "remove", "path": "emails[primary eq true]"}]))
                .await
                .status(200);
            one.put(&path, user(name, json!({"id": "ignored", "meta": {}, "groups": []})))
                .await
                .status(200);
        }
    }

    async fn filters_with_quoted_booleans_are_for_auto_alone(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        house
            .post("/Users", user("ada", json!({"active": true})))
            .await
            .status(201);
        assert_eq!(house.find("/Users", "active eq \"True\"").await.status(200).total(), 1);
        strict
            .find("/Users", "active eq \"True\"")
            .await
            .error(400, Some("invalidFilter"));
    }

    async fn group_names_may_repeat_on_a_strict_connection_alone(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        house.group("Sales").await;
        house
            .post("/Groups", group("sales", &[]))
            .await
            .error(409, Some("uniqueness"));
        strict.group("Sales").await;
        strict.group("Sales").await;
        assert_eq!(house.find("/Groups", "displayName eq \"SALES\"").await.total(), 3);
    }

    async fn a_replace_that_finds_nothing_creates_for_entra_alone(house: TestHouse) {
        let work = json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@x.test"}]);
        let path = format!("/Users/{}", house.user("ada").await);
        house.patch(&path, work.clone()).await.error(400, Some("noTarget"));
        let body = crate::api::bodies::patch_op(&work);
        let answer = house
            .scim(Method::PATCH, &path, Some(body), &[("adscimversion", "2.0")])
            .await
            .status(200);
        assert_eq!(answer.json["emails"], json!([{"value": "a@x.test", "type": "work"}]));
        let named = as_connection(&house, "entra", "entra");
        let path = format!("/Users/{}", house.user("bob").await);
        assert_eq!(
            named.patch(&path, work).await.status(200).json["emails"][0]["value"],
            "a@x.test"
        );
    }

    async fn adding_where_nothing_is_selected_creates_for_everybody(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let add = json!([{"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@x.test"}]);
        assert_eq!(
            house.patch(&path, add).await.status(200).json["emails"],
            json!([{"value": "a@x.test", "type": "work"}])
        );
    }

    async fn entra_groups_with_a_schema_of_its_own_are_read(house: TestHouse) {
        let own = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
        let body = json!({"schemas": [GROUP, own],
            "displayName": "Sales", "externalId": "g-1", "meta": {"resourceType": "Group"}});
        let made = house.post("/Groups", body).await.status(201);
        assert_eq!(made.json["schemas"], json!([GROUP]));
    }

    async fn what_was_tolerated_is_counted_and_shown(house: TestHouse) {
        let server = Server::start(&house.database, &[], &[]);
        let client = server.client(&house.database.keys().await.token);
        let made = client
            .ask("POST", "/Users", Some(&json!({"userName": "ada", "active": "true"})))
            .await
            .unwrap()
            .status(201);
        let path = format!("/Users/{}", made.id());
        for value in ["True", "False"] {
            let operations = json!([{"op": "Replace", "path": "active", "value": value}]);
            let body = crate::api::bodies::patch_op(&operations);
            client.ask("PATCH", &path, Some(&body)).await.unwrap().status(200);
        }
        let metrics = server.page("/metrics").await;
        assert!(
            metrics.contains("muster_tolerances_total{") && metrics.contains("string-booleans"),
            "{metrics}"
        );
        assert!(server.terminate().success());
        let shown = run_json(
            &house.database,
            &["connection", "show", "--tenant", "acme", "test", "--json"],
        );
        let count = |rule: &str| {
            shown["tolerances"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["rule"] == rule)
                .map(|one| one["count"].clone())
        };
        assert_eq!(count("string-booleans"), Some(json!(3)), "{shown}");
        assert_eq!(count("operation-case"), Some(json!(2)), "{shown}");
        assert_eq!(count("schemas-added"), Some(json!(1)), "{shown}");
        let other = run_json(
            &house.database,
            &["connection", "show", "--tenant", "neighbour", "test", "--json"],
        );
        assert_eq!(other["tolerances"], json!([]));
    }
}
