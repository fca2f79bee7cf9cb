//! Where PostgreSQL is: the cluster that `scripts/test` started, or a throw-away one of this process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// URL of the cluster's maintenance database, as `postgres://user@host:port/postgres`.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| super::setting("MUSTER_TEST_POSTGRES").unwrap_or_else(start))
}

/// The script stops the cluster when its standard input ends, so when this process does, however that happens.
fn start() -> String {
    static KEPT: Mutex<Option<Child>> = Mutex::new(None);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/throwaway-postgres");
    let mut child = Command::new(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|fault| panic!("{script}: {fault}"));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(
        !line.is_empty(),
        "no PostgreSQL for the tests: run scripts/test, which installs and starts one"
    );
    *KEPT.lock().unwrap() = Some(child);
    line.trim().to_owned()
}
