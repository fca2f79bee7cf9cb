//! What a unit of work writes, and what becomes of it when it is numbered.

use proptest::prelude::*;

use super::super::{Actor, ActorKind, By, Cause, Chain, Entry, Error, Head, Of, Seq, Text};
use super::house::{TENANT, entry};
use crate::base::clock::Timestamp;

fn read(entry: &Entry) -> Result<Entry, Error> {
    let (head, records) = (entry.head_text()?, entry.records_text()?);
    Entry::read(entry.at, entry.txn.clone(), &head, &records)
}

#[test]
fn an_entry_reads_back() {
    for number in 0..60 {
        let written = entry(number);
        assert_eq!(read(&written).unwrap(), written);
    }
}

#[test]
fn what_another_release_wrote_is_refused_and_not_shortened() {
    let written = entry(2);
    let (head, records) = (written.head_text().unwrap(), written.records_text().unwrap());
    let refused = |head: &str, records: &str| {
        let read = Entry::read(written.at, String::new(), head, records);
        assert_eq!(read, Err(Error::Unreadable("entry")), "{head} {records}");
    };
    refused(&head.replace("connection", "satellite"), &records);
    refused(&head.replacen('{', "{\"more\":1,", 1), &records);
    refused(&head, &records.replace("role.updated", "ROLE UPDATED"));
    refused(
        &head,
        &records.replace("role.updated", &format!("role.{}", "x".repeat(64))),
    );
    refused(&head, &records.replacen('{', "{\"more\":1,", 1));
    refused(&head, &records.replace("\"class\":1", "\"class\":9"));
    refused(&head, &records.replace("\"by\":\"scim\"", "\"by\":\"magic\""));
    refused(&head, &records[..records.len() - 1]);
    refused("", "");
}

#[test]
fn a_kind_of_another_release_is_kept_as_it_is() {
    let written = entry(2);
    let (head, records) = (written.head_text().unwrap(), written.records_text().unwrap());
    let polished = records.replace("role.updated", "role.polished");
    let read = Entry::read(written.at, String::new(), &head, &polished).unwrap();
    assert_eq!(read.records_text().unwrap(), polished);
    let rows = Chain::from(TENANT, Head::genesis(TENANT)).push(read);
    assert_eq!(
        (rows[0].event.kind.as_str(), rows[0].class),
        ("role.polished", written.records[0].class)
    );
    assert_eq!(rows[0].event.kind(), None);
}

#[test]
fn a_cause_has_one_text() {
    let cause = |of| Cause {
        by: By::Undo,
        reason: Some("asked".to_owned()),
        of,
    };
    let texts = [
        (cause(None), r#"{"by":"undo","reason":"asked"}"#),
        (
            cause(Some(Of::Event(Seq(7)))),
            r#"{"by":"undo","reason":"asked","of":7}"#,
        ),
        (
            cause(Some(Of::Thing("x".to_owned()))),
            r#"{"by":"undo","reason":"asked","of":"x"}"#,
        ),
    ];
    for (cause, text) in texts {
        assert_eq!(cause.text(), text);
        assert_eq!(Cause::read(text), Ok(cause));
    }
    assert_eq!(Cause::read(r#"{"by":"magic"}"#), Err(Error::Unreadable("cause")));
}

#[test]
fn numbers_have_no_gap_and_instants_ascend_whatever_the_clocks_say() {
    let mut chain = Chain::from(TENANT, Head::genesis(TENANT));
    let clocks = [100, 100, 99, -5, 1_000, 0, 1_001];
    let mut rows = Vec::new();
    for (number, clock) in (0..).zip(clocks) {
        let made = Entry {
            at: Timestamp(clock),
            ..entry(number)
        };
        rows.extend(chain.push(made));
    }
    let numbers: Vec<_> = rows.iter().map(|row| row.event.seq.0).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    let instants: Vec<_> = rows.iter().map(|row| row.event.at.0).collect();
    assert_eq!(instants, [100, 101, 102, 103, 104, 105, 1_000, 1_001, 1_002, 1_003]);
    assert_eq!(chain.head().seq, Seq(10));
    assert_eq!(chain.head().hash, rows[9].hash);
}

#[test]
fn parts_count_within_a_save_and_row_numbers_stay_beside_the_event() {
    let written = Entry {
        origin: super::super::Origin {
            actor: Actor {
                kind: ActorKind::System,
                id: "schedule".to_owned(),
            },
            ..entry(4).origin
        },
        ..entry(3)
    };
    let rows = Chain::from(TENANT, Head::genesis(TENANT)).push(written.clone());
    assert_eq!(rows.iter().map(|row| row.event.part).collect::<Vec<_>>(), [0, 1]);
    for (row, record) in rows.iter().zip(&written.records) {
        assert_eq!(row.about, record.about);
        assert_eq!(row.class, record.class);
        assert_eq!(row.subject_pk, record.subject.as_ref().and_then(|subject| subject.pk));
        assert_eq!(row.connection_id, Some(crate::base::id::ConnectionId(3)));
        assert_eq!(row.event.actor_kind, "system");
        assert_eq!(row.event.kind, record.kind.as_str());
        assert_eq!(row.event.data, record.data.as_str());
    }
}

proptest! {
    #[test]
    fn data_keeps_its_text(numbers in prop::collection::vec(any::<f64>(), 0..5), word: String) {
        let value = serde_json::json!({ "numbers": numbers, "word": word });
        let mut written = entry(2);
        written.records[0].data = Text::try_from(&value).unwrap();
        let again = read(&written).unwrap();
        prop_assert_eq!(again.records[0].data.as_str(), value.to_string());
    }
}
