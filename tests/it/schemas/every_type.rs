//! Every type of attribute and every characteristic on a resource type of an organisation.

use serde_json::{Value, json};

use super::words::{TEST, TEST_EXTENSION, TESTRESOURCE_FILE, define, test_resource};
use crate::admin::desk::Desk;
use crate::bulk::words::{bulk, change, create, end, id, statuses};
use crate::support::TestHouse;

fn full(identifier: &str) -> Value {
    test_resource(
        identifier,
        &json!({
            "caseExactString": "Exact",
            "caseInsensitiveString": "Any Case",
            "integerAttr": 42,
            "booleanAttr": true,
            "dateTimeAttr": "2026-03-01T12:00:00Z",
            "binaryAttr": "AAEC",
            "referenceAttr": "https://example.com/a",
            "readOnlyAttr": "from the client",
            "immutableAttr": "for good",
            "writeOnlyAttr": "hidden-value",
            "requestOnlyAttr": "asked",
            "alwaysReturnedAttr": "always",
            "multiStrings": ["one", "two"],
            "complexAttr": {"sub1": "text", "sub2": 7, "sub3": false},
            "multiComplex": [{"value": "a", "type": "work", "primary": true}, {"value": "b", "type": "home"}],
            "uniqueString": identifier,
            TEST_EXTENSION: {"extRequired": "there", "extString": "more", "extInteger": 5},
        }),
    )
}

