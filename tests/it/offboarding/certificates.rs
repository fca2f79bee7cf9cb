//! Certificates of real runs: made once, true to the log, and verified with nothing but a key.

use std::fs;
use std::process::Command;
use std::time::Duration;

use muster::event::{Certificate, Hash, Keys};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::runs::runs_of;
use crate::admin::desk::{Desk, Problems as _};
use crate::support::TestHouse;
use crate::support::program::{self, PROGRAM};

const REMEMBERED: Duration = Duration::from_secs(1);

/// Deletes a person and waits until their run has its certificate; gives the run.
async fn offboarded(house: &TestHouse, desk: &Desk, name: &str) -> Value {
    let user = house.user(name).await;
    house.delete(&format!("/Users/{user}")).await.no_content();
    house.turn().await;
    house.clock().advance(REMEMBERED);
    house.turn().await;
    runs_of(desk, &user).await.remove(0)
}

fn path(run: &Value) -> String {
    format!("/offboarding-runs/{}/certificate", run["id"].as_str().unwrap())
}

each_database! {
    async fn a_confirmed_run_has_a_certificate_that_the_program_verifies_offline(house: TestHouse) {
        let desk = Desk::admin(&house);
        let run = offboarded(&house, &desk, "ada").await;
        let answer = desk.get(&path(&run)).await.status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let exported = program::run(&house.database, &["keys", "export"]).stdout;
        let keys = Keys::read(&String::from_utf8(exported).unwrap()).unwrap();
        let certificate = Certificate::read(answer.text.as_bytes()).unwrap();
        assert_eq!(certificate.proven(&keys), Ok(()));

        let folder = TempDir::new().unwrap();
        let (file, key) = (folder.path().join("certificate.json"), folder.path().join("key.json"));
        fs::write(&key, keys.jwks().to_string()).unwrap();
        let verify = |text: &str| {
            fs::write(&file, text).unwrap();
            let mut command = Command::new(PROGRAM.as_str());
            command.env_clear().current_dir(folder.path()).args(["verify", "certificate", "certificate.json"]);
            command.args(["--key", "key.json"]).output().unwrap().status.code()
        };
        assert_eq!(verify(&answer.text), Some(0));
        assert_eq!(verify(&answer.text.replace("\"late\":false", "\"late\":true")), Some(1));
        let mut bytes = answer.text.clone().into_bytes();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let read = Certificate::read(&bytes);
            assert!(read.and_then(|read| read.proven(&keys)).is_err(), "byte {at}");
            bytes[at] ^= 1;
        }
    }

    async fn a_certificate_says_what_the_log_says(house: TestHouse) {
        let desk = Desk::admin(&house);
        let run = offboarded(&house, &desk, "wilhelmina").await;
        let text = desk.get(&path(&run)).await.status(200).text;
        let certificate = Certificate::read(text.as_bytes()).unwrap();
        let events = desk.get("/events?limit=500").await.status(200).json;
        let at = |seq: i64| {
            let items = events["items"].as_array().unwrap();
            items.iter().find(|event| event["seq"] == seq).unwrap().clone()
        };
        for (mark, kind) in [(&certificate.ended, "user.deleted"), (&certificate.closed, "run.confirmed")] {
            let event = at(mark.seq.0);
            assert_eq!((event["kind"].as_str(), event["at"].as_str()), (Some(kind), Some(mark.at.rfc3339().as_str())));
            assert_eq!(event["hash"].as_str().and_then(Hash::parse), Some(mark.hash));
        }
        assert_eq!(run["opened_seq"], certificate.ended.seq.0);
        assert_eq!(run["asked_by"], json!(certificate.asked_by));
        assert!(!text.contains("wilhelmina"), "{text}");
        // It is made once.
        house.user("bob").await;
        house.turn().await;
        assert_eq!(desk.get(&path(&run)).await.status(200).text, text);
    }

    async fn a_run_that_is_open_or_withdrawn_has_none(house: TestHouse) {
        let (desk, ada) = (Desk::admin(&house), house.user("ada").await);
        let active = |active: bool| json!([{"op": "replace", "path": "active", "value": active}]);
        house.patch(&format!("/Users/{ada}"), active(false)).await;
        house.turn().await;
        let run = runs_of(&desk, &ada).await.remove(0);
        desk.get(&path(&run)).await.problem(404, "not-confirmed");
        house.patch(&format!("/Users/{ada}"), active(true)).await;
        house.clock().advance(Duration::from_hours(1));
        house.turn().await;
        desk.get(&path(&run)).await.problem(404, "not-confirmed");
        desk.get("/offboarding-runs/nobody/certificate").await.problem(404, "not-found");
    }

    async fn it_can_be_had_as_a_page_to_print(house: TestHouse) {
        let desk = Desk::admin(&house);
        let user = house.user("<b>ada & co</b>").await;
        let off = json!([{"op": "replace", "path": "active", "value": false}]);
        house.patch(&format!("/Users/{user}"), off).await;
        house.turn().await;
        house.clock().advance(REMEMBERED);
        house.turn().await;
        let run = runs_of(&desk, &user).await.remove(0);
        let accept = [("accept", "text/html,application/xhtml+xml;q=0.9")];
        let page = desk.ask(axum::http::Method::GET, &format!("/api/v1{}", path(&run)), None, &accept).await.status(200);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.text.contains("<b>&lt;b&gt;ada &amp; co&lt;/b&gt;</b>"), "{}", page.text);
        let signed = desk.get(&path(&run)).await.text.replace('"', "&quot;");
        assert!(page.text.contains(signed.trim_end()), "{}", page.text);
    }
}
