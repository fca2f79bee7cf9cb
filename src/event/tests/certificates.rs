//! A certificate says one thing in one way, and nobody changes a byte of it unseen.

use super::super::certificate::{AskedBy, Certificate, Mark, Proof, Removed, Step};
use super::super::{Checkpoint, Flaw, Hash, Head, Seq};
use super::house::{TENANT, signer, trusted};
use crate::base::clock::Timestamp;

const START: i64 = 1_795_330_383_000_000;

fn mark(kind: &str, seq: i64) -> Mark {
    Mark {
        kind: kind.to_owned(),
        at: Timestamp(START + seq),
        seq: Seq(seq),
        hash: Hash::of(&seq.to_be_bytes()),
    }
}

fn head(seq: i64) -> Head {
    Head {
        seq: Seq(seq),
        at: Timestamp(START + seq),
        hash: Hash::of(&seq.to_be_bytes()),
    }
}

fn step(name: &str, proof: Proof) -> Step {
    Step {
        name: name.to_owned(),
        requested: Timestamp(START + 5),
        acknowledged: Timestamp(START + 6),
        confirmed: Timestamp(START + 7),
        proof,
    }
}

fn unsigned() -> Certificate {
    Certificate {
        tenant: TENANT.to_owned(),
        run: "run-1".to_owned(),
        user: "user \"é\"".to_owned(),
        ended: mark("user.deleted", 5),
        asked_by: AskedBy {
            actor_kind: "connection".to_owned(),
            actor_id: "entra".to_owned(),
            connection: Some("entra".to_owned()),
            request_id: None,
        },
        deadline: Timestamp(START + 300_000_000),
        late: false,
        steps: vec![
            step("account-tokens", Proof::BuiltIn { tokens: 2 }),
            step(
                "shop",
                Proof::Probe {
                    status: 200,
                    answer: Hash::of(b"{}").to_string(),
                },
            ),
            step("mail", Proof::Acknowledgement { status: 202 }),
        ],
        removed: vec![Removed {
            name: "forum".to_owned(),
            requested: Timestamp(START + 5),
            removed: Timestamp(START + 8),
        }],
        closed: mark("run.confirmed", 9),
        checkpoint: Checkpoint::sign(TENANT, &head(12), &signer(1)).unwrap(),
        key: String::new(),
        signature: String::new(),
    }
}

fn certificate() -> Certificate {
    unsigned().signed(&signer(1)).unwrap()
}

fn checked(line: &[u8]) -> Result<(), Flaw> {
    Certificate::read(line)?.proven(&trusted())
}

#[test]
fn a_certificate_reads_back_and_is_proven() {
    let made = certificate();
    let line = made.line();
    assert_eq!(Certificate::read(line.as_bytes()), Ok(made));
    assert_eq!(checked(line.as_bytes()), Ok(()));
    assert!(line.contains(r#""proof":{"by":"built-in","tokens":2}"#), "{line}");
}

#[test]
fn who_was_removed_is_named_and_where_nobody_was_there_is_no_word_of_it() {
    let line = certificate().line();
    assert!(line.contains(r#"],"removed":[{"name":"forum","requested":"#), "{line}");
    let mut nobody = unsigned();
    nobody.removed.clear();
    let line = nobody.signed(&signer(1)).unwrap().line();
    assert!(!line.contains("removed"), "{line}");
    assert_eq!(checked(line.as_bytes()), Ok(()));
    let empty = line.replace(r#","closed":"#, r#","removed":[],"closed":"#);
    assert_eq!(Certificate::read(empty.as_bytes()), Err(Flaw::Reprint));
}

#[test]
fn each_byte_that_is_changed_dropped_or_doubled_is_found() {
    let line = certificate().line().into_bytes();
    for at in 0..line.len() {
        for bit in 0..8 {
            let mut other = line.clone();
            other[at] ^= 1 << bit;
            assert!(checked(&other).is_err(), "bit {bit} of byte {at}");
        }
        let mut shorter = line.clone();
        shorter.remove(at);
        assert!(checked(&shorter).is_err(), "without byte {at}");
        let mut longer = line.clone();
        longer.insert(at, b' ');
        assert!(checked(&longer).is_err(), "a space before byte {at}");
    }
}

#[test]
fn nobody_else_signs_one() {
    let forged = unsigned().signed(&signer(2)).unwrap();
    let kid = signer(2).public().kid().to_owned();
    assert_eq!(forged.proven(&trusted()), Err(Flaw::UnknownKey(kid)));
    let mut renamed = forged;
    signer(1).public().kid().clone_into(&mut renamed.key);
    assert_eq!(renamed.proven(&trusted()), Err(Flaw::Signature));
}

#[test]
fn a_signed_certificate_must_still_make_sense() {
    let proven = |change: fn(&mut Certificate)| {
        let mut made = unsigned();
        change(&mut made);
        made.signed(&signer(1)).unwrap().proven(&trusted())
    };
    assert_eq!(
        proven(|made| made.tenant = "another".to_owned()),
        Err(Flaw::OtherTenant)
    );
    assert_eq!(proven(|made| made.steps.clear()), Err(Flaw::Missing));
    assert_eq!(
        proven(|made| made.closed = mark("run.confirmed", 13)),
        Err(Flaw::Missing)
    );
    assert_eq!(proven(|made| made.ended = mark("user.deleted", 9)), Err(Flaw::Missing));
    assert_eq!(proven(|made| made.closed = mark("run.confirmed", 12)), Ok(()));
    let other = |made: &mut Certificate| {
        made.closed = mark("run.confirmed", 12);
        made.closed.hash = Hash::of(b"another");
    };
    assert_eq!(proven(other), Err(Flaw::Hash));
    let forged = |made: &mut Certificate| made.checkpoint = Checkpoint::sign(TENANT, &head(12), &signer(3)).unwrap();
    assert!(matches!(proven(forged), Err(Flaw::UnknownKey(_))));
}
