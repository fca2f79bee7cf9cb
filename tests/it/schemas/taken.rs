//! Who wants a value that another resource has is told of which attribute, and not who has it.

use serde_json::{Value, json};

use super::words::{BADGE, ROBOT, attach, badges, extends, own_type, schema, set, worn};
use crate::admin::desk::Desk;
use crate::support::TestHouse;
use crate::support::answer::Answer;

const CHIP: &str = "urn:example:chip:1.0:Chip";

/// Robots with several values that must be unique, and an extension that users have as well.
async fn furnished(desk: &Desk) {
    badges(desk).await;
    let attributes = json!([
        {"name": "serial", "type": "string", "uniqueness": "server"},
        {"name": "slot", "type": "integer", "uniqueness": "server"},
        {"name": "plates", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "string", "uniqueness": "global"},
        ]},
    ]);
    set(desk, &schema(ROBOT, &attributes)).await.status(200);
    let chip = json!([{"name": "code", "type": "string", "uniqueness": "global"}]);
    set(desk, &schema(CHIP, &chip)).await.status(200);
    let mut robots = own_type("Robot", "/Robots", ROBOT);
    robots["schemaExtensions"] = json!([{"schema": CHIP, "required": false}]);
    attach(desk, &robots).await.status(200);
    attach(desk, &extends("User", &[(BADGE, false), (CHIP, false)]))
        .await
        .status(200);
}

fn robot(serial: &str, slot: i64, plates: &[&str]) -> Value {
    let plates: Vec<Value> = plates.iter().map(|plate| json!({"value": plate})).collect();
    json!({"schemas": [ROBOT], "serial": serial, "slot": slot, "plates": plates})
}

fn told(answer: Answer) -> String {
    answer.error(409, Some("uniqueness"))
}

each_database! {
    async fn the_attribute_is_named_that_collides_and_no_other(house: TestHouse) {
        furnished(&Desk::admin(&house)).await;
        let one = house.post("/Robots", robot("A-1", 1, &["P-1", "P-2"])).await.status(201).id();
        let two = house.post("/Robots", robot("A-2", 2, &["P-3"])).await.status(201).id();
        let before = house.dump().await;
        for (body, paths) in [
            (robot("a-1", 3, &[]), "`serial`"),
            (robot("A-3", 1, &[]), "`slot`"),
            (robot("A-3", 3, &["p-9", "p-2"]), "`plates.value`"),
            (robot("A-1", 2, &[]), "`serial`, `slot`"),
        ] {
            let told = told(house.post("/Robots", body).await);
            assert!(told.ends_with(&format!("another `Robot` has the same value of {paths}")), "{told}");
            assert!(!told.contains(&one) && !told.contains(&two), "{told}");
        }
        let path = format!("/Robots/{two}");
        let slot = json!([{"op": "replace", "path": "slot", "value": 1}]);
        assert!(told(house.patch(&path, slot).await).ends_with("`slot`"));
        // What a resource has itself is not in its way.
        assert!(told(house.put(&path, robot("A-2", 2, &["P-3", "P-1"])).await).ends_with("`plates.value`"));
        before.assert_same(&house.dump().await);
    }

    async fn of_an_extension_it_is_another_resource_of_any_type(house: TestHouse) {
        furnished(&Desk::admin(&house)).await;
        let mut chipped = robot("A-1", 1, &[]);
        chipped["schemas"] = json!([ROBOT, CHIP]);
        chipped[CHIP] = json!({"code": "C-1"});
        house.post("/Robots", chipped).await.status(201);
        let mut ada = worn("ada", &json!({"number": "N-1"}));
        ada["schemas"].as_array_mut().unwrap().push(CHIP.into());
        ada[CHIP] = json!({"code": "c-1"});
        let told = told(house.post("/Users", ada).await);
        assert!(told.ends_with(&format!("another resource has the same value of `{CHIP}:code`")), "{told}");
    }

    async fn who_is_restored_is_told_which_value_somebody_has_meanwhile(house: TestHouse) {
        let desk = Desk::admin(&house);
        furnished(&desk).await;
        let ada = house.post("/Users", worn("ada", &json!({"number": "N-1"}))).await.status(201).id();
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.post("/Users", worn("bob", &json!({"number": "N-1"}))).await.status(201);
        let refused = desk.post(&format!("/users/{ada}/restore"), json!({})).await.status(409);
        assert!(refused.text.contains(&format!("{BADGE}:number")), "{}", refused.text);
    }

    async fn of_many_at_once_each_that_is_refused_is_told_the_attribute(house: TestHouse) {
        furnished(&Desk::admin(&house)).await;
        let ask = |serial: &str, slot: i64| house.post("/Robots", robot(serial, slot, &[]));
        let all = tokio::join!(ask("A-1", 7), ask("A-2", 7), ask("A-3", 7), ask("A-4", 7));
        let (made, refused): (Vec<Answer>, Vec<Answer>) =
            [all.0, all.1, all.2, all.3].into_iter().partition(|answer| answer.status == 201);
        assert_eq!((made.len(), refused.len()), (1, 3));
        for answer in refused {
            let told = told(answer);
            assert!(told.ends_with("has the same value of `slot`"), "{told}");
        }
    }
}
