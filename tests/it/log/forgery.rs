//! Real logs of both engines, forged: every time it is found, and the place is named.

use std::time::Duration;

use muster::base::secret::Secret;
use muster::event::chain::Head;
use muster::event::export::Read;
use muster::event::{Algorithm, Broken, Checkpoint, Extent, Flaw, Keys, Seq, SigningKey, encode, verify};
use muster::service::Error;
use muster::service::keys::{self, Purpose};
use muster::service::log::{self, Export};
use serde_json::json;

use crate::access::house::AccessHouse;
use crate::support::dice::{Dice, seed};

/// Flips of one byte in one export.
const FLIPS: usize = 1_000;

/// A log with several checkpoints and events of many kinds.
async fn furnish(house: &AccessHouse) {
    for round in 0..4 {
        let mut users = Vec::new();
        for number in 0..4 {
            users.push(
                house
                    .user(
                        &format!("u{round}-{number}"),
                        json!({ "title": "x", "externalId": format!("{round}/{number}") }),
                    )
                    .await,
            );
        }
        let group = house.group(&format!("g{round}"), &[&users[0], &users[1]]).await;
        house.join(&group, &users[2]).await.unwrap();
        house
            .patch(
                "Users",
                &users[1],
                json!([{ "op": "replace", "path": "title", "value": "y" }]),
            )
            .await
            .unwrap();
        house.delete("Users", &users[0]).await.unwrap();
        log::settled(&house.services, &house.root).await.unwrap();
        house.clock.advance(Duration::from_mins(2));
    }
}

async fn export(house: &AccessHouse, after: i64) -> Vec<Vec<u8>> {
    let mut export = Export::begin(&house.services, &house.root, after).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = export.next().await.unwrap() {
        lines.push(line.into_bytes());
    }
    lines
}

async fn trusted(house: &AccessHouse) -> Keys {
    keys::public(&house.services, Purpose::Log).await.unwrap()
}

fn proved(lines: &[Vec<u8>], keys: &Keys) -> Result<Extent, Broken> {
    verify(lines.iter().map(Vec::as_slice), keys, None)
}

/// The events of an export, each with the number of its line.
fn events(lines: &[Vec<u8>]) -> Vec<(usize, Seq)> {
    let read = lines
        .iter()
        .enumerate()
        .filter_map(|(number, line)| match Read::line(line).unwrap() {
            Read::Event(event, _) => Some((number, event.seq)),
            _ => None,
        });
    read.collect()
}

/// The same export where the event at a line says something else, and all hashes after it are worked out anew.
fn rechained(lines: &[Vec<u8>], from: usize, tenant: &str) -> Vec<Vec<u8>> {
    let (mut forged, mut previous) = (Vec::new(), Head::genesis(tenant).hash);
    for (number, line) in lines.iter().enumerate() {
        match Read::line(line).unwrap() {
            Read::Event(mut event, _) => {
                if number == from {
                    event.actor_id.push('x');
                }
                previous = encode::hash(&previous, tenant, &event);
                forged.push(event.line(&previous).into_bytes());
            }
            _ => forged.push(line.clone()),
        }
    }
    forged
}

/// What somebody with the database alone can do: they say of an event that somebody else did it, and work out all hashes
/// after it. Gives where the log ends then, and where its checkpoints from there on stand.
async fn rewritten(house: &AccessHouse, from: Seq) -> (Head, Vec<Head>) {
    let lines = export(house, 0).await;
    let tenant = proved(&lines, &trusted(house).await).unwrap().tenant;
    let (mut head, mut checkpoints, mut updates) = (Head::genesis(&tenant), Vec::new(), Vec::new());
    for line in &lines {
        match Read::line(line).unwrap() {
            Read::Event(mut event, _) => {
                if event.seq == from {
                    event.actor_id.push('x');
                }
                let hash = encode::hash(&head.hash, &tenant, &event);
                head = Head {
                    seq: event.seq,
                    at: event.at,
                    hash,
                };
                if event.seq >= from {
                    let (seq, actor) = (event.seq, event.actor_id);
                    updates.push(format!(
                        "UPDATE event SET actor_id = '{actor}', hash = '{hash}' WHERE seq = {seq}"
                    ));
                }
            }
            Read::Checkpoint(checkpoint) if checkpoint.seq >= from => checkpoints.push(head),
            _ => {}
        }
    }
    house.database.execute(&updates.join("; ")).await;
    (head, checkpoints)
}

