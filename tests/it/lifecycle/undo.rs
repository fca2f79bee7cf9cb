//! What a misconfigured client did is taken back: the sheet before and the sheet after are one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems};
use crate::api::bodies::{ENTERPRISE, group, user};
use crate::support::program::run;
use crate::support::seam;
use crate::support::{TestHouse, setting};

/// Users whom a client deletes, unless `MUSTER_TEST_DELETIONS` says otherwise.
const DELETIONS: usize = 40;

/// Everything that can be seen of users and groups: documents without what every change moves, members, and access.
#[derive(Debug, PartialEq)]
pub struct Sheet(BTreeMap<String, Value>);

impl Sheet {
    async fn of(house: &TestHouse, desk: &Desk) -> Self {
        let mut sheet = BTreeMap::new();
        for endpoint in ["/Users", "/Groups"] {
            let mut from = 1;
            loop {
                let page = house
                    .get(&format!("{endpoint}?startIndex={from}&count=200"))
                    .await
                    .status(200)
                    .json;
                let resources = page["Resources"].as_array().cloned().unwrap_or_default();
                from += resources.len();
                for mut resource in resources.iter().cloned() {
                    let id = resource["id"].as_str().unwrap().to_owned();
                    let meta = resource["meta"].as_object_mut().unwrap();
                    meta.remove("version");
                    meta.remove("lastModified");
                    for list in ["members", "groups", "schemas"] {
                        if let Some(list) = resource[list].as_array_mut() {
                            list.sort_by_key(Value::to_string);
                        } else if let Some(resource) = resource.as_object_mut() {
                            resource.remove(list);
                        }
                    }
                    if endpoint == "/Users" {
                        let access = desk.get(&format!("/users/{id}/access")).await.status(200).json;
                        let has = |one: &Value| json!([one["role"], one["scope"]]).to_string();
                        let mut assignments: Vec<String> =
                            access["assignments"].as_array().unwrap().iter().map(has).collect();
                        assignments.sort();
                        sheet.insert(
                            format!("access {id}"),
                            json!([access["status"], assignments, access["permissions"]]),
                        );
                    }
                    sheet.insert(format!("{endpoint}/{id}"), resource);
                }
                if resources.is_empty() {
                    break;
                }
            }
        }
        Self(sheet)
    }

    /// Fails with what differs.
    #[track_caller]
    pub fn is(&self, other: &Self) {
        for key in self.0.keys().chain(other.0.keys()) {
            assert_eq!(self.0.get(key), other.0.get(key), "{key}");
        }
    }
}

/// A house with an administrator, whose clock goes on from step to step.
pub struct Scene {
    pub house: TestHouse,
    pub desk: Desk,
}

impl Scene {
    /// With budgets that nobody reaches.
    pub async fn new(house: TestHouse) -> Self {
        let desk = Desk::admin(&house);
        let connections = desk.get("/connections").await.status(200).json;
        let id = connections["items"][0]["id"].as_str().unwrap();
        let much = json!({"percent": 100, "least": 100_000});
        let budgets = json!({"deletions": much, "deactivations": much, "departures": much, "renames": much});
        desk.patch(&format!("/connections/{id}/fuse"), budgets)
            .await
            .status(200);
        Self { house, desk }
    }

    /// An instant of the log after everything until now, as text: that of something that an administrator does.
    pub async fn later(&self) -> String {
        self.house.clock().advance(Duration::from_mins(1));
        let name = format!("Mark {}", self.house.clock().now());
        self.desk.post("/roles", json!({"name": name})).await.status(201);
        self.house.turn().await;
        let head = self.desk.get("/log/head").await.status(200).json;
        head["head"]["at"].as_str().unwrap().to_owned()
    }

    pub async fn sheet(&self) -> Sheet {
        Sheet::of(&self.house, &self.desk).await
    }

    pub async fn put(&self, id: &str, path: &str, value: Value) {
        let replace = json!([{"op": "replace", "path": path, "value": value}]);
        self.house.patch(id, replace).await.status(200);
    }

