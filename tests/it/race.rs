//! Many clients at once on the same resource: what they did adds up, and of what excludes itself one thing happens.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::answer::Answer;
use crate::support::database::Database;
use crate::support::dice::{self, Dice};
use crate::support::program::{Program, run_json};
use crate::support::wire::Client;

/// As many as a large identity provider opens connections.
const CLIENTS: usize = 32;

/// Users that each client adds and removes.
const USERS_EACH: usize = 6;

/// PATCH requests that each client sends.
const REQUESTS_EACH: usize = 20;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

each_database! {
    async fn members_added_and_removed_by_many_clients_are_exactly_the_sum(database: Database) {
        let (seed, server) = (dice::seed(), Program::serve(&database).await);
        let client = server.client(&database.keys().await.token);
        let group = made(&client, "/Groups", &json!({"schemas": [GROUP], "displayName": "Everyone"})).await;

        let each = |number| churn(client.clone(), group.clone(), Dice::new(seed, number), number);
        let sums = together(CLIENTS, each).await;

        let mut expected = BTreeSet::new();
        for (user, is_member) in sums.into_iter().flatten() {
            if is_member {
                expected.insert(user.clone());
            }
            let groups = client.ask("GET", &format!("/Users/{user}"), None).await.unwrap().status(200);
            assert_eq!(groups.values_of("groups"), if is_member { vec![group.clone()] } else { vec![] });
        }
        let shown = client.ask("GET", &format!("/Groups/{group}"), None).await.unwrap().status(200);
        assert_eq!(shown.values_of("members"), expected.into_iter().collect::<Vec<_>>());
    }

    async fn of_many_users_of_one_name_one_is_created(database: Database) {
        let server = Program::serve(&database).await;
        let client = server.client(&database.keys().await.token);

        let create = |number: usize| {
            let client = client.clone();
            let name = if number.is_multiple_of(2) { "Ada@acme.test" } else { "ada@ACME.test" };
            async move {
                let body = json!({"schemas": [USER], "userName": name});
                client.ask("POST", "/Users", Some(&body)).await.unwrap()
            }
        };
        let answers = together(CLIENTS, create).await;

        assert_eq!(with_status(&answers, 201), 1);
        assert_eq!(with_status(&answers, 409), CLIENTS - 1);
        let all = client.ask("GET", "/Users?count=0", None).await.unwrap().status(200);
        assert_eq!(all.total(), 1);
    }

    async fn of_many_writers_that_saw_the_same_version_one_succeeds(database: Database) {
        let server = Program::serve(&database).await;
        let client = server.client(&database.keys().await.token);
        let body = json!({"schemas": [USER], "userName": "ada"});
        let born = client.ask("POST", "/Users", Some(&body)).await.unwrap().status(201);
        let (id, seen) = (born.id(), born.header("etag").to_owned());
        assert_ne!(seen, "");

        let rename = |number: usize| {
            let (client, id, seen) = (client.clone(), id.clone(), seen.clone());
            async move {
                let change = json!([{"op": "replace", "path": "title", "value": format!("title {number}")}]);
                let body = json!({"schemas": [PATCH_OP], "Operations": change});
                let only_if = [("If-Match", seen.as_str())];
                client.ask_with("PATCH", &format!("/Users/{id}"), Some(&body), &only_if).await.unwrap()
            }
        };
        let answers = together(CLIENTS, rename).await;

        assert_eq!(with_status(&answers, 412), CLIENTS - 1);
        assert_eq!(with_status(&answers, 200) + with_status(&answers, 204), 1);
    }

    async fn groups_that_change_and_users_who_go_do_not_wait_for_each_other_in_a_circle(database: Database) {
        let (seed, server) = (dice::seed(), Program::serve(&database).await);
        let client = server.client(&database.keys().await.token);
        let mut groups = Vec::new();
        for name in ["North", "South"] {
            groups.push(made(&client, "/Groups", &json!({"schemas": [GROUP], "displayName": name})).await);
        }

        let each = |number| come_and_go(client.clone(), groups.clone(), Dice::new(seed, number), number);
        together(CLIENTS, each).await;

        assert!(server.stop().success());
        database.settle().await;
        assert_eq!(database.deadlocks().await, 0);
    }
}

each_database! {
    async fn who_gives_roles_and_ends_accounts_at_once_do_not_wait_for_each_other_in_a_circle(database: Database) {
        let (seed, server) = (dice::seed(), Program::serve(&database).await);
        let admin = run_json(&database, &["token", "create", "--tenant", "acme", "--admin", "--json"]);
        let people = People {
            scim: server.client(&database.keys().await.token),
            admin: server.client(admin["token"].as_str().unwrap()),
        };
        let lasting = people.create("lasting", &[]).await;
        people.give(&lasting, &json!({})).await.status(201);

        let each = |number| people.clone().live(Dice::new(seed, number), number);
        together(CLIENTS, each).await;

        assert!(server.stop().success());
        database.settle().await;
        assert_eq!(database.deadlocks().await, 0);
    }
}

/// Provisioning and an administrator.
#[derive(Clone)]
struct People {
    scim: Client,
    admin: Client,
}

impl People {
    async fn manage(&self, path: &str, body: Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        self.admin
            .send("POST", &format!("/api/v1{path}"), Some(&body), &json)
            .await
            .unwrap()
    }

    /// Has somebody be an administrator, with more of the grant.
    async fn give(&self, user: &str, more: &Value) -> Answer {
        let mut grant = json!({"subject": {"type": "user", "id": user}, "role": "admin", "scope": "all"});
        grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.manage("/grants", grant).await
    }

