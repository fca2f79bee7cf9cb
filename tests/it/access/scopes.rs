use muster::service::Error;
use muster::service::access::grants::SubjectKind;
use muster::service::access::records::{self, RecordShown};
use muster::service::access::roles::Holding;
use muster::service::access::scopes::{self, NewScope, ScopeChange};
use muster::service::access::{Paging, ScopeKind};
use serde_json::json;
use std::time::Duration;

use super::house::{AccessHouse, START, conflict, record};

each_database! {
    async fn a_grant_on_a_region_holds_in_its_countries_and_follows_when_they_move(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let (emea, apac) = (house.scope("EMEA", None).await, house.scope("APAC", None).await);
        let germany = house.scope("Germany", Some(&emea)).await;
        let ada = house.user("ada", json!({})).await;
        house.grant((SubjectKind::User, &ada), "manager", &emea).await;
        assert!(house.may(&ada, "record.edit", &germany).await);
        assert!(!house.may(&ada, "record.edit", "all").await, "not everywhere");
        let moved = ScopeChange { parent: Some(Some(apac)), ..ScopeChange::default() };
        scopes::change(services, root, &germany, &moved).await.unwrap();
        assert!(!house.may(&ada, "record.edit", &germany).await);
    }

    async fn a_scope_cannot_lie_in_itself(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let emea = house.scope("EMEA", None).await;
        let germany = house.scope("Germany", Some(&emea)).await;
        let circle = ScopeChange { parent: Some(Some(germany)), ..ScopeChange::default() };
        assert!(matches!(scopes::change(services, root, &emea, &circle).await, Err(Error::Invalid(_))));
        conflict(scopes::delete(services, root, &emea, Holding::Refuse).await);
    }

    async fn a_record_is_reached_through_the_scopes_it_belongs_to(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let germany = house.scope("Germany", None).await;
        let ada = house.user("ada", json!({})).await;
        house.grant((SubjectKind::User, &ada), "analyst", &germany).await;
        let lead = [RecordShown { kind: "lead".to_owned(), id: "7".to_owned() }];
        let asked = || record("lead", "7", &json!({}));
        assert!(!house.may_on(&ada, "data.act", asked()).await);
        assert_eq!(records::put(services, root, &germany, &lead).await.unwrap(), 1);
        assert_eq!(records::put(services, root, &germany, &lead).await.unwrap(), 0);
        assert!(house.may_on(&ada, "data.act", asked()).await);
        let page = records::list(services, root, &germany, &Paging::default()).await.unwrap();
        assert_eq!(page.items, lead);
        records::remove(services, root, &germany, &lead).await.unwrap();
        assert!(!house.may_on(&ada, "data.act", asked()).await);
    }

    async fn a_program_counts_while_it_runs(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let new = NewScope {
            kind: ScopeKind::Program,
            name: "Spring push".to_owned(),
            parent: None,
            starts: Some(START.plus(Duration::from_secs(10))),
            ends: Some(START.plus(Duration::from_secs(20))),
        };
        let program = scopes::create(services, root, &new).await.unwrap().id;
        let ada = house.user("ada", json!({})).await;
        house.grant((SubjectKind::User, &ada), "analyst", &program).await;
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(house.may(&ada, "data.act", &program).await);
            house.clock.advance(Duration::from_secs(10));
        }
        assert_eq!(seen, [false, true, false]);
        let backwards = NewScope { ends: new.starts, ..new };
        assert!(matches!(scopes::create(services, root, &backwards).await, Err(Error::Invalid(_))));
    }
}
