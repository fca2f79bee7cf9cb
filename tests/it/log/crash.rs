//! Whatever a server that is killed has acknowledged gets its number and is delivered, once by its id.
//!
//! The built program runs with writers and a receiver that fails now and then, and is killed with SIGKILL after so many
//! acknowledged writes, or after so many deliveries: between any two steps from the save to the note that something arrived.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::database::Database;
use crate::support::dice::{self, Dice};
use crate::support::program::{self, Program, run_json};
use crate::support::receiver::{Got, Receiver, Reply};
use crate::support::setting;
use crate::support::template::CONNECTION;
use crate::support::wire::Client;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Clients that write at the same time.
const WRITERS: usize = 8;

/// Deaths in a row on one database, unless `MUSTER_TEST_ROUNDS` says otherwise.
const ROUNDS: usize = 20;

/// The server is killed after this many acknowledged writes or deliveries of a round, at most.
const MOST: usize = 60;

/// How often the end is looked for; at most so often.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 12_000;

/// Counts down to the moment of a death.
#[derive(Default)]
struct Moment {
    left: AtomicUsize,
    come: Notify,
}

impl Moment {
    /// Of a round that ends after so many; 0 is never.
    fn set(&self, left: usize) {
        self.left.store(left, Ordering::SeqCst);
    }

    fn count(&self) {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left == Ok(1) {
            self.come.notify_one();
        }
    }
}

/// What the receiver has seen.
#[derive(Default)]
struct Seen {
    /// What came by each id.
    bodies: HashMap<String, String>,
    /// Ids that came with another body later.
    changed: Vec<String>,
    /// Positions of which it said that it has them.
    taken: BTreeSet<i64>,
}

impl Seen {
    /// Refuses one in five of what it sees for the first time.
    fn answer(&mut self, got: &Got, dice: &mut Dice) -> Reply {
        if let Some(body) = self.bodies.get(got.id()) {
            if *body != got.text {
                self.changed.push(got.id().to_owned());
            }
        } else {
            self.bodies.insert(got.id().to_owned(), got.text.clone());
            if dice.below(5) == 0 {
                return Reply::Status(500);
            }
        }
        self.taken.insert(got.seq());
        Reply::Status(200)
    }
}

/// Ids of users whose making and whose deletion was acknowledged.
#[derive(Default)]
struct Acknowledged {
    made: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

/// A server that may connect to the receiver, and takes up at once what the one that was killed had.
async fn serve(database: &Database) -> Program {
    database.settle().await;
    for table in ["lease", "receiver"] {
        // As if the killed one had been gone for longer than it can hold anything.
        database.execute(&format!("UPDATE {table} SET until = 0")).await;
    }
    Program::serve_under(
        database,
        &["env", "MUSTER_EGRESS_ALLOW=127.0.0.1/32", "MUSTER_EGRESS_HTTP=true"],
    )
    .await
}

/// Makes users and deletes some of them, until no answer comes any more.
async fn write(client: Client, prefix: String, mut dice: Dice, written: Arc<Moment>) -> Acknowledged {
    let mut known = Acknowledged::default();
    for number in 0.. {
        let body = json!({"schemas": [USER], "userName": format!("{prefix}-{number}")});
        let Ok(answer) = client.ask("POST", "/Users", Some(&body)).await else {
            break;
        };
        let id = answer.status(201).id();
        known.made.insert(id.clone());
        written.count();
        if dice.below(4) > 0 {
            continue;
        }
        let Ok(answer) = client.ask("DELETE", &format!("/Users/{id}"), None).await else {
            break;
        };
        answer.status(204);
        known.deleted.insert(id);
        written.count();
    }
    known
}

/// Lets the writers write until the moment has come, and kills the server.
async fn write_until_killed(
    server: Program,
    token: &str,
    round: usize,
    seed: u64,
    (written, sent): (&Arc<Moment>, &Moment),
) -> Vec<Acknowledged> {
    let mut dice = Dice::new(seed, round * (WRITERS + 1));
    let left = 1 + dice.below(MOST);
    let by_deliveries = dice.below(2) == 0;
    written.set(if by_deliveries { 0 } else { left });
    sent.set(if by_deliveries { left } else { 0 });
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let dice = Dice::new(seed, round * (WRITERS + 1) + 1 + number);
        let prefix = format!("user-{round}-{number}");
        writers.spawn(write(server.client(token), prefix, dice, Arc::clone(written)));
    }
    tokio::select! {
        () = written.come.notified() => {}
        () = sent.come.notified() => {}
        _ = writers.join_next() => panic!("a writer ended before the kill; {}", server.complaints()),
    }
    server.kill();
    writers.join_all().await
}

