//! Several administrators decide about what waits, at once.

use muster::access::invariant::Demands;
use muster::access::{Settings, WhenRefused};
use muster::service::Caller;
use muster::service::Error;
use muster::service::access::Paging;
use muster::service::access::grants::SubjectKind;
use muster::service::access::pending::{self, Pending};
use muster::service::log;
use muster::service::once::{Turn, claim};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

use super::house::{AccessHouse, conflict};
use crate::support::dump::Dump;

/// Longer than a claim without effect is left to whoever holds it.
const A_WHILE: Duration = Duration::from_mins(3);

impl AccessHouse {
    /// So many administrators stay; what goes against it waits.
    async fn demand(&self, least_admins: u64) {
        let settings = Settings {
            demands: Demands {
                least_admins,
                ..Demands::default()
            },
            when_refused: WhenRefused::Park,
            ..Settings::default()
        };
        self.decide(&settings).await;
    }

    /// The request to deactivate a user who may do everything, which waits and could be made by now.
    async fn parked(&self, user: &str) -> Pending {
        self.grant((SubjectKind::User, user), "admin", "all").await;
        self.demand(1_000).await;
        conflict(self.set(user, "active", json!(false)).await);
        self.demand(1).await;
        let waiting = pending::list(&self.services, &self.root, &Paging::default()).await;
        let waiting = waiting.unwrap().items;
        waiting
            .into_iter()
            .find(|one| one.resource.as_ref().is_some_and(|named| named.id == user))
            .unwrap()
    }

    async fn state(&self, id: &str) -> String {
        pending::find(&self.services, &self.root, id).await.unwrap().state
    }

    /// What the ledger says became of it.
    async fn decided(&self, id: &str) -> Vec<&'static str> {
        assert!(log::settled(&self.services, &self.root).await.unwrap());
        let dump = Dump::of(&self.database).await;
        let rows = dump.table("event").iter().filter(|row| row.contains(id));
        let kinds = rows.flat_map(|row| {
            let kinds = ["request.applied", "request.dismissed"];
            kinds.into_iter().filter(|kind| row.contains(kind))
        });
        kinds.collect()
    }

    async fn claimed(&self, hash: &str) -> Turn {
        claim(&self.services, &self.root, "k", hash).await.unwrap()
    }
}

/// Decides: makes the request, or dismisses it.
async fn decide(house: AccessHouse, by: Caller, id: String, makes: bool) -> Result<bool, Error> {
    if makes {
        pending::apply(&house.services, &by, &id).await?;
    } else {
        pending::dismiss(&house.services, &by, &id).await?;
    }
    Ok(makes)
}

each_database! {
    async fn of_several_who_decide_at_once_one_does(house: AccessHouse) {
        let boss = house.user("boss", json!({})).await;
        house.grant((SubjectKind::User, &boss), "admin", "all").await;
        for round in 0..8 {
            let user = house.user(&format!("user{round}"), json!({})).await;
            let waits = house.parked(&user).await;
            let mut deciding = JoinSet::new();
            // Sometimes two the same, sometimes one of each and more.
            let choices = [&[true, true][..], &[true, false], &[false, true, true], &[true, false, true, false]];
            for makes in choices[round % choices.len()] {
                deciding.spawn(decide(house.clone(), house.root.clone(), waits.id.clone(), *makes));
            }
            let outcomes = deciding.join_all().await;
            let done: Vec<bool> = outcomes.iter().flatten().copied().collect();
            let [made] = done[..] else { panic!("round {round}: {outcomes:?}") };
            let others = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::NotFound)));
            assert_eq!(others.count(), outcomes.len() - 1, "round {round}: {outcomes:?}");
            let (state, event) = if made { ("applied", "request.applied") } else { ("dismissed", "request.dismissed") };
            assert_eq!(house.state(&waits.id).await, state, "round {round}");
            assert_eq!(house.decided(&waits.id).await, [event], "round {round}");
            assert_eq!(house.may(&user, "data.act", "all").await, !made, "round {round}");
        }
    }

    async fn what_is_so_already_is_settled_once_too(house: AccessHouse) {
        let boss = house.user("boss", json!({})).await;
        house.grant((SubjectKind::User, &boss), "admin", "all").await;
        let ada = house.user("ada", json!({})).await;
        let waits = house.parked(&ada).await;
        house.set(&ada, "active", json!(false)).await.unwrap();
        pending::apply(&house.services, &house.root, &waits.id).await.unwrap();
        assert_eq!((house.state(&waits.id).await.as_str(), house.decided(&waits.id).await.len()), ("applied", 1));
        let again = pending::apply(&house.services, &house.root, &waits.id).await;
        assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
    }

    async fn the_same_request_twice_at_once_waits_once(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        house.grant((SubjectKind::User, &ada), "admin", "all").await;
        house.demand(1_000).await;
        let mut sending = JoinSet::new();
        for _ in 0..4 {
            let (house, ada) = (house.clone(), ada.clone());
            sending.spawn(async move { house.set(&ada, "active", json!(false)).await });
        }
        let told: Vec<String> = sending.join_all().await.into_iter().map(conflict).collect();
        let waiting = pending::list(&house.services, &house.root, &Paging::default()).await.unwrap().items;
        assert_eq!(waiting.len(), 1);
        assert!(told.iter().all(|detail| detail.contains(&waiting[0].id)), "{told:?}");
    }

    async fn a_keyed_decision_takes_effect_with_its_claim(house: AccessHouse) {
        let boss = house.user("boss", json!({})).await;
        house.grant((SubjectKind::User, &boss), "admin", "all").await;
        let (ada, bob) = (house.user("ada", json!({})).await, house.user("bob", json!({})).await);
        let (first, second) = (house.parked(&ada).await, house.parked(&bob).await);
        let Turn::Now(slow) = house.claimed("h").await else { panic!("the key is free") };
        house.clock.advance(A_WHILE);
        let Turn::Now(quick) = house.claimed("h").await else { panic!("the claim is left") };
        let late = pending::apply(&house.services, &slow, &first.id).await;
        assert!(late.is_err(), "its claim is somebody else's");
        assert!(house.may(&ada, "data.act", "all").await, "so nothing is done");
        assert_eq!(house.state(&first.id).await, "waiting");
        pending::apply(&house.services, &quick, &second.id).await.unwrap();
        assert!(!house.may(&bob, "data.act", "all").await);
        house.clock.advance(A_WHILE);
        assert!(matches!(house.claimed("h").await, Turn::Unanswered), "whoever asks again is told that it is done");
    }
}
