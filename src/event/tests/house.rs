//! A log with checkpoints, its export, and a forger's hands.

use serde_json::json;

use super::super::export::Writer;
use super::super::{
    About, Actor, ActorKind, Algorithm, Broken, By, Cause, Chain, Checkpoint, Entry, Extent, Head, Keys, Kind, Of,
    Origin, Placed, Record, Seq, SigningKey, Subject, SubjectKind, Text, Turn, encode, verify,
};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk};
use crate::base::secret::Secret;

pub(super) const TENANT: &str = "0190b5f0-0000-7000-8000-0000000000aa";

/// How many events there are from one checkpoint to the next.
pub(super) const EVERY: usize = 4;

/// Of the house is the key made of ones; all others are somebody else's.
pub(super) fn signer(seed: u8) -> SigningKey {
    SigningKey::of(Algorithm::Ed25519, &Secret::new([seed; 32])).unwrap()
}

pub(super) fn trusted() -> Keys {
    [signer(1).public().clone()].into_iter().collect()
}

pub(super) fn record(number: i64) -> Record {
    let (kind, subject) = match number % 3 {
        0 => (Kind::UserUpdated, SubjectKind::User),
        1 => (Kind::GroupUpdated, SubjectKind::Group),
        _ => (Kind::RoleUpdated, SubjectKind::Role),
    };
    let joined = About {
        resource: Pk(number),
        group: Pk(7),
        turn: if number % 2 == 0 { Turn::Joined } else { Turn::Left },
    };
    Record {
        kind: kind.into(),
        class: kind.class(),
        subject: (number % 5 != 4).then(|| Subject {
            kind: subject,
            pk: (subject != SubjectKind::Role).then_some(Pk(number)),
            id: format!("subject \"{number}\" é"),
        }),
        about: if kind == Kind::GroupUpdated {
            vec![joined]
        } else {
            Vec::new()
        },
        cause: Cause {
            by: By::Scim,
            reason: (number % 4 == 0).then(|| "leaving".to_owned()),
            of: match number % 3 {
                0 => None,
                1 => Some(Of::Event(Seq(number))),
                _ => Some(Of::Thing("undo-1".to_owned())),
            },
        },
        data: Text::try_from(&json!({ "attributes": ["title"], "version": number, "note": "ä \n \"" })).unwrap(),
        sealed: (number % 3 == 0).then(|| "c2VhbGVk".to_owned()),
    }
}

pub(super) fn entry(number: i64) -> Entry {
    Entry {
        at: Timestamp(1_795_330_383_000_000 + number / 4),
        txn: format!("txn-{number}"),
        origin: Origin {
            actor: Actor {
                kind: ActorKind::Connection,
                id: "entra".to_owned(),
            },
            connection: (number % 2 == 0).then(|| (ConnectionId(3), "entra".to_owned())),
            request_id: (number % 3 != 0).then(|| format!("request-{number}")),
        },
        first: 0,
        records: (0..=number % 2).map(|part| record(number + part)).collect(),
    }
}

/// The log of a tenant, as its rows hold it.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) rows: Vec<Placed>,
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) head: Checkpoint,
}

impl Log {
    /// At least so many events, with a checkpoint every few of them but for the last.
    pub(super) fn of(events: usize) -> Self {
        let mut chain = Chain::from(TENANT, Head::genesis(TENANT));
        let mut rows = Vec::new();
        for number in 1.. {
            if rows.len() >= events {
                break;
            }
            rows.extend(chain.push(entry(number)));
        }
        let head = signed(chain.head(), 1);
        let due = rows.iter().filter(|row| is_due(row) && row.event.seq != head.seq);
        let checkpoints = due.map(|row| signed(&head_of(row), 1)).collect();
        Self {
            rows,
            checkpoints,
            head,
        }
    }

    /// Changes the row at a position and works out its hash and all later ones again, as a forger without keys can.
    pub(super) fn rechained(&self, at: usize, change: impl FnOnce(&mut Placed)) -> Self {
        let mut forged = self.clone();
        change(&mut forged.rows[at]);
        for place in at..forged.rows.len() {
            let previous = place
                .checked_sub(1)
                .map_or(Head::genesis(TENANT).hash, |before| forged.rows[before].hash);
            forged.rows[place].hash = encode::hash(&previous, TENANT, &forged.rows[place].event);
        }
        forged
    }

    /// The same rows with every signature made by another key.
    pub(super) fn signed_by(&self, seed: u8) -> Self {
        let mut forged = self.clone();
        let resign = |row: &Placed| signed(&head_of(row), seed);
        forged.checkpoints = forged.rows.iter().filter(|row| is_due(row)).map(resign).collect();
        forged.head = forged.rows.last().map(resign).unwrap();
        forged
    }

    /// The lines of an export of what comes after so many events.
    pub(super) fn export_after(&self, skipped: usize, seed: u8) -> Vec<Vec<u8>> {
        let after = skipped
            .checked_sub(1)
            .map_or(Head::genesis(TENANT), |last| head_of(&self.rows[last]));
        let signer = signer(seed);
        let keys = [signer.public().clone()].into_iter().collect();
        let (mut writer, first) = Writer::begin(TENANT, (after, self.head.seq), &keys, &signer).unwrap();
        let mut lines = vec![first];
        let falls = |seq: Seq| self.checkpoints.iter().find(|checkpoint| checkpoint.seq == seq);
        lines.extend(falls(after.seq).map(|checkpoint| writer.checkpoint(checkpoint)));
        for row in &self.rows[skipped..] {
            lines.push(writer.event(&row.event, &row.hash));
            lines.extend(falls(row.event.seq).map(|checkpoint| writer.checkpoint(checkpoint)));
        }
        lines.push(writer.end(&signer).unwrap());
        lines.into_iter().map(String::into_bytes).collect()
    }

    pub(super) fn export(&self) -> Vec<Vec<u8>> {
        self.export_after(0, 1)
    }
}

fn is_due(row: &Placed) -> bool {
    usize::try_from(row.event.seq.0).unwrap().is_multiple_of(EVERY)
}

pub(super) fn head_of(row: &Placed) -> Head {
    Head {
        seq: row.event.seq,
        at: row.event.at,
        hash: row.hash,
    }
}

pub(super) fn signed(head: &Head, seed: u8) -> Checkpoint {
    Checkpoint::sign(TENANT, head, &signer(seed)).unwrap()
}

pub(super) fn verified(lines: &[Vec<u8>]) -> Result<Extent, Broken> {
    verified_since(lines, None)
}

pub(super) fn verified_since(lines: &[Vec<u8>], kept: Option<Checkpoint>) -> Result<Extent, Broken> {
    verify(lines.iter().map(Vec::as_slice), &trusted(), kept)
}

#[track_caller]
pub(super) fn broken(lines: &[Vec<u8>]) -> Broken {
    verified(lines).expect_err("a forgery was taken for whole")
}
