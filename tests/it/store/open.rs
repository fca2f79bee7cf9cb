//! Opening a database, and what may be wrong with it.

use std::fs;
use std::time::Duration;

use muster::store::error::OpenFault;
use muster::store::query::Query;
use muster::store::resources::{Groups, New};
use muster::store::{Db, Error, Kind, Options, Reader};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};

use super::shelf::{Shelf, user};
use crate::support::database::{Database, Engine};

async fn fault(url: &str) -> OpenFault {
    let options = Options {
        patience: Duration::from_millis(200),
        ..Options::default()
    };
    match Db::open(url, &options).await {
        Err(Error::Open(fault)) => fault,
        Err(other) => panic!("{url}: {other:?}"),
        Ok(_) => panic!("{url} was opened"),
    }
}

/// Runs a statement beside the store.
async fn execute(database: &Database, statement: &'static str) {
    match database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
            connection.execute(statement).await.unwrap();
            connection.close().await.unwrap();
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            connection.execute(statement).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_no_database_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    for url in [
        "",
        "muster.db",
        "mysql://x",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a.db?mode=ro",
        "postgres://a:b c@[/",
    ] {
        assert!(matches!(fault(url).await, OpenFault::BadUrl(_)), "{url}");
    }
    assert!(matches!(fault(&path("none/muster.db")).await, OpenFault::NoFolder(_)));
    fs::write(
        folder.path().join("text.db"),
        "this is a text, and long enough to be no database header".repeat(100),
    )
    .unwrap();
    assert!(matches!(fault(&path("text.db")).await, OpenFault::NotADatabase(_)));
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    assert!(matches!(fault(&path("folder.db")).await, OpenFault::NotWritable(_)));
    assert!(matches!(
        fault("postgres://nobody@127.0.0.1:1/none").await,
        OpenFault::Connect(_)
    ));
}

#[tokio::test]
async fn a_password_in_the_address_is_not_repeated() {
    let text = format!("{:?}", fault("postgres://user:hunter2@[bad/name").await);
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_file_that_another_process_keeps_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("muster.db").display());
    let mut other = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
    other
        .execute("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE x (y); BEGIN EXCLUSIVE; INSERT INTO x VALUES (1)")
        .await
        .unwrap();
    assert!(matches!(fault(&url).await, OpenFault::InUse(_)));
}

#[tokio::test]
async fn a_file_that_is_up_to_date_is_opened_while_another_process_writes() {
    let database = Database::fresh(Engine::Sqlite).await;
    let mut other = SqliteConnection::connect(database.url()).await.unwrap();
    other
        .execute("BEGIN IMMEDIATE; UPDATE tenant SET name = name")
        .await
        .unwrap();
    let options = Options {
        patience: Duration::from_millis(20),
        ..Options::default()
    };
    let db = Db::open(database.url(), &options).await.unwrap();
    db.migrate().await.unwrap();
    other
        .execute("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .await
        .unwrap();
    other.execute("COMMIT; BEGIN IMMEDIATE").await.unwrap();
    let refused = db.migrate().await;
    assert!(matches!(refused, Err(Error::Open(OpenFault::InUse(_)))), "{refused:?}");
    db.close().await;
}

each_database! {
    async fn a_database_is_migrated_once_and_keeps_what_is_in_it(shelf: Shelf) {
        let (_, id) = shelf.user("ada").await;
        shelf.db.close().await;
        let db = Db::open(shelf.database.url(), &Options::default()).await.unwrap();
        db.migrate().await.unwrap();
        db.migrate().await.unwrap();
        db.ping().await.unwrap();
        let found = Reader::new(db.clone(), shelf.tenant).resources().find(Kind::User, &id, None, Groups::LeftOut).await.unwrap();
        assert!(found.is_some());
        db.close().await;
        assert!(db.ping().await.is_err());
    }

    async fn a_database_of_a_newer_version_is_refused(shelf: Shelf) {
        shelf.db.close().await;
        execute(&shelf.database, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2").await;
        let db = Db::open(shelf.database.url(), &Options::default()).await.unwrap();
        let refused = db.migrate().await;
        assert!(matches!(refused, Err(Error::Open(OpenFault::Newer(9999)))), "{refused:?}");
        db.close().await;
    }

    async fn another_process_may_write_to_the_same_database(shelf: Shelf) {
        let other = Shelf { db: Db::open(shelf.database.url(), &Options::default()).await.unwrap(), ..shelf.clone() };
        for round in 0..10 {
            shelf.user(&format!("a{round}")).await;
            other.user(&format!("b{round}")).await;
        }
        assert_eq!(shelf.all(Kind::User).await.len(), 20);
        other.db.close().await;
    }

    async fn a_question_that_takes_too_long_is_given_up(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        for number in 0..3000 {
            let id = shelf.ids.next();
            let content = shelf.content(Kind::User, &user(&format!("user{number}")));
            let new = New { kind: Kind::User, id: &id, connection: None, external_id: None, seal: None, content: &content, now: shelf.now() };
            unit.resources().insert_later(new).await.unwrap();
        }
        unit.save().await.unwrap();
        let db = Db::open(shelf.database.url(), &Options { longest: Duration::from_millis(1), ..Options::default() }).await.unwrap();
        let users = shelf.registry.resource_type("User").unwrap();
        let text = vec!["schemas co \"x\" and not (groups pr)"; 60].join(" or ");
        let filter = muster::scim::filter::Filter::parse(&text).unwrap();
        let filter = muster::scim::filter::check(&filter, &[users]).unwrap();
        let query = Query { kinds: &[Kind::User], filter: Some(&filter), sort: None, offset: 0, limit: 10, connection: None, groups: Groups::LeftOut, by_rule: None };

        let outcome = Reader::new(db.clone(), shelf.tenant).queries().list(&query).await;

        assert!(matches!(outcome, Err(Error::TooLong)), "{outcome:?}");
        db.close().await;
    }
}
