//! What an undo makes of people who came again, and of those who were shut out as a whole meanwhile.

use std::time::Duration;

use serde_json::{Value, json};

use super::undo::{Scene, counts};
use crate::api::bodies::{ENTERPRISE, USER, user};
use crate::support::TestHouse;

/// What an undo of the connection since an instant is asked by.
fn since(from: &str) -> Value {
    json!({"connection": "test", "from": from})
}

each_database! {
    async fn what_somebody_lost_who_was_deleted_and_linked_is_put_back_or_told(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        desk.patch("/settings", json!({"rehire": "link"})).await.status(200);
        let called = |name: &str, more: Value| {
            let mut body = user(name, more);
            body["externalId"] = format!("hr-{name}").into();
            body
        };
        let titled = json!({"title": "Chief", "nickName": "A"});
        let ada = house.post("/Users", called("ada", titled.clone())).await.status(201).id();
        let bob = house.post("/Users", called("bob", titled)).await.status(201).id();
        desk.grant(&ada, "analyst", "all").await;
        let before = scene.sheet().await;
        let from = scene.later().await;
        for (name, id) in [("ada", &ada), ("bob", &bob)] {
            house.delete(&format!("/Users/{id}")).await.no_content();
            let again = called(name, json!({"title": "Clerk"}));
            assert_eq!(house.post("/Users", again).await.status(201).id(), *id);
        }
        let done = scene.undo(since(&from)).await;
        // Attributes are what they were; grants are nobody's to give back, and that is told.
        assert_eq!(counts(&done), [0, 0, 2, 1], "{done}");
        assert_eq!((&done["left"][0]["id"], &done["left"][0]["what"]), (&json!(ada), &json!("grants")));
        desk.grant(&ada, "analyst", "all").await;
        scene.sheet().await.is(&before);
    }

    async fn who_is_created_anew_by_another_name_has_the_first_one_again(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        desk.patch("/settings", json!({"rehire": "link"})).await.status(200);
        let numbered = |name: &str, called: Option<&str>| {
            let mut body = user(name, json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"employeeNumber": name}}));
            if let Some(called) = called {
                body["externalId"] = called.into();
            }
            body
        };
        let ada = house.post("/Users", numbered("ada", Some("a"))).await.status(201).id();
        let bob = house.post("/Users", numbered("bob", None)).await.status(201).id();
        let from = scene.later().await;
        for (name, id) in [("ada", &ada), ("bob", &bob)] {
            house.delete(&format!("/Users/{id}")).await.no_content();
            let again = numbered(name, Some(&format!("{name}-new")));
            assert_eq!(house.post("/Users", again).await.status(201).id(), *id);
        }
        let done = scene.undo(since(&from)).await;
        assert_eq!(house.find("/Users", "externalId eq \"a\"").await.ids(), [ada]);
        assert_eq!(house.find("/Users", "externalId eq \"ada-new\"").await.total(), 0);
        // Of whom the log tells no name before, that is said.
        assert_eq!(counts(&done), [0, 0, 2, 1], "{done}");
        assert_eq!((&done["left"][0]["id"], &done["left"][0]["what"]), (&json!(bob), &json!("externalId")));
    }

    async fn whom_somebody_has_deleted_with_the_connection_does_not_come_back(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        desk.patch("/settings", json!({"rehire": "link"})).await.status(200);
        let called = |number: usize| {
            let mut body = user(&format!("u{number}"), json!({}));
            body["externalId"] = format!("hr-{number}").into();
            body
        };
        let mut users = Vec::new();
        for number in 0..3 {
            users.push(house.post("/Users", called(number)).await.status(201).id());
        }
        let from = scene.later().await;
        for (number, id) in users.iter().enumerate() {
            house.delete(&format!("/Users/{id}")).await.no_content();
            assert_eq!(house.post("/Users", called(number)).await.status(201).id(), *id);
        }
        let connections = desk.get("/connections").await.status(200).json;
        let id = connections["items"][0]["id"].as_str().unwrap();
        desk.delete(&format!("/connections/{id}?users=delete")).await.status(202);
        house.clock().advance(Duration::from_secs(5));
        house.turn().await;
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [0, 0, 0, 3], "{done}");
    }

    async fn a_suspension_as_a_whole_is_nobodys_last_word(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        let from = scene.later().await;
        for number in 0..5 {
            house.user(&format!("made-{number}")).await;
        }
        let kept = house.user("kept").await;
        let connections = desk.get("/connections").await.status(200).json;
        let id = connections["items"][0]["id"].as_str().unwrap();
        desk.post(&format!("/connections/{id}/suspend"), json!({"users": "suspend"})).await.status(202);
        house.clock().advance(Duration::from_secs(5));
        house.turn().await;
        // That is somebody's word.
        desk.post(&format!("/users/{kept}/suspend"), json!({})).await.status(200);
        house.turn().await;
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [0, 5, 0, 1], "{done}");
        assert_eq!(done["left"][0]["id"], json!(kept));
    }
}
