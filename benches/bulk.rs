//! What a thousand creations cost in one request, against a thousand requests of eight connections.
//!
//! `cargo bench --bench bulk -- [sqlite:PATH | postgres://…] [ROUNDS]`; without a database it is a new file of SQLite. The
//! use cases are asked, without HTTP, which single requests pay for a thousand times more often; the sequencer runs
//! meanwhile. Ends with 1 when the bulk takes more than half the time.

mod house;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use house::Outcome;
use muster::scim::bulk::{Request, parse};
use muster::scim::message::BULK_REQUEST;
use muster::service::{Caller, Keeping, Services, bulk};
use muster::worker;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const USERS: usize = 1000;

/// Connections that make one user after the other.
const CONNECTIONS: usize = 8;

/// The most that the bulk may take, in the time of the single requests.
const BAR: f64 = 0.5;

fn request(round: u32) -> Outcome<Request> {
    let create = |n: usize| {
        json!({
            "method": "POST",
            "path": "/Users",
            "bulkId": n.to_string(),
            "data": house::user(&format!("bulk-{round}-{n}")),
        })
    };
    let operations: Vec<Value> = (0..USERS).map(create).collect();
    let body = json!({ "schemas": [BULK_REQUEST], "Operations": operations });
    Ok(parse(body, bulk::MOST_OPERATIONS)?)
}

async fn by_bulk(services: &Services, caller: &Caller, round: u32) -> Outcome<Duration> {
    let request = request(round)?;
    let start = Instant::now();
    for outcome in bulk::run(services, caller, house::strict(), request, ()).await? {
        outcome.result?;
    }
    Ok(start.elapsed())
}

async fn make(services: Services, caller: Caller, name: String) -> Outcome<()> {
    for n in 0..USERS / CONNECTIONS {
        house::create(&services, &caller, &format!("{name}-{n}")).await?;
    }
    Ok(())
}

async fn one_by_one(services: &Services, caller: &Caller, round: u32) -> Outcome<Duration> {
    let start = Instant::now();
    let mut makers = JoinSet::new();
    for maker in 0..CONNECTIONS {
        makers.spawn(make(services.clone(), caller.clone(), format!("one-{round}-{maker}")));
    }
    while let Some(maker) = makers.join_next().await {
        maker??;
    }
    Ok(start.elapsed())
}

/// The time of the bulk, in the time of the single requests.
async fn measured(url: &str, rounds: u32) -> Outcome<f64> {
    let db = house::database(url).await?;
    let services = house::services(&db, Keeping::Everything).await?;
    let caller = house::found(&services).await?;
    let stop = CancellationToken::new();
    let sequencer = tokio::spawn(worker::sequence::run(services.clone(), stop.clone()));
    one_by_one(&services, &caller, rounds).await?;
    let (mut many, mut single) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        let (bulk, ones) = (
            by_bulk(&services, &caller, round).await?,
            one_by_one(&services, &caller, round).await?,
        );
        println!("round {round}: {USERS} users in {bulk:.0?} by bulk, in {ones:.0?} one by one");
        (many, single) = (many + bulk, single + ones);
    }
    stop.cancel();
    sequencer.await?;
    db.close().await;
    Ok(many.as_secs_f64() / single.as_secs_f64())
}

fn main() -> Outcome<ExitCode> {
    let arguments = house::words();
    let folder = tempfile::tempdir()?;
    let fresh = format!("sqlite:{}", folder.path().join("bench.db").display());
    let named = arguments.first().map(String::as_str).filter(|url| !url.is_empty());
    let rounds = arguments.get(1).map_or(Ok(5), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ratio = runtime.block_on(measured(named.unwrap_or(&fresh), rounds))?;
    println!(
        "{USERS} creations by bulk take {ratio:.2} x the time of as many by {CONNECTIONS} connections (bar {BAR})"
    );
    Ok(ExitCode::from(u8::from(ratio > BAR)))
}
