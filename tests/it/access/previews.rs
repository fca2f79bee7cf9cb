use muster::service::Error;
use muster::service::access::grants::{self, SubjectKind};
use muster::service::access::preview::{self, Asked, What};
use serde_json::json;

use super::house::{AccessHouse, conflict, gives, new_grant, new_rule};

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
