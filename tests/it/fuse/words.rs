//! What the tests of the fuse ask.

use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::support::{TestHouse, seam};

/// What ends an account.
pub fn off() -> Value {
    json!([{"op": "replace", "path": "active", "value": false}])
}

/// A house with its administrator, and the path of its connection's budgets.
pub struct Fused {
    pub house: TestHouse,
    pub desk: Desk,
    pub path: String,
}

impl Fused {
    /// With these budgets beside the ones that every connection has.
    pub async fn with(house: TestHouse, budgets: Value) -> Self {
        let desk = Desk::admin(&house);
        let connections = desk.get("/connections").await.status(200).json;
        let path = format!("/connections/{}/fuse", connections["items"][0]["id"].as_str().unwrap());
        desk.patch(&path, budgets).await.status(200);
        Self { house, desk, path }
    }

    /// New users; answers their ids.
    pub async fn users(&self, n: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..n {
            ids.push(self.house.user(&format!("user{number}")).await);
        }
        ids
    }

    /// How many users there are.
    pub async fn there(&self) -> u64 {
        self.house.get("/Users?count=0").await.status(200).total()
    }

    /// The only hold.
    pub async fn hold(&self) -> Value {
        let holds = self.desk.get("/holds").await.status(200).json;
        let [hold] = &holds["items"].as_array().unwrap()[..] else {
            panic!("one hold: {holds}")
        };
        hold.clone()
    }

    /// Decides about the only hold; answers it as it is then.
    pub async fn decide(&self, verdict: &str) -> Value {
        let id = self.hold().await["id"].as_str().unwrap().to_owned();
        let status = if verdict == "approve" { 202 } else { 200 };
        let decided = self.desk.post(&format!("/holds/{id}/{verdict}"), json!({})).await;
        decided.status(status).json
    }

    /// The requests of the only hold.
    pub async fn changes(&self) -> Vec<Value> {
        let id = self.hold().await["id"].as_str().unwrap().to_owned();
        let changes = self
            .desk
            .get(&format!("/holds/{id}/changes?limit=500"))
            .await
            .status(200)
            .json;
        changes["items"].as_array().unwrap().clone()
    }

    /// How often something of this kind happened.
    pub async fn events(&self, kind: &str) -> usize {
        seam::number(self.house.rooms()).await;
        let events = self
            .desk
            .get(&format!("/events?kind={kind}&limit=500"))
            .await
            .status(200)
            .json;
        events["items"].as_array().unwrap().len()
    }
}
