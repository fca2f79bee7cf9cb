//! What the log costs: users made a second with and without it, by many at once, on one database and in turns.
//!
//! `cargo bench --bench log -- [sqlite:PATH | postgres://…] [SECONDS] [ROUNDS]`; without a database it is a new file of
//! SQLite. The sequencer runs meanwhile, and what it has not numbered when the makers stop is numbered within the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::access::Catalogue;
use muster::base::clock::Clock;
use muster::base::id::Ids;
use muster::event::Keyring;
use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::discovery::Listing;
use muster::scim::project::View;
use muster::scim::schema::{ENTERPRISE_USER, USER};
use muster::service::credentials::{self, Holder};
use muster::service::log::sequence;
use muster::service::{Caller, Keeping, Parts, Services, connections, provision};
use muster::store::{Db, Options};
use muster::worker;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Who makes users at once.
const MAKERS: usize = 64;

fn user(name: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE_USER],
        "userName": format!("{name}@acme.test"),
        "externalId": format!("ext-{name}"),
        "name": { "givenName": "Alice", "familyName": format!("O'Malley {name}"), "formatted": format!("Alice O'Malley {name}") },
        "displayName": format!("Alice O'Malley {name}"),
        "title": "engineer",
        "preferredLanguage": "en-GB",
        "timezone": "Europe/London",
        "active": true,
        "emails": [
            { "value": format!("{name}@acme.test"), "type": "work", "primary": true },
            { "value": format!("{name}@home.example"), "type": "home" }
        ],
        "phoneNumbers": [{ "value": "tel:+44-20-7946-0000", "type": "work" }],
        ENTERPRISE_USER: { "employeeNumber": format!("E-{name}"), "department": "R&D", "costCenter": "4130" },
    })
}

async fn services(db: &Db, keeping: Keeping) -> Outcome<Services> {
    let parts = Parts {
        db: db.clone(),
        keys: Keyring::of("bench", [7; 32])?,
        clock: Clock::system(),
        ids: Ids::system(),
        max_results: 200,
        max_body_bytes: 1 << 20,
        catalogue: Arc::new(Catalogue::builtin()),
        listing: Listing::Standard,
        guard: muster::service::delivery::Guard::default(),
    };
    Ok(Services::keeping(parts, keeping).await?)
}

async fn provisioner(services: &Services) -> Outcome<Caller> {
    let holder = Holder::Connection("okta".to_owned());
    let issued = credentials::issue(services, "acme", &holder, None).await?;
    let found = credentials::authenticate(services, issued.token.expose(), Arc::from("bench")).await?;
    found.ok_or_else(|| "the token is not known".into())
}

fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}

async fn make(services: Services, caller: Caller, name: String, until: Instant) -> Outcome<u64> {
    let dialect = strict();
    let kind = Arc::clone(services.type_at("Users").ok_or("there are no users")?);
    let mut made = 0;
    while Instant::now() < until {
        let body = user(&format!("{name}-{made}"));
        provision::create(&services, &caller, &dialect, &kind, body, &View::default()).await?;
        made += 1;
    }
    Ok(made)
}

/// Users made a second; nothing waits for its number at the end.
async fn round(services: &Services, caller: &Caller, name: &str, lasts: Duration) -> Outcome<f64> {
    let start = Instant::now();
    let mut makers = JoinSet::new();
    for maker in 0..MAKERS {
        let name = format!("{name}-{maker}");
        makers.spawn(make(services.clone(), caller.clone(), name, start + lasts));
    }
    let mut made = 0;
    while let Some(maker) = makers.join_next().await {
        made += maker??;
    }
    while sequence::is_behind(services).await? {
        sequence::pass(services).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
    Ok(made as f64 / start.elapsed().as_secs_f64())
}

async fn measured(url: &str, lasts: Duration, rounds: u32) -> Outcome<()> {
    let db = Db::open(url, &Options::default()).await?;
    db.migrate().await?;
    let with = services(&db, Keeping::Everything).await?;
    let without = services(&db, Keeping::Nothing).await?;
    connections::create_tenant(&with, "Acme").await?;
    connections::create_connection(&with, "acme", "okta", &Setting::Strict).await?;
    let caller = provisioner(&with).await?;
    let stop = CancellationToken::new();
    let sequencer = tokio::spawn(worker::sequence::run(with.clone(), stop.clone()));
    round(&with, &caller, "warm", lasts / 4).await?;
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for number in 0..rounds {
        fast.push(round(&without, &caller, &format!("without-{number}"), lasts).await?);
        slow.push(round(&with, &caller, &format!("with-{number}"), lasts).await?);
        println!(
            "round {number}: without {:.0}/s, with {:.0}/s",
            fast[fast.len() - 1],
            slow[slow.len() - 1]
        );
    }
    let (fast, slow) = (fast.iter().sum::<f64>(), slow.iter().sum::<f64>());
    println!(
        "a create with the log takes {:.2} x the time of one without",
        fast / slow
    );
    stop.cancel();
    sequencer.await?;
    db.close().await;
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let folder = tempfile::tempdir()?;
    let fresh = format!("sqlite:{}", folder.path().join("bench.db").display());
    let url = arguments.first().map_or(fresh.as_str(), String::as_str);
    let seconds = arguments.get(1).map_or(Ok(10), |text| text.parse())?;
    let rounds = arguments.get(2).map_or(Ok(4), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measured(url, Duration::from_secs(seconds), rounds))
}
