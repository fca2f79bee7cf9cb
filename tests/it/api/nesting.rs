//! Groups in groups: what a user belongs to directly and through others, also in circles and under many writers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::api::bodies::{group, refs};
use crate::support::TestHouse;

/// Groups in the chain that many writers build at once.
const CHAIN: usize = 8;

/// Names of the groups of a user, each with its type.
async fn groups_of(house: &TestHouse, id: &str) -> BTreeMap<String, String> {
    let read = house.get(&format!("/Users/{id}")).await.status(200).json;
    let groups = read["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let map: BTreeMap<_, _> = groups
        .iter()
        .map(|one| (text(&one["display"]), text(&one["type"])))
        .collect();
    assert_eq!(map.len(), groups.len(), "each group once");
    map
}

fn expected(groups: &[(&str, &str)]) -> BTreeMap<String, String> {
    groups
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
        .collect()
}

/// A group that holds these.
async fn holding(house: &TestHouse, name: &str, members: &[&str]) -> String {
    house.post("/Groups", group(name, members)).await.status(201).id()
}

async fn leave(house: &TestHouse, group: &str, member: &str) {
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{member}\"]")}]);
    house.patch(&format!("/Groups/{group}"), remove).await.status(200);
}

each_database! {
    async fn a_user_belongs_to_what_its_groups_belong_to(house: TestHouse) {
        let ada = house.user("ada").await;
        let inner = holding(&house, "Inner", &[&ada]).await;
        let middle = holding(&house, "Middle", &[&inner]).await;
        let outer = holding(&house, "Outer", &[&middle]).await;
        assert_eq!(
            groups_of(&house, &ada).await,
            expected(&[("Inner", "direct"), ("Middle", "indirect"), ("Outer", "indirect")])
        );
        assert_eq!(
            house.get(&format!("/Groups/{outer}")).await.values_of("members"),
            [middle],
            "members are direct ones only"
        );
    }

    async fn direct_wins_over_indirect(house: TestHouse) {
        let ada = house.user("ada").await;
        let inner = holding(&house, "Inner", &[&ada]).await;
        let outer = holding(&house, "Outer", &[&inner, &ada]).await;
        assert_eq!(
            groups_of(&house, &ada).await,
            expected(&[("Inner", "direct"), ("Outer", "direct")])
        );
        leave(&house, &outer, &ada).await;
        assert_eq!(
            groups_of(&house, &ada).await,
            expected(&[("Inner", "direct"), ("Outer", "indirect")])
        );
    }

    async fn users_are_found_by_what_they_belong_to(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let inner = holding(&house, "Inner", &[&ada]).await;
        let outer = holding(&house, "Outer", &[&inner, &bob]).await;
        let find = async |filter: String| {
            let mut ids = house.find("/Users", &filter).await.status(200).ids();
            ids.sort();
            ids
        };
        let mut both = vec![ada.clone(), bob.clone()];
        both.sort();
        assert_eq!(find(format!("groups.value eq \"{outer}\"")).await, both);
        assert_eq!(
            find(format!("groups[value eq \"{outer}\" and type eq \"direct\"]")).await,
            [bob.as_str()]
        );
        assert_eq!(
            find(format!("groups[value eq \"{outer}\" and type eq \"indirect\"]")).await,
            [ada.as_str()]
        );
        assert_eq!(find("groups.display eq \"INNER\"".into()).await, [ada.as_str()]);
        assert_eq!(find("not (groups pr)".into()).await, Vec::<String>::new());
    }

    async fn a_circle_of_groups_stays_finite(house: TestHouse) {
        let ada = house.user("ada").await;
        let one = holding(&house, "One", &[&ada]).await;
        let two = holding(&house, "Two", &[&one]).await;
        let three = holding(&house, "Three", &[&two]).await;
        house.join(&one, &three).await;
        let around = expected(&[("One", "direct"), ("Two", "indirect"), ("Three", "indirect")]);
        assert_eq!(groups_of(&house, &ada).await, around);
        for id in [&one, &two, &three] {
            house.get(&format!("/Groups/{id}")).await.status(200);
            assert_eq!(
                house.find("/Users", &format!("groups.value eq \"{id}\"")).await.ids(),
                [ada.as_str()]
            );
        }
        leave(&house, &two, &one).await;
        assert_eq!(groups_of(&house, &ada).await, expected(&[("One", "direct")]));
        leave(&house, &one, &three).await;
        house.join(&two, &one).await;
        assert_eq!(groups_of(&house, &ada).await, around);
    }

    async fn a_second_way_keeps_what_the_first_one_gave(house: TestHouse) {
        let ada = house.user("ada").await;
        let (left, right) = (
            holding(&house, "Left", &[&ada]).await,
            holding(&house, "Right", &[&ada]).await,
        );
        let top = holding(&house, "Top", &[&left, &right]).await;
        let highest = holding(&house, "Highest", &[&top]).await;
        leave(&house, &top, &left).await;
        assert_eq!(groups_of(&house, &ada).await["Highest"], "indirect");
        leave(&house, &right, &ada).await;
        assert_eq!(groups_of(&house, &ada).await, expected(&[("Left", "direct")]));
        assert_eq!(
            house
                .find("/Users", &format!("groups.value eq \"{highest}\""))
                .await
                .total(),
            0
        );
    }

    async fn a_subtree_that_is_moved_takes_its_users_along(house: TestHouse) {
        let ada = house.user("ada").await;
        let team = holding(&house, "Team", &[&ada]).await;
        let unit = holding(&house, "Unit", &[&team]).await;
        let (east, west) = (
            holding(&house, "East", &[&unit]).await,
            holding(&house, "West", &[]).await,
        );
        house
            .patch(&format!("/Groups/{east}"), json!([{"op": "remove", "path": "members"}]))
            .await
            .status(200);
        house
            .put(&format!("/Groups/{west}"), group("West", &[&unit]))
            .await
            .status(200);
        assert_eq!(
            groups_of(&house, &ada).await,
            expected(&[("Team", "direct"), ("Unit", "indirect"), ("West", "indirect")])
        );
    }

    async fn a_deleted_user_leaves_its_groups_and_they_change(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let path = format!("/Groups/{}", holding(&house, "Sales", &[&ada, &bob]).await);
        let before = house.get(&path).await;
        house.clock().advance(Duration::from_mins(1));
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let after = house.get(&path).await;
        assert_eq!(after.values_of("members"), [bob]);
        assert_ne!(
            after.header("etag"),
            before.header("etag"),
            "the group shows something else, so it has another version"
        );
        assert_ne!(after.json["meta"]["lastModified"], before.json["meta"]["lastModified"]);
        assert_eq!(
            house
                .find("/Groups", &format!("members.value eq \"{ada}\""))
                .await
                .total(),
            0
        );
    }

    async fn a_deleted_group_in_between_cuts_the_way(house: TestHouse) {
        let ada = house.user("ada").await;
        let inner = holding(&house, "Inner", &[&ada]).await;
        let middle = holding(&house, "Middle", &[&inner]).await;
        let outer = holding(&house, "Outer", &[&middle]).await;
        let before = house.get(&format!("/Groups/{outer}")).await;
        house.delete(&format!("/Groups/{middle}")).await.no_content();
        assert_eq!(groups_of(&house, &ada).await, expected(&[("Inner", "direct")]));
        let after = house.get(&format!("/Groups/{outer}")).await;
        assert_eq!(after.json.get("members"), None);
        assert_ne!(after.header("etag"), before.header("etag"));
        assert_eq!(
            house
                .find("/Users", &format!("groups.value eq \"{outer}\""))
                .await
                .total(),
            0
        );
    }

    async fn a_chain_built_by_many_writers_at_once_is_whole(house: TestHouse) {
        let ada = house.user("ada").await;
        let mut chain = vec![holding(&house, "g0", &[&ada]).await];
        for n in 1..CHAIN {
            chain.push(house.group(&format!("g{n}")).await);
        }
        let links: Vec<(String, String)> = chain
            .windows(2)
            .map(|pair| (pair[1].clone(), pair[0].clone()))
            .collect();
        let together = async |verb: &'static str, value: bool| {
            let mut writers = JoinSet::new();
            for (outer, inner) in links.clone() {
                let house = house.clone();
                let path = if value {
                    "members".to_owned()
                } else {
                    format!("members[value eq \"{inner}\"]")
                };
                let operation =
                    json!([{"op": verb, "path": path, "value": if value { refs(&[&inner]) } else { json!(null) }}]);
                writers.spawn(async move { house.patch(&format!("/Groups/{outer}"), operation).await.status });
            }
            assert_eq!(writers.join_all().await, vec![200; CHAIN - 1]);
        };
        together("add", true).await;
        assert_eq!(groups_of(&house, &ada).await.len(), CHAIN);
        let top = chain.last().unwrap();
        assert_eq!(
            house.find("/Users", &format!("groups.value eq \"{top}\"")).await.ids(),
            [ada.as_str()]
        );
        together("remove", false).await;
        assert_eq!(groups_of(&house, &ada).await, expected(&[("g0", "direct")]));
    }

    async fn a_circle_closed_by_two_writers_at_once_is_whole(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let (left, right) = (
            holding(&house, "Left", &[&ada]).await,
            holding(&house, "Right", &[&bob]).await,
        );
        tokio::join!(house.join(&left, &right), house.join(&right, &left));
        assert_eq!(
            groups_of(&house, &ada).await,
            expected(&[("Left", "direct"), ("Right", "indirect")])
        );
        assert_eq!(
            groups_of(&house, &bob).await,
            expected(&[("Left", "indirect"), ("Right", "direct")])
        );
    }
}
