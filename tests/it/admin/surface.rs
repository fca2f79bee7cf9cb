//! Every route outside of SCIM with a request to each: what the tests of authorization and of tenants walk through.
//!
//! `routes` compares this list with the `OpenAPI` document, which is made of the router's own table.

use serde_json::{Value, json};

/// A route as the `OpenAPI` document names it.
pub struct Route {
    pub method: &'static str,
    pub pattern: &'static str,
    /// The body of a request about `{id}`, which is somebody else's or nobody's; `None` where there is none.
    pub body: Option<fn(&str) -> Value>,
    /// What the neighbour's administrator is told about an id of `acme`.
    pub stranger: Stranger,
}

/// What a request about an id of another tenant comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// It names none: a list, or something new.
    NotAsked,
    /// 404, as for an id that is nobody's.
    Missing,
    /// 400, as for an id that is nobody's.
    Refused,
    /// 200 and nothing in it, as for an id that is nobody's.
    Empty,
}

use Stranger::{Empty, Missing, NotAsked, Refused};

/// Routes that need no token.
pub const OPEN: &[&str] = &[
    "GET /api/openapi.json",
    "GET /api/docs",
    "GET /.well-known/authzen-configuration",
    "POST /api/v1/invitations/accept",
    "GET /.well-known/jwks.json",
];

