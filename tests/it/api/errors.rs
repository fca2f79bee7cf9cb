//! Refusals that have nothing to do with resources: wrong places, wrong methods, things not built.
//!
//! RFC 7644 §3.12, §3.13.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::json;

use crate::api::asks::{nobody, raw};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::answer::Answer;

fn allowed(answer: &Answer) -> BTreeSet<String> {
    answer
        .header("allow")
        .split(',')
        .map(|method| method.trim().to_owned())
        .filter(|method| method != "HEAD")
        .collect()
}

fn methods(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

each_database! {
    async fn unknown_endpoints_are_404(house: TestHouse) {
        for path in [
            "/Things",
            "/Things/1",
            "/users",
            "/Users/1/2",
            "/Groups/.search/x",
            "/Schemas/urn:x/y",
        ] {
            house.get(path).await.error(404, None);
        }
        house.post("/Things", user("ada", json!({}))).await.error(404, None);
        house.post("/Things/.search", json!({})).await.error(404, None);
        for line in ["GET /nothing", "GET /", "POST /scim", "GET /t/acme", "GET /t/acme/scim"] {
            raw(&house, line, &[], "").await.error(404, None);
        }
    }

    async fn a_wrong_method_is_405_and_says_which_are_right(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        for (method, path, expected) in [
            (Method::DELETE, "/Users", methods(&["GET", "POST"])),
            (Method::PUT, "/Groups", methods(&["GET", "POST"])),
            (Method::POST, path.as_str(), methods(&["DELETE", "GET", "PATCH", "PUT"])),
            (Method::POST, "/Schemas", methods(&["GET"])),
            (Method::DELETE, "/ResourceTypes/User", methods(&["GET"])),
            (Method::PATCH, "/ServiceProviderConfig", methods(&["GET"])),
            (Method::PUT, "/ServiceProviderConfig", methods(&["GET"])),
            (Method::GET, "/Bulk", methods(&["POST"])),
            (Method::GET, "/.search", methods(&["POST"])),
        ] {
            let answer = house.scim(method.clone(), path, Some(json!({})), &[]).await;
            assert_eq!(allowed(&answer), expected, "{method} {path}");
            answer.error(405, None);
        }
    }

    async fn another_version_of_the_protocol_is_refused(house: TestHouse) {
        for line in [
            "GET /scim/v9/Users",
            "POST /scim/v1/Users",
            "GET /scim/v3",
            "DELETE /scim/v9/Users/1/2",
        ] {
            raw(&house, line, &[], "").await.error(400, Some("invalidVers"));
            nobody(&house, line).await.error(400, Some("invalidVers"));
        }
    }

    async fn slashes_at_the_end_and_doubled_ones_do_not_matter(house: TestHouse) {
        let id = house.user("ada").await;
        for line in [
            "/scim/v2/Users/",
            "/scim/v2//Users",
            "//scim//v2///Users//",
            "/t/acme//scim/v2/Users/",
            "/scim/v2/Users/?count=5",
        ] {
            assert_eq!(
                raw(&house, &format!("GET {line}"), &[], "").await.status(200).ids(),
                [id.as_str()],
                "{line}"
            );
        }
        raw(&house, &format!("GET /scim/v2/Users/{id}/"), &[], "")
            .await
            .status(200);
        raw(&house, "GET /scim/v2/", &[], "").await.status(200);
        raw(&house, "GET /scim/v2/ServiceProviderConfig/", &[], "")
            .await
            .status(200);
        let headers = [("content-type", "application/scim+json")];
        raw(
            &house,
            "POST /scim/v2/Users/",
            &headers,
            user("bob", json!({})).to_string(),
        )
        .await
        .status(201);
    }

    async fn without_a_token_nothing_is_told_apart(house: TestHouse) {
        let stranger = house.with_token(None);
        let ada = house.user("ada").await;
        let known = stranger.get(&format!("/Users/{ada}")).await.status(401);
        for path in ["/Users/none", "/Things", "/Me", "/Users?filter=%ff", "/Things/1/2/3"] {
            let answer = stranger.get(path).await;
            assert_eq!((answer.status, &answer.text), (401, &known.text), "{path}");
        }
    }

    async fn every_answer_carries_the_id_of_its_request(house: TestHouse) {
        let sent = house
            .scim(Method::GET, "/Users", None, &[("x-request-id", "abc-123")])
            .await;
        assert_eq!(sent.header("x-request-id"), "abc-123");
        let refused = house
            .scim(Method::GET, "/Users/none", None, &[("x-request-id", "abc-124")])
            .await;
        assert_eq!(refused.header("x-request-id"), "abc-124");
        let (one, other) = (house.get("/Users").await, house.get("/Users").await);
        assert_ne!(one.header("x-request-id"), "");
        assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    }

    async fn a_request_id_that_could_do_harm_is_replaced(house: TestHouse) {
        let long = "x".repeat(500);
        for harmful in ["<script>", "zz qq", "\"quoted\"", "", long.as_str()] {
            let answer = house
                .scim(Method::GET, "/Users", None, &[("x-request-id", harmful)])
                .await;
            assert!(!["", harmful].contains(&answer.header("x-request-id")), "{harmful}");
            if !harmful.is_empty() {
                house.logs.never_say(harmful);
            }
        }
    }

    async fn details_are_written_for_people(house: TestHouse) {
        for answer in [
            house.get("/Users/none").await,
            house.get("/Things").await,
            house.get("/Me").await,
            house.get("/Users?count=x").await,
        ] {
            let detail = answer.json["detail"].as_str().unwrap();
            assert!(
                detail.len() > 10 && !detail.ends_with('.') && detail.starts_with(|c: char| !c.is_uppercase()),
                "{detail}"
            );
        }
    }

    async fn probes_answer_without_a_token(house: TestHouse) {
        assert_eq!(nobody(&house, "GET /healthz").await.status(200).text, "ok\n");
        assert_eq!(nobody(&house, "GET /readyz").await.status(200).text, "ready\n");
        house.get("/Users").await.status(200);
        let metrics = nobody(&house, "GET /metrics").await.status(200).text;
        assert!(metrics.contains("muster_requests_total{"), "{metrics}");
        nobody(&house, "POST /healthz").await.error(405, None);
    }

    async fn metrics_and_logs_name_routes_and_not_people(house: TestHouse) {
        let ada = house.user("ada-of-the-metrics").await;
        house.get(&format!("/Users/{ada}")).await.status(200);
        house
            .find("/Users", "userName eq \"ada-of-the-metrics\"")
            .await
            .status(200);
        let metrics = nobody(&house, "GET /metrics").await.text;
        for hidden in ["ada-of-the-metrics", ada.as_str()] {
            assert!(!metrics.contains(hidden), "{hidden} is in the metrics");
        }
        house.logs.never_say("ada-of-the-metrics");
        assert!(
            house.logs.text().contains("/{endpoint}/{id}"),
            "the log names the pattern of the route"
        );
    }
}
