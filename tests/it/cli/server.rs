//! `muster serve` with the arguments and the environment of a test's choosing, and what it said while starting.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use crate::support::database::Database;
use crate::support::program::PROGRAM;
use crate::support::seam::KEYS;
use crate::support::wire::{self, Client};

/// A cold start takes well under a second; a loaded machine gets this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that listens. Dropped, it is killed.
pub struct Server {
    child: Child,
    /// What it printed, up to and with the line that it listens.
    pub banner: String,
    /// `HOST:PORT`.
    pub address: String,
    complaints: PathBuf,
}

impl Server {
    /// Starts it and waits until it says that it listens.
    pub fn start(database: &Database, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let complaints = database.folder().join("stderr.log");
        let stderr = File::options().create(true).append(true).open(&complaints).unwrap();
        let mut child = command(database)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = channel();
        std::thread::spawn(move || listen(output, &tell));
        let banner = told.recv_timeout(PATIENCE).ok();
        let mut server = Self {
            child,
            banner: String::new(),
            address: String::new(),
            complaints,
        };
        server.banner = banner.unwrap_or_else(|| panic!("it does not listen: {}", server.complaints()));
        let line = server
            .banner
            .lines()
            .find_map(|line| line.strip_prefix("listening on http://"));
        server.address = line
            .unwrap_or_else(|| panic!("it does not listen: {}", server.complaints()))
            .to_owned();
        server
    }

    /// Who asks it with this token.
    pub fn client(&self, token: &str) -> Client {
        Client {
            address: self.address.clone(),
            token: token.to_owned(),
        }
    }

    /// The text of a page outside of the SCIM service.
    pub async fn page(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        String::from_utf8(wire::raw(&self.address, request.as_bytes()).await.unwrap()).unwrap()
    }

    /// What servers on this database wrote to standard error so far.
    pub fn complaints(&self) -> String {
        fs::read_to_string(&self.complaints).unwrap_or_default()
    }

    /// Sends a signal such as `TERM` and returns at once.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.end()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Tells what is printed up to the line that it listens, then reads on: a full pipe would stop the server.
fn listen(output: impl BufRead, tell: &Sender<String>) {
    let mut banner = Some(String::new());
    for line in output.lines().map_while(Result::ok) {
        let Some(text) = &mut banner else { continue };
        text.push_str(&line);
        text.push('\n');
        if line.starts_with("listening on ") {
            drop(tell.send(banner.take().unwrap_or_default()));
        }
    }
}

/// The program with nothing of the caller's environment, in the folder of the database.
pub fn command(database: &Database) -> Command {
    let mut command = Command::new(PROGRAM.as_str());
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

/// A command that must end with this code; answers what it wrote to standard error.
#[track_caller]
pub fn fails(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (said, complaint) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr).into_owned(),
    );
    assert_eq!(status.code(), Some(code), "stdout: {said}\nstderr: {complaint}");
    assert!(!said.contains("listening on"), "it was not meant to start: {said}");
    assert!(!complaint.contains("panicked"), "{complaint}");
    complaint
}
