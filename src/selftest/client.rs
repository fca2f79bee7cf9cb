//! The connection to the server under test: what it answered in this run, and what of it is to be deleted.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Value, json};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::exchange::{Exchange, short};
use super::made::{Made, Unsure, is_search, places, quoted, segment, unsure};
use super::stop::{Outcome, Stop};
use crate::base::secret::Secret;

/// What a server has to finish an answer in.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest wait that a server may ask for before its next request.
const MAX_WAIT_SECS: u64 = 20;

/// How often a request is sent again after such a wait.
const MAX_AGAIN: usize = 3;

/// From here on a server may refuse a body before all of it has come, and close the connection under it.
const LARGE_BODY_BYTES: usize = 64 << 10;

/// How often such a body is sent until the refusal is heard.
const TRIES_OF_LARGE: usize = 6;

/// Most bytes of one answer: the server is not ours, and may never stop.
const MAX_ANSWER_BYTES: usize = 32 << 20;

/// Most bytes of exchanges that are kept for what looks at the whole run.
const MAX_KEPT_BYTES: usize = 256 << 20;

const SCIM: &str = "application/scim+json";

/// The client cannot be made: most likely the system has no certificates of authorities.
#[derive(Debug, thiserror::Error)]
#[error("no request can be sent: are the certificates of authorities (`ca-certificates`) installed?")]
pub(super) struct Unusable(#[source] reqwest::Error);

/// A request that is to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    pub method: String,
    /// Below the base URL, or a whole address of which the path counts.
    pub path: String,
    pub body: Option<Vec<u8>>,
    /// Empty values leave a header away.
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    /// The whole Authorization value; empty is none, `None` is that of the run.
    pub auth: Option<String>,
    /// One of several at once: it is not sent again.
    pub alone: bool,
}

impl Ask {
    /// GET of a path.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }
}

/// The server under test.
pub(super) struct Server {
    pub base: Url,
    pub token: Secret<String>,
    /// Cancelled when the run is to end: what was begun is finished, and nothing new is asked.
    pub halt: CancellationToken,
    /// In the name of everything that the run makes.
    pub mark: String,
    client: Client,
    seen: Mutex<Seen>,
    made: Mutex<Vec<Made>>,
    unsure: Mutex<Vec<Unsure>>,
    left: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Seen {
    exchanges: Vec<Arc<Exchange>>,
    bytes: usize,
}

impl Server {
    pub fn new(base: Url, token: Secret<String>, mark: String) -> Result<Self, Unusable> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("muster-selftest/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            .build()
            .map_err(Unusable)?;
        Ok(Self {
            base,
            token,
            halt: CancellationToken::new(),
            mark,
            client,
            seen: Mutex::default(),
            made: Mutex::default(),
            unsure: Mutex::default(),
            left: Mutex::default(),
        })
    }

