//! `/roles`: predefined ones stay as they are, copies and own ones do not.

use serde_json::{Value, json};

use super::desk::{Desk, Problems, texts};
use crate::api::bodies::NOBODY;
use crate::support::TestHouse;

const PREDEFINED: [&str; 5] = ["owner", "admin", "manager", "analyst", "read-only"];

async fn role(desk: &Desk, name: &str, permissions: Value) -> String {
    let answer = desk
        .post("/roles", json!({"name": name, "permissions": permissions}))
        .await
        .status(201);
    let id = answer.id();
    assert_eq!(answer.header("location"), format!("/api/v1/roles/{id}"));
    id
}

each_database! {
    async fn the_predefined_roles_come_first_with_what_they_permit(house: TestHouse) {
        let desk = Desk::admin(&house);
        let id = role(&desk, "Auditor", json!(["org.audit.view"])).await;
        let list = desk.get("/roles").await.status(200).json;
        assert_eq!(texts(&list, "id"), [PREDEFINED.as_slice(), &[id.as_str()]].concat());
        assert_eq!(list["items"][4]["permissions"], json!(["data.view_anonymised"]));
        assert_eq!(list["items"][4]["predefined"], true);
        assert_eq!(list["items"][5]["predefined"], false);
        assert_eq!(list.get("next"), None);
    }

    async fn pages_of_roles_make_up_the_list(house: TestHouse) {
        let desk = Desk::admin(&house);
        for name in ["a", "b"] {
            role(&desk, name, json!([])).await;
        }
        let (mut names, mut query) = (Vec::new(), "?limit=3".to_owned());
        loop {
            let page = desk.get(&format!("/roles{query}")).await.status(200).json;
            names.extend(texts(&page, "name"));
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=3&after={next}");
        }
        assert_eq!(names, ["Owner", "Admin", "Manager", "Analyst", "Read-Only", "a", "b"]);
    }

    async fn a_role_is_made_changed_and_deleted(house: TestHouse) {
        let desk = Desk::admin(&house);
        let path = format!("/roles/{}", role(&desk, "Reviewer", json!(["data.act"])).await);
        let change = json!({"name": "Senior reviewer", "permissions": ["data.act", "data.erase"]});
        let changed = desk.patch(&path, change).await.status(200).json;
        assert_eq!(changed["name"], "Senior reviewer");
        assert_eq!(changed["permissions"], json!(["data.act", "data.erase"]));
        assert_eq!(desk.get(&path).await.status(200).json, changed);
        desk.delete(&path).await.no_content();
        desk.get(&path).await.problem(404, "not-found");
    }

    async fn a_copy_of_analyst_can_lose_export_and_analyst_cannot_be_edited(house: TestHouse) {
        let desk = Desk::admin(&house);
        let copy = desk.post("/roles/analyst/copy", json!({"name": "Careful analyst"})).await.status(201);
        let kept: Vec<Value> = copy.json["permissions"].as_array().unwrap().clone();
        assert!(kept.contains(&json!("data.export_share")));
        let kept: Vec<Value> = kept.into_iter().filter(|key| key != "data.export_share").collect();
        let path = format!("/roles/{}", copy.id());
        let saved = desk.patch(&path, json!({"permissions": kept})).await.status(200).json;
        assert_eq!(saved["origin"]["role"]["id"], "analyst");
        assert_eq!(saved["origin"]["removed"], json!(["data.export_share"]));
        assert_eq!(saved["origin"]["added"], json!([]));
        let before = house.dump().await;
        for id in PREDEFINED {
            desk.patch(&format!("/roles/{id}"), json!({"name": "Mine"})).await.problem(409, "conflict");
            desk.delete(&format!("/roles/{id}")).await.problem(409, "conflict");
        }
        before.assert_same(&house.dump().await);
        assert_eq!(desk.get("/roles/analyst").await.json["permissions"].as_array().unwrap().len(), 4);
    }

    async fn a_name_is_taken_in_any_letter_case_also_by_predefined_roles(house: TestHouse) {
        let desk = Desk::admin(&house);
        role(&desk, "Reviewer", json!([])).await;
        let taken = desk.post("/roles", json!({"name": "REVIEWER"})).await.problem(409, "conflict");
        assert_eq!(taken["pointer"], "/name");
        assert_eq!(desk.post("/roles", json!({"name": "owner"})).await.status / 100, 4);
        role(&Desk::neighbour(&house), "Reviewer", json!([])).await;
    }

    async fn an_unknown_permission_is_refused_with_the_one_that_was_meant(house: TestHouse) {
        let desk = Desk::admin(&house);
        let body = json!({"name": "x", "permissions": ["data.act", "data.eraze"]});
        let problem = desk.post("/roles", body).await.problem(400, "invalid-value");
        assert_eq!(problem["pointer"], "/permissions/1");
        assert!(problem["detail"].as_str().unwrap().contains("`data.erase`"), "{problem}");
    }

    async fn a_role_in_use_is_deleted_only_with_what_hangs_on_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let id = role(&desk, "Reviewer", json!(["data.act"])).await;
        let ada = house.user("ada").await;
        let grant = desk.grant(&ada, &id, "all").await;
        desk.delete(&format!("/roles/{id}")).await.problem(409, "conflict");
        desk.delete(&format!("/roles/{id}?force=true")).await.no_content();
        desk.get(&format!("/grants/{grant}")).await.problem(404, "not-found");
    }

    async fn a_neighbours_role_is_a_missing_one(house: TestHouse) {
        let theirs = role(&Desk::neighbour(&house), "Reviewer", json!([])).await;
        let desk = Desk::admin(&house);
        for id in [theirs.as_str(), NOBODY] {
            desk.get(&format!("/roles/{id}")).await.problem(404, "not-found");
            desk.patch(&format!("/roles/{id}"), json!({"name": "x"})).await.problem(404, "not-found");
            desk.post(&format!("/roles/{id}/copy"), json!({"name": "x"})).await.problem(404, "not-found");
            desk.delete(&format!("/roles/{id}")).await.problem(404, "not-found");
        }
    }

    async fn nobody_makes_a_role_that_permits_more_than_they_hold(house: TestHouse) {
        let desk = Desk::admin(&house);
        let keeper = role(&desk, "Keeper", json!(["org.roles.manage", "data.act"])).await;
        let kim = house.user("kim").await;
        desk.grant(&kim, &keeper, "all").await;
        let kim = Desk::user(&house, &kim);
        kim.post("/roles", json!({"name": "Same", "permissions": ["data.act"]})).await.status(201);
        kim.post("/roles", json!({"name": "More", "permissions": ["data.erase"]})).await.problem(403, "forbidden");
        kim.post("/roles/admin/copy", json!({"name": "More"})).await.problem(403, "forbidden");
    }
}
