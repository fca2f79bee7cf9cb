//! What the product promises, told from the provisioning request to the decision.

use serde_json::json;

use super::desk::{Desk, Problems};
use crate::support::TestHouse;

const VIEW: &str = "data.view_identified";
const EDIT: &str = "record.edit";

/// Who holds the grants of a list.
fn holders(grants: &serde_json::Value) -> Vec<String> {
    let items = grants["items"].as_array().unwrap();
    items
        .iter()
        .map(|grant| grant["subject"]["id"].as_str().unwrap().to_owned())
        .collect()
}

each_database! {
    async fn a_germany_market_manager_sees_only_german_surveys(house: TestHouse) {
        let desk = Desk::admin(&house);
        let emea = desk.scope("territory", "EMEA").await;
        let country = async |name: &str| {
            let scope = json!({"kind": "territory", "name": name, "parent": emea});
            desk.post("/scopes", scope).await.status(201).id()
        };
        let (germany, france) = (country("Germany").await, country("France").await);
        desk.place(&germany, "survey", "berlin").await;
        desk.place(&france, "survey", "paris").await;
        let rule = json!({
            "name": "Market managers of Germany",
            "when": "title eq \"Market Manager\" and addresses.country eq \"DE\"",
            "then": [{"role": "manager", "scope": germany}],
            "state": "active",
        });
        desk.post("/rules", rule).await.status(201);
        let body = json!({
            "schemas": [crate::api::bodies::USER], "userName": "greta", "title": "Market Manager",
            "addresses": [{"type": "work", "country": "DE"}],
        });
        let greta = house.post("/Users", body).await.status(201).id();
        assert!(desk.may(&greta, VIEW, ("survey", "berlin")).await);
        assert!(!desk.may(&greta, VIEW, ("survey", "paris")).await);
        // The provisioning source changes the title: what the rule gave is gone with the same answer.
        let retitle = json!([{"op": "replace", "path": "title", "value": "Clerk"}]);
        house.patch(&format!("/Users/{greta}"), retitle).await.status(200);
        assert!(!desk.may(&greta, VIEW, ("survey", "berlin")).await);
    }

    async fn admin_on_one_group_and_read_only_on_another_is_admin_on_a_survey_in_both(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let (one, two) = (desk.scope("record_group", "A").await, desk.scope("record_group", "B").await);
        for scope in [&one, &two] {
            desk.place(scope, "survey", "both").await;
        }
        desk.place(&two, "survey", "b-only").await;
        desk.grant(&ada, "admin", &one).await;
        desk.grant(&ada, "read-only", &two).await;
        assert!(desk.may(&ada, "data.erase", ("survey", "both")).await);
        assert!(!desk.may(&ada, "data.erase", ("survey", "b-only")).await);
        assert!(desk.may(&ada, "data.view_anonymised", ("survey", "b-only")).await);
        let asked = format!("/users/{ada}/explain?permission=data.view_anonymised&record=survey:both");
        let explained = desk.get(&asked).await.status(200).json;
        assert_eq!(explained["supports"].as_array().unwrap().len(), 2, "{explained}");
    }

    async fn a_partner_group_moves_and_its_permissions_follow_in_the_same_answer(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (pat, partners) = (house.user("pat").await, house.group("Partner AG").await);
        house.join(&partners, &pat).await;
        let (north, south) = (desk.scope("territory", "North").await, desk.scope("territory", "South").await);
        desk.place(&north, "lead", "n").await;
        desk.place(&south, "lead", "s").await;
        let old = desk.grant_to("group", &partners, "manager", &north).await;
        assert!(desk.may(&pat, EDIT, ("lead", "n")).await);
        desk.grant_to("group", &partners, "manager", &south).await;
        assert!(desk.may(&pat, EDIT, ("lead", "s")).await);
        desk.delete(&format!("/grants/{old}")).await.no_content();
        assert!(!desk.may(&pat, EDIT, ("lead", "n")).await);
        let access = desk.get(&format!("/users/{pat}/access")).await.status(200).json;
        let assignments = access["assignments"].as_array().unwrap();
        assert_eq!(assignments.len(), 1, "{access}");
        assert_eq!((&assignments[0]["role"], &assignments[0]["scope"]), (&json!("manager"), &json!(south)));
        assert_eq!(assignments[0]["why"][0]["through"][0]["group"], partners.as_str());
        assert_eq!(access["status"], "active");
        // Out of the group, out of everything.
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{pat}\"]")}]);
        let left = house.patch(&format!("/Groups/{partners}"), leave).await;
        assert!(matches!(left.status, 200 | 204));
        assert!(!desk.may(&pat, EDIT, ("lead", "s")).await);
    }

    async fn a_copy_of_analyst_loses_export_for_who_holds_it_and_analyst_stays_as_it_is(house: TestHouse) {
        const EXPORT: &str = "data.export_share";
        let desk = Desk::admin(&house);
        let (careful, usual) = (house.user("careful").await, house.user("usual").await);
        let scope = desk.scope("territory", "Germany").await;
        desk.place(&scope, "survey", "berlin").await;
        let copy = desk.post("/roles/analyst/copy", json!({"name": "Careful analyst"})).await.status(201);
        desk.grant(&careful, &copy.id(), &scope).await;
        desk.grant(&usual, "analyst", &scope).await;
        assert!(desk.may(&careful, EXPORT, ("survey", "berlin")).await, "a copy permits what its origin does");
        let mut kept = copy.json["permissions"].as_array().unwrap().clone();
        kept.retain(|key| key != EXPORT);
        desk.patch(&format!("/roles/{}", copy.id()), json!({"permissions": kept})).await.status(200);
        assert!(!desk.may(&careful, EXPORT, ("survey", "berlin")).await, "saved, and gone with the same answer");
        assert!(desk.may(&careful, "data.act", ("survey", "berlin")).await);
        // Analyst itself is changed, renamed and deleted by nobody.
        for change in [json!({"permissions": kept}), json!({"name": "Analyst, but careful"})] {
            desk.patch("/roles/analyst", change).await.problem(409, "conflict");
        }
        desk.delete("/roles/analyst?force=true").await.problem(409, "conflict");
        assert!(desk.may(&usual, EXPORT, ("survey", "berlin")).await);
    }

    async fn ownership_moves_once_whoever_asks_and_the_owner_is_not_deactivated(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob, eve) = (house.user("ada").await, house.user("bob").await, house.user("eve").await);
        let owners = async || {
            let grants = desk.get("/grants?role=owner").await.status(200).json;
            holders(&grants)
        };
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        assert_eq!(owners().await, [ada.as_str()]);
        // Two transfers at the same moment: one is made, the other finds another owner.
        let own = Desk::user(&house, &ada);
        let (one, other) = tokio::join!(
            own.post("/ownership", json!({"to": bob})),
            own.post("/ownership", json!({"to": eve})),
        );
        let won = [(&one, &bob), (&other, &eve)].into_iter().filter(|(answer, _)| answer.status == 200);
        let won: Vec<_> = won.map(|(_, to)| to.as_str()).collect();
        assert_eq!(won.len(), 1, "{one:?} {other:?}");
        assert_eq!(owners().await, won);
        // Provisioning cannot take the owner away, and is told what to do; the former owner is a user like others.
        let off = json!([{"op": "replace", "path": "active", "value": false}]);
        let refused = house.patch(&format!("/Users/{}", won[0]), off.clone()).await.status(409).json;
        assert!(refused["detail"].as_str().unwrap().contains("owner"), "{refused}");
        house.delete(&format!("/Users/{}", won[0])).await.status(409);
        house.patch(&format!("/Users/{ada}"), off).await.status(200);
        assert_eq!(owners().await, won);
    }

    async fn who_is_deactivated_has_nothing_from_that_answer_on(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, other) = (house.user("ada").await, house.user("other").await);
        // The last administrator could not be deactivated.
        desk.grant(&ada, "admin", "all").await;
        desk.grant(&other, "admin", "all").await;
        assert!(desk.may(&ada, EDIT, ("lead", "1")).await);
        let own = Desk::user(&house, &ada);
        own.get("/roles").await.status(200);
        let switch = |active: bool| json!([{"op": "replace", "path": "active", "value": active}]);
        house.patch(&format!("/Users/{ada}"), switch(false)).await.status(200);
        assert!(!desk.may(&ada, EDIT, ("lead", "1")).await);
        let access = desk.get(&format!("/users/{ada}/access")).await.status(200).json;
        assert_eq!((&access["status"], &access["assignments"]), (&json!("deactivated"), &json!([])));
        house.patch(&format!("/Users/{ada}"), switch(true)).await.status(200);
        assert!(desk.may(&ada, EDIT, ("lead", "1")).await);
    }

    async fn an_explanation_says_what_is_missing(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let (germany, france) = (desk.scope("territory", "Germany").await, desk.scope("territory", "France").await);
        desk.place(&france, "lead", "f").await;
        desk.grant(&ada, "analyst", &germany).await;
        let asked = format!("/users/{ada}/explain?permission=data.act&record=lead:f");
        let explained = desk.get(&asked).await.status(200).json;
        assert_eq!((&explained["allowed"], &explained["permissions"]), (&json!(false), &json!([])));
        let kinds: Vec<_> = explained["misses"][0]["obstacles"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert_eq!(kinds, ["held_elsewhere"], "{explained}");
        assert!(explained["text"].as_str().unwrap().contains("Germany"));
        // Everyone may ask about themselves, and about nobody else.
        let own = Desk::user(&house, &ada);
        own.get(&asked).await.status(200);
        let bob = house.user("bob").await;
        own.get(&format!("/users/{bob}/access")).await.status(403);
    }
}
