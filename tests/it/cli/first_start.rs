//! The first start on an empty database, and every later one.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::api::bodies::user;
use crate::cli::server::{Server, command};
use crate::support::database::Database;
use crate::support::dump::Dump;
use crate::support::program::run_json;

const GIVEN: &str = "bootstrap-token-of-the-test-0123456789";

/// The word behind a label of the banner.
fn told(banner: &str, label: &str) -> String {
    let line = banner.lines().find_map(|line| line.trim().strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label} in {banner}"))
        .trim()
        .to_owned()
}

each_database! {
    async fn an_empty_database_is_given_a_tenant_and_a_token_that_works(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let server = Server::start(&empty, &[], &[]);
        let (base, token) = (
            told(&server.banner, "SCIM base URL"),
            told(&server.banner, "bearer token"),
        );
        assert_eq!(base, format!("http://{}/scim/v2", server.address));
        let client = server.client(&token);
        let ada = client
            .ask("POST", "/Users", Some(&user("ada", json!({}))))
            .await
            .unwrap()
            .status(201)
            .id();
        assert_eq!(client.ask("GET", "/Users", None).await.unwrap().ids(), [ada]);
        assert!(server.terminate().success());
        assert_eq!(
            run_json(&empty, &["tenant", "list", "--json"])["items"][0]["slug"],
            "default"
        );
        let connections = run_json(&empty, &["connection", "list", "--tenant", "default", "--json"]);
        assert_eq!(connections["items"][0]["name"], "default");
        empty.drop_now().await;
    }

    async fn the_token_is_shown_once_and_kept_nowhere(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let first = Server::start(&empty, &[], &[]);
        let token = told(&first.banner, "bearer token");
        assert_eq!(first.banner.matches(&token).count(), 1);
        assert!(token.len() >= 40, "too short to be safe from guessing");
        first
            .client(&token)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(first.terminate().success());
        assert!(
            !format!("{:?}", Dump::of(&empty).await).contains(&token),
            "it is stored as it is"
        );

        let second = Server::start(&empty, &[], &[]);
        assert_eq!(second.banner, format!("listening on http://{}\n", second.address));
        second
            .client(&token)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(!second.complaints().contains(&token), "it is in the log");
        assert!(second.terminate().success());
        empty.drop_now().await;
    }

    async fn the_environment_can_give_the_token(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let server = Server::start(&empty, &[], &[("MUSTER_BOOTSTRAP_TOKEN", GIVEN)]);
        server
            .client(GIVEN)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(
            !server.banner.contains(GIVEN),
            "who gave it knows it: {}",
            server.banner
        );
        assert!(!server.complaints().contains(GIVEN), "it is in the log");
        assert!(server.terminate().success());
        assert!(
            !format!("{:?}", Dump::of(&empty).await).contains(GIVEN),
            "it is stored as it is"
        );
        empty.drop_now().await;
    }

    async fn the_environment_can_give_the_admin_token(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let admin = "bootstrap-admin-token-0123456789-0123";
        let server = Server::start(&empty, &[], &[("MUSTER_BOOTSTRAP_ADMIN_TOKEN", admin)]);
        server
            .client(admin)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .error(403, None);
        let token = told(&server.banner, "bearer token");
        server
            .client(&token)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(!server.banner.contains(admin) && !server.complaints().contains(admin));
        assert!(server.terminate().success());
        empty.drop_now().await;
    }

    async fn a_database_that_is_not_empty_ignores_given_tokens_with_a_warning(database: Database) {
        let before = numbered(&database).await;
        let given = [
            ("MUSTER_BOOTSTRAP_TOKEN", GIVEN),
            ("MUSTER_BOOTSTRAP_ADMIN_TOKEN", "another-one-0123456789-0123456789"),
        ];
        let server = Server::start(&database, &[], &given);
        assert!(server.complaints().contains("not empty"), "{}", server.complaints());
        server
            .client(GIVEN)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .error(401, None);
        server
            .client(&database.keys().await.token)
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(!server.complaints().contains(GIVEN), "it is in the log");
        assert!(server.terminate().success());
        let after = Dump::of(&database).await;
        // Meanwhile the server has numbered what the log had waiting.
        for table in ["connection", "tenant"] {
            assert_eq!(after.table(table), before.table(table));
        }
        assert_eq!(after.table("token").len(), before.table("token").len());
    }

    async fn the_base_url_is_the_public_one_where_there_is_one(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let server = Server::start(&empty, &["--public-url", "https://muster.example/"], &[]);
        assert_eq!(told(&server.banner, "SCIM base URL"), "https://muster.example/scim/v2");
        drop(server);
        empty.drop_now().await;
    }

    async fn settings_come_from_the_file_too(database: Database) {
        let path = settings(&database);
        let server = Server::start(&database, &["--config", &path], &[]);
        let client = server.client(&database.keys().await.token);
        let config = client
            .ask("GET", "/ServiceProviderConfig", None)
            .await
            .unwrap()
            .status(200)
            .json;
        assert_eq!(config["filter"]["maxResults"], 3);
        for n in 0..5 {
            let body = user(&format!("u{n}"), json!({}));
            let made = client.ask("POST", "/Users", Some(&body)).await.unwrap().status(201);
            assert!(
                made.header("location")
                    .starts_with("https://from-file.example/scim/v2/")
            );
        }
        let page = client.ask("GET", "/Users?count=100", None).await.unwrap().status(200);
        assert_eq!(
            (page.total(), page.ids().len()),
            (5, 3),
            "the page is cut to max_results, the total is not"
        );
    }

    async fn flags_win_over_the_environment_and_that_over_the_file(database: Database) {
        let path = settings(&database);
        let (flag, environment) = ("https://from-flag.example", "https://from-environment.example");
        for (arguments, variables, expected) in [
            (
                vec!["--public-url", flag],
                vec![("MUSTER_PUBLIC_URL", environment), ("MUSTER_CONFIG", &path)],
                flag,
            ),
            (
                vec![],
                vec![("MUSTER_PUBLIC_URL", environment), ("MUSTER_CONFIG", &path)],
                environment,
            ),
            (vec![], vec![("MUSTER_CONFIG", &path)], "https://from-file.example"),
        ] {
            let server = Server::start(&database, &arguments, &variables);
            let client = server.client(&database.keys().await.token);
            let config = client.ask("GET", "/ServiceProviderConfig", None).await.unwrap().json;
            let location = config["meta"]["location"].as_str().unwrap();
            assert!(location.starts_with(&format!("{expected}/scim/v2/")), "{location}");
        }
    }

    async fn without_a_command_it_serves(database: Database) {
        let mut child = command(&database)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    }
}

/// A settings file beside the database.
fn settings(database: &Database) -> String {
    let file = database.folder().join("muster.toml");
    let text = "public_url = \"https://from-file.example\"\nrate_limit = \"off\"\nmax_results = 3\n";
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// What is in the database when a server has run on it and nothing waits for its number any more.
async fn numbered(database: &Database) -> Dump {
    let server = Server::start(database, &[], &[]);
    let mut dump = Dump::of(database).await;
    while !dump.table("entry").is_empty() {
        dump = Dump::of(database).await;
    }
    assert!(server.terminate().success());
    dump
}
