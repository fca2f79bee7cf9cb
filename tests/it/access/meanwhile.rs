//! What comes between a rule that is being prepared and its place in force.

use muster::service::Caller;
use muster::service::Error;
use muster::service::access::preview::{self, Asked};
use muster::service::access::roles::Holding;
use muster::service::access::rules::{self, Progress, Rule, RuleChange};
use muster::service::access::scopes;
use muster::service::access::{Paging, State};
use muster::service::once::{Answer, End, Turn, claim, settle};
use muster::store::{Db, Options, Reader, tenants};
use serde_json::json;

use super::activation::{LONG, crowd};
use super::house::{AccessHouse, conflict, gives, joins, new_rule};

/// Users enough for several pieces of work.
const SEVERAL_PIECES: i64 = 12_000;

impl AccessHouse {
    /// How many versions of rules have matches.
    async fn matched(&self) -> usize {
        let db = Db::open(self.database.url(), &Options::default()).await.unwrap();
        let tenant = tenants::find(&db, "acme").await.unwrap().unwrap();
        let versions = Reader::new(db.clone(), tenant.id).matches().versions().await.unwrap();
        db.close().await;
        versions.len()
    }

    async fn resumed(&self) -> usize {
        self.clock.advance(LONG);
        rules::resume(&self.services).await.unwrap()
    }

    async fn seen(&self, id: &str) -> Rule {
        rules::find(&self.services, &self.root, id).await.unwrap()
    }

    async fn change(&self, id: &str, change: RuleChange) -> Result<Rule, Error> {
        rules::change(&self.services, &self.root, id, &change).await
    }

    /// The progress of the first rule of this name that is being prepared; `None` when it is in force by then.
    async fn on_its_way(&self, name: &str) -> Option<(Rule, Progress)> {
        loop {
            let page = rules::list(&self.services, &self.root, None, &Paging::default())
                .await
                .unwrap();
            let found = page.items.into_iter().find(|rule| rule.name == name);
            match found.map(|rule| (rule.progress, rule)) {
                Some((Some(progress), rule)) => return Some((rule, progress)),
                Some((None, rule)) if rule.state == State::Active => return None,
                _ => tokio::task::yield_now().await,
            }
        }
    }
}

