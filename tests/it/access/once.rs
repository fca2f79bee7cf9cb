use std::time::Duration;

use muster::service::Caller;
use muster::service::access::roles::Holding;
use muster::service::access::scopes::{self, NewScope};
use muster::service::access::{Paging, ScopeKind};
use muster::service::once::{Answer, End, Turn, claim, prune, settle};

use super::house::AccessHouse;

/// Longer than a claim without effect is left to whoever holds it.
const A_WHILE: Duration = Duration::from_mins(3);

impl AccessHouse {
    async fn turn(&self, hash: &str) -> Turn {
        claim(&self.services, &self.root, "k", hash).await.unwrap()
    }

    /// The caller that does the request.
    async fn mine(&self) -> Caller {
        match self.turn("h").await {
            Turn::Now(caller) => caller,
            other => panic!("{other:?}"),
        }
    }

    /// The change of the request.
    async fn make(&self, caller: &Caller) -> bool {
        let new = NewScope {
            kind: ScopeKind::Territory,
            name: "EMEA".to_owned(),
            parent: None,
            starts: None,
            ends: None,
        };
        scopes::create(&self.services, caller, &new).await.is_ok()
    }

    async fn made(&self) -> usize {
        let territories = Some(ScopeKind::Territory);
        let page = scopes::list(&self.services, &self.root, territories, &Paging::default()).await;
        page.unwrap().items.len()
    }
}

fn answer() -> Answer {
    Answer {
        status: 201,
        location: None,
        body: "{}".to_owned(),
    }
}

each_database! {
    async fn a_crash_before_the_change_leaves_the_key_to_the_same_request(house: AccessHouse) {
        let crashed = house.mine().await;
        assert!(matches!(house.turn("h").await, Turn::Meanwhile));
        house.clock.advance(A_WHILE);
        assert!(matches!(house.turn("another").await, Turn::Another));
        let second = house.mine().await;
        // Had it only been slow, it would not get its change to disk any more: before the other, or after it.
        assert!(!house.make(&crashed).await);
        assert!(house.make(&second).await);
        assert!(!house.make(&crashed).await);
        settle(&house.services, &crashed, &End::Failed).await.unwrap();
        settle(&house.services, &second, &End::Answered(answer())).await.unwrap();
        assert!(matches!(house.turn("h").await, Turn::Before(found) if found == answer()));
        assert_eq!(house.made().await, 1);
    }

    async fn a_crash_after_the_change_is_told_and_not_made_again(house: AccessHouse) {
        let crashed = house.mine().await;
        assert!(house.make(&crashed).await);
        assert!(matches!(house.turn("h").await, Turn::Meanwhile), "it may still answer");
        house.clock.advance(A_WHILE);
        assert!(matches!(house.turn("h").await, Turn::Unanswered));
        settle(&house.services, &crashed, &End::Failed).await.unwrap();
        assert!(matches!(house.turn("h").await, Turn::Unanswered), "it has changed something");
        assert_eq!(house.made().await, 1);
        house.clock.advance(Duration::from_hours(24));
        house.mine().await;
    }

    async fn what_failed_or_is_not_kept_says_so(house: AccessHouse) {
        let failed = house.mine().await;
        settle(&house.services, &failed, &End::Failed).await.unwrap();
        let token = Answer { body: format!("{{\"token\":\"mst_{}\"}}", "x".repeat(43)), ..answer() };
        for (hash, end) in [("h", End::Unkept), ("i", End::Answered(token))] {
            house.clock.advance(Duration::from_hours(25));
            let Turn::Now(secret) = house.turn(hash).await else { panic!() };
            assert!(house.make(&secret).await);
            settle(&house.services, &secret, &end).await.unwrap();
            assert!(matches!(house.turn(hash).await, Turn::Unanswered));
        }
        prune(&house.services).await.unwrap();
        assert!(matches!(house.turn("i").await, Turn::Unanswered));
        house.clock.advance(Duration::from_hours(25));
        prune(&house.services).await.unwrap();
        house.mine().await;
    }

    async fn a_refused_change_leaves_the_claim_as_it_was(house: AccessHouse) {
        let caller = house.mine().await;
        let gone = scopes::delete(&house.services, &caller, "nowhere", Holding::Refuse).await;
        assert!(gone.is_err());
        house.clock.advance(A_WHILE);
        house.mine().await;
    }
}
