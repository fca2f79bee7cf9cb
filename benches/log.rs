//! What the log costs: users made a second with and without it, by many at once, on one database and in turns.
//!
//! `cargo bench --bench log -- [sqlite:PATH | postgres://…] [SECONDS] [ROUNDS]`; without a database it is a new file of
//! SQLite. The sequencer runs meanwhile, and what it has not numbered when the makers stop is numbered within the time.
//! Ends with 1 when a create with the log takes more than 1.25 times as long as one without.

#[path = "house/create.rs"]
mod create;
mod house;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use house::Outcome;
use muster::service::log::sequence;
use muster::service::{Caller, Keeping, Services};
use muster::worker;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Who makes users at once.
const MAKERS: usize = 64;

/// The most that a create with the log may cost, in creates without it.
const BAR: f64 = 1.25;

async fn make(services: Services, caller: Caller, name: String, until: Instant) -> Outcome<u64> {
    let mut made = 0;
    while Instant::now() < until {
        create::create(&services, &caller, &format!("{name}-{made}")).await?;
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

/// How many times as long a create takes with the log.
async fn measured(url: &str, lasts: Duration, rounds: u32) -> Outcome<f64> {
    let db = house::database(url).await?;
    let with = house::services(&db, Keeping::Everything).await?;
    let without = house::services(&db, Keeping::Nothing).await?;
    let caller = house::found(&with).await?;
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
    stop.cancel();
    sequencer.await?;
    db.close().await;
    Ok(fast.iter().sum::<f64>() / slow.iter().sum::<f64>())
}

fn main() -> Outcome<ExitCode> {
    let arguments = house::words();
    let folder = tempfile::tempdir()?;
    let fresh = format!("sqlite:{}", folder.path().join("bench.db").display());
    let named = arguments.first().map(String::as_str).filter(|url| !url.is_empty());
    let url = named.unwrap_or(&fresh);
    let seconds = arguments.get(1).map_or(Ok(10), |text| text.parse())?;
    let rounds = arguments.get(2).map_or(Ok(4), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ratio = runtime.block_on(measured(url, Duration::from_secs(seconds), rounds))?;
    println!("a create with the log takes {ratio:.2} x the time of one without (bar {BAR})");
    Ok(ExitCode::from(u8::from(ratio > BAR)))
}
