//! Groups that are nested in a circle: whoever is in one is in all of them, and nothing goes round for ever.

use muster::service::access::decide::Resource;
use muster::service::access::grants::SubjectKind;
use muster::service::access::preview::{self, Asked};
use muster::service::access::{Paging, search};
use serde_json::json;

use super::house::{AccessHouse, gives, joins, new_rule};

impl AccessHouse {
    /// Who may act on a scope, by a search.
    async fn actors(&self, scope: &str) -> Vec<String> {
        let on = Resource::Scope(scope.to_owned());
        let page = search::subjects(&self.services, &self.root, "data.act", &on, &Paging::default()).await;
        page.unwrap().items.into_iter().map(|found| found.user_name).collect()
    }
}

each_database! {
    async fn who_is_in_one_group_of_a_circle_has_what_all_of_them_have(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let bob = house.user("bob", json!({})).await;
        let one = house.group("One", &[&ada]).await;
        let two = house.group("Two", &[&one, &bob]).await;
        let three = house.group("Three", &[&two]).await;
        let [by_grant, by_rule] = [house.scope("EMEA", None).await, house.scope("APAC", None).await];
        house.grant((SubjectKind::Group, &one), "analyst", &by_grant).await;
        house.rule("Readers", "groups.display eq \"One\"", &[gives("analyst", &by_rule)]).await;
        assert_eq!(house.actors(&by_grant).await, ["ada"]);
        house.join(&one, &three).await.expect("a circle is no fault");
        for scope in [&by_grant, &by_rule] {
            assert_eq!(house.actors(scope).await, ["ada", "bob"]);
            for user in [&ada, &bob] {
                assert!(house.may(user, "data.act", scope).await);
            }
        }
        let asked = [Asked::Rule(new_rule("Third", "groups.display eq \"Three\"", &[gives("manager", &by_rule)]))];
        let told = preview::preview(&house.services, &house.root, &asked, "[]").await.unwrap();
        assert_eq!(told.counts.changed, 2);
        house.leave(&two, &one).await.unwrap();
        assert_eq!(house.actors(&by_grant).await, ["ada", "bob"], "Two is in Three, and Three in One");
        house.leave(&one, &three).await.unwrap();
        assert_eq!(house.actors(&by_grant).await, ["ada"]);
        assert_eq!(house.actors(&by_rule).await, ["ada"]);
    }

    async fn a_smart_group_can_be_in_a_circle_but_not_read_it(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let (smart, outer) = (house.group("Smart", &[]).await, house.group("Outer", &[]).await);
        house.rule("Fill", "userType eq \"partner\"", &[joins(&smart)]).await;
        house.join(&outer, &smart).await.unwrap();
        house.grant((SubjectKind::Group, &outer), "analyst", "all").await;
        assert!(house.may(&ada, "data.act", "all").await);
        let refused = house.join(&smart, &outer).await;
        assert!(refused.is_err(), "its members are given by rules");
        let circle = new_rule("Circle", "groups.display eq \"Outer\"", &[joins(&smart)]);
        let refused = muster::service::access::rules::create(&house.services, &house.root, &circle).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("in a circle"), "{refused}");
        // A circle that was there before the rules is one like any other.
        let (inner, round) = (house.group("Inner", &[]).await, house.group("Round", &[]).await);
        house.join(&round, &inner).await.unwrap();
        house.join(&inner, &round).await.unwrap();
        house.rule("Fill too", "userType eq \"partner\"", &[joins(&inner)]).await;
        let scope = house.scope("EMEA", None).await;
        house.grant((SubjectKind::Group, &round), "manager", &scope).await;
        assert!(house.may(&ada, "record.edit", &scope).await);
        assert_eq!(house.actors(&scope).await, ["ada"]);
    }
}