/// Signs these places with another key.
async fn signed_by(house: &AccessHouse, key: &SigningKey, tenant: &str, head: &Head, checkpoints: &[Head]) {
    let sign = |table: &str, head: &Head| {
        let signed = Checkpoint::sign(tenant, head, key).unwrap();
        format!(
            "UPDATE {table} SET hash = '{}', key_id = '{}', signature = '{}' WHERE seq = {}",
            signed.hash, signed.key, signed.signature, signed.seq
        )
    };
    let mut updates: Vec<String> = checkpoints.iter().map(|head| sign("checkpoint", head)).collect();
    updates.push(sign("log_head", head));
    house.database.execute(&updates.join("; ")).await;
}

/// Writes an export until it ends or is refused.
async fn tried_export(house: &AccessHouse) -> Result<(), Error> {
    let mut export = Export::begin(&house.services, &house.root, 0).await?;
    while export.next().await?.is_some() {}
    Ok(())
}

async fn checked(house: &AccessHouse, kept: Option<&Checkpoint>) -> Result<Extent, Broken> {
    log::verify(&house.services, &house.root, kept.cloned(), None)
        .await
        .unwrap()
}

#[track_caller]
fn broken_at(found: Result<Extent, Broken>, seq: i64, what: &str) {
    match found {
        Ok(extent) => panic!("{what}: taken for whole: {extent:?}"),
        Err(broken) => assert_eq!(broken.at, Seq(seq), "{what}: {broken}"),
    }
}

/// Flips the lowest bit of the last character of a text, or a bit of a number, of one row; doing it twice undoes it.
fn flip(house: &AccessHouse, table: &str, column: &str, row: &str) -> String {
    let (number, character) = match house.database.engine() {
        crate::support::database::Engine::Sqlite => ("unicode", "char"),
        crate::support::database::Engine::Postgres => ("ascii", "chr"),
    };
    // Position and tenant far away, so that no other row has the key.
    let bit = if matches!(column, "seq" | "tenant_id") {
        1_048_576
    } else {
        1
    };
    let flipped = if matches!(column, "seq" | "at" | "part" | "tenant_id") {
        format!("({column} | {bit}) - ({column} & {bit})")
    } else {
        let last = format!("{number}(substr({column}, length({column}), 1))");
        format!("substr({column}, 1, length({column}) - 1) || {character}(({last} | 1) - ({last} & 1))")
    };
    format!("UPDATE {table} SET {column} = {flipped} WHERE {column} IS NOT NULL AND {row}")
}

async fn unguarded(house: &AccessHouse) {
    let triggers: &[&str] = match house.database.engine() {
        crate::support::database::Engine::Sqlite => &["DROP TRIGGER event_update", "DROP TRIGGER event_delete"],
        crate::support::database::Engine::Postgres => &["DROP TRIGGER event_stays ON event"],
    };
    for drop in triggers {
        house.database.execute(drop).await;
    }
}

