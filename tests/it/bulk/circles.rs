//! Creations that refer to each other in a circle: all of them, or none.

use serde_json::{Value, json};

use super::words::{bulk, change, create, id, members, statuses, until};
use crate::admin::desk::Desk;
use crate::api::bodies::{ENTERPRISE, GROUP, USER, patch_op, user};
use crate::log::folded::events;
use crate::support::TestHouse;

fn group(name: &str, values: &[&str]) -> Value {
    create(
        name,
        "/Groups",
        json!({"schemas": [GROUP], "displayName": name, "members": members(values)}),
    )
}

fn managed(name: &str, by: &str) -> Value {
    let manager = json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": by}}});
    create(name, "/Users", user(name, manager))
}

each_database! {
    async fn two_groups_may_be_members_of_each_other(house: TestHouse) {
        let results = bulk(&house, &[group("east", &["bulkId:west"]), group("west", &["bulkId:east"])]).await;
        assert_eq!(statuses(&results), ["201", "201"]);
        for (one, other) in [(0, 1), (1, 0)] {
            let shown = house.get(&format!("/Groups/{}", id(&results[one]))).await.status(200);
            assert_eq!(shown.values_of("members"), [id(&results[other])]);
            assert_eq!(shown.header("etag"), results[one]["version"].as_str().unwrap());
        }
    }

    async fn a_ring_of_groups_holds_who_else_is_in_it(house: TestHouse) {
        let ada = house.user("ada").await;
        let results = bulk(
            &house,
            &[
                group("a", &["bulkId:b", &ada, "bulkId:bob"]),
                group("b", &["bulkId:c"]),
                create("bob", "/Users", user("bob", json!({}))),
                group("c", &["bulkId:a", "bulkId:b"]),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["201", "201", "201", "201"]);
        let mut expected = vec![ada, id(&results[1]), id(&results[2])];
        expected.sort();
        let a = house.get(&format!("/Groups/{}", id(&results[0]))).await;
        assert_eq!(a.values_of("members"), expected);
        let c = house.get(&format!("/Groups/{}", id(&results[3]))).await;
        assert_eq!(c.values_of("members").len(), 2);
        let bob = house.get(&format!("/Users/{}", id(&results[2]))).await;
        assert_eq!(bob.values_of("groups").len(), 3, "directly, and by the ring");
    }

    async fn people_may_manage_each_other_and_themselves(house: TestHouse) {
        let results = bulk(
            &house,
            &[managed("ada", "bulkId:bob"), managed("bob", "bulkId:ada"), managed("own", "bulkId:own")],
        )
        .await;
        assert_eq!(statuses(&results), ["201", "201", "201"]);
        for (one, other) in [(0, 1), (1, 0), (2, 2)] {
            let shown = house.get(&format!("/Users/{}", id(&results[one]))).await.status(200).json;
            assert_eq!(shown[ENTERPRISE]["manager"]["value"], id(&results[other]));
        }
    }

    async fn a_circle_is_one_in_the_log(house: TestHouse) {
        let results = bulk(&house, &[group("east", &["bulkId:west"]), group("west", &["bulkId:east"])]).await;
        house.turn().await;
        let told = events(&Desk::admin(&house)).await;
        let ids = [id(&results[0]), id(&results[1])];
        let about = |event: &&Value| ids.iter().any(|id| event["subject"]["id"] == **id);
        let mut txns: Vec<&Value> = told.iter().filter(about).map(|event| &event["txn"]).collect();
        assert!(txns.len() >= 2 && txns[0].is_string(), "{told:?}");
        txns.dedup();
        assert_eq!(txns.len(), 1);
    }

    async fn where_one_is_refused_none_is_made(house: TestHouse) {
        house.user("taken").await;
        let before = house.dump().await;
        let results = bulk(
            &house,
            &[managed("ada", "bulkId:taken"), managed("taken", "bulkId:ada"), group("g", &["bulkId:ada"])],
        )
        .await;
        assert_eq!(statuses(&results), ["409", "409", "409"]);
        assert_eq!(results[1]["response"]["scimType"], "uniqueness");
        assert!(results[0]["response"]["detail"].as_str().unwrap().contains("operation 2"));
        let nameless = create("b", "/Groups", json!({"schemas": [GROUP], "members": members(&["bulkId:a"])}));
        let results = bulk(&house, &[group("a", &["bulkId:b"]), nameless]).await;
        assert_eq!(statuses(&results), ["409", "400"]);
        before.assert_same(&house.dump().await);
    }

    async fn one_that_cannot_be_made_is_409_for_each_and_nothing_is_stored(house: TestHouse) {
        let before = house.dump().await;
        // A group is no member of itself.
        let results = bulk(&house, &[group("own", &["bulkId:own"])]).await;
        assert_eq!(statuses(&results), ["409"]);
        assert!(results[0]["response"]["detail"].as_str().unwrap().contains("circle"));
        let mistaken = json!([{"value": "bulkId:a", "type": "User"}]);
        let b = create("b", "/Groups", json!({"schemas": [GROUP], "displayName": "b", "members": mistaken}));
        let mistaken = json!([{"value": "bulkId:b", "type": "User"}]);
        let a = create("a", "/Groups", json!({"schemas": [GROUP], "displayName": "a", "members": mistaken}));
        let titled = patch_op(&json!([{"op": "replace", "path": "displayName", "value": "x"}]));
        let results = bulk(&house, &[a, b, change("PATCH", "/Groups/bulkId:a", titled)]).await;
        assert_eq!(statuses(&results)[0], "409");
        assert_eq!(statuses(&results)[2], "409");
        before.assert_same(&house.dump().await);
    }

    async fn a_circle_counts_as_many_errors_as_it_has_operations(house: TestHouse) {
        house.user("taken").await;
        let results = until(
            &house,
            2,
            &[managed("ada", "bulkId:taken"), managed("taken", "bulkId:ada"), managed("eve", "nobody")],
        )
        .await;
        assert_eq!(statuses(&results), ["409", "409"]);
        assert_eq!(house.get("/Users?count=0").await.total(), 1);
    }
}
