//! `POST /.search` at the root and under each endpoint (RFC 7644 §3.4.3).

use serde_json::json;

use crate::api::asks::keys;
use crate::api::bodies::{USER, search, user};
use crate::support::TestHouse;

each_database! {
    async fn a_search_answers_what_the_same_get_answers(house: TestHouse) {
        for n in 1..=5 {
            house
                .post("/Users", user(&format!("u{n}"), json!({"title": "t", "nickName": "n"})))
                .await
                .status(201);
        }
        let sorted = "filter=title%20pr&sortBy=userName&sortOrder=descending";
        let got = house
            .get(&format!(
                "/Users?{sorted}&startIndex=2&count=2&attributes=userName,title"
            ))
            .await;
        let body = search(
            json!({"filter": "title pr", "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 2,
            "attributes": ["userName", "title"]}),
        );
        let found = house.post("/Users/.search", body).await.status(200);
        assert_eq!(found.json, got.json);
        assert_eq!(found.json["Resources"][0]["userName"], "u4");
        assert_eq!(found.header("content-type"), "application/scim+json");
        assert_eq!(found.header("location"), "");
    }

    async fn a_search_at_the_root_spans_all_types(house: TestHouse) {
        let (ops, eu) = (house.group("Ops Team").await, house.group("Ops EU").await);
        let ada = house
            .post("/Users", user("ada", json!({"displayName": "Opsie"})))
            .await
            .id();
        let found = house
            .post("/.search", search(json!({"filter": "displayName sw \"ops\""})))
            .await
            .status(200);
        let (mut ids, mut expected) = (found.ids(), [ops, eu, ada]);
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected);
    }

    async fn a_search_under_an_endpoint_stays_there(house: TestHouse) {
        let sales = house.group("x").await;
        house
            .post("/Users", user("x", json!({"displayName": "x"})))
            .await
            .status(201);
        let found = house
            .post("/Groups/.search", search(json!({"filter": "displayName eq \"x\""})))
            .await
            .status(200);
        assert_eq!(found.ids(), [sales]);
        house
            .post("/Groups/.search", search(json!({"filter": "userName pr"})))
            .await
            .error(400, Some("invalidFilter"));
    }

    async fn a_search_without_terms_lists_everything(house: TestHouse) {
        house.user("ada").await;
        assert_eq!(
            house
                .post("/Users/.search", search(json!({})))
                .await
                .status(200)
                .total(),
            1
        );
        assert_eq!(
            house
                .post("/.search", search(json!({"filter": null, "count": null})))
                .await
                .status(200)
                .total(),
            1
        );
        assert_eq!(
            house
                .post("/.search", search(json!({"count": 0})))
                .await
                .status(200)
                .ids(),
            Vec::<String>::new()
        );
    }

    async fn excluded_attributes_are_a_list_too(house: TestHouse) {
        house
            .post("/Users", user("ada", json!({"title": "x"})))
            .await
            .status(201);
        let found = house
            .post(
                "/Users/.search",
                search(json!({"excludedAttributes": ["title", "meta"]})),
            )
            .await
            .status(200);
        assert_eq!(keys(&found.json["Resources"][0]), ["id", "schemas", "userName"]);
    }

    async fn a_body_that_is_no_search_request_is_refused(house: TestHouse) {
        let before = house.dump().await;
        for body in [
            json!({"filter": "userName pr"}),
            json!({"schemas": [USER], "filter": "userName pr"}),
            json!([]),
            user("ada", json!({})),
        ] {
            house
                .post("/Users/.search", body.clone())
                .await
                .error(400, Some("invalidSyntax"));
            house.post("/.search", body).await.error(400, Some("invalidSyntax"));
        }
        before.assert_same(&house.dump().await);
    }

    async fn members_of_the_wrong_type_are_refused(house: TestHouse) {
        for query in [
            json!({"count": "ten"}),
            json!({"count": 1.5}),
            json!({"startIndex": true}),
            json!({"attributes": "userName"}),
            json!({"attributes": [7]}),
            json!({"filter": 7}),
            json!({"sortOrder": "up"}),
            json!({"excludedAttributes": {}}),
        ] {
            house
                .post("/Users/.search", search(query))
                .await
                .error(400, Some("invalidValue"));
        }
    }

    async fn a_search_is_a_post(house: TestHouse) {
        house.get("/Users/.search").await.error(405, None);
    }
}
