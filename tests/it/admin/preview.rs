//! `/preview`: who would gain and lose what; applied only while it still is so.

use serde_json::json;

use super::desk::{Desk, Problems};
use crate::support::TestHouse;

each_database! {
    async fn a_preview_names_gains_and_losses_and_changes_nothing_until_it_is_applied(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let scope = desk.scope("territory", "Germany").await;
        let grant = desk.grant(&bob, "analyst", &scope).await;
        let changes = json!({"changes": [
            {"grant": {"subject": {"type": "user", "id": ada}, "role": "read-only", "scope": scope}},
            {"delete": {"type": "grant", "id": grant}},
        ]});
        let preview = desk.post("/preview", changes).await.status(200).json;
        assert_eq!(preview["gains"].as_array().unwrap().len(), 1, "{preview}");
        assert_eq!((&preview["gains"][0]["user"], &preview["gains"][0]["scope"]), (&json!(ada), &json!(scope)));
        assert_eq!(preview["gains"][0]["permissions"], json!(["data.view_anonymised"]));
        assert_eq!(preview["losses"][0]["user"], bob.as_str());
        assert_eq!((&preview["counts"]["gains"], &preview["counts"]["losses"]), (&json!(1), &json!(1)));
        desk.get(&format!("/grants/{grant}")).await.status(200);
        let apply = format!("/preview/{}/apply", preview["id"].as_str().unwrap());
        desk.post(&apply, json!({})).await.no_content();
        desk.get(&format!("/grants/{grant}")).await.problem(404, "not-found");
        let access = desk.get(&format!("/users/{ada}/access")).await.json;
        assert_eq!(access["assignments"][0]["role"], "read-only");
        desk.post(&apply, json!({})).await.problem(409, "conflict");
    }

    async fn a_preview_is_not_applied_when_the_world_has_moved(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let rule = json!({"name": "Titled", "when": "title pr", "then": [{"role": "analyst", "scope": "all"}], "state": "active"});
        let preview = desk.post("/preview", json!({"changes": [{"rule": rule}]})).await.status(200).json;
        assert_eq!((&preview["gains"], &preview["counts"]["gains"]), (&json!([]), &json!(0)));
        let title = json!([{"op": "add", "path": "title", "value": "x"}]);
        house.patch(&format!("/Users/{ada}"), title).await.status(200);
        let apply = format!("/preview/{}/apply", preview["id"].as_str().unwrap());
        desk.post(&apply, json!({})).await.problem(409, "conflict");
        desk.grant_to("group", &sales, "analyst", "all").await;
        desk.post(&apply, json!({})).await.problem(409, "conflict");
        assert_eq!(desk.get("/rules").await.json, json!({"items": []}));
    }

    async fn a_rule_in_a_preview_is_active_unless_it_says_draft(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let everyone = json!({"name": "Everyone", "when": "userName pr", "then": [{"role": "analyst", "scope": "all"}]});
        let mut draft = everyone.clone();
        draft["state"] = json!("draft");
        let nothing = desk.post("/preview", json!({"changes": [{"rule": draft}]})).await.status(200).json;
        assert_eq!(nothing["counts"]["gains"], 0, "{nothing}");
        let preview = desk.post("/preview", json!({"changes": [{"rule": everyone}]})).await.status(200).json;
        assert_eq!(preview["gains"][0]["user"], ada.as_str(), "{preview}");
        desk.post(&format!("/preview/{}/apply", preview["id"].as_str().unwrap()), json!({})).await.no_content();
        assert!(desk.may(&ada, "data.act", ("lead", "1")).await);
        assert_eq!(desk.get("/rules").await.json["items"][0]["state"], "active");
    }

    async fn a_preview_says_what_would_be_refused_and_how_many_it_concerns(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let last = desk.grant(&ada, "admin", "all").await;
        let before = house.dump().await;
        let ends = json!({"delete": {"type": "grant", "id": last}});
        let refused = desk.post("/preview", json!({"changes": [ends.clone()]})).await.status(200).json;
        assert!(refused["refused"].as_str().unwrap().contains("administrator"), "{refused}");
        assert_eq!(refused["mass_change"], 0.5);
        let moves = json!({"grant": {"subject": {"type": "user", "id": bob}, "role": "admin", "scope": "all"}});
        let fine = desk.post("/preview", json!({"changes": [moves, ends]})).await.status(200).json;
        assert_eq!((&fine["refused"], &fine["mass_change"]), (&json!(null), &json!(1.0)));
        desk.get(&format!("/grants/{last}")).await.status(200);
        assert_eq!(house.dump().await.rows(), before.rows() + 2, "the two previews");
        desk.post(&format!("/preview/{}/apply", refused["id"].as_str().unwrap()), json!({})).await.problem(409, "conflict");
        desk.post(&format!("/preview/{}/apply", fine["id"].as_str().unwrap()), json!({})).await.no_content();
    }

    async fn a_change_that_cannot_be_made_is_refused_at_its_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let grant = |role: &str| json!({"grant": {"subject": {"type": "user", "id": ada}, "role": role, "scope": "all"}});
        let before = house.dump().await;
        let cases = [
            (json!([grant("analyst"), grant("boss")]), "/changes/1/grant/role"),
            (json!([{"grant": {"subject": {"type": "user", "id": ada}, "role": "analyst"}}]), "/changes/0/grant/scope"),
            (json!([{"rool": {"name": "x"}}]), "/changes/0/rool"),
            (json!([{"role": {"nmae": "x"}}]), "/changes/0/role/nmae"),
            (json!([]), "/changes"),
        ];
        for (changes, pointer) in cases {
            let problem = desk.post("/preview", json!({"changes": changes})).await.status(400).json;
            assert_eq!(problem["pointer"], pointer, "{changes}: {problem}");
        }
        before.assert_same(&house.dump().await);
    }
}
