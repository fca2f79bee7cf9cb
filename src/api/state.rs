//! What every handler can reach.

use axum::http::{HeaderMap, header};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::places::{Place, Places};
use super::queue::{Queue, Turn};
use crate::service::Services;

/// How the HTTP edge behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What clients see in front of `/scim/v2`, without a slash at the end; `None`: what they asked for.
    pub public_url: Option<String>,
    /// Networks whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests a second per connection, admin of a tenant, or user; `None`: no limit.
    pub rate_limit: Option<NonZeroU32>,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest time a request may take.
    pub timeout: Duration,
}

/// State of the router, cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    services: Services,
    settings: Settings,
    metrics: Option<PrometheusHandle>,
    requests: Option<DefaultKeyedRateLimiter<Payer>>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    following: Places,
    polling: Places,
    exporting: Places,
    bulk_bodies: Queue,
    bulks: Queue,
    stop: CancellationToken,
}

/// Whose budget a request is taken from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A provisioning connection, with all its tokens.
    Connection(i64),
    /// All admin tokens of the tenant with this slug.
    Tenant(Box<str>),
    /// The user with this id.
    User(Box<str>),
    /// The stream with this id.
    Stream(Box<str>),
}

impl Payer {
    /// For metrics, which must not name anyone.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Tenant(_) => "admin",
            Self::User(_) => "user",
            Self::Stream(_) => "stream",
        }
    }
}

/// Wrong tokens that one address may send at once before it is told to wait: an admin trying a few.
const STRANGER_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// Answers that go on at once, of one kind: each holds a connection and looks at the log several times a second.
const MAX_FOLLOWING: usize = 256;
/// Those of one organisation: one that takes all of its own leaves places to others.
const MAX_OF_A_TENANT: usize = 64;
/// Exports that are written at once: each reads as fast as it is read, and keeps some megabytes.
const MAX_EXPORTING: usize = 16;
/// Those of one organisation.
const MAX_EXPORTING_OF_A_TENANT: usize = 4;
/// Bulk requests that are done at once: each has a thousand things to do.
const MAX_BULKS: usize = 8;
/// Those of one organisation.
const MAX_BULKS_OF_A_TENANT: usize = 4;
/// Bodies of bulk requests that are kept at once: each may be as large as such a body may, and come as slowly as its client
/// sends it.
const MAX_BULK_BODIES: usize = 32;
/// Those of one organisation.
const MAX_BULK_BODIES_OF_A_TENANT: usize = 8;
/// A burst is this many seconds' worth of requests.
const BURST_SECS: u32 = 2;

/// How many requests may come at once.
const fn burst(rate: NonZeroU32) -> NonZeroU32 {
    rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECS - 1))
}

