//! Requests beyond the usual words of the house: raw bytes, other connections, and refusals that must leave no trace.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;

use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::program::run_json;

/// Any bytes to any path, with the token of the house unless another one is given.
pub async fn raw(house: &TestHouse, line: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri);
    let given = |name: &str| headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
    if !given("authorization") {
        let token = house.database.keys().await.token;
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body(body.into()).unwrap()).await
}

/// Raw bytes as the JSON body of a POST.
pub async fn post_bytes(house: &TestHouse, path: &str, body: impl Into<Body>) -> Answer {
    raw(
        house,
        &format!("POST /scim/v2{path}"),
        &[("content-type", "application/scim+json")],
        body,
    )
    .await
}

/// A request without any credentials.
pub async fn nobody(house: &TestHouse, line: &str) -> Answer {
    let (method, uri) = line.split_once(' ').unwrap();
    house
        .send(Request::builder().method(method).uri(uri).body(Body::empty()).unwrap())
        .await
}

/// A token of a new connection of the tenant `acme`.
pub fn connection(house: &TestHouse, name: &str, dialect: &str) -> String {
    run_json(
        &house.database,
        &[
            "connection",
            "create",
            "--tenant",
            "acme",
            "--name",
            name,
            "--dialect",
            dialect,
            "--json",
        ],
    );
    let made = run_json(
        &house.database,
        &["token", "create", "--tenant", "acme", "--connection", name, "--json"],
    );
    made["token"].as_str().unwrap().to_owned()
}

/// The same server as a new connection of the same tenant sees it.
pub fn as_connection(house: &TestHouse, name: &str, dialect: &str) -> TestHouse {
    house.with_token(Some(&connection(house, name, dialect)))
}

/// What is asked must be refused: the database stays as it was, and neither log nor answer repeats the value.
pub async fn refused(house: &TestHouse, value: &str, ask: impl Future<Output = Answer>) -> Answer {
    let before = house.dump().await;
    let answer = ask.await;
    before.assert_same(&house.dump().await);
    house.logs.never_say(value);
    assert!(answer.status >= 400, "not refused: {answer:?}");
    assert!(
        !answer.text.contains(value),
        "the answer repeats `{value}`: {}",
        answer.text
    );
    answer
}

/// The keys of an object, sorted.
pub fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
