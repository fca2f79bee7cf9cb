//! `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3).

use serde_json::json;

use crate::api::asks::as_connection;
use crate::api::bodies::{search, user};
use crate::support::TestHouse;

/// The names of all users in the order that a query asks for.
async fn order(house: &TestHouse, query: &str) -> Vec<String> {
    let answer = house.get(&format!("/Users?{query}")).await.status(200);
    let list = answer.json["Resources"].as_array().unwrap();
    list.iter()
        .map(|user| user["userName"].as_str().unwrap().to_owned())
        .collect()
}

async fn furnished(house: &TestHouse) {
    for (name, more) in [
        (
            "dora",
            json!({"title": "Manager", "emails": [{"value": "z@x.test"}, {"value": "b@x.test", "primary": true}]}),
        ),
        (
            "Bob",
            json!({"title": "engineer", "emails": [{"value": "c@x.test"}, {"value": "a@x.test"}]}),
        ),
        ("carl", json!({"active": true})),
        (
            "ada",
            json!({"title": "Tour Guide", "name": {"familyName": "\u{e9}clair"}}),
        ),
    ] {
        house.clock().advance(std::time::Duration::from_secs(1));
        house.post("/Users", user(name, more)).await.status(201);
    }
}

each_database! {
    async fn text_is_sorted_without_letter_case(house: TestHouse) {
        furnished(&house).await;
        assert_eq!(order(&house, "sortBy=userName").await, ["ada", "Bob", "carl", "dora"]);
        assert_eq!(
            order(&house, "sortBy=USERNAME&sortOrder=ascending").await,
            ["ada", "Bob", "carl", "dora"]
        );
        assert_eq!(
            order(&house, "sortBy=userName&sortOrder=Descending").await,
            ["dora", "carl", "Bob", "ada"]
        );
    }

    async fn the_absent_come_last_and_descending_first(house: TestHouse) {
        furnished(&house).await;
        assert_eq!(order(&house, "sortBy=title").await, ["Bob", "dora", "ada", "carl"]);
        assert_eq!(
            order(&house, "sortBy=title&sortOrder=descending").await,
            ["carl", "ada", "dora", "Bob"]
        );
    }

    async fn of_many_values_the_primary_or_else_the_first_counts(house: TestHouse) {
        furnished(&house).await;
        assert_eq!(order(&house, "sortBy=emails.value").await[..2], ["dora", "Bob"]);
        assert_eq!(order(&house, "sortBy=emails").await[..2], ["dora", "Bob"]);
    }

    async fn instants_are_sorted_by_time(house: TestHouse) {
        furnished(&house).await;
        assert_eq!(
            order(&house, "sortBy=meta.created").await,
            ["dora", "Bob", "carl", "ada"]
        );
        assert_eq!(
            order(&house, "sortBy=meta.lastModified&sortOrder=descending").await,
            ["ada", "carl", "Bob", "dora"]
        );
    }

    async fn pages_of_equal_values_neither_repeat_nor_skip(house: TestHouse) {
        for n in 0..9 {
            house
                .post("/Users", user(&format!("u{n}"), json!({"title": "same"})))
                .await
                .status(201);
        }
        for direction in ["ascending", "descending"] {
            let mut seen = Vec::new();
            for start in [1, 3, 5, 7, 9] {
                seen.extend(
                    order(
                        &house,
                        &format!("sortBy=title&sortOrder={direction}&startIndex={start}&count=2"),
                    )
                    .await,
                );
            }
            seen.sort();
            assert_eq!(seen, (0..9).map(|n| format!("u{n}")).collect::<Vec<_>>());
        }
    }

    async fn a_sorted_list_can_be_filtered(house: TestHouse) {
        furnished(&house).await;
        assert_eq!(
            order(&house, "sortBy=userName&filter=title%20pr&count=2").await,
            ["ada", "Bob"]
        );
    }

    async fn external_ids_are_sorted_as_the_caller_sees_them(house: TestHouse) {
        let other = as_connection(&house, "hr", "auto");
        for (name, own, theirs) in [("ada", "2", "8"), ("bob", "1", "9")] {
            let id = house
                .post("/Users", user(name, json!({"externalId": own})))
                .await
                .status(201)
                .id();
            let change = json!([{"op": "add", "path": "externalId", "value": theirs}]);
            other.patch(&format!("/Users/{id}"), change).await.status(200);
        }
        assert_eq!(order(&house, "sortBy=externalId").await, ["bob", "ada"]);
        assert_eq!(order(&other, "sortBy=externalId").await, ["ada", "bob"]);
    }

    async fn the_root_is_sorted_across_types(house: TestHouse) {
        let (bob, alpha) = (
            house
                .post("/Users", user("x", json!({"displayName": "Beta"})))
                .await
                .id(),
            house.group("alpha").await,
        );
        assert_eq!(house.get("/?sortBy=displayName").await.status(200).ids(), [alpha, bob]);
    }

    async fn what_cannot_be_sorted_by_is_refused(house: TestHouse) {
        furnished(&house).await;
        for query in [
            "sortBy=name",
            "sortBy=userName&sortOrder=up",
            "sortBy=noSuchThing",
            "sortBy=..",
            "sortBy=password",
            "sortBy=groups.value",
            "sortBy=groups",
            "sortBy=userName,nope",
            "sortBy=userName,title",
        ] {
            let answer = house.get(&format!("/Users?{query}")).await;
            let refused = matches!(answer.status, 400 | 403);
            assert!(refused && answer.json["detail"].is_string(), "{query}: {}", answer.text);
        }
        let hidden = house.get("/Users?sortBy=password").await.error(403, Some("sensitive"));
        assert_eq!(hidden, "`password` cannot be sorted by");
        house.get("/Users?sortBy=userName,nope").await.error(400, Some("invalidPath"));
        assert_eq!(order(&house, "sortBy=userName,&count=1").await, ["ada"]);
        let asked = search(json!({"sortBy": "userName,nope"}));
        house.post("/Users/.search", asked).await.error(400, Some("invalidPath"));
    }
}
