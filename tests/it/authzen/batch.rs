//! `POST /access/v1/evaluations`: how far a batch goes, and what its questions share.

use serde_json::{Value, json};

use super::fixture::{Fixture, READ, WRITE, action, record, user};
use crate::support::TestHouse;

/// Bob may read, may not write, may read.
fn batch(semantic: &str) -> Value {
    json!({
        "subject": user("bob"), "resource": record("record-1"),
        "evaluations": [{"action": action(READ)}, {"action": action(WRITE)}, {"action": action(READ)}],
        "options": {"evaluations_semantic": semantic},
    })
}

each_database! {
    async fn a_batch_goes_as_far_as_it_is_told(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        assert_eq!(fixture.decisions(batch("execute_all")).await, [true, false, true]);
        assert_eq!(fixture.decisions(batch("deny_on_first_deny")).await, [true, false]);
        assert_eq!(fixture.decisions(batch("permit_on_first_permit")).await, [true]);
        fixture.desk.decide("/evaluations", batch("deny_all")).await.status(400);
    }

    async fn a_default_is_replaced_as_a_whole(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let body = json!({
            "subject": user("alice"), "action": action(WRITE), "resource": record("record-1"),
            "evaluations": [{}, {"resource": {"id": "record-2"}}, {"subject": user("bob")}],
        });
        let answer = fixture.desk.decide("/evaluations", body.clone()).await.status(200).json;
        assert_eq!(fixture.decisions(body).await, [true, false, false]);
        assert_eq!(answer["evaluations"][1]["context"]["error"]["status"], 400, "{answer}");
    }

    async fn a_record_that_cannot_be_one_spoils_no_other_question(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let body = json!({
            "subject": user("alice"), "action": action(READ),
            "evaluations": [{"resource": record("record-1")}, {"resource": {"type": "a:b", "id": "1"}}, {"resource": record("record-2")}],
        });
        assert_eq!(fixture.decisions(body).await, [true, false, true]);
    }

    async fn one_bad_question_costs_the_others_nothing(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let unknown = "00000000-0000-7000-8000-000000000000";
        let bad = json!({"subject": user("alice"), "resource": {"type": "a:b", "id": "1"}});
        let who = |id: &str| json!({"subject": user(id), "resource": record("record-1")});
        let long = "x".repeat(300);
        let questions = [bad.clone(), who("ALICE"), who(&fixture.alice), who("alice"), who(unknown), who("nobody"), who(&long), who("bob"), bad.clone()];
        let body = json!({"action": action(WRITE), "evaluations": questions});
        let answer = fixture.desk.decide("/evaluations", body.clone()).await.status(200).json;
        assert_eq!(fixture.decisions(body).await, [false, true, true, true, false, false, false, false, false]);
        for at in [0, 8] {
            assert_eq!(answer["evaluations"][at]["context"]["error"]["status"], 400, "{answer}");
        }
        for at in [4, 5, 6] {
            assert_eq!(answer["evaluations"][at]["context"]["reason"], "there is no such user", "{answer}");
        }
        let alone = json!({"action": action(WRITE), "evaluations": [bad]});
        assert_eq!(fixture.decisions(alone).await, [false]);
    }

    async fn a_batch_has_an_end(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let item = json!({"resource": record("record-1")});
        let many = |count: usize| json!({"subject": user("alice"), "action": action(READ), "evaluations": vec![item.clone(); count]});
        assert_eq!(fixture.decisions(many(1000)).await.len(), 1000);
        fixture.desk.decide("/evaluations", many(1001)).await.status(400);
    }
}
