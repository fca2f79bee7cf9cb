//! Requests whose clients do not wait, when something comes between: a crash, a suspension, a purge, too many of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::requests::{ask, later, refused, result};
use crate::admin::desk::Desk;
use crate::api::bodies::{patch_op, user};
use crate::closing::town::another;
use crate::lifecycle::purge::{refuse, taken};
use crate::log::folded::events;
use crate::support::TestHouse;
use crate::support::database::Database;
use crate::support::program::Program;
use crate::support::seam;

/// Requests that are taken on before the server is killed.
const TAKEN_ON: usize = 40;

/// Rows that wait for ever, so many and so long.
fn waiting(requests: i64, bytes: i64) -> String {
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT n.i + 1 FROM n WHERE n.i < {requests}) \
         INSERT INTO deferred (tenant_id, uid, connection_id, method, endpoint, state, bytes, attempts, due, created, sealed) \
         SELECT c.tenant_id, 'w' || n.i, c.id, 'POST', '/Users', 'waiting', {bytes}, 0, 9000000000000000000, 0, 'x.y' \
         FROM n CROSS JOIN connection c WHERE c.name = 'test' AND c.tenant_id = (SELECT t.id FROM tenant t WHERE t.slug = 'acme')"
    )
}

async fn suspend(desk: &Desk, path: &str) {
    desk.post(&format!("{path}/suspend"), json!({"users": "keep", "reason": "enough"}))
        .await
        .status(202);
}

fn title(text: &str) -> Value {
    patch_op(&json!([{"op": "replace", "path": "title", "value": text}]))
}

