//! Activate, suspend, deactivate; and what provisioning can and cannot change about it.

use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems, token};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::program::run_json;

/// A house with an administrator's desk, somebody to turn, and what happened to them.
struct Scene {
    house: TestHouse,
    desk: Desk,
    id: String,
}

impl Scene {
    async fn of(house: &TestHouse) -> Self {
        let body = user("ada", json!({"active": true, "title": "Chief"}));
        Self {
            desk: Desk::admin(house),
            id: house.post("/Users", body).await.status(201).id(),
            house: house.clone(),
        }
    }

    async fn turn(&self, how: &str) -> Value {
        let path = format!("/users/{}/{how}", self.id);
        self.desk
            .post(&path, json!({"reason": "because of it"}))
            .await
            .status(200)
            .json
    }

    /// What provisioning says; answers whether it was told that this part is ignored.
    async fn says(&self, active: bool) -> bool {
        let patch = json!([{"op": "replace", "path": "active", "value": active}]);
        let answer = self.house.patch(&self.path(), patch).await.status(200);
        answer.header("muster-ignored-attributes") == "active"
    }

    fn path(&self) -> String {
        format!("/Users/{}", self.id)
    }

    async fn status(&self) -> String {
        let found = self
            .desk
            .get(&format!("/users/{}/status", self.id))
            .await
            .status(200)
            .json;
        let access = self
            .desk
            .get(&format!("/users/{}/access", self.id))
            .await
            .status(200)
            .json;
        let listed = self.desk.get("/users?q=ada").await.status(200).json;
        assert_eq!(found["status"], access["status"]);
        assert_eq!(found["status"], listed["items"][0]["status"]);
        let document = self.house.get(&self.path()).await.status(200).json;
        assert_eq!(
            document["active"],
            json!(found["status"] == "active"),
            "reads show what is true"
        );
        found["status"].as_str().unwrap().to_owned()
    }

    /// The kinds of what happened to them, from the beginning.
    async fn kinds(&self) -> Vec<String> {
        let query = format!("/events?subject={}&limit=500", self.id);
        let events = self.desk.get(&query).await.status(200).json;
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        events["items"].as_array().unwrap().iter().map(kind).collect()
    }
}

