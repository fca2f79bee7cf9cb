//! What is hard to take back: names that moved on, people who are kept out, what others gave meanwhile, and what is damaged.

use serde_json::{Value, json};
use std::time::Duration;

use super::undo::{Scene, counts};
use crate::admin::desk::Desk;
use crate::api::bodies::{group, user};
use crate::support::TestHouse;

const ACME: &str = "tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')";
const NEIGHBOUR: &str = "tenant_id = (SELECT id FROM tenant WHERE slug = 'neighbour')";

/// What was left: id, what, and why.
fn left(undo: &Value) -> Vec<[String; 3]> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let left = undo["left"].as_array().unwrap().iter();
    left.map(|one| ["id", "what", "why"].map(|name| text(one, name)))
        .collect()
}

/// What the connection did since then.
fn since(from: &str) -> Value {
    json!({"connection": "test", "from": from})
}

impl Scene {
    /// New users with an external id, by their names.
    async fn users(&self, names: impl Iterator<Item = String>) -> Vec<String> {
        let mut ids = Vec::new();
        for name in names {
            let body = user(&name, json!({"externalId": format!("hr-{name}")}));
            ids.push(self.house.post("/Users", body).await.status(201).id());
        }
        ids
    }

    async fn rename(&self, id: &str, name: &str) {
        self.put(&format!("/Users/{id}"), "userName", json!(name)).await;
    }

    async fn end(&self, id: &str) {
        self.put(&format!("/Users/{id}"), "active", json!(false)).await;
    }

    async fn decide(&self, id: &str, verb: &str) {
        self.desk
            .post(&format!("/users/{id}/{verb}"), json!({}))
            .await
            .status(200);
    }

    async fn status(&self, id: &str) -> Value {
        self.desk.get(&format!("/users/{id}/status")).await.status(200).json
    }

    /// How many events of a kind there are about somebody.
    async fn told(&self, kind: &str, id: &str) -> usize {
        let events = self
            .desk
            .get(&format!("/events?kind={kind}&subject={id}"))
            .await
            .status(200)
            .json;
        events["items"].as_array().unwrap().len()
    }
}

