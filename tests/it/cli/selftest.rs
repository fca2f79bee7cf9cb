//! `muster selftest`: against itself, against a server, what it writes, and with what it ends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::cli::server::{command, fails};
use crate::support::database::{Database, Engine};
use crate::support::program::{Program, run, run_json};

#[tokio::test]
async fn without_a_url_a_muster_is_tested_that_leaves_nothing_behind() {
    let database = Database::empty(Engine::Sqlite).await;
    let temporary = database.folder().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let file = |name: &str| database.folder().join(name).display().to_string();
    let mut asked = command(&database);
    // What steers the operator's own server steers this one not at all.
    asked
        .env("TMPDIR", &temporary)
        .env("MUSTER_PUBLIC_URL", "https://muster.example");
    asked.args([
        "selftest",
        "--only",
        "DIS,AUT,TEN,ETG-0*",
        "--html",
        &file("r.html"),
        "--junit",
        &file("r.xml"),
    ]);
    let done = asked.args(["--json", &file("r.json"), "-v"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(
        said.contains("passed      DIS-01  must    ") && said.contains(" 0 failed, "),
        "{said}"
    );
    let report: Value = serde_json::from_slice(&fs::read(file("r.json")).unwrap()).unwrap();
    assert_eq!(
        (&report["tally"]["must_failed"], &report["strict"]),
        (&0.into(), &true.into())
    );
    // The neighbour's token was there, too.
    let foreign = report["requirements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == "TEN-03")
        .unwrap();
    assert_eq!(foreign["result"], "passed", "{foreign}");
    assert!(
        fs::read_to_string(file("r.html"))
            .unwrap()
            .starts_with("<!doctype html>")
    );
    assert!(
        fs::read_to_string(file("r.xml"))
            .unwrap()
            .contains("<testcase classname=\"DIS-01\"")
    );
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!database.folder().join("muster.db").exists());
}

each_database! {
    async fn the_strict_connection_of_a_server_has_no_findings(database: Database) {
        let acme = ["--tenant", "acme"];
        let made = |name: &str| {
            run_json(&database, &[&["connection", "create", "--name", name, "--dialect", "strict", "--json"][..], &acme].concat());
            let token = run_json(&database, &[&["token", "create", "--connection", name, "--json"][..], &acme].concat());
            token["token"].as_str().unwrap().to_owned()
        };
        let (first, second) = (made("first"), made("second"));
        let server = Program::serve(&database).await;
        let url = format!("http://{}/scim/v2", server.client("").address);
        let mut asked = command(&database);
        asked.env("MUSTER_SELFTEST_TOKEN", &first).env("MUSTER_SELFTEST_SECOND", &second);
        let done = asked.args(["selftest", &url, "--strict", "--level", "must", "--json", "-"]).output().unwrap();
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let failed: Vec<&Value> = report["requirements"].as_array().unwrap().iter().filter(|one| one["result"] == "failed").collect();
        assert!(done.status.success(), "{failed:#?}");
        assert_eq!(report["left"], Value::Array(Vec::new()));
        assert!(report["tally"]["passed"].as_u64().unwrap() > 200, "{}", report["tally"]);
    }
}

#[tokio::test]
async fn the_exit_code_and_a_line_say_how_it_ended() {
    let database = Database::empty(Engine::Sqlite).await;
    let selftest = |arguments: &[&str], code: i32| fails(command(&database).arg("selftest").args(arguments), code);
    let bad = bad_server();
    let complaint = selftest(&[&bad, "--token", "any", "--only", "DIS-01"], 1);
    assert!(
        complaint.contains("1 check of what a server must do failed"),
        "{complaint}"
    );
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", held.local_addr().unwrap());
    drop(held);
    assert!(selftest(&[&nobody, "--token", "any"], 2).contains("does not answer"));
    assert!(selftest(&[&bad], 2).contains("MUSTER_SELFTEST_TOKEN"));
    assert!(selftest(&[&bad, "--token", "any", "--only", "NIX"], 2).contains("`NIX` is no requirement"));
    assert!(selftest(&["https://ada:pw@host/scim", "--token", "any"], 2).contains("a base URL looks like"));
    assert!(selftest(&[&bad, "--token-file", "none.txt"], 2).contains("`none.txt` cannot be read"));
    fs::write(database.folder().join("token.txt"), "any\n").unwrap();
    selftest(&[&bad, "--token-file", "token.txt", "--only", "DIS-01"], 1);
    let listed = run(&database, &["selftest", "--list", "--only", "PAG", "--level", "must"]);
    let said = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.status.success() && said.starts_with("Pages by index\n  PAG-01  must    "),
        "{said}"
    );
}

/// Its base URL. It answers an empty object to everything.
fn bad_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = vec![0; 65_536];
            drop(stream.read(&mut asked));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"));
        }
    });
    url
}
