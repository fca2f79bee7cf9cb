//! A server that is killed in the middle of an undo or of a purge: another one goes on, and what is told of it is right.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::purge::taken;
use crate::support::answer::Answer;
use crate::support::database::Database;
use crate::support::dice::{self, Dice};
use crate::support::program::{Program, run, run_json};
use crate::support::setting;
use crate::support::wire::Client;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Users whom a client deletes.
const DELETED: usize = 120;

/// Users who are purged in a round.
const PURGED: usize = 12;

/// Deaths in a row on one database, unless `MUSTER_TEST_ROUNDS` says otherwise.
const ROUNDS: usize = 4;

/// How often the end is looked for; at most so often.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 12_000;

fn rounds() -> usize {
    setting("MUSTER_TEST_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap())
}

/// A server with its two doors.
struct Open {
    server: Program,
    scim: Client,
    desk: Client,
}

impl Open {
    /// Takes up at once what the one that was killed had.
    async fn on(database: &Database, desk: &str) -> Self {
        database.settle().await;
        // As if the killed one had been gone for longer than it can hold anything.
        database.execute("UPDATE lease SET until = 0").await;
        let server = Program::serve(database).await;
        Self {
            scim: server.client(&database.keys().await.token),
            desk: server.client(desk),
            server,
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let json = [("Content-Type", "application/json")];
        let path = format!("/api/v1{path}");
        self.desk.send(method, &path, body.as_ref(), &json).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).await.status(200).json
    }

    async fn user(&self, name: &str) -> String {
        let body = json!({"schemas": [USER], "userName": name});
        self.scim
            .ask("POST", "/Users", Some(&body))
            .await
            .unwrap()
            .status(201)
            .id()
    }

    async fn delete(&self, id: &str) {
        self.scim
            .ask("DELETE", &format!("/Users/{id}"), None)
            .await
            .unwrap()
            .status(204);
    }

    async fn users(&self) -> usize {
        let found = self.scim.ask("GET", "/Users?count=0", None).await.unwrap();
        usize::try_from(found.status(200).total()).unwrap()
    }

    /// Subjects of all events of a kind, none of them twice.
    async fn told(&self, kind: &str) -> BTreeSet<String> {
        let (mut told, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = self.get(&format!("/events?kind={kind}&after={after}&limit=500")).await;
            let events = page["items"].as_array().unwrap().clone();
            let Some(last) = events.last() else { return told };
            after = last["seq"].as_i64().unwrap();
            for event in events {
                let id = event["subject"]["id"].as_str().unwrap().to_owned();
                assert!(told.insert(id), "told twice: {event}");
            }
        }
    }
}

fn admin(database: &Database) -> String {
    let made = run_json(database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
    made["token"].as_str().unwrap().to_owned()
}

fn verified(database: &Database) {
    let verified = run(database, &["audit", "verify", "--tenant", "acme"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

each_database! {
    async fn an_undo_that_is_killed_goes_on_and_tells_all_that_came_of_it(database: Database) {
        let (seed, desk) = (dice::seed(), admin(&database));
        let mut dice = Dice::new(seed, 0);
        let mut open = Open::on(&database, &desk).await;
        let connections = open.get("/connections").await;
        let of = connections["items"][0]["id"].as_str().unwrap();
        let much = json!({"percent": 100, "least": 100_000});
        open.ask("PATCH", &format!("/connections/{of}/fuse"), Some(json!({"deletions": much, "departures": much}))).await.status(200);
        let mut users = Vec::new();
        for number in 0..DELETED {
            users.push(open.user(&format!("user{number}")).await);
        }
        open.ask("POST", "/roles", Some(json!({"name": "Mark"}))).await.status(201);
        // Reading the log waits until all of it is numbered, or says that it is not.
        while open.get("/events?limit=1").await["behind"] == true {}
        let from = open.get("/log/head").await["head"]["at"].clone();
        for user in &users {
            open.delete(user).await;
        }
        let asked = json!({"connection": connections["items"][0]["name"], "from": from});
        let id = open.ask("POST", "/undo", Some(asked)).await.status(202).json["id"].as_str().unwrap().to_owned();
        let path = format!("/undo/{id}");

        let rounds = rounds();
        for round in 1..=rounds {
            let enough = DELETED * round / (rounds + 1) - dice.below(DELETED / (rounds + 1) + 1);
            while open.users().await < enough {}
            open.server.kill();
            open = Open::on(&database, &desk).await;
        }
        for look in 0.. {
            let undo = open.get(&path).await;
            if undo["state"] == "done" {
                let counts: Vec<&Value> = ["restored", "removed", "changed", "conflicts"].iter().map(|name| &undo[*name]).collect();
                assert_eq!(counts, [&json!(DELETED), &json!(0), &json!(0), &json!(0)], "{undo}");
                break;
            }
            assert!(look < LOOKS, "{undo}; {}", open.server.complaints());
            tokio::time::sleep(LOOK).await;
        }
        assert_eq!(open.users().await, DELETED);
        assert_eq!(open.told("user.restored").await, users.into_iter().collect());
        assert_eq!(open.told("undo.ended").await, BTreeSet::from([id]));
        assert!(open.server.stop().success());
        verified(&database);
    }

    async fn a_purge_that_is_killed_leaves_nothing_of_whom_it_promised_to_forget(database: Database) {
        let (seed, desk) = (dice::seed(), admin(&database));
        let mut dice = Dice::new(seed, 0);
        let mut open = Open::on(&database, &desk).await;
        let mut promised = BTreeSet::new();
        for round in 0..rounds() {
            let mut ids = Vec::new();
            for number in 0..PURGED {
                let id = open.user(&format!("forgotten-{round}-{number}")).await;
                open.delete(&id).await;
                ids.push(id);
            }
            // Killed at any place between the first of them and the end of what comes after the last.
            for id in ids.into_iter().take(1 + dice.below(PURGED)) {
                open.ask("POST", &format!("/users/{id}/purge"), Some(json!({}))).await.status(202);
                promised.insert(id);
            }
            for _ in 0..dice.below(40) {
                open.users().await;
            }
            open.server.kill();
            open = Open::on(&database, &desk).await;
        }
        for look in 0.. {
            let purging = open.get("/tombstones?limit=200").await;
            let states: Vec<&str> = purging["items"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
            if !states.contains(&"purging") {
                break;
            }
            assert!(look < LOOKS, "{purging}; {}", open.server.complaints());
            tokio::time::sleep(LOOK).await;
        }
        assert_eq!(open.told("user.purged").await, promised);
        for id in &promised {
            open.ask("POST", &format!("/users/{id}/restore"), Some(json!({}))).await.status(404);
        }
        let kept: usize = open.get("/tombstones?limit=200").await["items"].as_array().unwrap().len();
        assert_eq!(kept + promised.len(), rounds() * PURGED);
        assert!(open.server.stop().success());
        let text = String::from_utf8_lossy(&taken(&database)).into_owned();
        let names = (0..rounds()).flat_map(|round| (0..PURGED).map(move |number| format!("forgotten-{round}-{number}\"")));
        let left = names.filter(|name| text.contains(name.as_str())).count();
        assert_eq!(left, kept, "the names of whoever is kept, and no others");
        verified(&database);
    }
}
