//! `/scopes` and their records.

use serde_json::json;

use super::desk::{Desk, Problems, texts};
use crate::support::TestHouse;

each_database! {
    async fn territories_make_a_tree_and_programs_have_dates(house: TestHouse) {
        let desk = Desk::admin(&house);
        let emea = desk.scope("territory", "EMEA").await;
        let germany = desk.post("/scopes", json!({"kind": "territory", "name": "Germany", "parent": emea})).await.status(201);
        assert_eq!(germany.json["parent"], emea.as_str());
        assert_eq!(germany.json["parent_name"], "EMEA");
        let program = json!({"kind": "program", "name": "Spring", "starts": "2026-03-01T01:00:00+01:00", "ends": "2026-06-01T00:00:00Z"});
        let program = desk.post("/scopes", program).await.status(201);
        assert_eq!(program.json["starts"], "2026-03-01T00:00:00.000000Z");
        assert_eq!(texts(&desk.get("/scopes?kind=territory").await.json, "name"), ["EMEA", "Germany"]);
        assert_eq!(texts(&desk.get("/scopes").await.json, "name"), ["All", "EMEA", "Germany", "Spring"]);
        let path = format!("/scopes/{}", germany.id());
        let moved = desk.patch(&path, json!({"parent": null, "name": "Deutschland"})).await.status(200).json;
        assert_eq!((&moved["parent"], &moved["name"]), (&json!(null), &json!("Deutschland")));
        let below_itself = desk.patch(&path, json!({"parent": germany.id()})).await.problem(400, "invalid-value");
        assert_eq!(below_itself["pointer"], "/parent");
        desk.delete(&path).await.no_content();
        desk.get(&path).await.problem(404, "not-found");
    }

    async fn all_is_the_first_scope_and_stays_as_it_is(house: TestHouse) {
        let desk = Desk::admin(&house);
        let emea = desk.scope("territory", "EMEA").await;
        let all = json!({"id": "all", "kind": "all", "name": "All", "parent": null});
        assert_eq!(desk.get("/scopes/all").await.status(200).json, all);
        let first = desk.get("/scopes?limit=1").await.status(200).json;
        assert_eq!(first["items"], json!([all]));
        let next = first["next"].as_str().unwrap();
        let second = desk.get(&format!("/scopes?limit=1&after={next}")).await.status(200).json;
        assert_eq!((texts(&second, "id"), second.get("next")), (vec![emea], None));
        assert_eq!(desk.get("/scopes?kind=program").await.json, json!({"items": []}));
        let before = house.dump().await;
        desk.patch("/scopes/all", json!({"name": "Everything"})).await.problem(409, "conflict");
        desk.delete("/scopes/all?force").await.problem(409, "conflict");
        let second = json!({"kind": "all", "name": "All"});
        assert_eq!(desk.post("/scopes", second).await.problem(400, "invalid-value")["pointer"], "/kind");
        before.assert_same(&house.dump().await);
    }

    async fn what_a_scope_cannot_be_is_refused_at_its_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let cases = [
            (json!({"kind": "territory", "name": " "}), "/name"),
            (json!({"kind": "territory", "name": "x", "parent": "all"}), "/parent"),
            (json!({"kind": "territory", "name": "x", "parent": "nowhere"}), "/parent"),
            (json!({"kind": "territory", "name": "x", "starts": "2026-01-01T00:00:00Z"}), "/starts"),
            (json!({"kind": "program", "name": "x", "starts": "2026-01-01"}), "/starts"),
            (json!({"kind": "program", "name": "x", "starts": "2026-02-01T00:00:00Z", "ends": "2026-01-01T00:00:00Z"}), "/ends"),
            (json!({"kind": "teritory", "name": "x"}), "/kind"),
        ];
        let before = house.dump().await;
        for (body, pointer) in cases {
            let problem = desk.post("/scopes", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn records_come_into_scopes_and_leave_them(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (one, two) = (desk.scope("record_group", "One").await, desk.scope("record_group", "Two").await);
        for scope in [&one, &two, &one] {
            desk.place(scope, "survey", "s:1%20/x".replace('/', "%2F").as_str()).await;
        }
        let records = desk.get(&format!("/scopes/{one}/records")).await.status(200).json;
        assert_eq!(records, json!({"items": [{"kind": "survey", "id": "s:1 /x"}]}));
        let scopes = desk.get("/records/survey/s:1%20%2Fx/scopes").await.status(200).json;
        assert_eq!(texts(&scopes, "name"), ["One", "Two"]);
        for _ in 0..2 {
            desk.delete(&format!("/scopes/{one}/records/survey/s:1%20%2Fx")).await.no_content();
        }
        assert_eq!(desk.get(&format!("/scopes/{one}/records")).await.json, json!({"items": []}));
    }

    async fn pages_of_records_make_up_the_list(house: TestHouse) {
        let desk = Desk::admin(&house);
        let scope = desk.scope("record_group", "One").await;
        for record in ["a", "b", "c"] {
            desk.place(&scope, "lead", record).await;
        }
        let first = desk.get(&format!("/scopes/{scope}/records?limit=2")).await.status(200).json;
        assert_eq!(texts(&first, "id"), ["a", "b"]);
        let next = first["next"].as_str().unwrap();
        let second = desk.get(&format!("/scopes/{scope}/records?limit=2&after={next}")).await.status(200).json;
        assert_eq!((texts(&second, "id"), second.get("next")), (vec!["c".to_owned()], None));
    }

    async fn a_scope_that_something_hangs_on_stays(house: TestHouse) {
        let desk = Desk::admin(&house);
        let scope = desk.scope("territory", "Germany").await;
        let ada = house.user("ada").await;
        let grant = desk.grant(&ada, "analyst", &scope).await;
        desk.delete(&format!("/scopes/{scope}")).await.problem(409, "conflict");
        desk.delete(&format!("/scopes/{scope}?force=true")).await.no_content();
        desk.get(&format!("/grants/{grant}")).await.problem(404, "not-found");
    }
}
