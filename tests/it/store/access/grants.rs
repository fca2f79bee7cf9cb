//! Roles given to users and groups.

use std::collections::{BTreeMap, BTreeSet};

use muster::access::{Origin, Reach, Restriction, Subject, Validity};
use muster::base::clock::Timestamp;
use muster::base::id::{GrantKey, Pk, RoleKey};
use muster::store::access::grants::{NewGrant, Order, Wanted};
use muster::store::error::Unique;
use muster::store::{Error, Kind};
use serde_json::json;

use super::super::shelf::Shelf;
use super::{READ_ONLY, grant, record};

const OWNER: RoleKey = RoleKey(1);
const ADMIN: RoleKey = RoleKey(2);

async fn listed(shelf: &Shelf, wanted: Wanted<'_>) -> Vec<GrantKey> {
    let found = shelf.reader().grants().list(wanted, GrantKey(0), 100).await.unwrap();
    found.into_iter().map(|one| one.grant.key).collect()
}

each_database! {
    async fn a_grant_is_kept_as_it_was_written_with_who_made_it(shelf: Shelf) {
        let (ada, id) = shelf.user("ada").await;
        let reach = Reach::Record(record("lead", "a:1"));
        let restriction = Restriction(BTreeMap::from([("region".to_owned(), BTreeSet::from(["EU".to_owned(), "it's \"US\"".to_owned()]))]));
        let validity = Validity { from: Some(Timestamp(5)), to: Some(Timestamp(9)) };
        let uid = shelf.ids.next();
        let new = NewGrant { id: uid.as_str(), subject: Subject::User(ada), role: READ_ONLY, reach: &reach, validity, restriction: &restriction, origin: Origin::Invitation };
        let by = shelf.by();
        let mut unit = shelf.unit().await;
        let key = unit.grants().create(new, by).await.unwrap();
        unit.save().await.unwrap();
        let stored = shelf.reader().grants().find(uid.as_str()).await.unwrap().unwrap();
        let kept = &stored.grant;
        assert_eq!((kept.key, kept.role, &kept.reach, kept.validity), (key, READ_ONLY, &reach, validity));
        assert_eq!((&kept.restriction, kept.origin, kept.subject), (&restriction, Origin::Invitation, Subject::User(ada)));
        assert_eq!((&stored.subject_id, stored.subject_name.as_str()), (&id, "ada"));
        assert_eq!((stored.made.at, stored.made.actor_kind.as_str(), stored.made.actor_name.as_str()), (by.cause.at, "admin", "root"));
        assert_eq!((stored.made.connection, stored.made.request_id.as_deref()), (Some(shelf.connection), Some("r-1")));
        let mut unit = shelf.unit().await;
        let again = unit.grants().create(new, by).await;
        assert!(matches!(again, Err(Error::Taken(Unique::AccessId))), "{again:?}");
    }

    async fn there_is_one_owner(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (bob, _) = shelf.user("bob").await;
        assert_eq!(shelf.reader().grants().owner().await.unwrap(), None);
        let first = shelf.grant(Subject::User(ada), OWNER, Reach::All).await;
        assert_eq!(shelf.reader().grants().owner().await.unwrap().unwrap().grant.key, first);
        let id = shelf.ids.next();
        let second = grant(id.as_str(), Subject::User(bob), OWNER, &Reach::All);
        let mut unit = shelf.unit().await;
        let taken = unit.grants().create(second, shelf.by()).await;
        assert!(matches!(taken, Err(Error::Taken(Unique::Owner))), "{taken:?}");
        drop(unit);
        let mut unit = shelf.unit().await;
        assert!(unit.grants().set_role(first, ADMIN).await.unwrap());
        let key = unit.grants().create(second, shelf.by()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().grants().owner().await.unwrap().unwrap().grant.key, key);
        let mut unit = shelf.unit().await;
        let taken = unit.grants().set_role(first, OWNER).await;
        assert!(matches!(taken, Err(Error::Taken(Unique::Owner))), "{taken:?}");
        drop(unit);
        let now = shelf.now();
        let other = muster::store::tenants::create(&shelf.db, &shelf.ids.next(), "other", "Other", now).await.unwrap().id;
        let neighbour = muster::store::Reader::new(shelf.db.clone(), other);
        assert_eq!(neighbour.grants().owner().await.unwrap(), None);
        assert_eq!(neighbour.grants().find(id.as_str()).await.unwrap(), None);
        let mut unit = muster::store::Unit::begin(&shelf.db, other).await.unwrap();
        assert!(!unit.grants().delete(key).await.unwrap());
    }

    async fn grants_are_filtered_and_paged(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (sales, _) = shelf.group("Sales").await;
        let scope = shelf.scope("EMEA", None).await;
        let lead = record("lead", "1");
        let a = shelf.grant(Subject::User(ada), READ_ONLY, Reach::All).await;
        let b = shelf.grant(Subject::User(ada), ADMIN, Reach::Scope(scope)).await;
        let c = shelf.grant(Subject::Group(sales), READ_ONLY, Reach::Scope(scope)).await;
        let d = shelf.grant(Subject::Group(sales), READ_ONLY, Reach::Record(lead.clone())).await;
        assert_eq!(listed(&shelf, Wanted::default()).await, [a, b, c, d]);
        assert_eq!(listed(&shelf, Wanted { subject: Some(ada), ..Wanted::default() }).await, [a, b]);
        assert_eq!(listed(&shelf, Wanted { role: Some(READ_ONLY), ..Wanted::default() }).await, [a, c, d]);
        assert_eq!(listed(&shelf, Wanted { scope: Some(scope), role: Some(READ_ONLY), ..Wanted::default() }).await, [c]);
        assert_eq!(listed(&shelf, Wanted { record: Some(&lead), ..Wanted::default() }).await, [d]);
        assert_eq!(listed(&shelf, Wanted { everywhere: true, origin: Some(Origin::Manual), ..Wanted::default() }).await, [a]);
        assert!(listed(&shelf, Wanted { origin: Some(Origin::Import), ..Wanted::default() }).await.is_empty());
        let page = shelf.reader().grants().list(Wanted::default(), b, 1).await.unwrap();
        assert_eq!(page.iter().map(|one| one.grant.key).collect::<Vec<_>>(), [c]);
    }

    async fn grants_are_counted_and_cut_out_by_number(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (bob, _) = shelf.user("bob").await;
        let a = shelf.grant(Subject::User(ada), READ_ONLY, Reach::All).await;
        let b = shelf.grant(Subject::User(bob), READ_ONLY, Reach::All).await;
        let c = shelf.grant(Subject::User(ada), ADMIN, Reach::All).await;
        let slice = async |wanted: Wanted<'_>, order, part| -> Vec<GrantKey> {
            let found = shelf.reader().grants().slice(wanted, order, part).await.unwrap();
            found.into_iter().map(|one| one.grant.key).collect()
        };
        let of_ada = Wanted { subject: Some(ada), ..Wanted::default() };
        assert_eq!(slice(Wanted::default(), Order::OldestFirst, (1, 2)).await, [b, c]);
        assert_eq!(slice(of_ada, Order::NewestFirst, (0, 5)).await, [c, a]);
        assert_eq!(slice(of_ada, Order::NewestFirst, (1, u64::MAX)).await, [a]);
        assert!(slice(of_ada, Order::OldestFirst, (2, 5)).await.is_empty());
        let id = shelf.reader().grants().list(of_ada, a, 1).await.unwrap().remove(0).grant.id;
        let by_id = Wanted { id: Some(&id), ..Wanted::default() };
        assert_eq!(slice(by_id, Order::OldestFirst, (0, 5)).await, [c]);
        assert_eq!(shelf.reader().grants().count(of_ada).await.unwrap(), 2);
        assert_eq!(shelf.reader().grants().count(by_id).await.unwrap(), 1);
    }

    async fn what_provisioning_gives_is_written_with_the_save_and_is_on_everything(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (sales, _) = shelf.group("Sales").await;
        let of_group = shelf.grant(Subject::Group(sales), READ_ONLY, Reach::All).await;
        let version = shelf.version().await;
        let ids = [shelf.ids.next(), shelf.ids.next()].map(muster::base::id::ResourceId::into_string);
        let mut unit = shelf.unit().await;
        unit.grants().provide(ada, &[(ids[0].clone(), READ_ONLY), (ids[1].clone(), ADMIN)], shelf.by());
        unit.grants().provide(ada, &[], shelf.by());
        unit.save().await.unwrap();
        let provisioned = Wanted { subject: Some(ada), origin: Some(Origin::Provisioned), ..Wanted::default() };
        let held = shelf.reader().grants().list(provisioned, GrantKey(0), 9).await.unwrap();
        let told: Vec<_> = held.iter().map(|one| (one.grant.id.as_str(), one.grant.role)).collect();
        assert_eq!(told, [(ids[0].as_str(), READ_ONLY), (ids[1].as_str(), ADMIN)]);
        for one in &held {
            assert_eq!((&one.grant.reach, one.grant.validity), (&Reach::All, Validity::ALWAYS));
            assert!(one.grant.restriction.is_empty());
        }
        assert_eq!(held[0].made.connection, Some(shelf.connection));
        let mut unit = shelf.unit().await;
        unit.grants().withdraw(&[held[0].grant.key, of_group]);
        unit.grants().withdraw(&[]);
        unit.save().await.unwrap();
        let left = listed(&shelf, Wanted::default()).await;
        assert_eq!(left, [of_group, held[1].grant.key], "those of groups move the policy, and go another way");
        assert_eq!(shelf.version().await, version);
    }

    async fn only_grants_of_groups_move_the_policy(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (sales, _) = shelf.group("Sales").await;
        let version = shelf.version().await;
        let own = shelf.grant(Subject::User(ada), READ_ONLY, Reach::All).await;
        let mut unit = shelf.unit().await;
        assert!(unit.grants().set_validity(own, Validity { from: None, to: Some(Timestamp(1)) }).await.unwrap());
        assert!(unit.grants().delete(own).await.unwrap());
        assert!(!unit.grants().delete(own).await.unwrap());
        unit.save().await.unwrap();
        assert_eq!(shelf.version().await, version);
        let of_group = shelf.grant(Subject::Group(sales), READ_ONLY, Reach::All).await;
        assert_eq!(shelf.version().await, version + 1);
        let mut unit = shelf.unit().await;
        unit.grants().set_role(of_group, ADMIN).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(shelf.version().await, version + 2);
        let mut unit = shelf.unit().await;
        unit.grants().delete(of_group).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(shelf.version().await, version + 3);
    }

    async fn those_who_hold_a_role_for_good_are_found_through_groups_too(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (bob, bob_id) = shelf.user("bob").await;
        let (eve, eve_id) = shelf.user("eve").await;
        let (out, _) = shelf.user("out").await;
        let off = shelf.ids.next();
        let off_pk = shelf.put(Kind::User, &off, None, &json!({"userName": "off", "active": false})).await;
        let quiet = shelf.ids.next();
        let quiet_pk = shelf.put(Kind::User, &quiet, None, &json!({"userName": "quiet"})).await;
        let (top, _) = shelf.group("Top").await;
        let (low, low_id) = shelf.group("Low").await;
        shelf.join(top, &[&bob_id, &low_id, &off]).await;
        shelf.join(low, &[&eve_id]).await;
        let own = shelf.grant(Subject::User(ada), OWNER, Reach::All).await;
        shelf.grant(Subject::User(quiet_pk), ADMIN, Reach::All).await;
        shelf.grant(Subject::User(off_pk), ADMIN, Reach::All).await;
        shelf.grant(Subject::Group(top), ADMIN, Reach::All).await;
        let scope = shelf.scope("EMEA", None).await;
        shelf.grant(Subject::User(out), ADMIN, Reach::Scope(scope)).await;
        let ending = shelf.grant(Subject::User(out), ADMIN, Reach::All).await;
        let mut unit = shelf.unit().await;
        unit.grants().set_validity(ending, Validity { from: None, to: Some(Timestamp(i64::MAX)) }).await.unwrap();
        unit.save().await.unwrap();
        let now = shelf.now();
        let holders = async |limit| -> Vec<Pk> { shelf.reader().grants().lasting_holders(&[OWNER, ADMIN], now, limit).await.unwrap() };
        let mut all = vec![ada, bob, eve, quiet_pk];
        all.sort_unstable();
        assert_eq!(holders(100).await, all);
        assert_eq!(holders(2).await, all[..2]);
        let mut unit = shelf.unit().await;
        unit.grants().set_validity(own, Validity { from: Some(Timestamp(now.0 + 1)), to: None }).await.unwrap();
        let inside = unit.grants().lasting_holders(&[OWNER], now, 9).await.unwrap();
        assert!(inside.is_empty(), "not yet");
    }
}
