//! Walks by cursor while others write: whoever stays is seen exactly once.
//!
//! `MUSTER_TEST_WALK` says how many stay, for a walk through a large organisation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::bodies::{patch_op, user};
use crate::support::database::Database;
use crate::support::dice::{self, Dice};
use crate::support::program::{self, Program};
use crate::support::setting;
use crate::support::template::CONNECTION;
use crate::support::wire::Client;

/// Users who stay, unless the environment says otherwise.
const STAYING: usize = 120;

/// Who creates, changes and deletes while somebody walks.
const WRITERS: usize = 4;

/// Connections that make the users.
const MAKERS: usize = 8;

/// What a walk of this many asks by: each page is a small part of it.
fn size(staying: usize) -> usize {
    (staying / 20).clamp(5, 200)
}

/// A user who stays. `title` is what walks are sorted by and nobody changes; `nickName` is what changes.
fn one(number: usize) -> Value {
    // So few titles that pages end between equal ones.
    user(
        &format!("stays{number:06}"),
        json!({"title": format!("t{}", number % 7), "nickName": "n"}),
    )
}

async fn made(client: &Client, staying: usize) -> Vec<String> {
    let (mut tasks, number) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..MAKERS {
        let (client, number) = (client.clone(), Arc::clone(&number));
        tasks.spawn(async move {
            let mut ids = Vec::new();
            loop {
                let at = number.fetch_add(1, Ordering::Relaxed);
                if at >= staying {
                    return ids;
                }
                let answer = client.ask("POST", "/Users", Some(&one(at))).await.unwrap();
                ids.push(answer.status(201).id());
            }
        });
    }
    let mut ids = Vec::new();
    while let Some(made) = tasks.join_next().await {
        ids.extend(made.unwrap());
    }
    ids
}

/// Creates, renames and deletes users of its own, and changes whoever stays in what no walk asks for, until it is told
/// to stop.
async fn write(client: Client, staying: Arc<Vec<String>>, others: Arc<Others>, mut dice: Dice, me: usize) {
    let (mut own, mut writes): (Vec<String>, usize) = (Vec::new(), 0);
    while !others.stop.load(Ordering::Relaxed) {
        writes += 1;
        let change = |path: &str, value: String| patch_op(&json!([{"op": "replace", "path": path, "value": value}]));
        match dice.below(4) {
            0 => {
                // Before, between and behind those who stay, in each order.
                let letter = *dice.pick(&["a", "stays", "z"]);
                let title = format!("t{}", dice.below(9));
                let body = user(&format!("{letter}{me}x{writes}"), json!({"title": title}));
                own.push(
                    client
                        .ask("POST", "/Users", Some(&body))
                        .await
                        .unwrap()
                        .status(201)
                        .id(),
                );
            }
            1 if !own.is_empty() => {
                let gone = own.swap_remove(dice.below(own.len()));
                client
                    .ask("DELETE", &format!("/Users/{gone}"), None)
                    .await
                    .unwrap()
                    .status(204);
            }
            2 if !own.is_empty() => {
                let body = change("title", format!("t{}", dice.below(9)));
                let path = format!("/Users/{}", dice.pick(&own));
                client.ask("PATCH", &path, Some(&body)).await.unwrap().status(200);
            }
            _ => {
                let path = format!("/Users/{}", dice.pick(&staying));
                let body = change("nickName", format!("n{writes}"));
                client.ask("PATCH", &path, Some(&body)).await.unwrap().status(200);
            }
        }
        others.written.fetch_add(1, Ordering::Relaxed);
    }
}

/// What those who write while others walk have in common.
#[derive(Default)]
struct Others {
    stop: AtomicBool,
    /// How often they wrote.
    written: AtomicUsize,
}

