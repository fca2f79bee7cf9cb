//! Whom somebody kept out had nothing, also where nobody can read any more what the log says of them.

use serde_json::{Value, json};

use super::routes::later;
use super::town::desk;
use crate::admin::desk::{Desk, texts};
use crate::api::bodies::user;
use crate::support::TestHouse;

/// Who could share data at an instant, by id.
async fn able(desk: &Desk, at: &str) -> Vec<String> {
    let path = format!("/who-could?permission=data.export_share&scope=all&as_of={at}");
    texts(&desk.get(&path).await.status(200).json, "user")
}

/// What the log says of somebody at an instant.
async fn status(desk: &Desk, id: &str, at: &str) -> Value {
    let profile = desk.get(&format!("/users/{id}?as_of={at}")).await.status(200).json;
    assert_eq!(profile["incomplete"]["erased"], true, "{profile}");
    profile["status"].clone()
}

each_database! {
    async fn who_was_purged_could_nothing_while_they_were_kept_out(house: TestHouse) {
        let desk = desk(&house);
        let bob = house.user("bob").await;
        let out = house.post("/Users", user("out", json!({ "active": false }))).await.status(201).id();
        let grants = [&bob, &out];
        for id in grants {
            desk.grant(id, "manager", "all").await;
        }
        let before = later(&house);
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        let suspended = later(&house);
        desk.post(&format!("/users/{bob}/activate"), json!({})).await.status(200);
        let again = later(&house);
        house.patch(&format!("/Users/{bob}"), json!([{ "op": "replace", "path": "active", "value": false }])).await.status(200);
        let by_source = later(&house);
        for id in grants {
            house.delete(&format!("/Users/{id}")).await.no_content();
            desk.post(&format!("/users/{id}/purge"), json!({})).await.status(202);
        }
        house.turn().await;
        assert!(desk.get("/tombstones?type=user").await.json["items"].as_array().unwrap().is_empty());
        assert_eq!(able(&desk, &before).await, [bob.as_str()]);
        assert_eq!(able(&desk, &suspended).await, [""; 0]);
        assert_eq!(able(&desk, &again).await, [bob.as_str()]);
        assert_eq!(able(&desk, &by_source).await, [""; 0]);
    }

    async fn the_status_of_who_lives_and_cannot_be_read_is_what_it_was(house: TestHouse) {
        let desk = desk(&house);
        let bob = house.user("bob").await;
        desk.grant(&bob, "manager", "all").await;
        let before = later(&house);
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        let suspended = later(&house);
        house.delete(&format!("/Users/{bob}")).await.no_content();
        desk.post(&format!("/users/{bob}/restore"), json!({})).await.status(200);
        let restored = later(&house);
        desk.post(&format!("/users/{bob}/activate"), json!({})).await.status(200);
        let active = later(&house);
        house.database.execute("UPDATE resource SET seal = NULL").await;
        for (at, was) in [(&before, "active"), (&suspended, "suspended"), (&restored, "suspended"), (&active, "active")] {
            assert_eq!(status(&desk, &bob, at).await, was, "{at}");
            assert_eq!(able(&desk, at).await.len(), usize::from(was == "active"), "{at}");
        }
        let diff = desk.get(&format!("/users/{bob}/diff?from={before}&to={suspended}")).await.status(200).json;
        assert_eq!((&diff["from"]["status"], &diff["to"]["status"]), (&json!("active"), &json!("suspended")));
    }

    async fn who_is_invited_could_nothing_before_they_came(house: TestHouse) {
        let desk = desk(&house);
        let asked = json!({ "emails": "kim@example.com", "role": "manager", "scope": "all" });
        desk.post("/invitations", asked).await.status(200);
        let kim = house.find("/Users", "userName eq \"kim@example.com\"").await.json["Resources"][0]["id"].as_str().unwrap().to_owned();
        let at = later(&house);
        house.database.execute("UPDATE resource SET seal = NULL").await;
        assert_eq!(status(&desk, &kim, &at).await, "invited");
        assert_eq!(able(&desk, &at).await, [""; 0]);
    }
}
