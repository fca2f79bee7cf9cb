//! Budgets of administrators and users.

use super::desk::{self, Desk, Problems};
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::wire;

/// More requests than any budget here allows at once, and few enough to be sent in a moment.
const MANY: usize = 200;

each_database! {
    async fn administrators_share_a_budget_and_take_nothing_from_a_connection(house: TestHouse) {
        let token = desk::token(&house, "acme", &["--admin"]);
        let server = Server::start(&house.database, &["--rate-limit", "1"], &[]);
        let request = format!(
            "GET /api/v1/permissions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let mut last = String::new();
        for _ in 0..MANY {
            let answer = wire::raw(&server.address, request.as_bytes()).await.unwrap();
            last = String::from_utf8_lossy(&answer).into_owned();
            if !last.starts_with("HTTP/1.1 200 ") {
                break;
            }
        }
        assert!(last.starts_with("HTTP/1.1 429 "), "{last}");
        assert!(last.contains("urn:muster:problem:too-many-requests"), "{last}");
        let connection = server.client(&house.database.keys().await.token);
        connection.ask("GET", "/Users", None).await.unwrap().status(200);
    }

    async fn wrong_tokens_are_throttled_and_right_ones_pass(house: TestHouse) {
        let (stranger, desk) = (Desk::with(&house, "mst_wrong"), Desk::admin(&house));
        let mut throttled = None;
        for _ in 0..MANY {
            let answer = stranger.get("/permissions").await;
            if answer.status == 429 {
                throttled = Some(answer);
                break;
            }
            answer.problem(401, "unauthorized");
        }
        throttled.expect("wrong tokens without end").problem(429, "too-many-requests");
        desk.get("/permissions").await.status(200);
    }
}
