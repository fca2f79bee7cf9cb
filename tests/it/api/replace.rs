//! `PUT /Users/{id}`, `PUT /Groups/{id}` (RFC 7644 §3.5.1).

use std::time::Duration;

use serde_json::json;

use crate::api::asks::keys;
use crate::api::bodies::{ENTERPRISE, NOBODY, USER, group, user};
use crate::support::TestHouse;

each_database! {
    async fn what_is_given_replaces_and_what_is_omitted_goes(house: TestHouse) {
        let full = user(
            "ada",
            json!({"title": "Countess", "nickName": "A", "externalId": "E-1", "emails": [{"value": "a@x.test"}],
            ENTERPRISE: {"department": "Engines"}}),
        );
        let path = format!("/Users/{}", house.post("/Users", full).await.status(201).id());
        house.clock().advance(Duration::from_mins(1));
        let answer = house
            .put(&path, user("ada", json!({"nickName": "Al"})))
            .await
            .status(200);
        assert_eq!(keys(&answer.json), ["id", "meta", "nickName", "schemas", "userName"]);
        assert_eq!(
            (&answer.json["nickName"], &answer.json["schemas"]),
            (&json!("Al"), &json!([USER]))
        );
        assert_eq!(answer.header("etag"), answer.json["meta"]["version"]);
        assert_ne!(answer.json["meta"]["lastModified"], answer.json["meta"]["created"]);
        assert_eq!(house.get(&path).await.json, answer.json);
        for filter in ["title pr", "emails pr", "externalId eq \"E-1\"", "nickName eq \"A\""] {
            assert_eq!(house.find("/Users", filter).await.total(), 0, "{filter}");
        }
        assert_eq!(house.find("/Users", "nickName eq \"al\"").await.total(), 1);
    }

    async fn null_and_empty_clear(house: TestHouse) {
        let path = format!(
            "/Users/{}",
            house
                .post(
                    "/Users",
                    user("ada", json!({"title": "x", "emails": [{"value": "a@x"}]}))
                )
                .await
                .id()
        );
        let answer = house
            .put(&path, user("ada", json!({"title": null, "emails": []})))
            .await
            .status(200);
        assert_eq!(keys(&answer.json), ["id", "meta", "schemas", "userName"]);
    }

    async fn what_the_server_owns_is_ignored(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        let before = house.get(&format!("/Users/{ada}")).await.json;
        let body = user(
            "ada",
            json!({"id": "other", "groups": [], "title": "x",
            "meta": {"created": "2001-01-01T00:00:00Z", "resourceType": "Group", "location": "http://evil.test"}}),
        );
        let after = house.put(&format!("/Users/{ada}"), body).await.status(200).json;
        assert_eq!((&after["id"], &after["groups"]), (&before["id"], &before["groups"]));
        for name in ["created", "resourceType", "location"] {
            assert_eq!(after["meta"][name], before["meta"][name]);
        }
    }

    async fn put_never_creates(house: TestHouse) {
        let before = house.dump().await;
        house
            .put(&format!("/Users/{NOBODY}"), user("ada", json!({})))
            .await
            .error(404, None);
        house
            .put(&format!("/Groups/{NOBODY}"), group("Sales", &[]))
            .await
            .error(404, None);
        before.assert_same(&house.dump().await);
    }

    async fn an_extension_goes_when_it_is_listed_and_holds_nothing(house: TestHouse) {
        let path = format!(
            "/Users/{}",
            house
                .post("/Users", user("ada", json!({ENTERPRISE: {"department": "x"}})))
                .await
                .id()
        );
        let body = json!({"schemas": [USER, ENTERPRISE], "userName": "ada"});
        let answer = house.put(&path, body).await.status(200);
        assert_eq!(
            (answer.json.get(ENTERPRISE), &answer.json["schemas"]),
            (None, &json!([USER]))
        );
    }

    async fn a_representation_that_was_read_can_be_written_back(house: TestHouse) {
        let full = user(
            "ada",
            json!({"title": "Countess", "externalId": "E-1", "emails": [{"value": "a@x.test", "primary": true}],
            "active": true, ENTERPRISE: {"department": "Engines"}}),
        );
        let (ada, sales) = (
            house.post("/Users", full).await.status(201).id(),
            house.group("Sales").await,
        );
        house.join(&sales, &ada).await;
        for path in [format!("/Users/{ada}"), format!("/Groups/{sales}")] {
            let (read, before) = (house.get(&path).await, house.dump().await);
            house.clock().advance(Duration::from_mins(1));
            let written = house.put(&path, read.json.clone()).await.status(200);
            assert_eq!(
                written.json, read.json,
                "the same again is no change: version and lastModified stay"
            );
            before.assert_same(&house.dump().await);
        }
    }

    async fn a_renamed_user_is_found_by_its_new_name_alone(house: TestHouse) {
        let ada = house.user("ada").await;
        house
            .put(&format!("/Users/{ada}"), user("augusta", json!({})))
            .await
            .status(200);
        assert_eq!(
            house.find("/Users", "userName eq \"AUGUSTA\"").await.ids(),
            [ada.as_str()]
        );
        assert_eq!(house.find("/Users", "userName eq \"ada\"").await.total(), 0);
        house.user("ada").await;
    }

    async fn a_group_put_without_members_has_none(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let path = format!(
            "/Groups/{}",
            house.post("/Groups", group("Sales", &[&ada, &bob])).await.id()
        );
        let answer = house.put(&path, group("Sales", &[&bob])).await.status(200);
        assert_eq!(answer.values_of("members"), [bob.as_str()]);
        let answer = house.put(&path, group("Sales", &[])).await.status(200);
        assert_eq!(answer.json.get("members"), None);
        assert_eq!(house.get(&format!("/Users/{bob}")).await.json.get("groups"), None);
    }

    async fn a_group_put_with_null_or_empty_members_has_none(house: TestHouse) {
        let ada = house.user("ada").await;
        let path = format!("/Groups/{}", house.group("Sales").await);
        for nothing in [json!([]), json!(null)] {
            house.put(&path, group("Sales", &[&ada])).await.status(200);
            let mut body = group("Sales", &[]);
            body["members"] = nothing;
            house.put(&path, body).await.status(200);
            assert_eq!(house.get(&path).await.values_of("members"), Vec::<String>::new());
        }
    }

    async fn a_projection_shapes_the_answer_of_a_put(house: TestHouse) {
        let path = format!("/Users/{}?attributes=title", house.user("ada").await);
        let answer = house
            .put(&path, user("ada", json!({"title": "x", "nickName": "y"})))
            .await
            .status(200);
        assert_eq!(keys(&answer.json), ["id", "schemas", "title"]);
    }
}
