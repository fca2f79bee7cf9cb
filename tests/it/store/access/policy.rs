//! What all decisions share, and when its version moves.

use muster::access::{Outcome, Reach, State, Subject};
use muster::base::id::{GrantKey, Pk, ResourceId, RoleKey};
use muster::store::Kind;
use muster::store::access::grants::Wanted;
use muster::store::resources::External;

use super::super::shelf::{Shelf, group};
use super::{READ_ONLY, content, on};

async fn rename(shelf: &Shelf, kind: Kind, id: &ResourceId, document: &serde_json::Value) {
    let stored = shelf.find(kind, id).await.unwrap();
    let old = shelf
        .content(kind, &serde_json::from_str(&stored.document).unwrap())
        .leaves;
    let content = shelf.content(kind, document);
    let now = shelf.now();
    let mut unit = shelf.unit().await;
    unit.resources()
        .update(stored.pk, stored.version, &old, &content, External::Keep, now)
        .await
        .unwrap();
    unit.save().await.unwrap();
}

async fn leave(shelf: &Shelf, group: Pk, id: &ResourceId) {
    let mut unit = shelf.unit().await;
    unit.members()
        .remove_values(group, std::slice::from_ref(id))
        .await
        .unwrap();
    unit.save().await.unwrap();
}

each_database! {
    async fn an_empty_policy_has_version_zero(shelf: Shelf) {
        let shared = shelf.reader().policy().load().await.unwrap();
        assert_eq!((shared.version, shared.roles.len(), shared.groups.len()), (0, 0, 0));
        let mut unit = shelf.unit().await;
        assert_eq!(unit.policy().share().await.unwrap(), 0);
        assert_eq!(unit.policy().hold().await.unwrap(), 0);
        unit.policy().bump();
        assert_eq!(unit.policy().version().await.unwrap(), 1);
        drop(unit);
        assert_eq!(shelf.version().await, 0);
    }

    async fn everything_shared_is_read_with_its_version(shelf: Shelf) {
        let reviewer = shelf.role("Reviewer").await;
        let emea = shelf.scope("EMEA", None).await;
        let dach = shelf.scope("DACH", Some(emea)).await;
        let (ada, _) = shelf.user("ada").await;
        let (world, world_id) = shelf.group("World").await;
        let (sales, sales_id) = shelf.group("Sales").await;
        let (smart, smart_id) = shelf.group("Smart").await;
        let (_, plain_id) = shelf.group("Plain").await;
        shelf.join(world, &[&sales_id, &plain_id]).await;
        shelf.join(sales, &[&smart_id]).await;
        shelf.grant(Subject::User(ada), reviewer, Reach::All).await;
        let grant = shelf.grant(Subject::Group(sales), reviewer, Reach::Scope(dach)).await;
        let rule = shelf.rule("Smart ones", &[Outcome::Group(smart), on(reviewer, emea)], State::Active).await;
        shelf.rule("Draft", &[on(reviewer, emea)], State::Draft).await;
        shelf.rule("Retired", &[on(reviewer, emea)], State::Retired).await;

        let shared = shelf.reader().policy().load().await.unwrap();

        assert_eq!(shared.version, shelf.version().await);
        assert_eq!(shared.roles.iter().map(|one| (one.key, one.name.as_str(), one.origin)).collect::<Vec<_>>(), [(reviewer, "Reviewer", Some(RoleKey(4)))]);
        assert_eq!(shared.roles[0].permissions, ["record.edit", "data.act"]);
        assert_eq!(shared.scopes.iter().map(|one| (one.key, one.parent)).collect::<Vec<_>>(), [(emea, None), (dach, Some(emea))]);
        assert_eq!(shared.grants.iter().map(|one| (one.key, one.subject)).collect::<Vec<_>>(), [(grant, Subject::Group(sales))]);
        assert_eq!(shared.rules.iter().map(|one| (one.key, one.version, one.matched, one.when.as_str())).collect::<Vec<_>>(), [(rule, 1, 1, "title pr")]);
        assert_eq!(shared.rules[0].then, [Outcome::Group(smart), on(reviewer, emea)]);
        assert!(shared.preparing.is_empty());
        let mut groups: Vec<_> = shared.groups.iter().map(|one| (one.display.as_str(), one.id.as_str(), one.parents.clone())).collect();
        groups.sort_unstable();
        assert_eq!(groups, [("Sales", sales_id.as_str(), vec![world]), ("Smart", smart_id.as_str(), vec![sales]), ("World", world_id.as_str(), vec![])]);
        let mut unit = shelf.unit().await;
        assert_eq!(unit.policy().load().await.unwrap(), shared, "the same in a unit");
    }

    async fn a_version_that_is_prepared_is_read_beside_the_one_in_force(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let rule = shelf.rule("R", &[on(READ_ONLY, emea)], State::Active).await;
        let mut unit = shelf.unit().await;
        let version = unit.rules().prepare((rule, 1), content("R2", "nickName pr", &[Outcome::Member(emea)]), shelf.by()).await.unwrap();
        unit.save().await.unwrap();
        let shared = shelf.reader().policy().load().await.unwrap();
        assert_eq!(shared.rules.iter().map(|one| (one.version, one.when.as_str())).collect::<Vec<_>>(), [(1, "title pr")]);
        assert_eq!(shared.preparing.iter().map(|one| (one.key, one.matched, one.when.as_str(), one.state)).collect::<Vec<_>>(), [(rule, version, "nickName pr", State::Draft)]);
        assert_eq!(shared.preparing[0].id, shared.rules[0].id);
    }

    async fn what_happens_to_groups_that_are_known_moves_the_version(shelf: Shelf) {
        let (sales, sales_id) = shelf.group("Sales").await;
        let (smart, smart_id) = shelf.group("Smart").await;
        let (mid, mid_id) = shelf.group("Mid").await;
        let (top, top_id) = shelf.group("Top").await;
        let (plain, plain_id) = shelf.group("Plain").await;
        let (_, ada) = shelf.user("ada").await;
        shelf.grant(Subject::Group(sales), READ_ONLY, Reach::All).await;
        shelf.rule("R", &[Outcome::Group(smart)], State::Active).await;
        let mut version = shelf.version().await;
        let mut moved = async |what: &str, expected: bool| {
            let now = shelf.version().await;
            assert_eq!(now > version, expected, "{what}");
            version = now;
        };
        shelf.join(top, &[&plain_id]).await;
        shelf.join(plain, &[&ada]).await;
        shelf.join(sales, &[&ada]).await;
        rename(&shelf, Kind::Group, &plain_id, &group("Plain!")).await;
        rename(&shelf, Kind::User, &ada, &serde_json::json!({"userName": "ada.l"})).await;
        leave(&shelf, top, &plain_id).await;
        moved("groups that nobody names, and users", false).await;
        rename(&shelf, Kind::Group, &sales_id, &group("Sales")).await;
        moved("the same name", false).await;
        rename(&shelf, Kind::Group, &sales_id, &group("Sales!")).await;
        moved("a group with a grant has a new name", true).await;
        rename(&shelf, Kind::Group, &smart_id, &group("Smart!")).await;
        moved("a smart group has a new name", true).await;
        shelf.join(mid, &[&smart_id]).await;
        moved("a smart group is nested", true).await;
        shelf.join(top, &[&mid_id]).await;
        moved("what it is nested in is nested", true).await;
        rename(&shelf, Kind::Group, &top_id, &group("Top!")).await;
        moved("a group above has a new name", true).await;
        leave(&shelf, top, &mid_id).await;
        moved("what it is nested in is nested no more", true).await;
        shelf.delete(Kind::Group, &top_id).await;
        shelf.delete(Kind::Group, &plain_id).await;
        moved("groups go that nobody names", false).await;
        shelf.delete(Kind::Group, &mid_id).await;
        moved("a group above goes", true).await;
        shelf.delete(Kind::Group, &sales_id).await;
        moved("a group with a grant goes", true).await;
        shelf.delete(Kind::Group, &smart_id).await;
        moved("a smart group goes", true).await;
        let mut unit = shelf.unit().await;
        unit.policy().bump_for_groups(&[plain, top]);
        unit.save().await.unwrap();
        moved("asked for by name, and nobody knows them", false).await;
        assert!(shelf.reader().policy().load().await.unwrap().groups.is_empty());
    }

    async fn who_goes_takes_grants_and_matches_along(shelf: Shelf) {
        let (ada, ada_id) = shelf.user("ada").await;
        let (sales, sales_id) = shelf.group("Sales").await;
        let emea = shelf.scope("EMEA", None).await;
        shelf.grant(Subject::User(ada), READ_ONLY, Reach::All).await;
        shelf.grant(Subject::Group(sales), READ_ONLY, Reach::All).await;
        let rule = shelf.rule("R", &[Outcome::Group(sales), on(READ_ONLY, emea)], State::Active).await;
        let mut unit = shelf.unit().await;
        unit.matches().set_first(ada, &[(rule, 1, 1)], shelf.by().cause);
        unit.save().await.unwrap();
        shelf.delete(Kind::User, &ada_id).await;
        assert!(shelf.reader().matches().of_user(ada).await.unwrap().is_empty());
        let stored = shelf.find(Kind::Group, &sales_id).await.unwrap();
        let mut unit = shelf.unit().await;
        let deleted = unit.resources().delete(Kind::Group, sales, stored.version, shelf.now()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(deleted.rules.iter().map(|one| (one.0, one.2.as_str())).collect::<Vec<_>>(), [(rule, "R")]);
        let left = shelf.reader().grants().list(Wanted::default(), GrantKey(0), 9).await.unwrap();
        assert!(left.is_empty());
        let left = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((left.then, left.version, left.state), (vec![on(READ_ONLY, emea)], 2, State::Active));
    }
}
