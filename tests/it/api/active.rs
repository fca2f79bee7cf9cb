//! `active`: only what was said counts, and only an explicit false ends an access.

use serde_json::{Value, json};

use crate::api::bodies::user;
use crate::support::TestHouse;

/// The path of a new user, with or without `active`.
async fn person(house: &TestHouse, name: &str, active: Value) -> String {
    let more = if active.is_null() {
        json!({})
    } else {
        json!({"active": active})
    };
    format!(
        "/Users/{}",
        house.post("/Users", user(name, more)).await.status(201).id()
    )
}

async fn active(house: &TestHouse, path: &str) -> Option<Value> {
    house.get(path).await.status(200).json.get("active").cloned()
}

async fn matching(house: &TestHouse, filter: &str) -> Vec<String> {
    let list = house.find("/Users", filter).await.status(200);
    let mut names: Vec<_> = list.json["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["userName"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

each_database! {
    async fn what_was_never_said_stays_unsaid(house: TestHouse) {
        let path = person(&house, "ada", Value::Null).await;
        assert_eq!(active(&house, &path).await, None);
        house.put(&path, user("ada", json!({"title": "x"}))).await.status(200);
        house
            .patch(&path, json!([{"op": "replace", "path": "title", "value": "y"}]))
            .await
            .status(200);
        assert_eq!(active(&house, &path).await, None);
    }

    async fn the_unsaid_matches_neither_true_nor_false(house: TestHouse) {
        for (name, value) in [("on", json!(true)), ("off", json!(false)), ("unsaid", Value::Null)] {
            person(&house, name, value).await;
        }
        for (filter, expected) in [
            ("active eq true", vec!["on"]),
            ("active eq false", vec!["off"]),
            ("active pr", vec!["off", "on"]),
            ("active ne true", vec!["off", "unsaid"]),
            ("active ne false", vec!["on", "unsaid"]),
            ("active eq null", vec!["unsaid"]),
            ("not (active eq true)", vec!["off", "unsaid"]),
            ("not (active pr)", vec!["unsaid"]),
        ] {
            assert_eq!(matching(&house, filter).await, expected, "{filter}");
        }
    }

    async fn a_put_that_leaves_it_out_leaves_it_alone(house: TestHouse) {
        for value in [true, false] {
            let name = format!("ada-{value}");
            let path = person(&house, &name, json!(value)).await;
            let answer = house.put(&path, user(&name, json!({"title": "x"}))).await.status(200);
            assert_eq!(answer.json["active"], value);
            assert_eq!(active(&house, &path).await, Some(json!(value)));
            assert_eq!(matching(&house, &format!("active eq {value}")).await, [name]);
        }
    }

    async fn only_an_explicit_false_deactivates(house: TestHouse) {
        let path = person(&house, "ada", json!(true)).await;
        house
            .put(&path, user("ada", json!({"active": false})))
            .await
            .status(200);
        assert_eq!(active(&house, &path).await, Some(json!(false)));
        house.put(&path, user("ada", json!({"active": true}))).await.status(200);
        assert_eq!(active(&house, &path).await, Some(json!(true)));
    }

    async fn an_account_that_is_off_stays_off_where_nothing_is_said_of_it(house: TestHouse) {
        let path = person(&house, "ada", json!(false)).await;
        let put = house.put(&path, user("ada", json!({"active": null, "title": "x"}))).await.status(200);
        assert_eq!((&put.json["active"], &put.json["title"]), (&json!(false), &json!("x")));
        for operation in [
            json!({"op": "replace", "path": "active", "value": null}),
            json!({"op": "replace", "value": {"active": null}}),
        ] {
            let answer = house.patch(&path, json!([operation])).await.status(200);
            assert_eq!(answer.json["active"], false);
            assert_eq!(answer.header("muster-operations"), "already-true");
        }
        assert_eq!(matching(&house, "active eq false").await, ["ada"]);
        // A removal takes away what keeps them out.
        let answer = house.patch(&path, json!([{"op": "remove", "path": "active"}])).await.status(200);
        assert_eq!(answer.json.get("active"), None);
        assert!(matching(&house, "active eq false").await.is_empty());
    }

    async fn both_verbs_switch_it_off_and_on_with_and_without_a_path(house: TestHouse) {
        let path = person(&house, "ada", json!(true)).await;
        for verb in ["replace", "add"] {
            for value in [false, true, false, true] {
                for operation in [
                    json!({"op": verb, "path": "active", "value": value}),
                    json!({"op": verb, "value": {"active": value}}),
                ] {
                    assert_eq!(
                        house.patch(&path, json!([operation])).await.status(200).json["active"],
                        value
                    );
                    assert_eq!(matching(&house, &format!("active eq {value}")).await, ["ada"]);
                    assert_eq!(
                        matching(&house, &format!("active eq {}", !value)).await,
                        Vec::<String>::new()
                    );
                }
            }
        }
    }

    async fn booleans_come_back_as_booleans(house: TestHouse) {
        for (name, value, expected) in [
            ("a", "True", true),
            ("b", "False", false),
            ("c", "true", true),
            ("d", "FALSE", false),
        ] {
            let path = person(&house, name, json!(value)).await;
            assert_eq!(active(&house, &path).await, Some(json!(expected)));
            let back = if expected { "false" } else { "true" };
            house
                .patch(&path, json!([{"op": "Replace", "path": "active", "value": back}]))
                .await
                .status(200);
            assert_eq!(active(&house, &path).await, Some(json!(!expected)));
        }
    }

    async fn a_deactivated_user_keeps_its_groups_and_its_name(house: TestHouse) {
        let path = person(&house, "ada", json!(true)).await;
        let sales = house.group("Sales").await;
        house.join(&sales, path.trim_start_matches("/Users/")).await;
        house
            .patch(&path, json!([{"op": "replace", "path": "active", "value": false}]))
            .await
            .status(200);
        assert_eq!(house.get(&path).await.values_of("groups"), [sales]);
        house
            .post("/Users", user("ADA", json!({})))
            .await
            .error(409, Some("uniqueness"));
    }
}
