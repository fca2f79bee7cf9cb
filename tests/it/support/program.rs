//! The built program as a process: the server until it is killed, and the commands of the command line.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::database::Database;
use super::seam::KEYS;
use super::wire::Client;

/// The program: where cargo put it, unless `MUSTER_TEST_PROGRAM` names another build of the same sources.
pub static PROGRAM: LazyLock<String> =
    LazyLock::new(|| super::setting("MUSTER_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_muster").to_owned()));

/// A cold start with migrations takes well under a second; a loaded machine gets this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running `muster serve`. Dropped, it is killed.
pub struct Program {
    child: Child,
    address: String,
    complaints: PathBuf,
}

impl Program {
    /// Starts the server on this database and waits until it says that it listens.
    pub async fn serve(database: &Database) -> Self {
        Self::serve_under(database, &[]).await
    }

    /// The same under another program that runs it, such as `strace`, given with its arguments.
    pub async fn serve_under(database: &Database, wrapper: &[&str]) -> Self {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off"];
        let line: Vec<&str> = wrapper.iter().copied().chain([PROGRAM.as_str()]).chain(serve).collect();
        let complaints = database.folder().join("stderr.log");
        let stderr = File::options().create(true).append(true).open(&complaints).unwrap();
        let mut child = command(line[0], database)
            .args(&line[1..])
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|fault| panic!("{}: {fault} (scripts/test installs what is missing)", line[0]));
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || listen(output, tell));
        let address = timeout(PATIENCE, told).await.ok().and_then(Result::ok);
        let mut program = Self {
            child,
            address: String::new(),
            complaints,
        };
        program.address = address.unwrap_or_else(|| panic!("no readiness line; {}", program.complaints()));
        program
    }

    /// A client of this server.
    pub fn client(&self, token: &str) -> Client {
        Client {
            address: self.address.clone(),
            token: token.to_owned(),
        }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server wrote to its standard error, over all its starts on this database.
    pub fn complaints(&self) -> String {
        fs::read_to_string(&self.complaints).unwrap_or_default()
    }

    /// SIGKILL: no goodbye, nothing flushed.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and what the process ended with.
    pub fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Tells the address once, then reads on: a full pipe would stop the server.
fn listen(output: impl BufRead, tell: oneshot::Sender<String>) {
    let mut lines = output.lines().map_while(Result::ok);
    let address = lines.find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
    if let Some(address) = address {
        drop(tell.send(address.trim().trim_end_matches('/').to_owned()));
        lines.for_each(drop);
    }
}

/// One command of the command line, run to its end.
pub fn run(database: &Database, arguments: &[&str]) -> Output {
    command(&PROGRAM, database).args(arguments).output().unwrap()
}

/// The JSON that a command with `--json` prints.
#[track_caller]
pub fn run_json(database: &Database, arguments: &[&str]) -> Value {
    let output = run(database, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "muster {}: {}\n{complaint}",
        arguments.join(" "),
        output.status
    );
    serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("muster {}: {fault}", arguments.join(" ")))
}

/// Nothing of the caller's environment steers the program, and it never meets a file of the caller's folder.
fn command(program: &str, database: &Database) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MUSTER_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
        .env("MUSTER_DATABASE", database.url())
        .env("MUSTER_KEY", KEYS)
        .current_dir(database.folder())
        .stdin(Stdio::null());
    command
}
