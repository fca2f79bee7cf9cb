//! The keys that a database is begun with, and what happens without them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::admin::desk::{Desk, token};
use crate::cli::server::{Server, command, fails};
use crate::support::TestHouse;
use crate::support::database::{Database, Engine};
use crate::support::dump::Dump;
use crate::support::seam::KEYS;

/// A command that finds its keys in a file.
fn by_file(database: &Database, arguments: &[&str]) -> Command {
    let mut command = command(database);
    command.env_remove("MUSTER_KEY").args(arguments);
    command
}

fn file(database: &Database) -> PathBuf {
    database.folder().join("muster.key")
}

#[track_caller]
fn works(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// All tables, and never begun with keys.
async fn unbegun(database: &Database) {
    const FORGET: &str = "DELETE FROM installation";
    works(by_file(database, &["migrate"]));
    match database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
            sqlx::query(FORGET).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            sqlx::query(FORGET).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
    fs::remove_file(file(database)).unwrap();
}

each_database! {
    async fn the_first_start_makes_a_private_file_and_says_what_it_is(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let said = works(by_file(&empty, &["migrate"]));
        assert!(said.contains("made the key file") && said.contains("apart from backups"), "{said}");
        let text = fs::read_to_string(file(&empty)).unwrap();
        assert!(text.lines().any(|line| line.starts_with("wrap k")), "{text}");
        assert_eq!(fs::metadata(file(&empty)).unwrap().permissions().mode() & 0o777, 0o600);
        let before = Dump::of(&empty).await;
        assert!(!works(by_file(&empty, &["migrate"])).contains("key"));
        assert_eq!(fs::read_to_string(file(&empty)).unwrap(), text);
        before.assert_same(&Dump::of(&empty).await);
        let key = text.lines().last().unwrap().split(' ').next_back().unwrap();
        assert!(before.tables().all(|rows| rows.iter().all(|row| !row.contains(key))), "the key is in the database");
        empty.drop_now().await;
    }

    async fn a_database_does_not_start_without_its_keys(database: Database) {
        let empty = Database::empty(database.engine()).await;
        works(by_file(&empty, &["migrate"]));
        let kept = empty.folder().join("kept");
        fs::rename(file(&empty), &kept).unwrap();
        let before = Dump::of(&empty).await;
        let complaint = fails(&mut by_file(&empty, &["serve", "--listen", "127.0.0.1:0"]), 2);
        assert!(complaint.contains("there is no key file"), "{complaint}");
        assert!(!file(&empty).exists(), "no other one is made");
        let complaint = fails(by_file(&empty, &["tenant", "list"]).env("MUSTER_KEY", "wrap a !"), 2);
        assert!(complaint.contains("line 1 of the key file") && complaint.contains("MUSTER_KEY"), "{complaint}");
        let other = "wrap a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let complaint = fails(by_file(&empty, &["tenant", "list"]).env("MUSTER_KEY", other), 2);
        assert!(complaint.contains("not those that the database was begun with"), "{complaint}");
        before.assert_same(&Dump::of(&empty).await);
        works(by_file(&empty, &["tenant", "list", "--key-file", kept.to_str().unwrap()]));
        empty.drop_now().await;
    }

    async fn of_nodes_that_start_at_once_all_have_one_key(database: Database) {
        let empty = Database::empty(database.engine()).await;
        unbegun(&empty).await;
        let start = |_| by_file(&empty, &["migrate"]).stderr(Stdio::piped()).spawn().unwrap();
        for start in (0..4).map(start).collect::<Vec<_>>() {
            let output = start.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let folder = fs::read_dir(empty.folder()).unwrap();
        let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.contains("key")).collect::<Vec<_>>(), ["muster.key"]);
        empty.drop_now().await;
    }

    async fn of_nodes_that_start_at_once_with_keys_of_their_own_one_is_the_first(database: Database) {
        let empty = Database::empty(database.engine()).await;
        unbegun(&empty).await;
        let starts: Vec<_> = (0..3)
            .map(|node| by_file(&empty, &["migrate", "--key-file", &format!("{node}.key")]).spawn().unwrap())
            .collect();
        let codes: Vec<_> = starts.into_iter().map(|mut start| start.wait().unwrap().code()).collect();
        assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 2))), "{codes:?}");
        empty.drop_now().await;
    }

    async fn everything_is_sealed_anew_while_a_server_runs_and_then_the_old_key_can_go(house: TestHouse) {
        const NEXT: &str = "wrap next bmV4dC1rZXktb2YtdGhlLXRlc3RzLTMyLWJ5dGVzISE=";
        let (desk, token) = (Desk::admin(&house), token(&house, "acme", &["--admin"]));
        let (ada, bob) = (house.user("ada-lovelace").await, house.user("bob").await);
        house.second_tenant().user("neighbour").await;
        house.delete(&format!("/Users/{bob}")).await.no_content();
        desk.post("/webhooks", json!({"name": "Hook", "url": "https://example.com/hook"})).await.status(201);
        let enforcer = json!({"name": "Product", "url": "https://example.com/end", "probe": "https://example.com/open"});
        desk.post("/enforcers", enforcer).await.status(201);
        desk.post("/invitations", json!({"emails": "ilse@acme.test", "role": "analyst"})).await.status(200);
        house.turn().await;
        let wrapped = |keys: &str, arguments: &[&str]| {
            let mut command = command(&house.database);
            command.env("MUSTER_KEY", keys).args(["keys"]).args(arguments);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let both = format!("{NEXT}\n{KEYS}");
        // Nodes that know the new key and do not use it yet find nothing to do.
        assert!(wrapped(&format!("{KEYS}\n{NEXT}"), &["rewrap"]).contains("under `test`; 0 secrets"));
        let counted: Value = serde_json::from_str(&wrapped(&both, &["wraps", "--json"])).unwrap();
        let secrets = counted["items"][1]["secrets"].as_u64().unwrap();
        assert_eq!((&counted["items"][0]["id"], &counted["items"][1]["id"]), (&json!("next"), &json!("test")));
        assert!(secrets >= 9, "four people, a receiver, an enforcer, a mail, a key that signs, the check: {counted}");
        assert!(wrapped(&both, &["wraps"]).contains("test") && wrapped(&both, &["wraps"]).contains("is needed until"));

        let said = wrapped(&both, &["rewrap"]);
        assert!(said.contains("under `next`") && said.contains("the line of `test` is not needed any more"), "{said}");
        let left = Dump::of(&house.database).await;
        for table in left.names() {
            let kept = left.table(table).iter().filter(|row| table != "event" && row.contains("'test."));
            assert_eq!(kept.collect::<Vec<_>>(), Vec::<&String>::new(), "{table}");
        }
        assert!(wrapped(&both, &["rewrap"]).contains("0 secrets were not"), "it is done once");
        assert_eq!(wrapped(NEXT, &["wraps"]).lines().count(), 1, "without the old line");
        let events = desk.get("/events?kind=key.rotated").await.status(200).json;
        assert_eq!(events["items"][0]["data"], json!({"purpose": "wrap", "key": "next", "before": ["test"]}));

        // With the new key alone everything is read: people, what signs, what is shared with receivers.
        let verified = command(&house.database).env("MUSTER_KEY", NEXT).args(["audit", "verify", "--tenant", "acme"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        let server = Server::start(&house.database, &[], &[("MUSTER_KEY", NEXT)]);
        let path = format!("/api/v1/events?subject={ada}&kind=user.created");
        let answer = server.client(&token).send("GET", &path, None, &[]).await.unwrap();
        assert!(answer.text.contains("ada-lovelace"), "{}", answer.text);
        drop(server);
        let complaint = fails(command(&house.database).env("MUSTER_KEY", KEYS).args(["tenant", "list"]), 2);
        assert!(complaint.contains("not those"), "{complaint}");
    }

    async fn what_does_not_open_keeps_nothing_else_from_being_sealed_anew(house: TestHouse) {
        const NEXT: &str = "wrap next bmV4dC1rZXktb2YtdGhlLXRlc3RzLTMyLWJ5dGVzISE=";
        let desk = Desk::admin(&house);
        let (mia, ida) = (house.user("mia").await, house.user("ida").await);
        desk.post("/webhooks", json!({"name": "Hook", "url": "https://example.com/hook"})).await.status(201);
        house.turn().await;
        // The house has only the old key, and reads what signs for the last time.
        house.user("bob").await;
        house.turn().await;
        house.database.execute("CREATE TABLE kept AS SELECT key_check FROM installation").await;
        let damage = "UPDATE resource SET seal = substr(seal, 1, length(seal) - 4) || 'AAAA' WHERE id";
        house.database.execute(&format!("{damage} = '{mia}'")).await;
        let rewrap = || {
            let mut command = command(&house.database);
            command.env("MUSTER_KEY", format!("{NEXT}\n{KEYS}")).args(["keys", "rewrap"]);
            command
        };
        let complaint = fails(&mut rewrap(), 1);
        assert!(complaint.contains("1 do not open") && complaint.contains(&mia), "{complaint}");
        let left = Dump::of(&house.database).await;
        let under = |table: &str, id: &str| left.table(table).iter().filter(|row| row.contains(id)).cloned().collect::<String>();
        assert!(under("resource", &ida).contains("'next.") && under("resource", &mia).contains("'test."));
        assert!(!left.table("receiver").iter().any(|row| row.contains("'test.")), "nor what comes after people");
        let told = async || desk.get("/events?kind=key.rotated").await.status(200).json["items"].as_array().unwrap().len();
        assert_eq!(told().await, 1);
        // Stopped before the last that it does: it is told again rather than never.
        house.database.execute("UPDATE installation SET key_check = (SELECT key_check FROM kept)").await;
        fails(&mut rewrap(), 1);
        assert_eq!(told().await, 2);
        fails(&mut rewrap(), 1);
        assert_eq!(told().await, 2);
    }
}
