//! SIGTERM: no new requests, those under way are finished, exit code 0.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::api::bodies::user;
use crate::cli::server::Server;
use crate::support::database::Database;
use crate::support::program::run_json;

/// Far less than the hour that running requests get here: nothing may have waited for its end.
const AT_ONCE: Duration = Duration::from_mins(2);

/// A server that gives running requests an hour.
fn patient(database: &Database, arguments: &[&str]) -> Server {
    let file = database.folder().join("patient.toml");
    std::fs::write(&file, "shutdown_grace_secs = 3600\n").unwrap();
    Server::start(
        database,
        &[arguments, &["--config", file.to_str().unwrap()]].concat(),
        &[],
    )
}

/// A request whose body has not been sent yet, and the body.
fn create(token: &str) -> (String, String) {
    let body = user("ada", json!({})).to_string();
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head, body)
}

/// Returns once the address takes no connection any more.
async fn closed(address: &str) {
    let began = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(began.elapsed() < AT_ONCE, "it still takes connections");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

each_database! {
    async fn a_request_under_way_is_finished(database: Database) {
        let server = patient(&database, &[]);
        let (head, body) = create(&database.keys().await.token);
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Told to go on, it is under way for sure: its body is being read.
        let mut told = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        let (now, later) = body.split_at(body.len() / 2);
        stream.write_all(now.as_bytes()).await.unwrap();
        server.signal("TERM");
        closed(&server.address).await;
        stream.write_all(later.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 201 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        assert!(server.end().success());

        let again = Server::start(&database, &[], &[]);
        let found = again
            .client(&database.keys().await.token)
            .ask("GET", "/Users", None)
            .await
            .unwrap();
        assert_eq!(found.status(200).total(), 1);
    }

    async fn an_idle_connection_holds_nothing_up(database: Database) {
        let server = patient(&database, &[]);
        let mut idle = TcpStream::connect(&server.address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut some = [0; 16];
        idle.read_exact(&mut some).await.unwrap();
        let began = Instant::now();
        assert!(server.terminate().success());
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    }

    async fn who_follows_the_log_holds_nothing_up(database: Database) {
        let server = patient(&database, &["--log-format", "json"]);
        let made = run_json(&database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        let head = format!(
            "GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
            made["token"].as_str().unwrap()
        );
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut byte, mut seen) = ([0; 1], Vec::new());
        while !seen.ends_with(b":\n\n") {
            stream.read_exact(&mut byte).await.unwrap();
            seen.push(byte[0]);
        }
        server.signal("TERM");
        stream.read_to_end(&mut seen).await.unwrap();
        assert!(seen.ends_with(b"0\r\n\r\n"), "the answer ends as it should");
        let complaints = database.folder().join("stderr.log");
        assert!(server.end().success());
        let said = std::fs::read_to_string(complaints).unwrap();
        assert!(!said.contains("cut off"), "{said}");
    }

    async fn both_signals_end_it_well(database: Database) {
        for name in ["TERM", "INT"] {
            let server = Server::start(&database, &[], &[]);
            server.signal(name);
            assert_eq!(server.end().code(), Some(0), "SIG{name}");
        }
    }

    async fn what_was_acknowledged_is_there_after_the_next_start(database: Database) {
        let token = database.keys().await.token;
        let server = Server::start(&database, &[], &[]);
        let id = server
            .client(&token)
            .ask("POST", "/Users", Some(&user("ada", json!({}))))
            .await
            .unwrap()
            .status(201)
            .id();
        assert!(server.terminate().success());
        let again = Server::start(&database, &[], &[]);
        again
            .client(&token)
            .ask("GET", &format!("/Users/{id}"), None)
            .await
            .unwrap()
            .status(200);
    }

    async fn a_good_end_is_no_complaint(database: Database) {
        let server = Server::start(&database, &["--log-format", "json"], &[]);
        server.signal("TERM");
        closed(&server.address).await;
        let log = database.folder().join("stderr.log");
        assert!(server.end().success());
        let said = std::fs::read_to_string(log).unwrap();
        let complaints = said.lines().filter(|line| line.contains("\"level\":\"ERROR\"") || line.contains("\"level\":\"WARN\""));
        // A slow disk is one, and not of the end.
        let complaints: Vec<&str> = complaints.filter(|line| !line.contains("the disk took long")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}
