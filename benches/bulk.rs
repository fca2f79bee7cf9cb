//! What a thousand creations cost in one request, against a thousand requests over eight connections.
//!
//! `cargo bench --bench bulk -- [sqlite:PATH | postgres://…] [ROUNDS]`; without a database it is a new file of SQLite.
//! Client and server are one process and speak HTTP over the loopback; the sequencer runs meanwhile. Ends with 1 when the
//! bulk takes more than half the time.

mod house;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt as _;
use house::Outcome;
use muster::api::router::router;
use muster::api::state::{Edge, Settings};
use muster::scim::message::BULK_REQUEST;
use muster::service::credentials::{self, Holder};
use muster::service::{Keeping, Services};
use muster::worker;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const USERS: usize = 1000;

/// Connections that make one user after the other.
const CONNECTIONS: usize = 8;

/// The most that the bulk may take, in the time of the single requests.
const BAR: f64 = 0.5;

/// One connection of a client.
#[derive(Clone)]
struct Line {
    base: String,
    token: String,
    client: Client,
}

impl Line {
    async fn post(&self, path: &str, body: &Value, expected: StatusCode) -> Outcome<Vec<u8>> {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        let request = request
            .header("content-type", "application/scim+json")
            .body(body.to_string());
        let answer = request.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?.to_vec();
        if status == expected {
            Ok(bytes)
        } else {
            Err(format!("{path} was answered {status}: {}", String::from_utf8_lossy(&bytes)).into())
        }
    }
}

/// A server on a free port; ends with the program.
async fn serve(services: Services) -> Outcome<String> {
    let settings = Settings {
        public_url: None,
        trusted_proxies: Vec::new(),
        rate_limit: None,
        max_body_bytes: 8 << 20,
        timeout: Duration::from_mins(1),
    };
    let router = router(Edge::new(services, settings, None)).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base = format!("http://{}/scim/v2", listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(base)
}

/// A token of the organisation's connection.
async fn token(services: &Services) -> Outcome<String> {
    let holder = Holder::Connection(house::CONNECTION.to_owned());
    let issued = credentials::issue(services, house::TENANT, &holder, None).await?;
    Ok(issued.token.expose().to_owned())
}

async fn by_bulk(line: &Line, round: u32) -> Outcome<Duration> {
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
    let start = Instant::now();
    let answer = line.post("/Bulk", &body, StatusCode::OK).await?;
    let took = start.elapsed();
    let answer: Value = serde_json::from_slice(&answer)?;
    let results = answer["Operations"].as_array().ok_or("an answer without results")?;
    let made = results.iter().filter(|result| result["status"] == "201").count();
    if made == USERS {
        Ok(took)
    } else {
        Err(format!("{made} of {USERS} were made").into())
    }
}

async fn make(line: Line, name: String) -> Outcome<()> {
    for n in 0..USERS / CONNECTIONS {
        let user = house::user(&format!("{name}-{n}"));
        line.post("/Users", &user, StatusCode::CREATED).await?;
    }
    Ok(())
}

async fn one_by_one(lines: &[Line], round: u32) -> Outcome<Duration> {
    let start = Instant::now();
    let mut makers = JoinSet::new();
    for (at, line) in lines.iter().enumerate() {
        makers.spawn(make(line.clone(), format!("one-{round}-{at}")));
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
    house::found(&services).await?;
    let (base, token) = (serve(services.clone()).await?, token(&services).await?);
    let line = || -> Outcome<Line> {
        let client = Client::builder().pool_max_idle_per_host(1).build()?;
        let (base, token) = (base.clone(), token.clone());
        Ok(Line { base, token, client })
    };
    let lines = (0..CONNECTIONS).map(|_| line()).collect::<Outcome<Vec<Line>>>()?;
    let stop = CancellationToken::new();
    let sequencer = tokio::spawn(worker::sequence::run(services.clone(), stop.clone()));
    one_by_one(&lines, rounds).await?;
    let (mut many, mut single) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        let (bulk, ones) = (by_bulk(&lines[0], round).await?, one_by_one(&lines, round).await?);
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
        "{USERS} creations by bulk take {ratio:.2} x the time of as many over {CONNECTIONS} connections (bar {BAR})"
    );
    Ok(ExitCode::from(u8::from(ratio > BAR)))
}
