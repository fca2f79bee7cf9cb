//! One receiver and the others, one node and another, and a node that is killed.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use super::hook::Hook;
use crate::support::TestHouse;
use crate::support::receiver::Reply;
use crate::support::seam;

each_database! {
    async fn a_slow_receiver_delays_nobody_else(house: TestHouse) {
        let slow = Hook::of(&house, "slow", &["user.*"]).await;
        let quick = Hook::of(&house, "quick", &["user.*"]).await;
        let before = (slow.receiver.got().len(), quick.receiver.got().len());
        assert_eq!(before, (0, 0));
        let permits = Arc::new(Semaphore::new(0));
        slow.receiver.answers({
            let permits = Arc::clone(&permits);
            move |_| Reply::After(Arc::clone(&permits))
        });
        let _relay = seam::relay(house.rooms());
        for number in 0..30 {
            house.user(&format!("user-{number}")).await;
            seam::number(house.rooms()).await;
        }
        // Not one answer of the slow one is there when the other has everything.
        quick.receiver.has_got(30).await;
        assert!(slow.receiver.got().len() <= 8, "no more at once than eight");
        permits.add_permits(1000);
        slow.receiver.has_got(30).await;
        assert_eq!(quick.receiver.got().len(), 30);
    }

    async fn a_server_that_is_killed_before_it_settles_sends_the_same_again(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        for name in ["ada", "bob", "eve"] {
            house.user(name).await;
        }
        seam::number(house.rooms()).await;
        assert_eq!(seam::deliver_unsettled(house.rooms()).await, 3);
        let first = hook.receiver.take();
        assert_eq!(hook.shown().await["deliveries"], json!({"waiting": 0, "behind": 0, "dead": 0}));
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0, "the node that was killed has it for a while");
        house.clock().advance(std::time::Duration::from_secs(31));
        house.turn().await;
        let again = hook.receiver.take();
        let sent = |all: &[crate::support::receiver::Got]| {
            let mut sent: Vec<_> = all.iter().map(|got| (got.id().to_owned(), got.text.clone())).collect();
            sent.sort();
            sent
        };
        assert_eq!(sent(&first), sent(&again));
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0);
    }

    async fn of_two_who_deliver_the_same_one_settles(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        house.user("ada").await;
        house.user("bob").await;
        seam::number(house.rooms()).await;
        assert_eq!(seam::deliver_twice(house.rooms()).await, [true, false]);
        let mut ids: Vec<String> = hook.receiver.take().iter().map(|got| got.id().to_owned()).collect();
        assert_eq!(ids.len(), 4);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2, "twice, with the same ids");
        house.turn().await;
        assert_eq!(hook.receiver.got().len(), 0);
    }

    async fn many_changes_of_one_user_come_in_their_order(house: TestHouse) {
        let hook = Hook::of(&house, "hook", &["user.*"]).await;
        let ada = house.user("ada").await;
        for number in 0..20 {
            let replace = json!([{"op": "replace", "path": "title", "value": format!("title {number}")}]);
            house.patch(&format!("/Users/{ada}"), replace).await.status(200);
        }
        // Every third attempt fails.
        let tried = std::sync::atomic::AtomicUsize::new(0);
        hook.receiver.answers(move |_| {
            let number = tried.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Reply::Status(if number % 3 == 2 { 500 } else { 200 })
        });
        for _ in 0..30 {
            house.turn().await;
            house.clock().advance(std::time::Duration::from_mins(2));
        }
        let mut seqs = hook.receiver.seqs();
        assert!(seqs.is_sorted(), "{seqs:?}");
        seqs.dedup();
        assert_eq!(seqs.len(), 21);
        assert_eq!(hook.troubles().await, []);
    }
}
