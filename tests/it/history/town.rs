//! A small organisation in which anything may happen next.

use std::time::Duration;

use axum::http::Method;
use muster::base::clock::Clock;
use serde_json::{Value, json};

use crate::admin::desk::Desk;
use crate::api::bodies::{ENTERPRISE, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;
use crate::support::dice::Dice;

const DEPARTMENTS: [&str; 3] = ["north", "south", "west"];
const TITLES: [&str; 2] = ["Seller", "Buyer"];
const ROLES: [&str; 3] = ["analyst", "manager", "read-only"];
const PERMISSIONS: [&str; 4] = ["org.users.view", "record.edit", "data.export_share", "org.audit.view"];
const RECORDS: [&str; 3] = ["1", "2", "3"];

/// The desk of an administrator. Commands made its token by the clock of the machine, and the log does not go back: so the
/// clock of the house is set behind that.
pub fn desk(house: &TestHouse) -> Desk {
    let desk = Desk::admin(house);
    let now = Clock::system().now();
    house.clock().set(now.plus(Duration::from_hours(1)));
    desk
}

pub struct Town {
    pub house: TestHouse,
    pub desk: Desk,
    pub dice: Dice,
    /// Everybody and everything there ever was, by id.
    pub users: Vec<String>,
    pub groups: Vec<String>,
    pub roles: Vec<String>,
    pub scopes: Vec<String>,
    pub rules: Vec<String>,
    pub grants: Vec<String>,
    number: usize,
}

impl Town {
    /// A few of everything.
    pub async fn founded(house: TestHouse, dice: Dice) -> Self {
        let desk = desk(&house);
        let mut town = Self {
            users: Vec::new(),
            groups: vec![house.group("Kontor").await, house.group("Hof").await],
            roles: ROLES.map(str::to_owned).to_vec(),
            scopes: vec!["all".to_owned(), desk.scope("territory", "Ort").await],
            rules: Vec::new(),
            grants: Vec::new(),
            number: 0,
            house,
            desk,
            dice,
        };
        for _ in 0..3 {
            let person = town.person();
            town.users
                .push(town.house.post("/Users", person).await.status(201).id());
        }
        // No two events have one instant, so that those of a clock that stands still go on a little after it.
        town.house.clock().advance(Duration::from_secs(1));
        town
    }

    /// One thing that somebody asks for, a second from now, and some time after it. It may be refused; it never fails.
    pub async fn step(&mut self) {
        self.number += 1;
        self.house.clock().advance(Duration::from_secs(1));
        let answer = match self.dice.below(8) {
            0 => self.somebody_moves().await,
            1 => self.somebody_comes_or_goes().await,
            2 => self.members_move().await,
            3 => self.a_group_changes().await,
            4 => self.a_role_changes().await,
            5 => self.a_scope_changes().await,
            6 => self.a_rule_changes().await,
            _ => self.a_grant_changes().await,
        };
        assert!(answer.status < 500, "{}", answer.text);
        let seconds = 1 + self.dice.below(90) as u64;
        self.house.clock().advance(Duration::from_secs(seconds));
    }

    fn name(&self, what: &str) -> String {
        format!("{what} {}", self.number)
    }

    fn one(&mut self, of: fn(&Self) -> &Vec<String>) -> String {
        let at = self.dice.below(of(self).len());
        of(self)[at].clone()
    }

    fn person(&mut self) -> Value {
        let department = *self.dice.pick(&DEPARTMENTS);
        let name = format!("p{}-{}", self.number, self.users.len());
        let more = json!({
            "title": self.dice.pick(&TITLES), "active": true, "externalId": format!("x-{name}"),
            ENTERPRISE: { "department": department },
        });
        user(&name, more)
    }

    async fn somebody_moves(&mut self) -> Answer {
        let id = self.one(|town| &town.users);
        let operation = match self.dice.below(4) {
            0 => json!({ "op": "replace", "path": "title", "value": self.dice.pick(&TITLES) }),
            1 => json!({ "op": "remove", "path": "title" }),
            2 => {
                json!({ "op": "replace", "path": format!("{ENTERPRISE}:department"), "value": self.dice.pick(&DEPARTMENTS) })
            }
            _ => json!({ "op": "replace", "path": "active", "value": self.dice.below(2) == 0 }),
        };
        self.house.patch(&format!("/Users/{id}"), json!([operation])).await
    }

    async fn somebody_comes_or_goes(&mut self) -> Answer {
        let id = self.one(|town| &town.users);
        let verb = match self.dice.below(7) {
            0 => {
                let person = self.person();
                let answer = self.house.post("/Users", person).await;
                self.users.push(answer.id());
                return answer;
            }
            1 => return self.house.delete(&format!("/Users/{id}")).await,
            2 => {
                let into = self.one(|town| &town.users);
                return self
                    .desk
                    .post(&format!("/users/{id}/restore"), json!({ "into": into }))
                    .await;
            }
            3 => "suspend",
            4 => "deactivate",
            5 => "activate",
            _ => "restore",
        };
        self.desk.post(&format!("/users/{id}/{verb}"), json!({})).await
    }

    async fn members_move(&mut self) -> Answer {
        let group = self.one(|town| &town.groups);
        let nests = self.dice.below(3) == 0;
        let member = if nests {
            self.one(|town| &town.groups)
        } else {
            self.one(|town| &town.users)
        };
        let operation = match self.dice.below(3) {
            0 => json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") }),
            _ => json!({ "op": "add", "path": "members", "value": [{ "value": member }] }),
        };
        self.house.patch(&format!("/Groups/{group}"), json!([operation])).await
    }

    async fn a_group_changes(&mut self) -> Answer {
        let group = self.one(|town| &town.groups);
        match self.dice.below(4) {
            0 => {
                let body = json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": self.name("Gruppe"),
                    "members": [{ "value": self.one(|town| &town.users) }],
                });
                let answer = self.house.post("/Groups", body).await;
                if answer.status == 201 {
                    self.groups.push(answer.id());
                }
                answer
            }
            1 => {
                let rename = json!([{ "op": "replace", "path": "displayName", "value": self.name("Umzug") }]);
                self.house.patch(&format!("/Groups/{group}"), rename).await
            }
            2 => self.house.delete(&format!("/Groups/{group}")).await,
            _ => self.desk.post(&format!("/groups/{group}/restore"), json!({})).await,
        }
    }

    async fn a_role_changes(&mut self) -> Answer {
        let role = self.one(|town| &town.roles);
        let some = |dice: &mut Dice| [*dice.pick(&PERMISSIONS), *dice.pick(&PERMISSIONS)];
        let permissions = some(&mut self.dice);
        match self.dice.below(4) {
            0 | 1 => {
                let body = json!({ "name": self.name("Rolle"), "permissions": permissions });
                let answer = self.desk.post("/roles", body).await;
                if answer.status == 201 {
                    self.roles.push(answer.id());
                }
                answer
            }
            2 => {
                self.desk
                    .patch(&format!("/roles/{role}"), json!({ "permissions": permissions }))
                    .await
            }
            _ => self.desk.delete(&format!("/roles/{role}?force=true")).await,
        }
    }

    async fn a_scope_changes(&mut self) -> Answer {
        let scope = self.one(|town| &town.scopes);
        let other = self.one(|town| &town.scopes);
        let record = *self.dice.pick(&RECORDS);
        let path = format!("/scopes/{scope}/records/lead/{record}");
        match self.dice.below(6) {
            0 | 1 => {
                let mut body = json!({ "kind": "territory", "name": self.name("Gebiet") });
                if other != "all" {
                    body["parent"] = other.into();
                }
                let answer = self.desk.post("/scopes", body).await;
                if answer.status == 201 {
                    self.scopes.push(answer.id());
                }
                answer
            }
            2 => {
                let change = json!({ "name": self.name("Land"), "parent": other });
                self.desk.patch(&format!("/scopes/{scope}"), change).await
            }
            3 => self.desk.put(&path).await,
            4 => self.desk.delete(&path).await,
            _ => self.desk.delete(&format!("/scopes/{scope}?force=true")).await,
        }
    }

    fn condition(&mut self) -> String {
        match self.dice.below(4) {
            0 => format!("title eq \"{}\"", self.dice.pick(&TITLES)),
            1 => format!("{ENTERPRISE}:department eq \"{}\"", self.dice.pick(&DEPARTMENTS)),
            2 => format!("groups.value eq \"{}\"", self.one(|town| &town.groups)),
            _ => "userName pr".to_owned(),
        }
    }

    fn outcome(&mut self) -> Value {
        let (role, scope) = (self.one(|town| &town.roles), self.one(|town| &town.scopes));
        match self.dice.below(5) {
            0 => json!({ "group": self.one(|town| &town.groups) }),
            1 if scope != "all" => json!({ "scope": scope }),
            2 => json!({ "role": role, "record": { "kind": "lead", "id": self.dice.pick(&RECORDS) } }),
            _ => json!({ "role": role, "scope": scope }),
        }
    }

    async fn a_rule_changes(&mut self) -> Answer {
        if self.rules.is_empty() || self.dice.below(3) == 0 {
            let state = *self.dice.pick(&["active", "active", "draft"]);
            let body = json!({
                "name": self.name("Regel"), "when": self.condition(), "then": [self.outcome()], "state": state,
            });
            let answer = self.desk.post("/rules", body).await;
            if answer.status == 201 {
                self.rules.push(answer.id());
            }
            return answer;
        }
        let rule = self.one(|town| &town.rules);
        let change = match self.dice.below(5) {
            0 => json!({ "when": self.condition() }),
            1 => json!({ "then": [self.outcome(), self.outcome()] }),
            2 => json!({ "state": "retired" }),
            3 => json!({ "state": "active" }),
            _ => return self.desk.delete(&format!("/rules/{rule}")).await,
        };
        self.desk.patch(&format!("/rules/{rule}"), change).await
    }

    async fn a_grant_changes(&mut self) -> Answer {
        let in_a_while = self.house.clock().now().plus(Duration::from_mins(2)).rfc3339();
        if self.grants.is_empty() || self.dice.below(2) == 0 {
            let subject = if self.dice.below(3) == 0 {
                json!({ "type": "group", "id": self.one(|town| &town.groups) })
            } else {
                json!({ "type": "user", "id": self.one(|town| &town.users) })
            };
            let mut body = json!({ "subject": subject, "role": self.one(|town| &town.roles) });
            match self.dice.below(4) {
                0 => body["record"] = json!({ "kind": "lead", "id": self.dice.pick(&RECORDS) }),
                1 => {
                    body["scope"] = self.one(|town| &town.scopes).into();
                    body["valid_from"] = in_a_while.into();
                    body["restrict"] = json!({ "region": ["EU", "US"] });
                }
                _ => body["scope"] = self.one(|town| &town.scopes).into(),
            }
            let answer = self.desk.post("/grants", body).await;
            if answer.status == 201 {
                self.grants.push(answer.id());
            }
            return answer;
        }
        let grant = self.one(|town| &town.grants);
        if self.dice.below(3) == 0 {
            return self.desk.delete(&format!("/grants/{grant}")).await;
        }
        let change = json!({ "valid_to": in_a_while, "valid_from": null });
        let path = format!("/api/v1/grants/{grant}/validity");
        self.desk.ask(Method::PUT, &path, Some(change), &[]).await
    }
}
