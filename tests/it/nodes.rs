//! Several servers on one database: what one of them has acknowledged, all of them decide by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::answer::Answer;
use crate::support::database::{Database, Engine};
use crate::support::dice::{self, Dice};
use crate::support::program::{Program, run_json};
use crate::support::setting;
use crate::support::wire::Client;

/// Servers; one file of `SQLite` is one server's.
const NODES: usize = 3;

/// Deactivations, unless `MUSTER_TEST_TRIALS` says otherwise.
const TRIALS: usize = 240;

/// Users who are deactivated at the same time.
const AT_ONCE: usize = 8;

/// Clients that change other users and a group all the while.
const BUSY: usize = 4;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

each_database! {
    async fn the_next_decision_after_an_acknowledged_deactivation_is_a_denial(database: Database) {
        let trials: usize = setting("MUSTER_TEST_TRIALS").map_or(TRIALS, |text| text.parse().unwrap());
        let nodes = if database.engine() == Engine::Postgres { NODES } else { 1 };
        let mut servers = Vec::new();
        for _ in 0..nodes {
            servers.push(Program::serve(&database).await);
        }
        let cluster = Arc::new(Cluster::of(&database, &servers).await);
        let (seed, stop) = (dice::seed(), Arc::new(AtomicBool::new(false)));

        let mut load = JoinSet::new();
        for number in 0..BUSY {
            load.spawn(Arc::clone(&cluster).change_others(number, Arc::clone(&stop)));
        }
        let mut leavers = JoinSet::new();
        for number in 0..AT_ONCE {
            let dice = Dice::new(seed, number);
            leavers.spawn(Arc::clone(&cluster).come_and_go(number, trials.div_ceil(AT_ONCE), dice));
        }
        let denied: usize = leavers.join_all().await.into_iter().sum();
        stop.store(true, Ordering::Relaxed);
        let changes: usize = load.join_all().await.into_iter().sum();
        assert!(denied >= trials * nodes, "{denied} denials");
        assert!(changes > 0, "the servers had nothing else to do");
    }
}

/// The servers, as provisioning and as who asks for decisions see them.
struct Cluster {
    scim: Vec<Client>,
    admin: Vec<Client>,
    /// Where its Managers may edit the record `r`.
    scope: String,
    group: String,
}

impl Cluster {
    async fn of(database: &Database, servers: &[Program]) -> Self {
        let scim_token = database.keys().await.token;
        let made = run_json(database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        let admin_token = made["token"].as_str().unwrap();
        let clients = |token: &str| servers.iter().map(|server| server.client(token)).collect::<Vec<_>>();
        let mut cluster = Self {
            scim: clients(&scim_token),
            admin: clients(admin_token),
            scope: String::new(),
            group: String::new(),
        };
        cluster.take_anything_away().await;
        let scope = json!({"kind": "territory", "name": "North"});
        cluster.scope = cluster.manage("POST", "/scopes", Some(&scope)).await.status(201).id();
        let place = format!("/scopes/{}/records/record/r", cluster.scope);
        let placed = cluster.manage("PUT", &place, None).await;
        assert!(placed.status < 300, "{placed:?}");
        let group = json!({"schemas": [GROUP], "displayName": "Others"});
        cluster.group = cluster.provision(0, "POST", "/Groups", &group).await.status(201).id();
        cluster
    }

    /// Has the connection take away as much as it likes.
    async fn take_anything_away(&self) {
        let connections = self.manage("GET", "/connections", None).await.status(200).json;
        let id = connections["items"][0]["id"].as_str().unwrap();
        let unlimited = json!({"deactivations": null, "deletions": null, "departures": null, "renames": null});
        let path = format!("/connections/{id}/fuse");
        self.manage("PATCH", &path, Some(&unlimited)).await.status(200);
    }

    async fn provision(&self, node: usize, method: &str, path: &str, body: &Value) -> Answer {
        self.scim[node].ask(method, path, Some(body)).await.unwrap()
    }

    async fn manage(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let path = format!("/api/v1{path}");
        self.admin[0].send(method, &path, body, &JSON).await.unwrap()
    }

    /// A user who is a Manager; answers the id.
    async fn manager(&self, name: &str) -> String {
        let body = json!({"schemas": [USER], "userName": name, "active": true});
        let id = self.provision(0, "POST", "/Users", &body).await.status(201).id();
        let grant = json!({"subject": {"type": "user", "id": id}, "role": "manager", "scope": self.scope});
        self.manage("POST", "/grants", Some(&grant)).await.status(201);
        id
    }

    /// What this server decides about the user now.
    async fn may(&self, node: usize, user: &str) -> bool {
        let question = json!({
            "subject": {"type": "user", "id": user},
            "action": {"name": "record.edit"},
            "resource": {"type": "record", "id": "r"},
        });
        let path = "/access/v1/evaluation";
        let answer = self.admin[node].send("POST", path, Some(&question), &JSON).await;
        answer.unwrap().status(200).json["decision"].as_bool().unwrap()
    }

    /// Ends and gives back the access of one user again and again, by whichever server, and asks all of them right after;
    /// answers how many denials that were.
    async fn come_and_go(self: Arc<Self>, number: usize, trials: usize, mut dice: Dice) -> usize {
        let name = format!("leaver-{number}");
        let id = self.manager(&name).await;
        let mut denied = 0;
        for trial in 0..trials {
            for active in [false, true] {
                let (node, path) = (dice.below(self.scim.len()), format!("/Users/{id}"));
                let operation = json!({"op": "replace", "path": "active", "value": active});
                let (method, body) = match dice.below(2) {
                    0 => ("PATCH", json!({"schemas": [PATCH_OP], "Operations": [operation]})),
                    _ => ("PUT", json!({"schemas": [USER], "userName": name, "active": active})),
                };
                let answer = self.provision(node, method, &path, &body).await;
                assert!(matches!(answer.status, 200 | 204), "{answer:?}");
                let mut asked = JoinSet::new();
                for node in 0..self.admin.len() {
                    let (cluster, id) = (Arc::clone(&self), id.clone());
                    asked.spawn(async move { cluster.may(node, &id).await });
                }
                let decisions = asked.join_all().await;
                assert!(
                    decisions.iter().all(|may| *may == active),
                    "{name}, trial {trial}: {method} of active {active} at server {node}, then {decisions:?}"
                );
                denied += decisions.into_iter().filter(|may| !may).count();
            }
        }
        denied
    }

    /// Makes users, puts them into a group, and deletes them again, until told to stop; answers how many.
    async fn change_others(self: Arc<Self>, number: usize, stop: Arc<AtomicBool>) -> usize {
        let node = number % self.scim.len();
        for made in 0.. {
            if stop.load(Ordering::Relaxed) {
                return made;
            }
            let body = json!({"schemas": [USER], "userName": format!("other-{number}-{made}")});
            let id = self.provision(node, "POST", "/Users", &body).await.status(201).id();
            let operation = json!({"op": "add", "path": "members", "value": [{"value": id}]});
            let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
            let joined = self
                .provision(node, "PATCH", &format!("/Groups/{}", self.group), &body)
                .await;
            assert!(matches!(joined.status, 200 | 204), "{joined:?}");
            self.scim[node]
                .ask("DELETE", &format!("/Users/{id}"), None)
                .await
                .unwrap()
                .status(204);
        }
        0
    }
}
