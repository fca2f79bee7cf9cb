//! A disk that is full in mid-write: what is refused is nowhere, and everything goes on when there is room again.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::database::{Database, Engine};
use crate::support::dump::Dump;
use crate::support::program::{self, Program};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Far more users than fit into the room that there is.
const MANY: usize = 5_000;

/// Users that are made when there is room again.
const AFTER: usize = 5;

/// What became of each user that was asked for.
#[derive(Default)]
struct Asked {
    made: Vec<String>,
    refused: Vec<String>,
}

impl Asked {
    /// Asks for another user; says whether it was made.
    async fn ask(&mut self, server: &Program, token: &str) -> bool {
        let name = format!("user-{}", self.made.len() + self.refused.len());
        let body = json!({"schemas": [USER], "userName": name, "title": "x".repeat(500)});
        let answer = server.client(token).ask("POST", "/Users", Some(&body)).await.unwrap();
        match answer.status {
            201 => self.made.push(answer.id()),
            500.. => self.refused.push(name),
            _ => panic!("{answer:?}"),
        }
        answer.status == 201
    }
}

/// Everything that was acknowledged has its event and nothing else does, in a log that is whole.
async fn check(database: &Database, server: Program, token: &str, asked: &Asked) {
    // The server numbers what waits by itself.
    for turn in 0.. {
        if Dump::of(database).await.table("entry").is_empty() {
            break;
        }
        assert!(turn < 3_000, "what waits gets no numbers; {}", server.complaints());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for name in &asked.refused {
        let path = format!("/Users?filter=userName%20eq%20%22{name}%22");
        assert_eq!(
            server
                .client(token)
                .ask("GET", &path, None)
                .await
                .unwrap()
                .status(200)
                .total(),
            0,
            "{name}"
        );
    }
    assert!(server.stop().success());
    let export = program::run(database, &["audit", "export", "--tenant", "acme"]);
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for line in String::from_utf8(export.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "user.created" {
            *made.entry(line["subject_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let expected: BTreeMap<String, usize> = asked.made.iter().map(|id| (id.clone(), 1)).collect();
    assert_eq!(made, expected);
    let verified = program::run(database, &["audit", "verify", "--tenant", "acme"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

#[tokio::test]
async fn a_file_that_may_not_grow_refuses_writes_until_it_may() {
    let database = Database::fresh(Engine::Sqlite).await;
    let token = database.keys().await.token;
    let size = fs::metadata(database.folder().join("muster.db")).unwrap().len();
    // The signal that a process is sent then would end it: a disk that is full sends none.
    let limit = format!("--fsize={}:", size + 200_000);
    let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", "prlimit", &limit];
    let server = Program::serve_under(&database, &wrapper).await;
    let mut asked = Asked::default();
    while asked.ask(&server, &token).await {
        assert!(asked.made.len() < MANY, "the file grows without end");
    }
    assert!(!asked.made.is_empty());
    for _ in 0..AFTER {
        asked.ask(&server, &token).await;
    }
    server
        .client(&token)
        .ask("GET", "/Users?count=1", None)
        .await
        .unwrap()
        .status(200);
    let pid = server.pid().to_string();
    let room = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status()
        .unwrap();
    assert!(room.success());
    for _ in 0..AFTER {
        assert!(
            asked.ask(&server, &token).await,
            "there is room again; {}",
            server.complaints()
        );
    }
    check(&database, server, &token, &asked).await;
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_while_refuses_writes_for_that_while() {
    let database = Database::fresh(Engine::Sqlite).await;
    let token = database.keys().await.token;
    // The hundredth write of a thread and those after it find no room.
    let full = "--inject=pwrite64:error=ENOSPC:when=100..140";
    let file = database.folder().join("strace.log").display().to_string();
    let strace = ["strace", "-D", "-f", "-o", &file, "--trace=pwrite64", full];
    let server = Program::serve_under(&database, &strace).await;
    let mut asked = Asked::default();
    while asked.ask(&server, &token).await {
        assert!(asked.made.len() < MANY, "the disk is never full");
    }
    for turn in 0.. {
        if asked.ask(&server, &token).await {
            break;
        }
        assert!(turn < MANY, "there is never room again; {}", server.complaints());
    }
    for _ in 0..AFTER {
        assert!(asked.ask(&server, &token).await, "{}", server.complaints());
    }
    assert!(
        server.complaints().contains("the disk of the database is full"),
        "{}",
        server.complaints()
    );
    check(&database, server, &token, &asked).await;
}
