//! A client that was pointed at an empty directory deletes everybody, over several connections at once.

use serde_json::json;
use tokio::task::JoinSet;

use super::words::Fused;
use crate::support::{TestHouse, setting};

/// Users whom it deletes, unless `MUSTER_TEST_DELETIONS` says otherwise.
const DELETIONS: usize = 80;
/// Clients that do it at once.
const CLIENTS: usize = 8;

pub fn deletions() -> usize {
    setting("MUSTER_TEST_DELETIONS").map_or(DELETIONS, |text| text.parse().unwrap())
}

/// Deletes them, several at once; answers each status, with the body of a refusal.
async fn delete(house: &TestHouse, users: &[String]) -> Vec<(u16, String)> {
    let mut clients = JoinSet::new();
    for share in users.chunks(users.len().div_ceil(CLIENTS)) {
        let (house, share) = (house.clone(), share.to_vec());
        clients.spawn(async move {
            let mut told = Vec::new();
            for user in share {
                let answer = house.delete(&format!("/Users/{user}")).await;
                told.push((answer.status, answer.header("retry-after").to_owned()));
            }
            told
        });
    }
    clients.join_all().await.concat()
}

fn with(told: &[(u16, String)], status: u16) -> usize {
    told.iter().filter(|answer| answer.0 == status).count()
}

each_database! {
    async fn exactly_the_budget_is_applied_and_the_rest_refused_until_somebody_decides(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 10, "least": 3}})).await;
        let n = deletions();
        let users = fused.users(n).await;
        let budget = (n / 10).max(3);
        let told = delete(&fused.house, &users).await;
        assert_eq!((with(&told, 204), with(&told, 429)), (budget, n - budget), "{told:?}");
        assert_eq!(fused.there().await, (n - budget) as u64);
        assert!(told.iter().all(|(status, wait)| *status == 204 || wait == "3600"), "the rest of the window: {told:?}");
        assert_eq!(fused.events("fuse.tripped").await, 1);
        let hold = fused.hold().await;
        assert_eq!((&hold["what"], &hold["budget"], &hold["state"]), (&json!("deletions"), &json!(budget), &json!("waiting")));
        assert_eq!(hold["connection"], "test");
        assert!(fused.house.logs.text().contains("an administrator has to decide"));

        // It says who decides; what takes nothing away goes on.
        let left = fused.house.find("/Users", "userName sw \"user\"").await.ids();
        let detail = fused.house.delete(&format!("/Users/{}", left[0])).await.error(429, None);
        assert!(detail.contains("an administrator of the organisation decides") && detail.contains(hold["id"].as_str().unwrap()), "{detail}");
        fused.house.user("another").await;
        let title = json!([{"op": "replace", "path": "title", "value": "Chief"}]);
        fused.house.patch(&format!("/Users/{}", left[0]), title).await.status(200);

        // Approved, it is lifted for a window.
        assert_eq!(fused.decide("approve").await["state"], "approved");
        for user in &left {
            fused.house.delete(&format!("/Users/{user}")).await.no_content();
        }
    }

    async fn what_is_held_is_made_as_one_when_it_is_approved(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 10, "least": 3}, "beyond": "hold"})).await;
        let n = deletions();
        let users = fused.users(n).await;
        let budget = (n / 10).max(3);
        let told = delete(&fused.house, &users).await;
        assert_eq!((with(&told, 204), with(&told, 202)), (budget, n - budget), "{told:?}");
        assert_eq!(fused.there().await, (n - budget) as u64, "reads show what is true now");
        let again = delete(&fused.house, &users).await;
        assert_eq!((with(&again, 404), with(&again, 202)), (budget, n - budget), "{again:?}");
        assert_eq!(fused.hold().await["changes"], json!({"waiting": n - budget, "applied": 0, "failed": 0, "dismissed": 0}));
        assert_eq!((fused.events("fuse.tripped").await, fused.there().await), (1, (n - budget) as u64));

        fused.decide("approve").await;
        fused.house.turn().await;
        let hold = fused.hold().await;
        assert_eq!((&hold["state"], &hold["changes"]["applied"]), (&json!("approved"), &json!(n - budget)));
        assert_eq!(fused.there().await, 0);
        assert_eq!((fused.events("hold.approved").await, fused.events("hold.finished").await), (1, 1));
    }

    async fn nothing_of_what_is_held_is_done_when_it_is_rejected(house: TestHouse) {
        let fused = Fused::with(house, json!({"deletions": {"percent": 0, "least": 4}, "beyond": "hold"})).await;
        let users = fused.users(20).await;
        let told = delete(&fused.house, &users).await;
        assert_eq!((with(&told, 204), with(&told, 202)), (4, 16), "{told:?}");
        let hold = fused.decide("reject").await;
        assert_eq!(hold["state"], "rejected");
        assert_eq!(hold["changes"], json!({"waiting": 0, "applied": 0, "failed": 0, "dismissed": 16}));
        fused.house.turn().await;
        assert_eq!(fused.there().await, 16);
        let id = hold["id"].as_str().unwrap();
        let late = fused.desk.post(&format!("/holds/{id}/approve"), json!({})).await.status(409).json;
        assert!(late["detail"].as_str().unwrap().contains("rejected"), "{late}");
        let left = fused.house.find("/Users", "userName sw \"user\"").await.ids();
        // Nothing is left of the budget: it is asked about anew.
        fused.house.delete(&format!("/Users/{}", left[0])).await.status(202);
        assert_eq!((fused.events("fuse.tripped").await, fused.there().await), (2, 16));
    }
}
