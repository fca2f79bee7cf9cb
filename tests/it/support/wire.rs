//! A client that speaks plain HTTP/1.1 over a real connection, one connection a request.
//!
//! Small on purpose: it adds no crate, and a test can send what a well-behaved client never would.

use std::io;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Answer;

/// No answer of a healthy server takes this long, even on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often, and after which pause, a request comes again that the server had no room for.
const TRIES: usize = 20;
const BUSY: Duration = Duration::from_millis(100);

/// A caller: an address and a token.
#[derive(Debug, Clone)]
pub struct Client {
    /// `HOST:PORT`.
    pub address: String,
    pub token: String,
}

impl Client {
    /// Asks the SCIM service; `path` begins after `/scim/v2`. An error means that no whole answer came.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Answer> {
        self.ask_with(method, path, body, &[]).await
    }

    /// The same with further headers.
    pub async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> io::Result<Answer> {
        let (path, scim) = (format!("/scim/v2{path}"), [("Content-Type", "application/scim+json")]);
        self.send(method, &path, body, &[&scim, headers].concat()).await
    }

    /// Any request; the path is whole, and the headers say what the body is.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> io::Result<Answer> {
        let Self { address, token } = self;
        let body = body.map(Value::to_string).unwrap_or_default();
        let (bearer, length) = (format!("Bearer {token}"), body.len().to_string());
        let own = [
            ("Host", address.as_str()),
            ("Connection", "close"),
            ("Authorization", &bearer),
            ("Content-Length", &length),
        ];
        let lines = own
            .iter()
            .chain(headers)
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let head: String = lines.collect();
        let text = format!("{method} {path} HTTP/1.1\r\n{head}\r\n{body}");
        let mut tries = TRIES;
        loop {
            let raw = raw(address, text.as_bytes()).await?;
            let answer = parse(&raw);
            let answer =
                answer.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is not whole"))?;
            if answer.status != 503 || !answer.headers.contains_key("retry-after") || tries == 0 {
                return Ok(answer);
            }
            // Nothing was done: it comes again, as clients do.
            tries -= 1;
            tokio::time::sleep(BUSY).await;
        }
    }
}

/// Sends these bytes and reads until the server closes.
pub async fn raw(address: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(bytes).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    };
    timeout(PATIENCE, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// `None` when the bytes end too early to be the whole answer.
fn parse(raw: &[u8]) -> Option<Answer> {
    let split = raw.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&raw[..split]).ok()?;
    let rest = &raw[split + 4..];
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(
            name.parse::<HeaderName>().ok()?,
            HeaderValue::from_str(value.trim()).ok()?,
        );
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body = if text("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        unchunk(rest)?
    } else {
        let length = text("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        rest.get(..length)?.to_vec()
    };
    Some(Answer::new(status, headers, &body))
}

/// Joins the chunks of a body (RFC 9112 §7.1); `None` when the last one is missing.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}
