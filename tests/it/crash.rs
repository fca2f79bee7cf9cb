//! What was acknowledged survives the death of the process at any moment, and nothing is left half there.
//!
//! The built program runs with many writers at once and is killed with SIGKILL while their requests are under way;
//! it starts again on the same database, and every write is looked for in all the ways a client could.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::database::Database;
use crate::support::dice::{self, Dice};
use crate::support::program::Program;
use crate::support::setting;
use crate::support::wire::Client;

/// Clients that write at the same time.
const WRITERS: usize = 32;

/// Deaths in a row on one database, unless `MUSTER_TEST_ROUNDS` says otherwise.
const ROUNDS: usize = 20;

/// The server is killed after this many acknowledged writes of a round, at most.
const MOST_WRITES: usize = 160;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

each_database! {
    async fn acknowledged_writes_survive_kill_and_nothing_is_half_there(database: Database) {
        let rounds = setting("MUSTER_TEST_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
        let (seed, token) = (dice::seed(), database.keys().await.token);
        let mut server = Program::serve(&database).await;
        let body = json!({"schemas": [GROUP], "displayName": "Survivors"});
        let group = server.client(&token).ask("POST", "/Groups", Some(&body)).await.unwrap().status(201).id();
        let (mut users_before, mut members_before) = (0, 0);

        for round in 0..rounds {
            let traces = write_until_killed(server, &token, &group, seed, round).await;
            database.settle().await;
            server = Program::serve(&database).await;
            let found = Found { client: server.client(&token), group: group.clone() };

            let mut alive = 0;
            for trace in traces {
                alive += found.check(&trace, round).await;
            }
            users_before += alive;
            found.check_totals(users_before, round).await;
            let members = found.check_members().await;
            assert!(members >= members_before, "round {round}: members of earlier rounds are gone");
            members_before = members;
        }
        assert!(server.stop().success(), "SIGTERM ends with 0");
    }
}

/// How far one user of a writer came: each step was asked for, and perhaps acknowledged.
#[derive(Debug, Default)]
struct Trace {
    user_name: String,
    /// The id that the answer to the POST gave; `None` when no answer came.
    id: Option<String>,
    /// Whether it was asked to be a member, and whether that was acknowledged.
    joined: Option<bool>,
    /// The same for being removed again.
    left: Option<bool>,
}

/// Lets the writers write, kills the server in the midst of it, and answers what they know.
async fn write_until_killed(server: Program, token: &str, group: &str, seed: u64, round: usize) -> Vec<Trace> {
    let (acknowledged, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let moment = 1 + Dice::new(seed, round * WRITERS + WRITERS).below(MOST_WRITES);
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let dice = Dice::new(seed, round * WRITERS + number);
        let (acknowledged, enough) = (acknowledged.clone(), enough.clone());
        let count = move || {
            if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == moment {
                enough.notify_one();
            }
        };
        let prefix = format!("crash-{round}-{number}");
        writers.spawn(write(server.client(token), group.to_owned(), prefix, dice, count));
    }
    tokio::select! {
        () = enough.notified() => {}
        early = writers.join_next() => panic!("a writer ended before the kill: {early:?}; {}", server.complaints()),
    }
    server.kill();
    writers.join_all().await.into_iter().flatten().collect()
}

/// Creates users and lets some of them join and leave the group, until no answer comes any more.
async fn write(client: Client, group: String, prefix: String, mut dice: Dice, count: impl Fn()) -> Vec<Trace> {
    let mut traces = Vec::new();
    for n in 0.. {
        traces.push(Trace {
            user_name: format!("{prefix}-{n}"),
            ..Trace::default()
        });
        let trace = traces.last_mut().unwrap();
        let Ok(answer) = client.ask("POST", "/Users", Some(&user(&trace.user_name))).await else {
            break;
        };
        let id = answer.status(201).id();
        trace.id = Some(id.clone());
        count();
        if dice.below(3) == 0 {
            continue;
        }
        let add = json!({"op": "add", "path": "members", "value": [{"value": id}]});
        trace.joined = Some(patch(&client, &group, add).await);
        if trace.joined == Some(false) {
            break;
        }
        count();
        if dice.below(2) == 0 {
            continue;
        }
        let remove = json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
        trace.left = Some(patch(&client, &group, remove).await);
        if trace.left == Some(false) {
            break;
        }
        count();
    }
    traces
}

/// Whether the change was acknowledged; any other answer than success is a failure of the test.
async fn patch(client: &Client, group: &str, operation: Value) -> bool {
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let Ok(answer) = client.ask("PATCH", &format!("/Groups/{group}"), Some(&body)).await else {
        return false;
    };
    assert!(matches!(answer.status, 200 | 204), "{body} gave {answer:?}");
    true
}

fn user(user_name: &str) -> Value {
    json!({
        "schemas": [USER],
        "userName": user_name,
        "externalId": format!("ext-{user_name}"),
        "name": {"familyName": "Crash", "givenName": user_name},
        "emails": [{"value": format!("{user_name}@acme.test"), "type": "work", "primary": true}],
    })
}

/// The server after its restart.
struct Found {
    client: Client,
    group: String,
}

impl Found {
    /// One user is there in every way, or in none; answers how many there are of it.
    async fn check(&self, trace: &Trace, round: usize) -> usize {
        let name = &trace.user_name;
        let by_name = self.ids("/Users", &format!("userName eq \"{name}\"")).await;
        let by_mail = self
            .ids("/Users", &format!("emails.value eq \"{name}@acme.test\""))
            .await;
        let by_source = self.ids("/Users", &format!("externalId eq \"ext-{name}\"")).await;
        assert_eq!(by_name, by_mail, "round {round}: {name} by name and by e-mail address");
        assert_eq!(by_name, by_source, "round {round}: {name} by name and by external id");
        match (&trace.id, by_name.as_slice()) {
            (Some(id), [found]) => assert_eq!(id, found),
            (Some(id), found) => {
                panic!("round {round}: {name} was acknowledged as {id}, found {found:?}")
            }
            (None, []) => return self.check_absent(name).await,
            (None, found) => assert_eq!(found.len(), 1, "round {round}: {name}"),
        }
        let id = &by_name[0];
        let shown = self
            .client
            .ask("GET", &format!("/Users/{id}"), None)
            .await
            .unwrap()
            .status(200);
        assert_eq!(shown.json["userName"], name.as_str());
        assert_eq!(shown.json["name"]["familyName"], "Crash");
        assert_eq!(shown.values_of("emails"), [format!("{name}@acme.test")]);
        self.check_membership(trace, &shown.values_of("groups"), round);
        1
    }

    /// What was acknowledged last holds; what was under way may have happened or not.
    fn check_membership(&self, trace: &Trace, groups: &[String], round: usize) {
        let is_member = groups.contains(&self.group);
        let expected = match (trace.joined, trace.left) {
            (None, _) | (_, Some(true)) => Some(false),
            (Some(true), None) => Some(true),
            (Some(false), _) | (_, Some(false)) => None,
        };
        assert!(
            expected.is_none_or(|expected| expected == is_member),
            "round {round}: {trace:?}, member: {is_member}"
        );
    }

    /// A name that nobody has can be taken: nothing of the lost write stands in the way.
    async fn check_absent(&self, name: &str) -> usize {
        let body = user(name);
        self.client
            .ask("POST", "/Users", Some(&body))
            .await
            .unwrap()
            .status(201);
        self.client
            .ask("POST", "/Users", Some(&body))
            .await
            .unwrap()
            .error(409, Some("uniqueness"));
        1
    }

    /// The list, the filter over attributes and the sum of single look-ups agree.
    async fn check_totals(&self, users: usize, round: usize) {
        let users = u64::try_from(users).unwrap();
        for query in [
            "/Users?count=0",
            "/Users?count=0&filter=name.familyName%20eq%20%22crash%22",
        ] {
            let total = self.client.ask("GET", query, None).await.unwrap().status(200).total();
            assert_eq!(total, users, "round {round}: {query}");
        }
    }

    /// The group's members and the users whose `groups` name it are the same; answers their number.
    async fn check_members(&self) -> usize {
        let shown = self
            .client
            .ask("GET", &format!("/Groups/{}", self.group), None)
            .await
            .unwrap()
            .status(200);
        let members = shown.values_of("members");
        let mut once = members.clone();
        once.dedup();
        assert_eq!(members, once, "a member is listed twice");
        let mut named = self.ids("/Users", &format!("groups.value eq \"{}\"", self.group)).await;
        named.sort();
        assert_eq!(members, named);
        members.len()
    }

    /// All ids that a filter finds, page by page.
    async fn ids(&self, endpoint: &str, filter: &str) -> Vec<String> {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let mut ids = Vec::new();
        loop {
            let query = format!("{endpoint}?attributes=id&startIndex={}&filter={filter}", ids.len() + 1);
            let page = self.client.ask("GET", &query, None).await.unwrap().status(200);
            let found = page.ids();
            let last = found.is_empty();
            ids.extend(found);
            if last || ids.len() as u64 >= page.total() {
                return ids;
            }
        }
    }
}

/// The kernel's view of one POST: the flush of SQLite's log is over before the answer is written.
#[cfg(target_os = "linux")]
mod flush {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::{Database, Program, user};
    use crate::support::database::Engine;

    #[tokio::test]
    async fn sqlite_flushes_its_log_between_request_and_answer() {
        let database = Database::fresh(Engine::Sqlite).await;
        let file = database.folder().join("strace.log").display().to_string();
        // -D: the server is our child, not strace's; -y: file names beside descriptors.
        let calls = "--trace=fdatasync,fsync,write,writev,sendto,sendmsg,read,recvfrom,recvmsg";
        let strace = ["strace", "-D", "-f", "-y", "-s", "64", calls, "-o", &file];
        let server = Program::serve_under(&database, &strace).await;
        let client = server.client(&database.keys().await.token);

        client
            .ask("POST", "/Users", Some(&user("ada")))
            .await
            .unwrap()
            .status(201);

        assert!(server.stop().success());
        let trace = whole(&file).await;
        let lines: Vec<&str> = trace.lines().collect();
        let asked = position(&lines, "\"POST /scim/v2/Users");
        let answered = position(&lines, "\"HTTP/1.1 201");
        assert!(asked < answered);
        assert!(
            flushes_log(&lines[asked..answered]),
            "{}",
            lines[asked..=answered].join("\n")
        );
    }

    /// The trace once strace has written its last line.
    async fn whole(file: &str) -> String {
        for _ in 0..12_000 {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            if text
                .lines()
                .last()
                .is_some_and(|line| line.contains("+++ exited with 0 +++"))
            {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("strace did not finish {file}");
    }

    fn position(lines: &[&str], text: &str) -> usize {
        lines
            .iter()
            .position(|line| line.contains(text))
            .unwrap_or_else(|| panic!("no {text} in the trace"))
    }

    /// Whether a flush of the write-ahead log ended here, in one line or in an unfinished and a resumed one.
    fn flushes_log(lines: &[&str]) -> bool {
        let mut under_way = HashSet::new();
        lines.iter().any(|line| {
            let thread = line.split_whitespace().next().unwrap_or_default();
            let begins = line.contains("sync(") && line.contains("-wal>");
            if begins && line.contains("<unfinished") {
                under_way.insert(thread.to_owned());
            }
            let resumes = line.contains("sync resumed>") && under_way.contains(thread);
            (begins || resumes) && line.ends_with("= 0")
        })
    }
}
