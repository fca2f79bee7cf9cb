//! Credentials that open nothing: 401 with a challenge (RFC 6750 §3), and not a word about whether the tenant exists.

use std::time::Duration;

use axum::http::Method;
use muster::base::clock::Timestamp;
use serde_json::{Value, json};

use crate::api::asks::{nobody, raw, refused};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::program::{run, run_json};

const SECRET: &str = "secret-of-ada";
const CREATE: [&str; 6] = ["token", "create", "--tenant", "acme", "--json", "--connection"];

/// 401 and the challenge of a token that is no longer, or never was, good.
#[track_caller]
fn invalid_token(answer: Answer) {
    let challenge = answer.header("www-authenticate").to_owned();
    answer.error(401, None);
    assert!(challenge.starts_with("Bearer realm=\"muster\""), "{challenge}");
    assert_eq!(challenge.matches("error=\"invalid_token\"").count(), 1, "{challenge}");
}

each_database! {
    async fn without_a_token_the_challenge_names_no_error(house: TestHouse) {
        let stranger = house.with_token(None);
        let answer = refused(&house, SECRET, stranger.post("/Users", user(SECRET, json!({})))).await;
        let challenge = answer.header("www-authenticate").to_owned();
        answer.error(401, None);
        assert!(challenge.starts_with("Bearer realm=\"muster\""), "{challenge}");
        assert!(!challenge.contains("error="), "{challenge}");
    }

    async fn another_scheme_counts_as_no_token(house: TestHouse) {
        let ask = raw(
            &house,
            "GET /scim/v2/Users",
            &[("authorization", "Basic YWRhOnNlY3JldA==")],
            "",
        );
        let answer = refused(&house, SECRET, ask).await.status(401);
        assert!(!answer.header("www-authenticate").contains("error="));
    }

    async fn a_wrong_token_is_invalid_and_never_logged(house: TestHouse) {
        let right = house.database.keys().await.token;
        let wrong = format!("{right}x");
        for token in [wrong.as_str(), SECRET, &right[..right.len() - 1], &right.to_uppercase()] {
            let stranger = house.with_token(Some(token));
            invalid_token(refused(&house, token, stranger.post("/Users", user("ada", json!({})))).await);
        }
        house.get("/Users").await.status(200);
        house.logs.never_say(&right);
    }

    async fn a_malformed_authorization_header_is_invalid(house: TestHouse) {
        for value in ["Bearer", "Bearer ", "Bearer a b"] {
            let headers = [("authorization", value)];
            let answer = refused(&house, SECRET, raw(&house, "GET /scim/v2/Users", &headers, "")).await;
            assert_eq!(answer.status, 401, "{value}");
        }
        let long = format!("Bearer {}", "x".repeat(10_000));
        invalid_token(
            refused(
                &house,
                SECRET,
                raw(&house, "GET /scim/v2/Users", &[("authorization", &long)], ""),
            )
            .await,
        );
    }

    async fn an_expired_token_is_invalid(house: TestHouse) {
        let token = house.token(&["--expires", "1h"]);
        let guest = house.with_token(Some(&token));
        guest.get("/Users").await.status(200);
        house.clock().set(real_time_plus(Duration::from_hours(1)));
        invalid_token(refused(&house, &token, guest.post("/Users", user(SECRET, json!({})))).await);
        house.get("/Users").await.status(200);
    }

    async fn a_token_opens_until_the_instant_it_expires(house: TestHouse) {
        let made = run_json(&house.database, &[&CREATE[..], &["test", "--expires", "1h"]].concat());
        let guest = house.with_token(made["token"].as_str());
        let expires: jiff::Timestamp = made["expires"].as_str().unwrap().parse().unwrap();
        house.clock().set(Timestamp(expires.as_microsecond() - 1));
        guest.get("/Users").await.status(200);
        house.clock().advance(Duration::from_micros(1));
        invalid_token(guest.get("/Users").await);
    }

    async fn a_revoked_token_is_invalid_at_once(house: TestHouse) {
        let made = run_json(&house.database, &[&CREATE[..], &["test"]].concat());
        let guest = house.with_token(made["token"].as_str());
        house.clock().set(real_time_plus(Duration::ZERO));
        guest.get("/Users").await.status(200);
        let id = made["id"].as_str().unwrap();
        assert!(
            run(&house.database, &["token", "revoke", "--tenant", "acme", id])
                .status
                .success()
        );
        house.clock().set(real_time_plus(Duration::ZERO));
        invalid_token(
            refused(
                &house,
                guest_token(&made),
                guest.post("/Users", user(SECRET, json!({}))),
            )
            .await,
        );
    }

    async fn a_token_of_another_tenant_is_invalid_under_this_ones_prefix(house: TestHouse) {
        let (own, foreign) = (house.database.keys().await.token, house.database.keys().await.neighbour);
        let bearer = |token: &str| format!("Bearer {token}");
        let ask = async |path: &str, token: &str| {
            raw(
                &house,
                &format!("GET /t/{path}/scim/v2/Users"),
                &[("authorization", &bearer(token))],
                "",
            )
            .await
        };
        ask("acme", &own).await.status(200);
        ask("neighbour", &foreign).await.status(200);
        let crossed = ask("acme", &foreign).await;
        let missing = ask("no-such-tenant", &foreign).await;
        assert_eq!(
            crossed.text, missing.text,
            "whether a tenant exists is nobody's business"
        );
        assert_eq!(crossed.header("www-authenticate"), missing.header("www-authenticate"));
        invalid_token(crossed);
        invalid_token(missing);
    }

    async fn a_token_sent_in_two_ways_is_an_invalid_request(house: TestHouse) {
        let token = house.database.keys().await.token;
        let answer = refused(&house, &token, house.get(&format!("/Users?access_token={token}"))).await;
        let challenge = answer.header("www-authenticate").to_owned();
        answer.error(400, None);
        assert!(challenge.contains("error=\"invalid_request\""), "{challenge}");
        assert_eq!(
            nobody(&house, &format!("GET /scim/v2/Users?access_token={token}"))
                .await
                .status,
            401
        );
    }

    async fn the_scheme_may_be_written_in_any_letter_case(house: TestHouse) {
        let token = house.database.keys().await.token;
        for scheme in ["bearer", "BEARER", "Bearer"] {
            raw(
                &house,
                "GET /scim/v2/Users",
                &[("authorization", &format!("{scheme} {token}"))],
                "",
            )
            .await
            .status(200);
        }
    }

    async fn a_token_of_an_administrator_provisions_nobody(house: TestHouse) {
        let made = run_json(
            &house.database,
            &["token", "create", "--tenant", "acme", "--admin", "--json"],
        );
        let admin = house.with_token(made["token"].as_str());
        let ask = admin.scim(Method::POST, "/Users", Some(user(SECRET, json!({}))), &[]);
        let answer = refused(&house, SECRET, ask).await;
        assert!(
            answer
                .header("www-authenticate")
                .contains("error=\"insufficient_scope\"")
        );
        answer.error(403, None);
    }
}

fn guest_token(made: &Value) -> &str {
    made["token"].as_str().unwrap()
}

/// The command line has the clock of the machine, the house has its own.
fn real_time_plus(later: Duration) -> Timestamp {
    muster::base::clock::Clock::system().now().plus(later)
}
