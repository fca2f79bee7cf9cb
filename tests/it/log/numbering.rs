//! Several sequencers at once, on two nodes and without a lease, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster::access::Catalogue;
use muster::base::clock::{Clock, Timestamp};
use muster::base::id::Ids;
use muster::event::{Head, Keys, Seq, Walk, chain::Head as End};
use muster::scim::discovery::Listing;
use muster::service::access::grants::SubjectKind;
use muster::service::keys::{self, Purpose};
use muster::service::log::sequence::LEASE_LASTS;
use muster::service::log::{self, Passed, Wanted, sequence};
use muster::service::{Error, Parts, Services};
use muster::store::log::events::{Kept, Which};
use muster::store::{Db, Reader, Unit, tenants};
use serde_json::json;

use crate::access::house::{AccessHouse, START};
use crate::admin::desk::Desk;
use crate::support::seam::{self, keyring};
use crate::support::{TestHouse, program};

/// Users that each writer makes.
const EACH: usize = 20;

/// Another node on the same database.
async fn node(url: &str) -> (Db, Services) {
    let db = Db::open(url, &seam::patient()).await.unwrap();
    let parts = Parts {
        db: db.clone(),
        keys: keyring(),
        clock: Clock::fixed(START),
        ids: Ids::system(),
        max_results: 200,
        max_body_bytes: 1 << 20,
        max_bulk_bytes: 1 << 20,
        catalogue: Arc::new(Catalogue::builtin()),
        listing: Listing::Standard,
        guard: muster::service::delivery::Guard::default(),
        schemas: muster::service::schemas::Definitions::default(),
        waits: seam::WAITS,
    };
    let services = Services::new(parts).await.unwrap();
    (db, services)
}

/// Numbers whatever comes until there is nothing left and nobody writes.
async fn numbers(services: Services, writing: Arc<AtomicBool>) -> usize {
    let mut numbered = 0;
    loop {
        let done = !writing.load(Ordering::Acquire);
        let passed = match sequence::pass(&services).await {
            Ok(passed) => passed,
            Err(Error::Busy) => Passed {
                numbered: 0,
                more: true,
            },
            Err(other) => panic!("{other:?}"),
        };
        numbered += passed.numbered;
        if done && !passed.more {
            return numbered;
        }
        tokio::task::yield_now().await;
    }
}

/// All events of the tenant, after the whole chain was walked.
async fn proven(db: &Db) -> Vec<Kept> {
    let tenant = tenants::find(db, "acme").await.unwrap().unwrap();
    let reader = Reader::new(db.clone(), tenant.id);
    let events = reader.events().list(Seq(0), 10_000, &Which::default()).await.unwrap();
    let keys = Keys::default();
    let mut walk = Walk::begin(tenant.uid.as_str(), &keys);
    for kept in &events {
        walk.event(&kept.event, &kept.hash).unwrap();
    }
    let head: Head = reader.heads().find().await.unwrap().unwrap().head;
    let last = events.last().unwrap();
    let end = End {
        seq: last.event.seq,
        at: last.event.at,
        hash: last.hash,
    };
    assert_eq!(head, end, "the end is where the log ends");
    assert!(events.windows(2).all(|pair| pair[0].event.at < pair[1].event.at));
    events
}

