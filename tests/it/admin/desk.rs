//! Asking the admin API and the decisions, as an administrator or as one user.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::program::run_json;

/// What a `type` of a problem begins with.
const TYPE: &str = "urn:muster:problem:";

/// Where one caller asks from.
#[derive(Clone)]
pub struct Desk {
    pub house: TestHouse,
    token: Option<String>,
}

/// Who a desk belongs to.
impl Desk {
    /// An administrator of the tenant `acme`.
    pub fn admin(house: &TestHouse) -> Self {
        Self::with(house, &token(house, "acme", &["--admin"]))
    }

    /// An administrator of the other tenant.
    pub fn neighbour(house: &TestHouse) -> Self {
        Self::with(house, &token(house, "neighbour", &["--admin"]))
    }

    /// A user of the tenant `acme`.
    pub fn user(house: &TestHouse, id: &str) -> Self {
        Self::with(house, &token(house, "acme", &["--user", id]))
    }

    /// Somebody with this token.
    pub fn with(house: &TestHouse, token: &str) -> Self {
        Self {
            house: house.clone(),
            token: Some(token.to_owned()),
        }
    }

    /// Somebody without one.
    pub fn nobody(house: &TestHouse) -> Self {
        Self {
            house: house.clone(),
            token: None,
        }
    }
}

/// A new token, made on the command line.
pub fn token(house: &TestHouse, tenant: &str, holder: &[&str]) -> String {
    let create = ["token", "create", "--tenant", tenant, "--json"];
    let made = run_json(&house.database, &[&create, holder].concat());
    made["token"].as_str().unwrap().to_owned()
}

/// Asking; paths of the admin API begin after `/api/v1`.
impl Desk {
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, &format!("/api/v1{path}"), None, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, &format!("/api/v1{path}"), Some(body), &[]).await
    }

    pub async fn put(&self, path: &str) -> Answer {
        self.ask(Method::PUT, &format!("/api/v1{path}"), None, &[]).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, &format!("/api/v1{path}"), Some(body), &[])
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, &format!("/api/v1{path}"), None, &[]).await
    }

    /// A question in `AuthZEN`'s words; the path begins after `/access/v1`.
    pub async fn decide(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, &format!("/access/v1{path}"), Some(body), &[])
            .await
    }

    /// Any request; the path is whole.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let text = body.map(|body| body.to_string());
        self.raw(method, path, text, headers).await
    }

    /// The same with any bytes for a body.
    pub async fn raw(&self, method: Method, path: &str, body: Option<String>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let given = |name: &str| headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        if body.is_some() && !given("content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, Body::from);
        self.house.send(request.body(body).unwrap()).await
    }
}

/// Furnishing, and looking.
impl Desk {
    /// A scope without a parent; answers its id.
    pub async fn scope(&self, kind: &str, name: &str) -> String {
        self.post("/scopes", json!({"kind": kind, "name": name}))
            .await
            .status(201)
            .id()
    }

    /// Puts a record into a scope.
    pub async fn place(&self, scope: &str, kind: &str, record: &str) {
        let answer = self.put(&format!("/scopes/{scope}/records/{kind}/{record}")).await;
        assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
    }

    /// Gives a user a role on a scope; answers the grant's id.
    pub async fn grant(&self, user: &str, role: &str, scope: &str) -> String {
        self.grant_to("user", user, role, scope).await
    }

    /// Gives a user or a group a role on a scope; answers the grant's id.
    pub async fn grant_to(&self, kind: &str, id: &str, role: &str, scope: &str) -> String {
        let grant = json!({"subject": {"type": kind, "id": id}, "role": role, "scope": scope});
        self.post("/grants", grant).await.status(201).id()
    }

    /// Whether a user may do something with a record.
    pub async fn may(&self, user: &str, permission: &str, record: (&str, &str)) -> bool {
        let question = json!({
            "subject": {"type": "user", "id": user},
            "action": {"name": permission},
            "resource": {"type": record.0, "id": record.1},
        });
        let answer = self.decide("/evaluation", question).await.status(200);
        answer.json["decision"].as_bool().unwrap()
    }
}

/// What a problem body must be.
pub trait Problems {
    /// RFC 9457 with this status and kind; answers the whole body.
    fn problem(self, status: u16, kind: &str) -> Value;
}

impl Problems for Answer {
    #[track_caller]
    fn problem(self, status: u16, kind: &str) -> Value {
        let answer = self.status(status);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{}",
            answer.text
        );
        let body = answer.json.clone();
        assert_eq!(body["status"], status, "{}", answer.text);
        assert_eq!(body["type"], format!("{TYPE}{kind}"), "{}", answer.text);
        assert_eq!(body["request_id"], answer.header("x-request-id"));
        for member in ["title", "detail"] {
            assert_ne!(body[member].as_str().unwrap_or_default(), "", "{}", answer.text);
        }
        body
    }
}

/// The texts of one member of each item of a list.
pub fn texts(list: &Value, member: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items
        .iter()
        .map(|item| item[member].as_str().unwrap_or_default().to_owned())
        .collect()
}
