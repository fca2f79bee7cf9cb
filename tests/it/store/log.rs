//! Entries of units of work, and the events that they become.

use muster::base::clock::Timestamp;
use muster::base::secret::Secret;
use muster::event::{
    Actor, ActorKind, Algorithm, By, Cause, Chain, Checkpoint, Entry, Head, Kind as What, Origin, Record, Seq,
    SigningKey, Subject, SubjectKind, Text,
};
use muster::store::log::entries::Written;
use muster::store::log::events::Which;
use muster::store::log::heads::{End, Growth};
use muster::store::log::waiting::Most;
use muster::store::log::{leases, waiting};
use muster::store::resources::External;
use muster::store::{Error, Kind, Unit};
use serde_json::json;
use sqlx::{Connection, PgConnection, SqliteConnection};

use super::shelf::{Shelf, user};
use crate::support::database::Engine;

/// More than any test writes.
const MOST: Most = Most {
    entries: 100,
    characters: 1 << 20,
};

fn origin(who: &str) -> Origin {
    Origin {
        actor: Actor {
            kind: ActorKind::Operator,
            id: who.to_owned(),
        },
        connection: None,
        request_id: None,
    }
}

fn record(kind: What, id: &str) -> Record {
    Record {
        kind: kind.into(),
        class: kind.class(),
        subject: Some(Subject {
            kind: SubjectKind::Role,
            pk: None,
            id: id.to_owned(),
        }),
        about: Vec::new(),
        cause: Cause {
            by: By::Cli,
            reason: None,
            of: None,
        },
        data: Text::try_from(&json!({})).unwrap(),
        sealed: None,
    }
}

/// Says something in a unit of its own.
async fn say(shelf: &Shelf, id: &str) {
    let mut unit = shelf.unit().await;
    unit.record(shelf.now(), origin("test"), record(What::RoleCreated, id));
    unit.save().await.unwrap();
}

async fn written(shelf: &Shelf) -> Vec<Written> {
    shelf.reader().entries().after(0, 100).await.unwrap()
}

/// What is subject in the entries, in their order.
async fn subjects(shelf: &Shelf) -> Vec<String> {
    let mut all = Vec::new();
    for written in written(shelf).await {
        let entry = Entry::read(written.at, written.txn, &written.head, &written.records).unwrap();
        all.extend(entry.records.into_iter().map(|record| record.subject.unwrap().id));
    }
    all
}

/// What the entries that wait would add.
async fn growth(shelf: &Shelf) -> Growth {
    let waiting = waiting::oldest(&shelf.db, MOST, &[]).await.unwrap();
    let first = waiting[0].clone();
    let old = first.end.and_then(|standing| standing.end());
    let head = old.map_or_else(|| Head::genesis(&first.tenant_uid), |end| end.head);
    let mut chain = Chain::from(first.tenant_uid.as_str(), head);
    let (mut events, mut entries) = (Vec::new(), Vec::new());
    for one in waiting {
        let Written {
            id,
            at,
            txn,
            head,
            records,
        } = one.entry;
        let placed = chain.push(Entry::read(at, txn, &head, &records).unwrap());
        events.extend(placed.into_iter().map(|event| (id, event)));
        entries.push(id);
    }
    let new = End {
        head: *chain.head(),
        entry: entries[entries.len() - 1],
        checkpoint: (Seq(0), Timestamp(0)),
    };
    let signer = SigningKey::of(Algorithm::Ed25519, &Secret::new([1; 32])).unwrap();
    Growth {
        old,
        new,
        signed: Checkpoint::sign(&first.tenant_uid, chain.head(), &signer).unwrap(),
        keeps: false,
        events,
        entries,
    }
}

async fn grow(shelf: &Shelf, growth: Growth) -> Result<(), Error> {
    let mut unit = shelf.unit().await;
    unit.heads().grow(growth);
    unit.save().await
}

