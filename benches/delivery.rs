//! How late webhooks are told: changes at a steady rate, ten receivers, one of which takes five seconds a request.
//!
//! `cargo bench --bench delivery -- [sqlite:PATH | postgres://…] [CHANGES] [CHANGES A SECOND]`; without a database it is a
//! new file of SQLite. A change is a user who is made. Lag is the receiver's clock less the instant of the event, so it has
//! everything in it: numbering, finding what is new, sending. Ends with 1 when one of the quick receivers misses an event
//! or has a lag above 1 s at the 99th percentile.

#[path = "house/create.rs"]
mod create;
mod house;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use house::Outcome;
use muster::base::clock::Clock;
use muster::service::credentials::Holder;
use muster::service::delivery::webhooks::{self, Asked};
use muster::service::{Caller, Keeping, Services};
use muster::worker;
use muster::worker::egress::Egress;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};
use tokio_util::sync::CancellationToken;

const RECEIVERS: usize = 10;

/// Who makes users at once.
const MAKERS: usize = 8;

/// What the slow receiver takes for a request.
const SLOWNESS: Duration = Duration::from_secs(5);

/// How long deliveries may take to end once nothing changes any more.
const REST: Duration = Duration::from_secs(30);

/// The most that 99 of 100 deliveries to a quick receiver may lag.
const BAR: Duration = Duration::from_secs(1);

/// One who is told: position and lag in microseconds of everything that came.
#[derive(Clone)]
struct Receiver {
    clock: Clock,
    slowness: Duration,
    came: Arc<Mutex<Vec<(i64, i64)>>>,
}

impl Receiver {
    /// Listens on a free port; answers where.
    async fn open(slowness: Duration) -> Outcome<(Self, String)> {
        let receiver = Self {
            clock: Clock::system(),
            slowness,
            came: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((receiver, url))
    }

    fn came(&self) -> Vec<(i64, i64)> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Different events that came.
    fn events(&self) -> usize {
        let mut positions: Vec<i64> = self.came().into_iter().map(|(seq, _)| seq).collect();
        positions.sort_unstable();
        positions.dedup();
        positions.len()
    }

    /// The lag that so many of a hundred do not exceed.
    fn lag(&self, percent: usize) -> Duration {
        let mut lags: Vec<i64> = self.came().into_iter().map(|(_, lag)| lag).collect();
        lags.sort_unstable();
        let at = (lags.len() * percent).div_ceil(100).saturating_sub(1);
        let lag = lags.get(at).copied().unwrap_or(i64::MAX);
        Duration::from_micros(u64::try_from(lag).unwrap_or(0))
    }
}

async fn take(State(receiver): State<Receiver>, body: Bytes) -> StatusCode {
    let now = receiver.clock.now().0;
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let at = event["timestamp"]
        .as_str()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let (Some(seq), Some(at)) = (event["data"]["seq"].as_i64(), at) else {
        return StatusCode::BAD_REQUEST;
    };
    let came = (seq, now - at.as_microsecond());
    receiver.came.lock().unwrap_or_else(PoisonError::into_inner).push(came);
    sleep(receiver.slowness).await;
    StatusCode::NO_CONTENT
}

/// Makes every eighth user, at an eighth of the rate.
async fn make(services: Services, caller: Caller, maker: usize, changes: usize, a_second: u32) -> Outcome<()> {
    let makers = u32::try_from(MAKERS)?;
    let mut beat = interval(Duration::from_secs(1) * makers / a_second);
    for number in (maker..changes).step_by(MAKERS) {
        beat.tick().await;
        create::create(&services, &caller, &format!("user-{number}")).await?;
    }
    Ok(())
}

/// Ten receivers, the first of which is slow.
async fn receivers(services: &Services) -> Outcome<Vec<Receiver>> {
    let admin = house::caller(services, &Holder::Admin).await?;
    let mut receivers = Vec::new();
    for number in 0..RECEIVERS {
        let slowness = if number == 0 { SLOWNESS } else { Duration::ZERO };
        let (receiver, url) = Receiver::open(slowness).await?;
        let asked = Asked {
            name: Some(format!("receiver {number}")),
            url: Some(url),
            kinds: Some(vec!["user.created".to_owned()]),
        };
        webhooks::create(services, &admin, asked).await?;
        receivers.push(receiver);
    }
    Ok(receivers)
}

/// Makes all the users, and waits until the quick receivers have been told of them.
async fn carry(services: &Services, caller: &Caller, quick: &[Receiver], changes: usize, a_second: u32) -> Outcome<()> {
    let began = Instant::now();
    let mut makers = JoinSet::new();
    for maker in 0..MAKERS {
        makers.spawn(make(services.clone(), caller.clone(), maker, changes, a_second));
    }
    while let Some(maker) = makers.join_next().await {
        maker??;
    }
    println!("{changes} users made in {:.1} s", began.elapsed().as_secs_f64());
    let made = Instant::now();
    while made.elapsed() < REST && quick.iter().any(|receiver| receiver.came().len() < changes) {
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Whether no quick receiver was kept waiting.
fn report(receivers: &[Receiver], changes: usize) -> bool {
    let mut good = true;
    for (number, receiver) in receivers.iter().enumerate() {
        let (events, all) = (receiver.events(), receiver.came().len());
        let (half, most) = (receiver.lag(50), receiver.lag(99));
        println!("receiver {number}: {events} events in {all} deliveries, lag p50 {half:.1?}, p99 {most:.1?}");
        good &= receiver.slowness > Duration::ZERO || (events == changes && most <= BAR);
    }
    good
}

async fn measured(url: &str, changes: usize, a_second: u32) -> Outcome<bool> {
    let db = house::database(url).await?;
    let services = house::services(&db, Keeping::Everything).await?;
    let caller = house::found(&services).await?;
    let receivers = receivers(&services).await?;
    let stop = CancellationToken::new();
    let mut workers = JoinSet::new();
    workers.spawn(worker::sequence::run(services.clone(), stop.clone()));
    workers.spawn(worker::relay::run(
        services.clone(),
        Egress::new(house::guard())?,
        stop.clone(),
    ));
    carry(&services, &caller, &receivers[1..], changes, a_second).await?;
    let good = report(&receivers, changes);
    stop.cancel();
    while workers.join_next().await.is_some() {}
    db.close().await;
    Ok(good)
}

fn main() -> Outcome<ExitCode> {
    let arguments = house::words();
    let folder = tempfile::tempdir()?;
    let fresh = format!("sqlite:{}", folder.path().join("bench.db").display());
    let named = arguments.first().map(String::as_str).filter(|url| !url.is_empty());
    let url = named.unwrap_or(&fresh);
    let changes = arguments.get(1).map_or(Ok(10_000), |text| text.parse())?;
    let a_second = arguments.get(2).map_or(Ok(200), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let good = runtime.block_on(measured(url, changes, a_second))?;
    Ok(ExitCode::from(u8::from(!good)))
}
