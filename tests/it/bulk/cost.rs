//! What a thousand creations cost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::words::{bulk, create};
use crate::api::bodies::user;
use crate::support::{TestHouse, setting};

const USERS: usize = 1000;
/// Connections that make one user after the other.
const CONNECTIONS: usize = 8;

fn whole(name: &str) -> Value {
    let more = json!({
        "externalId": format!("ext-{name}"),
        "name": {"givenName": "Alice", "familyName": name},
        "emails": [{"value": format!("{name}@acme.test"), "type": "work", "primary": true}],
    });
    user(name, more)
}

async fn by_bulk(house: &TestHouse, run: usize) -> Duration {
    let operations: Vec<Value> = (0..USERS)
        .map(|n| create(&n.to_string(), "/Users", whole(&format!("bulk-{run}-{n}"))))
        .collect();
    let start = Instant::now();
    let results = bulk(house, &operations).await;
    let took = start.elapsed();
    assert!(results.len() == USERS && results.iter().all(|result| result["status"] == "201"));
    took
}

async fn one_by_one(house: &TestHouse, run: usize) -> Duration {
    let start = Instant::now();
    let mut makers = JoinSet::new();
    for maker in 0..CONNECTIONS {
        let house = house.clone();
        makers.spawn(async move {
            for n in 0..USERS / CONNECTIONS {
                house
                    .post("/Users", whole(&format!("one-{run}-{maker}-{n}")))
                    .await
                    .status(201);
            }
        });
    }
    while let Some(maker) = makers.join_next().await {
        maker.unwrap();
    }
    start.elapsed()
}

each_database! {
    async fn a_thousand_creations_share_units(house: TestHouse) {
        by_bulk(&house, 0).await;
        assert_eq!(house.get("/Users?count=0").await.total(), USERS as u64);
        let units = house.dump().await.table("entry").len();
        assert!(units <= USERS / 16, "{units} units of work");
    }

    // Prints the ratio; `MUSTER_TEST_BULK_RATIO=0.5` holds it to that. Without it nothing hangs on the clock.
    async fn a_thousand_creations_answer_like_a_thousand_requests(house: TestHouse) {
        let bar = setting("MUSTER_TEST_BULK_RATIO").map_or(f64::INFINITY, |text| text.parse().unwrap());
        let (mut many, mut single) = (Duration::ZERO, Duration::ZERO);
        for run in 0..3 {
            many += by_bulk(&house, run).await;
            single += one_by_one(&house, run).await;
        }
        let ratio = many.as_secs_f64() / single.as_secs_f64();
        println!("1,000 creations: {:?} by bulk, {:?} by 8 connections, ratio {ratio:.2}", many / 3, single / 3);
        assert!(ratio <= bar, "{ratio}");
        assert_eq!(house.get("/Users?count=0").await.total(), 6 * USERS as u64);
    }
}
