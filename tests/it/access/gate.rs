use muster::service::Error;
use muster::service::access::grants::{self, SubjectKind};
use muster::service::access::roles::{self, NewRole};
use muster::service::access::{Paging, ownership};
use serde_json::json;

use super::house::{AccessHouse, new_grant};

fn forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome.unwrap_err() {
        Error::Forbidden(reason) => reason,
        other => panic!("{other:?}"),
    }
}

each_database! {
    async fn a_connection_has_no_permissions_here(house: AccessHouse) {
        forbidden(roles::list(&house.services, &house.idp, &Paging::default()).await);
        forbidden(ownership::transfer(&house.services, &house.idp, "x", None).await);
    }

    async fn a_user_has_the_permissions_that_are_decided_for_them(house: AccessHouse) {
        let ada = house.user("ada", json!({"active": true})).await;
        let caller = house.as_user(&ada).await;
        forbidden(roles::list(&house.services, &caller, &Paging::default()).await);
        let grant = house.grant((SubjectKind::User, &ada), "admin", "all").await;
        roles::list(&house.services, &caller, &Paging::default()).await.unwrap();
        let bob = house.user("bob", json!({"active": true})).await;
        house.grant((SubjectKind::User, &bob), "admin", "all").await;
        grants::delete(&house.services, &house.root, &grant).await.unwrap();
        forbidden(roles::list(&house.services, &caller, &Paging::default()).await);
    }

    async fn nobody_gives_more_than_they_have(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let keys = ["org.users.manage", "org.roles.manage", "record.edit"];
        let new = NewRole { name: "Helpdesk".to_owned(), permissions: keys.map(str::to_owned).into() };
        let helpdesk = roles::create(services, root, &new).await.unwrap().id;
        let (ada, bob) = (house.user("ada", json!({})).await, house.user("bob", json!({})).await);
        house.grant((SubjectKind::User, &ada), &helpdesk, "all").await;
        let caller = house.as_user(&ada).await;
        let user = (SubjectKind::User, bob.as_str());
        let reason = forbidden(grants::create(services, &caller, &new_grant(user, "admin", "all")).await);
        assert!(reason.contains("data.erase"), "{reason}");
        grants::create(services, &caller, &new_grant(user, &helpdesk, "all")).await.unwrap();
        let more = NewRole { name: "Eraser".to_owned(), permissions: vec!["data.erase".to_owned()] };
        forbidden(roles::create(services, &caller, &more).await);
    }
}