/// Runs a statement on the bare database.
async fn raw(shelf: &Shelf, text: &'static str) -> Result<(), sqlx::Error> {
    match shelf.database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(shelf.database.url()).await?;
            sqlx::query(text).execute(&mut connection).await.map(drop)
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(shelf.database.url()).await?;
            sqlx::query(text).execute(&mut connection).await.map(drop)
        }
    }
}

each_database! {
    async fn what_happened_is_kept_in_order_with_the_change_or_not_at_all(shelf: Shelf) {
        for (id, kept) in [("a", true), ("b", false), ("c", true)] {
            let mut unit = shelf.unit().await.named(format!("unit {id}"));
            for part in 0..10 {
                unit.record(shelf.now(), origin("test"), record(What::RoleUpdated, &format!("{id}{part}")));
            }
            if kept { unit.save().await.unwrap() } else { unit.dismiss().await.unwrap() }
        }
        let expected: Vec<String> = ["a", "c"].iter().flat_map(|id| (0..10).map(move |part| format!("{id}{part}"))).collect();
        assert_eq!(subjects(&shelf).await, expected);
        let names: Vec<String> = written(&shelf).await.into_iter().map(|one| one.txn).collect();
        assert_eq!(names, ["unit a", "unit c"], "one row a unit");
    }

    async fn a_unit_that_acts_for_two_says_so_in_two_entries(shelf: Shelf) {
        let mut unit = shelf.unit().await.named("one".to_owned());
        for (who, id) in [("ada", "a"), ("ada", "b"), ("eve", "c")] {
            unit.record(shelf.now(), origin(who), record(What::RoleUpdated, id));
        }
        unit.save().await.unwrap();
        let entries = written(&shelf).await;
        assert_eq!(entries.iter().map(|one| one.txn.as_str()).collect::<Vec<_>>(), ["one", "one"]);
        assert!(entries[0].head.contains("ada") && entries[1].head.contains("eve"));
        assert_eq!(subjects(&shelf).await, ["a", "b", "c"]);
    }

    async fn a_change_that_came_too_late_says_nothing(shelf: Shelf) {
        let (pk, id) = shelf.user("ada").await;
        let stored = shelf.find(Kind::User, &id).await.unwrap();
        let content = shelf.content(Kind::User, &user("ada2"));
        for outcome in [Ok(()), Err(())] {
            let mut unit = shelf.unit().await;
            let old = shelf.content(Kind::User, &user("ada")).leaves;
            let now = shelf.now();
            unit.resources().update(pk, stored.version, &old, &content, External::Keep, now).await.unwrap();
            unit.record(now, origin("test"), record(What::RoleUpdated, "x"));
            let saved = unit.save().await;
            assert!(matches!((saved, outcome), (Ok(()), Ok(())) | (Err(Error::Stale), Err(()))));
        }
        assert_eq!(subjects(&shelf).await, ["x"]);
    }

    async fn who_waits_for_a_row_gets_its_number_after_who_did_not(shelf: Shelf) {
        if shelf.database.engine() == Engine::Sqlite {
            // There is one writer: nobody waits for a row.
            return;
        }
        let (pk, id) = shelf.user("ada").await;
        let stored = shelf.find(Kind::User, &id).await.unwrap();
        let mut other = PgConnection::connect(shelf.database.url()).await.unwrap();
        let mut holding = other.begin().await.unwrap();
        sqlx::query("SELECT pk FROM resource WHERE pk = $1 FOR UPDATE").bind(pk.0).fetch_one(&mut *holding).await.unwrap();
        let content = shelf.content(Kind::User, &user("ada2"));
        let old = shelf.content(Kind::User, &user("ada")).leaves;
        let mut unit = shelf.unit().await;
        let now = shelf.now();
        unit.resources().update(pk, stored.version, &old, &content, External::Keep, now).await.unwrap();
        unit.record(now, origin("test"), record(What::RoleUpdated, "waits"));
        let waiting = tokio::spawn(unit.save());
        let mut watch = PgConnection::connect(shelf.database.url()).await.unwrap();
        loop {
            let held: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                                                AND wait_event_type = 'Lock'").fetch_one(&mut watch).await.unwrap();
            if held > 0 { break }
            tokio::task::yield_now().await;
        }
        say(&shelf, "passes").await;
        assert!(!waiting.is_finished());
        holding.rollback().await.unwrap();
        waiting.await.unwrap().unwrap();
        assert_eq!(subjects(&shelf).await, ["passes", "waits"]);
    }

    async fn events_get_their_numbers_once_however_many_try(shelf: Shelf) {
        say(&shelf, "a").await;
        let (one, other) = (growth(&shelf).await, growth(&shelf).await);
        grow(&shelf, one.clone()).await.unwrap();
        assert!(matches!(grow(&shelf, other).await, Err(Error::Stale)), "the first of a log");
        say(&shelf, "b").await;
        let (two, other) = (growth(&shelf).await, growth(&shelf).await);
        let (first, second) = tokio::join!(grow(&shelf, two), grow(&shelf, other));
        assert!(matches!((&first, &second), (Ok(()), Err(Error::Stale)) | (Err(Error::Stale), Ok(()))), "{first:?} {second:?}");
        assert!(matches!(grow(&shelf, one).await, Err(Error::Stale)), "an old one");
        let events = shelf.reader().events().list(Seq(0), 100, &Which::default()).await.unwrap();
        let told: Vec<_> = events.iter().map(|kept| (kept.event.seq.0, kept.event.subject_id.as_deref().unwrap())).collect();
        assert_eq!(told, [(1, "a"), (2, "b")]);
        assert!(written(&shelf).await.is_empty());
        let end = shelf.reader().heads().find().await.unwrap().unwrap();
        assert_eq!((end.head.seq, end.head.hash), (Seq(2), events[1].hash));
    }

    async fn what_the_log_says_cannot_be_changed_or_taken_out(shelf: Shelf) {
        say(&shelf, "a").await;
        let growth = growth(&shelf).await;
        grow(&shelf, growth).await.unwrap();
        let before = shelf.reader().events().list(Seq(0), 100, &Which::default()).await.unwrap();
        for text in ["UPDATE event SET kind = 'role.deleted'", "DELETE FROM event"] {
            let refused = raw(&shelf, text).await.unwrap_err().to_string();
            assert!(refused.contains("the log is only added to"), "{refused}");
        }
        assert_eq!(shelf.reader().events().list(Seq(0), 100, &Which::default()).await.unwrap(), before);
    }

    async fn a_lease_is_one_holders_until_it_ends(shelf: Shelf) {
        let at = Timestamp;
        assert!(leases::take(&shelf.db, "l", "a", at(0), at(10)).await.unwrap());
        assert!(!leases::take(&shelf.db, "l", "b", at(9), at(19)).await.unwrap());
        assert!(leases::take(&shelf.db, "l", "a", at(9), at(19)).await.unwrap(), "renewed");
        assert!(!leases::take(&shelf.db, "l", "b", at(18), at(28)).await.unwrap());
        assert!(leases::take(&shelf.db, "m", "b", at(18), at(28)).await.unwrap(), "another one");
        assert!(leases::take(&shelf.db, "l", "b", at(19), at(29)).await.unwrap());
    }

    async fn an_entry_has_a_number_higher_than_all_before_also_when_those_are_gone(shelf: Shelf) {
        say(&shelf, "a").await;
        let growth = growth(&shelf).await;
        let last = growth.entries[0];
        grow(&shelf, growth).await.unwrap();
        let mut unit = Unit::begin(&shelf.db, shelf.tenant).await.unwrap();
        unit.record(shelf.now(), origin("test"), record(What::RoleCreated, "b"));
        unit.save().await.unwrap();
        assert!(written(&shelf).await[0].id > last);
    }
}
