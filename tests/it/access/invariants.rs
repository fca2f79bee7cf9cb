use muster::service::Error;
use muster::service::access::grants::{self, SubjectKind};
use muster::service::access::preview::{self, Asked, What};
use muster::service::access::rules::{self, RuleChange};
use muster::service::access::settings::{self, SettingsChange};
use muster::service::access::{Paging, State, Validity, ownership};
use serde_json::json;
use std::time::Duration;

use super::house::{AccessHouse, START, conflict, gives, joins, new_grant, new_rule};

each_database! {
    async fn there_is_one_owner_and_they_hand_over(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let (ada, bob) = (house.user("ada", json!({"active": true})).await, house.user("bob", json!({"active": true})).await);
        ownership::transfer(services, root, &ada, None).await.unwrap();
        let refused = ownership::transfer(services, root, &bob, None).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "a reason is needed: {refused:?}");
        let bobs = house.as_user(&bob).await;
        assert!(matches!(ownership::transfer(services, &bobs, &bob, None).await, Err(Error::Forbidden(_))));
        let adas = house.as_user(&ada).await;
        let made = ownership::transfer(services, &adas, &bob, None).await.unwrap();
        assert_eq!(made.former.unwrap().id, ada);
        assert!(house.may(&ada, "org.users.manage", "all").await, "an admin now");
        let made = ownership::transfer(services, root, &ada, Some("locked out")).await.unwrap();
        assert_eq!((made.owner.unwrap().id, made.former.unwrap().id), (ada, bob));
    }

    async fn ownership_is_not_given_by_a_grant_nor_taken_with_one(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let ada = house.user("ada", json!({})).await;
        conflict(grants::create(services, root, &new_grant((SubjectKind::User, &ada), "owner", "all")).await);
        ownership::transfer(services, root, &ada, None).await.unwrap();
        let (all, first) = (grants::Filter::default(), Paging::default());
        let grant = grants::list(services, root, &all, &first).await.unwrap().items.remove(0);
        conflict(grants::delete(services, root, &grant.id).await);
    }

    async fn provisioning_cannot_end_the_owner(house: AccessHouse) {
        let ada = house.user("ada", json!({"active": true})).await;
        ownership::transfer(&house.services, &house.root, &ada, None).await.unwrap();
        let detail = conflict(house.set(&ada, "active", json!(false)).await);
        assert!(detail.contains("transfer ownership") && detail.contains("/api/v1/ownership"), "{detail}");
        conflict(house.delete("Users", &ada).await);
        assert!(house.may(&ada, "org.billing.manage", "all").await);
        house.set(&ada, "title", json!("Founder")).await.unwrap();
    }

    async fn the_last_administrator_stays_by_every_path(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let ada = house.user("ada", json!({"active": true})).await;
        let admins = house.group("Admins", &[&ada]).await;
        let grant = house.grant((SubjectKind::Group, &admins), "admin", "all").await;
        conflict(house.set(&ada, "active", json!(false)).await);
        conflict(house.delete("Users", &ada).await);
        conflict(house.leave(&admins, &ada).await);
        conflict(house.delete("Groups", &admins).await);
        conflict(grants::delete(services, root, &grant).await);
        let bob = house.user("bob", json!({"active": true})).await;
        house.join(&admins, &bob).await.unwrap();
        house.delete("Users", &ada).await.unwrap();
        conflict(house.leave(&admins, &bob).await);
    }

    async fn the_last_administrator_is_one_for_good(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let (ada, bob) = (house.user("ada", json!({"title": "chief"})).await, house.user("bob", json!({})).await);
        let mut for_a_while = new_grant((SubjectKind::User, &ada), "admin", "all");
        for_a_while.validity = Validity { from: None, to: Some(START.plus(Duration::from_mins(1))) };
        conflict(grants::create(services, root, &for_a_while).await);
        let by_rule = new_rule("Chiefs", "title eq \"chief\"", &[gives("admin", "all")]);
        conflict(rules::create(services, root, &by_rule).await);
        let (smart, around) = (house.group("Smart", &[]).await, house.group("Around", &[]).await);
        house.rule("Smart", "title eq \"chief\"", &[joins(&smart)]).await;
        conflict(grants::create(services, root, &new_grant((SubjectKind::Group, &smart), "admin", "all")).await);
        house.grant((SubjectKind::Group, &around), "admin", "all").await;
        conflict(house.join(&around, &smart).await);
        let grant = house.grant((SubjectKind::User, &bob), "admin", "all").await;
        let ends = Validity { from: None, to: Some(START.plus(Duration::from_mins(1))) };
        conflict(grants::change(services, root, &grant, ends).await);
        let begins = Validity { from: Some(START.plus(Duration::from_mins(1))), to: None };
        conflict(grants::change(services, root, &grant, begins).await);
        // With one for good, others may come and go.
        grants::create(services, root, &for_a_while).await.unwrap();
        rules::create(services, root, &by_rule).await.unwrap();
        house.join(&around, &smart).await.unwrap();
        house.clock.advance(Duration::from_mins(1));
        conflict(house.set(&bob, "active", json!(false)).await);
    }

    async fn a_draft_may_say_what_would_be_refused_until_it_is_made_active(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let mut draft = new_rule("Chiefs", "title eq \"chief\"", &[gives("admin", "all")]);
        draft.state = State::Draft;
        let rule = rules::create(services, root, &draft).await.unwrap();
        let active = RuleChange { state: Some(State::Active), ..RuleChange::default() };
        conflict(rules::change(services, root, &rule.id, &active).await);
        assert_eq!(rules::find(services, root, &rule.id).await.unwrap().state, State::Draft);
    }

    async fn as_many_administrators_stay_as_the_organisation_asks_for(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let (ada, bob) = (house.user("ada", json!({})).await, house.user("bob", json!({})).await);
        let cid = house.user("cid", json!({})).await;
        let admins = house.group("Admins", &[&ada, &bob]).await;
        let grant = house.grant((SubjectKind::Group, &admins), "admin", "all").await;
        let two = SettingsChange { least_admins: Some(2), ..SettingsChange::default() };
        settings::change(services, root, &two).await.unwrap();
        conflict(house.leave(&admins, &ada).await);
        conflict(house.set(&bob, "active", json!(false)).await);
        conflict(grants::delete(services, root, &grant).await);
        house.join(&admins, &cid).await.unwrap();
        house.leave(&admins, &ada).await.unwrap();
        conflict(house.delete("Users", &cid).await);
        // Together, changes may make up for each other.
        let direct = |user: &str| Asked::Grant(new_grant((SubjectKind::User, user), "admin", "all"));
        let enough = [Asked::Delete(What::Grant, grant.clone()), direct(&ada), direct(&bob)];
        let too_few = &enough[..2];
        let told = preview::preview(services, root, too_few, "[]").await.unwrap();
        conflict(preview::apply(services, root, &told.id, too_few).await);
        let told = preview::preview(services, root, &enough, "[]").await.unwrap();
        preview::apply(services, root, &told.id, &enough).await.unwrap();
        conflict(house.delete("Users", &ada).await);
    }
}
