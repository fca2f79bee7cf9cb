//! Custom roles.

use muster::access::{Reach, State, Subject};
use muster::base::id::{GrantKey, RoleKey};
use muster::store::Error;
use muster::store::access::grants::Wanted;
use muster::store::access::hanging::{Holding, Removal};
use muster::store::access::roles::NewRole;
use muster::store::error::Unique;

use super::super::shelf::Shelf;
use super::on;

each_database! {
    async fn a_role_is_kept_as_it_was_written_and_its_number_is_none_of_a_predefined_one(shelf: Shelf) {
        let key = shelf.role("Reviewer").await;
        assert!(key.0 >= 100, "{key}");
        let stored = shelf.reader().roles().get(key).await.unwrap().unwrap();
        assert_eq!((stored.name.as_str(), stored.origin), ("Reviewer", Some(RoleKey(4))));
        assert_eq!(stored.permissions, ["record.edit", "data.act"]);
        assert_eq!(stored.created, stored.modified);
        assert_eq!(shelf.reader().roles().find(&stored.id).await.unwrap(), Some(stored.clone()));
        let second = shelf.role("Second").await;
        let listed = shelf.reader().roles().list(RoleKey(0), 1).await.unwrap();
        assert_eq!(listed, [stored]);
        let listed = shelf.reader().roles().list(key, 10).await.unwrap();
        assert_eq!(listed.iter().map(|role| role.key).collect::<Vec<_>>(), [second]);
    }

    async fn names_are_unique_in_any_letter_case(shelf: Shelf) {
        let first = shelf.role("Prüfer").await;
        let second = shelf.role("Second").await;
        let mut unit = shelf.unit().await;
        let id = shelf.ids.next();
        let new = NewRole { id: id.as_str(), name: "PRÜFER", permissions: &[], origin: None };
        let taken = unit.roles().create(new, shelf.now()).await;
        assert!(matches!(taken, Err(Error::Taken(Unique::RoleName))), "{taken:?}");
        drop(unit);
        let mut unit = shelf.unit().await;
        let taken = unit.roles().update(second, "prüfer", &[], shelf.now()).await;
        assert!(matches!(taken, Err(Error::Taken(Unique::RoleName))), "{taken:?}");
        drop(unit);
        let mut unit = shelf.unit().await;
        assert!(unit.roles().update(first, "prüfer", &["data.act"], shelf.now()).await.unwrap());
        assert!(!unit.roles().update(RoleKey(9999), "nobody", &[], shelf.now()).await.unwrap());
        unit.save().await.unwrap();
        let stored = shelf.reader().roles().get(first).await.unwrap().unwrap();
        assert_eq!((stored.name.as_str(), stored.permissions.len()), ("prüfer", 1));
        assert!(stored.created < stored.modified);
    }

    async fn a_role_that_is_used_stays_and_says_what_uses_it(shelf: Shelf) {
        let (reviewer, other) = (shelf.role("Reviewer").await, shelf.role("Other").await);
        let scope = shelf.scope("EMEA", None).await;
        let (ada, _) = shelf.user("ada").await;
        let grant = shelf.grant(Subject::User(ada), reviewer, Reach::Scope(scope)).await;
        let kept = shelf.grant(Subject::User(ada), other, Reach::All).await;
        let rule = shelf.rule("Both", &[on(reviewer, scope), on(other, scope)], State::Active).await;
        let only = shelf.rule("Only", &[on(reviewer, scope)], State::Active).await;
        shelf.rule("Old", &[on(reviewer, scope)], State::Retired).await;

        let mut unit = shelf.unit().await;
        let Removal::Held(hanging) = unit.roles().delete(reviewer, Holding::Refuse, shelf.by()).await.unwrap() else { panic!() };
        unit.save().await.unwrap();

        assert_eq!(hanging.grants.iter().map(|one| one.key).collect::<Vec<_>>(), [grant]);
        assert_eq!(hanging.rules.iter().map(|one| (one.0, one.2.as_str())).collect::<Vec<_>>(), [(rule, "Both"), (only, "Only")]);
        let version = shelf.version().await;
        let mut unit = shelf.unit().await;
        let gone = unit.roles().delete(reviewer, Holding::Detach, shelf.by()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(gone, Removal::Gone(hanging));
        assert!(shelf.version().await > version);
        assert_eq!(shelf.reader().roles().get(reviewer).await.unwrap(), None);
        let left = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((left.then, left.version, left.matched, left.state), (vec![on(other, scope)], 2, 1, State::Active));
        let left = shelf.reader().rules().get(only).await.unwrap().unwrap();
        assert_eq!((left.then, left.version, left.state), (Vec::new(), 2, State::Retired));
        let versions = shelf.reader().rules().versions(rule, None, 10).await.unwrap();
        assert_eq!(versions.iter().map(|one| (one.version, one.then.len())).collect::<Vec<_>>(), [(2, 1), (1, 2)]);
        let grants = shelf.reader().grants().list(Wanted::default(), GrantKey(0), 10).await.unwrap();
        assert_eq!(grants.iter().map(|one| one.grant.key).collect::<Vec<_>>(), [kept]);
        let mut unit = shelf.unit().await;
        assert_eq!(unit.roles().delete(reviewer, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Absent);
        let Removal::Held(hanging) = unit.roles().delete(other, Holding::Refuse, shelf.by()).await.unwrap() else { panic!() };
        assert_eq!((hanging.grants.len(), hanging.rules.len()), (1, 1));
    }

    async fn what_a_neighbour_has_is_not_there(shelf: Shelf) {
        let key = shelf.role("Reviewer").await;
        let id = shelf.reader().roles().get(key).await.unwrap().unwrap().id;
        let now = shelf.now();
        let other = muster::store::tenants::create(&shelf.db, &shelf.ids.next(), "other", "Other", now).await.unwrap().id;
        let neighbour = muster::store::Reader::new(shelf.db.clone(), other);
        assert_eq!(neighbour.roles().find(&id).await.unwrap(), None);
        assert_eq!(neighbour.roles().get(key).await.unwrap(), None);
        assert_eq!(neighbour.policy().version().await.unwrap(), 0);
        let mut unit = muster::store::Unit::begin(&shelf.db, other).await.unwrap();
        assert_eq!(unit.roles().delete(key, Holding::Detach, shelf.by()).await.unwrap(), Removal::Absent);
        assert!(!unit.roles().update(key, "Mine", &[], now).await.unwrap());
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().roles().get(key).await.unwrap().unwrap().name, "Reviewer");
    }
}