each_database! {
    async fn an_administrator_turns_a_status_and_the_log_says_so_in_the_same_entry(house: TestHouse) {
        let scene = Scene::of(&house).await;
        for (how, status) in [("suspend", "suspended"), ("deactivate", "deactivated"), ("activate", "active")] {
            assert_eq!(scene.turn(how).await["status"], status);
            assert_eq!(scene.status().await, status);
            assert_eq!(scene.turn(how).await["status"], status, "asked for again, it is so already");
        }
        assert_eq!(
            scene.kinds().await,
            ["user.created", "user.updated", "user.suspended", "user.deactivated", "user.updated", "user.activated"]
        );
        let events = scene.desk.get(&format!("/events?subject={}&kind=user.suspended", scene.id)).await.status(200).json;
        assert_eq!(events["items"][0]["data"], json!({"from": "active", "to": "suspended", "version": 2}));
        assert_eq!(events["items"][0]["reason"], "because of it", "sealed in the log, and opened for who may read it");
    }

    async fn provisioning_does_not_bring_back_whom_an_administrator_keeps_out(house: TestHouse) {
        let scene = Scene::of(&house).await;
        for how in ["suspend", "deactivate"] {
            scene.turn(how).await;
            let before = scene.status().await;
            let version = house.get(&scene.path()).await.header("etag").to_owned();
            assert!(scene.says(true).await, "{how}: it is told");
            assert_eq!(house.get(&scene.path()).await.header("etag"), version, "nothing was changed");
            let body = user("ada", json!({"active": true, "title": "Chair"}));
            let answer = house.put(&scene.path(), body).await.status(200);
            assert_eq!(answer.header("muster-ignored-attributes"), "active");
            assert_eq!((&answer.json["active"], &answer.json["title"]), (&json!(false), &json!("Chair")), "the rest is done");
            let gone = json!([{"op": "remove", "path": "active"}, {"op": "replace", "path": "title", "value": "Chief"}]);
            let answer = house.patch(&scene.path(), gone).await.status(200);
            assert_eq!((&answer.json["active"], &answer.json["title"]), (&json!(false), &json!("Chief")));
            assert_eq!(scene.status().await, before);
            let refused = scene.kinds().await.iter().filter(|kind| *kind == "user.activation_refused").count();
            assert_eq!(refused, if how == "suspend" { 3 } else { 6 });
        }
        scene.turn("activate").await;
        assert!(!scene.says(true).await);
        assert_eq!(scene.status().await, "active");
    }

    async fn what_provisioning_ends_it_can_begin_again_and_the_log_says_both(house: TestHouse) {
        let scene = Scene::of(&house).await;
        assert!(!scene.says(false).await);
        assert_eq!(scene.status().await, "deactivated");
        assert!(!scene.says(true).await);
        assert_eq!(scene.status().await, "active");
        assert_eq!(
            scene.kinds().await,
            ["user.created", "user.updated", "user.deactivated", "user.updated", "user.activated"]
        );
    }

    async fn what_provisioning_says_meanwhile_is_remembered(house: TestHouse) {
        let scene = Scene::of(&house).await;
        scene.turn("suspend").await;
        for says in [false, true, false] {
            assert_eq!(scene.says(says).await, says);
            let held = scene.desk.get(&format!("/users/{}/status", scene.id)).await.status(200).json;
            assert_eq!(held["hold"]["source_active"], says);
            assert_eq!(held["hold"]["reason"], "because of it");
        }
        assert_eq!(scene.turn("activate").await["status"], "active", "an administrator overrides it");
    }

    async fn somebody_off_by_their_source_can_be_held_so_that_it_cannot_bring_them_back(house: TestHouse) {
        let scene = Scene::of(&house).await;
        scene.says(false).await;
        let version = house.get(&scene.path()).await.header("etag").to_owned();
        assert_eq!(scene.turn("deactivate").await["hold"]["source_active"], false);
        assert_ne!(house.get(&scene.path()).await.header("etag"), version, "every change of a status moves the version");
        assert!(scene.says(true).await);
        assert_eq!(scene.status().await, "deactivated");
    }

    async fn the_owner_the_last_administrators_and_break_glass_accounts_stay(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (owner, ada) = (house.user("owner").await, house.user("ada").await);
        desk.post("/ownership", json!({"to": owner})).await.status(200);
        desk.grant(&ada, "admin", "all").await;
        desk.patch("/settings", json!({"break_glass": ["ada"]})).await.status(200);
        for user in [&owner, &ada] {
            for how in ["suspend", "deactivate"] {
                desk.post(&format!("/users/{user}/{how}"), json!({})).await.problem(409, "conflict");
            }
            assert_eq!(desk.get(&format!("/users/{user}/status")).await.json["status"], "active");
        }
        desk.patch("/settings", json!({"break_glass": [], "least_admins": 2})).await.status(200);
        let problem = desk.post(&format!("/users/{ada}/suspend"), json!({})).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("must be 2"), "{problem}");
    }

    async fn whoever_is_kept_out_may_nothing_from_the_answer_on(house: TestHouse) {
        let scene = Scene::of(&house).await;
        let scope = scene.desk.scope("territory", "Germany").await;
        scene.desk.place(&scope, "lead", "7").await;
        scene.desk.grant(&scene.id, "analyst", &scope).await;
        let may = || scene.desk.may(&scene.id, "data.act", ("lead", "7"));
        assert!(may().await);
        for (how, allowed) in [("suspend", false), ("activate", true), ("deactivate", false), ("activate", true)] {
            scene.turn(how).await;
            assert_eq!(may().await, allowed, "after {how}");
        }
    }

    async fn a_status_is_for_who_manages_users_and_a_reason_is_a_text(house: TestHouse) {
        let scene = Scene::of(&house).await;
        let mia = house.user("mia").await;
        scene.desk.grant(&mia, "manager", "all").await;
        let path = format!("/users/{}/suspend", scene.id);
        Desk::user(&house, &mia).post(&path, json!({})).await.problem(403, "forbidden");
        let connection = Desk::with(&house, &token(&house, "acme", &["--connection", "test"]));
        connection.post(&path, json!({})).await.problem(403, "forbidden");
        for reason in ["  ".to_owned(), "x".repeat(1001)] {
            let problem = scene.desk.post(&path, json!({"reason": reason})).await.problem(400, "invalid-value");
            assert_eq!(problem["pointer"], "/reason");
        }
        assert_eq!(scene.status().await, "active");
    }

    async fn the_command_line_turns_a_status_too(house: TestHouse) {
        let scene = Scene::of(&house).await;
        for (how, status) in [("suspend", "suspended"), ("activate", "active"), ("deactivate", "deactivated")] {
            let line = ["user", how, "--tenant", "acme", "ADA", "--reason", "he said so", "--json"];
            assert_eq!(run_json(&house.database, &line)["status"], status);
        }
        let shown = run_json(&house.database, &["user", "show", "--tenant", "acme", &scene.id, "--json"]);
        assert_eq!((&shown["status"], &shown["reason"]), (&json!("deactivated"), &json!("he said so")));
        assert_eq!(scene.status().await, "deactivated");
        let held = scene.desk.get(&format!("/users/{}/status", scene.id)).await.status(200).json;
        assert_eq!((&held["hold"]["by_kind"], &held["hold"]["by"]), (&json!("operator"), &json!("cli")));
    }
}