each_database! {
    async fn two_nodes_number_without_a_gap_and_chain_once(house: AccessHouse) {
        let before = log::read(&house.services, &house.root, &Wanted::default()).await.unwrap().items.len();
        let (db, other) = node(house.database.url()).await;
        let writing = Arc::new(AtomicBool::new(true));
        let sequencers: Vec<_> = [house.services.clone(), other.clone(), other]
            .into_iter()
            .map(|services| tokio::spawn(numbers(services, Arc::clone(&writing))))
            .collect();
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let house = house.clone();
                tokio::spawn(async move {
                    for number in 0..EACH {
                        house.user(&format!("user-{writer}-{number}"), json!({})).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        writing.store(false, Ordering::Release);
        let mut numbered = 0;
        for sequencer in sequencers {
            numbered += sequencer.await.unwrap();
        }
        assert_eq!(numbered, 8 * EACH, "each once");
        let events = proven(&db).await;
        assert_eq!(events.len(), before + 8 * EACH);
        let made = events.iter().filter(|kept| kept.event.kind == "user.created");
        assert_eq!(made.count(), 8 * EACH);
        db.close().await;
    }

    async fn what_one_waited_for_has_the_lower_number(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        // Each of them sees the group of the one before.
        let mut groups = vec![house.group("g0", &[&ada]).await];
        for number in 1..10 {
            let last = groups[groups.len() - 1].clone();
            groups.push(house.group(&format!("g{number}"), &[&last]).await);
        }
        house.delete("Users", &ada).await.unwrap();
        let wanted = Wanted { limit: Some(500), ..Wanted::default() };
        let events = log::read(&house.services, &house.root, &wanted).await.unwrap().items;
        let made: Vec<&str> = events
            .iter()
            .filter(|event| event.kind == "group.created")
            .map(|event| event.subject.as_ref().unwrap().1.as_str())
            .collect();
        assert_eq!(made, groups);
        let last: Vec<&str> = events.iter().rev().take(2).map(|event| event.kind.as_str()).collect();
        assert_eq!(last, ["user.deleted", "group.updated"], "who leaves with a user leaves before it");
        assert_eq!(events[events.len() - 1].txn, events[events.len() - 2].txn);
    }

    async fn a_log_that_cannot_go_on_holds_up_no_other_and_goes_on_when_it_is_mended(house: TestHouse) {
        let desk = Desk::admin(&house);
        house.user("ada").await;
        house.turn().await;
        let acme = "tenant_id = (SELECT n.id FROM tenant n WHERE n.slug = 'acme')";
        house.database.execute("CREATE TABLE kept AS SELECT * FROM log_head").await;
        for (number, damage) in ["hash = 'x'", "seq = seq - 1", "signature = NULL"].into_iter().enumerate() {
            house.database.execute(&format!("UPDATE log_head SET {damage} WHERE {acme}")).await;
            house.user(&format!("kim-{number}")).await;
            house.second_tenant().user(&format!("kim-{number}")).await;
            for _ in 0..3 {
                seam::number(house.rooms()).await;
            }
            let waits = |which: &str| format!("UPDATE entry SET at = at WHERE {which}");
            assert_eq!(house.database.execute(&waits(&format!("NOT {acme}"))).await, 0, "{damage}");
            assert_eq!(house.database.execute(&waits(acme)).await, 1, "{damage}");
            let told = house.logs.text().matches("the log of a tenant cannot go on").count();
            assert_eq!(told, number + 1, "{damage}: it is told once while it is left alone");
            let made = desk.get("/events?kind=user.created").await.status(200).json;
            assert_eq!(made["items"].as_array().unwrap().len(), number + 1, "what has numbers can be read");
            let columns = ["seq", "hash", "signature"].map(|column| {
                format!("{column} = (SELECT k.{column} FROM kept k WHERE k.tenant_id = log_head.tenant_id)")
            });
            house.database.execute(&format!("UPDATE log_head SET {} WHERE {acme}", columns.join(", "))).await;
            house.clock().advance(Duration::from_secs(1));
            seam::number(house.rooms()).await;
            assert_eq!(house.database.execute(&waits(acme)).await, 0, "{damage}");
            house.database.execute("DROP TABLE kept").await;
            house.database.execute("CREATE TABLE kept AS SELECT * FROM log_head").await;
        }
        house.database.execute("DROP TABLE kept").await;
        let verified = program::run(&house.database, &["audit", "verify", "--tenant", "acme"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }

    async fn a_log_says_once_where_another_key_begins_to_sign_it(house: AccessHouse) {
        let (db, other) = node(house.database.url()).await;
        // The other node knows the key that signs now.
        house.user("ada", json!({})).await;
        log::settled(&other, &house.root).await.unwrap();
        let before = log::head(&house.services, &house.root).await.unwrap().unwrap().key;
        let after = keys::rotate(&house.services, Purpose::Log).await.unwrap();
        for (services, name) in [(&house.services, "bob"), (&other, "kim"), (&house.services, "eve"), (&other, "zoe")] {
            house.user(name, json!({})).await;
            log::settled(services, &house.root).await.unwrap();
            assert_eq!(log::head(services, &house.root).await.unwrap().unwrap().key, after, "{name}");
        }
        let wanted = Wanted { kind: Some("key.rotated".to_owned()), ..Wanted::default() };
        let told = log::read(&house.services, &house.root, &wanted).await.unwrap().items;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].data, json!({ "purpose": "log", "key": after, "before": before }));
        assert_eq!(told[0].subject, Some(("key".to_owned(), after)));
        assert_eq!(told[0].actor, ("system".to_owned(), "log".to_owned()));
        assert!(log::verify(&other, &house.root, None, None).await.unwrap().is_ok());
        db.close().await;
    }

    async fn a_lease_that_was_taken_by_a_clock_that_was_ahead_keeps_nobody_off(house: AccessHouse) {
        house.clock.advance(Duration::from_hours(24));
        assert!(sequence::lease(&house.services, "ahead").await.unwrap());
        assert!(!sequence::lease(&house.services, "other").await.unwrap());
        house.clock.set(START);
        assert!(sequence::lease(&house.services, "other").await.unwrap());
        assert!(!sequence::lease(&house.services, "third").await.unwrap(), "it is a lease again");
        house.clock.advance(LEASE_LASTS);
        assert!(sequence::lease(&house.services, "third").await.unwrap());
    }

    async fn clocks_that_jump_leave_one_chain_whose_instants_ascend(house: AccessHouse) {
        let (db, other) = node(house.database.url()).await;
        let before = log::read(&house.services, &house.root, &Wanted::default()).await.unwrap().items.len();
        // Where the clocks of two nodes stand, in hours from the start.
        let hours = [(0, 0), (24, -24), (-48, 24), (24 * 365, 0), (0, 24 * 365), (-1, -1), (1, 1)];
        for (number, (here, there)) in hours.into_iter().enumerate() {
            let at = |hours: i64| Timestamp(START.0 + hours * 3_600_000_000);
            house.clock.set(at(here));
            other.clock().set(at(there));
            house.user(&format!("kim-{number}"), json!({})).await;
            house.user(&format!("zoe-{number}"), json!({})).await;
            let (one, two) = tokio::join!(
                log::settled(&house.services, &house.root),
                log::settled(&other, &house.root)
            );
            assert!(one.unwrap() && two.unwrap());
        }
        assert_eq!(proven(&db).await.len(), before + 2 * hours.len());
        assert!(log::verify(&other, &house.root, None, None).await.unwrap().is_ok());
        db.close().await;
    }
    async fn a_key_that_does_not_open_is_no_reason_against_another(house: AccessHouse) {
        for purpose in [Purpose::Set, Purpose::Log] {
            keys::signer(&house.services, purpose).await.unwrap();
            let damage = format!("UPDATE signing_key SET sealed = 'x' WHERE purpose = '{}'", purpose.as_str());
            house.database.execute(&damage).await;
            // By then it is looked up again.
            house.clock.advance(Duration::from_mins(2));
            assert!(keys::signer(&house.services, purpose).await.is_err());
            let kid = keys::rotate(&house.services, purpose).await.unwrap();
            assert_eq!(keys::signer(&house.services, purpose).await.unwrap().public().kid(), kid, "it signs at once");
        }
    }

    async fn a_key_of_the_log_that_does_not_open_stops_no_reader(house: AccessHouse) {
        house.user("ada", json!({})).await;
        assert!(log::settled(&house.services, &house.root).await.unwrap());
        house.database.execute("UPDATE signing_key SET sealed = 'x' WHERE purpose = 'log'").await;
        house.clock.advance(Duration::from_mins(2));
        house.user("bob", json!({})).await;
        assert_eq!(sequence::pass(&house.services).await.unwrap().numbered, 0);
        assert!(!log::settled(&house.services, &house.root).await.unwrap());
        let read = log::read(&house.services, &house.root, &Wanted::default()).await.unwrap();
        assert!(read.behind && read.items.last().unwrap().kind == "user.created");
    }

    async fn what_waited_for_others_happened_when_it_was_done(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let tenant = tenants::find(&house.db, "acme").await.unwrap().unwrap();
        // Of the same node: on SQLite that is where units wait for each other.
        let mut holding = Unit::begin(&house.db, tenant.id).await.unwrap();
        holding.policy().hold().await.unwrap();
        let waiting = tokio::spawn({
            let house = house.clone();
            async move { house.grant((SubjectKind::User, &ada), "analyst", "all").await }
        });
        // It waits for the policy; where it has not come so far, it begins later, and the same holds.
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
        }
        house.clock.advance(Duration::from_secs(10));
        holding.dismiss().await.unwrap();
        waiting.await.unwrap();
        let events = log::read(&house.services, &house.root, &Wanted::default()).await.unwrap().items;
        let given = events.last().unwrap();
        assert_eq!(given.kind, "grant.created");
        assert!(given.at >= START.plus(Duration::from_secs(10)), "{given:?}");
    }
}
