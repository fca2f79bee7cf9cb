//! Which values are the same: in a list, and where they must be unique.

use serde_json::{Value, json};

use super::words::{attach, extends, own_type, schema, set};
use crate::admin::desk::Desk;
use crate::api::bodies::{USER, user};
use crate::support::TestHouse;

const DESKS: &str = "urn:example:desk:1.0:User";
const BOX: &str = "urn:example:box:1.0:Box";

fn at_desk(name: &str, number: &str) -> Value {
    user(name, json!({"schemas": [USER, DESKS], DESKS: {"number": number}}))
}

fn desks(uniqueness: &str) -> Value {
    schema(
        DESKS,
        &json!([{"name": "number", "type": "string", "uniqueness": uniqueness}]),
    )
}

each_database! {
    async fn empty_text_is_not_unique(house: TestHouse) {
        let desk = Desk::admin(&house);
        set(&desk, &desks("server")).await.status(200);
        attach(&desk, &extends("User", &[(DESKS, false)])).await.status(200);
        let ada = house.post("/Users", at_desk("ada", "")).await.status(201).id();
        house.post("/Users", at_desk("bob", "")).await.status(201);
        house.post("/Users", at_desk("cleo", "7")).await.status(201);
        house.post("/Users", at_desk("dora", "7")).await.error(409, Some("uniqueness"));
        let number = |text: &str| json!([{"op": "replace", "path": format!("{DESKS}:number"), "value": text}]);
        let path = format!("/Users/{ada}");
        house.patch(&path, number("7")).await.error(409, Some("uniqueness"));
        house.patch(&path, number("8")).await.status(200);
        house.patch(&path, number("")).await.status(200);
        house.post("/Users", at_desk("eve", "8")).await.status(201);
    }

    async fn empty_text_is_not_in_the_way_of_uniqueness(house: TestHouse) {
        let desk = Desk::admin(&house);
        set(&desk, &desks("none")).await.status(200);
        attach(&desk, &extends("User", &[(DESKS, false)])).await.status(200);
        for (name, number) in [("ada", ""), ("bob", ""), ("cleo", "7")] {
            house.post("/Users", at_desk(name, number)).await.status(201);
        }
        set(&desk, &desks("server")).await.status(200);
        house.post("/Users", at_desk("dora", "")).await.status(201);
        house.post("/Users", at_desk("eve", "7")).await.error(409, Some("uniqueness"));
    }

    async fn simple_values_that_compare_equal_are_one(house: TestHouse) {
        let desk = Desk::admin(&house);
        let of = |name: &str, kind: &str, exact: bool| json!({"name": name, "type": kind, "multiValued": true, "caseExact": exact});
        let attributes = json!([
            of("words", "string", false), of("codes", "string", true), of("sizes", "decimal", false),
            of("seals", "binary", true), of("days", "dateTime", false),
        ]);
        set(&desk, &schema(BOX, &attributes)).await.status(200);
        attach(&desk, &own_type("Box", "/Boxes", BOX)).await.status(200);
        let made = house.post("/Boxes", json!({
            "schemas": [BOX], "words": ["a", "A", "b"], "codes": ["a", "A", "a"], "sizes": [2, 2.0, 3],
            "seals": ["AQI=", "AQI"], "days": ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"],
        })).await.status(201);
        let json = &made.json;
        assert_eq!((&json["words"], &json["codes"]), (&json!(["a", "b"]), &json!(["a", "A"])));
        assert_eq!((&json["sizes"], &json["seals"]), (&json!([2, 3]), &json!(["AQI="])));
        assert_eq!(json["days"], json!(["2026-01-01T00:00:00Z"]));
        let path = format!("/Boxes/{}", made.id());
        let again = json!([{"op": "add", "path": "seals", "value": ["AQI"]}, {"op": "add", "path": "words", "value": ["B"]}]);
        let told = house.patch(&path, again).await.status(200);
        assert_eq!(told.header("muster-operations"), "already-true, already-true");
        assert_eq!(&told.json["words"], &json["words"]);
    }

    async fn instants_are_taken_in_every_spelling(house: TestHouse) {
        let desk = Desk::admin(&house);
        let attributes = json!([{"name": "day", "type": "dateTime"}, {"name": "size", "type": "integer"}]);
        set(&desk, &schema(BOX, &attributes)).await.status(200);
        attach(&desk, &own_type("Box", "/Boxes", BOX)).await.status(200);
        let made = async |day: &str| house.post("/Boxes", json!({"schemas": [BOX], "day": day})).await;
        let late = made("2024-02-29T24:00:00Z").await.status(201);
        assert_eq!(late.json["day"], "2024-02-29T24:00:00Z");
        let fine = made("2024-03-01T00:00:00.0000000001Z").await.status(201);
        let found = house.find("/Boxes", "day eq \"2024-03-01T00:00:00Z\"").await.status(200).ids();
        assert_eq!(found, [late.id(), fine.id()]);
        for (more, limit) in [
            (json!({"day": "12024-01-01T00:00:00Z"}), "of a year from 0000 to 9999"),
            (json!({"day": "2024-01-01T24:00:01Z"}), "2026-01-31T09:00:00Z"),
            (json!({"size": 1e30}), "from -2^63 to 2^64-1"),
        ] {
            let mut body = more.clone();
            body["schemas"] = json!([BOX]);
            let told = house.post("/Boxes", body).await.error(400, Some("invalidValue"));
            assert!(told.contains(limit), "{told}");
        }
    }
}
