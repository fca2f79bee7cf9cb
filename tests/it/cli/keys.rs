//! The keys that a database is begun with, and what happens without them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::cli::server::{command, fails};
use crate::support::database::{Database, Engine};
use crate::support::dump::Dump;

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
        let starts: Vec<_> = (0..4).map(|_| by_file(&empty, &["migrate"]).spawn().unwrap()).collect();
        for mut start in starts {
            assert!(start.wait().unwrap().success());
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
}