    /// Has something taken back, and gives what it came to.
    pub async fn undo(&self, asked: Value) -> Value {
        let begun = self.desk.post("/undo", asked).await.status(202).json;
        assert_eq!(begun["state"], "running");
        self.house.turn().await;
        let id = begun["id"].as_str().unwrap();
        let done = self.desk.get(&format!("/undo/{id}")).await.status(200).json;
        assert_eq!(done["state"], "done", "{done}");
        done
    }
}

/// How many were restored, removed, changed and left.
pub fn counts(undo: &Value) -> [u64; 4] {
    ["restored", "removed", "changed", "conflicts"].map(|name| undo[name].as_u64().unwrap())
}

/// A client that has everything wrong: it deletes, makes anew, renames, ends and empties.
async fn misconfigured(scene: &Scene, users: &[String], [inner, outer, third]: [&String; 3]) {
    let house = &scene.house;
    let path = |at: usize| format!("/Users/{}", users[at]);
    // A group before one of its members, and a member before one of its groups.
    house.delete(&format!("/Groups/{inner}")).await.no_content();
    house.delete(&path(0)).await.no_content();
    house.delete(&path(2)).await.no_content();
    house.delete(&format!("/Groups/{outer}")).await.no_content();
    // The same person again, and more.
    let again = house
        .post("/Users", user("gil", json!({"externalId": "hr-gil"})))
        .await
        .status(201)
        .id();
    house.join(third, &again).await;
    house.post("/Groups", group("New", &[&users[3]])).await.status(201);
    scene.put(&path(3), "active", json!(false)).await;
    scene.put(&path(3), "title", json!("Clerk")).await;
    scene.put(&path(3), "title", json!("Nobody")).await;
    // Two change their names with each other, over a third one.
    scene.put(&path(4), "userName", json!("between")).await;
    scene.put(&path(5), "userName", json!("kim")).await;
    scene.put(&path(4), "userName", json!("lotte")).await;
    let emptied = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Renamed"});
    house.put(&format!("/Groups/{third}"), emptied).await.status(200);
    house
        .put(&path(6), user("moritz", json!({"externalId": "hr-other"})))
        .await
        .status(200);
}