each_database! {
    async fn what_is_refused_at_the_last_step_is_not_tried_again(house: AccessHouse) {
        let rule = house.draft("R", "userType eq \"partner\"", &[gives("analyst", "all")]).await;
        house.leave_behind(&rule.id, |row| "S".clone_into(&mut row.name)).await;
        let other = house.draft("S", "title pr", &[gives("analyst", "all")]).await;
        assert_eq!(house.resumed().await, 0, "the name is taken");
        let refused = house.seen(&rule.id).await;
        assert_eq!((refused.state, refused.progress), (State::Draft, None));
        rules::delete(&house.services, &house.root, &other.id).await.unwrap();
        assert_eq!(house.resumed().await, 0, "nobody expects it any more");
        assert_eq!(house.seen(&rule.id).await.state, State::Draft);
    }

    async fn of_rules_in_a_circle_one_is_given_up(house: AccessHouse) {
        let (here, there) = (house.group("Here", &[]).await, house.group("There", &[]).await);
        let of = |group: &str| format!("groups.display eq \"{group}\"");
        let one = house.draft("One", &of("Here"), &[joins(&there)]).await;
        let two = house.draft("Two", &of("There"), &[joins(&here)]).await;
        for rule in [&one, &two] {
            house.leave_behind(&rule.id, |_| {}).await;
        }
        assert_eq!(house.resumed().await, 1);
        let both = [house.seen(&one.id).await, house.seen(&two.id).await];
        assert!(both.iter().all(|rule| rule.progress.is_none()));
        let active = both.iter().find(|rule| rule.state == State::Active).unwrap();
        rules::delete(&house.services, &house.root, &active.id).await.unwrap();
        assert_eq!(house.resumed().await, 0);
    }

    async fn a_change_names_the_one_that_is_coming_or_waits(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let rule = house.rule("R", "title pr", &[gives("analyst", "all")]).await;
        let (_, coming) = house.leave_behind(&rule.id, |row| "userType eq \"partner\"".clone_into(&mut row.when)).await;
        let named = |version| RuleChange { name: Some("Renamed".to_owned()), expected: version, ..RuleChange::default() };
        for version in [None, Some(rule.version)] {
            assert!(conflict(house.change(&rule.id, named(version)).await).contains("coming into force"));
        }
        let stale = house.change(&rule.id, named(Some(coming + 1))).await;
        assert!(matches!(stale, Err(Error::Stale)), "{stale:?}");
        assert_eq!(house.seen(&rule.id).await.progress.unwrap().version, coming, "it is still coming");
        let changed = house.change(&rule.id, named(Some(coming))).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.when.as_str()), ("Renamed", "userType eq \"partner\""));
        assert!(house.may(&ada, "data.act", "all").await);
        // The same of a draft that becomes active.
        let draft = house.draft("D", "title pr", &[gives("analyst", "all")]).await;
        let (_, coming) = house.leave_behind(&draft.id, |_| {}).await;
        let rename = RuleChange { name: Some("E".to_owned()), ..RuleChange::default() };
        conflict(house.change(&draft.id, rename.clone()).await);
        let changed = house.change(&draft.id, RuleChange { expected: Some(coming), ..rename }).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.state), ("E", State::Active));
        let (_, coming) = house.leave_behind(&rule.id, |row| "title pr".clone_into(&mut row.when)).await;
        let retire = RuleChange { state: Some(State::Retired), expected: Some(coming), ..RuleChange::default() };
        assert_eq!(house.change(&rule.id, retire).await.unwrap().state, State::Retired);
        assert_eq!(house.resumed().await, 0);
    }

    async fn a_detached_rule_is_not_brought_back_empty(house: AccessHouse) {
        house.user("ada", json!({"userType": "partner"})).await;
        let scope = house.scope("EMEA", None).await;
        let rule = house.rule("R", "title pr", &[gives("analyst", &scope)]).await;
        house.leave_behind(&rule.id, |row| "userType eq \"partner\"".clone_into(&mut row.when)).await;
        scopes::delete(&house.services, &house.root, &scope, Holding::Detach).await.unwrap();
        assert_eq!(house.resumed().await, 0);
        let after = house.seen(&rule.id).await;
        assert_eq!((after.state, after.progress), (State::Retired, None));
    }

    async fn matches_that_nobody_removed_are_removed_later(house: AccessHouse) {
        let scope = house.scope("EMEA", None).await;
        house.rule("Stays", "userType eq \"partner\"", &[gives("analyst", "all")]).await;
        house.rule("Detached", "userType eq \"partner\"", &[gives("analyst", &scope)]).await;
        let left = house.draft("Left", "userType eq \"partner\"", &[gives("analyst", "all")]).await;
        let (_, given_up) = house.leave_behind(&left.id, |_| {}).await;
        for name in ["ada", "bob"] {
            house.user(name, json!({"userType": "partner"})).await;
        }
        scopes::delete(&house.services, &house.root, &scope, Holding::Detach).await.unwrap();
        let draft = RuleChange { state: Some(State::Draft), expected: Some(given_up), ..RuleChange::default() };
        house.change(&left.id, draft).await.unwrap();
        house.leave_behind(&left.id, |_| {}).await;
        house.user("eve", json!({"userType": "partner"})).await;
        assert_eq!(house.matched().await, 4);
        assert_eq!(rules::forget_left(&house.services).await.unwrap(), 4, "two versions, two users");
        assert_eq!(house.matched().await, 2, "what is in force, and what is being prepared");
        assert_eq!(rules::forget_left(&house.services).await.unwrap(), 0);
    }

    async fn a_keyed_rule_comes_into_force_after_its_answer(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        crowd(&house, SEVERAL_PIECES).await;
        let turn = claim(&house.services, &house.root, "k", "h").await.unwrap();
        let Turn::Now(caller) = turn else { panic!("{turn:?}") };
        let (services, keyed): (_, Caller) = (house.services.clone(), caller.clone());
        let making = tokio::spawn(async move {
            let new = new_rule("R", "userType eq \"partner\"", &[gives("analyst", "all")]);
            rules::create(&services, &keyed, &new).await
        });
        house.on_its_way("R").await;
        let answer = Answer { status: 202, location: None, body: "{}".to_owned() };
        settle(&house.services, &caller, &End::Answered(answer)).await.unwrap();
        assert_eq!(making.await.unwrap().unwrap().state, State::Active);
        assert!(house.may(&ada, "data.act", "all").await);
    }

    async fn one_rule_of_a_preview_keeps_no_other_from_its_place(house: AccessHouse) {
        house.user("ada", json!({"userType": "partner"})).await;
        crowd(&house, SEVERAL_PIECES).await;
        let rule = |name| Asked::Rule(new_rule(name, "userType eq \"nobody\"", &[gives("analyst", "all")]));
        let asked = [rule("First"), rule("Second")];
        let told = preview::preview(&house.services, &house.root, &asked, "[]").await.unwrap();
        let applying = tokio::spawn({
            let house = house.clone();
            async move { preview::apply(&house.services, &house.root, &told.id, &asked).await }
        });
        let Some((first, progress)) = house.on_its_way("First").await else { return };
        let stop = RuleChange { state: Some(State::Draft), expected: Some(progress.version), ..RuleChange::default() };
        let stopped = house.change(&first.id, stop).await;
        let applied = applying.await.unwrap();
        if stopped.is_ok() {
            conflict(applied);
            assert_eq!(house.seen(&first.id).await.state, State::Draft);
        }
        let page = rules::list(&house.services, &house.root, Some(State::Active), &Paging::default()).await.unwrap();
        assert!(page.items.iter().any(|rule| rule.name == "Second"), "{:?}", page.items);
    }
}
