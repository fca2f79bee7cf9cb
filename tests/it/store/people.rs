//! Tenants, connections, tokens, events, counters, passwords.

use muster::base::clock::Timestamp;
use muster::base::id::ResourceId;
use muster::store::error::Unique;
use muster::store::tokens::{self, Bearer, New};
use muster::store::{Error, Kind, tenants, tolerances};

use super::shelf::Shelf;

fn token(shelf: &Shelf, hash: &str, bearer: Bearer, expires: Option<Timestamp>) -> New {
    let created = shelf.now();
    New {
        uid: shelf.ids.next(),
        hash: hash.to_owned(),
        bearer,
        label: "test".to_owned(),
        created,
        expires,
    }
}

async fn save(shelf: &Shelf, new: New) -> ResourceId {
    let uid = new.uid.clone();
    let mut unit = shelf.unit().await;
    unit.tokens().create(new).await.unwrap();
    unit.save().await.unwrap();
    uid
}

each_database! {
    async fn a_tenant_is_found_by_its_slug_which_is_its_own(shelf: Shelf) {
        let made = tenants::create(&shelf.db, &shelf.ids.next(), "umbra", "Umbra", shelf.now()).await.unwrap();
        assert_eq!(tenants::find(&shelf.db, "umbra").await.unwrap(), Some(made.clone()));
        assert_eq!(tenants::find(&shelf.db, "nobody").await.unwrap(), None);
        let again = tenants::create(&shelf.db, &shelf.ids.next(), "umbra", "Other", shelf.now()).await;
        assert!(matches!(again, Err(Error::Taken(Unique::TenantSlug))), "{again:?}");
        let slugs: Vec<_> = tenants::list(&shelf.db).await.unwrap().into_iter().map(|tenant| tenant.slug).collect();
        assert_eq!(slugs, ["acme", "umbra"]);
    }

    async fn a_connection_is_found_by_name_and_changes_its_dialect(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        let made = unit.connections().create(&shelf.ids.next(), "hr", "strict", shelf.now()).await.unwrap();
        unit.save().await.unwrap();
        let mut unit = shelf.unit().await;
        let again = unit.connections().create(&shelf.ids.next(), "hr", "auto", shelf.now()).await;
        assert!(matches!(again, Err(Error::Taken(Unique::ConnectionName))), "{again:?}");
        drop(unit);
        let mut unit = shelf.unit().await;
        unit.connections().set_dialect(made.id, "entra").await.unwrap();
        unit.save().await.unwrap();
        let found = shelf.reader().connections().find("hr").await.unwrap().unwrap();
        assert_eq!((found.id, found.dialect.as_str()), (made.id, "entra"));
        assert_eq!(shelf.reader().connections().find_by_id(made.id).await.unwrap(), Some(found));
        assert_eq!(shelf.reader().connections().list().await.unwrap().len(), 2);
    }

    async fn a_token_stands_for_tenant_and_connection(shelf: Shelf) {
        let uid = save(&shelf, token(&shelf, "h1", Bearer::Connection(shelf.connection), None)).await;
        let found = tokens::find(&shelf.db, "h1").await.unwrap().unwrap();
        assert_eq!((found.tenant, found.tenant_slug.as_str()), (shelf.tenant, "acme"));
        assert_eq!(found.token.uid, uid);
        assert_eq!(found.token.bearer, Bearer::Connection(shelf.connection));
        let (_, name, dialect) = found.connection.clone().unwrap();
        assert_eq!((name.as_str(), dialect.as_str()), ("okta", "auto"));
        assert!(found.user.is_none() && found.is_valid(shelf.now()));
        assert_eq!(tokens::find(&shelf.db, "other").await.unwrap(), None);
    }

    async fn a_token_ends_when_it_expires_or_is_revoked_whichever_is_first(shelf: Shelf) {
        let now = shelf.now();
        let end = Timestamp(now.0 + 1000);
        let uid = save(&shelf, token(&shelf, "h1", Bearer::Admin, Some(end))).await;
        let found = tokens::find(&shelf.db, "h1").await.unwrap().unwrap();
        assert!(found.is_valid(now) && !found.is_valid(end));
        let mut unit = shelf.unit().await;
        assert!(unit.tokens().revoke(&uid, Timestamp(now.0 + 500)).await.unwrap());
        assert!(unit.tokens().revoke(&uid, Timestamp(now.0 + 700)).await.unwrap());
        assert!(!unit.tokens().revoke(&shelf.ids.next(), now).await.unwrap());
        unit.save().await.unwrap();
        let found = tokens::find(&shelf.db, "h1").await.unwrap().unwrap();
        assert!(found.is_valid(Timestamp(now.0 + 499)) && !found.is_valid(Timestamp(now.0 + 500)));
        assert_eq!(shelf.reader().tokens().find(&uid).await.unwrap().unwrap(), found.token);
    }

    async fn the_token_of_a_user_ends_with_the_user(shelf: Shelf) {
        let (pk, id) = shelf.user("ada").await;
        save(&shelf, token(&shelf, "h1", Bearer::User(pk), None)).await;
        let found = tokens::find(&shelf.db, "h1").await.unwrap().unwrap();
        assert_eq!((found.user.clone(), found.is_valid(shelf.now())), (Some((id.clone(), true)), true));
        let version = shelf.find(Kind::User, &id).await.unwrap().version;
        let mut unit = shelf.unit().await;
        unit.resources().delete(Kind::User, pk, version, shelf.now()).await.unwrap();
        unit.save().await.unwrap();
        assert!(!tokens::find(&shelf.db, "h1").await.unwrap().unwrap().is_valid(shelf.now()));
    }

    async fn the_last_use_of_many_tokens_is_noted_together(shelf: Shelf) {
        save(&shelf, token(&shelf, "h1", Bearer::Admin, None)).await;
        save(&shelf, token(&shelf, "h2", Bearer::Admin, None)).await;
        let listed = shelf.reader().tokens().list().await.unwrap();
        let uses: Vec<_> = listed.iter().map(|token| (shelf.tenant, token.id, Timestamp(token.id * 1000))).collect();
        tokens::note_uses(&shelf.db, &uses).await.unwrap();
        tokens::note_uses(&shelf.db, &[]).await.unwrap();
        for token in shelf.reader().tokens().list().await.unwrap() {
            assert_eq!(token.last_used, Some(Timestamp(token.id * 1000)));
        }
    }

    async fn tolerances_are_counted_up(shelf: Shelf) {
        let now = shelf.now();
        tolerances::flush(&shelf.db, &[(shelf.tenant, shelf.connection, "b", 2), (shelf.tenant, shelf.connection, "a", 1)], now).await.unwrap();
        let mut unit = shelf.unit().await;
        unit.tolerances().count(shelf.connection, "a", 3, shelf.now());
        unit.save().await.unwrap();
        let counts: Vec<_> = shelf.reader().tolerances().list().await.unwrap().into_iter().map(|one| (one.rule, one.count)).collect();
        assert_eq!(counts, [("a".to_owned(), 4), ("b".to_owned(), 2)]);
    }

    async fn a_password_is_set_changed_and_taken_away(shelf: Shelf) {
        let (pk, _) = shelf.user("ada").await;
        assert_eq!(shelf.reader().credentials().find(pk).await.unwrap(), None);
        for hash in ["one", "two"] {
            let mut unit = shelf.unit().await;
            unit.credentials().set(pk, hash.to_owned(), shelf.now());
            unit.save().await.unwrap();
            assert_eq!(shelf.reader().credentials().find(pk).await.unwrap().as_deref(), Some(hash));
        }
        let mut unit = shelf.unit().await;
        unit.credentials().clear(pk);
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().credentials().find(pk).await.unwrap(), None);
    }
}