each_database! {
    async fn everything_that_a_misconfigured_client_did_is_taken_back_and_that_again(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        let rule = json!({"name": "Chiefs", "when": "title eq \"Chief\"", "then": [{"role": "manager", "scope": "all"}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        let mut users = Vec::new();
        for name in ["gil", "hugo", "ilse", "juri", "kim", "lotte", "moritz"] {
            let more = json!({"externalId": format!("hr-{name}"), "title": "Chief", "emails": [{"value": format!("{name}@acme.test"), "primary": true}], ENTERPRISE: {"department": "Sales"}});
            users.push(house.post("/Users", user(name, more)).await.status(201).id());
        }
        let inner = house.post("/Groups", group("Inner", &[&users[0], &users[1]])).await.status(201).id();
        let outer = house.post("/Groups", group("Outer", &[&inner, &users[2], &users[3]])).await.status(201).id();
        let third = house.post("/Groups", group("Third", &[&users[0], &users[4], &users[5]])).await.status(201).id();
        desk.grant(&users[1], "analyst", "all").await;
        desk.grant_to("group", &outer, "read-only", "all").await;
        let before = scene.sheet().await;

        let from = scene.later().await;
        misconfigured(&scene, &users, [&inner, &outer, &third]).await;
        let after = scene.sheet().await;
        assert_ne!(after, before);

        let to = scene.later().await;
        let asked = json!({"connection": "test", "from": from, "to": to});
        let mut looked = asked.clone();
        looked["preview"] = json!(true);
        let preview = desk.post("/undo", looked).await.status(200).json;
        assert_eq!((&preview["state"], preview.get("id")), (&json!("preview"), None));
        assert_eq!(counts(&preview)[..2], [4, 2], "{preview}");
        scene.sheet().await.is(&after);

        let done = scene.undo(asked.clone()).await;
        assert_eq!(counts(&done)[3], 0, "{done}");
        assert_eq!(counts(&done)[..2], [4, 2], "{done}");
        scene.sheet().await.is(&before);
        let events = desk.get("/events?kind=user.restored").await.status(200).json;
        assert_eq!((&events["items"][0]["cause"]["by"], &events["items"][0]["cause"]["of"]), (&json!("undo"), &done["id"]));
        let ended = desk.get("/events?kind=undo.ended").await.status(200).json;
        assert_eq!(ended["items"][0]["data"]["restored"], 4);

        // Once more there is nothing to do, and the undo itself can be taken back.
        assert_eq!(counts(&scene.undo(asked).await), [0, 0, 0, 0]);
        let back = scene.undo(json!({"undo": done["id"]})).await;
        assert_eq!(counts(&back)[3], 0, "{back}");
        scene.sheet().await.is(&after);
        scene.undo(json!({"undo": back["id"]})).await;
        scene.sheet().await.is(&before);
        let listed = desk.get("/undo").await.status(200).json;
        assert_eq!(listed["items"].as_array().unwrap().len(), 4);
    }

    async fn what_others_have_changed_since_is_told_and_left_unless_it_is_said(house: TestHouse) {
        let scene = Scene::new(house).await;
        let (house, desk) = (&scene.house, &scene.desk);
        let made = house.post("/Users", user("gil", json!({"title": "Chief", "nickName": "G"}))).await.status(201).id();
        let (hugo, ilse) = (house.user("hugo").await, house.user("ilse").await);
        let third = house.post("/Groups", group("Third", &[&made, &hugo, &ilse])).await.status(201).id();
        let before = scene.sheet().await;
        let from = scene.later().await;
        let path = format!("/Users/{made}");
        scene.put(&path, "title", json!("Clerk")).await;
        scene.put(&path, "nickName", json!("X")).await;
        house.patch(&format!("/Groups/{third}"), json!([{"op": "remove", "path": "members"}])).await.status(200);
        let new = house.user("new").await;
        house.delete(&format!("/Users/{ilse}")).await.no_content();
        let to = scene.later().await;
        // The same connection at another time is somebody else, too.
        scene.put(&path, "title", json!("Boss")).await;
        house.join(&third, &hugo).await;
        house.patch(&format!("/Groups/{third}"), json!([{"op": "remove", "path": format!("members[value eq \"{hugo}\"]")}])).await.status(200);
        scene.put(&format!("/Users/{new}"), "title", json!("Boss")).await;
        let taken = house.user("ILSE").await;

        let done = scene.undo(json!({"connection": "test", "from": from, "to": to})).await;
        let left: Vec<(&str, &str)> = done["left"].as_array().unwrap().iter()
            .map(|one| (one["id"].as_str().unwrap(), one["what"].as_str().unwrap_or_default()))
            .collect();
        let (member, absent) = (format!("members.{hugo}"), format!("members.{ilse}"));
        for expected in [(made.as_str(), "title"), (&third, &member), (&third, &absent), (&new, ""), (&ilse, "")] {
            assert!(left.contains(&expected), "{expected:?} in {done}");
        }
        assert_eq!((left.len(), &done["conflicts"]), (5, &json!(5)));
        let gil = house.get(&path).await.status(200).json;
        assert_eq!((&gil["title"], &gil["nickName"]), (&json!("Boss"), &json!("G")));
        assert_eq!(house.get(&format!("/Groups/{third}")).await.values_of("members"), std::slice::from_ref(&made));

        // The name is free again, and all is to be as it was.
        house.delete(&format!("/Users/{taken}")).await.no_content();
        let done = scene.undo(json!({"connection": "test", "from": from, "to": to, "overwrite": true})).await;
        assert_eq!(counts(&done)[3], 0, "{done}");
        scene.sheet().await.is(&before);
        // Who is purged is gone.
        house.clock().advance(Duration::from_mins(1));
        let from = scene.later().await;
        house.delete(&format!("/Users/{hugo}")).await.no_content();
        scene.later().await;
        desk.post(&format!("/users/{hugo}/purge"), json!({})).await.status(202);
        house.turn().await;
        let done = scene.undo(json!({"connection": "test", "from": from})).await;
        assert!(done["left"][0]["why"].as_str().unwrap().contains("restored from") || done["left"][1]["why"].as_str().unwrap().contains("restored from"), "{done}");
    }

    async fn a_client_that_deleted_everybody_is_taken_back_with_all_ids(house: TestHouse) {
        let scene = Scene::new(house).await;
        let n = setting("MUSTER_TEST_DELETIONS").map_or(DELETIONS, |text| text.parse().unwrap());
        let mut users = Vec::with_capacity(n);
        for number in 0..n {
            let more = json!({"externalId": format!("hr-{number}"), "title": "Chief"});
            users.push(scene.house.post("/Users", user(&format!("user{number}"), more)).await.status(201).id());
        }
        let all: Vec<&str> = users.iter().map(String::as_str).collect();
        let everybody = scene.house.post("/Groups", group("Everybody", &all)).await.status(201).id();
        scene.desk.grant_to("group", &everybody, "analyst", "all").await;
        let before = scene.sheet().await;
        let from = scene.later().await;
        for user in &users {
            scene.house.delete(&format!("/Users/{user}")).await.no_content();
        }
        seam::number(scene.house.rooms()).await;
        let begun = scene.desk.post("/undo", json!({"connection": "test", "from": from})).await.status(202).json;
        // Two servers and the command line go on with it at once; one of them alone would do.
        let id = begun["id"].as_str().unwrap();
        seam::undo_thrice(scene.house.rooms(), id).await;
        let done = scene.desk.get(&format!("/undo/{id}")).await.status(200).json;
        assert_eq!((&done["state"], counts(&done)), (&json!("done"), [n as u64, 0, 0, 0]), "{done}");
        scene.sheet().await.is(&before);
        let ended = scene.desk.get("/events?kind=undo.ended").await.status(200).json;
        assert_eq!(ended["items"].as_array().unwrap().len(), 1);
        assert_eq!(ended["items"][0]["data"]["restored"], n);
        let restored = scene.desk.get("/events?kind=user.restored&limit=500").await.status(200).json;
        assert_eq!(restored["items"].as_array().unwrap().len(), n.min(500));
    }

    async fn who_asks_for_an_undo_could_give_it_all_back_and_says_what(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (mia, max) = (house.user("mia").await, house.user("max").await);
        let role = desk.post("/roles", json!({"name": "People", "permissions": ["org.users.manage", "org.users.view"]})).await.status(201).id();
        desk.grant(&mia, &role, "all").await;
        let asked = json!({"connection": "test", "from": "2026-01-01T00:00:00Z"});
        Desk::user(&house, &mia).post("/undo", asked.clone()).await.status(403);
        for (wrong, pointer) in [
            (json!({}), "/connection"),
            (json!({"connection": "nobody", "from": "2026-01-01T00:00:00Z"}), "/connection"),
            (json!({"connection": "test"}), "/from"),
            (json!({"connection": "test", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}), "/to"),
            (json!({"connection": "test", "undo": "x", "from": "2026-01-01T00:00:00Z"}), "/connection"),
            (json!({"undo": "x", "from": "2026-01-01T00:00:00Z"}), "/undo"),
            (json!({"undo": "x"}), "/undo"),
        ] {
            assert_eq!(desk.post("/undo", wrong.clone()).await.problem(400, "invalid-value")["pointer"], pointer, "{wrong}");
        }
        let begun = desk.post("/undo", asked).await.status(202).json;
        desk.post("/undo", json!({"undo": begun["id"]})).await.problem(409, "conflict");
        house.turn().await;
        house.get(&format!("/Users/{max}")).await.error(404, None);
        let asked = ["undo", "--tenant", "acme", "--undo", begun["id"].as_str().unwrap()];
        let done = run(&house.database, &asked);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && said.contains("1 restored"), "{said}{}", String::from_utf8_lossy(&done.stderr));
        house.get(&format!("/Users/{max}")).await.status(200);
    }
}
