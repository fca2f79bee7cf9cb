//! `GET /Users/{id}`, `GET /Groups/{id}` (RFC 7644 §3.4.1).

use axum::http::Method;
use serde_json::json;

use crate::api::asks::raw;
use crate::api::bodies::{ENTERPRISE, NOBODY, group, user};
use crate::support::TestHouse;

each_database! {
    async fn what_is_not_there_is_404_with_one_and_the_same_body(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let missing = house.get(&format!("/Users/{NOBODY}")).await;
        for path in [
            format!("/Groups/{ada}"),
            format!("/Users/{sales}"),
            "/Users/1".into(),
            "/Users/%20".into(),
            "/Users/..".into(),
        ] {
            let answer = house.get(&path).await;
            assert_eq!((answer.status, &answer.text), (404, &missing.text), "{path}");
        }
        missing.error(404, None);
    }

    async fn ids_are_exact(house: TestHouse) {
        let ada = house.post("/Users", user("ada", json!({}))).await.id();
        house.get(&format!("/Users/{ada}")).await.status(200);
        house.get(&format!("/Users/{ada}%20")).await.error(404, None);
        let other_case = ada.to_uppercase();
        if other_case != ada {
            house.get(&format!("/Users/{other_case}")).await.error(404, None);
        }
    }

    async fn reading_carries_the_tag_and_the_locations(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let answer = house.get(&path).await.status(200);
        let meta = &answer.json["meta"];
        assert_eq!(answer.header("etag"), meta["version"]);
        assert!(answer.header("etag").starts_with("W/\""), "{}", answer.header("etag"));
        assert_eq!(answer.header("content-location"), meta["location"]);
        assert!(meta["location"].as_str().unwrap().ends_with(&format!("/scim/v2{path}")));
    }

    async fn every_reference_leads_to_what_it_names(house: TestHouse) {
        let (ada, inner) = (house.user("ada").await, house.group("Inner").await);
        house.join(&inner, &ada).await;
        let outer = house
            .post("/Groups", group("Outer", &[&inner, &ada]))
            .await
            .status(201)
            .id();
        let members = house.get(&format!("/Groups/{outer}")).await.json["members"].clone();
        let groups = house.get(&format!("/Users/{ada}")).await.json["groups"].clone();
        for element in members.as_array().unwrap().iter().chain(groups.as_array().unwrap()) {
            let reference = element["$ref"].as_str().unwrap();
            let (_, path) = reference.split_once("://").unwrap().1.split_once('/').unwrap();
            let target = raw(&house, &format!("GET /{path}"), &[], "").await.status(200);
            assert_eq!(target.json["id"], element["value"]);
            assert_eq!(target.json["meta"]["location"], element["$ref"]);
        }
    }

    async fn a_deactivated_user_can_still_be_read_and_found(house: TestHouse) {
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.id();
        house
            .patch(
                &format!("/Users/{ada}"),
                json!([{"op": "replace", "path": "active", "value": false}]),
            )
            .await
            .status(200);
        assert_eq!(
            house.get(&format!("/Users/{ada}")).await.status(200).json["active"],
            false
        );
        assert_eq!(house.find("/Users", "userName eq \"ada\"").await.ids(), [ada]);
    }

    async fn unknown_query_parameters_are_ignored(house: TestHouse) {
        let ada = house.user("ada").await;
        assert_eq!(
            house.get(&format!("/Users/{ada}?foo=1&bar")).await.status(200).id(),
            ada
        );
        assert_eq!(house.get("/Users?foo=1&bar").await.status(200).total(), 1);
    }

    async fn a_head_request_is_answered_without_a_body(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let answer = house.scim(Method::HEAD, &path, None, &[]).await.status(200);
        assert_eq!(
            (answer.text.as_str(), answer.header("etag")),
            ("", house.get(&path).await.header("etag"))
        );
    }

    async fn the_same_resource_is_read_under_the_prefix_of_its_tenant(house: TestHouse) {
        let ada = house
            .post("/Users", user("ada", json!({ENTERPRISE: {"department": "Engines"}})))
            .await
            .id();
        let answer = raw(&house, &format!("GET /t/acme/scim/v2/Users/{ada}"), &[], "")
            .await
            .status(200);
        let location = answer.json["meta"]["location"].as_str().unwrap();
        assert!(
            location.ends_with(&format!("/t/acme/scim/v2/Users/{ada}")),
            "{location}"
        );
        assert_eq!(answer.header("content-location"), location);
        assert_eq!(answer.json[ENTERPRISE]["department"], "Engines");
    }
}
