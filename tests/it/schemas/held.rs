//! What a connection may take away of resources of a type of the organisation, and what an undo does not touch.

use serde_json::json;

use super::words::{robot, robots};
use crate::fuse::words::Fused;
use crate::support::TestHouse;

each_database! {
    async fn deletions_beyond_the_budget_are_held_and_made_when_they_are_approved(house: TestHouse) {
        let none = json!({"percent": 0, "least": 0});
        let fused = Fused::with(house, json!({"deletions": none, "beyond": "hold"})).await;
        robots(&fused.desk).await;
        let path = format!("/Robots/{}", fused.house.post("/Robots", robot("Marvin", 2)).await.status(201).id());
        fused.house.delete(&path).await.status(202);
        fused.house.get(&path).await.status(200);
        fused.decide("approve").await;
        fused.house.turn().await;
        fused.house.get(&path).await.error(404, None);
    }
}
