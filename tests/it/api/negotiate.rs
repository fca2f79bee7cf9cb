//! Media types, character sets and compression (RFC 7644 §3.8).

use std::io::Write;
use std::process::{Command, Stdio};

use axum::http::Method;
use serde_json::json;

use crate::api::asks::{nobody, raw};
use crate::api::bodies::user;
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::database::Database;
use crate::support::wire;

each_database! {
    async fn answers_are_scim_json_unless_only_plain_json_is_wanted(house: TestHouse) {
        for (accept, expected) in [
            ("", "application/scim+json"),
            ("*/*", "application/scim+json"),
            ("application/*", "application/scim+json"),
            ("application/scim+json", "application/scim+json"),
            ("application/json", "application/json"),
            ("application/json;charset=utf-8", "application/json"),
            ("APPLICATION/SCIM+JSON; q=0.5", "application/scim+json"),
            ("text/html, application/json;q=0.9, */*;q=0.1", "application/scim+json"),
            ("application/json, application/scim+json", "application/scim+json"),
            ("text/html, application/json", "application/json"),
        ] {
            for path in ["/Users", "/ServiceProviderConfig", "/Schemas"] {
                let answer = house
                    .scim(Method::GET, path, None, &[("accept", accept)])
                    .await
                    .status(200);
                assert_eq!(answer.header("content-type"), expected, "{accept} at {path}");
            }
        }
    }

    async fn every_verb_answers_in_the_type_that_is_wanted(house: TestHouse) {
        let json = [("accept", "application/json")];
        let made = house
            .scim(Method::POST, "/Users", Some(user("ada", json!({}))), &json)
            .await
            .status(201);
        let path = format!("/Users/{}", made.id());
        let put = house
            .scim(Method::PUT, &path, Some(user("ada", json!({"title": "x"}))), &json)
            .await
            .status(200);
        for answer in [made, put] {
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }

    async fn what_cannot_be_served_is_406_and_changes_nothing(house: TestHouse) {
        let before = house.dump().await;
        for accept in [
            "text/xml",
            "text/html, image/*",
            "application/scim+json;q=0",
            "application/json;q=0.0",
        ] {
            let answer = house
                .scim(
                    Method::POST,
                    "/Users",
                    Some(user("ada", json!({}))),
                    &[("accept", accept)],
                )
                .await;
            assert_eq!(answer.header("content-type"), "application/scim+json");
            answer.error(406, None);
        }
        before.assert_same(&house.dump().await);
    }

    async fn errors_have_the_media_type_of_answers(house: TestHouse) {
        let ada = house.user("ada").await;
        for answer in [
            house.get("/Users/none").await,
            house.get("/Users?count=x").await,
            house.get("/nothing").await,
            house.get("/Me").await,
            house.put(&format!("/Users/{ada}"), json!({})).await,
            nobody(&house, "GET /scim/v2/Users").await,
            nobody(&house, "GET /scim/v9/Users").await,
            nobody(&house, "GET /nothing").await,
            house.delete("/Users").await,
        ] {
            assert_eq!(
                answer.header("content-type"),
                "application/scim+json",
                "{}",
                answer.text
            );
            assert_eq!(answer.json["status"], answer.status.to_string());
        }
    }

    async fn a_charset_of_the_body_is_tolerated_and_utf_8_is_meant(house: TestHouse) {
        let headers = [("content-type", "application/scim+json; charset=UTF-8; profile=\"x\"")];
        let body = user("\u{1f600}", json!({"displayName": "\u{e9}"})).to_string();
        let answer = raw(
            &house,
            "POST /scim/v2/Groups",
            &headers,
            body.replace("core:2.0:User", "core:2.0:Group"),
        )
        .await
        .status(201);
        assert_eq!(answer.json["displayName"], "\u{e9}");
    }

    async fn large_answers_are_compressed_for_who_takes_gzip(house: TestHouse) {
        for n in 0..20 {
            house.user(&format!("user-with-a-long-name-{n}")).await;
        }
        let gzip = [("accept-encoding", "gzip")];
        let answer = house.scim(Method::GET, "/Users", None, &gzip).await.status(200);
        assert_eq!(answer.header("content-encoding"), "gzip");
        assert!(answer.header("vary").to_ascii_lowercase().contains("accept-encoding"));
        for headers in [
            &[][..],
            &[("accept-encoding", "identity")],
            &[("accept-encoding", "br")],
        ] {
            let plain = house.scim(Method::GET, "/Users", None, headers).await.status(200);
            assert_eq!((plain.header("content-encoding"), plain.total()), ("", 20));
        }
    }

    async fn small_answers_are_sent_as_they_are(house: TestHouse) {
        let gzip = [("accept-encoding", "gzip")];
        let path = format!("/Users/{}", house.user("ada").await);
        let answer = house.scim(Method::GET, &path, None, &gzip).await.status(200);
        assert_eq!(
            (answer.header("content-encoding"), answer.json["userName"].as_str()),
            ("", Some("ada"))
        );
        house
            .scim(Method::GET, "/Users/none", None, &gzip)
            .await
            .error(404, None);
    }

    async fn a_compressed_answer_holds_the_same_bytes(database: Database) {
        let (server, token) = (Server::start(&database, &[], &[]), database.keys().await.token);
        let ask = |extra: &str| {
            format!(
                "GET /scim/v2/Schemas HTTP/1.0\r\nHost: muster.test\r\nAuthorization: Bearer {token}\r\n{extra}\r\n"
            )
        };
        let plain = wire::raw(&server.address, ask("").as_bytes()).await.unwrap();
        let packed = wire::raw(&server.address, ask("Accept-Encoding: gzip\r\n").as_bytes())
            .await
            .unwrap();
        assert!(packed.len() < plain.len() / 2);
        assert_eq!(unpacked(body(&packed)), body(&plain));
    }
}

/// What follows the head; without chunks, because HTTP/1.0 has none.
fn body(answer: &[u8]) -> &[u8] {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    &answer[head + 4..]
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(packed).unwrap();
    gzip.wait_with_output().unwrap().stdout
}
