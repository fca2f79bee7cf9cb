//! `muster tenant` and `muster connection`.

use serde_json::{Value, json};

use crate::api::asks::keys;
use crate::cli::server::{Server, command, fails};
use crate::support::database::Database;
use crate::support::dump::Dump;
use crate::support::program::{run, run_json};

fn tenant(database: &Database, name: &str) -> Value {
    run_json(database, &["tenant", "create", name, "--json"])
}

fn connection(database: &Database, tenant: &str, more: &[&str]) -> Value {
    run_json(
        database,
        &[&["connection", "create", "--tenant", tenant, "--json", "--name"], more].concat(),
    )
}

each_database! {
    async fn a_tenant_gets_an_id_and_a_slug_of_its_name(database: Database) {
        let made = tenant(&database, "Umbrella  Corp. (EU)");
        assert_eq!(
            (keys(&made), &made["slug"]),
            (vec!["id", "slug"], &json!("umbrella-corp-eu"))
        );
        let items = run_json(&database, &["tenant", "list", "--json"])["items"].clone();
        let own = items
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["id"] == made["id"])
            .unwrap();
        assert_eq!(keys(own), ["created", "id", "name", "slug", "state"]);
        assert_eq!(own["name"], "Umbrella  Corp. (EU)");
    }

    async fn a_slug_is_given_once(database: Database) {
        let before = Dump::of(&database).await;
        for name in ["acme", "ACME", "Acme!", "", "   ", "\u{65e5}\u{672c}"] {
            fails(command(&database).args(["tenant", "create", name]), 1);
        }
        before.assert_same(&Dump::of(&database).await);
    }

    async fn a_connection_gets_an_id_and_a_base_url_that_works(database: Database) {
        let server = Server::start(&database, &[], &[]);
        tenant(&database, "Umbrella");
        let made = connection(
            &database,
            "umbrella",
            &[
                "okta",
                "--dialect",
                "okta",
                "--public-url",
                &format!("http://{}", server.address),
            ],
        );
        assert_eq!(keys(&made), ["base_url", "id"]);
        let base = made["base_url"].as_str().unwrap();
        assert_eq!(base, format!("http://{}/t/umbrella/scim/v2", server.address));
        let token = run_json(
            &database,
            &[
                "token",
                "create",
                "--tenant",
                "umbrella",
                "--connection",
                "okta",
                "--json",
            ],
        );
        let path = base.trim_start_matches("http://").trim_start_matches(&server.address);
        let request = format!(
            "GET {path}/Users HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            server.address,
            token["token"].as_str().unwrap()
        );
        let answer = crate::support::wire::raw(&server.address, request.as_bytes())
            .await
            .unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }

    async fn connections_are_listed_and_shown(database: Database) {
        connection(&database, "acme", &["hr", "--dialect", "strict"]);
        let items = run_json(&database, &["connection", "list", "--tenant", "acme", "--json"])["items"].clone();
        let named: Vec<_> = items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["name"].as_str().unwrap(), item["dialect"].as_str().unwrap()))
            .collect();
        assert_eq!(named, [("test", "auto"), ("hr", "strict")]);
        let shown = run_json(&database, &["connection", "show", "--tenant", "acme", "hr", "--json"]);
        assert_eq!(keys(&shown), ["base_url", "dialect", "id", "name", "tolerances", "undeclared"]);
        assert_eq!(
            (&shown["dialect"], &shown["tolerances"]),
            (&json!("strict"), &json!([]))
        );
    }

    async fn a_name_of_a_connection_is_unique_in_its_tenant_alone(database: Database) {
        fails(
            command(&database).args(["connection", "create", "--tenant", "acme", "--name", "test"]),
            1,
        );
        fails(
            command(&database).args(["connection", "create", "--tenant", "nowhere", "--name", "x"]),
            1,
        );
        fails(
            command(&database).args(["connection", "show", "--tenant", "acme", "nothing"]),
            1,
        );
        connection(&database, "acme", &["hr"]);
        connection(&database, "neighbour", &["hr"]);
    }

    async fn an_unknown_dialect_is_told_which_there_are(database: Database) {
        let create = [
            "connection",
            "create",
            "--tenant",
            "acme",
            "--name",
            "x",
            "--dialect",
            "azure",
        ];
        let complaint = fails(command(&database).args(create), 2);
        for known in ["auto", "strict", "interop-profile", "okta", "entra"] {
            assert!(complaint.contains(known), "{complaint}");
        }
    }

    async fn every_dialect_of_the_contract_can_be_chosen(database: Database) {
        for dialect in ["auto", "strict", "interop-profile", "okta", "entra"] {
            connection(&database, "acme", &[dialect, "--dialect", dialect]);
        }
    }

    async fn without_json_people_are_told_what_comes_next(database: Database) {
        let said = |arguments: &[&str]| String::from_utf8(run(&database, arguments).stdout).unwrap();
        assert!(said(&["tenant", "create", "Umbrella"]).contains("muster connection create --tenant umbrella"));
        let made = said(&["connection", "create", "--tenant", "umbrella", "--name", "okta"]);
        assert!(
            made.contains("/t/umbrella/scim/v2")
                && made.contains("muster token create --tenant umbrella --connection okta"),
            "{made}"
        );
    }
}
