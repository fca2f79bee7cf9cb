//! `/ownership`: exactly one owner, who hands over to another.

use serde_json::json;

use super::desk::{Desk, Problems};
use crate::support::TestHouse;

/// Who holds the role of the owner, by grants.
async fn owners(desk: &Desk) -> Vec<String> {
    let grants = desk.get("/grants?role=owner").await.status(200).json;
    let items = grants["items"].as_array().unwrap();
    items
        .iter()
        .map(|grant| grant["subject"]["id"].as_str().unwrap().to_owned())
        .collect()
}

each_database! {
    async fn ownership_moves_and_there_is_never_a_second_owner(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        assert_eq!(desk.get("/ownership").await.status(200).json, json!({"owner": null}));
        let first = desk.post("/ownership", json!({"to": ada})).await.status(200).json;
        assert_eq!(first["owner"], json!({"id": ada, "name": "ada"}));
        assert_eq!(owners(&desk).await, [ada.as_str()]);
        // No second one by a grant, and no second one by an administrator without a reason.
        let grant = json!({"subject": {"type": "user", "id": bob}, "role": "owner", "scope": "all"});
        assert_eq!(desk.post("/grants", grant).await.status / 100, 4);
        let silent = desk.post("/ownership", json!({"to": bob})).await.problem(400, "invalid-value");
        assert_eq!(silent["pointer"], "/break_glass");
        assert_eq!(owners(&desk).await, [ada.as_str()]);
        // The owner hands over, and is an admin from then on.
        let moved = Desk::user(&house, &ada).post("/ownership", json!({"to": bob})).await.status(200).json;
        assert_eq!((&moved["owner"]["id"], &moved["former"]["id"]), (&json!(bob), &json!(ada)));
        assert_eq!(owners(&desk).await, [bob.as_str()]);
        Desk::user(&house, &ada).get("/roles").await.status(200);
        // Who is not the owner cannot.
        Desk::user(&house, &ada).post("/ownership", json!({"to": ada})).await.problem(403, "forbidden");
        desk.post("/ownership", json!({"to": ada, "break_glass": "bob has left"})).await.status(200);
        assert_eq!(owners(&desk).await, [ada.as_str()]);
    }

    async fn only_an_active_user_of_the_organisation_can_own_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, nina) = (house.user("ada").await, house.second_tenant().user("nina").await);
        house.patch(&format!("/Users/{ada}"), json!([{"op": "replace", "path": "active", "value": false}])).await.status(200);
        assert_eq!(desk.post("/ownership", json!({"to": ada})).await.status / 100, 4);
        let problem = desk.post("/ownership", json!({"to": nina})).await.problem(400, "invalid-value");
        assert_eq!(problem["pointer"], "/to");
        assert_eq!(owners(&desk).await, Vec::<String>::new());
    }

    async fn the_owner_is_not_removed_by_anything_but_a_transfer(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        let grant = desk.get("/grants?role=owner").await.json["items"][0]["id"].as_str().unwrap().to_owned();
        desk.delete(&format!("/grants/{grant}")).await.problem(409, "conflict");
        assert_eq!(owners(&desk).await, [ada]);
    }
}
