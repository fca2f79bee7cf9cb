//! Requests that are too large, in bytes or in depth.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::api::asks::{post_bytes, raw, refused};
use crate::api::bodies::{NOBODY, USER, search, user};
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::database::Database;
use crate::support::wire;

const SECRET: &str = "secret-of-ada";

/// 10 MB of a user's picture.
fn ten_megabytes() -> String {
    let filling = "x".repeat(10 << 20);
    format!(r#"{{"schemas":["{USER}"],"userName":"{SECRET}","profileUrl":"{filling}"}}"#)
}

each_database! {
    async fn ten_megabytes_are_413(house: TestHouse) {
        let body = ten_megabytes();
        let length = body.len().to_string();
        let headers = [
            ("content-type", "application/scim+json"),
            ("content-length", length.as_str()),
        ];
        let detail = refused(&house, SECRET, raw(&house, "POST /scim/v2/Users", &headers, body))
            .await
            .error(413, None);
        assert!(detail.contains("8388608"), "the limit is named: {detail}");
    }

    async fn ten_megabytes_that_were_not_announced_are_413(house: TestHouse) {
        let body = Body::from(ten_megabytes());
        refused(&house, SECRET, post_bytes(&house, "/Users", body))
            .await
            .error(413, None);
    }

    async fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent(database: Database) {
        let (server, token) = (Server::start(&database, &[], &[]), database.keys().await.token);
        let head = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/scim+json\r\nContent-Length: 10485760\r\n\r\n"
        );
        let answer = wire::raw(&server.address, head.as_bytes()).await.unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 413 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }

    async fn whoever_sends_all_of_what_is_refused_hears_why(database: Database) {
        let (server, token) = (Server::start(&database, &[], &[]), database.keys().await.token);
        let body = ten_megabytes();
        let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let (plain, in_chunks) = (format!("Content-Length: {}", body.len()), "Transfer-Encoding: chunked".to_owned());
        for (length, body, token, status) in [
            (&plain, &body, token.as_str(), "413"),
            (&in_chunks, &chunked, &token, "413"),
            (&plain, &body, "nobody", "401"),
        ] {
            let head = format!(
                "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/scim+json\r\n{length}\r\n\r\n"
            );
            let answer = wire::raw(&server.address, format!("{head}{body}").as_bytes()).await.unwrap();
            let begins = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(begins.as_bytes()), "{}", String::from_utf8_lossy(&answer));
        }
    }

    async fn a_chunked_body_is_read_and_one_chunk_too_many_is_413(database: Database) {
        let (server, token) = (Server::start(&database, &[], &[]), database.keys().await.token);
        let head = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/scim+json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let small = user(SECRET, json!({})).to_string();
        let whole = format!("{head}{:x}\r\n{small}\r\n0\r\n\r\n", small.len());
        let answer = wire::raw(&server.address, whole.as_bytes()).await.unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 201 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );

        // The last byte that is allowed and one more, so that nothing is left unread when the answer comes.
        let chunk = format!("{:x}\r\n{}", (8 << 20) + 1, " ".repeat((8 << 20) + 1));
        let answer = wire::raw(&server.address, format!("{head}{chunk}").as_bytes())
            .await
            .unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 413 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }

    async fn json_nested_ten_thousand_deep_is_invalid_syntax(house: TestHouse) {
        let open = "[".repeat(10_000);
        let body = format!(r#"{{"schemas":["{USER}"],"userName":"{SECRET}","emails":{open}"#);
        refused(&house, SECRET, post_bytes(&house, "/Users", body))
            .await
            .error(400, Some("invalidSyntax"));
    }

    async fn ten_thousand_brackets_are_an_invalid_filter(house: TestHouse) {
        let [plain, ..] = nested(10_000);
        refused(&house, SECRET, house.find("/Users", &plain))
            .await
            .error(400, Some("invalidFilter"));
        // The others do not fit a URL, where each bracket takes three letters.
        for filter in nested(10_000) {
            let ask = house.post("/Users/.search", search(json!({"filter": filter})));
            refused(&house, SECRET, ask).await.error(400, Some("invalidFilter"));
            let ask = house.post("/.search", search(json!({"filter": filter})));
            refused(&house, SECRET, ask).await.error(400, Some("invalidFilter"));
        }
    }

    async fn brackets_that_fit_the_length_are_an_invalid_filter_too(house: TestHouse) {
        for filter in nested(1_000) {
            refused(&house, SECRET, house.find("/Users", &filter))
                .await
                .error(400, Some("invalidFilter"));
        }
    }

    async fn ten_thousand_terms_are_an_invalid_filter(house: TestHouse) {
        let filter = vec![format!("userName eq \"{SECRET}\""); 10_000].join(" or ");
        let ask = house.post("/Users/.search", search(json!({"filter": filter})));
        refused(&house, SECRET, ask).await.error(400, Some("invalidFilter"));
    }

    async fn brackets_in_a_patch_path_are_refused(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let deep = format!(
            "emails[{}value eq \"{SECRET}\"{}]",
            "(".repeat(5_000),
            ")".repeat(5_000)
        );
        let ask = house.patch(&path, json!([{"op": "remove", "path": deep}]));
        refused(&house, SECRET, ask).await.error(400, Some("invalidFilter"));
    }

    async fn more_operations_than_a_patch_may_have_are_413(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let many = vec![json!({"op": "add", "path": "title", "value": SECRET}); 1_001];
        refused(&house, SECRET, house.patch(&path, json!(many)))
            .await
            .error(413, None);
    }

    async fn a_value_too_long_for_a_row_is_invalid_value(house: TestHouse) {
        let long = SECRET.repeat(10_000);
        let ask = house.post("/Users", user("ada", json!({"title": long})));
        refused(&house, SECRET, ask).await.error(400, Some("invalidValue"));
    }

    async fn an_id_longer_than_any_is_not_found(house: TestHouse) {
        for method in [Method::GET, Method::DELETE] {
            let path = format!("/Users/{NOBODY}{}", "0".repeat(5_000));
            refused(&house, SECRET, house.scim(method, &path, None, &[]))
                .await
                .error(404, None);
        }
    }
}

/// Filters with so many brackets open at once.
fn nested(depth: usize) -> [String; 3] {
    let term = format!("userName eq \"{SECRET}\"");
    [
        format!("{}{term}{}", "(".repeat(depth), ")".repeat(depth)),
        format!("{}{term}{}", "not (".repeat(depth), ")".repeat(depth)),
        format!("{}{term}", "emails[".repeat(depth)),
    ]
}