each_database! {
    async fn each_value_is_kept_as_its_characteristics_say(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let made = house.post("/TestResources", full("first")).await.status(201);
        assert!(!made.text.contains("hidden-value") && made.json.get("readOnlyAttr").is_none(), "{}", made.text);
        assert_eq!(made.json["requestOnlyAttr"], "asked", "the request named it");
        let path = format!("/TestResources/{}", made.id());
        let read = house.get(&path).await.status(200).json;
        assert!(read.get("requestOnlyAttr").is_none());
        assert_eq!((&read["integerAttr"], &read["complexAttr"]["sub2"]), (&json!(42), &json!(7)));
        assert_eq!(read[TEST_EXTENSION]["extInteger"], 5);
        let asked = house.get(&format!("{path}?attributes=requestOnlyAttr")).await.status(200).json;
        assert_eq!((&asked["requestOnlyAttr"], &asked["alwaysReturnedAttr"]), (&json!("asked"), &json!("always")));
        let shut = house.get(&format!("{path}?excludedAttributes=alwaysReturnedAttr,integerAttr")).await.status(200).json;
        assert_eq!((&shut["alwaysReturnedAttr"], shut.get("integerAttr")), (&json!("always"), None));
    }

    async fn each_type_of_value_is_found(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let first = [house.post("/TestResources", full("first")).await.status(201).id()];
        house.post("/TestResources", test_resource("other", &json!({"integerAttr": 7}))).await.status(201);
        for filter in [
            "identifier eq \"FIRST\"",
            "caseExactString eq \"Exact\"",
            "caseInsensitiveString co \"ANY\"",
            "integerAttr gt 10",
            "integerAttr eq 42 and not (integerAttr lt 42)",
            "booleanAttr eq true",
            "dateTimeAttr ge \"2026-03-01T13:00:00+01:00\"",
            "dateTimeAttr lt \"2026-03-02T00:00:00Z\"",
            "binaryAttr eq \"AAEC\"",
            "referenceAttr sw \"https://\"",
            "immutableAttr pr",
            "requestOnlyAttr eq \"asked\"",
            "multiStrings eq \"two\"",
            "complexAttr.sub2 ge 7",
            "complexAttr.sub1 eq \"text\" and complexAttr.sub3 eq false",
            "multiComplex[type eq \"work\" and primary eq true]",
            "multiComplex.value eq \"b\"",
            "uniqueString ew \"irst\"",
        ] {
            assert_eq!(house.find("/TestResources", filter).await.status(200).ids(), first, "{filter}");
        }
        let by_urn = [format!("{TEST}:integerAttr eq 42"), format!("{TEST_EXTENSION}:extInteger eq 5")];
        for filter in by_urn {
            assert_eq!(house.find("/TestResources", &filter).await.status(200).ids(), first, "{filter}");
        }
        for filter in ["caseExactString eq \"exact\"", "multiComplex[type eq \"home\" and primary eq true]"] {
            assert_eq!(house.find("/TestResources", filter).await.status(200).total(), 0, "{filter}");
        }
        for sort in ["identifier", "integerAttr", "dateTimeAttr", "complexAttr.sub2", "multiComplex.value"] {
            assert_eq!(house.get(&format!("/TestResources?sortBy={sort}")).await.status(200).total(), 2, "{sort}");
        }
        let hidden = house.find("/TestResources", "writeOnlyAttr eq \"hidden-value\"").await;
        assert!([400, 403].contains(&hidden.status), "{hidden:?}");
    }

    async fn wrong_values_are_refused_and_nothing_is_stored(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        house.post("/TestResources", full("first")).await.status(201);
        let before = house.dump().await;
        for wrong in [
            json!({"integerAttr": "42"}),
            json!({"booleanAttr": 1}),
            json!({"dateTimeAttr": "yesterday"}),
            json!({"binaryAttr": "%%%"}),
            json!({"multiComplex": [{"value": 1}]}),
            json!({"identifier": null}),
            json!({TEST_EXTENSION: {"extString": "without what is required"}}),
        ] {
            house.post("/TestResources", test_resource("second", &wrong)).await.error(400, Some("invalidValue"));
        }
        let without = json!({"schemas": [TEST], "identifier": "second"});
        house.post("/TestResources", without).await.error(400, Some("invalidValue"));
        for (name, value) in [("uniqueString", "FIRST"), ("identifier", "First")] {
            let mut body = test_resource("second", &json!({}));
            body[name] = value.into();
            let told = house.post("/TestResources", body).await.error(409, Some("uniqueness"));
            assert!(told.ends_with(&format!("of `{name}`")), "{told}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn each_operation_of_a_patch_does_what_it_says(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let path = format!("/TestResources/{}", house.post("/TestResources", full("first")).await.status(201).id());
        let patched = house.patch(&path, json!([
            {"op": "replace", "path": "integerAttr", "value": 43},
            {"op": "add", "path": "multiStrings", "value": ["three"]},
            {"op": "remove", "path": "multiComplex[type eq \"home\"]"},
            {"op": "replace", "path": "multiComplex[type eq \"work\"].value", "value": "c"},
            {"op": "add", "path": "complexAttr.sub1", "value": "other"},
            {"op": "remove", "path": "booleanAttr"},
            {"op": "replace", "path": format!("{TEST_EXTENSION}:extInteger"), "value": 6},
            {"op": "add", "value": {"caseExactString": "Else", "uniqueString": "else"}},
        ])).await.status(200).json;
        assert_eq!((&patched["integerAttr"], &patched["caseExactString"]), (&json!(43), &json!("Else")));
        assert_eq!(patched["multiStrings"], json!(["one", "two", "three"]));
        assert_eq!(patched["multiComplex"], json!([{"value": "c", "type": "work", "primary": true}]));
        assert_eq!(patched["complexAttr"], json!({"sub1": "other", "sub2": 7, "sub3": false}));
        assert_eq!((patched.get("booleanAttr"), &patched[TEST_EXTENSION]["extInteger"]), (None, &json!(6)));
        let before = house.dump().await;
        for (operation, ty) in [
            (json!({"op": "replace", "path": "immutableAttr", "value": "x"}), "mutability"),
            (json!({"op": "replace", "path": "readOnlyAttr", "value": "x"}), "mutability"),
            (json!({"op": "remove", "path": "identifier"}), "invalidValue"),
            (json!({"op": "replace", "path": "integerAttr", "value": 1.5}), "invalidValue"),
            (json!({"op": "replace", "path": "multiComplex[type eq \"none\"].value", "value": "x"}), "noTarget"),
            (json!({"op": "replace", "path": "nothing.there", "value": "x"}), "invalidPath"),
        ] {
            let refused = house.patch(&path, json!([{"op": "replace", "path": "integerAttr", "value": 1}, operation])).await.status(400);
            let told = refused.json["scimType"].as_str().unwrap_or_default().to_owned();
            assert!(told == ty || ty == "invalidValue" && told == "mutability", "{operation}: {}", refused.text);
        }
        before.assert_same(&house.dump().await);
        house.post("/TestResources", test_resource("second", &json!({"uniqueString": "first"}))).await.status(201);
        house.patch(&path, json!([{"op": "replace", "path": "uniqueString", "value": "FIRST"}])).await.error(409, Some("uniqueness"));
    }

    async fn bulk_makes_changes_and_refers_to_it(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let there = house.post("/TestResources", full("there")).await.status(201).id();
        let results = bulk(&house, &[
            create("one", "/TestResources", test_resource("one", &json!({"integerAttr": 1}))),
            create("two", "/TestResources", test_resource("two", &json!({}))),
            change("PATCH", "/TestResources/bulkId:one", json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "replace", "path": "integerAttr", "value": 2}],
            })),
            change("PUT", &format!("/TestResources/{there}"), test_resource("there", &json!({"integerAttr": 3, "immutableAttr": "for good"}))),
            create("again", "/TestResources", test_resource("ONE", &json!({}))),
            end("/TestResources/bulkId:two"),
        ])
        .await;
        assert_eq!(statuses(&results), ["201", "201", "200", "200", "409", "204"]);
        let location = results[0]["location"].as_str().unwrap();
        assert!(location.ends_with(&format!("/TestResources/{}", id(&results[0]))), "{location}");
        let one = house.get(&format!("/TestResources/{}", id(&results[0]))).await.status(200).json;
        assert_eq!((&one["integerAttr"], &one["meta"]["version"]), (&json!(2), &json!("W/\"2\"")));
        assert_eq!(house.get("/TestResources").await.status(200).total(), 2);
        let many: Vec<Value> = (0..60).map(|n| create(&format!("b{n}"), "/TestResources", test_resource(&format!("n{n}"), &json!({})))).collect();
        assert!(statuses(&bulk(&house, &many).await).iter().all(|status| *status == "201"));
        assert_eq!(house.get("/TestResources?count=0").await.status(200).total(), 62);
    }

    async fn of_many_at_once_one_gets_a_value_that_must_be_unique(house: TestHouse) {
        define(&Desk::admin(&house), TESTRESOURCE_FILE).await;
        let body = || test_resource("same", &json!({}));
        let (one, two, three) = tokio::join!(
            house.post("/TestResources", body()),
            house.post("/TestResources", body()),
            house.post("/TestResources", body()),
        );
        let mut all = [one.status, two.status, three.status];
        all.sort_unstable();
        assert_eq!(all, [201, 409, 409]);
        let path = format!("/TestResources/{}", house.get("/TestResources").await.ids()[0]);
        let count = |n: i64| json!([{"op": "replace", "path": "integerAttr", "value": n}]);
        let (one, two, three) = tokio::join!(house.patch(&path, count(1)), house.patch(&path, count(2)), house.patch(&path, count(3)));
        assert_eq!([one.status, two.status, three.status], [200; 3]);
        assert_eq!(house.get(&path).await.header("etag"), "W/\"4\"");
    }
}
