use muster::service::Error;
use muster::service::access::grants::{self, Filter, SubjectKind, Where};
use muster::service::access::{Paging, Validity};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

use super::house::{AccessHouse, START, new_grant, record};

each_database! {
    async fn a_grant_to_a_group_reaches_who_is_in_it_through_others(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let team = house.group("Team", &[&ada]).await;
        let sales = house.group("Sales", &[&team]).await;
        house.grant((SubjectKind::Group, &sales), "manager", "all").await;
        assert!(house.may(&ada, "record.edit", "all").await);
        house.leave(&team, &ada).await.unwrap();
        assert!(!house.may(&ada, "record.edit", "all").await, "in the same moment");
    }

    async fn grants_of_groups_that_are_made_at_once_are_all_made(house: AccessHouse) {
        const MANY: usize = 24;
        let team = house.group("Team", &[]).await;
        let mut making = tokio::task::JoinSet::new();
        for _ in 0..MANY {
            let (house, new) = (house.clone(), new_grant((SubjectKind::Group, &team), "analyst", "all"));
            making.spawn(async move { grants::create(&house.services, &house.root, &new).await });
        }
        for made in making.join_all().await {
            made.unwrap();
        }
        let filter = Filter { subject: Some(team), ..Filter::default() };
        let list = grants::list(&house.services, &house.root, &filter, &Paging::default()).await.unwrap();
        assert_eq!(list.items.len(), MANY);
    }

    async fn a_grant_counts_while_it_is_valid(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let mut new = new_grant((SubjectKind::User, &ada), "analyst", "all");
        new.validity = Validity { from: None, to: Some(START.plus(Duration::from_secs(5))) };
        grants::create(&house.services, &house.root, &new).await.unwrap();
        assert!(house.may(&ada, "data.act", "all").await);
        house.clock.advance(Duration::from_secs(5));
        assert!(!house.may(&ada, "data.act", "all").await);
    }

    async fn a_restriction_narrows_to_records_with_its_values(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let mut new = new_grant((SubjectKind::User, &ada), "analyst", "all");
        new.restrict = BTreeMap::from([("region".to_owned(), vec!["EU".to_owned(), "US".to_owned()])]);
        grants::create(&house.services, &house.root, &new).await.unwrap();
        assert!(house.may_on(&ada, "data.act", record("lead", "1", &json!({"region": "US"}))).await);
        assert!(!house.may_on(&ada, "data.act", record("lead", "1", &json!({"region": "APAC"}))).await);
        assert!(!house.may(&ada, "data.act", "all").await);
    }

    async fn one_record_can_be_given_alone(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let mut new = new_grant((SubjectKind::User, &ada), "manager", "all");
        new.place = Where::Record { kind: "account".to_owned(), id: "9".to_owned() };
        grants::create(&house.services, &house.root, &new).await.unwrap();
        assert!(house.may_on(&ada, "record.edit", record("account", "9", &json!({}))).await);
        assert!(!house.may_on(&ada, "record.edit", record("account", "10", &json!({}))).await);
    }

    async fn grants_are_listed_by_what_they_name_and_say_who_made_them(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let (ada, bob) = (house.user("ada", json!({})).await, house.user("bob", json!({})).await);
        let scope = house.scope("Germany", None).await;
        let first = house.grant((SubjectKind::User, &ada), "manager", &scope).await;
        house.grant((SubjectKind::User, &bob), "analyst", "all").await;
        let filter = Filter { subject: Some(ada.clone()), ..Filter::default() };
        let page = grants::list(services, root, &filter, &Paging::default()).await.unwrap();
        let [grant] = page.items.as_slice() else { panic!("{page:?}") };
        assert_eq!((grant.id.as_str(), grant.subject.id.as_str()), (first.as_str(), ada.as_str()));
        assert_eq!((grant.made.by_kind.as_str(), grant.made.by.as_str()), ("operator", "test"));
        let filter = Filter { scope: Some("all".to_owned()), ..Filter::default() };
        let everywhere = grants::list(services, root, &filter, &Paging::default()).await.unwrap();
        assert_eq!(everywhere.items.len(), 1);
    }

    async fn what_does_not_exist_is_told_where_it_stands(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let user = (SubjectKind::User, ada.as_str());
        for (new, pointer) in [
            (new_grant(user, "boss", "all"), "/role"),
            (new_grant(user, "admin", "nowhere"), "/scope"),
            (new_grant((SubjectKind::Group, &ada), "admin", "all"), "/subject/id"),
        ] {
            let refused = grants::create(&house.services, &house.root, &new).await;
            let Err(Error::Invalid(refusal)) = refused else { panic!("{refused:?}") };
            assert_eq!(refusal.pointer.as_deref(), Some(pointer));
        }
    }

    async fn a_grant_that_is_taken_counts_no_more(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let grant = house.grant((SubjectKind::User, &ada), "manager", "all").await;
        grants::delete(&house.services, &house.root, &grant).await.unwrap();
        assert!(!house.may(&ada, "record.edit", "all").await);
        let again = grants::delete(&house.services, &house.root, &grant).await;
        assert!(matches!(again, Err(Error::NotFound)));
    }
}
