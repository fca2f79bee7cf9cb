//! Every route, as the `OpenAPI` document has it: without a token, with a wrong one, without the permission, and with a
//! neighbour's ids. A route without these tests does not pass.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use super::desk::{Desk, Problems, token};
use super::surface::{OPEN, Route, SURFACE, Stranger};
use crate::api::bodies::NOBODY;
use crate::support::answer::Answer;
use crate::support::{TestHouse, seam};

/// `GET /api/v1/roles` and so on, with the permissions of which a user needs one.
async fn documented(house: &TestHouse) -> Vec<(String, Vec<String>)> {
    let document = Desk::nobody(house)
        .ask(Method::GET, "/api/openapi.json", None, &[])
        .await
        .status(200)
        .json;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs = operation["x-permissions"].as_array().into_iter().flatten();
            let needs = needs.map(|key| key.as_str().unwrap().to_owned()).collect();
            routes.push((format!("{} {path}", method.to_uppercase()), needs));
        }
    }
    routes
}

async fn ask(desk: &Desk, route: &Route, id: &str) -> Answer {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    desk.ask(method, &route.path(id), route.body.map(|body| body(id)), &[])
        .await
}

each_database! {
    async fn every_route_of_the_document_is_tested_and_every_tested_one_is_documented(house: TestHouse) {
        let documented: BTreeSet<String> = documented(&house).await.into_iter().map(|(name, _)| name).collect();
        let tested: BTreeSet<String> = SURFACE.iter().map(Route::name).collect();
        let open: BTreeSet<String> = OPEN.iter().map(|name| (*name).to_owned()).collect();
        let untested: Vec<_> = documented.difference(&tested).filter(|name| !open.contains(*name)).collect();
        assert!(untested.is_empty(), "no test of authorization for {untested:?}: add it to admin/surface.rs");
        let gone: Vec<_> = tested.union(&open).filter(|name| !documented.contains(*name)).collect();
        assert!(gone.is_empty(), "tested and not in the OpenAPI document: {gone:?}");
    }

    async fn every_open_route_answers_without_a_token(house: TestHouse) {
        for route in OPEN {
            let (method, path) = route.split_once(' ').unwrap();
            let nobody = Desk::nobody(&house);
            match method {
                "GET" => drop(nobody.ask(Method::GET, path, None, &[]).await.status(200)),
                // Nobody has a token of such a kind; who asks is not asked for one either.
                _ => drop(nobody.ask(Method::POST, path, Some(json!({"token": "none"})), &[]).await.problem(404, "not-found")),
            }
        }
    }

    async fn every_other_route_refuses_no_token_a_wrong_one_and_that_of_a_connection(house: TestHouse) {
        let connection = Desk::with(&house, &house.database.keys().await.token);
        let before = house.dump().await;
        for (number, route) in SURFACE.iter().enumerate() {
            // Wrong tokens of one address are soon throttled: no more of them than pass.
            if number < 8 {
                let wrong = Desk::with(&house, "mst_wrong");
                let refused = ask(&wrong, route, NOBODY).await.status(401);
                assert!(refused.header("www-authenticate").contains("invalid_token"), "{}", route.name());
            }
            let nobody = ask(&Desk::nobody(&house), route, NOBODY).await;
            assert!(matches!(nobody.status, 401 | 429), "{}: {}", route.name(), nobody.text);
            let refused = ask(&connection, route, NOBODY).await.status(403);
            assert!(refused.header("www-authenticate").contains("insufficient_scope"), "{}", route.name());
        }
        before.assert_same(&house.dump().await);
    }

    async fn every_route_that_needs_a_permission_refuses_a_user_without_it(house: TestHouse) {
        let ada = house.user("ada").await;
        Desk::admin(&house).grant(&ada, "analyst", "all").await;
        let ada = Desk::user(&house, &ada);
        let before = house.dump().await;
        for (name, needs) in documented(&house).await {
            let Some(route) = SURFACE.iter().find(|route| route.name() == name) else { continue };
            if needs.is_empty() {
                continue;
            }
            let problem = ask(&ada, route, NOBODY).await.problem(403, "forbidden");
            let detail = problem["detail"].as_str().unwrap();
            assert!(needs.iter().all(|key| detail.contains(key.as_str())), "{name}: {detail}");
        }
        before.assert_same(&house.dump().await);
    }

    async fn every_route_refuses_a_manager_what_a_manager_may_not(house: TestHouse) {
        let mia = house.user("mia").await;
        let desk = Desk::admin(&house);
        desk.grant(&mia, "manager", "all").await;
        let held = desk.get("/roles/manager").await.status(200).json;
        let held: BTreeSet<&str> = held["permissions"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        let mia = Desk::user(&house, &mia);
        let before = house.dump().await;
        let mut refused = 0;
        for (name, needs) in documented(&house).await {
            let Some(route) = SURFACE.iter().find(|route| route.name() == name) else { continue };
            if needs.is_empty() || needs.iter().any(|key| held.contains(key.as_str())) {
                continue;
            }
            ask(&mia, route, NOBODY).await.problem(403, "forbidden");
            refused += 1;
        }
        assert!(refused > 15, "a manager is refused {refused} routes");
        before.assert_same(&house.dump().await);
    }

    async fn a_manager_of_another_tenant_finds_nothing_of_this_one(house: TestHouse) {
        let theirs = furnished(&house).await;
        let mia = house.second_tenant().user("mia").await;
        Desk::neighbour(&house).grant(&mia, "manager", "all").await;
        let mia = Desk::with(&house, &token(&house, "neighbour", &["--user", &mia]));
        // Who reads what was has it numbered first.
        seam::number(house.rooms()).await;
        let before = house.dump().await;
        for route in SURFACE.iter().filter(|route| route.stranger != Stranger::NotAsked) {
            let missing = told(&mia, route, NOBODY).await;
            for id in &theirs {
                assert_eq!(told(&mia, route, id).await, missing, "{}", route.name());
            }
        }
        before.assert_same(&house.dump().await);
    }

    async fn on_every_route_a_neighbours_id_is_answered_like_a_missing_one(house: TestHouse) {
        let theirs = furnished(&house).await;
        let neighbour = Desk::neighbour(&house);
        seam::number(house.rooms()).await;
        let before = house.dump().await;
        for route in SURFACE.iter().filter(|route| route.stranger != Stranger::NotAsked) {
            let missing = told(&neighbour, route, NOBODY).await;
            let expected = match route.stranger {
                Stranger::Missing => 404,
                Stranger::Refused => 400,
                Stranger::Empty | Stranger::NotAsked => 200,
            };
            assert_eq!(missing.0, expected, "{}: {}", route.name(), missing.1);
            for id in &theirs {
                assert_eq!(told(&neighbour, route, id).await, missing, "{}", route.name());
            }
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_path_or_method_that_is_nothing_is_a_problem_too(house: TestHouse) {
        let desk = Desk::admin(&house);
        desk.get("/nothing").await.problem(404, "not-found");
        desk.post("/permissions", json!({})).await.problem(405, "method-not-allowed");
        desk.get("/roles/owner/copy").await.problem(405, "method-not-allowed");
        let elsewhere = desk.ask(Method::GET, "/access/v1/nothing", None, &[]).await.status(404);
        assert!(elsewhere.json.is_string(), "{}", elsewhere.text);
    }

    async fn a_manager_edits_scopes_and_neither_roles_nor_grants(house: TestHouse) {
        let mia = house.user("mia").await;
        Desk::admin(&house).grant(&mia, "manager", "all").await;
        let mia = Desk::user(&house, &mia);
        mia.scope("territory", "Germany").await;
        mia.post("/roles", json!({"name": "Mine"})).await.problem(403, "forbidden");
        mia.post("/roles/manager/copy", json!({"name": "Mine"})).await.problem(403, "forbidden");
        let grant = json!({"subject": {"type": "user", "id": NOBODY}, "role": "manager", "scope": "all"});
        mia.post("/grants", grant).await.problem(403, "forbidden");
        mia.get("/grants").await.problem(403, "forbidden");
    }
}

/// Ids of everything that `acme` has: a user, a group, a role, a scope, a grant, a rule, a preview, a webhook, a stream,
/// an enforcer.
async fn furnished(house: &TestHouse) -> Vec<String> {
    let desk = Desk::admin(house);
    let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
    let reviewer = desk.post("/roles", json!({"name": "Reviewer"})).await.status(201).id();
    let scope = desk.scope("territory", "Germany").await;
    desk.place(&scope, "lead", "7").await;
    let grant = desk.grant(&ada, &reviewer, &scope).await;
    let rule = json!({"name": "Titles", "when": "title pr", "then": [{"scope": scope}], "state": "draft"});
    let rule = desk.post("/rules", rule).await.status(201).id();
    let preview = json!({"changes": [{"delete": {"type": "rule", "id": rule}}]});
    let preview = desk.post("/preview", preview).await.status(200).id();
    let webhook = json!({"name": "hook", "url": "https://example.com/hook"});
    let webhook = desk.post("/webhooks", webhook).await.status(201).id();
    let stream = json!({"name": "stream", "delivery": "poll"});
    let stream = desk.post("/streams", stream).await.status(201).id();
    let enforcer = json!({"name": "shop", "url": "https://example.com/end", "confirms_by": "acknowledgement"});
    let enforcer = desk.post("/enforcers", enforcer).await.status(201).id();
    vec![
        ada, sales, reviewer, scope, grant, rule, preview, webhook, stream, enforcer,
    ]
}

/// Status and body of an answer about an id, without the id and what differs from request to request.
async fn told(desk: &Desk, route: &Route, id: &str) -> (u16, Value) {
    let answer = ask(desk, route, id).await;
    let mut body = answer.json;
    if let Some(problem) = body.as_object_mut() {
        problem.remove("request_id");
    }
    let text = body.to_string().replace(id, "ID");
    (answer.status, serde_json::from_str(&text).unwrap())
}
