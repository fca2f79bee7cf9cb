//! `/grants`: roles given to users and groups, on scopes, on everything, on one record.

use std::time::Duration;

use serde_json::json;

use super::desk::{Desk, Problems, texts};
use crate::api::bodies::NOBODY;
use crate::support::TestHouse;

each_database! {
    async fn a_grant_says_who_has_what_where_and_who_made_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, scope) = (house.user("ada").await, desk.scope("territory", "Germany").await);
        let body = json!({
            "subject": {"type": "user", "id": ada}, "role": "manager", "scope": scope,
            "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2027-01-01T00:00:00Z", "restrict": {"tier": ["gold", "silver"]},
        });
        let made = desk.post("/grants", body).await.status(201);
        assert_eq!(made.header("location"), format!("/api/v1/grants/{}", made.id()));
        let grant = desk.get(&format!("/grants/{}", made.id())).await.status(200).json;
        assert_eq!(grant, made.json);
        assert_eq!(grant["subject"], json!({"type": "user", "id": ada, "name": "ada"}));
        assert_eq!((&grant["role"], &grant["scope"]), (&json!("manager"), &json!(scope)));
        assert_eq!(grant["scope_name"], "Germany");
        assert_eq!(grant["valid_to"], "2027-01-01T00:00:00.000000Z");
        assert_eq!(grant["restrict"], json!({"tier": ["gold", "silver"]}));
        assert_eq!((&grant["origin"], &grant["made"]["by_kind"]), (&json!("manual"), &json!("admin")));
    }

    async fn a_grant_counts_on_one_record_alone(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let body = json!({"subject": {"type": "user", "id": ada}, "role": "analyst", "record": {"kind": "lead", "id": "7"}});
        let grant = desk.post("/grants", body).await.status(201).json;
        assert_eq!((&grant["record"], grant.get("scope")), (&json!({"kind": "lead", "id": "7"}), None));
        assert!(desk.may(&ada, "data.act", ("lead", "7")).await);
        assert!(!desk.may(&ada, "data.act", ("lead", "8")).await);
    }

    async fn grants_are_listed_by_subject_role_scope_and_record(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let scope = desk.scope("territory", "Germany").await;
        let own = desk.grant(&ada, "analyst", &scope).await;
        let group = desk.grant_to("group", &sales, "manager", "all").await;
        let cases = [
            (String::new(), vec![&own, &group]),
            (format!("?subject={ada}"), vec![&own]),
            ("?role=manager".to_owned(), vec![&group]),
            (format!("?scope={scope}"), vec![&own]),
            ("?scope=all".to_owned(), vec![&group]),
            (format!("?subject={NOBODY}"), vec![]),
            ("?record=lead:7".to_owned(), vec![]),
        ];
        for (query, ids) in cases {
            let list = desk.get(&format!("/grants{query}")).await.status(200).json;
            assert_eq!(texts(&list, "id").iter().collect::<Vec<_>>(), ids, "{query}");
        }
        let first = desk.get("/grants?limit=1").await.json;
        let next = first["next"].as_str().unwrap();
        assert_eq!(texts(&desk.get(&format!("/grants?limit=1&after={next}")).await.json, "id"), [group]);
    }

    async fn a_grant_counts_while_it_is_valid_and_ends_when_it_is_deleted(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let grant = desk.grant(&ada, "analyst", "all").await;
        let record = ("lead", "7");
        let period = |from: &str| json!({"valid_from": from, "valid_to": "2026-01-03T00:00:00Z"});
        let path = format!("/grants/{grant}/validity");
        desk.ask(axum::http::Method::PUT, &format!("/api/v1{path}"), Some(period("2026-01-02T00:00:00Z")), &[])
            .await
            .status(200);
        assert!(!desk.may(&ada, "data.act", record).await);
        house.clock().advance(Duration::from_hours(24));
        assert!(desk.may(&ada, "data.act", record).await);
        house.clock().advance(Duration::from_hours(24));
        assert!(!desk.may(&ada, "data.act", record).await);
        let other = desk.grant(&ada, "read-only", "all").await;
        assert!(desk.may(&ada, "data.view_anonymised", record).await);
        desk.delete(&format!("/grants/{other}")).await.no_content();
        assert!(!desk.may(&ada, "data.view_anonymised", record).await);
        desk.delete(&format!("/grants/{other}")).await.problem(404, "not-found");
    }

    async fn what_a_grant_cannot_be_is_refused_at_its_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, neighbour) = (house.user("ada").await, house.second_tenant().user("nina").await);
        let with = |name: &str, value: serde_json::Value| {
            let mut body = json!({"subject": {"type": "user", "id": ada}, "role": "analyst", "scope": "all"});
            body[name] = value;
            body
        };
        let cases = [
            (with("subject", json!({"type": "user", "id": NOBODY})), "/subject/id"),
            (with("subject", json!({"type": "user", "id": neighbour})), "/subject/id"),
            (with("subject", json!({"type": "group", "id": ada})), "/subject/id"),
            (with("subject", json!({"type": "team", "id": ada})), "/subject/type"),
            (with("role", json!("boss")), "/role"),
            (with("scope", json!("nowhere")), "/scope"),
            (with("valid_to", json!("tomorrow")), "/valid_to"),
            (with("restrict", json!({"tier": "gold"})), "/restrict/tier"),
        ];
        let before = house.dump().await;
        for (body, pointer) in cases {
            let problem = desk.post("/grants", body.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], pointer, "{body}: {problem}");
        }
        desk.post("/grants", with("record", json!({"kind": "lead", "id": "7"}))).await.status(400);
        desk.post("/grants", with("scope", json!(null))).await.problem(400, "missing-field");
        before.assert_same(&house.dump().await);
    }
}
