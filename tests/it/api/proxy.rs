//! What stands in locations: the public URL, what a trusted proxy says, or what the client asked for.

use serde_json::{Value, json};

use crate::api::asks::raw;
use crate::api::bodies::user;
use crate::cli::server::Server;
use crate::support::TestHouse;
use crate::support::database::Database;
use crate::support::wire::Client;

const FORWARDED: [(&str, &str); 3] = [
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "scim.customer.test"),
    ("X-Forwarded-For", "203.0.113.7"),
];

/// Where a list says that its resource is, without the path.
async fn origin(client: &Client, headers: &[(&str, &str)]) -> String {
    let list = client
        .ask_with("GET", "/Users", None, headers)
        .await
        .unwrap()
        .status(200);
    let meta = &list.json["Resources"][0]["meta"];
    meta["location"]
        .as_str()
        .unwrap()
        .split("/scim/v2/Users/")
        .next()
        .unwrap()
        .to_owned()
}

async fn with_ada(server: &Server, database: &Database) -> Client {
    let client = server.client(&database.keys().await.token);
    client
        .ask("POST", "/Users", Some(&user("ada", json!({}))))
        .await
        .unwrap()
        .status(201);
    client
}

each_database! {
    async fn forwarded_headers_of_a_stranger_mean_nothing(database: Database) {
        let server = Server::start(&database, &[], &[]);
        let client = with_ada(&server, &database).await;
        assert_eq!(origin(&client, &[]).await, format!("http://{}", server.address));
        assert_eq!(origin(&client, &FORWARDED).await, format!("http://{}", server.address));
    }

    async fn forwarded_headers_of_another_network_mean_nothing(database: Database) {
        let server = Server::start(&database, &["--trusted-proxy", "10.0.0.0/8"], &[]);
        let client = with_ada(&server, &database).await;
        assert_eq!(origin(&client, &FORWARDED).await, format!("http://{}", server.address));
    }

    async fn a_trusted_proxy_says_what_the_client_used(database: Database) {
        let server = Server::start(&database, &[], &[("MUSTER_TRUSTED_PROXIES", "10.0.0.0/8,127.0.0.1/32")]);
        let client = with_ada(&server, &database).await;
        assert_eq!(origin(&client, &FORWARDED).await, "https://scim.customer.test");
        assert_eq!(
            origin(&client, &FORWARDED[..1]).await,
            format!("https://{}", server.address)
        );
        assert_eq!(origin(&client, &FORWARDED[1..2]).await, "http://scim.customer.test");
        let hostile = [
            ("X-Forwarded-Host", "evil.test/\"><script>"),
            ("X-Forwarded-Proto", "javascript"),
        ];
        let shown = origin(&client, &hostile).await;
        assert!(shown.starts_with("http://") && !shown.contains("evil"), "{shown}");
    }

    async fn the_public_url_stands_above_everything(database: Database) {
        let arguments = [
            "--public-url",
            "https://muster.example/idp/",
            "--trusted-proxy",
            "127.0.0.1/32",
        ];
        let server = Server::start(&database, &arguments, &[]);
        let client = with_ada(&server, &database).await;
        assert_eq!(origin(&client, &[]).await, "https://muster.example/idp");
        assert_eq!(origin(&client, &FORWARDED).await, "https://muster.example/idp");
        let made = client
            .ask("POST", "/Users", Some(&user("bob", json!({}))))
            .await
            .unwrap()
            .status(201);
        assert!(
            made.header("location")
                .starts_with("https://muster.example/idp/scim/v2/Users/")
        );
        assert_eq!(made.json["meta"]["location"], made.header("location"));
    }

    async fn every_location_of_an_answer_has_one_origin(database: Database) {
        let server = Server::start(&database, &["--public-url", "https://muster.example"], &[]);
        let client = with_ada(&server, &database).await;
        let ada = client.ask("GET", "/Users", None).await.unwrap().ids().remove(0);
        let group = crate::api::bodies::group("Sales", &[&ada]);
        client.ask("POST", "/Groups", Some(&group)).await.unwrap().status(201);
        for path in ["/", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            let answer = client.ask("GET", path, None).await.unwrap().status(200);
            let mut locations = Vec::new();
            collect(&answer.json, &mut locations);
            assert!(!locations.is_empty(), "{path}");
            assert!(
                locations
                    .iter()
                    .all(|at| at.starts_with("https://muster.example/scim/v2/")),
                "{path}: {locations:?}"
            );
        }
    }

    async fn the_host_that_the_client_names_is_used_and_never_trusted_further(house: TestHouse) {
        house.user("ada").await;
        let located = async |host: &str| {
            let list = raw(&house, "GET /scim/v2/Users", &[("host", host)], "")
                .await
                .status(200);
            list.json["Resources"][0]["meta"]["location"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert!(
            located("muster.test:8080")
                .await
                .starts_with("http://muster.test:8080/scim/v2/Users/")
        );
        assert!(
            located("[::1]:8080")
                .await
                .starts_with("http://[::1]:8080/scim/v2/Users/")
        );
        for hostile in ["user:pw@evil.test", "evil.test/x", "evil.test?x", "\"evil.test", ""] {
            let location = located(hostile).await;
            assert!(
                location.starts_with("http://localhost/scim/v2/Users/"),
                "{hostile}: {location}"
            );
        }
    }
}

/// Every `location` and `$ref` below a value.
fn collect<'a>(value: &'a Value, locations: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, locations)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "location" || name == "$ref" => locations.push(text),
                    other => collect(other, locations),
                }
            }
        }
        _ => {}
    }
}
