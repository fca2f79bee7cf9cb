//! Steps, facts, placeholders, features: what they mean, and what is refused.

use axum::response::IntoResponse as _;
use muster::selftest::report::Verdict;
use muster::selftest::{Book, Level};
use serde_json::json;

use super::tiny::{TOKEN, Tiny, requirement, scim, told};

/// A check of one request with these facts.
fn facts(expect: &str) -> String {
    format!("steps = [{{ create = \"user\" }}, {{ send = \"GET ${{user.path}}\", status = 200, expect = [{expect}] }}]")
}

#[tokio::test]
async fn facts_that_hold_pass_and_others_are_told() {
    let tiny = Tiny::good();
    for good in [
        r#"["$.userName", "is", "${user.userName}"]"#,
        r#"["$.userName", "folds to", "${upper user.userName}"]"#,
        r#"["$.schemas", "has", "${USER}"], ["$.schemas", "count", 1], ["$.schemas[*]", "type", "uri"]"#,
        r#"["$.emails", "absent"], ["$.nothing[*].value", "is", "x"], ["$.title", "avoids", "."]"#,
        r#"["$", "like", '''{"id": "${user.id}", "emails": null}'''], ["$", "identical", "${user}"]"#,
        r#"["any", [["status", "is", 404]], [["status", "is", 200], ["$.id", "exists"]]]"#,
        r#"["header:Content-Type", "matches", '(?i)^application/scim\+json']"#,
        r#"["$.schemas", "at least", 1], ["$.emails[type=work].value", "avoids", "."]"#,
        r#"["status", ">=", "${plus 1 status}"]"#,
    ] {
        let finding = tiny.checked(&facts(good)).await;
        let wanted = if good.contains("plus") {
            Verdict::Failed
        } else {
            Verdict::Passed
        };
        assert_eq!(finding.result, wanted, "{good}: {:?}", finding.found);
    }
    let finding = tiny.checked(&facts(r#"["$.userName", "is", "somebody"]"#)).await;
    let (result, found) = told(&finding);
    assert_eq!(result, Verdict::Failed);
    assert!(
        found.starts_with("$.userName is `q") && found.ends_with("not is `somebody`"),
        "{found}"
    );
    assert_eq!(finding.why.as_deref(), Some("it does not work"));
    let shown = finding.exchange.unwrap();
    assert_eq!((shown.method.as_str(), shown.status), ("GET", 200));
    let finding = tiny.checked(&facts(r#"["$.title", "is", "x"]"#)).await;
    assert_eq!(told(&finding), (Verdict::Failed, "$.title is missing, not is `x`"));
}

#[tokio::test]
async fn each_runs_a_check_with_every_combination() {
    let tiny = Tiny::good();
    let check = r#"each = { x = ["a", "b"], y = [1, 2, 3] }
        steps = [{ send = "POST /Users", body = '''{"userName": "${n}-${x}-${y}", "kind": "${y}"}''', status = 201 }]"#;
    assert_eq!(tiny.checked(check).await.result, Verdict::Passed);
    let made: Vec<_> = tiny
        .asked()
        .into_iter()
        .filter(|asked| asked.method == "POST" && asked.body.get("kind").is_some())
        .collect();
    assert_eq!(made.len(), 6);
    // A string that is nothing but a placeholder takes the type of its value.
    assert!(made.iter().all(|asked| asked.body["kind"].is_number()));
    assert_eq!(tiny.users(), 0);
    let check = "each = { x = \"${schema-ids}\" }\nsteps = [{ send = \"GET /Users/${x}\", error = \"404\" }]";
    assert_eq!(tiny.checked(check).await.result, Verdict::Passed);
}

#[tokio::test]
async fn what_is_not_announced_is_skipped_and_what_cannot_be_set_up_teaches_nothing() {
    let tiny = Tiny::good();
    let steps = "steps = [{ send = \"GET /Users\", status = 500 }]";
    for (feature, word) in [
        ("bulk", "the server does not announce bulk"),
        ("Group.members", "the server does not announce Group.members"),
        ("!users", "the server announces users"),
        ("second", "no token --second was given"),
        ("me", "the server does not announce me"),
    ] {
        let finding = tiny.checked(&format!("feature = \"{feature}\"\n{steps}")).await;
        assert_eq!(told(&finding), (Verdict::Skipped, word));
    }
    let finding = tiny
        .checked(&format!(
            "feature = [\"users\", \"User.nick\", \"version\", \"!patch\"]\n{steps}"
        ))
        .await;
    assert_eq!(told(&finding), (Verdict::Failed, "the status is 200, not 500"));
    let setup = "steps = [{ send = \"GET /Users\", status = 500, setup = true }]";
    assert_eq!(tiny.checked(setup).await.result, Verdict::NotSetUp);
    let nothing = "steps = [{ send = \"GET /Users\", save = { one = \"$.Resources[0].id\" } }]";
    assert_eq!(tiny.checked(nothing).await.result, Verdict::NotSetUp);
    let broken = Tiny::wrong(|asked| (asked.method == "POST").then(|| scim(500, json!({}))));
    assert_eq!(
        broken.checked("steps = [{ create = \"user\" }]").await.result,
        Verdict::NotSetUp
    );
}

#[tokio::test]
async fn a_server_that_needs_more_gets_the_larger_body() {
    let picky = Tiny::wrong(|asked| {
        let small = asked.method == "POST" && asked.body.get("active").is_none();
        small.then(|| scim(400, json!({})))
    });
    assert_eq!(
        picky
            .checked("steps = [{ create = \"user\" }, { create = \"user\", as = \"b\" }]")
            .await
            .result,
        Verdict::Passed
    );
    // What it has taken once is sent first the next time.
    assert_eq!(picky.asked().iter().filter(|asked| asked.method == "POST").count(), 3);
}

#[tokio::test]
async fn a_refusal_is_a_status_with_a_word_that_may_be_missing_where_it_may() {
    let tiny = Tiny::good();
    let twice = |error: &str| {
        let body = r#"'''{"userName": "${n}"}'''"#;
        format!(
            "steps = [{{ send = \"POST /Users\", body = {body}, status = 201 }}, {{ send = \"POST /Users\", body = {body}, error = {error} }}]"
        )
    };
    for (error, result) in [
        ("\"409\"", Verdict::Passed),
        ("\"409 uniqueness\"", Verdict::Passed),
        ("[\"400\", \"409 uniqueness?\"]", Verdict::Passed),
        ("\"409 mutability\"", Verdict::Failed),
        ("\"400 uniqueness\"", Verdict::Failed),
    ] {
        assert_eq!(tiny.checked(&twice(error)).await.result, result, "{error}");
    }
    let gone = |error: &str| format!("steps = [{{ send = \"GET /Users/none\", error = \"{error}\" }}]");
    assert_eq!(tiny.checked(&gone("404 noTarget?")).await.result, Verdict::Passed);
    let finding = tiny.checked(&gone("404 noTarget")).await;
    assert_eq!(
        told(&finding),
        (Verdict::Failed, "the answer is 404, not the error 404 noTarget")
    );
}

#[tokio::test]
async fn no_redirect_is_followed_and_the_token_goes_to_no_other_host() {
    let tiny = Tiny::wrong(|asked| match asked.path.as_str() {
        "/Users" if asked.method == "POST" => {
            let body = json!({"id": "x", "meta": {"location": "http://192.0.2.1:9/v2/Users/x"}});
            Some(scim(201, body))
        }
        "/Groups" => Some((axum::http::StatusCode::FOUND, [("location", "/v2/Elsewhere")]).into_response()),
        _ => None,
    });
    let check = r#"steps = [{ create = "user" }, { send = "GET ${user.location}", status = 404 }, { send = "GET /Groups", status = 302 }]"#;
    assert_eq!(tiny.checked(check).await.result, Verdict::Passed);
    let asked = tiny.asked();
    assert!(
        !asked
            .iter()
            .any(|asked| asked.method == "GET" && asked.path == "/Elsewhere")
    );
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["authorization"] == format!("Bearer {TOKEN}").as_str())
    );
    assert!(
        asked
            .iter()
            .any(|asked| asked.method == "DELETE" && asked.path == "/Users/x")
    );
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let tiny = Tiny::wrong(move |asked| {
        let now =
            asked.path == "/Users" && asked.query.is_empty() && first.swap(false, std::sync::atomic::Ordering::SeqCst);
        now.then(|| (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response())
    });
    assert_eq!(
        tiny.checked("steps = [{ send = \"GET /Users\", status = 200 }]")
            .await
            .result,
        Verdict::Passed
    );
    let never = Tiny::wrong(|asked| {
        let answer = || (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "999")]).into_response();
        (asked.path == "/Users").then(answer)
    });
    assert_eq!(
        never
            .checked("steps = [{ send = \"GET /Users\", status = 200 }]")
            .await
            .result,
        Verdict::NotSetUp
    );
}

#[test]
fn the_data_is_read_and_a_word_that_is_not_in_the_language_is_refused() {
    let book = Book::embedded().unwrap();
    assert!(book.all().count() > 390);
    assert!(
        book.all()
            .any(|(_, one)| one.level == Level::Must && one.untestable.is_some())
    );
    let departs = |id: &str| book.all().any(|(_, one)| one.id == id);
    assert!(
        book.departures.iter().all(|row| departs(&row.id)),
        "{:?}",
        book.departures
    );
    for (check, word) in [
        ("steps = [{ send = \"GET /\", sends = 1 }]", "sends"),
        ("steps = []\nlevle = \"must\"", "levle"),
        ("procedure = \"wander\"", "wander"),
        (
            "procedure = \"walk\"\npath = \"/Users\"\nby = \"foot\"\ncount = 1",
            "foot",
        ),
        ("procedure = \"race\"\nsteps = []", "steps"),
        ("steps = [{ create = \"user\", whit = \"{}\" }]", "whit"),
        ("steps = [{ create = \"user\", with = \"{\" }]", "no JSON"),
        ("steps = [{ pause = \"long\" }]", "pause"),
        (
            "steps = [{ send = \"GET /\", expect = [[\"$.id\", \"equals\", 1]] }]",
            "equals",
        ),
        ("steps = [{ send = \"GET /\", expect = [[\"$.id\", \"is\"]] }]", "is"),
        ("steps = [{ send = \"GET /\", error = \"bad\" }]", "bad"),
        ("feature = \"teleport\"\nsteps = []", "teleport"),
        ("each = { x = 1 }\nsteps = []", "each.x"),
    ] {
        let fault = Book::read(&[("test.toml", &requirement(check))])
            .unwrap_err()
            .to_string();
        assert!(fault.contains("test.toml") && fault.contains(word), "{check}: {fault}");
    }
    let two = requirement("steps = []").replace("title = \"Tests\"\n", "");
    assert!(
        Book::read(&[("a.toml", &two), ("b.toml", &two)])
            .unwrap_err()
            .to_string()
            .contains("two of TST-01")
    );
}
