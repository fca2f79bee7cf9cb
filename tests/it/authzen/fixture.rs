//! The entities of the working group's certification scenario, in Muster's words: `read` is `data.view_anonymised`,
//! `write` is `record.edit`. Alice is a Manager of the records, Bob may only read them.

use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::support::TestHouse;

pub const READ: &str = "data.view_anonymised";
pub const WRITE: &str = "record.edit";

/// Where the questions are asked, and the ids of who they are about.
pub struct Fixture {
    pub desk: Desk,
    pub alice: String,
    pub bob: String,
    /// The record group of `record-1` and `record-2`.
    pub records: String,
}

impl Fixture {
    pub async fn of(house: &TestHouse) -> Self {
        let desk = Desk::admin(house);
        let (alice, bob) = (house.user("alice").await, house.user("bob").await);
        let records = desk.scope("record_group", "Records").await;
        desk.place(&records, "record", "record-1").await;
        desk.place(&records, "record", "record-2").await;
        desk.grant(&alice, "manager", &records).await;
        desk.grant(&bob, "read-only", &records).await;
        Self {
            desk,
            alice,
            bob,
            records,
        }
    }

    /// The answer to one question, which is 200.
    pub async fn decision(&self, question: Value) -> bool {
        let answer = self.desk.decide("/evaluation", question).await.status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        answer.json["decision"]
            .as_bool()
            .unwrap_or_else(|| panic!("{}", answer.text))
    }

    /// The decisions of a batch, which is 200.
    pub async fn decisions(&self, questions: Value) -> Vec<bool> {
        let answer = self.desk.decide("/evaluations", questions).await.status(200);
        assert_eq!(answer.json.get("decision"), None, "{}", answer.text);
        let list = answer.json["evaluations"]
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.text));
        list.iter().map(|one| one["decision"].as_bool().unwrap()).collect()
    }
}

pub fn user(id: &str) -> Value {
    json!({"type": "user", "id": id})
}

pub fn action(name: &str) -> Value {
    json!({"name": name})
}

pub fn record(id: &str) -> Value {
    json!({"type": "record", "id": id})
}

/// A whole question.
pub fn question(subject: &str, name: &str, record_id: &str) -> Value {
    json!({"subject": user(subject), "action": action(name), "resource": record(record_id)})
}
