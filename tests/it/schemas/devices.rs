//! Devices of RFC 9944, as a resource type that is defined and not built in.

use serde_json::{Value, json};

use super::words::{DEVICE_FILE, define};
use crate::admin::desk::Desk;
use crate::api::bodies::user;
use crate::support::TestHouse;

const DEVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:Device";
const BLE: &str = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device";
const DPP: &str = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device";

/// URN of a way of pairing.
fn pairing(way: &str) -> String {
    format!("urn:ietf:params:scim:schemas:extension:pairing{way}:2.0:Device")
}

fn sensor(name: &str, address: &str) -> Value {
    json!({
        "schemas": [DEVICE, BLE],
        "displayName": name,
        "active": true,
        "mudUrl": "https://example.com/sensor.json",
        BLE: {
            "versionSupport": ["5.3"],
            "deviceMacAddress": address,
            "isRandom": false,
            "irk": "53e1-irk",
            "mobility": true,
            "pairingMethods": ["urn:ietf:params:scim:schemas:extension:pairingNull:2.0:Device"],
        },
    })
}

each_database! {
    async fn devices_are_provisioned_like_users(house: TestHouse) {
        define(&Desk::admin(&house), DEVICE_FILE).await;
        let made = house.post("/Devices", sensor("Monitor", "2C:54:91:88:C9:E2")).await.status(201);
        assert!(!made.text.contains("irk"), "{}", made.text);
        let id = [made.id()];
        house.post("/Devices", sensor("Double", "2c:54:91:88:c9:e2")).await.error(409, Some("uniqueness"));
        let found = async |filter: String| house.find("/Devices", &filter).await.status(200).ids();
        assert_eq!(found("active eq true and displayName sw \"mon\"".into()).await, id);
        assert_eq!(found(format!("{BLE}:deviceMacAddress eq \"2C:54:91:88:c9:e2\"")).await, id);
        assert_eq!(found(format!("{BLE}:versionSupport eq \"5.3\"")).await, id);
        assert_eq!(found("groups pr".into()).await.len(), 0);
        let path = format!("/Devices/{}", id[0]);
        let off = json!([{"op": "replace", "path": "active", "value": false}]);
        assert_eq!(house.patch(&path, off).await.status(200).json["active"], false);
        assert_eq!(found("active eq true".into()).await.len(), 0);
        let join = json!([{"op": "add", "path": "groups", "value": [{"value": "x"}]}]);
        house.patch(&path, join).await.error(400, Some("mutability"));
        let mut bare = sensor("Monitor", "2C:54:91:88:C9:E2");
        bare.as_object_mut().unwrap().shift_remove("active");
        house.put(&path, bare).await.error(400, Some("invalidValue"));
        let key = json!({"schemas": [DEVICE, DPP], "active": true, DPP: {"dppVersion": 2}});
        house.post("/Devices", key).await.error(400, Some("invalidValue"));
        house.delete(&path).await.no_content();
        house.post("/Devices", sensor("Double", "2c:54:91:88:c9:e2")).await.status(201);
    }

    async fn a_device_that_is_off_is_no_user_who_is(house: TestHouse) {
        define(&Desk::admin(&house), DEVICE_FILE).await;
        let ada = house.post("/Users", user("ada", json!({"active": true}))).await.status(201).id();
        let mut off = sensor("Monitor", "2C:54:91:88:C9:E2");
        off["active"] = false.into();
        let device = house.post("/Devices", off).await.status(201).id();
        let found = async |filter: &str| house.find("/", filter).await.status(200).ids();
        assert_eq!(found("active eq true").await, [&*ada]);
        assert_eq!(found("active eq false").await, [&*device]);
        assert_eq!(found("active pr and displayName pr").await, [&*device]);
    }

    async fn ways_of_pairing_are_read_where_the_rfc_writes_them(house: TestHouse) {
        define(&Desk::admin(&house), DEVICE_FILE).await;
        let (oob, null) = (pairing("OOB"), pairing("Null"));
        let mut nested = sensor("Monitor", "2C:54:91:88:C9:E2");
        nested["schemas"] = json!([DEVICE, BLE, oob]);
        nested[BLE]["pairingMethods"] = json!([oob, null]);
        nested[BLE][&oob] = json!({"key": "TheKeyThatCame", "randomNumber": 2381, "confirmationNumber": 3917});
        nested[BLE][&null] = json!({});
        let made = house.post("/Devices", nested.clone()).await.status(201);
        assert_eq!(made.json[&oob], json!({"randomNumber": 2381, "confirmationNumber": 3917}), "{}", made.text);
        assert!(made.json[BLE].get(&oob).is_none() && !made.text.contains("TheKeyThatCame"), "{}", made.text);
        assert!(made.json["schemas"].as_array().unwrap().contains(&json!(oob)));
        let (id, path) = (made.id(), format!("/Devices/{}", made.id()));
        let found = house.find("/Devices", &format!("{oob}:randomNumber eq 2381")).await.status(200).ids();
        assert_eq!(found, [&*id]);
        nested[BLE][&oob]["randomNumber"] = 5.into();
        assert_eq!(house.put(&path, nested.clone()).await.status(200).json[&oob]["randomNumber"], 5);
        // What stands in the resource itself counts.
        let mut both = nested.clone();
        both[&oob] = json!({"key": "Another", "randomNumber": 6});
        assert_eq!(house.put(&path, both).await.status(200).json[&oob]["randomNumber"], 6);
        nested[BLE][&oob].as_object_mut().unwrap().shift_remove("randomNumber");
        house.put(&path, nested).await.error(400, Some("invalidValue"));
    }

    async fn applications_may_talk_to_devices(house: TestHouse) {
        define(&Desk::admin(&house), DEVICE_FILE).await;
        let app = "urn:ietf:params:scim:schemas:core:2.0:EndpointApp";
        let body = json!({"schemas": [app], "applicationType": "telemetry", "applicationName": "Ward 7", "clientToken": "s3cret-token"});
        let made = house.post("/EndpointApps", body).await.status(201);
        assert!(!made.text.contains("s3cret-token"), "{}", made.text);
        let apps = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device";
        let mut device = sensor("Monitor", "2C:54:91:88:C9:E2");
        device["schemas"] = json!([DEVICE, BLE, apps]);
        device[apps] = json!({"applications": [{"value": made.id()}]});
        let device = house.post("/Devices", device).await.status(201).id();
        let found = house.find("/Devices", &format!("{apps}:applications.value eq \"{}\"", made.id())).await.status(200).ids();
        assert_eq!(found, [&*device]);
    }
}