impl Edge {
    /// State over the use cases.
    #[must_use]
    pub fn new(services: Services, settings: Settings, metrics: Option<PrometheusHandle>) -> Self {
        let requests = settings
            .rate_limit
            .map(|rate| RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst(rate))));
        let strangers = RateLimiter::keyed(Quota::per_second(NonZeroU32::MIN).allow_burst(STRANGER_BURST));
        Self(Arc::new(Inner {
            services,
            settings,
            metrics,
            requests,
            strangers,
            following: Places::new(MAX_FOLLOWING),
            polling: Places::new(MAX_FOLLOWING),
            exporting: Places::new(MAX_EXPORTING),
            bulk_bodies: Queue::new(MAX_BULK_BODIES, MAX_BULK_BODIES_OF_A_TENANT),
            bulks: Queue::new(MAX_BULKS, MAX_BULKS_OF_A_TENANT),
            stop: CancellationToken::new(),
        }))
    }

    /// Ends when the server does: answers that go on end with it.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// A place for an answer that goes on until its client leaves; none when there are enough of them, or enough of the
    /// tenant with this slug.
    #[must_use]
    pub fn follow(&self, tenant: &str) -> Option<Place> {
        self.0.following.take(&[(tenant, MAX_OF_A_TENANT)])
    }

    /// A place for an export of the log of the tenant with this slug; none when there are enough of them.
    #[must_use]
    pub fn export(&self, tenant: &str) -> Option<Place> {
        self.0.exporting.take(&[(tenant, MAX_EXPORTING_OF_A_TENANT)])
    }

    /// A place to read the body of a bulk request of the tenant with this slug, in the order of asking.
    pub async fn bulk_body(&self, tenant: &str) -> Option<Turn> {
        self.0.bulk_bodies.enter(tenant).await
    }

    /// A place to do one in, in the order of asking.
    pub async fn bulk(&self, tenant: &str) -> Option<Turn> {
        self.0.bulks.enter(tenant).await
    }

    /// A place to wait in for what a stream of this tenant is told; none also while somebody waits for the same stream.
    #[must_use]
    pub fn wait(&self, tenant: &str, stream: &str) -> Option<Place> {
        let of_the_stream = format!("{tenant}/{stream}");
        self.0.polling.take(&[(tenant, MAX_OF_A_TENANT), (&of_the_stream, 1)])
    }

    /// The use cases.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// How the edge behaves.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The metrics page.
    #[must_use]
    pub fn metrics(&self) -> Option<&PrometheusHandle> {
        self.0.metrics.as_ref()
    }

    /// Takes one request out of the payer's budget; otherwise the time until there is one.
    ///
    /// # Errors
    /// The wait, when the budget is spent.
    pub fn admit(&self, payer: &Payer) -> Result<(), Duration> {
        match &self.0.requests {
            Some(limiter) => limiter
                .check_key(payer)
                .map_err(|until| until.wait_time_from(DefaultClock::default().now())),
            None => Ok(()),
        }
    }

    /// Takes requests out of the payer's budget that came with one that was admitted; otherwise the time until there are so
    /// many. Where a budget never holds so many, they take all of it.
    ///
    /// # Errors
    /// The wait, when they are not there; then none is taken.
    pub fn admit_more(&self, payer: &Payer, requests: NonZeroU32) -> Result<(), Duration> {
        let (Some(limiter), Some(rate)) = (&self.0.requests, self.0.settings.rate_limit) else {
            return Ok(());
        };
        // The first of them was taken before.
        let most = NonZeroU32::new(burst(rate).get() - 1).unwrap_or(NonZeroU32::MIN);
        match limiter.check_key_n(payer, requests.min(most)) {
            Ok(Err(until)) => Err(until.wait_time_from(DefaultClock::default().now())),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// Counts a wrong token against the address it came from.
    ///
    /// Valid tokens are never held up by it: offices and identity providers share addresses.
    ///
    /// # Errors
    /// The wait, when the address has sent too many.
    pub fn note_stranger(&self, address: IpAddr) -> Result<(), Duration> {
        let key = match address {
            // A single subscriber usually holds a /64.
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            IpAddr::V4(_) => address,
        };
        self.0
            .strangers
            .check_key(&key)
            .map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets budgets that are full again, so that memory does not grow with the number of addresses seen.
    pub fn forget_idle(&self) {
        self.0.strangers.retain_recent();
        if let Some(limiter) = &self.0.requests {
            limiter.retain_recent();
        }
    }

    fn is_trusted(&self, peer: IpAddr) -> bool {
        self.0
            .settings
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&peer))
    }

    /// The address the request came from: the last one that a trusted proxy did not add itself.
    #[must_use]
    pub fn client_address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.ip().to_canonical();
        if !self.is_trusted(peer) {
            return peer;
        }
        let hops = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let hops: Vec<IpAddr> = hops
            .flat_map(|value| value.split(','))
            .filter_map(|hop| hop.trim().parse().ok())
            .collect();
        hops.into_iter()
            .rev()
            .map(|hop: IpAddr| hop.to_canonical())
            .find(|hop| !self.is_trusted(*hop))
            .unwrap_or(peer)
    }

    /// Scheme and authority that the client used, e.g. `https://muster.example`.
    #[must_use]
    pub fn origin(&self, peer: SocketAddr, headers: &HeaderMap) -> String {
        if let Some(url) = &self.0.settings.public_url {
            return url.clone();
        }
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(|value| first(value).to_owned())
        };
        let trusted = self.is_trusted(peer.ip().to_canonical());
        let forwarded = |name: &str| if trusted { text(name) } else { None };
        let scheme = forwarded("x-forwarded-proto")
            .filter(|scheme| scheme == "https")
            .unwrap_or_else(|| "http".to_owned());
        let host = forwarded("x-forwarded-host")
            .or_else(|| text(header::HOST.as_str()))
            .filter(|host| is_authority(host));
        format!("{scheme}://{}", host.unwrap_or_else(|| "localhost".to_owned()))
    }
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or(list).trim()
}

/// Whether the text can stand as the authority of a URL: what comes from a header is not trusted further than this.
fn is_authority(host: &str) -> bool {
    (1..=255).contains(&host.len())
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_'))
}
