//! Whatever happens, in whatever order: what is shown is what is decided.

use muster::service::Error;
use muster::service::access::State;
use muster::service::access::grants::SubjectKind;
use muster::service::access::rules::{self, OutcomeAsked, RuleChange};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

use super::reading::to;
use crate::access::house::{AccessHouse, joins, new_rule};
use crate::support::dice::{Dice, seed};

each_database! {
    async fn what_is_shown_is_what_is_decided(house: AccessHouse) {
        let mut world = World::furnish(&house, Dice::new(seed(), 0)).await;
        for step in 0..STEPS {
            let deed = world.act().await;
            world.compare(&format!("step {step}: {deed}")).await;
        }
        assert!(world.by_rule > 0 && world.nested > 0, "{} by rule, {} nested", world.by_rule, world.nested);
    }
}

const STEPS: usize = 40;
const TYPES: [&str; 3] = ["partner", "guest", "staff"];
const NAMES: [&str; 8] = [
    "Static A", "Static B", "Static C", "Smart 0", "Smart 1", "Smart 2", "Smart 3", "Other",
];
const CONDITIONS: [&str; 10] = [
    "userType eq \"partner\"",
    "userType eq \"guest\" or title pr",
    "not (title pr)",
    "groups.display eq \"Static A\"",
    "userType eq \"partner\" and groups.display eq \"Static B\"",
    "groups.display eq \"Smart 0\" and not (userType eq \"staff\")",
    "groups[display eq \"Static C\" and type eq \"indirect\"] or title eq \"Boss\"",
    "not (groups.display eq \"Smart 1\")",
    "groups.display sw \"Static\"",
    "groups pr",
];

/// Users, three groups that clients fill, four that rules fill, and for each group a place that its members may see.
struct World<'a> {
    house: &'a AccessHouse,
    dice: Dice,
    users: Vec<String>,
    groups: Vec<String>,
    scopes: Vec<String>,
    rules: Vec<String>,
    /// Memberships that were compared and are by rule, or through another group.
    by_rule: usize,
    nested: usize,
}

impl<'a> World<'a> {
    async fn furnish(house: &'a AccessHouse, dice: Dice) -> Self {
        let mut world = Self {
            house,
            dice,
            users: Vec::new(),
            groups: Vec::new(),
            scopes: Vec::new(),
            rules: Vec::new(),
            by_rule: 0,
            nested: 0,
        };
        for name in NAMES.iter().take(7) {
            let group = house.group(name, &[]).await;
            let scope = house.scope(name, None).await;
            house.grant((SubjectKind::Group, &group), "analyst", &scope).await;
            world.groups.push(group);
            world.scopes.push(scope);
        }
        for n in 0..5 {
            world.enter(n).await;
        }
        // Something to begin with: everyone by rule, nested, and a rule that reads that.
        house.join(&world.groups[0], &world.groups[3]).await.unwrap();
        for (name, when, group) in [
            ("all", "userType pr", 3),
            ("readers", "groups.display eq \"Static A\"", 4),
        ] {
            let made = house.rule(name, when, &[joins(&world.groups[group])]).await;
            world.rules.push(made.id);
        }
        world.compare("at first").await;
        world
    }

    async fn enter(&mut self, n: usize) {
        let mut more = json!({"userType": self.dice.pick(&TYPES), "active": true});
        if self.dice.below(2) == 0 {
            more["title"] = json!("Boss");
        }
        self.users.push(self.house.user(&format!("user{n}"), more).await);
    }

    fn user(&mut self) -> String {
        self.dice.pick(&self.users).clone()
    }

    fn outcome(&mut self) -> OutcomeAsked {
        joins(&self.groups[3 + self.dice.below(4)])
    }

