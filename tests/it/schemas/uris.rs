//! A reference is a URI, absolute or relative; a connection that is not strict takes what directories hold.

use serde_json::{Value, json};

use super::words::{BADGE, TESTRESOURCE_FILE, attach, define, extends, schema, set, test_resource, worn};
use crate::admin::desk::Desk;
use crate::api::asks::as_connection;
use crate::api::bodies::user;
use crate::support::TestHouse;

fn profile(value: &str) -> Value {
    json!([{"op": "replace", "path": "profileUrl", "value": value}])
}

each_database! {
    async fn text_that_is_no_uri_is_refused_by_strict_and_counted_elsewhere(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let strict = as_connection(&house, "strict", "strict");
        let profiled = as_connection(&house, "profile", "interop-profile");
        let before = house.dump().await;
        for odd in ["a b", "http://[", "%zz", "<x>", "http://exa mple/", "\\x"] {
            for one in [&strict, &profiled] {
                one.post("/TestResources", test_resource("r", &json!({"referenceAttr": odd}))).await.error(400, Some("invalidValue"));
                one.post("/Users", user("ada", json!({"profileUrl": odd}))).await.error(400, Some("invalidValue"));
                let told = one.post("/Users", user("ada", json!({"photos": [{"value": odd}]}))).await.error(400, Some("invalidValue"));
                assert!(told.contains("`photos.value`"), "{told}");
            }
        }
        before.assert_same(&house.dump().await);
        let odd = user("ada", json!({"profileUrl": "a b", "photos": [{"value": "http://["}, {"value": "https://x.test/a"}]}));
        let made = house.post("/Users", odd).await.status(201);
        assert_eq!((&made.json["profileUrl"], made.header("muster-tolerated")), (&json!("a b"), "uri-as-sent"));
    }

    async fn absolute_and_relative_uris_are_taken_as_they_are(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let strict = as_connection(&house, "strict", "strict");
        for (n, uri) in ["https://acme.test/a%20b?c#d", "urn:x:y", "../Users/1", "data:image/png;base64,AQI=", "//[::1]:80/", ""].iter().enumerate() {
            let made = strict.post("/TestResources", test_resource(&format!("r{n}"), &json!({"referenceAttr": uri}))).await.status(201);
            assert_eq!(made.json["referenceAttr"], *uri);
            assert_eq!(made.header("muster-tolerated"), "");
        }
    }

    async fn a_patch_is_asked_about_what_it_changes(house: TestHouse) {
        let strict = as_connection(&house, "strict", "strict");
        let odd = user("ada", json!({"profileUrl": "a b", "photos": [{"value": "c d", "type": "photo"}]}));
        let path = format!("/Users/{}", house.post("/Users", odd).await.status(201).id());
        let title = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
        assert_eq!(strict.patch(&path, title).await.status(200).json["profileUrl"], "a b");
        let before = house.dump().await;
        strict.patch(&path, profile("e f")).await.error(400, Some("invalidValue"));
        let another = json!([{"op": "add", "path": "photos", "value": [{"value": "g h", "type": "thumbnail"}]}]);
        strict.patch(&path, another.clone()).await.error(400, Some("invalidValue"));
        before.assert_same(&house.dump().await);
        strict.patch(&path, profile("/ada")).await.status(200);
        assert_eq!(house.patch(&path, another).await.status(200).header("muster-tolerated"), "uri-as-sent");
    }

    async fn links_to_resources_are_taken_as_they_were(house: TestHouse) {
        let desk = Desk::admin(&house);
        let link = |name: &str, to: Value| json!({"name": name, "type": "reference", "referenceTypes": to, "multiValued": true});
        set(&desk, &schema(BADGE, &json!([link("people", json!(["User"])), link("pages", json!(["User", "uri"]))]))).await.status(200);
        attach(&desk, &extends("User", &[(BADGE, false)])).await.status(200);
        let strict = as_connection(&house, "strict", "strict");
        strict.post("/Users", worn("ada", &json!({"people": ["a b"], "pages": ["/a"]}))).await.status(201);
        strict.post("/Users", worn("bob", &json!({"pages": ["/a", "a b"]}))).await.error(400, Some("invalidValue"));
        let made = house.post("/Users", worn("bob", &json!({"pages": ["/a", "a b"]}))).await.status(201);
        assert_eq!(made.header("muster-tolerated"), "uri-as-sent");
    }
}
