//! Events that are large: read a few at a time, and nothing is missing. Exports that nobody reads.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::admin::desk::{Desk, Problems as _, token};
use crate::support::TestHouse;
use crate::support::program::run;

/// Nothing that comes at all takes this long, even on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Changes of somebody, each of almost two million bytes in the log.
const CHANGES: usize = 12;

/// Values of each change, none larger than a value may be.
const PHONES: usize = 12;

/// Exports that one organisation has at once.
const MOST: usize = 4;

/// Somebody who was changed often, by a large value each time.
async fn changed(house: &TestHouse) -> String {
    let id = house.user("ada").await;
    for number in 0..CHANGES {
        let phone = |index| json!({ "value": format!("{}-{index}-{number}", "5".repeat(60_000)) });
        let phones: Vec<Value> = (0..PHONES).map(phone).collect();
        let replace = json!([{ "op": "replace", "path": "phoneNumbers", "value": phones }]);
        house.patch(&format!("/Users/{id}"), replace).await.status(200);
    }
    // However slow the machine is, all of it has its positions.
    house.turn().await;
    id
}

/// All pages of a list, each smaller than what was asked for.
async fn pages(desk: &Desk, path: &str) -> Vec<i64> {
    let (mut found, mut after, mut pages) = (Vec::new(), "0".to_owned(), 0);
    loop {
        let page = desk
            .get(&format!("{path}limit=500&after={after}"))
            .await
            .status(200)
            .json;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 6, "{} at once", items.len());
        found.extend(items.iter().map(|event| event["seq"].as_i64().unwrap()));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert!(pages > 3, "{pages}");
    found
}

async fn export(house: &TestHouse, token: &str) -> Response<Body> {
    let request = Request::get("/api/v1/log/export").header(header::AUTHORIZATION, format!("Bearer {token}"));
    house.open(request.body(Body::empty()).unwrap()).await
}

each_database! {
    async fn what_is_large_is_read_in_parts_and_as_a_whole(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = changed(&house).await;
        let listed = pages(&desk, &format!("/events?subject={ada}&")).await;
        assert_eq!(listed.len(), CHANGES + 1);
        assert!(listed.is_sorted());
        assert_eq!(pages(&desk, &format!("/users/{ada}/history?")).await, listed);
        let profile = desk.get(&format!("/users/{ada}")).await.status(200).json;
        assert_eq!(profile["version"], json!(CHANGES + 1));
        let phone = profile["attributes"]["phoneNumbers"][0]["value"].as_str().unwrap();
        assert!(phone.ends_with(&format!("5-0-{}", CHANGES - 1)));
        for command in ["verify", "export"] {
            let done = run(&house.database, &["audit", command, "--tenant", "acme"]);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        let last = listed[listed.len() - 1];
        let rest = desk.get(&format!("/log/export?after={}", last - 1)).await.status(200);
        assert!(rest.text.lines().count() >= 3, "what comes before is found");
    }

    async fn exports_that_nobody_reads_are_so_many_and_no_more(house: TestHouse) {
        let admin = token(&house, "acme", &["--admin"]);
        changed(&house).await;
        let mut unread = Vec::new();
        for _ in 0..MOST {
            let answer = export(&house, &admin).await;
            assert_eq!(answer.status(), StatusCode::OK);
            unread.push(answer);
        }
        let desk = Desk::with(&house, &admin);
        let refused = desk.get("/log/export").await;
        assert_eq!(refused.header("retry-after"), "60");
        refused.problem(503, "unavailable");
        Desk::neighbour(&house).get("/log/export").await.status(200);
        unread.pop();
        let again = async {
            while export(&house, &admin).await.status() != StatusCode::OK {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, again).await.expect("there is a place again");
    }

    async fn an_export_ends_with_its_token(house: TestHouse) {
        let desk = Desk::admin(&house);
        let made: Value = desk.post("/tokens", json!({"admin": true})).await.status(201).json;
        changed(&house).await;
        let mut body = export(&house, made["token"].as_str().unwrap()).await.into_body();
        assert!(timeout(PATIENCE, body.frame()).await.unwrap().unwrap().is_ok());
        desk.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).await.status(204);
        let mut broken = false;
        while let Some(part) = timeout(PATIENCE, body.frame()).await.expect("it does not end") {
            if part.is_err() {
                broken = true;
                break;
            }
        }
        assert!(broken, "nobody takes half of it for the whole");
    }
}
