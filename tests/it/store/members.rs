//! Members of groups, and groups of users.

use muster::base::id::{Pk, ResourceId};
use muster::store::Kind;
use muster::store::members::{ByRule, Change, Moved};

use super::shelf::Shelf;

async fn add(shelf: &Shelf, group: Pk, ids: &[&ResourceId]) -> Change {
    let ids: Vec<_> = ids.iter().map(|id| ((*id).clone(), None)).collect();
    let mut unit = shelf.unit().await;
    let change = unit.members().add(group, &ids, shelf.now()).await.unwrap();
    unit.save().await.unwrap();
    change
}

/// Who moved; all of them users.
fn ids(moved: &[Moved]) -> Vec<&ResourceId> {
    assert!(moved.iter().all(|one| one.kind == Kind::User));
    moved.iter().map(|one| &one.id).collect()
}

async fn remove(shelf: &Shelf, group: Pk, id: &ResourceId) -> Change {
    let mut unit = shelf.unit().await;
    let change = unit
        .members()
        .remove_values(group, std::slice::from_ref(id))
        .await
        .unwrap();
    unit.save().await.unwrap();
    change
}

each_database! {
    async fn adding_says_what_is_new_what_was_there_and_what_is_unknown(shelf: Shelf) {
        let (group, _) = shelf.group("Sales").await;
        let (_, ada) = shelf.user("ada").await;
        let (_, eve) = shelf.user("eve").await;
        assert_eq!(ids(&add(&shelf, group, &[&ada]).await.added), [&ada]);

        let change = add(&shelf, group, &[&ada, &eve, &eve]).await;

        assert_eq!((ids(&change.added), change.already), (vec![&eve], 1));
        let stranger = shelf.ids.next();
        let refused = add(&shelf, group, &[&stranger, &ada]).await;
        assert!(refused.is_refused());
        assert_eq!(refused.unknown, [stranger]);
        assert_eq!(shelf.members_of(group).await, ["ada", "eve"]);
        assert_eq!(shelf.groups_of(&eve).await, ["Sales"]);
        assert_eq!(shelf.reader().members().count(group, &ByRule::NONE).await.unwrap(), 2);
    }

    async fn a_group_is_not_its_own_member_and_a_said_kind_must_be_right(shelf: Shelf) {
        let (group, id) = shelf.group("Sales").await;
        assert!(add(&shelf, group, &[&id]).await.itself);
        let (_, ada) = shelf.user("ada").await;
        let mut unit = shelf.unit().await;
        let change = unit.members().add(group, &[(ada.clone(), Some(Kind::Group))], shelf.now()).await.unwrap();
        assert_eq!(change.mistaken, [ada]);
        drop(unit);
        assert!(shelf.members_of(group).await.is_empty());
    }

    async fn replacing_touches_only_what_differs(shelf: Shelf) {
        let (group, _) = shelf.group("Sales").await;
        let (_, ada) = shelf.user("ada").await;
        let (_, bob) = shelf.user("bob").await;
        let (_, eve) = shelf.user("eve").await;
        add(&shelf, group, &[&ada, &bob]).await;
        let mut unit = shelf.unit().await;

        let change = unit.members().replace_all(group, &[(bob.clone(), None), (eve.clone(), None)], shelf.now()).await.unwrap();

        unit.save().await.unwrap();
        assert_eq!(ids(&change.added), [&eve]);
        assert_eq!((ids(&change.removed), change.already), (vec![&ada], 1));
        let mut unit = shelf.unit().await;
        let change = unit.members().clear(group).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(change.removed.len(), 2);
        assert!(shelf.members_of(group).await.is_empty());
    }

    async fn removing_a_stranger_changes_nothing(shelf: Shelf) {
        let (group, _) = shelf.group("Sales").await;
        let (_, ada) = shelf.user("ada").await;
        assert!(remove(&shelf, group, &ada).await.is_empty());
        add(&shelf, group, &[&ada]).await;
        assert_eq!(ids(&remove(&shelf, group, &ada).await.removed), [&ada]);
    }

    async fn groups_in_groups_are_indirect_groups(shelf: Shelf) {
        let (world, _) = shelf.group("World").await;
        let (europe, europe_id) = shelf.group("Europe").await;
        let (france, france_id) = shelf.group("France").await;
        let (_, ada) = shelf.user("ada").await;
        add(&shelf, france, &[&ada]).await;
        add(&shelf, world, &[&europe_id]).await;
        add(&shelf, europe, &[&france_id]).await;
        assert_eq!(shelf.groups_of(&ada).await, ["World*", "Europe*", "France"]);

        add(&shelf, world, &[&ada]).await;
        assert_eq!(shelf.groups_of(&ada).await, ["World", "Europe*", "France"]);
        remove(&shelf, world, &ada).await;
        remove(&shelf, world, &europe_id).await;
        assert_eq!(shelf.groups_of(&ada).await, ["Europe*", "France"]);
        let of = shelf.reader().members().of_groups(&[france, europe], &ByRule::NONE).await.unwrap();
        let of: Vec<_> = of.into_iter().map(|(group, member)| (group, member.display)).collect();
        assert_eq!(of, [(europe, "France".to_owned()), (france, "ada".to_owned())]);
    }

    async fn circles_of_groups_are_legal_and_can_be_cut(shelf: Shelf) {
        let (a, a_id) = shelf.group("A").await;
        let (b, b_id) = shelf.group("B").await;
        let (c, c_id) = shelf.group("C").await;
        let (_, ada) = shelf.user("ada").await;
        add(&shelf, a, &[&ada, &c_id]).await;
        add(&shelf, b, &[&a_id]).await;
        add(&shelf, c, &[&b_id]).await;
        assert_eq!(shelf.groups_of(&ada).await, ["A", "B*", "C*"]);
        remove(&shelf, c, &b_id).await;
        assert_eq!(shelf.groups_of(&ada).await, ["A", "B*"]);
        let mut unit = shelf.unit().await;
        unit.resources().delete(Kind::Group, b, shelf.find(Kind::Group, &b_id).await.unwrap().version, shelf.now()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(shelf.groups_of(&ada).await, ["A"]);
    }

    async fn reachability_is_that_of_a_walk_after_any_changes(shelf: Shelf) {
        let mut groups = Vec::new();
        for name in ["A", "B", "C", "D", "E"] {
            groups.push(shelf.group(name).await);
        }
        let (_, ada) = shelf.user("ada").await;
        add(&shelf, groups[0].0, &[&ada]).await;
        let mut edges = std::collections::BTreeSet::new();
        let mut dice = 12345_u64;
        for _ in 0..60 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (parent, child) = ((dice >> 33) as usize % 5, (dice >> 43) as usize % 5);
            if parent == child {
                continue;
            }
            if edges.remove(&(parent, child)) {
                remove(&shelf, groups[parent].0, &groups[child].1).await;
            } else {
                edges.insert((parent, child));
                add(&shelf, groups[parent].0, &[&groups[child].1]).await;
            }
            let mut reached = std::collections::BTreeSet::from([0]);
            while let Some((parent, _)) = edges.iter().find(|(parent, child)| reached.contains(child) && !reached.contains(parent)) {
                reached.insert(*parent);
            }
            let expected: Vec<_> = reached.iter().map(|at| format!("{}{}", ["A", "B", "C", "D", "E"][*at], if *at == 0 { "" } else { "*" })).collect();
            assert_eq!(shelf.groups_of(&ada).await, expected, "{edges:?}");
        }
    }
}
