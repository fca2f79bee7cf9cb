//! An enforcer outside of Muster, and what tests ask about it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::runs::runs_of;
use crate::admin::desk::{Desk, texts};
use crate::support::TestHouse;
use crate::support::program::{self, PROGRAM};
use crate::support::receiver::{Got, Receiver, Reply};

/// How long a node that called an enforcer keeps others from it.
pub const HELD: Duration = Duration::from_mins(1);

/// What every node remembers of a token at most.
const REMEMBERED: Duration = Duration::from_secs(1);

/// What an enforcer answers that does what it says.
pub fn honest(got: &Got) -> Reply {
    match got.kind() {
        "offboarding.probe" => Reply::Text(r#"{"open":0}"#.to_owned()),
        _ => Reply::Status(202),
    }
}

/// What one answers that says that it will, and does not.
pub fn lying(got: &Got) -> Reply {
    match got.kind() {
        "offboarding.probe" => Reply::Text(r#"{"open":1}"#.to_owned()),
        _ => Reply::Status(202),
    }
}

/// An enforcer of `acme`, with who listens there.
pub struct Shop {
    pub house: TestHouse,
    pub desk: Desk,
    pub receiver: Receiver,
    pub id: String,
    pub secret: String,
}

impl Shop {
    /// One that is asked what is open.
    pub async fn open(house: &TestHouse, name: &str) -> Self {
        let receiver = Receiver::open().await;
        let body = json!({"name": name, "url": receiver.url(), "probe": receiver.url()});
        Self::of(house, receiver, body).await
    }

    /// One that is believed.
    pub async fn believed(house: &TestHouse, name: &str) -> Self {
        let receiver = Receiver::open().await;
        let body = json!({"name": name, "url": receiver.url(), "confirms_by": "acknowledgement"});
        Self::of(house, receiver, body).await
    }

    async fn of(house: &TestHouse, receiver: Receiver, body: Value) -> Self {
        let desk = Desk::admin(house);
        receiver.answers(honest);
        let made = desk.post("/enforcers", body).await.status(201).json;
        Self {
            house: house.clone(),
            desk,
            receiver,
            id: made["id"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
        }
    }

    pub fn path(&self, below: &str) -> String {
        format!("/enforcers/{}{below}", self.id)
    }

    /// As it is shown.
    pub async fn shown(&self) -> Value {
        self.desk.get(&self.path("")).await.status(200).json
    }

    /// Does something with it that is answered by 204.
    pub async fn turn(&self, verb: &str) {
        let path = self.path(&format!("/{verb}"));
        self.desk.post(&path, json!({})).await.status(204);
    }

    /// Deletes a new person, and has the run that this opens driven; gives their id.
    pub async fn leaver(&self, name: &str) -> String {
        let user = self.house.user(name).await;
        self.house.delete(&format!("/Users/{user}")).await.no_content();
        self.house.turn().await;
        user
    }

    /// Lets the tokens of an account be forgotten, so that the run waits for nobody but enforcers.
    pub async fn forgotten(&self) {
        self.wait(REMEMBERED).await;
    }

    /// Lets time pass, and has what is due then done.
    pub async fn wait(&self, time: Duration) {
        self.house.clock().advance(time);
        self.house.turn().await;
    }

    /// The latest run of a person.
    pub async fn run(&self, user: &str) -> Value {
        runs_of(&self.desk, user).await.remove(0)
    }

    /// The part of an enforcer in the latest run of a person.
    pub async fn step(&self, user: &str, name: &str) -> Value {
        let run = self.run(user).await;
        let steps = run["steps"].as_array().unwrap();
        steps.iter().find(|step| step["name"] == name).unwrap().clone()
    }

    /// Kinds of what came since it was asked last, in order.
    pub fn asked(&self) -> Vec<String> {
        self.receiver.take().iter().map(|got| got.kind().to_owned()).collect()
    }

    /// Kinds of the events that begin so, in order.
    pub async fn told(&self, beginning: &str) -> Vec<String> {
        let events = self.desk.get("/events?limit=500").await.status(200).json;
        let kinds = texts(&events, "kind");
        kinds.into_iter().filter(|kind| kind.starts_with(beginning)).collect()
    }
}

/// Where the certificate of a run is.
pub fn certificate_path(run: &Value) -> String {
    format!("/offboarding-runs/{}/certificate", run["id"].as_str().unwrap())
}

/// Somebody who has a public key and the program, and nothing else.
pub struct Verifier {
    folder: TempDir,
}

impl Verifier {
    /// With the key of an installation.
    pub fn of(house: &TestHouse) -> Self {
        let folder = TempDir::new().unwrap();
        let exported = program::run(&house.database, &["keys", "export"]).stdout;
        fs::write(folder.path().join("key.json"), exported).unwrap();
        Self { folder }
    }

    /// What `muster verify certificate` ends with, and says.
    pub fn verify(&self, certificate: &[u8]) -> (Option<i32>, String) {
        fs::write(self.folder.path().join("certificate.json"), certificate).unwrap();
        let mut command = Command::new(PROGRAM.as_str());
        command.env_clear().current_dir(self.folder.path());
        command.args(["verify", "certificate", "certificate.json", "--key", "key.json"]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}
