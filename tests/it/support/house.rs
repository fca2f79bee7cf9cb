//! The whole server in process, on a database of its own, with the words that tests ask it in.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use http_body_util::channel::Channel;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Arrange;
use super::answer::Answer;
use super::database::{Database, Engine};
use super::dump::Dump;
use super::logs::Logs;
use super::program::run_json;
use super::seam::{self, Rooms};
use super::template::{CONNECTION, Keys};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A server as one caller sees it. Clones and the views of other callers share the server.
#[derive(Clone)]
pub struct TestHouse {
    pub database: Database,
    pub logs: Logs,
    rooms: Rooms,
    keys: Keys,
    token: Option<String>,
}

impl Arrange for TestHouse {
    async fn arrange(engine: Engine, logs: &Logs) -> Self {
        let database = Database::fresh(engine).await;
        let (rooms, keys) = (seam::open(database.url()).await, database.keys().await);
        Self {
            token: Some(keys.token.clone()),
            database,
            logs: logs.clone(),
            rooms,
            keys,
        }
    }

    async fn clear(self) {
        seam::close(self.rooms).await;
        self.database.drop_now().await;
    }
}

/// Asking the SCIM service; paths begin after `/scim/v2`.
impl TestHouse {
    pub async fn get(&self, path: &str) -> Answer {
        self.scim(Method::GET, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.scim(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.scim(Method::PUT, path, Some(body), &[]).await
    }

    /// A PATCH with these operations.
    pub async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        self.scim(Method::PATCH, path, Some(body), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.scim(Method::DELETE, path, None, &[]).await
    }

    /// Resources of an endpoint that a filter finds.
    pub async fn find(&self, endpoint: &str, filter: &str) -> Answer {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("filter", filter)
            .finish();
        self.get(&format!("{endpoint}?{query}")).await
    }

    /// Any request to the SCIM service. A header given here takes the place of the usual one.
    pub async fn scim(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let given = |name: &str| headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        if let (Some(token), false) = (&self.token, given("authorization")) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() && !given("content-type") {
            request = request.header(header::CONTENT_TYPE, "application/scim+json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// A request whose body comes only after something else was done: it was let in before. The path is whole.
    pub async fn late(&self, method: Method, path: &str, body: Value, meanwhile: impl Future<Output = ()>) -> Answer {
        // So narrow that the second part is taken only when the server reads the body.
        let (mut writer, reader) = Channel::<Bytes, Infallible>::new(1);
        let mut text = Bytes::from(body.to_string());
        let body = Body::new(reader);
        let token = format!("Bearer {}", self.token.as_deref().unwrap());
        let kind = if path.starts_with("/scim") {
            "application/scim+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, token);
        let request = request.header(header::CONTENT_TYPE, kind).body(body).unwrap();
        let other = async {
            for _ in 0..2 {
                writer.send_data(text.split_to(1)).await.unwrap();
            }
            meanwhile.await;
            writer.send_data(text).await.unwrap();
            drop(writer);
        };
        tokio::join!(self.send(request), other).0
    }

    /// Any request at all, whole path and all headers.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.open(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer::new(head.status.as_u16(), head.headers, &body)
    }

    /// The same with an answer that has not been read: it may go on.
    pub async fn open(&self, mut request: Request<Body>) -> Response<Body> {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        self.rooms.router.clone().oneshot(request).await.unwrap()
    }
}

/// Furnishing, always through the public API.
impl TestHouse {
    /// A user with nothing but a name; answers its id.
    pub async fn user(&self, user_name: &str) -> String {
        self.post("/Users", json!({"schemas": [USER], "userName": user_name}))
            .await
            .status(201)
            .id()
    }

    /// An empty group; answers its id.
    pub async fn group(&self, display_name: &str) -> String {
        self.post("/Groups", json!({"schemas": [GROUP], "displayName": display_name}))
            .await
            .status(201)
            .id()
    }

    /// Puts a member into a group.
    pub async fn join(&self, group: &str, member: &str) {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": member}]}]);
        let answer = self.patch(&format!("/Groups/{group}"), add).await;
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    }
}

/// Other callers, and what lies behind the walls.
impl TestHouse {
    /// The same server as the other tenant sees it.
    pub fn second_tenant(&self) -> Self {
        self.with_token(Some(&self.keys.neighbour))
    }

    /// The same server with another token, or without one.
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// A new token of this tenant's connection, made on the command line with these further arguments.
    pub fn token(&self, arguments: &[&str]) -> String {
        let create = [
            "token",
            "create",
            "--tenant",
            "acme",
            "--connection",
            CONNECTION,
            "--json",
        ];
        let made = run_json(&self.database, &[&create, arguments].concat());
        made["token"].as_str().unwrap().to_owned()
    }

    /// The clock of the server, which stands still until it is moved.
    pub fn clock(&self) -> &muster::base::clock::Clock {
        &self.rooms.clock
    }

    /// The rooms behind, for what only tests do.
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// What workers would do by now.
    pub async fn turn(&self) {
        seam::turn(&self.rooms).await;
    }

    /// What two servers would do at once about the users of what is suspended or deleted.
    pub async fn close_at_once(&self) {
        seam::close_at_once(&self.rooms).await;
    }

    /// What two servers would do at once about requests whose clients do not wait.
    pub async fn do_deferred_twice(&self) {
        seam::do_deferred_twice(&self.rooms).await;
    }

    /// What a server would remove by now of the results of such requests.
    pub async fn forget_old_results(&self) {
        seam::forget_old_results(&self.rooms).await;
    }

    /// Writes down which habits of clients were tolerated, as a server does every few seconds.
    pub async fn count_tolerances(&self) {
        seam::count_tolerances(&self.rooms).await;
    }

    /// What the worker of mail would do by now, with mail going there; answers how many were handed over.
    pub async fn send_mail(&self, mail: &str) -> usize {
        seam::send_mail(&self.rooms, mail).await
    }

    /// Every row, for a test that says that nothing changed.
    pub async fn dump(&self) -> Dump {
        Dump::of(&self.database).await
    }
}
