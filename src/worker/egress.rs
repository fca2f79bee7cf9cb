//! The one way out: requests to addresses that administrators give.
//!
//! A guard says where Muster may connect to. It is asked twice: for the URL, because an address in it is not looked up,
//! and for what a name resolves to, at the moment of connecting. Redirects are not followed, a proxy of the environment is
//! not used, and neither the time nor the bytes of an answer are the receiver's to choose.

use std::error::Error as _;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};
use tokio::time::timeout;

use crate::service::delivery::{Failure, Guard, Parcel};

/// Most bytes that are read of an answer; the connection of a longer one is given up.
pub const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Idle connections that are kept to one host.
const IDLE_PER_HOST: usize = 8;

/// How long an answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until its headers are there.
    pub headers: Duration,
    /// Until all that is read of it is there.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            whole: Duration::from_secs(15),
        }
    }
}

/// What names resolve to.
pub type Lookup = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// What a receiver answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Retry-After`, where it is a number of seconds.
    pub retry_after: Option<Duration>,
    /// The first [`MAX_ANSWER_BYTES`] of its body.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// The client of everything that Muster sends by itself; clones share its connections.
#[derive(Clone)]
pub struct Egress {
    client: Client,
    guard: Guard,
    patience: Patience,
}

/// The client cannot be made: most likely the system has no certificates of authorities.
#[derive(Debug, thiserror::Error)]
#[error("no request can be sent by https: are the certificates of authorities (`ca-certificates`) installed?")]
pub struct Unusable(#[source] reqwest::Error);

impl Egress {
    /// A client behind a guard, which asks the system for names.
    ///
    /// # Errors
    /// A system without certificates of authorities.
    pub fn new(guard: Guard) -> Result<Self, Unusable> {
        Self::resolving(guard, Patience::default(), Arc::new(|name| Box::pin(system(name))))
    }

    /// The same with another patience and other names: tests choose both.
    ///
    /// # Errors
    /// A system without certificates of authorities.
    pub fn resolving(guard: Guard, patience: Patience, lookup: Lookup) -> Result<Self, Unusable> {
        let resolver = Resolver {
            guard: guard.clone(),
            lookup,
        };
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .https_only(!guard.http)
            .user_agent(concat!("Muster/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(patience.headers)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .dns_resolver(Arc::new(resolver))
            .build()
            .map_err(Unusable)?;
        Ok(Self {
            client,
            guard,
            patience,
        })
    }

    /// Posts a parcel.
    ///
    /// # Errors
    /// Why there is no answer. An answer of any status is one, but for a redirect.
    pub async fn post(&self, parcel: &Parcel) -> Result<Answer, Failure> {
        self.guard.check(&parcel.url).map_err(|_| Failure::Address)?;
        timeout(self.patience.whole, self.exchange(parcel))
            .await
            .map_err(|_| Failure::Timeout)?
    }

    async fn exchange(&self, parcel: &Parcel) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::with_capacity(parcel.headers.len());
        for (name, value) in &parcel.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| Failure::Connection)?;
            let name = HeaderName::from_static(name);
            // Nothing that the library logs, at whatever level, shows it.
            value.set_sensitive(name == AUTHORIZATION);
            headers.insert(name, value);
        }
        let request = self.client.post(parcel.url.clone()).headers(headers);
        let sent = request.body(parcel.body.as_bytes().to_vec()).send();
        let sent = timeout(self.patience.headers, sent)
            .await
            .map_err(|_| Failure::Timeout)?;
        let response = sent.map_err(|fault| failure(&fault))?;
        if response.status().is_redirection() {
            return Err(Failure::Redirect);
        }
        let seconds = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let (status, after) = (
            response.status().as_u16(),
            seconds
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
        );
        let (body, is_whole) = beginning(response).await;
        Ok(Answer {
            status,
            retry_after: after,
            body,
            is_whole,
        })
    }
}

/// The first bytes of a body, and whether they are all. One that breaks off is as long as it came: the status has been
/// given.
async fn beginning(mut response: Response) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_ANSWER_BYTES - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() == MAX_ANSWER_BYTES {
                    return (body, false);
                }
            }
            Ok(None) => return (body, true),
            Err(_) => return (body, false),
        }
    }
}

fn failure(fault: &reqwest::Error) -> Failure {
    if fault.is_timeout() {
        return Failure::Timeout;
    }
    let mut cause = fault.source();
    while let Some(one) = cause {
        if one.is::<Forbidden>() {
            return Failure::Address;
        }
        cause = one.source();
    }
    Failure::Connection
}

/// A name that resolves to nothing Muster may connect to.
#[derive(Debug)]
struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has no address that may be connected to")
    }
}

impl std::error::Error for Forbidden {}

/// Resolves names to what the guard permits, each time anew: what was looked up is what is connected to.
struct Resolver {
    guard: Guard,
    lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looked_up = (self.lookup)(name.as_str().to_owned());
        let guard = self.guard.clone();
        Box::pin(async move {
            let found = looked_up.await?;
            let permitted: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| guard.permits(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if permitted.is_empty() {
                return Err(Forbidden.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

async fn system(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0))
        .await?
        .map(|found| found.ip())
        .collect())
}
