//! `--permissions`: the rights of the operator's product in place of the scope-level ones.

use serde_json::Value;

use crate::admin::desk::token;
use crate::cli::server::{Server, command, fails};
use crate::support::TestHouse;
use crate::support::database::Database;
use crate::support::wire;

const FILE: &str = r#"{"permissions": [
    {"key": "ticket.view", "label": "See tickets", "roles": ["read-only", "analyst"]},
    {"key": "ticket.close", "label": "Close a ticket"}
]}"#;

fn write(database: &Database, name: &str, text: &str) -> String {
    let file = database.folder().join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// What a server answers an administrator.
async fn asked(server: &Server, token: &str, path: &str) -> Value {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    let answer = wire::raw(&server.address, request.as_bytes()).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{text}");
    serde_json::from_str(body).unwrap()
}

fn keys(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap())
        .collect()
}

each_database! {
    async fn the_file_takes_the_place_of_scope_level_permissions(house: TestHouse) {
        let token = token(&house, "acme", &["--admin"]);
        let file = write(&house.database, "permissions.json", FILE);
        let config = write(&house.database, "muster.toml", &format!("permissions = {file:?}\n"));
        let by_flag = Server::start(&house.database, &["--permissions", &file], &[]);
        let by_environment = Server::start(&house.database, &[], &[("MUSTER_PERMISSIONS", &file)]);
        let by_settings = Server::start(&house.database, &["--config", &config], &[]);
        for server in [by_flag, by_environment, by_settings] {
            let all = asked(&server, &token, "/api/v1/permissions").await;
            let all: Vec<_> = all["items"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
            assert_eq!(all.iter().filter(|key| !key.starts_with("org.")).collect::<Vec<_>>(), [&"ticket.view", &"ticket.close"]);
            assert_eq!(all.len(), 10, "the eight `org.*` ones stay: {all:?}");
            let analyst = asked(&server, &token, "/api/v1/roles/analyst").await;
            assert_eq!(keys(&analyst["permissions"]), ["ticket.view"]);
            let admin = asked(&server, &token, "/api/v1/roles/admin").await;
            assert!(keys(&admin["permissions"]).contains(&"ticket.close"));
        }
    }

    async fn commands_that_decide_take_it_too(house: TestHouse) {
        let ada = house.user("ada").await;
        let file = write(&house.database, "permissions.json", FILE);
        let explain = ["explain", "--tenant", "acme", &ada, "ticket.close"];
        let complaint = fails(command(&house.database).args(explain), 1);
        assert!(complaint.contains("ticket.close"), "{complaint}");
        let told = command(&house.database).args(explain).args(["--permissions", &file]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.starts_with(&format!("user {ada} does not have ticket.close")), "{told}");
    }

    async fn a_file_that_cannot_be_used_stops_the_start_with_its_faults(database: Database) {
        let broken = FILE.replace("analyst", "analist").replace("ticket.close", "org.ticket");
        let file = write(&database, "permissions.json", &broken);
        let serve = |file: &str| fails(command(&database).args(["serve", "--listen", "127.0.0.1:0", "--permissions", file]), 2);
        let complaint = serve(&file);
        for part in ["permissions[0].roles[1]", "did you mean `analyst`?", "permissions[1].key", "org.ticket"] {
            assert!(complaint.contains(part), "{part}: {complaint}");
        }
        assert!(serve("nowhere.json").contains("nowhere.json"));
    }
}
