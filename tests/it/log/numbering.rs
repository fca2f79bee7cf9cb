//! Several sequencers at once, on two nodes and without a lease, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use muster::access::Catalogue;
use muster::base::clock::Clock;
use muster::base::id::Ids;
use muster::event::{Head, Keys, Seq, Walk, chain::Head as End};
use muster::scim::discovery::Listing;
use muster::service::log::{self, Passed, Wanted, sequence};
use muster::service::{Error, Parts, Services};
use muster::store::log::events::{Kept, Which};
use muster::store::{Db, Options, Reader, tenants};
use serde_json::json;

use crate::access::house::{AccessHouse, START};
use crate::support::seam::keyring;

/// Users that each writer makes.
const EACH: usize = 20;

/// Another node on the same database.
async fn node(url: &str) -> (Db, Services) {
    let db = Db::open(url, &Options::default()).await.unwrap();
    let parts = Parts {
        db: db.clone(),
        keys: keyring(),
        clock: Clock::fixed(START),
        ids: Ids::system(),
        max_results: 200,
        max_body_bytes: 1 << 20,
        catalogue: Arc::new(Catalogue::builtin()),
        listing: Listing::Standard,
        guard: muster::service::delivery::Guard::default(),
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
}