    /// A user with these values of `roles`.
    async fn create(&self, name: &str, roles: &[&str]) -> String {
        let roles: Vec<Value> = roles.iter().map(|role| json!({"value": role})).collect();
        made(
            &self.scim,
            "/Users",
            &json!({"schemas": [USER], "userName": name, "roles": roles}),
        )
        .await
    }

    async fn patch(&self, user: &str, operation: &Value) -> Answer {
        let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
        self.scim
            .ask("PATCH", &format!("/Users/{user}"), Some(&body))
            .await
            .unwrap()
    }

    /// One client's life: of the same user, provisioning changes roles and `active`, and ends them, while an administrator
    /// gives them a role for a while, and keeps them out.
    async fn live(self, mut dice: Dice, number: usize) {
        for n in 0..USERS_EACH {
            let user = self.create(&format!("person-{number}-{n}"), &["Manager"]).await;
            let first = dice.below(2);
            let provision = async {
                let roles = json!({"op": "replace", "path": "roles", "value": [{"value": "Analyst"}]});
                let on = json!({"op": "replace", "path": "active", "value": true});
                for operation in if first == 0 { [roles, on] } else { [on, roles] } {
                    let answer = self.patch(&user, &operation).await;
                    assert!(matches!(answer.status, 200 | 204 | 404), "{answer:?}");
                }
            };
            let manage = async {
                let until = json!({"valid_to": "2099-01-01T00:00:00Z"});
                let given = self.give(&user, &until).await;
                assert!(matches!(given.status, 201 | 400 | 404), "{given:?}");
                for wish in ["suspend", "deactivate"] {
                    let answer = self.manage(&format!("/users/{user}/{wish}"), json!({})).await;
                    assert!(matches!(answer.status, 200 | 404 | 409), "{answer:?}");
                }
            };
            let end = async {
                if dice.below(2) == 0 {
                    let gone = self.scim.ask("DELETE", &format!("/Users/{user}"), None).await.unwrap();
                    gone.status(204);
                }
            };
            tokio::join!(provision, manage, end);
        }
    }
}

/// One client's life: its users join groups, are changed, deactivated and deleted, and the groups get other names.
async fn come_and_go(client: Client, groups: Vec<String>, mut dice: Dice, number: usize) {
    for n in 0..USERS_EACH {
        let body = json!({"schemas": [USER], "userName": format!("guest-{number}-{n}")});
        let user = made(&client, "/Users", &body).await;
        let mut changes = Vec::new();
        for group in &groups {
            let joins = json!({"op": "add", "path": "members", "value": [{"value": user}]});
            changes.push((format!("/Groups/{group}"), joins));
        }
        let group = dice.pick(&groups);
        changes.push(match dice.below(3) {
            0 => {
                let name = json!({"op": "replace", "path": "displayName", "value": format!("{number}-{n}")});
                (format!("/Groups/{group}"), name)
            }
            1 => {
                let off = json!({"op": "replace", "path": "active", "value": false});
                (format!("/Users/{user}"), off)
            }
            _ => {
                let leaves = json!({"op": "remove", "path": format!("members[value eq \"{user}\"]")});
                (format!("/Groups/{group}"), leaves)
            }
        });
        for (path, operation) in changes {
            let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
            let answer = client.ask("PATCH", &path, Some(&body)).await.unwrap();
            assert!(matches!(answer.status, 200 | 204), "{path} {body} gave {answer:?}");
        }
        let gone = client.ask("DELETE", &format!("/Users/{user}"), None).await.unwrap();
        gone.status(204);
    }
}

/// One client's life: makes its own users, adds and removes them, and answers which of them it left in the group.
async fn churn(client: Client, group: String, mut dice: Dice, number: usize) -> BTreeMap<String, bool> {
    let mut users = Vec::new();
    for n in 0..USERS_EACH {
        let body = json!({"schemas": [USER], "userName": format!("racer-{number}-{n}")});
        users.push(made(&client, "/Users", &body).await);
    }
    let mut is_member: BTreeMap<String, bool> = users.iter().map(|user| (user.clone(), false)).collect();
    for _ in 0..REQUESTS_EACH {
        let (one, other) = (dice.pick(&users).clone(), dice.pick(&users).clone());
        let (operation, joins, whom) = match dice.below(4) {
            0 => (
                json!({"op": "add", "path": "members", "value": [{"value": one}, {"value": other}]}),
                true,
                vec![one, other],
            ),
            1 => (
                json!({"op": "add", "path": "members", "value": [{"value": one}]}),
                true,
                vec![one],
            ),
            2 => (
                json!({"op": "remove", "path": format!("members[value eq \"{one}\"]")}),
                false,
                vec![one],
            ),
            _ => (
                json!({"op": "remove", "path": "members", "value": [{"value": one}]}),
                false,
                vec![one],
            ),
        };
        let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
        let answer = client
            .ask("PATCH", &format!("/Groups/{group}"), Some(&body))
            .await
            .unwrap();
        // Removing what is not there may be refused as `noTarget`; either way it is not there afterwards.
        let refused_removal = !joins && answer.status == 400 && answer.json["scimType"] == "noTarget";
        assert!(
            matches!(answer.status, 200 | 204) || refused_removal,
            "{body} gave {answer:?}"
        );
        is_member.extend(whom.into_iter().map(|user| (user, joins)));
    }
    is_member
}

/// Runs as many clients at once and answers what each of them answered.
async fn together<T, F>(clients: usize, each: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let all: JoinSet<T> = (0..clients).map(each).collect();
    all.join_all().await
}

async fn made(client: &Client, endpoint: &str, body: &Value) -> String {
    client.ask("POST", endpoint, Some(body)).await.unwrap().status(201).id()
}

fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}
