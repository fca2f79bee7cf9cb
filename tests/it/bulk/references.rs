//! What refers to what the same request makes.

use serde_json::json;

use super::words::{bulk, change, create, end, id, members, statuses};
use crate::api::bodies::{ENTERPRISE, GROUP, USER, patch_op, user};
use crate::support::TestHouse;

each_database! {
    async fn members_are_resolved_backward_and_forward(house: TestHouse) {
        let group = |name: &str, value: &str| {
            json!({"schemas": [GROUP], "displayName": name, "members": members(&[value])})
        };
        let results = bulk(
            &house,
            &[
                create("before", "/Groups", group("before", "bulkId:u")),
                create("u", "/Users", user("ada", json!({}))),
                create("after", "/Groups", group("after", "bulkId:u")),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["201", "201", "201"]);
        let names: Vec<_> = results.iter().map(|result| result["bulkId"].as_str().unwrap()).collect();
        assert_eq!(names, ["before", "u", "after"], "results stand in the order of the request");
        for group in [&results[0], &results[2]] {
            let group = house.get(&format!("/Groups/{}", id(group))).await.status(200);
            assert_eq!(group.values_of("members"), [id(&results[1])]);
        }
    }

    async fn a_path_may_name_what_is_made(house: TestHouse) {
        let titled = patch_op(&json!([{"op": "add", "path": "title", "value": "Countess"}]));
        let results = bulk(
            &house,
            &[
                change("PATCH", "/Users/bulkId:u", titled),
                create("u", "/Users", user("ada", json!({}))),
                create("v", "/Users", user("bob", json!({}))),
                end("/Users/bulkId:v"),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["200", "201", "201", "204"]);
        assert_eq!(results[0]["location"], results[1]["location"]);
        assert_eq!(house.get(&format!("/Users/{}", id(&results[1]))).await.json["title"], "Countess");
        house.get(&format!("/Users/{}", id(&results[2]))).await.error(404, None);
    }

    async fn a_patch_and_an_extension_may_refer(house: TestHouse) {
        let group = house.group("Team").await;
        let boss = json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": "bulkId:x"}}});
        let replaced = patch_op(&json!([{"op": "replace", "path": "members", "value": members(&["bulkId:x", "bulkId:y"])}]));
        let removed = patch_op(&json!([{"op": "remove", "path": "members[value eq \"bulkId:y\"]"}]));
        let path = format!("/Groups/{group}");
        let results = bulk(
            &house,
            &[
                change("PATCH", &path, replaced),
                create("y", "/Users", user("report", boss)),
                create("x", "/Users", user("boss", json!({}))),
                change("PATCH", &path, removed),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["200", "201", "201", "200"]);
        let report = house.get(&format!("/Users/{}", id(&results[1]))).await.json;
        assert_eq!(report[ENTERPRISE]["manager"]["value"], id(&results[2]));
        assert_eq!(house.get(&path).await.values_of("members"), [id(&results[2])]);
    }

    async fn in_a_text_it_is_text(house: TestHouse) {
        let named = user("ada", json!({"displayName": "bulkId:a", "nickName": "bulkId:ghost"}));
        let results = bulk(&house, &[create("a", "/Users", named)]).await;
        let ada = house.get(&format!("/Users/{}", id(&results[0]))).await.status(200).json;
        assert_eq!((&ada["displayName"], &ada["nickName"]), (&json!("bulkId:a"), &json!("bulkId:ghost")));
    }

    async fn what_nobody_makes_is_refused_and_nothing_is_stored(house: TestHouse) {
        let ada = house.user("ada").await;
        let before = house.dump().await;
        let group = json!({"schemas": [GROUP], "displayName": "g", "members": members(&["bulkId:ghost"])});
        let boss = json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": "bulkId:ghost"}}});
        let results = bulk(
            &house,
            &[
                create("g", "/Groups", group),
                create("u", "/Users", user("bob", boss.clone())),
                change("PUT", &format!("/Users/{ada}"), user("ada", boss)),
                end("/Users/bulkId:ghost"),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["400", "400", "400", "400"]);
        for result in &results {
            assert_eq!(result["response"]["scimType"], "invalidValue");
            assert!(result["response"]["detail"].as_str().unwrap().contains("`ghost`"), "{result}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn what_refers_to_a_creation_that_failed_is_409_and_nothing_is_stored(house: TestHouse) {
        house.user("ada").await;
        let before = house.dump().await;
        let group = |value: &str| json!({"schemas": [GROUP], "displayName": "g", "members": members(&[value])});
        let results = bulk(
            &house,
            &[
                create("u", "/Users", user("ada", json!({}))),
                create("g", "/Groups", group("bulkId:u")),
                create("h", "/Groups", group("bulkId:g")),
                change("PATCH", "/Users/bulkId:u", patch_op(&json!([{"op": "add", "path": "title", "value": "x"}]))),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["409", "409", "409", "409"]);
        assert!(results[1]["response"]["detail"].as_str().unwrap().contains("`u`"));
        before.assert_same(&house.dump().await);
    }
}
