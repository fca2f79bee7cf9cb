//! `POST /Users`, `POST /Groups` (RFC 7644 §3.3).

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::asks::{keys, post_bytes};
use crate::api::bodies::{ENTERPRISE, GROUP, USER, group, user};
use crate::support::TestHouse;

each_database! {
    async fn a_created_user_is_answered_whole_with_its_location_and_tag(house: TestHouse) {
        let answer = house
            .post("/Users", user("ada", json!({"title": "Countess"})))
            .await
            .status(201);
        let (meta, id) = (&answer.json["meta"], answer.id());
        assert_eq!(answer.header("content-type"), "application/scim+json");
        assert_eq!(answer.header("location"), meta["location"]);
        assert_eq!(answer.header("content-location"), meta["location"]);
        assert_eq!(answer.header("etag"), meta["version"]);
        assert!(answer.header("location").ends_with(&format!("/scim/v2/Users/{id}")));
        assert_eq!(meta["resourceType"], "User");
        assert_eq!(meta["created"], meta["lastModified"]);
        assert_eq!(answer.json["schemas"], json!([USER]));
        assert_eq!(house.get(&format!("/Users/{id}")).await.json, answer.json);
    }

    async fn a_created_group_is_answered_with_its_members(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let answer = house
            .post("/Groups", group("Sales", &[&ada, &bob, &ada]))
            .await
            .status(201);
        assert_eq!(answer.json["meta"]["resourceType"], "Group");
        assert_eq!(answer.json["schemas"], json!([GROUP]));
        let mut both = [ada, bob];
        both.sort();
        assert_eq!(answer.values_of("members"), both);
        assert_eq!(house.get(&format!("/Groups/{}", answer.id())).await.json, answer.json);
    }

    async fn ids_are_given_by_the_server_and_differ(house: TestHouse) {
        let body = user(
            "ada",
            json!({"id": "mine", "meta": {"created": "2001-01-01T00:00:00Z", "version": "W/\"99\""},
            "groups": [{"value": "x"}]}),
        );
        let answer = house.post("/Users", body).await.status(201);
        assert_ne!(answer.id(), "mine");
        assert!(
            answer.json["meta"]["created"]
                .as_str()
                .unwrap()
                .starts_with("2026-01-01T")
        );
        assert_ne!(answer.header("etag"), "W/\"99\"");
        assert_eq!(answer.json.get("groups"), None);
        assert_ne!(house.user("bob").await, answer.id());
    }

    async fn names_of_attributes_are_read_in_any_letter_case(house: TestHouse) {
        let body = json!({"SCHEMAS": [USER.to_uppercase()], "USERNAME": "ada", "Name": {"FAMILYNAME": "Lovelace"},
            "eMails": [{"Value": "ada@acme.test", "TYPE": "work"}],
            ENTERPRISE.to_uppercase(): {"Department": "Engines"}});
        let answer = house.post("/Users", body).await.status(201);
        assert_eq!(answer.json["userName"], "ada");
        assert_eq!(answer.json["name"], json!({"familyName": "Lovelace"}));
        assert_eq!(
            answer.json["emails"],
            json!([{"value": "ada@acme.test", "type": "work"}])
        );
        assert_eq!(answer.json[ENTERPRISE], json!({"department": "Engines"}));
        assert_eq!(answer.json["schemas"], json!([USER, ENTERPRISE]));
    }

    async fn schemas_lists_an_extension_when_it_holds_something(house: TestHouse) {
        let listed = json!({"schemas": [ENTERPRISE, USER, USER], ENTERPRISE: {}});
        let answer = house.post("/Users", user("ada", listed)).await.status(201);
        assert_eq!(answer.json["schemas"], json!([USER]));
        assert_eq!(answer.json.get(ENTERPRISE), None);
        let unlisted = user("bob", json!({ENTERPRISE: {"employeeNumber": "7"}}));
        assert_eq!(
            house.post("/Users", unlisted).await.status(201).json["schemas"],
            json!([USER, ENTERPRISE])
        );
    }

    async fn null_and_empty_are_no_value(house: TestHouse) {
        let nothing = json!({"title": null, "emails": [], "name": {}, "active": null, "externalId": null, "roles": null,
            "phoneNumbers": [null, {}], ENTERPRISE: null});
        let answer = house.post("/Users", user("ada", nothing)).await.status(201);
        assert_eq!(keys(&answer.json), ["id", "meta", "schemas", "userName"]);
        assert_eq!(
            house
                .find("/Users", "title pr or emails pr or name pr or active pr")
                .await
                .total(),
            0
        );
    }

    async fn what_is_ignored_is_named_in_a_header_and_nothing_else_is(house: TestHouse) {
        let body = user("ada", json!({"favouriteTea": "oolong", "password": "swordfish-1", "bad name": 1, "title": "Countess"}));
        let answer = house.post("/Users", body).await.status(201);
        assert_eq!(answer.header("muster-ignored-attributes"), "favouriteTea, bad%20name");
        let plain = house.post("/Users", user("bob", json!({}))).await.status(201);
        assert_eq!(plain.header("muster-ignored-attributes"), "");
    }

    async fn unknown_attributes_are_ignored(house: TestHouse) {
        let strange = json!({"favouriteColour": "blue", "name": {"shoe": 9, "givenName": "Ada"},
            "emails": [{"value": "a@x", "x": 1}]});
        let answer = house.post("/Users", user("ada", strange)).await.status(201);
        assert_eq!(answer.json["name"], json!({"givenName": "Ada"}));
        assert_eq!(answer.json["emails"], json!([{"value": "a@x"}]));
        assert_eq!(answer.json.get("favouriteColour"), None);
    }

    async fn a_password_is_taken_and_never_shown_nor_kept_in_clear(house: TestHouse) {
        let secret = "correct horse battery staple";
        let answer = house
            .post("/Users", user("ada", json!({"password": secret})))
            .await
            .status(201);
        let read = house
            .get(&format!("/Users/{}?attributes=password,userName", answer.id()))
            .await
            .status(200);
        for body in [&answer.json, &read.json] {
            assert_eq!(body.get("password"), None);
        }
        assert!(!format!("{:?}", house.dump().await).contains(secret));
        house.logs.never_say(secret);
    }

    async fn text_comes_back_as_it_was_sent(house: TestHouse) {
        let text = "\u{c9}rin \"CJ\" O'M\u{e4}lley \\ \u{1f600} \u{65e5}\u{672c} <b>&amp;</b> 100%_\t";
        let body = user(
            "\u{e9}rin@acme.test",
            json!({"displayName": text, "title": text, "name": {"familyName": text}}),
        );
        let answer = house.post("/Users", body).await.status(201);
        let read = house.get(&format!("/Users/{}", answer.id())).await.json;
        for value in [&read["displayName"], &read["title"], &read["name"]["familyName"]] {
            assert_eq!(value, text);
        }
        assert_eq!(read["userName"], "\u{e9}rin@acme.test");
    }

    async fn the_same_value_twice_is_kept_once(house: TestHouse) {
        let twice = json!({"emails": [
            {"value": "a@x.test", "type": "work"},
            {"value": "a@x.test", "type": "work", "primary": true},
        ]});
        let answer = house.post("/Users", user("ada", twice)).await.status(201);
        assert_eq!(
            answer.json["emails"],
            json!([{"value": "a@x.test", "type": "work", "primary": true}])
        );
    }

    async fn types_of_values_may_be_ones_own(house: TestHouse) {
        let answer = house
            .post(
                "/Users",
                user("ada", json!({"emails": [{"value": "a@x.test", "type": "boat"}]})),
            )
            .await;
        assert_eq!(answer.status(201).json["emails"][0]["type"], "boat");
    }

    async fn two_users_may_have_one_external_id(house: TestHouse) {
        for name in ["ada", "bob"] {
            let answer = house
                .post("/Users", user(name, json!({"externalId": "E-1"})))
                .await
                .status(201);
            assert_eq!(answer.json["externalId"], "E-1");
        }
        assert_eq!(house.find("/Users", "externalId eq \"E-1\"").await.total(), 2);
    }

    async fn a_projection_shapes_the_answer_of_a_create(house: TestHouse) {
        let answer = house
            .post("/Users?attributes=id", user("ada", json!({"title": "x"})))
            .await
            .status(201);
        assert_eq!(keys(&answer.json), ["id", "schemas"]);
        assert_ne!(answer.header("location"), "");
        let answer = house
            .post(
                "/Users?excludedAttributes=title,meta",
                user("bob", json!({"title": "x"})),
            )
            .await
            .status(201);
        assert_eq!(keys(&answer.json), ["id", "schemas", "userName"]);
    }

    async fn bodies_may_be_plain_json_or_of_no_type(house: TestHouse) {
        for (name, media) in [
            ("a", "application/json"),
            ("b", "application/scim+json;charset=UTF-8"),
            ("c", "APPLICATION/JSON; charset=utf-8"),
        ] {
            let answer = house
                .scim(
                    Method::POST,
                    "/Users",
                    Some(user(name, json!({}))),
                    &[("content-type", media)],
                )
                .await;
            assert_eq!(answer.status(201).header("content-type"), "application/scim+json");
        }
        let path = "POST /scim/v2/Users";
        crate::api::asks::raw(&house, path, &[], user("d", json!({})).to_string())
            .await
            .status(201);
    }

    async fn the_order_of_members_does_not_matter(house: TestHouse) {
        let body = format!(r#"{{"title":"x","userName":"ada","active":true,"schemas":["{USER}"]}}"#);
        let answer = post_bytes(&house, "/Users", body).await.status(201);
        assert_eq!(
            (&answer.json["userName"], &answer.json["active"]),
            (&json!("ada"), &json!(true))
        );
    }

    async fn a_number_keeps_its_size_and_a_date_its_form(house: TestHouse) {
        let manager = house.user("boss").await;
        let extension =
            json!({ENTERPRISE: {"employeeNumber": "007", "manager": {"value": manager, "displayName": "ignored"}}});
        let answer = house.post("/Users", user("ada", extension)).await.status(201);
        assert_eq!(answer.json[ENTERPRISE]["employeeNumber"], "007");
        assert_eq!(answer.json[ENTERPRISE]["manager"]["value"], Value::from(manager));
        assert_ne!(answer.json[ENTERPRISE]["manager"]["displayName"], "ignored");
    }

    async fn a_certificate_is_binary_with_or_without_padding(house: TestHouse) {
        let more = json!({"x509Certificates": [{"value": "AQID"}, {"value": "AQI"}, {"value": "AQI="}]});
        house.post("/Users", user("ada", more)).await.status(201);
    }
}
