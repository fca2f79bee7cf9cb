//! What a run leaves behind: nothing that it made, whatever a server says of where it is, and nothing of anybody else's.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use muster::selftest::report::{Report, Verdict};
use muster::selftest::{Book, Choice, run};
use serde_json::json;

use super::tiny::{FIXTURES, Tiny, requirement, scim, target, told};

const MAKE: &str = r#"steps = [{ send = "POST /Users", body = '''{"userName": "${n}"}''', status = 201 }]"#;

/// The paths that were to be deleted.
fn deleted(tiny: &Tiny) -> Vec<String> {
    let asked = tiny.asked().into_iter().filter(|asked| asked.method == "DELETE");
    asked.map(|asked| asked.path).collect()
}

async fn made(tiny: &std::sync::Arc<Tiny>) -> Report {
    tiny.judged(&requirement(MAKE)).await
}

#[tokio::test]
async fn a_resource_is_deleted_below_the_address_that_was_asked() {
    for (status, location) in [
        (201, "https://192.0.2.1/tenant/v2/Users/x"),
        (201, "Users/x"),
        (200, "/else/where/x"),
    ] {
        let proxied = Tiny::wrong(move |asked| {
            let body = json!({"id": "x", "meta": {"location": location}});
            (asked.method == "POST").then(|| scim(status, body))
        });
        made(&proxied).await;
        assert!(
            deleted(&proxied).iter().all(|path| path == "/Users/x"),
            "{:?}",
            deleted(&proxied)
        );
        assert!(!deleted(&proxied).is_empty());
    }
}

#[tokio::test]
async fn who_was_made_without_a_word_is_looked_for_by_name() {
    let silent = Tiny::wrong(|asked| {
        if asked.method == "POST" {
            return Some(StatusCode::ACCEPTED.into_response());
        }
        let name = asked.query.get("filter")?.split('"').nth(1)?;
        let rows = json!([{"id": "lost", "userName": name}, {"id": "other", "userName": "ada"}]);
        Some(scim(200, json!({"totalResults": 2, "Resources": rows})))
    });
    let report = made(&silent).await;
    let deleted = deleted(&silent);
    assert!(
        !deleted.is_empty() && deleted.iter().all(|path| path == "/Users/lost"),
        "{deleted:?}"
    );
    assert!(report.left.is_empty(), "{:?}", report.left);
    // Where nobody can be looked for, that is told.
    let deaf = Tiny::wrong(|asked| match asked.method.as_str() {
        "POST" => Some(StatusCode::ACCEPTED.into_response()),
        _ if asked.query.contains_key("filter") => Some(scim(501, json!({}))),
        _ => None,
    });
    let report = made(&deaf).await;
    assert!(
        report.left.iter().any(|left| left.contains("if it was made")),
        "{:?}",
        report.left
    );
}

#[tokio::test]
async fn a_server_that_wants_fewer_requests_is_waited_for_when_it_is_cleaned() {
    let first = AtomicBool::new(true);
    let busy = Tiny::wrong(move |asked| {
        let now = asked.method == "DELETE" && first.swap(false, Ordering::SeqCst);
        now.then(|| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response())
    });
    let report = made(&busy).await;
    assert_eq!((report.left, busy.users()), (Vec::<String>::new(), 0));
}

#[tokio::test]
async fn what_a_bulk_request_clashed_with_is_not_deleted() {
    let bulk = Tiny::wrong(|asked| {
        let done = |status: &str, id: &str| json!({"method": "POST", "status": status, "location": format!("http://x/v2/Users/{id}")});
        let rows = json!({"Operations": [done("201", "new"), done("409", "old")]});
        (asked.path == "/Bulk").then(|| scim(200, rows))
    });
    let check = "steps = [{ send = \"POST /Bulk\", bulk = '[]', status = 200 }]";
    assert_eq!(bulk.checked(check).await.result, Verdict::Passed);
    assert_eq!(deleted(&bulk), ["/Users/new"]);
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_is_not_tested() {
    let closed = |status: u16, all: bool| {
        Tiny::wrong(move |asked| {
            let answer = || (StatusCode::from_u16(status).unwrap(), [("retry-after", "999")]).into_response();
            (all || asked.path == "/Users").then(answer)
        })
    };
    for (tiny, word) in [
        (closed(401, false), "does not take the token"),
        (closed(429, true), "answered with 429"),
        (closed(503, true), "answered with 503"),
    ] {
        let book = Book::read(&[("fixtures.toml", FIXTURES), ("test.toml", &requirement(MAKE))]).unwrap();
        let target = target(tiny.serve().await);
        let fault = run(&book, target, &Choice::default(), std::future::pending(), |_| {}).await;
        let fault = fault.unwrap_err().to_string();
        assert!(fault.contains(word), "{fault}");
    }
    let silent = closed(429, false);
    assert!(!made(&silent).await.tally.says_something());
}

#[tokio::test]
async fn a_word_in_the_place_of_a_token_is_no_secret() {
    let tiny = Tiny::good();
    let shown = r#"steps = [{ send = "GET /Users/tiny-secret-token", status = 404, expect = [["path", "avoids", "${secret}"]] }]"#;
    assert_eq!(tiny.checked(shown).await.result, Verdict::Failed);
    let book = Book::read(&[("fixtures.toml", FIXTURES), ("test.toml", &requirement(shown))]).unwrap();
    let mut target = target(tiny.serve().await);
    target.token = muster::base::secret::Secret::new("tiny".to_owned());
    let report = run(&book, target, &Choice::default(), std::future::pending(), |_| {})
        .await
        .unwrap();
    assert_eq!(report.requirements[0].result, Verdict::Passed);
}

#[tokio::test]
async fn each_scheme_has_its_own_challenge() {
    let check = r#"steps = [{ send = "GET /Users", status = 401, expect = [
        ["challenge:Bearer", "matches", "^realm="], ["challenge:Bearer", "avoids", "realm.*realm"], ["challenge:Bearer", "count", 1]] }]"#;
    let tiny = Tiny::wrong(|asked| {
        let both = [(
            "www-authenticate",
            "Basic realm=\"x\", Bearer realm=\"x\", error=\"invalid_token\"",
        )];
        (asked.path == "/Users" && asked.query.is_empty()).then(|| (StatusCode::UNAUTHORIZED, both).into_response())
    });
    assert_eq!(told(&tiny.checked(check).await), (Verdict::Passed, ""));
}