    /// Does something, or is refused: what a circle of rules or a smart group does not allow.
    async fn act(&mut self) -> String {
        let house = self.house;
        let user = self.user();
        let fixed = self.groups[self.dice.below(3)].clone();
        let any = self.dice.pick(&self.groups).clone();
        let done: Result<String, Error> = match self.dice.below(13) {
            0 | 1 => house
                .join(&fixed, &user)
                .await
                .map(|()| format!("{user} joins {fixed}")),
            2 => house
                .leave(&fixed, &user)
                .await
                .map(|()| format!("{user} leaves {fixed}")),
            3 => house
                .join(&fixed, &any)
                .await
                .map(|()| format!("{any} is nested in {fixed}")),
            4 => house
                .leave(&fixed, &any)
                .await
                .map(|()| format!("{any} is taken out of {fixed}")),
            5 => {
                let value = *self.dice.pick(&TYPES);
                house
                    .set(&user, "userType", json!(value))
                    .await
                    .map(|()| format!("{user} is {value}"))
            }
            6 => house
                .set(&user, "title", json!("Boss"))
                .await
                .map(|()| format!("{user} is a boss")),
            7 | 8 => self.make_rule().await,
            9 | 10 => self.change_rule().await,
            11 => {
                let name = *self.dice.pick(&NAMES);
                let rename = json!([{"op": "replace", "path": "displayName", "value": name}]);
                house
                    .patch("Groups", &any, rename)
                    .await
                    .map(|()| format!("{any} is called {name}"))
            }
            _ => {
                house.clock.advance(Duration::from_secs(7));
                if self.users.len() > 3 && self.dice.below(3) == 0 {
                    let gone = self.users.swap_remove(0);
                    house
                        .delete("Users", &gone)
                        .await
                        .map(|()| format!("{gone} is deleted"))
                } else {
                    let n = house.clock.now().0;
                    self.enter(usize::try_from(n).unwrap()).await;
                    Ok(format!("{n} comes"))
                }
            }
        };
        done.unwrap_or_else(|error| format!("refused: {error}"))
    }

    async fn make_rule(&mut self) -> Result<String, Error> {
        let when = *self.dice.pick(&CONDITIONS);
        let then = [self.outcome()];
        let mut new = new_rule(&format!("rule {}", self.rules.len()), when, &then);
        if self.dice.below(3) == 0 {
            new.validity.to = Some(self.house.clock.now().plus(Duration::from_secs(20)));
        }
        let made = rules::create(&self.house.services, &self.house.root, &new).await?;
        self.rules.push(made.id);
        Ok(format!("{when} fills {:?}", then[0].group))
    }

    async fn change_rule(&mut self) -> Result<String, Error> {
        let Some(rule) = (!self.rules.is_empty()).then(|| self.dice.pick(&self.rules).clone()) else {
            return Ok("nothing".to_owned());
        };
        let state = *self.dice.pick(&[State::Active, State::Active, State::Retired]);
        let change = RuleChange {
            when: (self.dice.below(2) == 0).then(|| (*self.dice.pick(&CONDITIONS)).to_owned()),
            then: (self.dice.below(2) == 0).then(|| vec![self.outcome()]),
            ..to(state)
        };
        let told = format!("{rule} becomes {change:?}");
        self.house.change_rule(&rule, change).await.map(|_| told)
    }

    /// Everything that is shown against everything that is decided.
    async fn compare(&mut self, when: &str) {
        let mut shown = Vec::new();
        for user in &self.users {
            shown.push(self.house.groups_shown(user).await);
        }
        for (group, scope) in self.groups.iter().zip(&self.scopes) {
            let members = self.house.members_shown(group).await;
            let (mut decided, mut direct) = (BTreeSet::new(), BTreeSet::new());
            for (user, groups) in self.users.iter().zip(&shown) {
                if self.house.may(user, "data.act", scope).await {
                    decided.insert(user.clone());
                }
                let listed = groups.iter().find(|(id, _)| id == group);
                assert_eq!(
                    listed.is_some(),
                    decided.contains(user),
                    "{when}: groups of {user}, {group}"
                );
                if listed.is_some_and(|(_, kind)| *kind == "direct") {
                    direct.insert(user.clone());
                } else {
                    self.nested += usize::from(listed.is_some());
                }
            }
            let users: BTreeSet<String> = members.into_iter().filter(|id| self.users.contains(id)).collect();
            assert_eq!(users, direct, "{when}: members of {group}");
            let by_value = format!("groups.value eq \"{group}\"");
            assert_eq!(self.house.ids("Users", &by_value).await, decided, "{when}: {by_value}");
            let typed = format!("groups[value eq \"{group}\" and type eq \"direct\"]");
            assert_eq!(self.house.ids("Users", &typed).await, direct, "{when}: {typed}");
            let typed = format!("groups[value eq \"{group}\" and type eq \"indirect\"]");
            let indirect = decided.difference(&direct).cloned().collect();
            assert_eq!(self.house.ids("Users", &typed).await, indirect, "{when}: {typed}");
            if self.groups[3..].contains(group) {
                self.by_rule += direct.len();
            }
        }
        let user = self.user();
        let holding = format!("members.value eq \"{user}\"");
        let at = self.users.iter().position(|one| *one == user).unwrap();
        let direct = shown[at].iter().filter(|(_, kind)| *kind == "direct");
        let direct: BTreeSet<String> = direct.map(|(id, _)| id.clone()).collect();
        assert_eq!(self.house.ids("Groups", &holding).await, direct, "{when}: {holding}");
    }
}