    /// The path of the base URL, without a slash at its end.
    pub fn base_path(&self) -> &str {
        self.base.path().trim_end_matches('/')
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Sends, and keeps what was answered. A server that asks for patience gets it, if it is not for long.
    pub async fn send(&self, ask: Ask) -> Outcome<Arc<Exchange>> {
        if self.halt.is_cancelled() {
            return Err(Stop::blocked("the run was interrupted"));
        }
        let exchange = self.patient(&ask).await?;
        let exchange = Arc::new(exchange);
        self.note_made(&exchange, &ask);
        let mut seen = lock(&self.seen);
        if seen.bytes + exchange.weight() <= MAX_KEPT_BYTES {
            seen.bytes += exchange.weight();
            seen.exchanges.push(Arc::clone(&exchange));
        }
        Ok(exchange)
    }

    /// Sends, and again when the server asks for fewer requests and says for how long.
    async fn patient(&self, ask: &Ask) -> Outcome<Exchange> {
        let mut exchange = self.once(ask).await?;
        for _ in 0..MAX_AGAIN {
            let wait = exchange.header("Retry-After").next().unwrap_or("1").parse::<u64>();
            let wait = wait.ok().filter(|wait| *wait <= MAX_WAIT_SECS);
            let Some(wait) = wait.filter(|_| exchange.status == 429 && !ask.alone) else {
                break;
            };
            self.pause(Duration::from_secs(wait)).await;
            exchange = self.once(ask).await?;
        }
        Ok(exchange)
    }

    /// Waits, unless the run is to end.
    pub async fn pause(&self, length: Duration) {
        tokio::select! {
            () = tokio::time::sleep(length) => {}
            () = self.halt.cancelled() => {}
        }
    }

    /// Every answer of the run so far.
    pub fn seen(&self) -> Vec<Arc<Exchange>> {
        lock(&self.seen).exchanges.clone()
    }

    /// How many things there are to delete.
    pub fn made(&self) -> usize {
        lock(&self.made).len()
    }

    /// What could not be deleted.
    pub fn left(&self) -> Vec<String> {
        lock(&self.left).clone()
    }

    /// Deletes what was made after the first `keep`, newest first. What is already gone answers 404, which is fine.
    pub async fn clean(&self, keep: usize) {
        let mut patience = true;
        loop {
            let made = {
                let mut all = lock(&self.made);
                if all.len() <= keep {
                    return;
                }
                all.pop()
            };
            let Some(Made { path, auth }) = made else { return };
            let ask = Ask {
                method: "DELETE".to_owned(),
                auth,
                ..Ask::get(&path)
            };
            let done = if patience {
                self.patient(&ask).await
            } else {
                self.once(&ask).await
            };
            let status = done.map_or(0, |done| done.status);
            // A server that has had its wait once is not waited for again and again.
            patience = patience && status != 429;
            if !matches!(status, 200..=299 | 404 | 410) {
                lock(&self.left).push(path);
            }
        }
    }

    /// Looks for what may have been made although nobody said where, so that it is deleted with the rest.
    pub async fn search(&self) {
        let open = std::mem::take(&mut *lock(&self.unsure));
        for one in open {
            let ask = Ask {
                auth: one.auth.clone(),
                query: vec![("filter".to_owned(), format!("{} eq {}", one.attribute, json!(one.name)))],
                ..Ask::get(&one.endpoint)
            };
            let Some(found) = self.patient(&ask).await.ok().filter(|found| found.status == 200) else {
                let what = format!("{}, {} `{}`, if it was made", one.endpoint, one.attribute, one.name);
                lock(&self.left).push(what);
                continue;
            };
            // A server that ignores filters shows others, too.
            let is_it = |row: &&Value| {
                let name = row[one.attribute].as_str();
                name.is_some_and(|name| name.eq_ignore_ascii_case(&one.name))
            };
            let ids = found
                .resources()
                .iter()
                .filter(is_it)
                .filter_map(|row| row["id"].as_str());
            let made = ids.map(|id| Made {
                path: format!("{}/{}", one.endpoint, segment(id)),
                auth: one.auth.clone(),
            });
            lock(&self.made).extend(made);
        }
    }

    async fn once(&self, ask: &Ask) -> Outcome<Exchange> {
        let target = self.target(ask);
        let url = Url::parse(&format!("{}{target}", self.origin()));
        let url = url.map_err(|fault| Stop::wrong(format!("`{target}` cannot be asked for: {fault}")))?;
        let method = Method::from_bytes(ask.method.as_bytes());
        let method = method.map_err(|_| Stop::blocked(format!("`{}` is no method", ask.method)))?;
        let headers = self.headers(ask)?;
        let is_large = ask.body.as_ref().is_some_and(|body| body.len() > LARGE_BODY_BYTES);
        let most = match (ask.alone, is_large) {
            (true, _) => 1,
            (false, false) => 2,
            (false, true) => TRIES_OF_LARGE,
        };
        let mut tries = 0;
        loop {
            let mut request = self
                .client
                .request(method.clone(), url.clone())
                .headers(headers.clone());
            if let Some(body) = &ask.body {
                request = request.body(body.clone());
            }
            let answer = match request.send().await {
                Ok(response) => read(response).await,
                Err(fault) => Err(lost(&fault)),
            };
            tries += 1;
            if answer.is_err() {
                // It may have been done before the connection was lost.
                self.doubt(ask, &target);
            }
            match answer {
                Ok((status, headers, bytes)) => return Ok(exchange(ask, target, (status, headers, &bytes))),
                // A kept connection that the server has closed: once more on a new one.
                Err(lost) if tries < most && !lost.is_late && (tries == 1 || lost.is_cut) => {}
                // It may well have refused the body before all of it came; whether we still hear that is chance.
                Err(lost) if is_large && lost.is_cut && !lost.is_late => {
                    let what = "the server closed the connection while a large body was sent, and its answer was lost";
                    return Err(Stop::blocked(what));
                }
                Err(Lost { what, .. }) => {
                    let asked = format!("{} {target} {}", ask.method, short(&sent(ask), 300));
                    let asked = asked.trim_end();
                    return Err(Stop::wrong(format!("the server does not answer: {what}: {asked}")));
                }
            }
        }
    }

    /// The request target. Whatever host an address names, it is this server that is asked: the token goes nowhere else.
    fn target(&self, ask: &Ask) -> String {
        let mut target = ask.path.clone();
        let base = self.base_path();
        if let Some((_, rest)) = target
            .split_once("://")
            .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
        {
            target = rest
                .find(['/', '?'])
                .map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned());
        } else if base.is_empty() || !target.starts_with(&format!("{base}/")) {
            // A reference may be relative to the host, or to the base without a slash.
            let slash = if target.starts_with('/') { "" } else { "/" };
            target = format!("{base}{slash}{target}");
        }
        if !target.starts_with('/') {
            target.insert(0, '/');
        }
        for (name, value) in &ask.query {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&quoted(name, ""));
            target.push('=');
            target.push_str(&quoted(value, ""));
        }
        quoted(&target, "/?&=%:,.-_~!$'()*;@+")
    }

