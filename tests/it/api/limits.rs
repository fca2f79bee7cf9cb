//! Budgets: requests of a connection, and wrong tokens of an address.

use serde_json::json;

use crate::api::asks::connection;
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::wire::Client;

/// More requests than any budget here allows at once, and few enough to be sent in a moment.
const MANY: usize = 200;

/// Asks until the answer is 429, which must come.
async fn until_throttled(client: &Client, headers: &[(&str, &str)], before: u16) -> Answer {
    for _ in 0..MANY {
        let answer = client.ask_with("GET", "/Users", None, headers).await.unwrap();
        if answer.status == 429 {
            return answer;
        }
        assert_eq!(answer.status, before);
    }
    panic!("{MANY} requests and no limit");
}

/// A SCIM error that says when to come back.
#[track_caller]
fn says_when(answer: Answer) {
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(answer.header("content-type"), "application/scim+json");
    answer.error(429, None);
}

each_database! {
    async fn a_connection_that_asks_too_often_is_told_when_to_come_back(house: TestHouse) {
        let server = Server::start(&house.database, &["--rate-limit", "1"], &[]);
        let busy = server.client(&house.database.keys().await.token);
        says_when(until_throttled(&busy, &[], 200).await);
        let body = json!({"schemas": [crate::api::bodies::USER], "userName": "ada"});
        let before = house.dump().await;
        until_throttled(&busy, &[], 200).await;
        let refused = busy.ask("POST", "/Users", Some(&body)).await.unwrap();
        if refused.status == 429 {
            assert_eq!(house.dump().await.table("resource"), before.table("resource"));
        }
    }

    async fn one_busy_connection_does_not_hold_up_another(house: TestHouse) {
        let other = connection(&house, "hr", "auto");
        let server = Server::start(&house.database, &["--rate-limit", "1"], &[]);
        until_throttled(&server.client(&house.database.keys().await.token), &[], 200).await;
        for token in [other, house.database.keys().await.neighbour] {
            server
                .client(&token)
                .ask("GET", "/Users", None)
                .await
                .unwrap()
                .status(200);
        }
    }

    async fn tokens_of_one_connection_share_its_budget(house: TestHouse) {
        let second = house.token(&[]);
        let server = Server::start(&house.database, &["--rate-limit", "1"], &[]);
        until_throttled(&server.client(&house.database.keys().await.token), &[], 200).await;
        // Either still throttled, or let through by the second that has passed: never a whole budget of its own.
        let mut passed = 0;
        for _ in 0..20 {
            passed += usize::from(server.client(&second).ask("GET", "/Users", None).await.unwrap().status == 200);
        }
        assert!(passed < 20, "a second token is no second budget");
    }

    async fn without_a_limit_nothing_is_held_up(house: TestHouse) {
        for _ in 0..MANY {
            house.get("/Users?count=0").await.status(200);
        }
    }

    async fn wrong_tokens_are_throttled_by_address_and_right_ones_pass(house: TestHouse) {
        let stranger = house.with_token(Some("mst_wrong"));
        let mut throttled = None;
        for _ in 0..MANY {
            let answer = stranger.get("/Users").await;
            if answer.status == 429 {
                throttled = Some(answer);
                break;
            }
            answer.error(401, None);
            house.get("/Users?count=0").await.status(200);
        }
        says_when(throttled.expect("wrong tokens without end"));
        house.get("/Users").await.status(200);
        house.second_tenant().get("/Users").await.status(200);
        house.get("/ServiceProviderConfig").await.status(200);
    }

    async fn an_address_pays_for_its_own_wrong_tokens_alone(house: TestHouse) {
        let server = Server::start(&house.database, &["--trusted-proxy", "127.0.0.0/8"], &[]);
        let stranger = server.client("mst_wrong");
        until_throttled(&stranger, &[("X-Forwarded-For", "203.0.113.7")], 401).await;
        for other in ["203.0.113.8", "203.0.113.7, 198.51.100.1", "2001:db8::1"] {
            stranger
                .ask_with("GET", "/Users", None, &[("X-Forwarded-For", other)])
                .await
                .unwrap()
                .error(401, None);
        }
        let valid = server.client(&house.database.keys().await.token);
        valid
            .ask_with("GET", "/Users", None, &[("X-Forwarded-For", "203.0.113.7")])
            .await
            .unwrap()
            .status(200);
    }

    async fn an_address_cannot_be_made_up_without_a_trusted_proxy(house: TestHouse) {
        let server = Server::start(&house.database, &[], &[]);
        let stranger = server.client("mst_wrong");
        let mut statuses = Vec::new();
        for n in 0..MANY {
            let made_up = format!("203.0.113.{}", n % 250);
            statuses.push(
                stranger
                    .ask_with("GET", "/Users", None, &[("X-Forwarded-For", &made_up)])
                    .await
                    .unwrap()
                    .status,
            );
        }
        assert!(statuses.contains(&429), "{statuses:?}");
    }
}
