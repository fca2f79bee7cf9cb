//! What takes away more than its connection may.

use serde_json::{Value, json};

use super::words::{bulk, create, end, statuses};
use crate::api::bodies::user;
use crate::fuse::words::Fused;
use crate::support::TestHouse;

/// Budgets: so many deletions, and what becomes of more.
fn deletions(least: u32, beyond: &str) -> Value {
    json!({"deletions": {"percent": 0, "least": least}, "beyond": beyond})
}

fn ends(users: &[String]) -> Vec<Value> {
    users.iter().map(|user| end(&format!("/Users/{user}"))).collect()
}

each_database! {
    async fn what_is_beyond_the_budget_is_refused_in_its_place(house: TestHouse) {
        let fused = Fused::with(house, deletions(2, "refuse")).await;
        let mut operations = ends(&fused.users(4).await);
        operations.push(create("new", "/Users", user("new", json!({}))));
        let results = bulk(&fused.house, &operations).await;
        assert_eq!(statuses(&results), ["204", "204", "429", "429", "201"]);
        let wait = results[2]["response"]["retryAfter"].as_u64().unwrap();
        assert!(wait > 0, "{results:?}");
        assert_eq!(fused.there().await, 3);
    }

    async fn what_is_held_is_202_and_no_error(house: TestHouse) {
        let fused = Fused::with(house, deletions(1, "hold")).await;
        let users = fused.users(3).await;
        let results = bulk(&fused.house, &ends(&users)).await;
        assert_eq!(statuses(&results), ["204", "202", "202"]);
        assert_eq!(results[1]["response"]["pending"], fused.hold().await["id"]);
        assert_eq!(fused.there().await, 2, "an administrator has not decided");
        fused.decide("approve").await;
        fused.house.turn().await;
        assert_eq!(fused.there().await, 0);
    }
}
