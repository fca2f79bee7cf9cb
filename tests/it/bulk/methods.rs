//! Each method, its result, and when the rest is left undone.

use serde_json::{Value, json};

use super::words::{bulk, change, create, end, id, request, statuses, until};
use crate::admin::desk::Desk;
use crate::api::bodies::{patch_op, user};
use crate::log::folded::events;
use crate::support::TestHouse;

/// A user without a name, whom nobody can make.
fn nobody(bulk_id: &str) -> Value {
    create(bulk_id, "/Users", json!({"schemas": [crate::api::bodies::USER]}))
}

fn somebody(name: &str) -> Value {
    create(name, "/Users", user(name, json!({})))
}

each_database! {
    async fn each_method_is_done_and_has_its_result(house: TestHouse) {
        let (a, b, c) = (house.user("a").await, house.user("b").await, house.user("c").await);
        let put = change("PUT", &format!("/Users/{a}"), user("a", json!({"displayName": "Put"})));
        let mut patch = change(
            "PATCH",
            &format!("/Users/{b}"),
            patch_op(&json!([{"op": "add", "path": "displayName", "value": "Patched"}])),
        );
        patch["bulkId"] = "p".into();
        let results = bulk(&house, &[somebody("x"), put, patch, end(&format!("/Users/{c}"))]).await;
        let x = house.find("/Users", "userName eq \"x\"").await.ids().remove(0);
        let place = |id: &str| format!("http://localhost/scim/v2/Users/{id}");
        assert_eq!(
            results,
            [
                json!({"location": place(&x), "method": "POST", "bulkId": "x", "version": "W/\"1\"", "status": "201"}),
                json!({"location": place(&a), "method": "PUT", "version": "W/\"2\"", "status": "200"}),
                json!({"location": place(&b), "method": "PATCH", "bulkId": "p", "version": "W/\"2\"", "status": "200"}),
                json!({"location": place(&c), "method": "DELETE", "status": "204"}),
            ]
        );
        assert_eq!(house.get(&format!("/Users/{a}")).await.json["displayName"], "Put");
        assert_eq!(house.get(&format!("/Users/{b}")).await.json["displayName"], "Patched");
        house.get(&format!("/Users/{c}")).await.error(404, None);
    }

    async fn a_failure_has_the_status_and_the_error_of_a_single_request(house: TestHouse) {
        let ada = house.user("ada").await;
        let mut stale = change("PUT", &format!("/Users/{ada}"), user("ada", json!({"title": "x"})));
        stale["version"] = "W/\"7\"".into();
        let results = bulk(
            &house,
            &[somebody("ADA"), stale.clone(), nobody("n"), end("/Users/none"), somebody("bob")],
        )
        .await;
        assert_eq!(statuses(&results), ["409", "412", "400", "404", "201"]);
        let single = house.post("/Users", user("ADA", json!({}))).await.status(409).json;
        assert_eq!(results[0]["response"], single);
        assert_eq!(results[0].get("location"), None, "nothing was made");
        assert!(results[1]["location"].as_str().unwrap().ends_with(&ada));
        assert_eq!(results[3]["location"], "http://localhost/scim/v2/Users/none");
        stale["version"] = "W/\"1\"".into();
        assert_eq!(statuses(&bulk(&house, &[stale]).await), ["200"]);
    }

    async fn it_goes_on_after_failures_unless_it_is_told_when_to_stop(house: TestHouse) {
        let missing = || end("/Users/none");
        let all = [missing(), somebody("a"), missing(), somebody("b"), missing()];
        assert_eq!(statuses(&bulk(&house, &all).await), ["404", "201", "404", "201", "404"]);
        let two = [missing(), somebody("c"), missing(), somebody("d"), missing()];
        assert_eq!(statuses(&until(&house, 2, &two).await), ["404", "201", "404"]);
        assert_eq!(house.find("/Users", "userName eq \"d\"").await.total(), 0);
        let three = [somebody("e"), nobody("1"), somebody("f"), nobody("2"), nobody("3"), somebody("g"), nobody("4")];
        assert_eq!(statuses(&until(&house, 3, &three).await), ["201", "400", "201", "400", "400"]);
        assert_eq!(house.find("/Users", "userName eq \"g\"").await.total(), 0);
        // Of creations that are taken by somebody, too: they are not found out before they are tried.
        let taken: Vec<Value> = (0..40).map(|n| create(&n.to_string(), "/Users", user("e", json!({"title": n.to_string()})))).collect();
        assert_eq!(until(&house, 5, &taken).await.len(), 5);
    }

    async fn one_failure_among_many_creations_takes_no_other_with_it(house: TestHouse) {
        house.user("n7").await;
        let mut operations: Vec<Value> = (0..100).map(|n| somebody(&format!("n{n}"))).collect();
        operations.insert(50, nobody("x"));
        let results = bulk(&house, &operations).await;
        for (at, result) in results.iter().enumerate() {
            let status = match at {
                7 => "409",
                50 => "400",
                _ => "201",
            };
            assert_eq!(result["status"], status, "{at}");
        }
        assert_eq!(house.get("/Users?count=0").await.total(), 100);
    }

    async fn who_was_deleted_and_comes_again_is_who_they_were(house: TestHouse) {
        Desk::admin(&house).patch("/settings", json!({"rehire": "link"})).await.status(200);
        let called = || user("ada", json!({"externalId": "h-1"}));
        let ada = house.post("/Users", called()).await.status(201).id();
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let results = bulk(&house, &[somebody("bob"), create("a", "/Users", called()), somebody("eve")]).await;
        assert_eq!(statuses(&results), ["201", "201", "201"]);
        assert_eq!(id(&results[1]), ada);
        assert_eq!(house.get("/Users?count=0").await.total(), 3);
    }

    async fn a_password_is_kept_of_each(house: TestHouse) {
        let secret = |name: &str| create(name, "/Users", user(name, json!({"password": "correct horse battery"})));
        let results = bulk(&house, &[secret("a"), secret("b"), secret("c")]).await;
        assert_eq!(statuses(&results), ["201", "201", "201"]);
        assert_eq!(house.dump().await.table("password").len(), 3);
    }

    async fn habits_of_clients_are_tolerated_and_what_means_nothing_is_named(house: TestHouse) {
        let ada = house.user("ada").await;
        let off = json!([{"op": "Replace", "path": "active", "value": "False"}]);
        let strange = create("b", "/Users", user("bob", json!({"shoeSize": 43})));
        let body = request(&[change("PATCH", &format!("/Users/{ada}"), patch_op(&off)), strange]);
        let answer = house.post("/Bulk", body).await.status(200);
        assert_eq!(answer.header("muster-ignored-attributes"), "shoeSize");
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json["active"], false);
    }

    async fn each_operation_says_in_the_log_what_it_did(house: TestHouse) {
        let ada = house.user("ada").await;
        let rename = json!([{"op": "replace", "path": "title", "value": "x"}]);
        let results = bulk(
            &house,
            &[
                somebody("b"),
                somebody("c"),
                change("PATCH", &format!("/Users/{ada}"), patch_op(&rename)),
                end(&format!("/Users/{ada}")),
            ],
        )
        .await;
        assert_eq!(statuses(&results), ["201", "201", "200", "204"]);
        house.turn().await;
        let told = events(&Desk::admin(&house)).await;
        let of = |id: &str| -> Vec<&str> {
            let about = told.iter().filter(|event| event["subject"]["id"] == id);
            about.map(|event| event["kind"].as_str().unwrap()).collect()
        };
        assert_eq!(of(&ada), ["user.created", "user.updated", "user.deleted"]);
        assert_eq!(of(&id(&results[0])), ["user.created"]);
        assert_eq!(of(&id(&results[1])), ["user.created"]);
    }

    async fn the_order_of_the_request_is_the_order_of_the_changes(house: TestHouse) {
        let ada = house.user("ada").await;
        let path = format!("/Users/{ada}");
        let named = |name: &str| change("PUT", &path, user("ada", json!({"displayName": name})));
        bulk(&house, &[named("One"), named("Two"), named("Three")]).await;
        assert_eq!(house.get(&path).await.json["displayName"], "Three");
        // Who has a name gives it up before somebody else takes it.
        let renamed = change("PUT", &path, user("eve", json!({})));
        let results = bulk(&house, &[renamed, somebody("ada"), end(&path), somebody("eve")]).await;
        assert_eq!(statuses(&results), ["200", "201", "204", "201"]);
    }

    async fn a_preference_not_to_wait_is_not_followed(house: TestHouse) {
        let body = request(&[somebody("ada")]);
        let headers = [("prefer", "respond-async")];
        let answer = house.scim(axum::http::Method::POST, "/Bulk", Some(body), &headers).await.status(200);
        assert_eq!(answer.header("preference-applied"), "");
        assert_eq!(answer.json["Operations"][0]["status"], "201");
    }
}
