//! Starts that cannot be: exit code 2 and a line that says what to do.

use std::net::TcpListener;
use std::path::Path;

use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::cli::server::{Server, command, fails};
use crate::support::database::{Database, Engine};
use crate::support::dump::Dump;

/// `serve` with these arguments must not start; answers what it said.
#[track_caller]
fn refused(database: &Database, arguments: &[&str]) -> String {
    fails(
        command(database)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments),
        2,
    )
}

each_database! {
    async fn a_port_that_is_taken_is_named_and_the_database_stays_untouched(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap().to_string();
        let complaint = fails(command(&empty).args(["serve", "--listen", &address]), 2);
        assert!(
            complaint.contains(&format!("cannot listen on {address}")),
            "{complaint}"
        );
        if empty.engine() == Engine::Sqlite {
            assert!(!empty.folder().join("muster.db").exists());
        } else {
            assert_eq!(Dump::of(&empty).await.rows(), 0);
        }
        empty.drop_now().await;
    }

    async fn a_database_of_a_newer_program_is_left_alone(database: Database) {
        const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                             VALUES (99990101, 'from the future', TRUE, $1, 0)";
        let checksum = vec![7_u8; 48];
        match database.engine() {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
                sqlx::query(NEWER)
                    .bind(checksum)
                    .execute(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(database.url()).await.unwrap();
                sqlx::query(NEWER)
                    .bind(checksum)
                    .execute(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
            }
        }
        let before = Dump::of(&database).await;
        for arguments in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["migrate"],
            &["tenant", "list"],
        ] {
            let complaint = fails(command(&database).args(arguments), 2);
            assert!(complaint.contains("newer version"), "{complaint}");
        }
        before.assert_same(&Dump::of(&database).await);
    }

    async fn a_database_whose_migrations_were_altered_is_left_alone(database: Database) {
        const ALTER: &str = "UPDATE _sqlx_migrations SET checksum = $1";
        let checksum = vec![7_u8; 48];
        match database.engine() {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
                sqlx::query(ALTER)
                    .bind(checksum)
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(database.url()).await.unwrap();
                sqlx::query(ALTER)
                    .bind(checksum)
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
        }
        let complaint = refused(&database, &[]);
        assert!(complaint.contains("migration"), "{complaint}");
    }

    async fn settings_that_cannot_be_are_refused_before_anything_happens(database: Database) {
        let before = Dump::of(&database).await;
        for arguments in [
            &["--listen", "nonsense"][..],
            &["--listen", "127.0.0.1"],
            &["--rate-limit", "0"],
            &["--rate-limit", "fast"],
            &["--trusted-proxy", "everyone"],
            &["--public-url", "muster.example"],
            &["--public-url", "ftp://muster.example"],
            &["--config", "/no/such/muster.toml"],
            &["--log", "muster=loud"],
            &["--no-such-flag"],
        ] {
            let complaint = fails(command(&database).arg("serve").args(arguments), 2);
            assert!(complaint.lines().count() >= 1 && !complaint.is_empty(), "{arguments:?}");
        }
        before.assert_same(&Dump::of(&database).await);
    }

    async fn an_unknown_name_in_the_file_is_refused_by_its_name(database: Database) {
        let file = database.folder().join("muster.toml");
        std::fs::write(&file, "listne = \"127.0.0.1:0\"\n").unwrap();
        let complaint = refused(&database, &["--config", &file.display().to_string()]);
        assert!(complaint.contains("listne"), "{complaint}");
    }

    async fn a_second_server_on_the_same_database_works_too(database: Database) {
        let token = database.keys().await.token;
        let (one, other) = (Server::start(&database, &[], &[]), Server::start(&database, &[], &[]));
        let body = crate::api::bodies::user("ada", serde_json::json!({}));
        let id = one
            .client(&token)
            .ask("POST", "/Users", Some(&body))
            .await
            .unwrap()
            .status(201)
            .id();
        other
            .client(&token)
            .ask("GET", &format!("/Users/{id}"), None)
            .await
            .unwrap()
            .status(200);
        other
            .client(&token)
            .ask("POST", "/Users", Some(&body))
            .await
            .unwrap()
            .error(409, Some("uniqueness"));
    }

    async fn a_url_of_another_kind_is_refused_without_its_password(database: Database) {
        for url in [
            "mysql://root:hunter2@localhost/x",
            "hunter2",
            "sqlite:",
            "sqlite::memory:",
            "postgres://muster:hunter2@[::1/x",
        ] {
            let complaint = refused(&database, &["--database", url]);
            assert!(
                complaint.contains("muster: ") && !complaint.contains("hunter2"),
                "{complaint}"
            );
        }
    }

    async fn a_server_that_does_not_answer_is_said_without_its_password(database: Database) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let complaint = refused(
            &database,
            &["--database", &format!("postgres://muster:hunter2@{free}/muster")],
        );
        assert!(
            complaint.contains("database server") && !complaint.contains("hunter2"),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let database = Database::empty(Engine::Sqlite).await;
    let place = database.folder().join("no/such/folder/muster.db").display().to_string();
    let complaint = refused(&database, &["--database", &format!("sqlite:{place}")]);
    assert!(
        complaint.contains("folder") && complaint.contains(&place),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let database = Database::empty(Engine::Sqlite).await;
    let folder = database.folder().join("taken");
    std::fs::create_dir(&folder).unwrap();
    // The first cannot be written by anyone, root included; the second is a folder.
    for place in [Path::new("/proc/muster.db"), folder.as_path()] {
        let place = place.display().to_string();
        let complaint = refused(&database, &["--database", &format!("sqlite:{place}")]);
        assert!(
            complaint.contains(&place) && complaint.contains("permissions"),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_kept() {
    let database = Database::empty(Engine::Sqlite).await;
    let file = database.folder().join("letters.txt");
    let text = "Dear Ada,\n".repeat(1000);
    std::fs::write(&file, &text).unwrap();
    let complaint = refused(&database, &["--database", &format!("sqlite:{}", file.display())]);
    assert!(complaint.contains("is not a database file"), "{complaint}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_named() {
    let database = Database::fresh(Engine::Sqlite).await;
    let mut holder = SqliteConnection::connect(database.url()).await.unwrap();
    // In this mode SQLite keeps the lock of a write until the connection ends.
    for statement in ["PRAGMA locking_mode = EXCLUSIVE", "UPDATE tenant SET name = name"] {
        sqlx::query(statement).execute(&mut holder).await.unwrap();
    }
    let complaint = refused(&database, &[]);
    assert!(
        complaint.contains("locked by another process") && complaint.contains("muster.db"),
        "{complaint}"
    );
    holder.close().await.unwrap();
    assert!(Server::start(&database, &[], &[]).terminate().success());
}
