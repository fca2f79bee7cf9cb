//! Somebody who is told of what happens: it answers as a test says, and keeps everything that it got.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Nothing that comes at all takes this long, even on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Got {
    /// The text of a header.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// `webhook-id`.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// Which of its signatures this secret made, counted from 0.
    pub fn signed_by(&self, secret: &str) -> Option<usize> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = format!("{}.{}.{}", self.id(), self.header("webhook-timestamp"), self.text);
        let expected = format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes())));
        self.header("webhook-signature")
            .split(' ')
            .position(|one| one == expected)
    }

    /// The kind of the event.
    pub fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap()
    }

    /// Its position.
    pub fn seq(&self) -> i64 {
        self.json["data"]["seq"].as_i64().unwrap()
    }
}

/// What is answered.
#[derive(Clone)]
pub enum Reply {
    /// A status.
    Status(u16),
    /// A status with a header.
    With(u16, &'static str, String),
    /// 200 with this body.
    Text(String),
    /// A status with JSON.
    Json(u16, Value),
    /// 200 and so many bytes.
    Bytes(usize),
    /// 200 once there is a permit, which is used up.
    After(Arc<Semaphore>),
    /// Nothing, for ever.
    Never,
}

type Script = Box<dyn Fn(&Got) -> Reply + Send>;

struct Inner {
    script: Mutex<Script>,
    got: Mutex<Vec<Got>>,
    count: watch::Sender<usize>,
}

/// A server on a free port of 127.0.0.1, which lives as long as the test's runtime.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
    server: AbortHandle,
}

impl Receiver {
    /// One that answers 204 to everything.
    pub async fn open() -> Self {
        Self::at("127.0.0.1").await
    }

    /// The same on another address of this machine.
    pub async fn at(host: &str) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let inner = Arc::new(Inner {
            script: Mutex::new(Box::new(|_| Reply::Status(204))),
            got: Mutex::default(),
            count: watch::Sender::new(0),
        });
        Self::serve(listener, inner)
    }

    fn serve(listener: TcpListener, inner: Arc<Inner>) -> Self {
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { address, inner, server }
    }

    /// What kills it: nobody listens any more. A connection that is open lasts until it is closed, as by a reply that says
    /// `connection: close`.
    pub fn killer(&self) -> impl Fn() + Send + 'static {
        let server = self.server.clone();
        move || server.abort()
    }

    /// The same again where it was, after it was killed.
    pub async fn restored(&self) -> Self {
        let listener = TcpListener::bind(self.address).await.unwrap();
        Self::serve(listener, Arc::clone(&self.inner))
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers so from now on.
    pub fn answers(&self, script: impl Fn(&Got) -> Reply + Send + 'static) {
        *self.inner.script.lock().unwrap() = Box::new(script);
    }

    /// Everything that came, in order.
    pub fn got(&self) -> Vec<Got> {
        self.inner.got.lock().unwrap().clone()
    }

    /// Positions of the events that came, in order.
    pub fn seqs(&self) -> Vec<i64> {
        self.got().iter().map(Got::seq).collect()
    }

    /// Forgets what came, and gives it.
    pub fn take(&self) -> Vec<Got> {
        std::mem::take(&mut *self.inner.got.lock().unwrap())
    }

    /// Resolves when so many requests have come since it was opened.
    pub async fn has_got(&self, count: usize) {
        let mut counted = self.inner.count.subscribe();
        let came = timeout(PATIENCE, counted.wait_for(|got| *got >= count)).await;
        assert!(came.is_ok(), "{} of {count} came", self.got().len());
    }
}

async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let text = String::from_utf8_lossy(&body).into_owned();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    let got = Got { headers, text, json };
    let reply = inner.script.lock().unwrap()(&got);
    inner.got.lock().unwrap().push(got);
    inner.count.send_modify(|count| *count += 1);
    let status = |status: u16| Response::builder().status(StatusCode::from_u16(status).unwrap());
    match reply {
        Reply::Status(code) => status(code).body(Body::empty()).unwrap(),
        Reply::With(code, name, value) => status(code).header(name, value).body(Body::empty()).unwrap(),
        Reply::Text(text) => status(200).body(Body::from(text)).unwrap(),
        Reply::Json(code, json) => status(code).body(Body::from(json.to_string())).unwrap(),
        Reply::Bytes(count) => status(200).body(Body::from(vec![b'x'; count])).unwrap(),
        Reply::After(permits) => {
            permits.acquire().await.unwrap().forget();
            status(200).body(Body::empty()).unwrap()
        }
        Reply::Never => std::future::pending().await,
    }
}
