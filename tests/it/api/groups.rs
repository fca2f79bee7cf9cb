//! Members of groups: added, removed, replaced, shown (RFC 7643 §4.2, RFC 7644 §3.5.2).
//!
//! Groups in groups are in `nesting`.

use serde_json::{Value, json};

use crate::api::bodies::{group, refs, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

/// Members above which the answer to a PATCH has no body.
const MOST_SHOWN: usize = 50;

/// A group of three; its path and the ids of its members.
async fn three(house: &TestHouse) -> (String, [String; 3]) {
    let members = [
        house.user("ada").await,
        house.user("bob").await,
        house.user("carl").await,
    ];
    let ids: Vec<&str> = members.iter().map(String::as_str).collect();
    let made = house.post("/Groups", group("Sales", &ids)).await.status(201);
    (format!("/Groups/{}", made.id()), members)
}

async fn change(house: &TestHouse, path: &str, operation: Value) -> Answer {
    house.patch(path, json!([operation])).await.status(200)
}

/// Members with what they are called, which is shown on request.
async fn with_names(house: &TestHouse, path: &str) -> Value {
    house
        .get(&format!("{path}?attributes=members.value,members.display"))
        .await
        .status(200)
        .json["members"]
        .clone()
}

/// The element of a list that is about this id.
fn element<'a>(list: &'a Value, id: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|one| one["value"] == id).unwrap()
}

/// Sorted, as answers list values.
fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