each_database! {
    async fn what_was_taken_on_is_done_after_the_server_was_killed(database: Database) {
        let token = database.keys().await.token;
        let mut server = Program::serve(&database).await;
        let mut txns = Vec::new();
        for round in 0..3 {
            let client = server.client(&token);
            for number in 0..TAKEN_ON {
                let body = user(&format!("u{round}-{number}"), json!({}));
                let answer = client.ask_with("POST", "/Users", Some(&body), &[("Prefer", "respond-async")]).await.unwrap();
                txns.push(answer.status(202).header("set-txn").to_owned());
            }
            server.kill();
            database.settle().await;
            server = Program::serve(&database).await;
        }
        let client = server.client(&token);
        for txn in &txns {
            let path = format!("/AsyncResults/{txn}");
            while client.ask("GET", &path, None).await.unwrap().status == 202 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(client.ask("GET", &path, None).await.unwrap().status, 200);
        }
        let found = client.ask("GET", "/Users?filter=userName%20sw%20%22u%22&count=0", None).await.unwrap();
        assert_eq!(found.total(), txns.len() as u64, "each is done once");
        assert!(server.stop().success());
    }

    async fn what_waits_of_a_suspended_connection_is_refused_and_told(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let mia = okta.user("mia").await;
        let post = later(&okta, "POST", "/Users", Some(user("bob", json!({})))).await;
        let patch = later(&okta, "PATCH", &format!("/Users/{mia}"), Some(title("x"))).await;
        let own = later(&house, "POST", "/Users", Some(user("eve", json!({})))).await;
        suspend(&desk, &format!("/connections/{id}")).await;
        // Resumed before anybody looks: what waited was refused all the same.
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        house.turn().await;
        house.clock().advance(Duration::from_secs(2));
        tokio::time::sleep(muster::service::credentials::REMEMBERED_FOR).await;
        for txn in [&post, &patch] {
            let (status, _, reason) = refused(&okta, txn).await;
            assert_eq!(status, "403");
            assert!(reason.contains("suspended"), "{reason}");
        }
        assert_eq!(house.find("/Users", "userName eq \"bob\"").await.total(), 0);
        assert_eq!(house.get(&format!("/Users/{mia}")).await.json.get("title"), None);
        assert_eq!(result(&house, &own).await.payload()["status"], "201", "others go on");
        let all = events(&desk).await;
        let told: Vec<_> = all.iter().filter(|event| event["kind"] == "request.answered" && event["connection"] == "okta").collect();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|event| event["data"]["status"] == 403));
    }

    async fn what_waits_of_a_suspended_organisation_is_refused_and_told(house: TestHouse) {
        let desk = Desk::admin(&house);
        let txn = later(&house, "POST", "/Users", Some(user("bob", json!({})))).await;
        suspend(&desk, "/tenant").await;
        house.turn().await;
        desk.post("/tenant/resume", json!({})).await.status(202);
        house.turn().await;
        house.clock().advance(Duration::from_secs(2));
        tokio::time::sleep(muster::service::credentials::REMEMBERED_FOR).await;
        assert_eq!(refused(&house, &txn).await.0, "403");
        assert_eq!(house.find("/Users", "userName eq \"bob\"").await.total(), 0);
    }

    async fn what_provisioning_says_of_who_is_kept_out_is_kept_with_the_end_of_its_waiting(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.post(&format!("/users/{ada}/suspend"), json!({})).await.status(200);
        let off = patch_op(&json!([{"op": "replace", "path": "active", "value": false}]));
        let txn = later(&house, "PATCH", &format!("/Users/{ada}"), Some(off)).await;
        refuse(&house.database, "deferred", "NEW.state = 'done'").await;
        house.turn().await;
        let dump = house.dump().await;
        let [status] = dump.table("user_status") else { panic!("one status") };
        assert!(status.contains("source_active=1") || status.contains("source_active='1'"), "{status}");
        house.get(&format!("/AsyncResults/{txn}")).await.status(202);
        let told = events(&desk).await.iter().filter(|event| event["kind"] == "user.source_noted").count();
        assert_eq!(told, 0);
    }

    async fn no_more_waits_of_a_connection_than_may(house: TestHouse) {
        let (_, okta) = another(&house, "okta").await;
        house.database.execute(&waiting(999, 1)).await;
        let last = later(&house, "DELETE", "/Users/x", None).await;
        let full = ask(&house, "DELETE", "/Users/y", None, &[]).await;
        assert_eq!(full.header("retry-after"), "1");
        let detail = full.error(429, None);
        assert!(detail.contains("1000 requests"), "{detail}");
        later(&okta, "DELETE", "/Users/y", None).await;
        house.delete("/Users/y").await.error(404, None);
        house.turn().await;
        assert_eq!(refused(&house, &last).await.0, "404");
        later(&house, "DELETE", "/Users/y", None).await;
        house.database.execute("DELETE FROM deferred").await;
        house.database.execute(&waiting(1, 16 << 20)).await;
        ask(&house, "DELETE", "/Users/z", None, &[]).await.error(429, None);
    }

    async fn what_waits_is_sealed_and_gone_when_it_is_done_or_the_person_is_purged(house: TestHouse) {
        let canary = "sealed-canary-7d1f";
        let there = |database: &Database| {
            let bytes = taken(database);
            bytes.windows(canary.len()).any(|window| window == canary.as_bytes())
        };
        let mia = house.user("mia").await;
        let path = format!("/Users/{mia}");
        let waits = later(&house, "PATCH", &path, Some(title(canary))).await;
        assert!(!there(&house.database), "what waits is sealed");
        house.delete(&path).await.no_content();
        Desk::admin(&house).post(&format!("/users/{mia}/purge"), json!({})).await.status(202);
        let dump = house.dump().await;
        let [row] = dump.table("deferred") else { panic!("one row") };
        assert!(row.contains("refused"), "nothing of it is kept: {row}");
        house.turn().await;
        assert_eq!(refused(&house, &waits).await.0, "404");
        let other = later(&house, "POST", "/Users", Some(user(canary, json!({"active": "perhaps"})))).await;
        house.turn().await;
        let dump = house.dump().await;
        assert_eq!(dump.tables_with(canary), [""; 0], "why it was refused is sealed, too");
        assert_eq!(refused(&house, &other).await.0, "400");
    }

    async fn nobody_waits_for_the_backlog_of_somebody_else(house: TestHouse) {
        let (_, okta) = another(&house, "okta").await;
        let sales = house.group("Sales").await;
        for number in 0..40 {
            let rename = patch_op(&json!([{"op": "replace", "path": "displayName", "value": format!("Sales {number}")}]));
            later(&house, "PATCH", &format!("/Groups/{sales}"), Some(rename)).await;
        }
        later(&okta, "POST", "/Users", Some(user("mia", json!({})))).await;
        later(&house, "POST", "/Users", Some(user("bob", json!({})))).await;
        seam::do_some_deferred(house.rooms()).await;
        for name in ["mia", "bob"] {
            assert_eq!(house.find("/Users", &format!("userName eq \"{name}\"")).await.total(), 1, "{name}");
        }
        assert_eq!(house.get(&format!("/Groups/{sales}")).await.json["displayName"], "Sales 3");
        house.turn().await;
        assert_eq!(house.get(&format!("/Groups/{sales}")).await.json["displayName"], "Sales 39");
    }

    async fn a_body_of_any_depth_that_is_let_in_is_done_as_if_its_client_waited(house: TestHouse) {
        let deep = |name: &str| {
            let nested = (0..125).fold(json!([]), |inner, _| json!([inner]));
            user(name, json!({"deep": nested}))
        };
        let told = house.post("/Users", deep("ada")).await.status;
        let txn = later(&house, "POST", "/Users", Some(deep("bob"))).await;
        house.turn().await;
        assert_eq!(result(&house, &txn).await.payload()["status"], told.to_string());
        // One more is let in by nobody.
        let deeper = json!({"deep": deep("eve")});
        house.post("/Users", deeper.clone()).await.error(400, Some("invalidSyntax"));
        ask(&house, "POST", "/Users", Some(deeper), &[]).await.error(400, Some("invalidSyntax"));
    }

    async fn a_fault_of_ours_is_tried_again_and_holds_up_what_came_after_it(house: TestHouse) {
        let (mia, bob) = (house.user("mia").await, house.user("bob").await);
        let path = format!("/Users/{mia}");
        let first = later(&house, "PATCH", &path, Some(title("first"))).await;
        house.database.execute("UPDATE deferred SET sealed = 'x' || sealed").await;
        let second = later(&house, "PATCH", &path, Some(title("second"))).await;
        let other = later(&house, "PATCH", &format!("/Users/{bob}"), Some(title("other"))).await;
        house.turn().await;
        for waits in [&first, &second] {
            house.get(&format!("/AsyncResults/{waits}")).await.status(202);
        }
        assert!(!seam::is_deferred(house.rooms()).await, "what waits behind another one is nothing to do");
        assert_eq!(result(&house, &other).await.payload()["status"], "200");
        house.database.execute("UPDATE deferred SET sealed = substr(sealed, 2) WHERE state = 'waiting' AND sealed LIKE 'x%'").await;
        house.clock().advance(Duration::from_secs(61));
        house.turn().await;
        assert_eq!(house.get(&path).await.json["title"], "second");
        assert_eq!(result(&house, &first).await.payload()["version"], "W/\"2\"");

        let broken = later(&house, "PATCH", &path, Some(title("never"))).await;
        house.database.execute("UPDATE deferred SET sealed = 'x' || sealed WHERE state = 'waiting'").await;
        house.turn().await;
        house.clock().advance(Duration::from_hours(1));
        house.turn().await;
        assert_eq!(refused(&house, &broken).await.0, "500");
        assert_eq!(house.get(&path).await.json["title"], "second");
    }
}
