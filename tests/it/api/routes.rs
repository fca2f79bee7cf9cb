//! The router's own text against what is tested: a route without these tests does not pass.

use std::collections::BTreeSet;

use crate::api::bodies::NOBODY;
use crate::api::surface::{MOUNTS, OUTSIDE, SURFACE};
use crate::cli::server::Server;
use crate::support::database::Database;
use crate::support::wire;

const ROUTER: &str = include_str!("../../../src/api/router.rs");

/// Words of the router that stand for methods.
const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "any"];

/// The arguments of every call of this name in the router's text, each up to its closing parenthesis.
fn calls(name: &str) -> Vec<&'static str> {
    let opening = format!(".{name}(");
    let found = ROUTER
        .match_indices(&opening)
        .map(|(at, _)| &ROUTER[at + opening.len()..]);
    let whole = |rest: &'static str| {
        let mut depth = 1;
        let end = rest.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0
        });
        &rest[..end.unwrap()]
    };
    found.map(whole).collect()
}

/// The first text in double quotes.
fn quoted(text: &str) -> &str {
    text.split('"').nth(1).unwrap_or_else(|| panic!("no path in {text}"))
}

/// `GET /Schemas` and so on, as the router has them.
fn routed() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for call in calls("route") {
        let path = quoted(call);
        let handlers = call.split_once(path).unwrap().1;
        let words = handlers.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '(');
        let called: Vec<_> = words
            .filter_map(|word| METHODS.iter().find(|method| word.starts_with(&format!("{method}("))))
            .collect();
        assert!(!called.is_empty(), "the methods of {path} cannot be read");
        routes.extend(called.iter().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    routes
}

#[test]
fn every_route_has_a_test_of_authorization_and_one_of_tenants() {
    let tested: BTreeSet<_> = SURFACE
        .iter()
        .map(|route| format!("{} {}", route.method, route.pattern))
        .collect();
    let outside = |route: &&String| OUTSIDE.iter().any(|path| route.ends_with(&format!(" {path}")));
    let routed = routed();
    let untested: Vec<_> = routed.difference(&tested).filter(|route| !outside(route)).collect();
    assert!(
        untested.is_empty(),
        "no tests of authorization and tenants for {untested:?}: add them to api/surface.rs"
    );
    let gone: Vec<_> = tested.difference(&routed).collect();
    assert!(gone.is_empty(), "tested and not routed: {gone:?}");
    assert!(
        SURFACE.iter().all(|route| !(route.asks)().is_empty()),
        "each route is asked something"
    );
}

#[test]
fn every_mount_is_known() {
    let mounts: BTreeSet<_> = calls("nest").into_iter().map(quoted).collect();
    assert_eq!(mounts, MOUNTS.iter().copied().collect());
}

each_database! {
    async fn every_route_answers_401_without_a_token_and_with_a_wrong_one(database: Database) {
        // Each request comes from another address, so that none is held up for what the others did.
        let server = Server::start(&database, &["--trusted-proxy", "127.0.0.1/32"], &[]);
        let mut number = 0;
        for (mount, route) in MOUNTS
            .iter()
            .flat_map(|mount| SURFACE.iter().map(move |route| (mount, route)))
        {
            for ask in (route.asks)() {
                for authorization in ["", "Authorization: Bearer mst_wrong\r\n"] {
                    number += 1;
                    let path = format!("{mount}{}", ask.path)
                        .replace("{tenant}", "acme")
                        .replace("{id}", NOBODY);
                    let body = ask.body.map(|body| body(NOBODY).to_string()).unwrap_or_default();
                    let request = format!(
                        "{} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\
                         X-Forwarded-For: 203.0.{}.{}\r\n\
                         Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
                        ask.method,
                        number / 250,
                        number % 250,
                        body.len()
                    );
                    let answer = wire::raw(&server.address, request.as_bytes()).await.unwrap();
                    let answer = String::from_utf8_lossy(&answer);
                    let expected = if route.open && authorization.is_empty() {
                        "HTTP/1.1 200 "
                    } else {
                        "HTTP/1.1 401 "
                    };
                    assert!(
                        answer.starts_with(expected),
                        "{} {path} {authorization}: {answer}",
                        ask.method
                    );
                }
            }
        }
    }
}