each_database! {
    async fn a_member_is_shown_with_type_and_reference_and_with_its_name_on_request(house: TestHouse) {
        let ada = house
            .post("/Users", user("ada", json!({"displayName": "Ada L"})))
            .await
            .id();
        let (bob, inner) = (house.user("bob").await, house.group("Inner").await);
        let made = house
            .post("/Groups", group("Outer", &[&ada, &bob, &inner]))
            .await
            .status(201);
        let (plain, named) = (
            made.json.clone(),
            with_names(&house, &format!("/Groups/{}", made.id())).await,
        );
        for (id, kind, display, endpoint) in [
            (&ada, "User", "Ada L", "Users"),
            (&bob, "User", "bob", "Users"),
            (&inner, "Group", "Inner", "Groups"),
        ] {
            let member = element(&plain["members"], id);
            assert_eq!((&member["type"], member.get("display")), (&json!(kind), None));
            assert!(
                member["$ref"]
                    .as_str()
                    .unwrap()
                    .ends_with(&format!("/scim/v2/{endpoint}/{id}"))
            );
            assert_eq!(element(&named, id)["display"], display);
        }
    }

    async fn membership_shows_on_both_sides(house: TestHouse) {
        let (path, [ada, ..]) = three(&house).await;
        let groups = house.get(&format!("/Users/{ada}")).await.json["groups"].clone();
        let id = path.trim_start_matches("/Groups/");
        assert_eq!(groups.as_array().unwrap().len(), 1);
        assert_eq!(
            (&groups[0]["value"], &groups[0]["display"], &groups[0]["type"]),
            (&json!(id), &json!("Sales"), &json!("direct"))
        );
        assert!(groups[0]["$ref"].as_str().unwrap().ends_with(&path));
    }

    async fn members_are_added_once(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let dora = house.user("dora").await;
        let answer = change(
            &house,
            &path,
            json!({"op": "add", "path": "members", "value": refs(&[&ada, &dora, &dora])}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&ada, &bob, &carl, &dora]));
        let single = json!({"op": "add", "path": "members", "value": {"value": bob}});
        assert_eq!(change(&house, &path, single).await.values_of("members").len(), 4);
        let bare = json!({"op": "add", "value": {"members": refs(&[&carl])}});
        assert_eq!(change(&house, &path, bare).await.values_of("members").len(), 4);
    }

    async fn a_member_is_removed_by_filter(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let answer = change(
            &house,
            &path,
            json!({"op": "remove", "path": format!("members[value eq \"{ada}\"]")}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&bob, &carl]));
        assert_eq!(house.get(&format!("/Users/{ada}")).await.json.get("groups"), None);
        let both = format!("members[value eq \"{bob}\" or value eq \"{carl}\"]");
        assert_eq!(
            change(&house, &path, json!({"op": "remove", "path": both}))
                .await
                .json
                .get("members"),
            None
        );
    }

    async fn members_are_removed_by_a_list_of_values(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let answer = change(
            &house,
            &path,
            json!({"op": "remove", "path": "members", "value": refs(&[&ada, &bob])}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&carl]));
        let nobody = json!({"op": "remove", "path": "members", "value": []});
        assert_eq!(
            change(&house, &path, nobody).await.values_of("members"),
            sorted(&[&carl])
        );
    }

    async fn members_are_removed_by_what_they_are(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let inner = house.group("Inner").await;
        house.join(path.trim_start_matches("/Groups/"), &inner).await;
        let answer = change(
            &house,
            &path,
            json!({"op": "remove", "path": "members[type eq \"Group\"]"}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&ada, &bob, &carl]));
        let answer = change(
            &house,
            &path,
            json!({"op": "remove", "path": "members[display eq \"ADA\"]"}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&bob, &carl]));
        let answer = change(
            &house,
            &path,
            json!({"op": "remove", "path": format!("members[not (value eq \"{bob}\")]")}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&bob]));
    }

    async fn all_members_are_removed_in_three_ways(house: TestHouse) {
        let (path, [ada, bob, _]) = three(&house).await;
        for operation in [
            json!({"op": "remove", "path": "members"}),
            json!({"op": "replace", "path": "members", "value": []}),
            json!({"op": "replace", "value": {"members": []}}),
        ] {
            change(
                &house,
                &path,
                json!({"op": "add", "path": "members", "value": refs(&[&ada, &bob])}),
            )
            .await;
            assert_eq!(change(&house, &path, operation).await.json.get("members"), None);
            assert_eq!(house.get(&format!("/Users/{ada}")).await.json.get("groups"), None);
        }
    }

    async fn members_are_replaced_as_a_whole(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let dora = house.user("dora").await;
        let answer = change(
            &house,
            &path,
            json!({"op": "replace", "path": "members", "value": refs(&[&carl, &dora])}),
        )
        .await;
        assert_eq!(answer.values_of("members"), sorted(&[&carl, &dora]));
        for (id, groups) in [(&ada, 0), (&bob, 0), (&carl, 1), (&dora, 1)] {
            assert_eq!(
                house.get(&format!("/Users/{id}")).await.values_of("groups").len(),
                groups
            );
        }
    }

    async fn a_patch_that_does_not_mention_members_leaves_them(house: TestHouse) {
        let (path, _) = three(&house).await;
        let answer = change(
            &house,
            &path,
            json!({"op": "replace", "value": {"displayName": "Vendas"}}),
        )
        .await;
        assert_eq!(
            (answer.json["displayName"].as_str(), answer.values_of("members").len()),
            (Some("Vendas"), 3)
        );
    }

    async fn operations_on_members_run_in_their_order(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let answer = house
            .patch(
                &path,
                json!([
                    {"op": "remove", "path": "members"},
                    {"op": "add", "path": "members", "value": refs(&[&ada, &bob])},
                    {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
                    {"op": "add", "path": "members", "value": refs(&[&carl])},
                ]),
            )
            .await
            .status(200);
        assert_eq!(answer.values_of("members"), sorted(&[&bob, &carl]));
    }

    async fn a_patch_of_members_that_changes_nothing_keeps_the_version(house: TestHouse) {
        let (path, [ada, bob, carl]) = three(&house).await;
        let before = house.dump().await;
        for operation in [
            json!({"op": "add", "path": "members", "value": refs(&[&ada])}),
            json!({"op": "replace", "path": "members", "value": refs(&[&carl, &ada, &bob])}),
            json!({"op": "remove", "path": "members[type eq \"Group\"]"}),
        ] {
            change(&house, &path, operation).await;
        }
        before.assert_same(&house.dump().await);
    }

    async fn parts_of_members_cannot_be_edited(house: TestHouse) {
        let (path, [ada, ..]) = three(&house).await;
        let before = house.dump().await;
        for sub in ["type", "display", "value"] {
            let member = format!("members[value eq \"{ada}\"].{sub}");
            house
                .patch(&path, json!([{"op": "replace", "path": member, "value": "x"}]))
                .await
                .error(400, Some("mutability"));
            house
                .patch(&path, json!([{"op": "remove", "path": member}]))
                .await
                .error(400, Some("mutability"));
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_group_of_many_members_is_patched_with_204(house: TestHouse) {
        let mut ids = Vec::new();
        for n in 0..MOST_SHOWN {
            ids.push(house.user(&format!("u{n}")).await);
        }
        let many: Vec<&str> = ids.iter().map(String::as_str).collect();
        let path = format!(
            "/Groups/{}",
            house.post("/Groups", group("All", &many)).await.status(201).id()
        );
        let touch = |name: &str| json!([{"op": "replace", "path": "displayName", "value": name}]);
        assert_eq!(
            house
                .patch(&path, touch("a"))
                .await
                .status(200)
                .values_of("members")
                .len(),
            MOST_SHOWN
        );
        let last = house.user("last").await;
        let answer = house
            .patch(
                &path,
                json!([{"op": "add", "path": "members", "value": refs(&[&last])}]),
            )
            .await
            .status(204);
        assert_eq!(answer.text, "");
        let read = house.get(&path).await.status(200);
        assert_eq!(
            (answer.header("etag"), answer.header("location")),
            (read.header("etag"), read.json["meta"]["location"].as_str().unwrap())
        );
        assert_eq!(read.values_of("members").len(), MOST_SHOWN + 1);
        let asked = house
            .patch(&format!("{path}?excludedAttributes=members"), touch("b"))
            .await
            .status(200);
        assert_eq!(
            (asked.json["displayName"].as_str(), asked.json.get("members")),
            (Some("b"), None)
        );
        let asked = house
            .patch(&format!("{path}?attributes=members.value"), touch("c"))
            .await
            .status(200);
        assert_eq!(asked.values_of("members").len(), MOST_SHOWN + 1);
    }

    async fn groups_are_found_by_their_members(house: TestHouse) {
        let (path, [ada, ..]) = three(&house).await;
        house.group("Empty").await;
        let sales = path.trim_start_matches("/Groups/");
        for filter in [
            format!("members.value eq \"{ada}\""),
            format!("members[value eq \"{ada}\" and type eq \"User\"]"),
            "members pr".into(),
        ] {
            assert_eq!(house.find("/Groups", &filter).await.ids(), [sales], "{filter}");
        }
        assert_eq!(
            house
                .find("/Groups", &format!("members.value eq \"{}\"", ada.to_uppercase() + "X"))
                .await
                .total(),
            0
        );
        assert_eq!(
            house
                .find("/Users", &format!("groups.value eq \"{sales}\""))
                .await
                .total(),
            3
        );
        assert_eq!(house.find("/Users", "groups.display eq \"sales\"").await.total(), 3);
    }

    async fn what_a_member_is_called_follows_its_name(house: TestHouse) {
        let (path, [ada, ..]) = three(&house).await;
        house
            .patch(
                &format!("/Users/{ada}"),
                json!([{"op": "add", "path": "displayName", "value": "Augusta"}]),
            )
            .await
            .status(200);
        assert_eq!(element(&with_names(&house, &path).await, &ada)["display"], "Augusta");
        house
            .patch(
                &path,
                json!([{"op": "replace", "path": "displayName", "value": "Vendas"}]),
            )
            .await
            .status(200);
        assert_eq!(
            house.get(&format!("/Users/{ada}")).await.json["groups"][0]["display"],
            "Vendas"
        );
    }
}
