//! Holds: what they keep, what becomes of it, and what is true meanwhile.

use axum::http::Method;
use serde_json::{Value, json};

use super::words::{Fused, off};
use crate::support::TestHouse;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Nothing may be taken away that is not held.
fn nothing() -> Value {
    let none = json!({"percent": 0, "least": 0});
    json!({"deactivations": none, "deletions": none, "departures": none, "renames": none, "beyond": "hold"})
}

each_database! {
    async fn a_held_change_is_accepted_and_what_is_true_is_shown_until_it_is_made(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let ada = fused.house.user("ada").await;
        let path = format!("/Users/{ada}");
        let accepted = fused.house.patch(&path, off()).await.status(202);
        let hold = fused.hold().await;
        assert_eq!((accepted.header("muster-pending"), accepted.text.as_str()), (hold["id"].as_str().unwrap(), ""));
        assert_eq!(fused.house.get(&path).await.json.get("active"), None);
        let [change] = &fused.changes().await[..] else { panic!("one change") };
        assert_eq!((&change["kind"], &change["state"]), (&json!("held-change"), &json!("waiting")));
        assert_eq!((&change["request"]["method"], &change["request"]["path"]), (&json!("PATCH"), &json!(path)));
        // What takes nothing away is done, also to whom something is held about.
        fused.house.patch(&path, json!([{"op": "replace", "path": "title", "value": "Chief"}])).await.status(200);
        fused.decide("approve").await;
        let shown = fused.house.get(&path).await.json;
        assert_eq!((&shown["active"], &shown["title"]), (&json!(false), &json!("Chief")));
        assert_eq!(fused.changes().await[0]["state"], "applied");
    }

    async fn a_change_that_cannot_be_made_any_more_says_why_and_the_others_are_made(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(4).await;
        let of = |user: usize| format!("/Users/{}", users[user]);
        let etag = fused.house.get(&of(0)).await.header("etag").to_owned();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": off()});
        let only_if = [("if-match", etag.as_str())];
        fused.house.scim(Method::PATCH, &of(0), Some(body), &only_if).await.status(202);
        let taken = json!([{"op": "replace", "path": "userName", "value": "wanted"}]);
        fused.house.patch(&of(1), taken).await.status(202);
        fused.house.patch(&of(2), off()).await.status(202);
        fused.house.patch(&of(0), json!([{"op": "replace", "path": "title", "value": "Chief"}])).await.status(200);
        fused.house.user("wanted").await;
        let holds = fused.desk.get("/holds").await.status(200).json;
        let (off, renames) = (&holds["items"][0], &holds["items"][1]);
        assert_eq!((&off["what"], &renames["what"]), (&json!("deactivations"), &json!("renames")));
        let decide = async |hold: &Value, verdict: &str| {
            let path = format!("/holds/{}/{verdict}", hold["id"].as_str().unwrap());
            fused.desk.post(&path, json!({})).await
        };
        let made = decide(off, "approve").await.status(202).json;
        assert_eq!(made["changes"], json!({"waiting": 0, "applied": 1, "failed": 1, "dismissed": 0}));
        assert_eq!(fused.house.get(&of(2)).await.json["active"], false);
        let changes = fused.desk.get(&format!("/holds/{}/changes", off["id"].as_str().unwrap())).await.json;
        assert_eq!((&changes["items"][0]["state"], &changes["items"][0]["reason"]), (&json!("failed"), &json!("the resource has changed")));
        let made = decide(renames, "approve").await.status(202).json;
        assert_eq!((&made["state"], &made["changes"]["failed"]), (&json!("approved"), &json!(1)));
        let changes = fused.desk.get(&format!("/holds/{}/changes", renames["id"].as_str().unwrap())).await.json;
        let reason = changes["items"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("`userName` is already used"), "{reason}");
        assert_eq!(fused.events("request.failed").await, 2);
        assert_eq!(decide(off, "approve").await.status(202).json["state"], "approved", "decided is decided");
        decide(off, "reject").await.status(409);
    }

    async fn one_change_of_a_hold_is_made_or_taken_out_alone(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(3).await;
        for user in &users {
            fused.house.delete(&format!("/Users/{user}")).await.status(202);
        }
        let ids: Vec<String> = fused.changes().await.iter().map(|change| change["id"].as_str().unwrap().to_owned()).collect();
        fused.desk.post(&format!("/pending/{}/apply", ids[0]), json!({})).await.status(204);
        fused.desk.delete(&format!("/pending/{}", ids[1])).await.status(204);
        assert_eq!(fused.there().await, 2);
        assert_eq!(fused.hold().await["changes"], json!({"waiting": 1, "applied": 1, "failed": 0, "dismissed": 1}));
        fused.decide("approve").await;
        assert_eq!(fused.there().await, 1);
        fused.house.get(&format!("/Users/{}", users[1])).await.status(200);
    }

    async fn a_large_hold_is_made_in_pieces_by_whoever_goes_on(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(130).await;
        for user in &users {
            fused.house.patch(&format!("/Users/{user}"), off()).await.status(202);
        }
        let hold = fused.decide("approve").await;
        assert_eq!(hold["state"], "applying");
        assert_eq!(hold["changes"], json!({"waiting": 30, "applied": 100, "failed": 0, "dismissed": 0}));
        // Meanwhile the connection may go on: it was approved.
        fused.house.patch(&format!("/Users/{}", users[129]), off()).await.status(200);
        assert_eq!(fused.decide("approve").await["state"], "approved");
        let inactive = fused.house.find("/Users", "active eq false").await;
        assert_eq!(inactive.total(), 130);
        let order: Vec<Value> = fused.desk.get("/events?kind=user.updated&limit=500").await.json["items"].as_array().unwrap()
            .iter().map(|event| event["subject"]["id"].clone()).collect();
        assert_eq!(order[..100], users[..100].iter().map(|id| json!(id)).collect::<Vec<_>>(), "in the order in which they came");
        assert_eq!(fused.events("request.applied").await, 130);
    }

    async fn a_request_that_empties_a_group_is_one_held_change(house: TestHouse) {
        let fused = Fused::with(house, nothing()).await;
        let users = fused.users(3).await;
        let sales = fused.house.group("Sales").await;
        for user in &users {
            fused.house.join(&sales, user).await;
        }
        let path = format!("/Groups/{sales}");
        fused.house.put(&path, json!({"schemas": [GROUP], "displayName": "Sales"})).await.status(202);
        assert_eq!(fused.house.get(&path).await.values_of("members").len(), 3);
        assert_eq!(fused.hold().await["changes"]["waiting"], 1);
        fused.decide("approve").await;
        assert_eq!(fused.house.get(&path).await.values_of("members").len(), 0);
    }
}