/// Positions, kinds and subjects of all events about users, of a log that is whole.
fn events(database: &Database) -> Vec<(i64, String, String)> {
    let verified = program::run(database, &["audit", "verify", "--tenant", "acme"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    let export = program::run(database, &["audit", "export", "--tenant", "acme"]);
    let text = String::from_utf8(export.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_users = lines.filter(|line| line["subject_kind"] == "user");
    let words = |line: Value| {
        let word = |name: &str| line[name].as_str().unwrap().to_owned();
        (line["seq"].as_i64().unwrap(), word("kind"), word("subject_id"))
    };
    of_users.map(words).collect()
}

fn of_kind(events: &[(i64, String, String)], wanted: &str) -> Vec<String> {
    let of_kind = events.iter().filter(|(_, kind, _)| kind == wanted);
    let mut ids: Vec<String> = of_kind.map(|(_, _, id)| id.clone()).collect();
    ids.sort();
    ids
}

each_database! {
    async fn what_was_acknowledged_is_numbered_and_delivered_however_often_the_server_dies(database: Database) {
        let rounds = setting("MUSTER_TEST_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
        let (seed, token) = (dice::seed(), database.keys().await.token);
        let admin = run_json(&database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        let (arrived, receiver) = (Arc::new(Mutex::new(Seen::default())), Receiver::open().await);
        let (written, sent) = (Arc::new(Moment::default()), Arc::new(Moment::default()));
        let (answers, counts) = (Arc::clone(&arrived), Arc::clone(&sent));
        let throws = Mutex::new(Dice::new(seed, usize::MAX));
        receiver.answers(move |got| {
            counts.count();
            answers.lock().unwrap().answer(got, &mut throws.lock().unwrap())
        });
        // Writers delete more than a connection may in an hour.
        let lifted = program::run(&database, &["fuse", "set", CONNECTION, "--tenant", "acme", "--deletions", "off"]);
        assert!(lifted.status.success(), "{}", String::from_utf8_lossy(&lifted.stderr));
        let mut server = serve(&database).await;
        let hook = json!({"name": "hook", "url": receiver.url(), "kinds": ["user.*"]});
        let desk = server.client(admin["token"].as_str().unwrap());
        desk.send("POST", "/api/v1/webhooks", Some(&hook), &[("Content-Type", "application/json")]).await.unwrap().status(201);

        let mut known = Acknowledged::default();
        for round in 0..rounds {
            for one in write_until_killed(server, &token, round, seed, (&written, &sent)).await {
                known.made.extend(one.made);
                known.deleted.extend(one.deleted);
            }
            server = serve(&database).await;
        }

        // Meanwhile the receiver answers.
        let of = database.clone();
        let events = tokio::task::spawn_blocking(move || events(&of)).await.unwrap();
        let (made, deleted) = (of_kind(&events, "user.created"), of_kind(&events, "user.deleted"));
        for ids in [&made, &deleted] {
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "something is told twice");
        }
        assert!(known.made.iter().all(|id| made.binary_search(id).is_ok()), "a user that was acknowledged has no event");
        assert!(known.deleted.iter().all(|id| deleted.binary_search(id).is_ok()), "a deletion has no event");
        let expected: BTreeSet<i64> = events.iter().map(|(seq, _, _)| *seq).collect();
        for look in 0.. {
            let missing = expected.difference(&arrived.lock().unwrap().taken).count();
            if missing == 0 {
                break;
            }
            assert!(look < LOOKS, "{missing} of {} events were not delivered; {}", expected.len(), server.complaints());
            tokio::time::sleep(LOOK).await;
        }
        let arrived = arrived.lock().unwrap();
        assert_eq!(arrived.changed, Vec::<String>::new(), "what is sent again says the same");
        assert_eq!(arrived.bodies.len(), expected.len(), "an id for each event");
        drop(arrived);
        assert!(server.stop().success());
    }
}
