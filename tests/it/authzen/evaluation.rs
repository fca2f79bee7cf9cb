//! `POST /access/v1/evaluation`: in Muster's own words.

use serde_json::json;

use super::fixture::{Fixture, READ, WRITE, action, question, record, user};
use crate::admin::desk::Desk;
use crate::support::TestHouse;

each_database! {
    async fn a_subject_is_named_by_id_or_by_user_name_in_any_letter_case(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        for name in [fixture.alice.as_str(), "alice", "ALICE"] {
            assert!(fixture.decision(question(name, WRITE, "record-1")).await, "{name}");
        }
    }

    async fn what_does_not_exist_is_a_no_that_says_so(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let cases = [
            (question("nobody", READ, "record-1"), "there is no such user"),
            (question("alice", "record.edti", "record-1"), "there is no such permission; did you mean `record.edit`?"),
            (
                json!({"subject": user("alice"), "action": action(READ), "resource": {"type": "scope", "id": "nowhere"}}),
                "there is no such resource",
            ),
            (
                json!({"subject": {"type": "robot", "id": "alice"}, "action": action(READ), "resource": record("record-1")}),
                "there is no such user",
            ),
        ];
        for (question, reason) in cases {
            let answer = fixture.desk.decide("/evaluation", question).await.status(200).json;
            assert_eq!(answer, json!({"decision": false, "context": {"reason": reason}}));
        }
    }

    async fn a_reason_is_told_to_who_asks_for_it(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let mut asked = question("alice", WRITE, "record-1");
        assert_eq!(fixture.desk.decide("/evaluation", asked.clone()).await.json, json!({"decision": true}));
        asked["context"] = json!({"reason": true});
        let yes = fixture.desk.decide("/evaluation", asked.clone()).await.status(200).json;
        let reason = yes["context"]["reason"].as_str().unwrap();
        assert!(yes["decision"] == true && reason.contains("Manager") && reason.contains("Records"), "{reason}");
        asked["subject"]["id"] = json!("bob");
        let no = fixture.desk.decide("/evaluation", asked.clone()).await.status(200).json;
        let reason = no["context"]["reason"].as_str().unwrap();
        assert!(no["decision"] == false && reason.contains("Read-Only"), "{reason}");
        asked["subject"]["id"] = json!("nobody");
        let nobody = fixture.desk.decide("/evaluation", asked).await.status(200).json;
        assert_eq!(nobody, json!({"decision": false, "context": {"reason": "there is no such user"}}));
    }

    async fn in_a_batch_reasons_are_told_for_the_questions_that_ask(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let (team, inner) = (house.group("Team").await, house.group("Inner").await);
        house.join(&team, &inner).await;
        house.join(&inner, &fixture.bob).await;
        fixture.desk.grant_to("group", &team, "manager", &fixture.records).await;
        let body = json!({
            "subject": user("bob"), "action": action(WRITE), "resource": record("record-1"), "context": {"reason": true},
            "evaluations": [{}, {"context": {}}, {"subject": user("alice")}, {"resource": record("elsewhere")}],
        });
        let answer = fixture.desk.decide("/evaluations", body).await.status(200).json;
        let reason = |at: usize| answer["evaluations"][at]["context"]["reason"].as_str().unwrap_or_default();
        assert!(reason(0).contains("Team") && reason(0).contains("Inner"), "the way into the group: {}", reason(0));
        assert_eq!(answer["evaluations"][1], json!({"decision": true}));
        assert!(reason(2).contains("Manager") && !reason(2).contains("Team"), "{}", reason(2));
        assert!(answer["evaluations"][3]["decision"] == false && !reason(3).is_empty(), "{answer}");
    }

    async fn scopes_and_the_organisation_are_resources_too(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let may = async |name: &str, kind: &str, id: &str| {
            let resource = json!({"type": kind, "id": id});
            fixture.decision(json!({"subject": user("alice"), "action": action(name), "resource": resource})).await
        };
        assert!(may("record.create", "scope", &fixture.records).await);
        assert!(!may("org.scopes.manage", "tenant", "acme").await);
        fixture.desk.grant(&fixture.alice, "manager", "all").await;
        assert!(may("org.scopes.manage", "tenant", "acme").await);
        assert!(may("org.scopes.manage", "scope", "all").await);
        assert!(!may("org.scopes.manage", "tenant", "neighbour").await);
    }

    async fn properties_of_a_resource_feed_restrictions_and_those_of_a_subject_nothing(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let carla = house.user("carla").await;
        let grant = json!({
            "subject": {"type": "user", "id": carla}, "role": "manager", "scope": fixture.records, "restrict": {"status": ["active"]},
        });
        fixture.desk.post("/grants", grant).await.status(201);
        let mut asked = question("carla", WRITE, "record-1");
        asked["subject"]["properties"] = json!({"role": "admin", "status": "active"});
        assert!(!fixture.decision(asked.clone()).await);
        asked["resource"]["properties"] = json!({"status": "archived"});
        assert!(!fixture.decision(asked.clone()).await);
        asked["resource"]["properties"] = json!({"status": "active"});
        assert!(fixture.decision(asked).await);
    }

    async fn a_user_asks_about_themselves_and_about_nobody_else(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let alice = Desk::user(&house, &fixture.alice);
        assert_eq!(alice.decide("/evaluation", question(&fixture.alice, READ, "record-1")).await.status(200).json["decision"], true);
        let refused = alice.decide("/evaluation", question(&fixture.bob, READ, "record-1")).await.status(403);
        assert!(refused.json.is_string(), "{}", refused.text);
    }
}