each_database! {
    async fn names_that_moved_along_a_line_go_back(house: TestHouse) {
        let scene = Scene::new(house).await;
        let users = scene.users((0..30).map(|n| format!("name{n}"))).await;
        let before = scene.sheet().await;
        let from = scene.later().await;
        scene.rename(&users[0], "free").await;
        for (free, id) in users[1..].iter().enumerate() {
            scene.rename(id, &format!("name{free}")).await;
        }
        // What was changed last is no help with the order.
        for id in &users[..3] {
            scene.put(&format!("/Users/{id}"), "title", json!("Clerk")).await;
        }
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [0, 0, 30, 0], "{done}");
        scene.sheet().await.is(&before);
    }

    async fn every_pair_that_changed_names_has_its_own_again(house: TestHouse) {
        let scene = Scene::new(house).await;
        let users = scene.users((0..10).map(|n| format!("name{n}"))).await;
        let groups = [scene.house.group("Sales").await, scene.house.group("Support").await];
        let before = scene.sheet().await;
        let from = scene.later().await;
        for pair in 0..5 {
            let [one, other] = [2 * pair, 2 * pair + 1];
            scene.rename(&users[one], "between").await;
            scene.rename(&users[other], &format!("name{one}")).await;
            scene.rename(&users[one], &format!("name{other}")).await;
        }
        for (name, at) in [("Between", 0), ("Sales", 1), ("Support", 0)] {
            scene.put(&format!("/Groups/{}", groups[at]), "displayName", json!(name)).await;
        }
        // And what the connection calls them.
        for (id, called) in [(&users[0], "hr-x"), (&users[1], "hr-name0"), (&users[0], "hr-name1")] {
            scene.put(&format!("/Users/{id}"), "externalId", json!(called)).await;
        }
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [0, 0, 12, 0], "{done}");
        scene.sheet().await.is(&before);
    }

    async fn one_whose_key_is_damaged_does_not_keep_the_others_and_the_undo_ends(house: TestHouse) {
        let scene = Scene::new(house).await;
        let users = scene.users(["ada", "bob", "cyd"].into_iter().map(str::to_owned)).await;
        let from = scene.later().await;
        for id in &users[..2] {
            scene.house.delete(&format!("/Users/{id}")).await.no_content();
        }
        scene.put(&format!("/Users/{}", users[2]), "title", json!("Clerk")).await;
        for (table, at) in [("tombstone", 0), ("resource", 2)] {
            scene.house.database.execute(&format!("UPDATE {table} SET seal = 'test.x' WHERE id = '{}'", users[at])).await;
        }
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [1, 0, 0, 2], "{done}");
        let ids: Vec<String> = left(&done).into_iter().map(|[id, ..]| id).collect();
        assert!(ids.contains(&users[0]) && ids.contains(&users[2]), "{done}");
        scene.house.get(&format!("/Users/{}", users[1])).await.status(200);
    }

    async fn more_than_one_undo_can_be_about_is_refused_before_it_begins(house: TestHouse) {
        let scene = Scene::new(house).await;
        let ada = scene.users(std::iter::once("ada".to_owned())).await;
        let from = scene.later().await;
        scene.put(&format!("/Users/{}", ada[0]), "title", json!("Clerk")).await;
        scene.later().await;
        let many = "INSERT INTO event (tenant_id, seq, entry, at, txn, part, class, kind, actor_kind, actor_id, connection_id, \
                    connection, request_id, subject_kind, subject_pk, subject_id, cause, data, sealed, hash) \
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) \
                    SELECT e.tenant_id, e.seq + 1000000 + n.i, e.entry, e.at, e.txn, e.part, e.class, e.kind, e.actor_kind, \
                    e.actor_id, e.connection_id, e.connection, e.request_id, e.subject_kind, e.subject_pk + n.i, \
                    e.subject_id, e.cause, e.data, NULL, e.hash FROM event e CROSS JOIN n \
                    WHERE e.kind = 'user.updated' AND e.tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')";
        assert_eq!(scene.house.database.execute(many).await, 50_000);
        for preview in [true, false] {
            let mut asked = since(&from);
            asked["preview"] = json!(preview);
            let refused = scene.desk.post("/undo", asked).await.status(400).json;
            assert_eq!(refused["pointer"], "/from", "{refused}");
        }
        assert_eq!(scene.desk.get("/undo").await.json["items"], json!([]));
    }

    async fn one_that_cannot_be_carried_out_keeps_no_other_back(house: TestHouse) {
        let scene = Scene::new(house).await;
        let ada = scene.users(std::iter::once("ada".to_owned())).await;
        let from = scene.later().await;
        scene.put(&format!("/Users/{}", ada[0]), "title", json!("Clerk")).await;
        // The log of another organisation cannot go on, and 25 undos wait there.
        let other = Desk::neighbour(&scene.house);
        let connections = other.get("/connections").await.status(200).json;
        let theirs = json!({"connection": connections["items"][0]["name"], "from": "2025-01-01T00:00:00Z"});
        for _ in 0..25 {
            other.post("/undo", theirs.clone()).await.status(202);
        }
        scene.house.turn().await;
        scene.house.database.execute(&format!("UPDATE undo SET state = 'running' WHERE {NEIGHBOUR}")).await;
        scene.house.database.execute(&format!("UPDATE log_head SET hash = 'damaged' WHERE {NEIGHBOUR}")).await;
        other.post("/roles", json!({"name": "Nobody"})).await.status(201);
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [0, 0, 1, 0], "{done}");
    }

    async fn nothing_is_taken_back_while_the_log_does_not_tell_what_others_did(house: TestHouse) {
        let scene = Scene::new(house).await;
        let ada = scene.users(std::iter::once("ada".to_owned())).await.remove(0);
        let path = format!("/Users/{ada}");
        let from = scene.later().await;
        scene.put(&path, "title", json!("Clerk")).await;
        scene.later().await;
        scene.house.database.execute(&format!("UPDATE log_head SET hash = 'damaged' WHERE {ACME}")).await;
        scene.put(&path, "title", json!("Boss")).await;
        let refused = scene.desk.post("/undo", since(&from)).await;
        assert!(matches!(refused.status, 409 | 503), "{refused:?}");
        assert_eq!(scene.house.get(&path).await.json["title"], "Boss");
    }

    async fn whom_an_administrator_keeps_out_stays_out_and_is_told_once(house: TestHouse) {
        let scene = Scene::new(house).await;
        let ada = scene.users(std::iter::once("ada".to_owned())).await.remove(0);
        let from = scene.later().await;
        scene.end(&ada).await;
        scene.decide(&ada, "suspend").await;
        let done = scene.undo(since(&from)).await;
        assert_eq!(left(&done).iter().map(|[id, what, _]| [id.clone(), what.clone()]).collect::<Vec<_>>(), [[ada.clone(), "active".to_owned()]]);
        assert_eq!(scene.told("user.activation_refused", &ada).await, 0);
        assert_eq!(scene.status(&ada).await["status"], "suspended");
        // What provisioning took them for is put back once, for when they are let in.
        assert_eq!((counts(&done)[2], scene.told("user.source_noted", &ada).await), (1, 1), "{done}");
        let again = scene.undo(since(&from)).await;
        assert_eq!(counts(&again), [0, 0, 0, 1], "{again}");
    }

    async fn what_was_said_of_somebody_on_leave_is_taken_back_for_their_return(house: TestHouse) {
        let scene = Scene::new(house).await;
        let users = scene.users(["ada", "bob"].into_iter().map(str::to_owned)).await;
        let leave = json!({"until": "2026-01-11T00:00:00Z"});
        for id in &users {
            let path = format!("/api/v1/users/{id}/leave");
            scene.desk.ask("PUT".parse().unwrap(), &path, Some(leave.clone()), &[]).await.status(200);
        }
        scene.house.turn().await;
        assert_eq!(scene.status(&users[0]).await["status"], "suspended");
        let from = scene.later().await;
        for id in &users {
            scene.end(id).await;
        }
        let noted = scene.desk.get("/events?kind=user.source_noted").await.status(200).json;
        assert_eq!(noted["items"][0]["data"], json!({"from": true, "to": false}));
        let to = scene.later().await;
        // Of one of them the connection says it again at another time, and then the other thing.
        scene.put(&format!("/Users/{}", users[1]), "active", json!(true)).await;
        scene.end(&users[1]).await;
        let done = scene.undo(json!({"connection": "test", "from": from, "to": to})).await;
        assert_eq!((counts(&done), left(&done)[0][0].as_str()), ([0, 0, 1, 1], users[1].as_str()), "{done}");
        scene.house.clock().advance(Duration::from_hours(24 * 11));
        scene.house.turn().await;
        assert_eq!(scene.status(&users[0]).await["status"], "active");
        assert_eq!(scene.status(&users[1]).await["status"], "deactivated");
        // That undo is taken back, too: what it put back was more than an attribute.
        let back = scene.undo(json!({"undo": done["id"]})).await;
        assert_eq!(counts(&back), [0, 0, 1, 0], "{back}");
        assert_eq!(scene.status(&users[0]).await["status"], "deactivated");
    }

    async fn what_was_made_and_given_something_by_others_since_stays(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        let old = house.group("Old").await;
        let from = scene.later().await;
        let granted = house.post("/Groups", group("Granted", &[])).await.status(201).id();
        let filled = house.post("/Groups", group("Filled", &[])).await.status(201).id();
        let users = scene.users(["ada", "bob", "cyd", "dot"].into_iter().map(str::to_owned)).await;
        let mate = house.post("/Groups", group("Mates", &[&users[3]])).await.status(201).id();
        house.delete(&format!("/Users/{}", users[2])).await.no_content();
        let to = scene.later().await;
        desk.grant_to("group", &granted, "analyst", "all").await;
        let rule = json!({"name": "Fills", "when": "title eq \"Chief\"", "then": [{"group": filled}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        desk.grant(&users[0], "analyst", "all").await;
        house.join(&old, &users[1]).await;
        desk.post(&format!("/users/{}/restore", users[2]), json!({})).await.status(200);

        let asked = json!({"connection": "test", "from": from, "to": to});
        let done = scene.undo(asked.clone()).await;
        let mut stay: Vec<String> = left(&done).into_iter().map(|[id, ..]| id).collect();
        let mut expected = vec![granted, filled, users[0].clone(), users[1].clone(), users[2].clone()];
        stay.sort();
        expected.sort();
        assert_eq!((stay, counts(&done)), (expected, [0, 2, 0, 5]), "{done}");
        house.get(&format!("/Users/{}", users[3])).await.error(404, None);
        house.get(&format!("/Groups/{mate}")).await.error(404, None);
        // Unless it is said.
        let mut all = asked;
        all["overwrite"] = json!(true);
        let done = scene.undo(all).await;
        house.get(&format!("/Users/{}", users[0])).await.error(404, None);
        assert_eq!(counts(&done)[..2], [0, 5], "{done}");
    }

    async fn what_is_held_waits_on_when_something_else_is_taken_back(house: TestHouse) {
        let scene = Scene::new(house).await;
        let ada = scene.users(std::iter::once("ada".to_owned())).await.remove(0);
        let connections = scene.desk.get("/connections").await.status(200).json;
        let connection = connections["items"][0]["id"].as_str().unwrap();
        let nothing = json!({"deletions": {"percent": 0, "least": 0}, "beyond": "hold"});
        scene.desk.patch(&format!("/connections/{connection}/fuse"), nothing).await.status(200);
        let from = scene.later().await;
        scene.put(&format!("/Users/{ada}"), "title", json!("Clerk")).await;
        scene.house.delete(&format!("/Users/{ada}")).await.status(202);
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [0, 0, 1, 0], "{done}");
        let holds = scene.desk.get("/holds").await.status(200).json;
        assert_eq!(holds["items"][0]["changes"]["waiting"], 1, "{holds}");
        let hold = holds["items"][0]["id"].as_str().unwrap();
        scene.desk.post(&format!("/holds/{hold}/approve"), json!({})).await.status(202);
        scene.house.get(&format!("/Users/{ada}")).await.error(404, None);
    }

    async fn what_stands_in_the_way_of_one_thing_does_not_keep_the_others(house: TestHouse) {
        let scene = Scene::new(house).await;
        let house = &scene.house;
        let users = scene.users(["ada", "bob"].into_iter().map(str::to_owned)).await;
        let team = house.post("/Groups", group("Team", &[&users[0], &users[1]])).await.status(201).id();
        let from = scene.later().await;
        scene.rename(&users[0], "moved").await;
        scene.end(&users[0]).await;
        house.patch(&format!("/Groups/{team}"), json!([{"op": "remove", "path": "members"}])).await.status(200);
        let to = scene.later().await;
        let taken = house.user("ada").await;
        let done = scene.undo(json!({"connection": "test", "from": from, "to": to})).await;
        assert_eq!(left(&done).iter().map(|[id, what, _]| [id.clone(), what.clone()]).collect::<Vec<_>>(), [[users[0].clone(), "userName".to_owned()]]);
        let ada = house.get(&format!("/Users/{}", users[0])).await.status(200).json;
        assert_eq!((&ada["userName"], ada.get("active")), (&json!("moved"), None), "as it was: nobody had said that they are active");
        assert_eq!(house.get(&format!("/Groups/{team}")).await.values_of("members").len(), 2);
        house.delete(&format!("/Users/{taken}")).await.no_content();
        let done = scene.undo(json!({"connection": "test", "from": from, "to": to})).await;
        assert_eq!(counts(&done), [0, 0, 1, 0], "{done}");
    }

    async fn who_names_a_request_like_an_undo_is_somebody_else(house: TestHouse) {
        let scene = Scene::new(house).await;
        let ada = scene.users(std::iter::once("ada".to_owned())).await.remove(0);
        let path = format!("/Users/{ada}");
        let from = scene.later().await;
        scene.put(&path, "title", json!("Clerk")).await;
        let to = scene.later().await;
        let done = scene.undo(json!({"connection": "test", "from": from, "to": to})).await;
        let id = done["id"].as_str().unwrap().to_owned();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "nickName", "value": "Countess"}]});
        scene.house.scim("PATCH".parse().unwrap(), &path, Some(body), &[("x-request-id", &id)]).await.status(200);
        let back = scene.undo(json!({"undo": id})).await;
        assert_eq!(counts(&back), [0, 0, 1, 0], "{back}");
        let ada = scene.house.get(&path).await.json;
        assert_eq!((&ada["title"], &ada["nickName"]), (&json!("Clerk"), &json!("Countess")));
    }

    async fn what_a_connection_does_while_it_is_taken_back_is_not_taken_back(house: TestHouse) {
        let scene = Scene::new(house).await;
        let from = scene.later().await;
        let users = scene.users(["ada", "bob"].into_iter().map(str::to_owned)).await;
        let mut asked = since(&from);
        asked["to"] = json!("2030-01-01T00:00:00Z");
        let begun = scene.desk.post("/undo", asked).await.status(202).json;
        assert!(begun["to"].as_str().unwrap() < "2027", "{begun}");
        scene.house.clock().advance(Duration::from_mins(1));
        let late = scene.house.user("late").await;
        scene.house.turn().await;
        scene.house.get(&format!("/Users/{late}")).await.status(200);
        scene.house.get(&format!("/Users/{}", users[0])).await.error(404, None);
    }

    async fn groups_of_a_strict_connection_that_share_a_name_share_it_again(house: TestHouse) {
        let scene = Scene::new(house).await;
        let id = scene.desk.get("/connections").await.json["items"][0]["id"].as_str().unwrap().to_owned();
        scene.house.database.execute(&format!("UPDATE connection SET dialect = 'strict' WHERE uid = '{id}'")).await;
        // Tokens are remembered for a moment, with the habits of their connection.
        let house = scene.house.with_token(Some(&scene.house.token(&[])));
        let mut groups = Vec::new();
        for _ in 0..2 {
            groups.push(house.post("/Groups", group("Ops", &[])).await.status(201).id());
        }
        let kept = house.post("/Groups", group("Dev", &[])).await.status(201).id();
        let from = scene.later().await;
        for group in &groups {
            house.delete(&format!("/Groups/{group}")).await.no_content();
        }
        house.patch(&format!("/Groups/{kept}"), json!([{"op": "replace", "path": "displayName", "value": "Ops"}])).await.status(200);
        let done = scene.undo(since(&from)).await;
        assert_eq!(counts(&done), [2, 0, 1, 0], "{done}");
        assert_eq!(house.find("/Groups", "displayName eq \"Ops\"").await.total(), 2);
    }
}