pub const SURFACE: &[Route] = &[
    bare("GET", "/api/v1/permissions", NotAsked),
    bare("GET", "/api/v1/events", NotAsked),
    bare("GET", "/api/v1/live", NotAsked),
    bare("GET", "/api/v1/snapshot", NotAsked),
    bare("GET", "/api/v1/log/head", NotAsked),
    bare("GET", "/api/v1/log/checkpoints", NotAsked),
    bare("GET", "/api/v1/log/export", NotAsked),
    bare("GET", "/api/v1/roles", NotAsked),
    with("POST", "/api/v1/roles", NotAsked, |_| json!({"name": "New"})),
    bare("GET", "/api/v1/roles/{id}", Missing),
    with("PATCH", "/api/v1/roles/{id}", Missing, |_| json!({"name": "New"})),
    bare("DELETE", "/api/v1/roles/{id}", Missing),
    with("POST", "/api/v1/roles/{id}/copy", Missing, |_| json!({"name": "New"})),
    bare("GET", "/api/v1/scopes", NotAsked),
    with(
        "POST",
        "/api/v1/scopes",
        Refused,
        |id| json!({"kind": "territory", "name": "New", "parent": id}),
    ),
    bare("GET", "/api/v1/scopes/{id}", Missing),
    with("PATCH", "/api/v1/scopes/{id}", Missing, |_| json!({"name": "New"})),
    bare("DELETE", "/api/v1/scopes/{id}", Missing),
    bare("GET", "/api/v1/scopes/{id}/records", Missing),
    bare("PUT", "/api/v1/scopes/{id}/records/{kind}/{record_id}", Missing),
    bare("DELETE", "/api/v1/scopes/{id}/records/{kind}/{record_id}", Missing),
    bare("GET", "/api/v1/records/{kind}/{record_id}/scopes", Empty),
    bare("GET", "/api/v1/grants", NotAsked),
    with(
        "POST",
        "/api/v1/grants",
        Refused,
        |id| json!({"subject": {"type": "user", "id": id}, "role": "analyst", "scope": "all"}),
    ),
    bare("GET", "/api/v1/grants/{id}", Missing),
    with("PUT", "/api/v1/grants/{id}/validity", Missing, |_| json!({})),
    bare("DELETE", "/api/v1/grants/{id}", Missing),
    bare("GET", "/api/v1/rules", NotAsked),
    with(
        "POST",
        "/api/v1/rules",
        Refused,
        |id| json!({"name": "New", "when": "title eq \"x\"", "then": [{"role": "analyst", "scope": id}], "state": "active"}),
    ),
    bare("GET", "/api/v1/rules/{id}", Missing),
    with("PATCH", "/api/v1/rules/{id}", Missing, |_| json!({"name": "New"})),
    bare("DELETE", "/api/v1/rules/{id}", Missing),
    bare("GET", "/api/v1/rules/{id}/versions", Missing),
    bare("GET", "/api/v1/users/{id}", Missing),
    bare("GET", "/api/v1/users/{id}/access", Missing),
    bare("GET", "/api/v1/users/{id}/aside", Missing),
    bare("GET", "/api/v1/groups/{id}/aside", Missing),
    bare("GET", "/api/v1/resource-types/{id}/resources/{resource}/aside", Missing),
    bare("GET", "/api/v1/users/{id}/diff", Missing),
    bare("GET", "/api/v1/users/{id}/history", Missing),
    bare("GET", "/api/v1/who-could", NotAsked),
    bare("GET", "/api/v1/users/{id}/explain", Missing),
    bare("GET", "/api/v1/users/{id}/status", Missing),
    bare("POST", "/api/v1/users/{id}/activate", Missing),
    with(
        "POST",
        "/api/v1/users/{id}/suspend",
        Missing,
        |_| json!({"reason": "x"}),
    ),
    bare("POST", "/api/v1/users/{id}/deactivate", Missing),
    bare("GET", "/api/v1/schedules", NotAsked),
    bare("DELETE", "/api/v1/schedules/{id}", Missing),
    bare("GET", "/api/v1/leavers", NotAsked),
    with(
        "PUT",
        "/api/v1/users/{id}/schedule",
        Missing,
        |_| json!({"deactivate_at": "2030-01-01T00:00:00Z"}),
    ),
    bare("DELETE", "/api/v1/users/{id}/schedule", Missing),
    with(
        "PUT",
        "/api/v1/users/{id}/leave",
        Missing,
        |_| json!({"until": "2030-01-01T00:00:00Z"}),
    ),
    bare("DELETE", "/api/v1/users/{id}/leave", Missing),
    bare("GET", "/api/v1/tombstones", NotAsked),
    bare("GET", "/api/v1/rehires", NotAsked),
    bare("POST", "/api/v1/rehires/{id}/accept", Missing),
    bare("POST", "/api/v1/rehires/{id}/dismiss", Missing),
    bare("POST", "/api/v1/users/{id}/restore", Missing),
    bare("POST", "/api/v1/groups/{id}/restore", Missing),
    with(
        "POST",
        "/api/v1/users/{id}/clone",
        Missing,
        |_| json!({"userName": "new"}),
    ),
    with(
        "POST",
        "/api/v1/groups/{id}/clone",
        Missing,
        |_| json!({"displayName": "New"}),
    ),
    bare("GET", "/api/v1/invitations", NotAsked),
    with(
        "POST",
        "/api/v1/invitations",
        Refused,
        |id| json!({"emails": "new@acme.test", "role": "analyst", "scope": id}),
    ),
    bare("POST", "/api/v1/invitations/{id}/resend", Missing),
    bare("POST", "/api/v1/invitations/{id}/revoke", Missing),
    bare("POST", "/api/v1/users/{id}/purge", Missing),
    bare("GET", "/api/v1/users", NotAsked),
    bare("GET", "/api/v1/scopes/{id}/users", Missing),
    bare("GET", "/api/v1/ownership", NotAsked),
    with("POST", "/api/v1/ownership", Refused, |id| json!({"to": id})),
    bare("GET", "/api/v1/settings", NotAsked),
    with("PATCH", "/api/v1/settings", NotAsked, |_| json!({})),
    bare("GET", "/api/v1/schemas", NotAsked),
    with(
        "POST",
        "/api/v1/schemas/preview",
        NotAsked,
        |_| json!({"schema": {"id": "urn:example:new:1.0", "attributes": []}}),
    ),
    bare("GET", "/api/v1/schemas/{id}", Missing),
    with(
        "PUT",
        "/api/v1/schemas/{id}",
        Refused,
        |id| json!({"id": id, "attributes": []}),
    ),
    bare("DELETE", "/api/v1/schemas/{id}", Missing),
    bare("GET", "/api/v1/resource-types", NotAsked),
    bare("GET", "/api/v1/resource-types/{id}", Missing),
    with(
        "PUT",
        "/api/v1/resource-types/{id}",
        Refused,
        |id| json!({"name": id, "schemaExtensions": []}),
    ),
    bare("DELETE", "/api/v1/resource-types/{id}", Missing),
    bare("GET", "/api/v1/status-rules", NotAsked),
    with(
        "POST",
        "/api/v1/status-rules/preview",
        NotAsked,
        |_| json!({"status_rules": []}),
    ),
    bare("GET", "/api/v1/pending", NotAsked),
    bare("GET", "/api/v1/pending/{id}", Missing),
    bare("DELETE", "/api/v1/pending/{id}", Missing),
    bare("POST", "/api/v1/pending/{id}/apply", Missing),
    bare("GET", "/api/v1/offboarding-runs", NotAsked),
    bare("GET", "/api/v1/offboarding-runs/{id}", Missing),
    bare("GET", "/api/v1/offboarding-runs/{id}/certificate", Missing),
    bare("GET", "/api/v1/enforcers", NotAsked),
    with(
        "POST",
        "/api/v1/enforcers",
        NotAsked,
        |_| json!({"name": "New", "url": "https://example.com/end", "probe": "https://example.com/probe"}),
    ),
    bare("GET", "/api/v1/enforcers/{id}", Missing),
    with("PATCH", "/api/v1/enforcers/{id}", Missing, |_| json!({"name": "New"})),
    bare("DELETE", "/api/v1/enforcers/{id}", Missing),
    bare("POST", "/api/v1/enforcers/{id}/pause", Missing),
    bare("POST", "/api/v1/enforcers/{id}/resume", Missing),
    bare("POST", "/api/v1/enforcers/{id}/test", Missing),
    bare("POST", "/api/v1/enforcers/{id}/secrets", Missing),
    bare("DELETE", "/api/v1/enforcers/{id}/secrets/{secret}", Missing),
    bare("GET", "/api/v1/connections", NotAsked),
    with("POST", "/api/v1/connections", NotAsked, |_| json!({"name": "New"})),
    bare("GET", "/api/v1/connections/{id}", Missing),
    with(
        "POST",
        "/api/v1/connections/{id}/suspend",
        Missing,
        |_| json!({"users": "keep"}),
    ),
    bare("POST", "/api/v1/connections/{id}/resume", Missing),
    bare("DELETE", "/api/v1/connections/{id}", Refused),
    bare("GET", "/api/v1/tenant", NotAsked),
    with("POST", "/api/v1/tenant/suspend", NotAsked, |_| json!({"users": "keep"})),
    bare("POST", "/api/v1/tenant/resume", NotAsked),
    bare("DELETE", "/api/v1/tenant", NotAsked),
    bare("GET", "/api/v1/connections/{id}/fuse", Missing),
    with(
        "PATCH",
        "/api/v1/connections/{id}/fuse",
        Missing,
        |_| json!({"window_seconds": 60}),
    ),
    bare("GET", "/api/v1/holds", NotAsked),
    bare("GET", "/api/v1/holds/{id}", Missing),
    bare("GET", "/api/v1/holds/{id}/changes", Missing),
    bare("POST", "/api/v1/holds/{id}/approve", Missing),
    bare("POST", "/api/v1/holds/{id}/reject", Missing),
    bare("GET", "/api/v1/undo", NotAsked),
    bare("GET", "/api/v1/undo/{id}", Missing),
    with("POST", "/api/v1/undo", Refused, |id| json!({"undo": id})),
    bare("GET", "/api/v1/tokens", NotAsked),
    with("POST", "/api/v1/tokens", Refused, |id| json!({"user": id})),
    bare("DELETE", "/api/v1/tokens/{id}", Missing),
    with("POST", "/api/v1/preview", Refused, |id| {
        let grant = json!({"subject": {"type": "user", "id": id}, "role": "analyst", "scope": "all"});
        json!({"changes": [{"grant": grant}]})
    }),
    bare("POST", "/api/v1/preview/{id}/apply", Missing),
    bare("GET", "/api/v1/webhooks", NotAsked),
    with(
        "POST",
        "/api/v1/webhooks",
        NotAsked,
        |_| json!({"name": "New", "url": "https://example.com/hook"}),
    ),
    bare("GET", "/api/v1/webhooks/{id}", Missing),
    with("PATCH", "/api/v1/webhooks/{id}", Missing, |_| json!({"name": "New"})),
    bare("DELETE", "/api/v1/webhooks/{id}", Missing),
    bare("POST", "/api/v1/webhooks/{id}/pause", Missing),
    bare("POST", "/api/v1/webhooks/{id}/resume", Missing),
    bare("POST", "/api/v1/webhooks/{id}/test", Missing),
    bare("POST", "/api/v1/webhooks/{id}/secrets", Missing),
    bare("DELETE", "/api/v1/webhooks/{id}/secrets/{secret}", Missing),
    bare("GET", "/api/v1/webhooks/{id}/deliveries", Missing),
    with(
        "POST",
        "/api/v1/webhooks/{id}/replay",
        Missing,
        |_| json!({"dead": true}),
    ),
    bare("GET", "/api/v1/streams", NotAsked),
    with(
        "POST",
        "/api/v1/streams",
        NotAsked,
        |_| json!({"name": "New", "delivery": "push", "url": "https://example.com/sets"}),
    ),
    bare("GET", "/api/v1/streams/{id}", Missing),
    with("PATCH", "/api/v1/streams/{id}", Missing, |_| json!({"name": "New"})),
    bare("DELETE", "/api/v1/streams/{id}", Missing),
    bare("POST", "/api/v1/streams/{id}/pause", Missing),
    bare("POST", "/api/v1/streams/{id}/resume", Missing),
    bare("POST", "/api/v1/streams/{id}/verify", Missing),
    bare("POST", "/api/v1/streams/{id}/token", Missing),
    bare("GET", "/api/v1/streams/{id}/deliveries", Missing),
    with(
        "POST",
        "/api/v1/streams/{id}/replay",
        Missing,
        |_| json!({"dead": true}),
    ),
    // By its own token, which only its receiver has.
    with("POST", "/events/v1/streams/{id}/poll", NotAsked, |_| json!({})),
    with("POST", "/access/v1/evaluation", Empty, about),
    with(
        "POST",
        "/access/v1/evaluations",
        Empty,
        |id| json!({"evaluations": [about(id)]}),
    ),
    with(
        "POST",
        "/access/v1/search/subject",
        Empty,
        |id| json!({"subject": {"type": "user"}, "action": {"name": "data.act"}, "resource": {"type": "scope", "id": id}}),
    ),
    with("POST", "/access/v1/search/resource", Empty, about),
    with("POST", "/access/v1/search/action", Empty, about),
];

const fn bare(method: &'static str, pattern: &'static str, stranger: Stranger) -> Route {
    Route {
        method,
        pattern,
        body: None,
        stranger,
    }
}

const fn with(method: &'static str, pattern: &'static str, stranger: Stranger, body: fn(&str) -> Value) -> Route {
    Route {
        method,
        pattern,
        body: Some(body),
        stranger,
    }
}

/// A question about a user.
fn about(id: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": id},
        "action": {"name": "data.act"},
        "resource": {"type": "lead", "id": "7"},
    })
}

impl Route {
    /// `GET /api/v1/roles`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }

    /// The path about an id.
    pub fn path(&self, id: &str) -> String {
        self.pattern
            .replace("{id}", id)
            .replace("{kind}", "lead")
            .replace("{record_id}", "7")
            .replace("{secret}", "7")
    }
}
