//! `as_of`, `history`, `diff`, `who-could`, and the commands that ask the same.

use std::time::Duration;

use muster::base::clock::Clock;
use serde_json::{Value, json};

use super::town::desk;
use crate::admin::desk::{Desk, Problems as _};
use crate::api::bodies::user;
use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::program::run;

/// Some time goes by; gives an instant in the middle of it. What is done at one instant of a clock that stands still has
/// instants of its own in the log, a microsecond apart.
pub(super) fn later(house: &TestHouse) -> String {
    house.clock().advance(Duration::from_secs(30));
    let at = house.clock().now().rfc3339();
    house.clock().advance(Duration::from_secs(30));
    at
}

/// The instant of the last event.
pub(super) async fn last(desk: &Desk) -> String {
    let events = desk.get("/events?limit=500").await.status(200).json;
    events["items"].as_array().unwrap().last().unwrap()["at"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn kinds(events: &Value) -> Vec<&str> {
    events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect()
}

each_database! {
    async fn a_user_is_told_as_of_an_instant(house: TestHouse) {
        let desk = desk(&house);
        let before = later(&house);
        let ada = house.post("/Users", user("ada", json!({ "title": "Seller", "externalId": "x1" }))).await.status(201).id();
        let group = house.group("Sales").await;
        let seller = later(&house);
        house.join(&group, &ada).await;
        desk.grant(&ada, "analyst", "all").await;
        house.patch(&format!("/Users/{ada}"), json!([{ "op": "replace", "path": "title", "value": "Buyer" }])).await.status(200);
        let buyer = later(&house);
        desk.post(&format!("/users/{ada}/suspend"), json!({})).await.status(200);
        let suspended = later(&house);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let gone = later(&house);

        desk.get(&format!("/users/{ada}?as_of={before}")).await.problem(404, "not-found");
        let at = |instant: &str| format!("/users/{ada}?as_of={instant}");
        let profile = desk.get(&at(&seller)).await.status(200).json;
        assert_eq!((&profile["attributes"]["title"], &profile["external_ids"]), (&json!("Seller"), &json!({ "test": "x1" })));
        assert_eq!((&profile["groups"], &profile["status"], &profile["version"]), (&json!([]), &json!("active"), &json!(1)));
        assert_eq!(profile["as_of"], seller.as_str());
        let profile = desk.get(&at(&buyer)).await.status(200).json;
        assert_eq!(profile["attributes"]["title"], "Buyer");
        assert_eq!(profile["groups"], json!([{ "id": group, "name": "Sales" }]));
        assert_eq!(desk.get(&at(&suspended)).await.status(200).json["status"], "suspended");
        desk.get(&at(&gone)).await.problem(404, "not-found");

        let access = |instant: &str| format!("/users/{ada}/access?as_of={instant}");
        let then = desk.get(&access(&buyer)).await.status(200).json;
        assert_eq!((&then["assignments"][0]["role"], &then["status"]), (&json!("analyst"), &json!("active")));
        assert!(then.get("incomplete").is_none());
        assert_eq!(desk.get(&access(&seller)).await.status(200).json["assignments"], json!([]));
        assert_eq!(desk.get(&access(&suspended)).await.status(200).json["assignments"], json!([]));
        desk.get(&access(&gone)).await.problem(404, "not-found");
    }

    async fn what_became_of_a_user_is_what_is_different(house: TestHouse) {
        let desk = desk(&house);
        let ada = house.user("ada").await;
        let (sales, berlin) = (house.group("Sales").await, house.group("Berlin").await);
        house.join(&sales, &ada).await;
        let role = desk.post("/roles", json!({ "name": "Seller", "permissions": ["record.edit"] })).await.status(201).id();
        desk.grant(&ada, &role, "all").await;
        let grant = desk.grant(&ada, "manager", "all").await;
        let from = later(&house);
        house.join(&berlin, &ada).await;
        let leave = json!([{ "op": "remove", "path": format!("members[value eq \"{ada}\"]") }]);
        house.patch(&format!("/Groups/{sales}"), leave).await;
        house.patch(&format!("/Users/{ada}"), json!([{ "op": "add", "path": "title", "value": "T" }])).await.status(200);
        desk.delete(&format!("/grants/{grant}")).await.status(204);
        desk.grant(&ada, "analyst", "all").await;
        desk.patch(&format!("/roles/{role}"), json!({ "permissions": ["record.edit", "data.act"] })).await.status(200);
        let to = later(&house);
        let diff = desk.get(&format!("/users/{ada}/diff?from={from}&to={to}")).await.status(200).json;
        assert_eq!((&diff["before"], &diff["after"]), (&json!({}), &json!({ "title": "T" })));
        assert_eq!((&diff["joined"][0]["id"], &diff["left"][0]["id"]), (&json!(berlin), &json!(sales)));
        let roles = |of: &Value| {
            let mut roles: Vec<String> = of.as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap().to_owned()).collect();
            roles.sort();
            roles
        };
        let mut gained = vec!["analyst".to_owned(), role.clone()];
        gained.sort();
        let mut lost = vec!["manager".to_owned(), role];
        lost.sort();
        assert_eq!((roles(&diff["gained"]), roles(&diff["lost"])), (gained, lost));
        let same = desk.get(&format!("/users/{ada}/diff?from={to}&to={to}")).await.status(200).json;
        for nothing in ["joined", "left", "gained", "lost"] {
            assert_eq!(same[nothing], json!([]));
        }
        desk.get(&format!("/users/{ada}/diff?from={to}&to={from}")).await.problem(400, "invalid-value");
    }

    async fn what_happened_to_a_user_is_told_in_its_order(house: TestHouse) {
        let desk = desk(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let group = house.group("Sales").await;
        house.join(&group, &ada).await;
        house.join(&group, &bob).await;
        desk.grant(&ada, "analyst", "all").await;
        desk.post(&format!("/users/{ada}/suspend"), json!({ "reason": "leave" })).await.status(200);
        let told = desk.get(&format!("/users/{ada}/history")).await.status(200).json;
        assert_eq!(kinds(&told), ["user.created", "group.updated", "grant.created", "user.updated", "user.suspended"]);
        let first = desk.get(&format!("/users/{ada}/history?limit=2")).await.status(200).json;
        let rest = desk.get(&format!("/users/{ada}/history?after={}", first["next"].as_str().unwrap())).await.status(200).json;
        assert_eq!([kinds(&first), kinds(&rest)].concat(), kinds(&told));
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let told = desk.get(&format!("/users/{ada}/history")).await.status(200).json;
        assert_eq!(kinds(&told).last(), Some(&"user.deleted"));
    }

    async fn who_could_is_asked_of_an_instant(house: TestHouse) {
        let desk = desk(&house);
        let (ada, bob, eve) = (house.user("ada").await, house.user("bob").await, house.user("eve").await);
        let scope = desk.scope("territory", "North").await;
        desk.place(&scope, "lead", "1").await;
        desk.grant(&ada, "manager", &scope).await;
        let of_bob = desk.grant(&bob, "manager", "all").await;
        let then = later(&house);
        desk.delete(&format!("/grants/{of_bob}")).await.status(204);
        desk.grant(&eve, "manager", &scope).await;
        desk.delete(&format!("/scopes/{scope}/records/lead/1")).await.status(204);
        let now = later(&house);
        let able = async |query: &str| {
            let found = desk.get(&format!("/who-could?permission=record.edit&{query}")).await.status(200).json;
            let items = found["items"].as_array().unwrap().clone();
            items.iter().map(|able| able["user_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(able(&format!("scope={scope}&as_of={then}")).await, ["ada", "bob"]);
        assert_eq!(able(&format!("scope={scope}&as_of={now}")).await, ["ada", "eve"]);
        assert_eq!(able(&format!("scope=all&as_of={then}")).await, ["bob"]);
        assert_eq!(able(&format!("record=lead:1&as_of={then}")).await, ["ada", "bob"]);
        assert_eq!(able(&format!("record=lead:1&as_of={now}")).await, [""; 0]);
        let page = desk.get(&format!("/who-could?permission=record.edit&scope={scope}&as_of={then}&limit=1")).await.status(200).json;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        let next = page["next"].as_str().unwrap();
        assert_eq!(able(&format!("scope={scope}&as_of={then}&limit=1&after={next}")).await, ["bob"]);
    }

    async fn what_cannot_be_asked_is_refused(house: TestHouse) {
        let desk = desk(&house);
        let ada = house.user("ada").await;
        let tomorrow = house.clock().now().plus(Duration::from_hours(24)).rfc3339();
        for path in [
            format!("/users/{ada}?as_of={tomorrow}"),
            format!("/users/{ada}/access?as_of={tomorrow}"),
            format!("/users/{ada}/diff?from={tomorrow}"),
            format!("/who-could?permission=record.edit&as_of={tomorrow}"),
            "/who-could?permission=record.edit&scope=nowhere".to_owned(),
            "/who-could?permission=record.edti".to_owned(),
        ] {
            desk.get(&path).await.problem(400, "invalid-value");
        }
        for path in [
            format!("/users/{ada}?as_of=2026-01-01"),
            "/who-could".to_owned(),
            "/who-could?permission=record.edit&record=lead".to_owned(),
            "/who-could?permission=record.edit&record=lead:1&scope=all".to_owned(),
        ] {
            desk.get(&path).await.status(400);
        }
        desk.get(&format!("/users/{}?as_of=2026-01-01T00:00:00Z", "0190b5f0-0000-7000-8000-0000000000aa")).await.status(404);
        // Who may see what they have now may not see what they had: that is history.
        let own = Desk::user(&house, &ada);
        own.get(&format!("/users/{ada}/access")).await.status(200);
        let now = house.clock().now().rfc3339();
        own.get(&format!("/users/{ada}/access?as_of={now}")).await.problem(403, "forbidden");
        Desk::neighbour(&house).get(&format!("/users/{ada}?as_of={now}")).await.status(404);
    }

    async fn the_past_of_who_was_erased_has_no_values(house: TestHouse) {
        let desk = desk(&house);
        let ada = house.user("ada").await;
        desk.grant(&ada, "analyst", "all").await;
        let then = later(&house);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.database.execute("UPDATE tombstone SET seal = NULL").await;
        let profile = desk.get(&format!("/users/{ada}?as_of={then}")).await.status(200).json;
        assert_eq!((&profile["attributes"], &profile["incomplete"]["erased"]), (&json!({}), &json!(true)));
        let access = desk.get(&format!("/users/{ada}/access?as_of={then}")).await.status(200).json;
        assert_eq!(access["assignments"][0]["role"], "analyst");
    }

    async fn the_same_is_asked_on_the_command_line(house: TestHouse) {
        let desk = Desk::admin(&house);
        // The command looks at the clock of the machine.
        house.clock().set(Clock::system().now());
        let ada = house.user("ada").await;
        let from = last(&desk).await;
        desk.grant(&ada, "manager", "all").await;
        let to = last(&desk).await;
        let said = |arguments: &[&str]| {
            let line = [arguments, &["--tenant", "acme"]].concat();
            String::from_utf8(run(&house.database, &line).stdout).unwrap()
        };
        let first = said(&["history", "ada", "--as-of", &from]);
        assert!(first.contains("userName: \"ada\"") && !first.contains("has Manager"), "{first}");
        let second = said(&["history", &ada, "--as-of", &to]);
        assert!(second.contains("  has Manager on everything\n"), "{second}");
        let between = said(&["history", "ada", "--from", &from, "--to", &to]);
        assert!(between.contains("active -> active\n  + has Manager on everything\n"), "{between}");
        assert_eq!(said(&["who-could", "record.edit", "--as-of", &from]), "");
        assert_eq!(said(&["who-could", "record.edit", "--as-of", &to]), format!("{ada} ada ada\n"));
        fails(command(&house.database).args(["history", "nobody", "--tenant", "acme"]), 1);
        fails(command(&house.database).args(["who-could", "record.edit", "--as-of", "9999-01-01T00:00:00Z", "--tenant", "acme"]), 1);
    }
}
