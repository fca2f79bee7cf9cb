//! Every SCIM route with a request to each: what the tests of authorization and of tenants walk through.
//!
//! `routes` compares this list with the router's own text, so a route cannot be added without both tests.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::bodies::{group, patch_op, refs, search, user};
use crate::bulk::words::{change, create, end, request};

/// A route as the router names it, relative to where it is mounted.
pub struct Route {
    pub method: &'static str,
    pub pattern: &'static str,
    /// Whether it answers without a token.
    pub open: bool,
    /// Requests about a resource `{id}`; none of them may change anything while the id is not one's own.
    pub asks: fn() -> Vec<Ask>,
}

/// A request; `{id}` in the path stands for the id it is about.
pub struct Ask {
    pub method: Method,
    pub path: &'static str,
    pub body: Option<fn(&str) -> Value>,
}

/// Where the SCIM routes are mounted.
pub const MOUNTS: &[&str] = &["/scim/v2", "/t/{tenant}/scim/v2"];

/// Routes outside of the mounts, which answer to anyone and know no tenant.
pub const OUTSIDE: &[&str] = &[
    "/healthz",
    "/readyz",
    "/metrics",
    "/scim/{version}",
    "/scim/{version}/{*rest}",
];

pub const SURFACE: &[Route] = &[
    guarded("GET", "/", || {
        vec![
            get("?filter=id%20eq%20%22{id}%22"),
            get("?filter=members.value%20eq%20%22{id}%22"),
        ]
    }),
    guarded("POST", "/.search", || {
        vec![post("/.search", by_id), post("/.search", by_group)]
    }),
    guarded("POST", "/Bulk", || vec![post("/Bulk", in_bulk)]),
    guarded("GET", "/Me", || vec![get("/Me?filter=id%20eq%20%22{id}%22")]),
    guarded("PUT", "/Me", || {
        vec![ask(Method::PUT, "/Me?id={id}", Some(|_| user("ada", json!({}))))]
    }),
    guarded("PATCH", "/Me", || {
        vec![ask(Method::PATCH, "/Me?id={id}", Some(retitle))]
    }),
    guarded("DELETE", "/Me", || vec![ask(Method::DELETE, "/Me?id={id}", None)]),
    Route {
        open: true,
        ..guarded("GET", "/ServiceProviderConfig", || {
            vec![get("/ServiceProviderConfig?id={id}")]
        })
    },
    guarded("GET", "/Schemas", || vec![get("/Schemas?id={id}")]),
    guarded("GET", "/Schemas/{name}", || vec![get("/Schemas/{id}")]),
    guarded("GET", "/ResourceTypes", || vec![get("/ResourceTypes?id={id}")]),
    guarded("GET", "/ResourceTypes/{name}", || vec![get("/ResourceTypes/{id}")]),
    guarded("GET", "/AsyncResults/{name}", || vec![get("/AsyncResults/{id}")]),
    guarded("GET", "/{endpoint}", || {
        vec![
            get("/Users?filter=id%20eq%20%22{id}%22"),
            get("/Groups?filter=members.value%20eq%20%22{id}%22"),
            get("/RoleAssignments?filter=subject.value%20eq%20%22{id}%22"),
            get("/{id}"),
        ]
    }),
    guarded("POST", "/{endpoint}", || {
        vec![
            post("/Groups", |id| group("Ops", &[id])),
            post("/{id}", |_| user("ada", json!({}))),
        ]
    }),
    guarded("POST", "/{endpoint}/.search", || {
        vec![
            post("/Users/.search", by_id),
            post("/Users/.search", by_group),
            post("/Groups/.search", by_id),
            post("/{id}/.search", by_id),
        ]
    }),
    guarded("GET", "/{endpoint}/{id}", || {
        vec![
            get("/Users/{id}"),
            get("/Groups/{id}"),
            get("/Users/{id}?attributes=groups"),
            get("/Roles/{id}"),
            get("/RoleAssignments/{id}"),
        ]
    }),
    guarded("PUT", "/{endpoint}/{id}", || {
        let user_of = |_: &str| user("ada", json!({}));
        vec![
            ask(Method::PUT, "/Users/{id}", Some(user_of)),
            ask(Method::PUT, "/Groups/{id}", Some(|id| group("Ops", &[id]))),
        ]
    }),
    guarded("PATCH", "/{endpoint}/{id}", || {
        vec![
            ask(Method::PATCH, "/Users/{id}", Some(retitle)),
            ask(Method::PATCH, "/Groups/{id}", Some(add_itself)),
        ]
    }),
    guarded("DELETE", "/{endpoint}/{id}", || {
        vec![
            ask(Method::DELETE, "/Users/{id}", None),
            ask(Method::DELETE, "/Groups/{id}", None),
        ]
    }),
];

const fn guarded(method: &'static str, pattern: &'static str, asks: fn() -> Vec<Ask>) -> Route {
    Route {
        method,
        pattern,
        open: false,
        asks,
    }
}

fn ask(method: Method, path: &'static str, body: Option<fn(&str) -> Value>) -> Ask {
    Ask { method, path, body }
}

fn get(path: &'static str) -> Ask {
    ask(Method::GET, path, None)
}

fn post(path: &'static str, body: fn(&str) -> Value) -> Ask {
    ask(Method::POST, path, Some(body))
}

fn in_bulk(id: &str) -> Value {
    request(&[
        change("PUT", &format!("/Users/{id}"), user("ada", json!({}))),
        change("PATCH", &format!("/Users/{id}"), retitle(id)),
        create("g", "/Groups", group("Ops", &[id])),
        end(&format!("/Groups/{id}")),
    ])
}

fn by_id(id: &str) -> Value {
    search(json!({"filter": format!("id eq \"{id}\"")}))
}

fn by_group(id: &str) -> Value {
    search(json!({"filter": format!("groups.value eq \"{id}\"")}))
}

fn retitle(_: &str) -> Value {
    patch_op(&json!([{"op": "add", "path": "title", "value": "x"}]))
}

fn add_itself(id: &str) -> Value {
    patch_op(&json!([{"op": "add", "path": "members", "value": refs(&[id])}]))
}
