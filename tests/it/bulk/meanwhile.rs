//! What others do while a bulk request is on its way, and what it keeps others from.

use axum::http::Method;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::words::{bulk, change, create, end, id, members, request, statuses};
use crate::admin::desk::Desk;
use crate::api::bodies::{ENTERPRISE, GROUP, USER, patch_op, user};
use crate::schemas::words::{BADGE, badge, badges, set, worn};
use crate::support::TestHouse;

/// Bodies of bulk requests that one organisation may send at once.
const BODIES: usize = 8;

fn group(name: &str, bulk_id: &str, values: &[&str]) -> Value {
    create(
        bulk_id,
        "/Groups",
        json!({"schemas": [GROUP], "displayName": name, "members": members(values)}),
    )
}

fn titled(path: &str, title: &str) -> Value {
    change(
        "PATCH",
        path,
        patch_op(&json!([{"op": "replace", "path": "title", "value": title}])),
    )
}

each_database! {
    async fn schemas_that_change_meanwhile_are_those_it_goes_by(house: TestHouse) {
        let desk = Desk::admin(&house);
        badges(&desk).await;
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let mut more = badge();
        more["attributes"].as_array_mut().unwrap().push(json!({"name": "floor", "type": "integer"}));
        let changed = async { drop(set(&desk, &more).await.status(200)) };
        let operations = [
            create("0", "/Users", user("n0", json!({}))),
            create("1", "/Users", user("n1", json!({}))),
            end(&format!("/Users/{bob}")),
            group("east", "e", &["bulkId:w"]),
            group("west", "w", &["bulkId:e"]),
            titled(&format!("/Users/{ada}"), "Lady"),
            change("PUT", &format!("/Users/{ada}"), worn("ada", &json!({"floor": 7}))),
        ];
        let answer = house.late(Method::POST, "/scim/v2/Bulk", request(&operations), changed).await.status(200);
        let results = answer.json["Operations"].as_array().unwrap();
        assert_eq!(statuses(results), ["201", "201", "204", "201", "201", "200", "200"], "{}", answer.text);
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json[BADGE], json!({"floor": 7}));
    }

    async fn whoever_sends_slowly_keeps_no_other_organisation_waiting(house: TestHouse) {
        let (all_are_read, all_is_done) = (Barrier::new(BODIES + 1), Barrier::new(BODIES + 1));
        let slow = async |number: usize| {
            let body = request(&[create("a", "/Users", user(&format!("slow{number}"), json!({})))]);
            let meanwhile = async {
                all_are_read.wait().await;
                all_is_done.wait().await;
            };
            house.late(Method::POST, "/scim/v2/Bulk", body, meanwhile).await.status(200)
        };
        let neighbour = async {
            all_are_read.wait().await;
            let made = bulk(&house.second_tenant(), &[create("a", "/Users", user("quick", json!({})))]).await;
            assert_eq!(statuses(&made), ["201"]);
            all_is_done.wait().await;
        };
        let slow = async { tokio::join!(slow(0), slow(1), slow(2), slow(3), slow(4), slow(5), slow(6), slow(7)) };
        tokio::join!(Box::pin(slow), neighbour);
        assert_eq!(house.get("/Users?count=0").await.total(), 8);
    }

    async fn of_two_that_want_one_name_the_first_has_it(house: TestHouse) {
        let mut operations = Vec::new();
        for number in 0..8 {
            let (name, first, second) = (format!("Team {number}"), format!("a{number}"), format!("b{number}"));
            operations.push(group(&name, &first, &[]));
            operations.push(group(&name.to_uppercase(), &second, &[]));
            operations.push(create(&format!("u{number}"), "/Users", user(&format!("ada{number}"), json!({}))));
            operations.push(create(&format!("v{number}"), "/Users", user(&format!("\u{ff21}da{number}"), json!({}))));
        }
        for (at, result) in bulk(&house, &operations).await.iter().enumerate() {
            assert_eq!(result["status"], ["201", "409"][at % 2], "operation {at}: {result}");
        }
    }

    async fn a_circle_has_its_passwords_and_an_end(house: TestHouse) {
        let managed = |number: usize, of: usize| {
            let by = json!({"manager": {"value": format!("bulkId:{}", (number + 1) % of)}});
            let more = json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: by, "password": "correct horse battery"});
            create(&number.to_string(), "/Users", user(&format!("u{number}"), more))
        };
        let circle = |of: usize| (0..of).map(|number| managed(number, of)).collect::<Vec<_>>();
        let before = house.dump().await;
        let results = bulk(&house, &circle(51)).await;
        assert!(statuses(&results).iter().all(|status| *status == "409"), "{results:?}");
        assert!(results[0]["response"]["detail"].as_str().unwrap().contains("at most 50"), "{}", results[0]);
        before.assert_same(&house.dump().await);
        let results = bulk(&house, &circle(4)).await;
        assert_eq!(statuses(&results), ["201"; 4]);
        let kept = house.dump().await.table("password").to_vec();
        assert_eq!(kept.len(), 4);
        assert!(kept.iter().all(|row| row.contains("$argon2id$")), "{kept:?}");
        let shown = house.get(&format!("/Users/{}", id(&results[3]))).await.status(200).json;
        assert_eq!(shown[ENTERPRISE]["manager"]["value"], id(&results[0]));
    }
}
