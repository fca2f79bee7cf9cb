//! `GET /.well-known/authzen-configuration`: Discovery of the certification scenario.

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::database::Database;

each_database! {
    async fn every_endpoint_is_named_under_the_address_that_was_asked(house: TestHouse) {
        let nobody = Desk::nobody(&house);
        let answer = nobody
            .ask(Method::GET, "/.well-known/authzen-configuration", None, &[("host", "pdp.example:8443")])
            .await
            .status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(
            answer.json,
            json!({
                "policy_decision_point": "http://pdp.example:8443",
                "access_evaluation_endpoint": "http://pdp.example:8443/access/v1/evaluation",
                "access_evaluations_endpoint": "http://pdp.example:8443/access/v1/evaluations",
                "search_subject_endpoint": "http://pdp.example:8443/access/v1/search/subject",
                "search_resource_endpoint": "http://pdp.example:8443/access/v1/search/resource",
                "search_action_endpoint": "http://pdp.example:8443/access/v1/search/action",
            })
        );
    }

    async fn behind_a_proxy_every_endpoint_is_named_as_clients_see_it(database: Database) {
        let server = Server::start(&database, &["--public-url", "https://pdp.example"], &[]);
        let page = server.page("/.well-known/authzen-configuration").await;
        let (head, body) = page.split_once("\r\n\r\n").unwrap();
        assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
        let metadata: Value = serde_json::from_str(body).unwrap();
        assert_eq!(metadata["policy_decision_point"], "https://pdp.example");
        let endpoints: Vec<_> = metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint")).collect();
        assert_eq!(endpoints.len(), 5);
        for (name, url) in endpoints {
            assert!(url.as_str().unwrap().starts_with("https://pdp.example/access/v1/"), "{name}: {url}");
        }
    }
}