each_database! {
    async fn a_flipped_byte_of_an_export_is_found_every_time(house: AccessHouse) {
        furnish(&house).await;
        let (lines, keys) = (export(&house, 0).await, trusted(&house).await);
        let extent = proved(&lines, &keys).unwrap();
        assert!(extent.to.0 > 30 && extent.checkpoints > 2, "{extent:?}");
        let mut dice = Dice::new(seed(), 0);
        let positions: Vec<_> = events(&lines);
        for _ in 0..FLIPS {
            let mut forged = lines.clone();
            let number = dice.below(forged.len());
            let place = dice.below(forged[number].len());
            let bit = 1 << dice.below(8);
            forged[number][place] ^= bit;
            // What is read is split where there is a line break now.
            let bytes = forged.concat();
            let split: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let found = verify(split, &keys, None);
            let broken = found.expect_err(&format!("line {}, byte {place}, bit {bit}: taken for whole", number + 1));
            assert!(broken.line.unwrap() <= lines.len(), "{broken}");
            if let Some((_, seq)) = positions.iter().find(|(line, _)| *line == number) {
                assert_eq!((broken.line, broken.at), (Some(number + 1), *seq), "{broken}");
            }
        }
    }

    async fn lines_that_are_cut_off_swapped_or_chained_anew_are_found(house: AccessHouse) {
        furnish(&house).await;
        let (lines, keys) = (export(&house, 0).await, trusted(&house).await);
        let positions = events(&lines);
        for kept in 0..lines.len() {
            let broken = proved(&lines[..kept], &keys).expect_err("cut off");
            assert_eq!(broken.flaw, Flaw::Missing, "{kept} lines");
            let next = positions.iter().find(|(number, _)| *number >= kept);
            let next = next.map_or_else(|| positions[positions.len() - 1].1.next(), |(_, seq)| *seq);
            assert_eq!(broken.at, if kept == 0 { Seq(0) } else { next });
        }
        for pair in positions.windows(2) {
            let mut forged = lines.clone();
            forged.swap(pair[0].0, pair[1].0);
            assert_eq!(proved(&forged, &keys).expect_err("swapped").at, pair[0].1);
        }
        let tenant = proved(&lines, &keys).unwrap().tenant;
        for (number, seq) in &positions {
            let broken = proved(&rechained(&lines, *number, &tenant), &keys).expect_err("chained anew");
            assert!(matches!(broken.flaw, Flaw::Rewritten { signed } if signed >= *seq), "{seq}: {broken}");
            assert!(broken.at <= *seq, "{seq}: everything before {} is said to be good", broken.at);
        }
    }

    async fn a_part_of_a_log_is_proved_alone_and_by_the_key_that_signed_it(house: AccessHouse) {
        furnish(&house).await;
        let before = trusted(&house).await;
        keys::rotate(&house.services, Purpose::Log).await.unwrap();
        house.user("after", json!({})).await;
        let (part, after) = (export(&house, 10).await, trusted(&house).await);
        assert_eq!((before.iter().count(), after.iter().count()), (1, 2));
        assert_eq!(proved(&part, &after).unwrap().from, Seq(11));
        assert!(matches!(proved(&part, &before).unwrap_err().flaw, Flaw::UnknownKey(_)));
        assert!(checked(&house, None).await.is_ok());
    }

    async fn a_flipped_bit_of_a_column_of_a_live_log_is_found(house: AccessHouse) {
        furnish(&house).await;
        unguarded(&house).await;
        let whole = checked(&house, None).await.unwrap();
        let wanted = log::Wanted {
            kind: Some("user.created".to_owned()),
            ..log::Wanted::default()
        };
        let made = log::read(&house.services, &house.root, &wanted).await.unwrap().items[5].seq;
        let columns = [
            "tenant_id", "seq", "at", "txn", "part", "kind", "actor_kind", "actor_id", "connection", "request_id",
            "subject_kind", "subject_id", "cause", "data", "sealed", "hash",
        ];
        for column in columns {
            let row = format!("hash = (SELECT x.hash FROM event x WHERE x.seq = {made})");
            let there = flip(&house, "event", column, &row);
            assert_eq!(house.database.execute(&there).await, 1, "{column}");
            broken_at(checked(&house, None).await, made, column);
            let moved = if column == "seq" { made | 1_048_576 } else { made };
            let back = flip(&house, "event", column, &format!("seq = {moved}"));
            assert_eq!(house.database.execute(&back).await, 1, "{column}");
            assert_eq!(checked(&house, None).await.as_ref(), Ok(&whole), "{column}");
        }
        for (table, columns) in [
            ("log_head", ["seq", "at", "hash", "key_id", "signature"]),
            ("checkpoint", ["seq", "at", "hash", "key_id", "signature"]),
        ] {
            let first = format!("hash IN (SELECT min(x.hash) FROM {table} x)");
            for column in columns {
                let there = flip(&house, table, column, &first);
                assert_eq!(house.database.execute(&there).await, 1, "{table}.{column}");
                let broken = checked(&house, None).await.expect_err(column);
                assert!(broken.at <= whole.to.next(), "{table}.{column}: {broken}");
                assert_eq!(house.database.execute(&there).await, 1, "{table}.{column}");
                assert_eq!(checked(&house, None).await.as_ref(), Ok(&whole), "{table}.{column}");
            }
        }
    }

    async fn a_live_log_that_is_cut_off_or_set_back_is_found(house: AccessHouse) {
        furnish(&house).await;
        unguarded(&house).await;
        let whole = checked(&house, None).await.unwrap();
        let kept = log::head(&house.services, &house.root).await.unwrap().unwrap();
        let checkpoints = log::checkpoints(&house.services, &house.root, 0, None).await.unwrap().items;
        let earlier = &checkpoints[1];
        house.database.execute(&format!("DELETE FROM event WHERE seq = {}", whole.to)).await;
        broken_at(checked(&house, None).await, whole.to.0, "the last event is gone");
        house.database.execute(&format!("DELETE FROM event WHERE seq > {}", earlier.seq)).await;
        let back = format!(
            "UPDATE log_head SET seq = {}, at = {}, hash = '{}', key_id = '{}', signature = '{}'",
            earlier.seq, earlier.at.0, earlier.hash, earlier.key, earlier.signature
        );
        house.database.execute(&back).await;
        broken_at(checked(&house, None).await, earlier.seq.next().0, "a newer checkpoint is left");
        house.database.execute(&format!("DELETE FROM checkpoint WHERE seq > {}", earlier.seq)).await;
        assert!(checked(&house, None).await.is_ok(), "set back as a whole, it is like an old backup");
        broken_at(checked(&house, Some(&kept)).await, earlier.seq.next().0, "a checkpoint was kept elsewhere");
    }

    async fn a_key_that_somebody_else_put_into_the_database_proves_nothing(house: AccessHouse) {
        furnish(&house).await;
        unguarded(&house).await;
        let (genuine, whole) = (trusted(&house).await, checked(&house, None).await.unwrap());
        let forger = SigningKey::of(Algorithm::Ed25519, &Secret::new([9; 32])).unwrap();
        let (kid, jwk) = (forger.public().kid(), forger.public().jwk());
        let (head, checkpoints) = rewritten(&house, Seq(10)).await;
        signed_by(&house, &forger, &whole.tenant, &head, &checkpoints).await;
        // As a key that is retired nobody signs with it; what is sealed is another's, or nothing.
        for sealed in ["'x'", "(SELECT min(k.sealed) FROM signing_key k)"] {
            house.database.execute(&format!(
                "INSERT INTO signing_key (kid, purpose, algorithm, public, sealed, created, retired) \
                 VALUES ('{kid}', 'log', 'Ed25519', '{jwk}', {sealed}, 1, 2)"
            )).await;
            assert_eq!(trusted(&house).await, genuine, "{sealed}");
            let broken = checked(&house, None).await.expect_err(sealed);
            assert_eq!(broken.flaw, Flaw::UnknownKey(kid.to_owned()));
            assert!(tried_export(&house).await.is_err(), "{sealed}");
            house.database.execute(&format!("DELETE FROM signing_key WHERE kid = '{kid}'")).await;
        }
        // Whoever kept the keys elsewhere need not ask the database for them.
        let found = log::verify(&house.services, &house.root, None, Some(genuine)).await.unwrap();
        assert_eq!(found.expect_err("theirs").flaw, Flaw::UnknownKey(kid.to_owned()));
    }

    async fn nothing_is_signed_for_that_was_written_anew_in_the_database(house: AccessHouse) {
        furnish(&house).await;
        unguarded(&house).await;
        let whole = checked(&house, None).await.unwrap();
        let from = Seq(whole.to.0 - 3);
        let (head, _) = rewritten(&house, from).await;
        house.database.execute(&format!("DELETE FROM checkpoint WHERE seq >= {from}")).await;
        assert!(checked(&house, None).await.is_err());
        assert!(tried_export(&house).await.is_err(), "an export of it is not ended");
        // With the end moved as well, the next event would sign for all of it.
        house.database.execute(&format!("UPDATE log_head SET hash = '{}'", head.hash)).await;
        house.user("late", json!({})).await;
        assert!(!log::settled(&house.services, &house.root).await.unwrap(), "it gets no number");
        assert!(checked(&house, None).await.is_err());
        assert!(tried_export(&house).await.is_err());
        assert_eq!(house.database.execute("UPDATE entry SET at = at").await, 1, "what happens is kept");
    }
}
