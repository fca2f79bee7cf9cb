//! `muster token`: made, listed, rotated, ended.

use std::time::Duration;

use muster::base::clock::Clock;
use serde_json::{Value, json};

use crate::api::asks::keys;
use crate::api::bodies::{NOBODY, user};
use crate::cli::server::{Server, command, fails};
use crate::support::TestHouse;
use crate::support::database::Database;
use crate::support::program::{run, run_json};

const CREATE: [&str; 6] = ["token", "create", "--tenant", "acme", "--json", "--connection"];

fn created(database: &Database, more: &[&str]) -> Value {
    run_json(database, &[&CREATE[..], &["test"], more].concat())
}

fn listed(database: &Database) -> Vec<Value> {
    run_json(database, &["token", "list", "--tenant", "acme", "--json"])["items"]
        .as_array()
        .unwrap()
        .clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Microseconds from now to an instant in text.
fn from_now(instant: &Value) -> i64 {
    let instant: jiff::Timestamp = text(instant).parse().unwrap();
    instant.as_microsecond() - Clock::system().now().0
}

each_database! {
    async fn a_token_is_made_with_id_and_expiry(database: Database) {
        let made = created(&database, &[]);
        assert_eq!(keys(&made), ["expires", "id", "token"]);
        assert_eq!(made["expires"], Value::Null);
        let made = created(&database, &["--expires", "90d"]);
        let (left, ninety_days) = (from_now(&made["expires"]), 90 * 24 * 3_600_000_000);
        assert!((ninety_days - 60_000_000..=ninety_days).contains(&left), "{left}");
        assert_ne!(made["token"], created(&database, &[])["token"]);
    }

    async fn without_json_the_token_alone_is_on_standard_output(database: Database) {
        let output = run(
            &database,
            &["token", "create", "--tenant", "acme", "--connection", "test"],
        );
        let token = String::from_utf8(output.stdout).unwrap();
        let server = Server::start(&database, &[], &[]);
        server
            .client(token.trim())
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(!String::from_utf8_lossy(&output.stderr).contains(token.trim()));
    }

    async fn tokens_are_listed_without_the_tokens(database: Database) {
        let made = created(&database, &["--expires", "1h"]);
        let admin = run_json(&database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        let items = listed(&database);
        let own = items.iter().find(|item| item["id"] == made["id"]).unwrap();
        assert_eq!(
            keys(own),
            ["created", "expires", "holder", "id", "last_used", "revoked"]
        );
        assert_eq!(
            (&own["expires"], &own["revoked"], &own["last_used"]),
            (&made["expires"], &Value::Null, &Value::Null)
        );
        assert!(text(&own["holder"]).contains("test"));
        let holder = items
            .iter()
            .find(|item| item["id"] == admin["id"])
            .map(|item| text(&item["holder"]));
        assert_eq!(holder, Some("admin"));
        for listing in [
            &["token", "list", "--tenant", "acme", "--json"][..],
            &["token", "list", "--tenant", "acme"],
        ] {
            let shown = String::from_utf8(run(&database, listing).stdout).unwrap();
            assert!(
                shown.contains(text(&made["id"])) && !shown.contains(text(&made["token"])),
                "{shown}"
            );
        }
    }

    async fn a_token_of_a_user_is_made_for_a_user_that_exists(house: TestHouse) {
        let ada = house.user("ada").await;
        let made = run_json(
            &house.database,
            &["token", "create", "--tenant", "acme", "--user", &ada, "--json"],
        );
        assert_eq!(keys(&made), ["expires", "id", "token"]);
        fails(
            command(&house.database).args(["token", "create", "--tenant", "acme", "--user", NOBODY]),
            1,
        );
        let theirs = house.second_tenant().user("nina").await;
        fails(
            command(&house.database).args(["token", "create", "--tenant", "acme", "--user", &theirs]),
            1,
        );
    }

    async fn a_revoked_token_is_refused_by_a_running_server_as_soon_as_the_command_returns(database: Database) {
        let (made, other) = (created(&database, &[]), created(&database, &[]));
        let server = Server::start(&database, &["--rate-limit", "off"], &[]);
        let client = server.client(text(&made["token"]));
        for _ in 0..20 {
            client.ask("GET", "/Users?count=0", None).await.unwrap().status(200);
        }
        assert!(
            run(&database, &["token", "revoke", "--tenant", "acme", text(&made["id"])])
                .status
                .success()
        );
        let other = server.client(text(&other["token"]));
        let before = other.ask("GET", "/Users?count=0", None).await.unwrap().status(200).total();
        client
            .ask("POST", "/Users", Some(&user("ada", json!({}))))
            .await
            .unwrap()
            .error(401, None);
        let after = other.ask("GET", "/Users?count=0", None).await.unwrap().status(200).total();
        assert_eq!(after, before);
        let revoked = listed(&database)
            .into_iter()
            .find(|item| item["id"] == made["id"])
            .unwrap();
        assert!(from_now(&revoked["revoked"]) <= 0);
    }

    async fn a_token_that_is_made_while_the_server_runs_works_at_once(database: Database) {
        let server = Server::start(&database, &[], &[]);
        for _ in 0..3 {
            let made = created(&database, &[]);
            server
                .client(text(&made["token"]))
                .ask("GET", "/Users", None)
                .await
                .unwrap()
                .status(200);
        }
    }

    async fn a_rotated_token_lives_on_for_the_overlap(house: TestHouse) {
        let old = created(&house.database, &[]);
        let new = run_json(
            &house.database,
            &[
                "token",
                "rotate",
                "--tenant",
                "acme",
                text(&old["id"]),
                "--overlap",
                "2h",
                "--json",
            ],
        );
        assert_eq!(keys(&new), ["expires", "id", "token"]);
        assert_ne!((&old["id"], &old["token"]), (&new["id"], &new["token"]));
        let (before, after) = (
            house.with_token(Some(text(&old["token"]))),
            house.with_token(Some(text(&new["token"]))),
        );
        for guest in [&before, &after] {
            guest.get("/Users").await.status(200);
        }
        let two_hours = Clock::system().now().plus(Duration::from_hours(2));
        house.clock().set(two_hours);
        before.get("/Users").await.error(401, None);
        after.get("/Users").await.status(200);
        let listed = listed(&house.database);
        let ends = listed.iter().find(|item| item["id"] == old["id"]).unwrap()["revoked"].clone();
        assert!(from_now(&ends) > 3_600_000_000, "the listing says when it ends");
        house.turn().await;
        let dump = house.dump().await;
        for (kind, token) in [("token.revoked", &old["id"]), ("token.created", &new["id"])] {
            let told = |row: &&String| row.contains(kind) && row.contains(&format!("\"token\":{token}"));
            assert_eq!(dump.table("event").iter().filter(told).count(), 1, "{kind}");
        }
    }

    async fn a_successor_has_the_holder_of_its_predecessor_and_its_own_expiry(database: Database) {
        let old = created(&database, &[]);
        let arguments = [
            "token",
            "rotate",
            "--tenant",
            "acme",
            text(&old["id"]),
            "--expires",
            "30d",
            "--json",
        ];
        let new = run_json(&database, &arguments);
        let items = listed(&database);
        let holder = |id: &Value| items.iter().find(|item| item["id"] == *id).unwrap()["holder"].clone();
        assert_eq!(holder(&old["id"]), holder(&new["id"]));
        assert!(from_now(&new["expires"]) > 29 * 24 * 3_600_000_000);
    }

    async fn a_successor_lasts_as_long_as_its_predecessor_was_made_for(database: Database) {
        for (lifetime, days) in [(&["--expires", "7d"][..], Some(7)), (&[], None)] {
            let old = created(&database, lifetime);
            let new = run_json(&database, &["token", "rotate", "--tenant", "acme", text(&old["id"]), "--json"]);
            match days {
                Some(days) => {
                    let lasts = from_now(&new["expires"]);
                    let day = 24 * 3_600_000_000_i64;
                    assert!((days * day - 60_000_000..=days * day).contains(&lasts), "{new}");
                }
                None => assert_eq!(new["expires"], Value::Null),
            }
            let kept = listed(&database).into_iter().find(|item| item["id"] == new["id"]).unwrap();
            assert_eq!(kept["expires"], new["expires"]);
        }
    }

    async fn what_has_ended_cannot_be_rotated(database: Database) {
        let old = created(&database, &[]);
        assert!(
            run(&database, &["token", "revoke", "--tenant", "acme", text(&old["id"])])
                .status
                .success()
        );
        let count = listed(&database).len();
        fails(
            command(&database).args(["token", "rotate", "--tenant", "acme", text(&old["id"])]),
            1,
        );
        assert_eq!(listed(&database).len(), count);
    }

    async fn when_a_token_was_last_used_is_written_down(database: Database) {
        let made = created(&database, &[]);
        let server = Server::start(&database, &[], &[]);
        server
            .client(text(&made["token"]))
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
        assert!(server.terminate().success());
        let used = listed(&database)
            .into_iter()
            .find(|item| item["id"] == made["id"])
            .unwrap()["last_used"]
            .clone();
        assert!((-60_000_000..=0).contains(&from_now(&used)), "{used}");
    }

    async fn what_does_not_exist_is_said_with_exit_code_1(database: Database) {
        let before = crate::support::dump::Dump::of(&database).await;
        for arguments in [
            &["token", "create", "--tenant", "nowhere", "--connection", "test"][..],
            &["token", "create", "--tenant", "acme", "--connection", "nothing"],
            &["token", "list", "--tenant", "nowhere"],
            &["token", "revoke", "--tenant", "acme", NOBODY],
            &["token", "rotate", "--tenant", "acme", NOBODY],
        ] {
            let complaint = fails(command(&database).args(arguments), 1);
            assert!(complaint.contains("muster: there is no "), "{complaint}");
        }
        before.assert_same(&crate::support::dump::Dump::of(&database).await);
    }

    async fn a_token_of_another_tenant_cannot_be_ended(database: Database) {
        let made = created(&database, &[]);
        fails(
            command(&database).args(["token", "revoke", "--tenant", "neighbour", text(&made["id"])]),
            1,
        );
        let server = Server::start(&database, &[], &[]);
        server
            .client(text(&made["token"]))
            .ask("GET", "/Users", None)
            .await
            .unwrap()
            .status(200);
    }

    async fn commands_that_make_no_sense_are_refused_with_exit_code_2(database: Database) {
        for arguments in [
            &["token", "create", "--tenant", "acme"][..],
            &["token", "create", "--tenant", "acme", "--connection", "test", "--admin"],
            &[
                "token",
                "create",
                "--tenant",
                "acme",
                "--connection",
                "test",
                "--expires",
                "soon",
            ],
            &[
                "token",
                "create",
                "--tenant",
                "acme",
                "--connection",
                "test",
                "--expires=-1d",
            ],
            &[
                "token",
                "create",
                "--tenant",
                "acme",
                "--connection",
                "test",
                "--expires",
                "0d",
            ],
            &["token", "create", "--connection", "test"],
            &["no-such-command"],
        ] {
            fails(command(&database).args(arguments), 2);
        }
    }
}
