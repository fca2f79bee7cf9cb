use muster::event::Seq;
use muster::service::Error;
use muster::service::access::grants::{self, SubjectKind};
use muster::service::access::preview::{self, Asked, What};
use muster::service::access::{Paging, rules};
use muster::service::log;
use muster::store::log::events::Which;
use muster::store::{Db, Options, Reader, tenants};
use serde_json::json;
use std::time::Duration;

use super::house::{AccessHouse, conflict, gives, new_grant, new_rule};
use crate::support::dice::{Dice, seed};

/// Previews that are made while users come.
const RACES: usize = 12;
/// Users who come during each.
const COMING: usize = 4;

fn partners(name: &str) -> [Asked; 1] {
    [Asked::Rule(new_rule(
        name,
        "userType eq \"partner\"",
        &[gives("analyst", "all")],
    ))]
}

impl AccessHouse {
    /// What happened, in order.
    pub(super) async fn kinds(&self) -> Vec<String> {
        let db = Db::open(self.database.url(), &Options::default()).await.unwrap();
        let tenant = tenants::find(&db, "acme").await.unwrap().unwrap();
        assert!(log::settled(&self.services, &self.root).await.unwrap());
        let reader = Reader::new(db.clone(), tenant.id);
        let events = reader.events().list(Seq(0), 10_000, &Which::default()).await.unwrap();
        db.close().await;
        events.into_iter().map(|kept| kept.event.kind).collect()
    }

    /// Users of a type come, one after the other, while something else is done.
    fn coming(&self, race: usize, kind: &'static str, pauses: Vec<u64>) -> tokio::task::JoinHandle<()> {
        let house = self.clone();
        tokio::spawn(async move {
            for (number, pause) in pauses.into_iter().enumerate() {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let more = json!({"userType": kind});
                house.user(&format!("{kind}-{race}-{number}"), more).await;
            }
        })
    }

    /// Takes back what a preview made.
    async fn clear_rules(&self) {
        let page = rules::list(&self.services, &self.root, None, &Paging::default()).await;
        for rule in page.unwrap().items {
            rules::delete(&self.services, &self.root, &rule.id).await.unwrap();
        }
    }
}

each_database! {
    async fn a_preview_tells_what_changes_would_come_to_and_makes_them(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({})).await;
        let grant = house.grant((SubjectKind::User, &bob), "manager", "all").await;
        let asked = [
            Asked::Rule(new_rule("Partners", "userType eq \"partner\"", &[gives("analyst", "all")])),
            Asked::Grant(new_grant((SubjectKind::User, &bob), "analyst", "all")),
            Asked::Delete(What::Grant, grant),
        ];
        let told = preview::preview(services, root, &asked, "[]").await.unwrap();
        let gains: Vec<_> = told.gains.iter().map(|gain| gain.user.as_str()).collect();
        assert_eq!(gains, [&ada], "bob had it already");
        assert_eq!(told.losses.len(), 1);
        assert!(told.losses[0].user == bob && told.losses[0].permissions.contains(&"record.edit".to_owned()));
        assert!(!told.losses[0].permissions.contains(&"data.act".to_owned()));
        assert_eq!((told.counts.users, told.counts.changed), (2, 2));
        assert!(!house.may(&ada, "data.act", "all").await, "nothing is changed by looking");
        preview::apply(services, root, &told.id, &asked).await.unwrap();
        assert!(house.may(&ada, "data.act", "all").await && house.may(&bob, "data.act", "all").await);
        assert!(!house.may(&bob, "record.edit", "all").await);
        conflict(preview::apply(services, root, &told.id, &asked).await);
    }

    async fn a_preview_is_made_only_while_it_is_true(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        house.user("ada", json!({"userType": "partner"})).await;
        let asked = [Asked::Rule(new_rule("Partners", "userType eq \"partner\"", &[gives("analyst", "all")]))];
        let told = preview::preview(services, root, &asked, "[]").await.unwrap();
        house.user("eve", json!({"title": "Guest"})).await;
        let bob = house.user("bob", json!({"userType": "partner"})).await;
        conflict(preview::apply(services, root, &told.id, &asked).await);
        house.delete("Users", &bob).await.unwrap();
        preview::apply(services, root, &told.id, &asked).await.unwrap();
    }

    async fn a_user_who_changes_before_it_is_made_matters_only_to_what_it_comes_to(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({"userType": "guest"})).await;
        let asked = partners("Partners");
        let told = preview::preview(services, root, &asked, "[]").await.unwrap();
        house.set(&ada, "userType", json!("guest")).await.unwrap();
        conflict(preview::apply(services, root, &told.id, &asked).await);
        house.set(&ada, "userType", json!("partner")).await.unwrap();
        house.set(&bob, "userType", json!("partner")).await.unwrap();
        conflict(preview::apply(services, root, &told.id, &asked).await);
        house.set(&bob, "userType", json!("staff")).await.unwrap();
        house.set(&ada, "title", json!("Boss")).await.unwrap();
        preview::apply(services, root, &told.id, &asked).await.unwrap();
        assert!(house.may(&ada, "data.act", "all").await && !house.may(&bob, "data.act", "all").await);
    }

    async fn who_changes_while_it_is_made_matters_only_to_what_it_comes_to(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let mut dice = Dice::new(seed(), 0);
        let mut base = 1;
        house.user("first", json!({"userType": "partner"})).await;
        for race in 0..RACES {
            let asked = partners(&format!("Partners {race}"));
            let told = preview::preview(services, root, &asked, "[]").await.unwrap();
            assert_eq!(told.counts.changed, base, "race {race}");
            let before = house.kinds().await.len();
            let kind = if race % 3 == 0 { "guest" } else { "partner" };
            let pauses = (0..COMING).map(|_| dice.below(12) as u64).collect();
            let coming = house.coming(race, kind, pauses);
            let made = preview::apply(services, root, &told.id, &asked).await;
            coming.await.unwrap();
            let kinds = house.kinds().await;
            let at = kinds[before..].iter().position(|kind| kind == "rule.created");
            let came = at.map(|at| kinds[before..before + at].iter().filter(|kind| *kind == "user.created").count());
            match (kind, &made) {
                ("guest", Ok(())) => {}
                // Whoever came before it was made would have been one more than the preview showed.
                ("partner", Ok(())) => assert_eq!(came, Some(0), "race {race}"),
                ("partner", Err(Error::Conflict(_))) => assert_eq!(came, None, "race {race}"),
                other => panic!("race {race}: {other:?}"),
            }
            base += if kind == "partner" { COMING as u64 } else { 0 };
            house.clear_rules().await;
        }
    }

    async fn what_cannot_be_made_is_told_by_its_place(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let good = new_grant((SubjectKind::User, &ada), "analyst", "all");
        let bad = grants::NewGrant { role: "boss".to_owned(), ..good.clone() };
        let asked = [Asked::Grant(good), Asked::Grant(bad)];
        let refused = preview::preview(&house.services, &house.root, &asked, "[]").await;
        let Err(Error::Invalid(refusal)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusal.pointer.as_deref(), Some("/changes/1/grant/role"));
    }
}
