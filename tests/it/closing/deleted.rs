//! What is left when a connection is deleted, and what is in the way.

use std::time::Duration;

use serde_json::{Value, json};

use super::town::{another, last, own, statuses, work};
use crate::admin::desk::{Desk, Problems as _};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::database::Database;

/// Suspends a connection with its users, and waits until they are.
async fn suspend(house: &TestHouse, desk: &Desk, id: &str) {
    let suspension = json!({ "users": "suspend" });
    desk.post(&format!("/connections/{id}/suspend"), suspension)
        .await
        .status(202);
    work(house).await;
}

/// Has the key of somebody be none that opens.
async fn damage(database: &Database, id: &str) {
    let damage = format!("UPDATE resource SET seal = 'test.x' WHERE id = '{id}'");
    assert_eq!(database.execute(&damage).await, 1);
}

each_database! {
    async fn whom_a_deleted_connection_had_suspended_can_come_by_another_one(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        suspend(&house, &desk, &id).await;
        house.delete(&format!("/Users/{bob}")).await.no_content();
        desk.delete(&format!("/connections/{id}?users=delete")).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["gone"]);
        let again = house.post("/Users", user("ada", json!({ "active": true }))).await.status(201);
        assert_eq!(again.json["active"], true);
        desk.post(&format!("/users/{bob}/restore"), json!({})).await.status(200);
        assert_eq!(statuses(&desk, &[&again.id(), &bob]).await, ["active", "active"]);
    }

    async fn nobody_is_left_behind_who_is_kept_out_by_what_nobody_can_resume(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        suspend(&house, &desk, &id).await;
        house.delete(&format!("/Users/{bob}")).await.no_content();
        let path = format!("/connections/{id}?users=keep");
        let problem = desk.delete(&path).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("resume it first"), "{problem}");
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        desk.delete(&path).await.status(202);
        assert_eq!(statuses(&desk, &[&ada]).await, ["active"]);
        assert_eq!(house.post("/Users", user("bob", json!({}))).await.status(201).json.get("active"), None);
    }

    async fn whom_a_connection_that_works_has_is_let_in_with_it_whoever_was_suspended_last(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ((okta_id, okta), (hr_id, hr)) = (another(&house, "okta").await, another(&house, "hr").await);
        let ada = okta.user("ada").await;
        hr.patch(&format!("/Users/{ada}"), json!([{ "op": "add", "path": "externalId", "value": "a-1" }])).await.status(200);
        let zoe = hr.user("zoe").await;
        suspend(&house, &desk, &okta_id).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["active"], "a connection that works has them");
        suspend(&house, &desk, &hr_id).await;
        assert_eq!(statuses(&desk, &[&ada, &zoe]).await, ["suspended", "suspended"]);
        desk.post(&format!("/connections/{okta_id}/resume"), json!({})).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &zoe]).await, ["active", "suspended"]);
        // Somebody who comes to be shared later is let in when it is deleted.
        okta.patch(&format!("/Users/{zoe}"), json!([{ "op": "add", "path": "externalId", "value": "z-1" }])).await.status(200);
        desk.delete(&format!("/connections/{hr_id}?users=deactivate")).await.status(202);
        work(&house).await;
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &zoe]).await, ["active", "active"]);
    }

    async fn who_may_not_end_accounts_stops_nothing_that_does(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        let role = json!({ "name": "Plumber", "permissions": ["org.integrations.manage"] });
        let role = desk.post("/roles", role).await.status(201).id();
        let paul = house.user("paul").await;
        desk.grant(&paul, &role, "all").await;
        let own = Desk::user(&house, &paul);
        let path = format!("/connections/{id}/suspend");
        desk.post(&path, json!({ "users": "deactivate" })).await.status(202);
        own.post(&path, json!({ "users": "keep" })).await.problem(403, "forbidden");
        own.delete(&format!("/connections/{id}?users=keep")).await.problem(403, "forbidden");
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["deactivated"]);
        own.post(&path, json!({ "users": "keep" })).await.status(202);
    }

    async fn who_cannot_be_changed_keeps_nobody_else_from_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        damage(&house.database, &ada).await;
        suspend(&house, &desk, &id).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["active", "suspended"]);
        let shown = desk.get(&format!("/connections/{id}")).await.status(200).json["users"].clone();
        assert_eq!([&shown["state"], &shown["turned"], &shown["failed"]], [&json!("done"), &json!(1), &json!(1)]);
        assert_eq!(last(&desk, "connection.users_turned").await["data"]["failed"], 1);
        desk.delete(&format!("/connections/{id}?users=delete")).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["active", "gone"]);
        let told: Value = last(&desk, "connection.users_turned").await["data"].clone();
        assert_eq!([&told["turned"], &told["failed"]], [&json!(1), &json!(1)]);
    }

    async fn whose_account_was_to_end_is_not_let_in_because_it_could_not(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob) = (okta.user("ada").await, okta.user("bob").await);
        suspend(&house, &desk, &id).await;
        let seal = async |seal: &str| {
            let set = format!("UPDATE resource SET seal = {seal} WHERE id = '{ada}'");
            assert_eq!(house.database.execute(&set).await, 1);
        };
        // It does not open for now.
        seal("'x' || seal").await;
        desk.delete(&format!("/connections/{id}?users=deactivate")).await.status(202);
        work(&house).await;
        assert_eq!(last(&desk, "connection.users_turned").await["data"]["failed"], 1);
        seal("substr(seal, 2)").await;
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["suspended", "deactivated"]);
    }

    async fn what_a_clock_began_that_was_ahead_is_not_put_off(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        let before = house.clock().now();
        house.clock().advance(Duration::from_hours(1));
        desk.post(&format!("/connections/{id}/suspend"), json!({ "users": "deactivate" })).await.status(202);
        house.clock().set(before);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["deactivated"]);
    }

    async fn somebody_who_was_linked_belongs_to_the_connection_that_has_them_now(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.patch("/settings", json!({ "rehire": "link" })).await.status(200);
        let ((okta_id, okta), hr_id) = (another(&house, "okta").await, own(&desk).await);
        let numbered = || user("ada", json!({ "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "employeeNumber": "7" } }));
        let ada = okta.post("/Users", numbered()).await.status(201).id();
        okta.delete(&format!("/Users/{ada}")).await.no_content();
        assert_eq!(house.post("/Users", numbered()).await.status(201).id(), ada);
        let counts = desk.get(&format!("/connections/{okta_id}")).await.status(200).json["counts"].clone();
        assert_eq!(counts["users"], 0);
        desk.post(&format!("/connections/{hr_id}/suspend"), json!({ "users": "deactivate" })).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["deactivated"]);
    }
}
