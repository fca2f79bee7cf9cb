//! A tenant is suspended, resumed, deleted.

use std::time::Duration;

use axum::http::Method;
use muster::base::clock::Clock;
use serde_json::{Value, json};

use super::town::{last, statuses, told, work};
use crate::admin::desk::{Desk, Problems as _};
use crate::cli::server::{command, fails};
use crate::support::TestHouse;
use crate::support::database::{Database, Engine};
use crate::support::program::{Program, run, run_json};

const PATH: &str = "/tenant/suspend";

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// How often a server suspends the tenant while others serve it.
const ROUNDS: usize = 3;

/// A question about somebody who may edit records everywhere.
fn question(user: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": user }, "action": { "name": "record.edit" }, "resource": { "type": "lead", "id": "1" },
    })
}

each_database! {
    async fn nobody_has_anything_until_it_is_resumed(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        desk.grant(&ada, "manager", "all").await;
        let own = Desk::user(&house, &ada);
        assert!(desk.may(&ada, "record.edit", ("lead", "1")).await);
        let before = desk.get(&format!("/users/{ada}/access")).await.json["assignments"].clone();
        let suspended = desk.post(PATH, json!({ "users": "keep" })).await.status(202).json;
        assert_eq!((&suspended["state"], &suspended["name"]), (&json!("suspended"), &json!("acme")));

        house.get("/Users").await.error(403, None);
        own.get(&format!("/users/{ada}/access")).await.problem(403, "suspended");
        assert!(!desk.may(&ada, "record.edit", ("lead", "1")).await);
        let batch = json!({ "evaluations": [question(&ada), question(&bob)] });
        let batch = desk.decide("/evaluations", batch).await.status(200).json;
        assert!(batch["evaluations"].as_array().unwrap().iter().all(|one| one["decision"] == false), "{batch}");
        let search = json!({ "subject": { "type": "user" }, "action": { "name": "record.edit" }, "resource": { "type": "scope", "id": "all" } });
        let found = desk.decide("/search/subject", search).await.status(200).json;
        assert_eq!(found["results"], json!([]));
        let access = desk.get(&format!("/users/{ada}/access")).await.status(200).json;
        assert_eq!((&access["status"], &access["assignments"]), (&json!("active"), &json!([])));
        let why = desk.get(&format!("/users/{ada}/explain?permission=record.edit")).await.status(200).text;
        assert!(why.contains("the organisation is suspended"), "{why}");
        // An administrator's token looks, and decides what becomes of it; it changes nothing else.
        desk.get("/users").await.status(200);
        desk.post("/roles", json!({ "name": "New" })).await.problem(403, "suspended");
        desk.post(&format!("/users/{ada}/suspend"), json!({})).await.problem(403, "suspended");

        desk.post("/tenant/resume", json!({})).await.status(202);
        assert!(desk.may(&ada, "record.edit", ("lead", "1")).await);
        house.get(&format!("/Users/{ada}")).await.status(200);
        assert_eq!(desk.get(&format!("/users/{ada}/access")).await.json["assignments"], before);
        let seen = told(&desk).await;
        assert_eq!((seen["tenant.suspended"], seen["tenant.resumed"]), (1, 1));
        assert_eq!(seen.get("user.suspended"), None, "nothing became of the users");
    }

    async fn the_neighbour_notices_nothing(house: TestHouse) {
        let (desk, neighbour) = (Desk::admin(&house), house.second_tenant());
        let nina = neighbour.user("nina").await;
        desk.post(PATH, json!({ "users": "suspend" })).await.status(202);
        work(&house).await;
        neighbour.get(&format!("/Users/{nina}")).await.status(200);
        assert_eq!(statuses(&Desk::neighbour(&house), &[&nina]).await, ["active"]);
    }

    async fn its_users_can_be_suspended_as_well_and_come_back_with_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (owner, ada, bob) = (house.user("owner").await, house.user("ada").await, house.user("bob").await);
        desk.post("/ownership", json!({ "to": owner })).await.status(200);
        desk.post(&format!("/users/{bob}/deactivate"), json!({})).await.status(200);
        desk.post(PATH, json!({ "users": "suspend", "reason": "unpaid" })).await.status(202);
        work(&house).await;
        let all = [&owner, &ada, &bob];
        assert_eq!(statuses(&desk, &all).await, ["active", "suspended", "deactivated"]);
        house.turn().await;
        assert_eq!(desk.get("/offboarding-runs").await.json["items"].as_array().unwrap().len(), 2);
        desk.post("/tenant/resume", json!({})).await.status(202);
        work(&house).await;
        assert_eq!(statuses(&desk, &all).await, ["active", "active", "deactivated"]);
        assert_eq!(last(&desk, "tenant.users_turned").await["data"]["turned"], 1);
    }

    async fn what_somebody_had_then_knows_that_it_was_suspended(house: TestHouse) {
        let desk = Desk::admin(&house);
        // The log does not go back behind what commands wrote by the clock of the machine.
        house.clock().set(Clock::system().now().plus(Duration::from_hours(1)));
        let ada = house.user("ada").await;
        desk.grant(&ada, "manager", "all").await;
        let later = || {
            house.clock().advance(Duration::from_secs(30));
            let at = house.clock().now().rfc3339();
            house.clock().advance(Duration::from_secs(30));
            at
        };
        let open = later();
        desk.post(PATH, json!({ "users": "keep" })).await.status(202);
        let shut = later();
        desk.post("/tenant/resume", json!({})).await.status(202);
        let again = later();
        for (at, expected) in [(open, 1), (shut, 0), (again, 1)] {
            let access = desk.get(&format!("/users/{ada}/access?as_of={at}")).await.status(200).json;
            assert_eq!(access["assignments"].as_array().unwrap().len(), expected, "{at}: {access}");
            let able = desk.get(&format!("/who-could?permission=record.edit&as_of={at}")).await.status(200).json;
            assert_eq!(able["items"].as_array().unwrap().len(), expected, "{at}: {able}");
        }
    }

    async fn deleting_it_needs_its_name_and_only_the_operator_brings_it_back(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        desk.grant(&ada, "manager", "all").await;
        let delete = async |query: &str| desk.ask(Method::DELETE, &format!("/api/v1/tenant?{query}"), None, &[]).await;
        assert_eq!(delete("confirm=acme").await.problem(400, "invalid-value")["parameter"], "users");
        assert_eq!(delete("users=keep&confirm=Acme").await.problem(400, "invalid-value")["parameter"], "confirm");
        delete("users=delete&confirm=acme").await.problem(400, "invalid-value");
        assert_eq!(delete("users=keep&confirm=acme").await.status(202).json["state"], "deleted");
        desk.get("/tenant").await.status(401);
        house.get("/Users").await.status(401);
        let list = run_json(&house.database, &["tenant", "list", "--json"]);
        assert_eq!(list["items"][0]["state"], "deleted");
        fails(command(&house.database).args(["tenant", "create", "acme"]), 1);
        fails(command(&house.database).args(["tenant", "resume", "acme"]), 1);
        let restored = String::from_utf8(run(&house.database, &["tenant", "restore", "acme"]).stdout).unwrap();
        assert!(restored.starts_with("acme is suspended\n"), "{restored}");
        fails(command(&house.database).args(["tenant", "restore", "acme"]), 1);
        house.get("/Users").await.error(403, None);
        assert!(!desk.may(&ada, "record.edit", ("lead", "1")).await);
        run(&house.database, &["tenant", "resume", "acme"]);
        tokio::time::sleep(muster::service::credentials::REMEMBERED_FOR).await;
        assert!(desk.may(&ada, "record.edit", ("lead", "1")).await);
        let seen = told(&desk).await;
        assert_eq!([seen["tenant.deleted"], seen["tenant.restored"], seen["tenant.resumed"]], [1, 1, 1]);
    }

    async fn only_the_owner_and_administrators_tokens_shut_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        let (ada, owner) = (house.user("ada").await, house.user("owner").await);
        desk.grant(&ada, "admin", "all").await;
        desk.post("/ownership", json!({ "to": owner })).await.status(200);
        let own = Desk::user(&house, &ada);
        own.post(PATH, json!({ "users": "keep" })).await.problem(403, "forbidden");
        own.get("/tenant").await.problem(403, "forbidden");
        desk.get("/tenant").await.status(200);
        let own = Desk::user(&house, &owner);
        own.get("/tenant").await.status(200);
        own.post(PATH, json!({ "users": "keep" })).await.status(202);
        // Who shuts it is shut out as well.
        own.post("/tenant/resume", json!({})).await.problem(403, "suspended");
    }

    async fn every_server_refuses_from_the_answer_on(database: Database) {
        let nodes = if database.engine() == Engine::Postgres { 3 } else { 1 };
        let mut servers = Vec::new();
        for _ in 0..nodes {
            servers.push(Program::serve(&database).await);
        }
        let scim = database.keys().await.token;
        let made = run_json(&database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        let admin = made["token"].as_str().unwrap();
        let manage = async |number: usize, path: &str, body: Value| {
            let client = servers[number].client(admin);
            client.send("POST", path, Some(&body), &JSON).await.unwrap()
        };
        let ada = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada" });
        let ada = servers[0].client(&scim).ask("POST", "/Users", Some(&ada)).await.unwrap().status(201).id();
        let grant = json!({ "subject": { "type": "user", "id": ada }, "role": "manager", "scope": "all" });
        manage(0, "/api/v1/grants", grant).await.status(201);
        let look = async |status: u16, decision: bool| {
            for (number, server) in servers.iter().enumerate() {
                let answer = manage(number, "/access/v1/evaluation", question(&ada)).await.status(200);
                assert_eq!(answer.json["decision"], decision);
                server.client(&scim).ask("GET", "/Users", None).await.unwrap().status(status);
            }
        };
        for round in 0..ROUNDS {
            // Every server has just let them in.
            look(200, true).await;
            manage(round % nodes, "/api/v1/tenant/suspend", json!({ "users": "keep" })).await.status(202);
            look(403, false).await;
            manage(round % nodes, "/api/v1/tenant/resume", json!({})).await.status(202);
        }
    }
}
