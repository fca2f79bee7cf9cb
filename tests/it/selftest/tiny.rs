//! A SCIM server of users in a hundred lines, which a test can make wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use muster::base::secret::Secret;
use muster::selftest::report::{Finding, Report, Verdict};
use muster::selftest::{Book, Choice, Target, run};
use serde_json::{Value, json};
use url::Url;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const TOKEN: &str = "tiny-secret-token";

/// One request as the server sees it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    /// Below `/v2`.
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Value,
}

/// What it answers instead.
type Fault = Box<dyn Fn(&Asked) -> Option<Response> + Send + Sync>;

/// What the server holds, and how it is wrong.
pub struct Tiny {
    users: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<Asked>>,
    fault: Fault,
}

impl Tiny {
    /// A server that does as it says.
    pub fn good() -> Arc<Self> {
        Self::wrong(|_| None)
    }

    /// One that answers otherwise where `fault` says so.
    pub fn wrong(fault: impl Fn(&Asked) -> Option<Response> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            users: Mutex::default(),
            asked: Mutex::default(),
            fault: Box::new(fault),
        })
    }

    /// Everything that was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.users.lock().unwrap().len()
    }

    /// Its base URL; it ends with the test.
    pub async fn serve(self: &Arc<Self>) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v2", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url.parse().unwrap()
    }

    /// Runs these requirements against it.
    pub async fn judged(self: &Arc<Self>, requirements: &str) -> Report {
        self.judged_with(FIXTURES, requirements).await
    }

    /// Runs these requirements with these fixtures against it.
    pub async fn judged_with(self: &Arc<Self>, fixtures: &str, requirements: &str) -> Report {
        let book = Book::read(&[("fixtures.toml", fixtures), ("test.toml", requirements)]).unwrap();
        let url = self.serve().await;
        run(&book, target(url), &Choice::default(), std::future::pending(), |_| {})
            .await
            .unwrap()
    }

    /// Runs one check against it.
    pub async fn checked(self: &Arc<Self>, check: &str) -> Finding {
        let mut report = self.judged(&requirement(check)).await;
        report.requirements.remove(0).checks.remove(0)
    }

    fn own(&self, asked: &Asked) -> Response {
        let mut users = self.users.lock().unwrap();
        let id = asked.path.strip_prefix("/Users/").map(str::to_owned);
        match (asked.method.as_str(), asked.path.as_str(), id) {
            ("GET", "/ServiceProviderConfig", _) => scim(200, json!({"patch": {"supported": false}})),
            ("GET", "/ResourceTypes", _) => list([json!({"name": "User", "endpoint": "/Users", "schema": USER})]),
            ("GET", "/Schemas", _) => {
                list([json!({"id": USER, "attributes": [{"name": "nick", "type": "string", "multiValued": false}]})])
            }
            ("POST", "/Users", _) => {
                let name = asked.body["userName"].clone();
                if users.values().any(|user| user["userName"] == name) {
                    return scim(409, json!({"status": "409", "scimType": "uniqueness"}));
                }
                let id = format!("u{:04}", users.len() + self.asked.lock().unwrap().len());
                let mut user = asked.body.clone();
                user["id"] = json!(id);
                users.insert(id, user.clone());
                scim(201, user)
            }
            ("GET", "/Users", _) => {
                let number = |name: &str| asked.query.get(name).and_then(|text| text.parse::<usize>().ok());
                let start = number("startIndex").unwrap_or(1).max(1) - 1;
                let page = users.values().skip(start).take(number("count").unwrap_or(100));
                let page: Vec<Value> = page.cloned().collect();
                scim(
                    200,
                    json!({"schemas": [LIST], "totalResults": users.len(), "Resources": page}),
                )
            }
            ("GET", _, Some(id)) if users.contains_key(&id) => scim(200, users[&id].clone()),
            ("DELETE", _, Some(id)) if users.remove(&id).is_some() => StatusCode::NO_CONTENT.into_response(),
            _ => scim(404, json!({"status": "404"})),
        }
    }
}

/// An answer with JSON.
pub fn scim(status: u16, body: impl Into<Value>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [("content-type", "application/scim+json")],
        body.into().to_string(),
    )
        .into_response()
}

fn list(rows: impl IntoIterator<Item = Value>) -> Response {
    let rows = Vec::from_iter(rows);
    scim(
        200,
        json!({"schemas": [LIST], "totalResults": rows.len(), "Resources": rows}),
    )
}

async fn answer(State(tiny): State<Arc<Tiny>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = Asked {
        method,
        path: uri.path().trim_start_matches("/v2").to_owned(),
        query: query.into_owned().collect(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    tiny.asked.lock().unwrap().push(asked.clone());
    (tiny.fault)(&asked).unwrap_or_else(|| tiny.own(&asked))
}

pub fn target(url: Url) -> Target {
    Target {
        url,
        token: Secret::new(TOKEN.to_owned()),
        second: None,
        foreign: None,
        strict: false,
        departs: false,
    }
}

pub const FIXTURES: &str = r#"
[[fixture]]
name = "user"
endpoint = "/Users"
bodies = ['''{"schemas": ["${USER}"], "userName": "${n}-${as}"}''', '''{"userName": "${n}-${as}", "active": true}''']
"#;

/// A requirement with this check.
pub fn requirement(check: &str) -> String {
    format!(
        "title = \"Tests\"\n[[requirement]]\nid = \"TST-01\"\nlevel = \"must\"\nrfc = \"RFC 0 §1\"\nsays = \"It works.\"\n\
         why = \"it does not work\"\n[[requirement.check]]\n{check}\n"
    )
}

/// The result and what was found.
pub fn told(finding: &Finding) -> (Verdict, &str) {
    (finding.result, finding.found.as_deref().unwrap_or_default())
}