impl Others {
    /// Resolves when they wrote once more.
    async fn wrote(&self) {
        let before = self.written.load(Ordering::Relaxed);
        while self.written.load(Ordering::Relaxed) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// How often each resource was seen on a walk on which others write between any two pages, and how many pages it had.
async fn walk(client: &Client, others: &Others, query: &str, count: usize) -> (BTreeMap<String, usize>, usize) {
    let (mut seen, mut pages, mut cursor) = (BTreeMap::new(), 0, String::new());
    loop {
        let path = format!("/Users?{query}count={count}&attributes=userName&cursor={cursor}");
        let page = client.ask("GET", &path, None).await.unwrap().status(200);
        pages += 1;
        assert!(page.ids().len() <= count);
        for id in page.ids() {
            *seen.entry(id).or_insert(0) += 1;
        }
        match page.json.get("nextCursor") {
            Some(next) => next.as_str().unwrap().clone_into(&mut cursor),
            None => return (seen, pages),
        }
        others.wrote().await;
    }
}

/// How much slower the last page by position is than the first: rounds of each a second, as a ratio.
async fn deep(client: &Client, query: &str, staying: usize) -> f64 {
    const ROUNDS: u32 = 30;
    let mut spent = [std::time::Duration::ZERO; 2];
    // In turns, so that whatever else the machine does slows both.
    for round in 0..=ROUNDS {
        for (spent, start) in spent.iter_mut().zip([1, staying - 99]) {
            let began = std::time::Instant::now();
            let path = format!("/Users?{query}count=100&startIndex={start}");
            let page = client.ask("GET", &path, None).await.unwrap().status(200);
            assert_eq!(page.ids().len(), 100);
            // The first round is not counted: it reads what is not in memory yet.
            if round > 0 {
                *spent += began.elapsed();
            }
        }
    }
    let [first, last] = spent;
    println!(
        "{:.1?} the first page, {:.1?} the last: {query}",
        first / ROUNDS,
        last / ROUNDS
    );
    first.as_secs_f64() / last.as_secs_f64()
}

each_database! {
    async fn whoever_stays_is_on_exactly_one_page_while_four_others_write(database: Database) {
        let staying = setting("MUSTER_TEST_WALK").map_or(STAYING, |text| text.parse().unwrap());
        // Writers may delete more than a connection may in an hour.
        let lifted = program::run(&database, &["fuse", "set", CONNECTION, "--tenant", "acme", "--deletions", "off"]);
        assert!(lifted.status.success());
        let server = Program::serve(&database).await;
        let client = server.client(&database.keys().await.token);
        let ids = Arc::new(made(&client, staying).await);
        if staying >= 10_000 {
            let ratio = deep(&client, "", staying).await;
            println!("the last page by position has {:.0} % of the rate of the first", ratio * 100.0);
            assert!(ratio >= 0.5, "the last page is too slow");
            deep(&client, "sortBy=userName&", staying).await;
        }
        let others = Arc::new(Others::default());
        let (mut writers, seed) = (JoinSet::new(), dice::seed());
        for me in 0..WRITERS {
            writers.spawn(write(client.clone(), Arc::clone(&ids), Arc::clone(&others), Dice::new(seed, me), me));
        }
        let mut queries = vec!["", "sortBy=userName&", "filter=userName%20sw%20%22stays%22&"];
        if staying <= 1000 {
            queries.extend([
                "sortBy=userName&sortOrder=descending&", "sortBy=title&", "sortBy=title&sortOrder=descending&", "sortBy=emails&",
                "filter=userName%20sw%20%22stays%22&sortBy=title&", "filter=active%20pr%20or%20meta.created%20pr&", "sortBy=meta.created&",
            ]);
        }
        for query in queries {
            let began = std::time::Instant::now();
            let (found, pages) = walk(&client, &others, query, size(staying)).await;
            for id in ids.iter() {
                assert_eq!(found.get(id), Some(&1), "{query}: {id}, seed {seed}");
            }
            println!("{staying} stayed, {} seen on {pages} pages in {:.1?}: {query}", found.len(), began.elapsed());
        }
        others.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        println!("{} writes meanwhile", others.written.load(Ordering::Relaxed));
    }
}
