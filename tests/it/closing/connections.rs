//! A connection is suspended, resumed, deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::town::{another, last, own, statuses, told, work};
use crate::admin::desk::{Desk, Problems as _};
use crate::api::bodies::user;
use crate::support::TestHouse;
use crate::support::program::run;

/// What a suspension says of the users, and a reason.
fn suspension(users: &str) -> Value {
    json!({ "users": users, "reason": "the contract is over" })
}

each_database! {
    async fn its_tokens_do_not_work_until_it_is_resumed(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        let suspended = desk.post(&format!("/connections/{id}/suspend"), suspension("keep")).await.status(202).json;
        assert_eq!((&suspended["state"], &suspended["users"]["state"]), (&json!("suspended"), &json!("done")));
        let detail = okta.get(&format!("/Users/{ada}")).await.error(403, None);
        assert_eq!(detail, "the connection that this token belongs to is suspended");
        okta.post("/Users", user("bob", json!({}))).await.error(403, None);
        // Others go on, and so do its users.
        house.get(&format!("/Users/{ada}")).await.status(200);
        assert_eq!(statuses(&desk, &[&ada]).await, ["active"]);
        let listed = desk.get("/connections").await.json;
        let states: BTreeSet<&str> = listed["items"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!(states, BTreeSet::from(["active", "suspended"]));
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        house.clock().advance(Duration::from_secs(2));
        tokio::time::sleep(muster::service::credentials::REMEMBERED_FOR).await;
        okta.get(&format!("/Users/{ada}")).await.status(200);
        let seen = told(&desk).await;
        assert_eq!((seen["connection.suspended"], seen["connection.resumed"]), (1, 1));
        assert_eq!(last(&desk, "connection.suspended").await["data"]["users"], "keep");
    }

    async fn whom_it_is_about_is_told_before_anything_is_done(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, _bob) = (okta.user("ada").await, house.user("bob").await);
        let cyd = okta.post("/Users", user("cyd", json!({ "active": false }))).await.status(201).id();
        let dora = okta.user("dora").await;
        // Two more ways to be one of its users: by its name for somebody whom nobody provisions any more, and shared.
        house.patch(&format!("/Users/{dora}"), json!([{ "op": "add", "path": "externalId", "value": "d-1" }])).await.status(200);
        let counts = desk.get(&format!("/connections/{id}")).await.status(200).json["counts"].clone();
        assert_eq!(counts, json!({ "users": 2, "active": 1, "shared": 1, "tokens": 1 }));
        desk.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &cyd, &dora]).await, ["suspended", "deactivated", "active"]);
    }

    async fn resuming_gives_back_exactly_whom_the_suspension_kept_out(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let mut users = Vec::new();
        for name in ["plain", "held", "before", "after", "gone", "off"] {
            users.push(okta.user(name).await);
        }
        let [plain, held, before, after, gone, off] = &users[..] else { panic!("six users") };
        desk.grant(plain, "manager", "all").await;
        let stranger = house.user("stranger").await;
        desk.post(&format!("/users/{before}/suspend"), json!({})).await.status(200);
        okta.patch(&format!("/Users/{off}"), json!([{ "op": "replace", "path": "active", "value": false }])).await.status(200);

        desk.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.status(202);
        work(&house).await;
        let all = [plain, held, before, after, gone, off, &stranger];
        let expected = ["suspended", "suspended", "suspended", "suspended", "suspended", "deactivated", "active"];
        assert_eq!(statuses(&desk, &all).await, expected);
        assert!(!desk.may(plain, "record.edit", ("lead", "1")).await);
        let status = desk.get(&format!("/users/{plain}/status")).await.json;
        assert_eq!(status["hold"]["reason"], "the contract is over");
        let shown = desk.get(&format!("/connections/{id}")).await.json;
        assert_eq!((&shown["users"]["state"], &shown["users"]["turned"]), (&json!("done"), &json!(4)));

        // An administrator makes one of them a suspension of their own, ends another one, and one is deleted.
        desk.post(&format!("/users/{held}/suspend"), json!({ "reason": "mine" })).await.status(200);
        desk.post(&format!("/users/{after}/deactivate"), json!({})).await.status(200);
        house.delete(&format!("/Users/{gone}")).await.no_content();

        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        let expected = ["active", "suspended", "suspended", "deactivated", "gone", "deactivated", "active"];
        assert_eq!(statuses(&desk, &all).await, expected);
        assert!(desk.may(plain, "record.edit", ("lead", "1")).await);
        // Who is restored is what they were before the suspension.
        desk.post(&format!("/users/{gone}/restore"), json!({})).await.status(200);
        assert_eq!(statuses(&desk, &[gone]).await, ["active"]);
        let turned = last(&desk, "connection.users_turned").await;
        assert_eq!((&turned["data"]["users"], &turned["data"]["turned"]), (&json!("return"), &json!(1)));
    }

    async fn who_is_created_anew_meanwhile_is_kept_out_as_well_and_returns(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        desk.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.status(202);
        work(&house).await;
        house.delete(&format!("/Users/{ada}")).await.no_content();
        let again = house.user("ada").await;
        assert_eq!(statuses(&desk, &[&again]).await, ["suspended"]);
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&again]).await, ["active"]);
    }

    async fn those_who_must_stay_do_and_everybody_else_has_a_run(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (owner, admin, ada, bob) = (okta.user("owner").await, okta.user("admin").await, okta.user("ada").await, okta.user("bob").await);
        desk.post("/ownership", json!({ "to": owner })).await.status(200);
        desk.grant(&admin, "admin", "all").await;
        desk.patch("/settings", json!({ "break_glass": ["admin"] })).await.status(200);
        desk.post(&format!("/connections/{id}/suspend"), suspension("deactivate")).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&owner, &admin, &ada, &bob]).await, ["active", "active", "deactivated", "deactivated"]);
        let shown = desk.get(&format!("/connections/{id}")).await.json;
        assert_eq!((&shown["users"]["turned"], &shown["users"]["stayed"]), (&json!(2), &json!(2)));
        house.turn().await;
        let runs = desk.get("/offboarding-runs").await.status(200).json;
        let runs: BTreeSet<&str> = runs["items"].as_array().unwrap().iter().map(|run| run["user"]["id"].as_str().unwrap()).collect();
        assert_eq!(runs, BTreeSet::from([ada.as_str(), bob.as_str()]));
        // That is for good: whoever resumes it gives nothing of it back.
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada, &bob]).await, ["deactivated", "deactivated"]);
        let event = last(&desk, "user.deactivated").await;
        assert_eq!((&event["actor"]["kind"], &event["actor"]["id"]), (&json!("system"), &json!("closing")));
        assert_eq!(event["request_id"], shown["users"]["id"]);
    }

    async fn a_connection_that_is_deleted_takes_its_users_along_if_that_is_said(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let (ada, bob, other) = (okta.user("ada").await, okta.user("bob").await, house.user("other").await);
        desk.grant(&ada, "admin", "all").await;
        let path = format!("/connections/{id}");
        assert_eq!(desk.delete(&path).await.problem(400, "invalid-value")["parameter"], "users");
        desk.delete(&format!("{path}?users=suspend")).await.problem(400, "invalid-value");
        let deleted = desk.delete(&format!("{path}?users=delete")).await.status(202).json;
        assert_eq!(deleted["state"], "deleted");
        okta.get("/Users").await.status(401);
        desk.get(&path).await.problem(404, "not-found");
        desk.post(&format!("{path}/resume"), json!({})).await.problem(404, "not-found");
        assert_eq!(desk.get("/connections").await.json["items"].as_array().unwrap().len(), 1);
        desk.post("/connections", json!({ "name": "okta" })).await.problem(409, "conflict");
        work(&house).await;
        // The last administrator stays.
        assert_eq!(statuses(&desk, &[&ada, &bob, &other]).await, ["active", "gone", "active"]);
        let turned = last(&desk, "connection.users_turned").await["data"].clone();
        assert_eq!((&turned["turned"], &turned["stayed"]), (&json!(1), &json!(1)));
        let seen = told(&desk).await;
        assert_eq!((seen["connection.deleted"], seen["token.revoked"], seen["user.deleted"]), (1, 1, 1));
        desk.post(&format!("/users/{bob}/restore"), json!({})).await.status(200);
    }

    async fn what_is_decided_anew_stops_what_goes_on(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        desk.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.status(202);
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["active"]);
        assert_eq!(told(&desk).await.get("user.suspended"), None, "nothing was done of it");
        // Asked again, other users' fate is decided; the suspension is the one it was.
        let first = desk.post(&format!("/connections/{id}/suspend"), suspension("keep")).await.status(202).json;
        house.clock().advance(Duration::from_mins(1));
        let second = desk.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.status(202).json;
        assert_eq!(first["since"], second["since"]);
        work(&house).await;
        assert_eq!(statuses(&desk, &[&ada]).await, ["suspended"]);
    }

    async fn more_users_than_one_unit_takes_are_each_changed_once_also_by_two_servers(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, okta) = another(&house, "okta").await;
        let mut users = Vec::new();
        for number in 0..230 {
            users.push(okta.user(&format!("person-{number}")).await);
        }
        desk.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.status(202);
        house.clock().advance(Duration::from_secs(5));
        house.close_at_once().await;
        let shown = desk.get(&format!("/connections/{id}")).await.json;
        assert_eq!((&shown["users"]["state"], &shown["users"]["turned"]), (&json!("done"), &json!(230)));
        assert_eq!(shown["counts"], json!({ "users": 230, "active": 0, "shared": 0, "tokens": 1 }));
        let seen = told(&desk).await;
        assert_eq!((seen["user.suspended"], seen["connection.users_turned"]), (230, 1));
        let some = [&users[0], &users[99], &users[100], &users[229]];
        assert_eq!(statuses(&desk, &some).await, ["suspended"; 4]);
        desk.post(&format!("/connections/{id}/resume"), json!({})).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &some).await, ["active"; 4]);
        assert_eq!(told(&desk).await["user.activated"], 230);
    }

    async fn what_is_held_of_a_suspended_connection_waits_for_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let id = own(&desk).await;
        desk.patch("/settings", json!({ "when_refused": "park" })).await.status(200);
        let ada = house.user("ada").await;
        desk.grant(&ada, "admin", "all").await;
        house.delete(&format!("/Users/{ada}")).await.status(409);
        let waits = desk.get("/pending").await.status(200).json["items"][0].clone();
        let apply = format!("/pending/{}/apply", waits["id"].as_str().unwrap());
        desk.post(&format!("/connections/{id}/suspend"), suspension("keep")).await.status(202);
        let problem = desk.post(&apply, json!({})).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("suspended"), "{problem}");
        assert_eq!(desk.get("/pending").await.json["items"].as_array().unwrap().len(), 1);
    }

    async fn who_may_not_end_accounts_may_suspend_a_connection_and_keep_its_users(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (id, _) = another(&house, "okta").await;
        let role = json!({ "name": "Plumber", "permissions": ["org.integrations.manage"] });
        let role = desk.post("/roles", role).await.status(201).id();
        let paul = house.user("paul").await;
        desk.grant(&paul, &role, "all").await;
        let own = Desk::user(&house, &paul);
        own.post(&format!("/connections/{id}/suspend"), suspension("suspend")).await.problem(403, "forbidden");
        own.post(&format!("/connections/{id}/suspend"), suspension("keep")).await.status(202);
        own.post(&format!("/connections/{id}/resume"), json!({})).await.problem(403, "forbidden");
        own.ask(Method::DELETE, &format!("/api/v1/connections/{id}?users=delete"), None, &[]).await.problem(403, "forbidden");
    }

    async fn the_same_is_said_on_the_command_line(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (_, okta) = another(&house, "okta").await;
        let ada = okta.user("ada").await;
        let said = |arguments: &[&str]| {
            let line = [&["connection"], arguments, &["--tenant", "acme", "okta"]].concat();
            let output = run(&house.database, &line);
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(said(&["users"]), "okta is active\n1 users, 1 of them active; 0 shared with other connections; 1 tokens\n");
        let suspended = said(&["suspend", "--users", "suspend", "--reason", "audit"]);
        assert!(suspended.starts_with("okta is suspended\n"), "{suspended}");
        assert!(suspended.ends_with("users: suspend (done), 1 changed, 0 had to stay\n"), "{suspended}");
        okta.get("/Users").await.status(403);
        assert_eq!(statuses(&desk, &[&ada]).await, ["suspended"]);
        assert!(said(&["resume"]).ends_with("users: return (done), 1 changed, 0 had to stay\n"));
        assert_eq!(statuses(&desk, &[&ada]).await, ["active"]);
        assert!(said(&["delete", "--users", "deactivate"]).starts_with("okta is deleted\n"));
        assert_eq!(statuses(&desk, &[&ada]).await, ["deactivated"]);
    }
}
