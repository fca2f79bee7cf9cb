//! Several servers on one database: together they apply exactly the budget.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::misconfigured::deletions;
use crate::support::answer::Answer;
use crate::support::database::{Database, Engine};
use crate::support::program::{Program, run_json};
use crate::support::wire::Client;

/// Servers; one file of `SQLite` is one server's.
const NODES: usize = 3;
/// Connections of the client to each of them.
const CLIENTS: usize = 3;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// The servers, as provisioning and as an administrator see them.
struct Cluster {
    scim: Vec<Client>,
    admin: Client,
}

impl Cluster {
    async fn of(database: &Database, servers: &[Program]) -> Self {
        let token = database.keys().await.token;
        let made = run_json(database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        Self {
            scim: servers.iter().map(|server| server.client(&token)).collect(),
            admin: servers[0].client(made["token"].as_str().unwrap()),
        }
    }

    async fn manage(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.admin
            .send(method, &format!("/api/v1{path}"), body, &JSON)
            .await
            .unwrap()
    }

    /// Asks the same of many, over all connections to all servers at once; answers each id with the status.
    async fn spread(self: &Arc<Self>, method: &'static str, asks: Vec<(String, Option<Value>)>) -> Vec<(String, u16)> {
        let mut clients = JoinSet::new();
        let lanes = self.scim.len() * CLIENTS;
        for lane in 0..lanes {
            let asks: Vec<_> = asks.iter().skip(lane).step_by(lanes).cloned().collect();
            let client = self.scim[lane % self.scim.len()].clone();
            clients.spawn(async move {
                let mut told = Vec::new();
                for (path, body) in asks {
                    let answer = client.ask(method, &path, body.as_ref()).await.unwrap();
                    let id = if answer.status == 201 {
                        answer.id()
                    } else {
                        String::new()
                    };
                    told.push((id, answer.status));
                }
                told
            });
        }
        clients.join_all().await.concat()
    }

    async fn there(&self, node: usize) -> u64 {
        let shown = self.scim[node].ask("GET", "/Users?count=0", None).await.unwrap();
        shown.status(200).total()
    }
}

fn with(told: &[(String, u16)], status: u16) -> usize {
    told.iter().filter(|answer| answer.1 == status).count()
}

each_database! {
    async fn servers_that_share_a_database_share_the_budget(database: Database) {
        let nodes = if database.engine() == Engine::Postgres { NODES } else { 1 };
        let mut servers = Vec::new();
        for _ in 0..nodes {
            servers.push(Program::serve(&database).await);
        }
        let cluster = Arc::new(Cluster::of(&database, &servers).await);
        let connections = cluster.manage("GET", "/connections", None).await.status(200).json;
        let fuse = format!("/connections/{}/fuse", connections["items"][0]["id"].as_str().unwrap());
        let budgets = json!({"deletions": {"percent": 10, "least": 3}});
        cluster.manage("PATCH", &fuse, Some(&budgets)).await.status(200);

        let n = deletions();
        let budget = (n / 10).max(3);
        let users = (0..n).map(|number| ("/Users".to_owned(), Some(json!({"schemas": [USER], "userName": format!("user{number}")}))));
        let made = cluster.spread("POST", users.collect()).await;
        assert_eq!(with(&made, 201), n);
        let all: Vec<_> = made.iter().map(|(id, _)| (format!("/Users/{id}"), None)).collect();

        let told = cluster.spread("DELETE", all.clone()).await;
        assert_eq!((with(&told, 204), with(&told, 429)), (budget, n - budget));
        for node in 0..nodes {
            assert_eq!(cluster.there(node).await, (n - budget) as u64);
        }
        let tripped = cluster.manage("GET", "/events?kind=fuse.tripped", None).await.status(200).json;
        assert_eq!(tripped["items"].as_array().unwrap().len(), 1, "{tripped}");

        let holds = cluster.manage("GET", "/holds", None).await.status(200).json;
        let [hold] = &holds["items"].as_array().unwrap()[..] else { panic!("one hold: {holds}") };
        assert_eq!(hold["budget"], json!(budget));
        let approve = format!("/holds/{}/approve", hold["id"].as_str().unwrap());
        cluster.manage("POST", &approve, Some(&json!({}))).await.status(202);
        let told = cluster.spread("DELETE", all).await;
        assert_eq!((with(&told, 204), with(&told, 404)), (n - budget, budget), "lifted by one, it is lifted for all");
        assert_eq!(cluster.there(nodes - 1).await, 0);
    }
}
