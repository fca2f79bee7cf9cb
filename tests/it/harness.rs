//! The tests' own tools: what they promise, every other test builds on.

use axum::http::Method;
use serde_json::json;

use crate::support::TestHouse;
use crate::support::database::{Database, Engine};
use crate::support::program::{self, Program};

each_database! {
    async fn a_house_begins_without_users_and_with_ids_that_are_counted(house: TestHouse) {
        assert_eq!(house.get("/Users").await.status(200).total(), 0);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        assert_ne!(ada, bob);
        assert_eq!(house.find("/Users", "userName eq \"ADA\"").await.ids(), [ada]);
    }

    async fn the_clock_stands_still_until_it_is_moved(house: TestHouse) {
        let path = format!("/Users/{}", house.user("ada").await);
        let born = house.get(&path).await.json["meta"]["created"].clone();
        assert!(born.as_str().unwrap().starts_with("2026-01-01T00:00:00"), "{born}");
        house.clock().advance(std::time::Duration::from_secs(1));
        let changed = house.patch(&path, json!([{"op": "replace", "path": "title", "value": "Countess"}])).await;
        assert_ne!(changed.status(200).json["meta"]["lastModified"], born);
    }

    async fn a_dump_sees_a_write_and_nothing_else(house: TestHouse) {
        let before = house.dump().await;
        house.get("/Users").await.status(200);
        house.dump().await.assert_same(&before);
        house.user("ada").await;
        assert!(house.dump().await.rows() > before.rows());
    }

    async fn the_neighbour_sees_another_tenant(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        house.join(&sales, &ada).await;
        assert_eq!(house.get(&format!("/Groups/{sales}")).await.values_of("members"), std::slice::from_ref(&ada));
        house.second_tenant().get(&format!("/Users/{ada}")).await.error(404, None);
    }

    async fn a_new_token_opens_the_house_and_no_token_does_not(house: TestHouse) {
        let token = house.token(&[]);
        house.with_token(Some(&token)).get("/Users").await.status(200);
        house.with_token(None).get("/Users").await.error(401, None);
    }

    async fn the_log_is_kept_and_says_no_names(house: TestHouse) {
        let ada = house.user("ada-of-the-log").await;
        house.put(&format!("/Users/{ada}"), json!({"userName": "ada-of-the-log", "title": "t"})).await.status(200);
        house.delete(&format!("/Users/{ada}")).await.no_content();
        house.scim(Method::POST, "/Users", None, &[("content-type", "application/json")]).await.status(400);
        assert_ne!(house.logs.text(), "");
        house.logs.never_say("ada-of-the-log");
    }

    async fn an_empty_database_is_migrated_by_the_first_start(database: Database) {
        let empty = Database::empty(database.engine()).await;
        let made = program::run_json(&empty, &["tenant", "create", "acme", "--json"]);
        assert_eq!(made["slug"], "acme");
        empty.drop_now().await;
    }
}

#[tokio::test]
async fn a_server_that_is_stopped_ends_well_and_complains_of_nothing_that_is_secret() {
    let database = Database::fresh(Engine::Sqlite).await;
    let server = Program::serve(&database).await;
    let token = database.keys().await.token;
    server
        .client(&token)
        .ask("GET", "/Users", None)
        .await
        .unwrap()
        .status(200);
    assert!(!server.complaints().contains(&token));
    assert!(server.stop().success());
}
