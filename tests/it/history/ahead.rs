//! Where the log is ahead of the clock, or behind what was saved.

use std::time::Duration;

use serde_json::{Value, json};

use super::routes::{last, later};
use super::town::desk;
use crate::admin::desk::{Desk, Problems as _, texts};
use crate::support::TestHouse;
use crate::support::program::run;

/// More people than a page has.
const MANY: usize = 501;

/// Somebody who may do everything a manager may.
async fn manager(house: &TestHouse, desk: &Desk, name: &str) -> String {
    let id = house.user(name).await;
    desk.grant(&id, "manager", "all").await;
    id
}

async fn json(desk: &Desk, path: &str) -> Value {
    desk.get(path).await.status(200).json
}

each_database! {
    async fn what_a_clock_wrote_that_was_ahead_is_known_now(house: TestHouse) {
        let desk = desk(&house);
        let bob = manager(&house, &desk, "bob").await;
        let (from, now) = (last(&desk).await, house.clock().now());
        house.clock().advance(Duration::from_hours(1));
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        house.clock().set(now);
        assert_eq!(json(&desk, &format!("/users/{bob}")).await["status"], "suspended");
        assert_eq!(json(&desk, &format!("/users/{bob}/diff?from={from}")).await["to"]["status"], "suspended");
        assert_eq!(texts(&json(&desk, "/who-could?permission=record.edit").await, "user"), [""; 0]);
        assert_eq!(texts(&json(&desk, &format!("/who-could?permission=record.edit&as_of={from}")).await, "user"), [bob.as_str()]);
        // What the list says can be asked about.
        let at = last(&desk).await;
        let profile = json(&desk, &format!("/users/{bob}?as_of={at}")).await;
        assert_eq!((&profile["status"], &profile["as_of"]), (&json!("suspended"), &json!(at)));
        assert!(json(&desk, &format!("/users/{bob}/access?as_of={at}")).await.get("incomplete").is_none());
        let after = house.clock().now().plus(Duration::from_hours(2)).rfc3339();
        desk.get(&format!("/users/{bob}?as_of={after}")).await.problem(400, "invalid-value");
    }

    async fn what_has_no_position_yet_is_told_to_be_missing(house: TestHouse) {
        let desk = desk(&house);
        let bob = manager(&house, &desk, "bob").await;
        let (before, now) = (last(&desk).await, later(&house));
        let asked = [
            format!("/users/{bob}"),
            format!("/users/{bob}?as_of={now}"),
            format!("/users/{bob}/access?as_of={now}"),
            format!("/users/{bob}/diff?from={before}"),
            format!("/who-could?permission=record.edit&as_of={now}"),
        ];
        for path in &asked {
            assert!(json(&desk, path).await.get("incomplete").is_none(), "{path}");
        }
        house.database.execute("UPDATE log_head SET signature = 'x'").await;
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        for path in &asked {
            assert_eq!(json(&desk, path).await["incomplete"]["behind"], true, "{path}");
        }
        for path in ["/events".to_owned(), format!("/users/{bob}/history")] {
            assert_eq!(json(&desk, &path).await["behind"], true, "{path}");
        }
        // What comes has later instants than what is there.
        assert!(json(&desk, &format!("/users/{bob}?as_of={before}")).await.get("incomplete").is_none());
    }

    async fn all_pages_of_who_could_are_of_one_moment(house: TestHouse) {
        let desk = desk(&house);
        let ada = manager(&house, &desk, "ada").await;
        let bob = house.user("bob").await;
        let grant = desk.grant(&bob, "manager", "all").await;
        let asked = "/who-could?permission=record.edit&limit=1";
        let first = json(&desk, asked).await;
        assert_eq!(texts(&first, "user"), [ada.as_str()]);
        later(&house);
        desk.delete(&format!("/grants/{grant}")).await.status(204);
        let next = first["next"].as_str().unwrap();
        let second = json(&desk, &format!("{asked}&after={next}")).await;
        assert_eq!((texts(&second, "user"), &second["position"]), (vec![bob], &first["position"]));
        let at = last(&desk).await;
        desk.get(&format!("{asked}&after={next}&as_of={at}")).await.problem(400, "invalid-value");
        desk.get(&format!("{asked}&after=AAAAAAAAAAE")).await.problem(400, "invalid-value");
    }

    async fn what_one_page_cannot_know_the_whole_list_cannot(house: TestHouse) {
        let desk = desk(&house);
        let mut people = Vec::new();
        for number in 0..MANY {
            people.push(house.user(&format!("kim-{number}")).await);
        }
        let group = house.group("Sales").await;
        let members: Vec<Value> = people.iter().map(|id| json!({ "value": id })).collect();
        let add = json!([{ "op": "add", "path": "members", "value": members }]);
        assert!(house.patch(&format!("/Groups/{group}"), add).await.status < 300);
        desk.grant_to("group", &group, "manager", "all").await;
        let head = json(&desk, "/log/head").await;
        let at = head["head"]["at"].as_str().unwrap();
        house.database.execute(&format!("UPDATE resource SET seal = NULL WHERE id = '{}'", people[0])).await;
        let asked = ["who-could", "record.edit", "--as-of", at, "--tenant", "acme"];
        let said = String::from_utf8(run(&house.database, &asked).stdout).unwrap();
        assert_eq!(said.lines().count(), MANY + 1, "{said}");
        assert_eq!(said.lines().last(), Some("  not known: values of who was erased"));
    }
    async fn what_nobody_could_read_is_missing_from_what_comes_after(house: TestHouse) {
        let desk = desk(&house);
        let bob = manager(&house, &desk, "bob").await;
        let before = last(&desk).await;
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        house.database.execute("UPDATE entry SET records = '[{'").await;
        let told = json(&desk, "/who-could?permission=record.edit").await;
        let position = &told["position"];
        assert_eq!(told["incomplete"]["gaps"], json!([{ "seq": position, "kind": "log.unreadable" }]));
        let told = json(&desk, &format!("/who-could?permission=record.edit&as_of={before}")).await;
        assert!(told.get("incomplete").is_none(), "{told}");
    }

    async fn what_another_release_calls_something_is_kept_with_all_it_says(house: TestHouse) {
        let desk = desk(&house);
        let bob = manager(&house, &desk, "bob").await;
        last(&desk).await;
        desk.post(&format!("/users/{bob}/suspend"), json!({})).await.status(200);
        house.database.execute("UPDATE entry SET records = replace(records, 'user.suspended', 'user.polished')").await;
        let told = json(&desk, &format!("/users/{bob}/history")).await;
        let items = told["items"].as_array().unwrap();
        let kinds: Vec<&str> = items.iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["user.created", "grant.created", "user.updated", "user.polished"]);
        assert_eq!(items[3]["data"]["to"], "suspended");
        let verified = run(&house.database, &["audit", "verify", "--tenant", "acme"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}
