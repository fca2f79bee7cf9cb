//! What is no bulk request, what is no operation, and who may not.

use axum::http::Method;
use serde_json::{Value, json};

use super::words::{BULK_REQUEST, bulk, change, create, end, request, results, statuses};
use crate::admin::desk::Desk;
use crate::api::asks::post_bytes;
use crate::api::bodies::{GROUP, user};
use crate::closing::town::another;
use crate::support::TestHouse;

each_database! {
    async fn what_is_no_bulk_request_is_refused_as_a_whole(house: TestHouse) {
        let ada = house.user("ada").await;
        let before = house.dump().await;
        let gone = || end(&format!("/Users/{ada}"));
        let twice = || create("a", "/Users", user("bob", json!({})));
        for (body, keyword) in [
            (json!([]), "invalidSyntax"),
            (json!({"Operations": [gone()]}), "invalidSyntax"),
            (json!({"schemas": [GROUP], "Operations": [gone()]}), "invalidSyntax"),
            (json!({"schemas": [BULK_REQUEST]}), "invalidSyntax"),
            (json!({"schemas": [BULK_REQUEST], "Operations": gone()}), "invalidSyntax"),
            (json!({"schemas": [BULK_REQUEST], "failOnErrors": 0, "Operations": [gone()]}), "invalidValue"),
            (json!({"schemas": [BULK_REQUEST], "failOnErrors": "1", "Operations": [gone()]}), "invalidValue"),
            (request(&[gone(), twice(), twice()]), "invalidValue"),
        ] {
            house.post("/Bulk", body).await.error(400, Some(keyword));
        }
        post_bytes(&house, "/Bulk", "{\"schemas\": [").await.error(400, Some("invalidSyntax"));
        let headers = [("content-type", "text/plain")];
        house.scim(Method::POST, "/Bulk", Some(request(&[gone()])), &headers).await.error(415, None);
        before.assert_same(&house.dump().await);
    }

    async fn what_is_no_operation_is_refused_in_its_place(house: TestHouse) {
        let ada = house.user("ada").await;
        let before = house.dump().await;
        let path = format!("/Users/{ada}");
        let bob = || user("bob", json!({}));
        let operations = [
            (json!("DELETE"), "400"),
            (json!({"path": path}), "400"),
            (change("GET", &path, json!({})), "400"),
            (change("delete", &path, json!({})), "400"),
            (change("POST", "/Users", bob()), "400"),
            (create("b", &path, bob()), "400"),
            (json!({"method": "POST", "path": "/Users", "bulkId": "c"}), "400"),
            (change("PUT", "/Users", bob()), "400"),
            (change("PATCH", &path, json!({"op": "add"})), "400"),
            (json!({"method": "DELETE"}), "400"),
            (end("/Users"), "400"),
            (end(&format!("{path}?x=1")), "400"),
            (end("/NoSuchType/1"), "404"),
            (create("d", "/NoSuchType", bob()), "404"),
            (create("e", "/Bulk", request(&[])), "404"),
            (end("/Roles/owner"), "405"),
            (end(&format!("/Groups/{ada}")), "404"),
        ];
        let (asked, expected): (Vec<Value>, Vec<&str>) = operations.into_iter().unzip();
        let told = bulk(&house, &asked).await;
        assert_eq!(statuses(&told), expected);
        for (operation, result) in asked.iter().zip(&told) {
            let path = operation["path"].as_str().filter(|_| operation["method"] != "POST");
            let location = result.get("location").and_then(Value::as_str);
            assert_eq!(location.is_some(), path.is_some(), "{result}");
            assert!(location.is_none_or(|location| location.ends_with(path.unwrap_or_default())), "{result}");
        }
        before.assert_same(&house.dump().await);
        assert!(results(&house, request(&[])).await.is_empty());
    }

    async fn nobody_reaches_another_tenant(house: TestHouse) {
        let ada = house.user("ada").await;
        let before = house.dump().await;
        let path = format!("/Users/{ada}");
        let other = house.second_tenant();
        let group = create("g", "/Groups", json!({"schemas": [GROUP], "displayName": "g", "members": [{"value": ada}]}));
        let results = bulk(&other, &[end(&path), change("PUT", &path, user("eve", json!({}))), group]).await;
        assert_eq!(statuses(&results), ["404", "404", "400"]);
        before.assert_same(&house.dump().await);
        house.with_token(None).post("/Bulk", request(&[end(&path)])).await.error(401, None);
    }

    async fn a_connection_that_is_deleted_meanwhile_ends_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        let mut operations: Vec<Value> = (0..3).map(|n| create(&n.to_string(), "/Users", user(&format!("n{n}"), json!({})))).collect();
        operations.push(end(&format!("/Users/{ada}")));
        operations.push(create("last", "/Users", user("last", json!({}))));
        let deleted = async {
            desk.post(&format!("/connections/{id}/suspend"), json!({"users": "keep", "reason": "over"})).await.status(202);
        };
        let answer = okta.late(Method::POST, "/scim/v2/Bulk", request(&operations), deleted).await.status(200);
        let results = answer.json["Operations"].as_array().unwrap();
        assert_eq!(statuses(results), ["403", "403", "403", "403", "403"]);
        house.get(&format!("/Users/{ada}")).await.status(200);
        assert_eq!(house.get("/Users?count=0").await.total(), 1);
    }
}
