//! The description of the surface outside of SCIM, made of the same table as the router.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::problem::form::PROBLEM_JSON;
use super::table::{Needs, Route};
use super::{access, admin, events};

const ABOUT: &str = "Administration of one organisation, and decisions about its users (AuthZEN Authorization API 1.0). \
                     Every request but those for metadata carries a bearer token of an administrator or a user; the \
                     organisation is the token's. `x-permissions` names what a user needs one of. Lists answer `items` and, while \
                     there is more, `next`, which the next request sends as `after`.";

/// `GET /api/openapi.json`: `OpenAPI` 3.1. Readable without credentials: it is the same on every installation.
pub async fn json() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document(&routes()).to_string());
    let media = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, media)], text.as_str()).into_response()
}

/// `GET /api/docs`: the same for people, as one page without scripts.
pub async fn page() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| html(&document(&routes())));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ];
    (headers, text.as_str()).into_response()
}

/// Every route outside of SCIM that needs no token.
#[must_use]
pub fn open_routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/api/openapi.json", json)
            .says("This description, as OpenAPI 3.1")
            .needs(Needs::Nothing)
            .sends("application/json"),
        Route::get("/api/docs", page)
            .says("This description, as a page")
            .needs(Needs::Nothing)
            .sends("text/html"),
    ];
    routes.extend(access::open_routes());
    routes.extend(admin::open_routes());
    routes.extend(events::open_routes());
    routes
}

fn routes() -> Vec<Route> {
    let mut routes = admin::routes();
    routes.extend(access::routes());
    routes.extend(events::routes());
    routes.extend(open_routes());
    routes
}

/// The `OpenAPI` document of some routes.
fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    let mut schemas = BTreeMap::new();
    for route in routes {
        let method = route.method().as_str().to_ascii_lowercase();
        let item = paths.entry(route.path()).or_insert_with(|| json!({}));
        item[method] = route.operation();
        for (name, schema) in route.schemas() {
            schemas.entry(name.clone()).or_insert_with(|| json!(schema));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Muster",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
            "parameters": { "IdempotencyKey": idempotency_key() },
            "responses": {
                "Problem": {
                    "description": "Not done (RFC 9457)",
                    "content": { PROBLEM_JSON: { "schema": problem() } },
                },
                "Message": {
                    "description": "Not done: a sentence",
                    "content": { "application/json": { "schema": { "type": "string" } } },
                },
            },
        },
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Does the request once, however often it comes with this key; kept for 24 hours",
        "schema": { "type": "string", "minLength": 1, "maxLength": 257 },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "The kind of fault, `urn:muster:problem:` and its name" },
            "title": { "type": "string", "description": "What this kind of fault is called" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong with this request" },
            "pointer": { "type": "string", "description": "Where in the body (RFC 6901)" },
            "position": { "type": "integer", "description": "At which character of the text there, from 1" },
            "parameter": { "type": "string", "description": "In which query parameter" },
            "suggestion": { "type": "string", "description": "What was probably meant there" },
            "held_by": held_by(),
            "request_id": { "type": "string", "description": "Finds the request in the log" },
        },
    })
}

/// What a 409 about a deletion names.
fn held_by() -> Value {
    let named = json!({
        "type": "array",
        "items": { "type": "object", "properties": { "id": { "type": "string" }, "name": { "type": "string" } } },
    });
    let subject = json!({
        "type": "object",
        "properties": {
            "type": { "type": "string", "enum": ["user", "group"] },
            "id": { "type": "string" },
            "name": { "type": "string" },
        },
    });
    let grant = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "subject": subject,
            "role": { "type": "string" },
            "role_name": { "type": "string" },
        },
    });
    json!({
        "type": "object",
        "description": "What hangs on what was to be deleted",
        "properties": {
            "grants": { "type": "array", "items": grant, "description": "The oldest ones" },
            "more_grants": { "type": "integer", "description": "How many more grants there are" },
            "rules": named,
            "scopes": named,
        },
    })
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
                     code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f4f6;padding:.75rem;overflow:auto}\
                     h3{margin:2rem 0 .25rem}h3 code{font-size:1rem}.needs{color:#555}";

/// The document as a page: a section a route, then the schemas.
fn html(document: &Value) -> String {
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Muster API</title><style>{STYLE}</style>\
         </head><body><h1>Muster API</h1><p>{}</p><p>As OpenAPI 3.1: <a href=\"/api/openapi.json\">/api/openapi.json</a></p>",
        escaped(ABOUT)
    );
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            section(&mut page, path, method, operation);
        }
    }
    page.push_str("<h2>Schemas</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let text = serde_json::to_string_pretty(schema).unwrap_or_default();
        let (name, text) = (escaped(name), escaped(&text));
        let _ = write!(page, "<h3 id=\"{name}\"><code>{name}</code></h3><pre>{text}</pre>");
    }
    page.push_str("</body></html>");
    page
}

fn section(page: &mut String, path: &str, method: &str, operation: &Value) {
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let method = method.to_ascii_uppercase();
    let _ = write!(
        page,
        "<h3><code>{method} {}</code></h3><p>{}</p>",
        escaped(path),
        text(&operation["summary"])
    );
    let needed: Vec<_> = operation["x-permissions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    if !needed.is_empty() {
        let keys = needed.join("</code> or <code>");
        let _ = write!(page, "<p class=\"needs\">A user needs <code>{keys}</code>.</p>");
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    link(page, "Takes", body);
    for (status, answer) in members(&operation["responses"]) {
        link(page, status, &answer["content"]["application/json"]["schema"]["$ref"]);
    }
    let queried = operation["parameters"].as_array().into_iter().flatten();
    for parameter in queried.filter(|parameter| parameter["in"] == "query") {
        let (name, says) = (text(&parameter["name"]), text(&parameter["description"]));
        let _ = write!(page, "<p><code>?{name}</code> {says}</p>");
    }
}

fn link(page: &mut String, label: &str, reference: &Value) {
    if let Some(name) = reference.as_str().and_then(|text| text.rsplit('/').next()) {
        let name = escaped(name);
        let _ = write!(page, "<p>{}: <a href=\"#{name}\">{name}</a></p>", escaped(label));
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_schemas() {
        let routes = routes();
        let mut known = BTreeMap::new();
        for (name, schema) in routes.iter().flat_map(Route::schemas) {
            let schema = json!(schema);
            let first = known.entry(name).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "{name}");
        }
        assert!(known.len() > 20);
    }

    #[test]
    fn text_is_escaped_on_the_page() {
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
