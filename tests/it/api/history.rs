//! Every change is one event row: who, by which connection and request, what kind, and the names of what changed.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::asks::as_connection;
use crate::api::bodies::{ENTERPRISE, NOBODY, group, patch_op, refs, user};
use crate::api::ledger::{Event, events};
use crate::support::TestHouse;

/// The only event since the last one that was known.
async fn newest(house: &TestHouse, known: &mut usize) -> Event {
    let all = events(house).await;
    assert_eq!(all.len(), *known + 1, "one change is one event: {:#?}", &all[*known..]);
    *known += 1;
    all[*known - 1].clone()
}

each_database! {
    async fn a_change_is_written_with_its_actor_connection_and_request(house: TestHouse) {
        let mut known = 0;
        let created = house
            .scim(
                Method::POST,
                "/Users",
                Some(user("ada", json!({}))),
                &[("x-request-id", "req-1")],
            )
            .await;
        let id = created.status(201).id();
        let event = newest(&house, &mut known).await;
        assert_eq!((event.kind.as_str(), &event.resource), ("user.created", &id));
        assert_eq!(event.actor, ("connection".into(), "test".into()));
        assert_eq!(event.connection.as_deref(), Some("test"));
        assert_eq!(event.request_id.as_deref(), Some("req-1"));

        let hr = as_connection(&house, "hr", "auto");
        let body = patch_op(&json!([{"op": "add", "path": "title", "value": "x"}]));
        let answer = hr
            .scim(Method::PATCH, &format!("/Users/{id}"), Some(body), &[])
            .await
            .status(200);
        let event = newest(&house, &mut known).await;
        assert_eq!(
            (event.kind.as_str(), event.connection.as_deref()),
            ("user.updated", Some("hr"))
        );
        assert_eq!(
            event.request_id.as_deref(),
            Some(answer.header("x-request-id")),
            "the id the client was told"
        );
    }

    async fn the_names_of_what_changed_are_written(house: TestHouse) {
        let mut known = 0;
        let body = user(
            "ada",
            json!({"title": "x", "externalId": "E-1", "name": {"familyName": "L"}, ENTERPRISE: {"department": "d"}}),
        );
        let path = format!("/Users/{}", house.post("/Users", body).await.status(201).id());
        let event = newest(&house, &mut known).await;
        for name in ["userName", "title", "externalId", "name"] {
            assert!(event.attributes().contains(&name), "{name}: {:?}", event.attributes());
        }
        let department = format!("{ENTERPRISE}:department");
        for (operation, expected) in [
            (json!({"op": "replace", "path": "title", "value": "y"}), vec!["title"]),
            (
                json!({"op": "replace", "path": "externalId", "value": "E-2"}),
                vec!["externalId"],
            ),
            (json!({"op": "remove", "path": "name.familyName"}), vec!["name"]),
            (
                json!({"op": "replace", "path": department, "value": "e"}),
                vec![department.as_str()],
            ),
            (
                json!({"op": "add", "value": {"title": "z", "nickName": "n"}}),
                vec!["nickName", "title"],
            ),
            (json!({"op": "replace", "path": "title", "value": "y"}), vec!["title"]),
        ] {
            house.patch(&path, json!([operation])).await.status(200);
            let event = newest(&house, &mut known).await;
            assert_eq!(
                (event.kind.as_str(), event.attributes()),
                ("user.updated", expected),
                "{operation}"
            );
        }
        house.put(&path, user("ada", json!({"title": "y"}))).await.status(200);
        let event = newest(&house, &mut known).await;
        assert_eq!(event.attributes(), ["externalId", "nickName", &department]);
        house.delete(&path).await.no_content();
        assert_eq!(newest(&house, &mut known).await.kind, "user.deleted");
    }

    async fn memberships_gained_and_lost_are_written(house: TestHouse) {
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let mut known = 2;
        let path = format!(
            "/Groups/{}",
            house.post("/Groups", group("Sales", &[&ada])).await.status(201).id()
        );
        let event = newest(&house, &mut known).await;
        assert_eq!(
            (event.kind.as_str(), event.list("members_added")),
            ("group.created", vec![ada.as_str()])
        );
        house
            .patch(
                &path,
                json!([{"op": "replace", "path": "members", "value": refs(&[&bob])}]),
            )
            .await
            .status(200);
        let event = newest(&house, &mut known).await;
        assert_eq!(event.kind, "group.updated");
        assert_eq!(
            (event.list("members_added"), event.list("members_removed")),
            (vec![bob.as_str()], vec![ada.as_str()])
        );
        house.put(&path, group("Sales", &[])).await.status(200);
        assert_eq!(newest(&house, &mut known).await.list("members_removed"), [bob.as_str()]);
        house.delete(&path).await.no_content();
        assert_eq!(newest(&house, &mut known).await.kind, "group.deleted");
    }

    async fn who_leaves_and_comes_back_in_one_request_did_neither(house: TestHouse) {
        let ada = house.user("ada").await;
        let path = format!("/Groups/{}", house.post("/Groups", group("Sales", &[&ada])).await.id());
        let before = events(&house).await;
        let there_and_back =
            json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": refs(&[&ada])}]);
        house.patch(&path, there_and_back).await.status(200);
        assert_eq!(events(&house).await, before);
    }

    async fn a_deleted_member_is_an_event_of_each_of_its_groups(house: TestHouse) {
        let ada = house.user("ada").await;
        let mut groups = [house.group("Sales").await, house.group("Ops").await];
        for id in &groups {
            house.join(id, &ada).await;
        }
        let known = events(&house).await.len();
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let new = events(&house).await.split_off(known);
        let mut left: Vec<_> = new
            .iter()
            .filter(|event| event.kind == "group.updated")
            .map(|event| event.resource.clone())
            .collect();
        left.sort();
        groups.sort();
        assert_eq!(left, groups);
        assert!(
            new.iter()
                .filter(|event| event.kind == "group.updated")
                .all(|event| event.list("members_removed") == [ada.as_str()])
        );
        assert_eq!(new.iter().filter(|event| event.kind == "user.deleted").count(), 1);
        assert_eq!(new.len(), 3);
    }

    async fn what_changes_nothing_writes_nothing(house: TestHouse) {
        let body = user("ada", json!({"title": "x", "emails": [{"value": "a@x.test"}]}));
        let path = format!("/Users/{}", house.post("/Users", body.clone()).await.id());
        let sales = format!("/Groups/{}", house.group("Sales").await);
        let before = events(&house).await;
        house.put(&path, body.clone()).await.status(200);
        house
            .patch(&path, json!([{"op": "replace", "path": "title", "value": "x"}]))
            .await
            .status(200);
        house
            .patch(
                &path,
                json!([{"op": "add", "path": "emails", "value": [{"value": "a@x.test"}]}]),
            )
            .await
            .status(200);
        house
            .patch(
                &sales,
                json!([{"op": "remove", "path": "members", "value": refs(&[NOBODY])}]),
            )
            .await
            .status(200);
        house.put(&sales, group("Sales", &[])).await.status(200);
        house.get(&path).await.status(200);
        assert_eq!(events(&house).await, before);
    }

    async fn what_is_refused_writes_nothing(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let before = events(&house).await;
        house
            .post("/Users", user("ADA", json!({})))
            .await
            .error(409, Some("uniqueness"));
        house
            .patch(&path, json!([{"op": "add", "path": "title", "value": 7}]))
            .await
            .error(400, Some("invalidValue"));
        house
            .scim(Method::DELETE, &path, None, &[("if-match", "W/\"77\"")])
            .await
            .error(412, None);
        house.delete(&format!("/Users/{NOBODY}")).await.error(404, None);
        assert_eq!(events(&house).await, before);
    }

    async fn no_personal_value_is_in_the_history(house: TestHouse) {
        let secrets = [
            "ada-lovelace",
            "countess",
            "ada@home.test",
            "E-100",
            "engines",
            "pw-of-ada",
        ];
        let body = user(
            "ada-lovelace",
            json!({"title": "countess", "externalId": "E-100", "password": "pw-of-ada",
            "emails": [{"value": "ada@home.test"}], ENTERPRISE: {"department": "engines"}}),
        );
        let id = house.post("/Users", body).await.status(201).id();
        let path = format!("/Users/{id}");
        let address = "emails[value eq \"ada@home.test\"].value";
        let moved = json!([{"op": "replace", "path": address, "value": "ada@home.test2"}]);
        house.patch(&path, moved).await.status(200);
        house
            .patch(&path, json!([{"op": "replace", "value": {"title": "countess of L"}}]))
            .await
            .status(200);
        house.post("/Groups", group("Analysts", &[&id])).await.status(201);
        house.put(&path, user("ada-lovelace-2", json!({}))).await.status(200);
        house.delete(&path).await.no_content();
        let told = events(&house).await;
        assert!(told.len() >= 6, "{told:#?}");
        let text: Value = told
            .iter()
            .map(|event| json!([event.kind, event.data, event.actor.1]))
            .collect();
        for secret in secrets {
            assert!(!text.to_string().contains(secret), "`{secret}` is in {text}");
        }
    }
}
