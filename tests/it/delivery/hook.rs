//! A webhook and who listens to it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::support::TestHouse;
use crate::support::receiver::Receiver;

/// A webhook of `acme`, with its receiver.
pub struct Hook {
    pub desk: Desk,
    pub receiver: Receiver,
    pub id: String,
    pub secret: String,
}

impl Hook {
    /// A webhook that is sent every event.
    pub async fn new(house: &TestHouse) -> Self {
        Self::of(house, "hook", &[]).await
    }

    /// One of this name that is sent events of these kinds.
    pub async fn of(house: &TestHouse, name: &str, kinds: &[&str]) -> Self {
        let (desk, receiver) = (Desk::admin(house), Receiver::open().await);
        let body = json!({"name": name, "url": receiver.url(), "kinds": kinds});
        let made = desk.post("/webhooks", body).await.status(201).json;
        // What was before is of no interest.
        house.turn().await;
        receiver.take();
        // The node that did so does not keep it from others any more.
        house.clock().advance(Duration::from_secs(31));
        Self {
            desk,
            receiver,
            id: made["id"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
        }
    }

    pub fn path(&self, below: &str) -> String {
        format!("/webhooks/{}{below}", self.id)
    }

    /// As it is shown.
    pub async fn shown(&self) -> Value {
        self.desk.get(&self.path("")).await.status(200).json
    }

    /// Position and state of each delivery in trouble.
    pub async fn troubles(&self) -> Vec<(i64, String)> {
        let list = self.desk.get(&self.path("/deliveries")).await.status(200).json;
        let of = |one: &Value| (one["seq"].as_i64().unwrap(), one["state"].as_str().unwrap().to_owned());
        list["items"].as_array().unwrap().iter().map(of).collect()
    }

    /// Does something with it that is answered by 204.
    pub async fn turn(&self, verb: &str) {
        self.desk
            .post(&self.path(&format!("/{verb}")), json!({}))
            .await
            .status(204);
    }
}