    fn headers(&self, ask: &Ask) -> Outcome<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(SCIM));
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(SCIM));
        }
        let bad = |name: &str| Stop::blocked(format!("the header {name} cannot be sent"));
        let auth = match &ask.auth {
            Some(auth) => auth.clone(),
            None => format!("Bearer {}", self.token.expose()),
        };
        if !auth.is_empty() {
            let mut auth = HeaderValue::from_str(&auth).map_err(|_| bad("Authorization"))?;
            // Nothing that the library logs, at whatever level, shows it.
            auth.set_sensitive(true);
            headers.insert(AUTHORIZATION, auth);
        }
        for (name, value) in &ask.headers {
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?;
            if value.is_empty() {
                headers.remove(key);
            } else {
                headers.insert(key, HeaderValue::from_str(value).map_err(|_| bad(name))?);
            }
        }
        Ok(headers)
    }

    /// What a POST or a bulk request made is deleted when the check is over.
    fn note_made(&self, exchange: &Exchange, ask: &Ask) {
        let places = places(exchange);
        let is_good = (200..300).contains(&exchange.status);
        if is_good && places.is_empty() && !is_search(&exchange.path) && exchange.member("Operations").is_none() {
            self.doubt(ask, &exchange.path);
        }
        lock(&self.made).extend(places.into_iter().map(|path| Made {
            path,
            auth: ask.auth.clone(),
        }));
    }

    /// Keeps the names of what a request may have made.
    fn doubt(&self, ask: &Ask, target: &str) {
        let body = ask
            .body
            .as_deref()
            .filter(|body| ask.method == "POST" && body.len() <= LARGE_BODY_BYTES);
        if let Some(body) = body {
            let more = unsure(target, body, &self.mark, ask.auth.as_ref());
            let mut known = lock(&self.unsure);
            for one in more {
                if !known.contains(&one) {
                    known.push(one);
                }
            }
        }
    }
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// Why there is no answer.
struct Lost {
    what: String,
    /// Whether the connection was closed under us.
    is_cut: bool,
    /// Whether it was waited for in vain: to send it again would do it twice.
    is_late: bool,
}

async fn read(mut response: Response) -> Result<Answer, Lost> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|fault| lost(&fault))? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            let what = format!("its answer is longer than {MAX_ANSWER_BYTES} bytes");
            return Err(Lost {
                what,
                is_cut: false,
                is_late: false,
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((response.status().as_u16(), headers, bytes))
}

fn exchange(ask: &Ask, path: String, (status, headers, bytes): (u16, Vec<(String, String)>, &[u8])) -> Exchange {
    Exchange {
        method: ask.method.clone(),
        path,
        sent: sent(ask),
        status,
        headers,
        text: String::from_utf8_lossy(bytes).into_owned(),
        json: serde_json::from_slice(bytes).unwrap_or_default(),
    }
}

fn sent(ask: &Ask) -> String {
    ask.body
        .as_deref()
        .map(String::from_utf8_lossy)
        .unwrap_or_default()
        .into_owned()
}

/// The innermost cause of a failure, without the URL: it may hold a token.
fn lost(fault: &reqwest::Error) -> Lost {
    let (mut what, mut is_cut) = ("the connection failed".to_owned(), false);
    let mut cause = std::error::Error::source(fault);
    while let Some(one) = cause {
        what = one.to_string();
        let kind = one.downcast_ref::<io::Error>().map(io::Error::kind);
        is_cut = is_cut || matches!(kind, Some(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
        cause = one.source();
    }
    if fault.is_timeout() {
        what = format!("nothing came within {} seconds", PATIENCE.as_secs());
    }
    let is_late = fault.is_timeout();
    Lost { what, is_cut, is_late }
}

/// A task that panicked has left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
