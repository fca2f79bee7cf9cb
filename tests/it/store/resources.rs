//! Users and groups, one at a time.

use muster::base::id::Version;
use muster::store::error::Unique;
use muster::store::resources::{External, Groups, New};
use muster::store::{Error, Kind};
use serde_json::json;

use super::shelf::{Shelf, user};
use crate::support::Arrange as _;

each_database! {
    async fn what_is_inserted_is_found(shelf: Shelf) {
        let id = shelf.ids.next();
        let document = json!({"userName": "Ada", "displayName": "Ada L.", "active": false});
        let pk = shelf.put(Kind::User, &id, Some("E-1"), &document).await;

        let found = shelf.find(Kind::User, &id).await.unwrap();

        assert_eq!((found.pk, found.version, found.active), (pk, Version(1), Some(false)));
        assert_eq!(found.document, document.to_string());
        assert_eq!(found.external_id.as_deref(), Some("E-1"));
        assert_eq!((found.label.as_str(), found.connection), ("Ada L.", Some(shelf.connection)));
        assert_eq!(found.created, found.modified);
        assert!(found.groups.is_empty());
        assert_eq!(shelf.find(Kind::Group, &id).await, None);
    }

    async fn another_tenant_does_not_find_it(shelf: Shelf) {
        let (_, id) = shelf.user("ada").await;
        let other = muster::store::tenants::create(&shelf.db, &shelf.ids.next(), "umbra", "Umbra", shelf.now()).await.unwrap();
        let stranger = Shelf { tenant: other.id, ..shelf.clone() };
        assert_eq!(stranger.find(Kind::User, &id).await, None);
        assert_eq!(stranger.reader().resources().count(Kind::User).await.unwrap(), 0);
        stranger.user("ada").await;
    }

    async fn a_name_is_unique_in_any_case_and_the_holder_is_known(shelf: Shelf) {
        shelf.user("Ada").await;
        let content = shelf.content(Kind::User, &user("aDA"));
        let id = shelf.ids.next();
        let new = New { kind: Kind::User, id: &id, connection: None, external_id: None, seal: None, content: &content, now: shelf.now() };
        let mut unit = shelf.unit().await;

        let refused = unit.resources().insert(new).await;

        assert!(matches!(refused, Err(Error::Taken(Unique::Name))), "{refused:?}");
        unit.dismiss().await.unwrap();
        let holder = shelf.reader().resources().who_holds(Kind::User, &content.name_key).await.unwrap();
        assert_eq!(holder, Some(Some(shelf.connection)));
        assert_eq!(shelf.reader().resources().count(Kind::User).await.unwrap(), 1);
    }

    async fn long_names_are_unique_too(shelf: Shelf) {
        let long = "x".repeat(5000);
        shelf.user(&format!("{long}a")).await;
        shelf.user(&format!("{long}b")).await;
        let content = shelf.content(Kind::User, &user(&format!("{long}A")));
        let id = shelf.ids.next();
        let new = New { kind: Kind::User, id: &id, connection: None, external_id: None, seal: None, content: &content, now: shelf.now() };
        let refused = shelf.unit().await.resources().insert(new).await;
        assert!(matches!(refused, Err(Error::Taken(Unique::Name))), "{refused:?}");
    }

    async fn a_unit_that_is_dropped_leaves_nothing(shelf: Shelf) {
        let content = shelf.content(Kind::User, &user("ada"));
        let id = shelf.ids.next();
        let new = New { kind: Kind::User, id: &id, connection: None, external_id: None, seal: None, content: &content, now: shelf.now() };
        let mut unit = shelf.unit().await;
        unit.resources().insert(new).await.unwrap();
        drop(unit);
        assert_eq!(shelf.find(Kind::User, &id).await, None);
        shelf.user("ada").await;
        assert_eq!(shelf.reader().resources().count(Kind::User).await.unwrap(), 1);
    }

    async fn an_update_moves_version_and_time_and_needs_the_version(shelf: Shelf) {
        let (pk, id) = shelf.user("ada").await;
        let before = shelf.find(Kind::User, &id).await.unwrap();
        let old = shelf.content(Kind::User, &user("ada")).leaves;
        let new = shelf.content(Kind::User, &json!({"userName": "eve", "title": "Boss"}));
        let external = External::Set(shelf.connection, "X");

        let mut unit = shelf.unit().await;
        let version = unit.resources().update(pk, Version(1), &old, &new, external, shelf.now()).await.unwrap();
        unit.save().await.unwrap();

        let after = shelf.find(Kind::User, &id).await.unwrap();
        assert_eq!((version, after.version), (Version(2), Version(2)));
        assert!(after.modified > before.modified && after.created == before.created);
        assert_eq!((after.active, after.external_id.as_deref()), (None, Some("X")));
        let mut unit = shelf.unit().await;
        unit.resources().update(pk, Version(1), &new.leaves, &new, External::Keep, shelf.now()).await.unwrap();
        let stale = unit.save().await;
        assert!(matches!(stale, Err(Error::Stale)), "{stale:?}");
        let mut unit = shelf.unit().await;
        unit.resources().rename(pk, Version(1), External::Clear(shelf.connection), shelf.now());
        let stale = unit.save().await;
        assert!(matches!(stale, Err(Error::Stale)), "{stale:?}");
        assert_eq!(shelf.find(Kind::User, &id).await.unwrap(), after);
        shelf.user("ada").await;
    }

    async fn each_connection_has_its_own_external_id(shelf: Shelf) {
        let (pk, id) = shelf.user("ada").await;
        let mut unit = shelf.unit().await;
        let other = unit.connections().create(&shelf.ids.next(), "hr", "strict", shelf.now()).await.unwrap().id;
        let version = unit.resources().rename(pk, Version(1), External::Set(other, "H-7"), shelf.now());
        unit.save().await.unwrap();
        assert_eq!(version, Version(2));
        assert_eq!(shelf.find(Kind::User, &id).await.unwrap().external_id, None);
        let found = shelf.reader().resources().find(Kind::User, &id, Some(other), Groups::LeftOut).await.unwrap().unwrap();
        assert_eq!(found.external_id.as_deref(), Some("H-7"));
        let mut unit = shelf.unit().await;
        unit.resources().rename(pk, Version(2), External::Clear(other), shelf.now());
        unit.save().await.unwrap();
        let found = shelf.reader().resources().find(Kind::User, &id, Some(other), Groups::LeftOut).await.unwrap().unwrap();
        assert_eq!(found.external_id, None);
    }

    async fn a_deleted_resource_leaves_its_groups_and_its_name(shelf: Shelf) {
        let (pk, id) = shelf.user("ada").await;
        let (group, group_id) = shelf.group("Sales").await;
        let mut unit = shelf.unit().await;
        unit.members().add(group, &[(id.clone(), None)], shelf.now()).await.unwrap();
        unit.save().await.unwrap();

        let mut unit = shelf.unit().await;
        let deleted = unit.resources().delete(Kind::User, pk, Version(1), shelf.now()).await.unwrap();
        unit.save().await.unwrap();

        assert_eq!(deleted.left, [(group, group_id.clone(), Version(2))]);
        assert_eq!(shelf.find(Kind::User, &id).await, None);
        assert!(shelf.members_of(group).await.is_empty());
        assert_eq!(shelf.find(Kind::Group, &group_id).await.unwrap().version, Version(2));
        assert_eq!(shelf.reader().resources().count(Kind::User).await.unwrap(), 0);
        shelf.user("ada").await;
    }

    async fn a_held_resource_shows_what_its_unit_wrote(shelf: Shelf) {
        let (pk, id) = shelf.user("ada").await;
        let mut unit = shelf.unit().await;
        let held = unit.resources().find_for_update(Kind::User, &id, Some(shelf.connection), Groups::Listed).await.unwrap().unwrap();
        assert_eq!((held.pk, held.version), (pk, Version(1)));
        unit.resources().touch(pk, held.version, shelf.now());
        unit.save().await.unwrap();
        assert_eq!(shelf.find(Kind::User, &id).await.unwrap().version, Version(2));
        let known = shelf.reader().resources().pks(&[id.clone(), shelf.ids.next()]).await.unwrap();
        assert_eq!(known, [(id, pk, Kind::User)]);
    }

    async fn after_any_updates_filters_find_what_the_document_says(shelf: Shelf) {
        let mut dice = crate::support::dice::Dice::new(7, 0);
        let words = super::world::words();
        let shelf = Shelf { registry: std::sync::Arc::new(super::world::registry()), ..shelf };
        let mut documents = Vec::new();
        for at in 0..3 {
            let document = super::world::user(&mut dice, &words, at);
            let id = shelf.ids.next();
            documents.push((shelf.put(Kind::User, &id, None, &document).await, id, document));
        }
        for round in 0..8 {
            let at = dice.below(3);
            let (pk, id, old) = documents[at].clone();
            let new = super::world::user(&mut dice, &words, at);
            let version = shelf.find(Kind::User, &id).await.unwrap().version;
            let leaves = shelf.content(Kind::User, &old).leaves;
            let content = shelf.content(Kind::User, &new);
            let mut unit = shelf.unit().await;
            let next = unit.resources().update(pk, version, &leaves, &content, External::Keep, shelf.now()).await.unwrap();
            assert_eq!(next, Version(version.0 + 1));
            unit.save().await.unwrap();
            documents[at].2 = new;
            let rows = shelf.attribute_rows().await;
            let fresh = Shelf::arrange(shelf.database.engine(), &crate::support::logs::Logs::default()).await;
            let fresh = Shelf { registry: std::sync::Arc::clone(&shelf.registry), ..fresh };
            for (_, id, document) in &documents {
                fresh.put(Kind::User, id, None, document).await;
            }
            assert_eq!(rows, fresh.attribute_rows().await, "round {round}");
            fresh.clear().await;
        }
    }
}
