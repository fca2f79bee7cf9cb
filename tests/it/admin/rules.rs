//! `/rules`: made, changed, retired, deleted; every version is kept.

use serde_json::{Value, json};

use super::desk::{Desk, Problems, texts};
use crate::support::TestHouse;

fn titled(name: &str, title: &str, state: &str) -> Value {
    let when = format!("title eq \"{title}\"");
    json!({"name": name, "when": when, "then": [{"role": "analyst", "scope": "all"}], "state": state})
}

each_database! {
    async fn a_rule_counts_from_its_answer_on_until_it_is_gone(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = json!({"schemas": [crate::api::bodies::USER], "userName": "ada", "title": "Analyst"});
        let ada = house.post("/Users", ada).await.status(201).id();
        let lead = ("lead", "1");
        let rule = desk.post("/rules", titled("Analysts", "Analyst", "draft")).await.status(201);
        let path = format!("/rules/{}", rule.id());
        assert_eq!((&rule.json["state"], &rule.json["then"][0]["scope"]), (&json!("draft"), &json!("all")));
        assert_ne!(rule.json["sentence"], "");
        assert!(!desk.may(&ada, "data.act", lead).await);
        let active = desk.patch(&path, json!({"state": "active"})).await.status(200).json;
        assert!(desk.may(&ada, "data.act", lead).await, "{active}");
        desk.patch(&path, json!({"when": "title eq \"Clerk\""})).await.status(200);
        assert!(!desk.may(&ada, "data.act", lead).await);
        desk.patch(&path, json!({"when": "title sw \"Ana\"", "version": 1})).await.problem(412, "stale");
        desk.patch(&path, json!({"when": "title sw \"Ana\""})).await.status(200);
        assert!(desk.may(&ada, "data.act", lead).await);
        let versions = desk.get(&format!("{path}/versions")).await.status(200).json;
        assert_eq!(texts(&versions, "when")[0], "title sw \"Ana\"");
        assert!(versions["items"].as_array().unwrap().len() >= 4, "{versions}");
        desk.delete(&path).await.no_content();
        assert!(!desk.may(&ada, "data.act", lead).await);
        desk.get(&path).await.problem(404, "not-found");
    }

    async fn a_changed_start_leaves_the_end_and_null_takes_it_away(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut rule = titled("Analysts", "Analyst", "draft");
        rule["valid_to"] = json!("2199-01-01T00:00:00Z");
        let path = format!("/rules/{}", desk.post("/rules", rule).await.status(201).id());
        let changed = desk.patch(&path, json!({"valid_from": "2031-01-01T00:00:00Z"})).await.status(200).json;
        assert!(changed["valid_to"].as_str().unwrap().starts_with("2199-01-01"), "{changed}");
        assert!(changed["valid_from"].as_str().unwrap().starts_with("2031-01-01"), "{changed}");
        let late = json!({"valid_from": "2200-01-01T00:00:00Z"});
        desk.patch(&path, late).await.problem(400, "invalid-value");
        let open = desk.patch(&path, json!({"valid_to": null})).await.status(200).json;
        assert!(open["valid_to"].is_null() && open["valid_from"].is_string(), "{open}");
    }

    async fn rules_are_listed_by_state(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.post("/rules", titled("One", "x", "draft")).await.status(201);
        desk.post("/rules", titled("Two", "x", "active")).await.status(201);
        assert_eq!(texts(&desk.get("/rules").await.json, "name"), ["One", "Two"]);
        assert_eq!(texts(&desk.get("/rules?state=active").await.json, "name"), ["Two"]);
        let taken = desk.post("/rules", titled("ONE", "x", "draft")).await.problem(409, "conflict");
        assert_eq!(taken["pointer"], "/name");
    }

    async fn an_outcome_that_names_nothing_is_refused_at_its_place(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        for (then, pointer) in [
            (json!([{"role": "analyst", "scope": "all"}, {"role": "boss", "scope": "all"}]), "/then/1/role"),
            (json!([{"scope": "nowhere"}]), "/then/0/scope"),
            (json!([{"group": "nobody"}]), "/then/0/group"),
            (json!([{"rol": "analyst"}]), "/then/0/rol"),
        ] {
            let mut rule = titled("x", "x", "active");
            rule["then"] = then;
            let problem = desk.post("/rules", rule.clone()).await.status(400).json;
            assert_eq!(problem["pointer"], pointer, "{rule}: {problem}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_draft_names_its_group_also_where_nothing_else_knows_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        // Whatever was decided before has the policy in memory.
        let ada = house.user("ada").await;
        assert!(!desk.may(&ada, "record.edit", ("lead", "1")).await);
        let plain = house.group("Plain").await;
        let draft = json!({"name": "Draft", "when": "title pr", "then": [{"group": plain}], "state": "draft"});
        let made = desk.post("/rules", draft).await.status(201);
        for shown in [&made.json, &desk.get("/rules").await.status(200).json["items"][0]] {
            assert_eq!(shown["then"][0]["group"], plain.as_str(), "{shown}");
            assert!(shown["sentence"].as_str().unwrap().contains("Plain"), "{shown}");
        }
        let versions = desk.get(&format!("/rules/{}/versions", made.id())).await.status(200).json;
        assert_eq!(versions["items"][0]["then"][0]["group"], plain.as_str());
    }

    async fn nobody_fills_a_group_that_gives_more_than_they_hold(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (mallory, ada) = (house.user("mallory").await, house.user("ada").await);
        let (admins, inner, readers) = (house.group("Admins").await, house.group("Inner").await, house.group("Readers").await);
        let plain = house.group("Plain").await;
        desk.grant(&ada, "admin", "all").await;
        desk.grant_to("group", &admins, "admin", "all").await;
        house.join(&admins, &inner).await;
        let by_rule = json!({"name": "Reads", "when": "groups.display eq \"Readers\"", "then": [{"role": "analyst", "scope": "all"}], "state": "active"});
        desk.post("/rules", by_rule).await.status(201);
        let role = json!({"name": "Office", "permissions": ["org.users.manage"]});
        let office = desk.post("/roles", role).await.status(201).id();
        desk.grant(&mallory, &office, "all").await;
        let own = Desk::user(&house, &mallory);
        let fills = |group: &str, state: &str| json!({"name": format!("Fill {group}"), "when": "userName eq \"mallory\"", "then": [{"group": group}], "state": state});
        for (group, missing) in [(&admins, "org.roles.manage"), (&inner, "org.roles.manage"), (&readers, "data.act")] {
            for state in ["active", "draft"] {
                let problem = own.post("/rules", fills(group, state)).await.problem(403, "forbidden");
                assert!(problem["detail"].as_str().unwrap().contains(missing), "{problem}");
            }
            let draft = desk.post("/rules", fills(group, "draft")).await.status(201).id();
            own.patch(&format!("/rules/{draft}"), json!({"state": "active"})).await.problem(403, "forbidden");
            own.patch(&format!("/rules/{draft}"), json!({"state": "retired"})).await.status(200);
        }
        assert!(!desk.may(&mallory, "data.act", ("lead", "1")).await);
        own.post("/rules", fills(&plain, "active")).await.status(201);
    }
}
