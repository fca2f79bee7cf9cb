//! Anything in any order: nothing that can be asked for comes to an internal error, and a status is always what it says.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::dice::{Dice, seed};

/// Asks a world is given.
const STEPS: usize = 250;

/// Seconds that the clock moves at most, and that plans lie ahead.
const AHEAD: usize = 30;

const NAMES: [&str; 3] = ["ada", "bob", "eve"];

struct World {
    house: TestHouse,
    desk: Desk,
    dice: Dice,
    /// Everybody there ever was.
    users: Vec<String>,
    groups: Vec<String>,
}

impl World {
    /// One thing that somebody asks for.
    async fn ask(&mut self) -> Answer {
        let (id, group) = (
            self.dice.pick(&self.users).clone(),
            self.dice.pick(&self.groups).clone(),
        );
        let (other, name) = (self.dice.pick(&self.users).clone(), *self.dice.pick(&NAMES));
        let (house, desk) = (&self.house, &self.desk);
        let (ahead, passes) = (self.dice.below(AHEAD) + 1, self.dice.below(AHEAD));
        let ahead = house.clock().now().plus(seconds(ahead)).rfc3339();
        let put =
            async |path: String, body: Value| desk.ask(Method::PUT, &format!("/api/v1{path}"), Some(body), &[]).await;
        match self.dice.below(18) {
            0 => {
                house
                    .post("/Users", user(name, json!({"active": true, "externalId": name})))
                    .await
            }
            1 => house.patch(&format!("/Users/{id}"), says("active", &json!(true))).await,
            2 => {
                house
                    .patch(&format!("/Users/{id}"), says("active", &json!(false)))
                    .await
            }
            3 => {
                house
                    .put(&format!("/Users/{id}"), user(name, json!({"active": true})))
                    .await
            }
            4 => house.delete(&format!("/Users/{id}")).await,
            5 => house.delete(&format!("/Groups/{group}")).await,
            6 => desk.post(&format!("/users/{id}/activate"), json!({})).await,
            7 => {
                desk.post(&format!("/users/{id}/suspend"), json!({"reason": "so"}))
                    .await
            }
            8 => desk.post(&format!("/users/{id}/deactivate"), json!({})).await,
            9 => desk.post(&format!("/users/{id}/restore"), json!({})).await,
            10 => desk.post(&format!("/users/{id}/restore"), json!({"into": other})).await,
            11 => desk.post(&format!("/groups/{group}/restore"), json!({})).await,
            12 => {
                desk.post(
                    &format!("/users/{id}/restore"),
                    json!({"active": self.dice.below(2) == 0}),
                )
                .await
            }
            13 => put(format!("/users/{id}/leave"), json!({"until": ahead})).await,
            14 => put(format!("/users/{id}/schedule"), json!({"deactivate_at": ahead})).await,
            15 | 16 => {
                house.clock().advance(seconds(passes));
                house.turn().await;
                desk.get("/schedules").await
            }
            _ => {
                let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
                house.patch(&format!("/Groups/{group}"), add).await
            }
        }
    }

    /// Everybody who is there is what they are said to be.
    async fn look(&self) {
        for id in &self.users {
            let document = self.house.get(&format!("/Users/{id}")).await;
            let status = self.desk.get(&format!("/users/{id}/status")).await;
            assert_eq!(status.status, document.status, "{}", status.text);
            if status.status == 200 {
                let active = document.json["active"] != json!(false);
                assert_eq!(
                    active,
                    status.json["status"] == "active",
                    "{} {}",
                    document.text,
                    status.text
                );
                assert!(!active || status.json.get("hold").is_none(), "{}", status.text);
            }
        }
        let dump = self.house.dump().await;
        let active = dump.table("resource").iter().filter(|row| column(row, "active") != "0");
        let active: BTreeSet<&str> = active.map(|row| column(row, "pk")).collect();
        for held in dump.table("user_status") {
            assert!(
                !active.contains(column(held, "resource_pk")),
                "whoever is held is not active: {held}"
            );
        }
    }
}

fn seconds(number: usize) -> Duration {
    Duration::from_secs(number as u64)
}

/// A number out of a row of a dump; nothing where it is null.
fn column<'a>(row: &'a str, name: &str) -> &'a str {
    let of_name = |part: &&'a str| part.split_once('=').is_some_and(|(column, _)| column == name);
    let value = row.split(' ').find(of_name).and_then(|part| part.split_once('='));
    value.unwrap_or_else(|| panic!("{name} in {row}")).1.trim_matches('\'')
}

fn says(path: &str, value: &Value) -> Value {
    json!([{"op": "replace", "path": path, "value": value}])
}

each_database! {
    async fn no_order_of_asks_comes_to_an_internal_error(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut users = Vec::new();
        for name in NAMES {
            users.push(house.user(name).await);
        }
        let groups = vec![house.group("Sales").await, house.group("Berlin").await];
        house.join(&groups[0], &groups[1]).await;
        let mut world = World { desk, dice: Dice::new(seed(), 0), users, groups, house };
        for step in 0..STEPS {
            let answer = world.ask().await;
            assert!(answer.status < 500, "step {step}: {}", answer.text);
            if answer.status == 201 {
                world.users.push(answer.id());
            }
            if step % 10 == 9 {
                world.look().await;
            }
        }
    }
}
