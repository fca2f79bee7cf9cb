//! What must not be: each is refused with a reason and a place, and changes nothing.

use serde_json::{Value, json};

use super::desk::{Desk, Problems};
use crate::support::TestHouse;

/// A rule with this condition.
fn rule(when: &str) -> Value {
    json!({"name": "x", "when": when, "then": [{"role": "analyst", "scope": "all"}], "state": "active"})
}

each_database! {
    async fn a_broken_filter_in_a_rule_is_refused_at_its_character(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        for (when, position) in [
            ("title eq", 9),
            ("title equals \"x\"", 7),
            ("title eq \"x\" adn userName pr", 14),
            ("name.familyName eq \"Ö\" and (title pr", 37),
            ("emails[type eq work]", 16),
        ] {
            let problem = desk.post("/rules", rule(when)).await.problem(400, "invalid-filter");
            let place = (&problem["pointer"], &problem["position"]);
            assert_eq!(place, (&json!("/when"), &json!(position)), "{when}: {problem}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn an_unknown_attribute_in_a_rule_is_refused_with_the_one_that_was_meant(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        for (when, position, suggestion) in [
            ("titel eq \"x\"", 1, json!("title")),
            ("displayName eq \"Ö\" and not (nickNmae pr)", 29, json!("nickName")),
            ("emails[value pr and tpye eq \"work\"]", 21, json!("type")),
            ("departmnt pr", 1, json!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department")),
            ("title pr or colour pr", 13, Value::Null),
            ("active gt true", 1, Value::Null),
        ] {
            let problem = desk.post("/rules", rule(when)).await.problem(400, "invalid-filter");
            assert_eq!(problem["pointer"], "/when", "{problem}");
            assert_eq!((&problem["position"], &problem["suggestion"]), (&json!(position), &suggestion), "{when}: {problem}");
        }
        let previewed = json!({"changes": [{"rule": rule("titel pr")}]});
        let problem = desk.post("/preview", previewed).await.problem(400, "invalid-filter");
        assert_eq!((&problem["pointer"], &problem["suggestion"]), (&json!("/changes/0/rule/when"), &json!("title")));
        before.assert_same(&house.dump().await);
    }

    async fn a_territory_is_not_its_own_ancestor(house: TestHouse) {
        let desk = Desk::admin(&house);
        let below = async |name: &str, parent: &str| {
            let scope = json!({"kind": "territory", "name": name, "parent": parent});
            desk.post("/scopes", scope).await.status(201).id()
        };
        let emea = desk.scope("territory", "EMEA").await;
        let germany = below("Germany", &emea).await;
        let bavaria = below("Bavaria", &germany).await;
        let before = house.dump().await;
        for parent in [&emea, &germany, &bavaria] {
            let problem = desk.patch(&format!("/scopes/{emea}"), json!({"parent": parent})).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/parent");
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_predefined_role_stays_as_it_is(house: TestHouse) {
        let desk = Desk::admin(&house);
        let before = house.dump().await;
        for id in ["owner", "admin", "manager", "analyst", "read-only"] {
            let path = format!("/roles/{id}");
            desk.patch(&path, json!({"permissions": []})).await.problem(409, "conflict");
            desk.patch(&path, json!({"name": "Mine"})).await.problem(409, "conflict");
            desk.delete(&format!("{path}?force")).await.problem(409, "conflict");
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_user_of_another_tenant_is_given_nothing(house: TestHouse) {
        let desk = Desk::admin(&house);
        let theirs = house.second_tenant();
        let (nina, sales) = (theirs.user("nina").await, theirs.group("Sales").await);
        let before = house.dump().await;
        for (kind, id) in [("user", &nina), ("group", &sales)] {
            let grant = json!({"subject": {"type": kind, "id": id}, "role": "analyst", "scope": "all"});
            let problem = desk.post("/grants", grant.clone()).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/subject/id", "{problem}");
            let previewed = desk.post("/preview", json!({"changes": [{"grant": grant}]})).await.problem(400, "invalid-value");
            assert_eq!(previewed["pointer"], "/changes/0/grant/subject/id", "{previewed}");
        }
        let rule = json!({"name": "x", "when": "title pr", "then": [{"group": sales}], "state": "active"});
        assert_eq!(desk.post("/rules", rule).await.problem(400, "invalid-value")["pointer"], "/then/0/group");
        before.assert_same(&house.dump().await);
    }

    async fn there_is_no_second_owner(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        let before = house.dump().await;
        let grant = json!({"subject": {"type": "user", "id": bob}, "role": "owner", "scope": "all"});
        desk.post("/grants", grant.clone()).await.problem(409, "conflict");
        let rule = json!({"name": "x", "when": "title pr", "then": [{"role": "owner", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.problem(409, "conflict");
        desk.post("/preview", json!({"changes": [{"grant": grant}]})).await.problem(409, "conflict");
        let silent = desk.post("/ownership", json!({"to": bob})).await.problem(400, "invalid-value");
        assert_eq!(silent["pointer"], "/break_glass");
        before.assert_same(&house.dump().await);
    }

    async fn provisioning_neither_deactivates_nor_deletes_the_owner(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, deputy) = (house.user("ada").await, house.user("deputy").await);
        desk.grant(&deputy, "admin", "all").await;
        desk.post("/ownership", json!({"to": ada})).await.status(200);
        let path = format!("/Users/{ada}");
        let off = house.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.error(409, None);
        assert!(off.contains("transfer"), "{off}");
        let mut body = house.get(&path).await.status(200).json;
        body["active"] = false.into();
        house.put(&path, body).await.error(409, None);
        house.delete(&path).await.error(409, None);
        assert_ne!(house.get(&path).await.status(200).json["active"], false);
        assert_eq!(desk.get("/ownership").await.json["owner"]["id"], ada.as_str());
    }

    async fn a_scope_that_grants_hang_on_is_deleted_only_by_force(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let scope = desk.scope("territory", "Germany").await;
        let below = json!({"kind": "territory", "name": "Bavaria", "parent": scope});
        let below = desk.post("/scopes", below).await.status(201).id();
        let first = desk.grant(&ada, "analyst", &scope).await;
        let second = desk.grant_to("group", &sales, "manager", &scope).await;
        let rule = json!({"name": "Titled", "when": "title pr", "then": [{"role": "analyst", "scope": scope}], "state": "active"});
        let rule = desk.post("/rules", rule).await.status(201).id();
        let path = format!("/scopes/{scope}");
        let before = house.dump().await;
        let problem = desk.delete(&path).await.problem(409, "conflict");
        let grant = |id: &str, kind: &str, (subject, name): (&str, &str), (role, role_name): (&str, &str)| {
            json!({"id": id, "subject": {"type": kind, "id": subject, "name": name}, "role": role, "role_name": role_name})
        };
        assert_eq!(
            problem["held_by"],
            json!({
                "grants": [
                    grant(&first, "user", (&ada, "ada"), ("analyst", "Analyst")),
                    grant(&second, "group", (&sales, "Sales"), ("manager", "Manager")),
                ],
                "more_grants": 0,
                "rules": [{"id": rule, "name": "Titled"}],
                "scopes": [{"id": below, "name": "Bavaria"}],
            })
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!([&first, &second, "`Titled`", "?force"].iter().all(|part| detail.contains(*part)), "{detail}");
        desk.delete(&format!("{path}?force=perhaps")).await.problem(400, "invalid-parameter");
        desk.delete(&format!("{path}?force=false")).await.problem(409, "conflict");
        before.assert_same(&house.dump().await);
        desk.delete(&format!("{path}?force")).await.no_content();
        for gone in [path, format!("/grants/{first}"), format!("/grants/{second}")] {
            desk.get(&gone).await.problem(404, "not-found");
        }
        assert_eq!(desk.get(&format!("/scopes/{below}")).await.json["parent"], Value::Null);
        let left = desk.get(&format!("/rules/{rule}")).await.status(200).json;
        assert_eq!((&left["state"], &left["then"]), (&json!("retired"), &json!([])));
    }

    async fn a_refusal_names_twenty_grants_and_counts_the_rest(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let role = desk.post("/roles", json!({"name": "Reviewer"})).await.status(201).id();
        let scope = desk.scope("territory", "Germany").await;
        let mut made = Vec::new();
        for _ in 0..22 {
            made.push(desk.grant(&ada, &role, &scope).await);
        }
        for path in [format!("/scopes/{scope}"), format!("/roles/{role}")] {
            let problem = desk.delete(&path).await.problem(409, "conflict");
            let named: Vec<_> = problem["held_by"]["grants"].as_array().unwrap().iter().map(|grant| &grant["id"]).collect();
            assert_eq!(named, made[..20].iter().collect::<Vec<_>>(), "{path}");
            assert_eq!(problem["held_by"]["more_grants"], 2);
        }
        desk.delete(&format!("/roles/{role}?force")).await.no_content();
        assert_eq!(desk.get("/grants").await.json, json!({"items": []}));
    }

    async fn a_question_of_a_wrong_type_is_400_and_a_denied_one_is_a_no(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let question = || json!({"subject": {"type": "user", "id": ada}, "action": {"name": "data.act"}, "resource": {"type": "lead", "id": "7"}});
        let with = |pointer: &str, value: Value| {
            let mut asked = question();
            *asked.pointer_mut(pointer).unwrap() = value;
            asked
        };
        let wrong = [
            with("/subject", json!("ada")),
            with("/subject/id", json!(7)),
            with("/subject/type", json!(null)),
            with("/action", json!(["data.act"])),
            with("/action/name", json!(true)),
            with("/resource/id", json!({"id": "7"})),
            json!([question()]),
            json!("may ada?"),
        ];
        for body in wrong {
            let answer = desk.decide("/evaluation", body.clone()).await.status(400);
            assert!(answer.json.is_string(), "{body}: {}", answer.text);
        }
        let denied = [question(), with("/subject/type", json!("robot")), with("/action/name", json!("data.fly"))];
        for body in denied {
            let answer = desk.decide("/evaluation", body.clone()).await.status(200).json;
            assert_eq!(answer["decision"], false, "{body}");
        }
    }

    async fn a_deletion_takes_grants_along_only_for_who_may_give_them(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (mia, ada) = (house.user("mia").await, house.user("ada").await);
        desk.grant(&mia, "manager", "all").await;
        let (held, free) = (desk.scope("territory", "Germany").await, desk.scope("territory", "France").await);
        let grant = desk.grant(&ada, "analyst", &held).await;
        let mia = Desk::user(&house, &mia);
        mia.delete(&format!("/scopes/{held}?force")).await.problem(403, "forbidden");
        desk.get(&format!("/grants/{grant}")).await.status(200);
        mia.delete(&format!("/scopes/{free}?force")).await.no_content();
        desk.delete(&format!("/scopes/{held}?force")).await.no_content();
        desk.get(&format!("/grants/{grant}")).await.problem(404, "not-found");
    }
}
