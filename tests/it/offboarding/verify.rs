//! `muster verify certificate`: a file and a key, and nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use muster::base::clock::Timestamp;
use muster::base::secret::Secret;
use muster::event::certificate::{AskedBy, Mark, Proof, Removed, Step};
use muster::event::{Algorithm, Certificate, Checkpoint, Hash, Head, Seq, SigningKey};
use tempfile::TempDir;

use crate::support::program::PROGRAM;

const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

fn signer(seed: u8) -> SigningKey {
    SigningKey::of(Algorithm::Ed25519, &Secret::new([seed; 32])).unwrap()
}

fn mark(kind: &str, seq: i64) -> Mark {
    Mark {
        kind: kind.to_owned(),
        at: NOW,
        seq: Seq(seq),
        hash: Hash::of(&seq.to_be_bytes()),
    }
}

fn certificate() -> String {
    let head = Head {
        seq: Seq(9),
        at: NOW,
        hash: Hash::of(&9_i64.to_be_bytes()),
    };
    let unsigned = Certificate {
        tenant: "t".to_owned(),
        run: "r".to_owned(),
        user: "u".to_owned(),
        ended: mark("user.deleted", 5),
        asked_by: AskedBy {
            actor_kind: "connection".to_owned(),
            actor_id: "entra".to_owned(),
            connection: None,
            request_id: None,
        },
        deadline: NOW,
        late: false,
        steps: vec![Step {
            name: "account-tokens".to_owned(),
            requested: NOW,
            acknowledged: NOW,
            confirmed: NOW,
            proof: Proof::BuiltIn { tokens: 1 },
        }],
        removed: vec![Removed {
            name: "forum".to_owned(),
            requested: NOW,
            removed: NOW,
        }],
        closed: mark("run.confirmed", 9),
        checkpoint: Checkpoint::sign("t", &head, &signer(1)).unwrap(),
        key: String::new(),
        signature: String::new(),
    };
    unsigned.signed(&signer(1)).unwrap().line()
}

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// With an empty environment, in a folder without a database.
    fn verify(&self, certificate: &str, key: &str) -> Output {
        let (file, key) = (self.file("certificate.json", certificate), self.file("key.json", key));
        Command::new(PROGRAM.as_str())
            .env_clear()
            .current_dir(self.folder.path())
            .args(["verify", "certificate"])
            .arg(file)
            .arg("--key")
            .arg(key)
            .output()
            .unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_certificate_is_checked_with_a_key_or_a_set_of_keys() {
    let desk = Desk::new();
    let jwk = signer(1).public().jwk();
    let set = serde_json::json!({ "keys": [signer(2).public().jwk(), jwk] });
    for key in [jwk, set] {
        let output = desk.verify(&certificate(), &key.to_string());
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(text.starts_with("the certificate holds\n"), "{text}");
        assert!(
            text.contains("account-tokens confirmed 2026-01-01T00:00:00.000000Z by built-in"),
            "{text}"
        );
        assert!(
            text.contains("forum removed 2026-01-01T00:00:00.000000Z: nothing is proven of it"),
            "{text}"
        );
    }
    let left: Vec<_> = fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "it made nothing: {left:?}");
}

#[test]
fn what_does_not_hold_is_1_and_what_cannot_be_read_is_2() {
    let desk = Desk::new();
    let key = signer(1).public().jwk().to_string();
    let good = certificate();
    for (wrong, why) in [
        (
            good.replace("\"user\":{\"id\":\"u\"}", "\"user\":{\"id\":\"v\"}"),
            "signature does not hold",
        ),
        (
            good.replace("\"late\":false", "\"late\": false"),
            "not written as Muster writes it",
        ),
        (format!("{good}\n"), "not written as Muster writes it"),
        (String::new(), "no line"),
    ] {
        let output = desk.verify(&wrong, &key);
        assert_eq!(output.status.code(), Some(1), "{wrong}");
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    let strange = desk.verify(&good, &signer(2).public().jwk().to_string());
    assert_eq!(strange.status.code(), Some(1));
    assert!(
        said(&strange).contains("not among those that are trusted"),
        "{}",
        said(&strange)
    );
    let output = desk.verify(&good, "{}");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
