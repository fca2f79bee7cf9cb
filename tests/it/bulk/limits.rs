//! How much one request may ask for: more is refused as a whole, by a refusal that names the limit.

use serde_json::{Value, json};

use super::words::{BULK_REQUEST, bulk, create, end, request, statuses};
use crate::api::asks::post_bytes;
use crate::api::bodies::user;
use crate::support::TestHouse;

each_database! {
    async fn the_limits_are_announced(house: TestHouse) {
        let config = house.get("/ServiceProviderConfig").await.status(200).json;
        assert_eq!(
            config["bulk"],
            json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 16 << 20})
        );
    }

    async fn more_operations_than_may_be_are_413_and_nothing_is_done(house: TestHouse) {
        let ada = house.user("ada").await;
        let before = house.dump().await;
        let mut operations = vec![end("/Users/none"); 1000];
        operations.push(end(&format!("/Users/{ada}")));
        let detail = house.post("/Bulk", request(&operations)).await.error(413, None);
        assert!(detail.contains("maxOperations") && detail.contains("1000"), "{detail}");
        before.assert_same(&house.dump().await);
        operations.remove(0);
        assert_eq!(statuses(&bulk(&house, &operations).await)[999], "204");
    }

    async fn a_body_that_is_too_large_is_413_however_few_operations_it_has(house: TestHouse) {
        let before = house.dump().await;
        let mut body = request(&[create("a", "/Users", user("ada", json!({})))]);
        body["filler"] = Value::from("x".repeat(16 << 20));
        let detail = house.post("/Bulk", body).await.error(413, None);
        assert!(detail.contains("maxPayloadSize") && detail.contains("16777216"), "{detail}");
        before.assert_same(&house.dump().await);
    }

    async fn a_body_may_be_larger_than_that_of_a_single_request(house: TestHouse) {
        let mut body = request(&[create("a", "/Users", user("ada", json!({})))]);
        body["filler"] = Value::from("x".repeat(9 << 20));
        house.post("/Bulk", body.clone()).await.status(200);
        house.post("/Users", body).await.error(413, None);
    }

    async fn depth_is_bounded(house: TestHouse) {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let body = format!("{{\"schemas\": [\"{BULK_REQUEST}\"], \"Operations\": [{{\"data\": {deep}}}]}}");
        post_bytes(&house, "/Bulk", body).await.error(400, Some("invalidSyntax"));
    }
}
