//! Smart groups through SCIM: who is shown in them is who is decided to be in them.

use muster::base::id::ResourceId;
use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::message::Query;
use muster::scim::project::View;
use muster::service::access::grants::SubjectKind;
use muster::service::access::rules::{self, OutcomeAsked, RuleChange};
use muster::service::access::{State, Validity};
use muster::service::provision::{self, Relations, Shown};
use muster::service::{Error, IfMatch, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::house::{AccessHouse, START, joins, new_rule};
use crate::support::dice::{Dice, seed};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}

/// Ids of members, or of groups with their type.
fn related(shown: &Shown) -> BTreeSet<(String, &'static str)> {
    match &shown.relations {
        Relations::Groups(groups) => groups.iter().map(|group| (group.id.clone(), group.kind)).collect(),
        Relations::Members(members) => members.iter().map(|member| (member.id.clone(), member.kind)).collect(),
        Relations::Unread | Relations::TooMany | Relations::Assigned(_) => panic!("{shown:?}"),
    }
}

/// What an identity provider reads.
impl AccessHouse {
    async fn shown(&self, endpoint: &str, id: &str) -> Shown {
        let kind = self.services.type_at(endpoint).unwrap();
        let (id, view) = (ResourceId::new(id), View::default());
        let read = provision::read(&self.services, &self.idp, kind, &id, &view).await;
        read.unwrap()
    }

    /// Ids of the groups of a user, and whether it is `direct` or `indirect`.
    async fn groups_shown(&self, user: &str) -> BTreeSet<(String, &'static str)> {
        related(&self.shown("Users", user).await)
    }

    async fn members_shown(&self, group: &str) -> BTreeSet<String> {
        let members = related(&self.shown("Groups", group).await);
        members.into_iter().map(|(id, _)| id).collect()
    }

    /// What a filter finds, and what each is shown with.
    async fn filtered(&self, endpoint: &str, filter: &str) -> Vec<Shown> {
        let types = [self.services.type_at(endpoint).unwrap().clone()];
        let asked = Query {
            filter: Some(filter.to_owned()),
            ..Query::default()
        };
        let found = provision::query(&self.services, &self.idp, &strict(), &types, &asked).await;
        let found = found.unwrap_or_else(|error| panic!("{filter}: {error:?}"));
        assert_eq!(found.total, found.items.len() as u64, "{filter}");
        found.items
    }

    async fn ids(&self, endpoint: &str, filter: &str) -> BTreeSet<String> {
        let found = self.filtered(endpoint, filter).await;
        found.into_iter().map(|shown| shown.id.into_string()).collect()
    }

    async fn change_rule(&self, id: &str, change: RuleChange) -> Result<rules::Rule, Error> {
        rules::change(&self.services, &self.root, id, &change).await
    }
}

fn to(state: State) -> RuleChange {
    RuleChange {
        state: Some(state),
        ..RuleChange::default()
    }
}

fn set(ids: &[&String]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).clone()).collect()
}

each_database! {
    async fn members_by_rule_are_shown_and_found(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({})).await;
        let partners = house.group("Partners", &[]).await;
        let world = house.group("World", &[&partners, &bob]).await;
        let rule = house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        assert_eq!(house.members_shown(&partners).await, set(&[&ada]));
        assert_eq!(house.groups_shown(&ada).await, [(partners.clone(), "direct"), (world.clone(), "indirect")].into());
        let listed = house.filtered("Users", "userName eq \"ada\"").await;
        assert_eq!(related(&listed[0]), house.groups_shown(&ada).await);
        for (filter, found) in [
            (format!("groups.value eq \"{partners}\""), set(&[&ada])),
            (format!("groups.value eq \"{world}\""), set(&[&ada, &bob])),
            ("groups.display eq \"partners\" and userName sw \"a\"".to_owned(), set(&[&ada])),
            (format!("not (groups.value eq \"{partners}\")"), set(&[&bob])),
            (format!("groups[value eq \"{world}\" and type eq \"direct\"]"), set(&[&bob])),
            (format!("groups[value eq \"{world}\" and type eq \"indirect\"]"), set(&[&ada])),
            ("groups.type eq \"direct\"".to_owned(), set(&[&ada, &bob])),
            ("groups pr".to_owned(), set(&[&ada, &bob])),
        ] {
            assert_eq!(house.ids("Users", &filter).await, found, "{filter}");
        }
        for (filter, found) in [
            (format!("members.value eq \"{ada}\""), set(&[&partners])),
            (format!("displayName eq \"Partners\" and members[value eq \"{ada}\" and type eq \"User\"]"), set(&[&partners])),
            (format!("not (members.value eq \"{ada}\")"), set(&[&world])),
            ("members pr".to_owned(), set(&[&partners, &world])),
        ] {
            assert_eq!(house.ids("Groups", &filter).await, found, "{filter}");
        }
        house.change_rule(&rule.id, to(State::Retired)).await.unwrap();
        assert!(house.members_shown(&partners).await.is_empty());
        assert!(house.groups_shown(&ada).await.is_empty());
        assert!(house.ids("Users", &format!("groups.value eq \"{partners}\"")).await.is_empty());
    }

    async fn a_user_is_shown_with_the_groups_that_the_change_gave(house: AccessHouse) {
        let partners = house.group("Partners", &[]).await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        let kind = house.services.type_at("Users").unwrap();
        let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "userType": "partner"});
        let made = provision::create(&house.services, &house.idp, &strict(), kind, body, &View::default()).await.unwrap();
        assert_eq!(related(&made), [(partners.clone(), "direct")].into());
        let patch = |value: &str| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "userType", "value": value}]});
        let mut seen = Vec::new();
        for value in ["guest", "partner"] {
            let wanted = Wanted { dialect: &strict(), kind, id: &made.id, if_match: &IfMatch::Absent, view: &View::default() };
            let changed = provision::patch(&house.services, &house.idp, wanted, patch(value)).await.unwrap();
            seen.push(related(&changed).len());
        }
        assert_eq!(seen, [0, 1]);
    }

    async fn sending_a_smart_group_back_as_it_was_read_changes_nothing(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({})).await;
        let partners = house.group("Partners", &[]).await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        let put = async |members: Value| {
            let body = json!({"schemas": [GROUP], "displayName": "Partners of ours", "members": members});
            let kind = house.services.type_at("Groups").unwrap();
            let id = ResourceId::new(partners.as_str());
            let wanted = Wanted { dialect: &strict(), kind, id: &id, if_match: &IfMatch::Absent, view: &View::default() };
            provision::replace(&house.services, &house.idp, wanted, body).await
        };
        let echoed = put(json!([{"value": ada}])).await.unwrap();
        assert_eq!(related(&echoed), [(ada.clone(), "User")].into());
        for members in [json!([{"value": ada}, {"value": bob}]), json!([{"value": bob}])] {
            let Err(Error::Protocol(refused)) = put(members).await else { panic!() };
            assert_eq!((refused.status, refused.scim_type.map(muster::scim::ScimType::as_str)), (400, Some("mutability")));
        }
        let kind = house.services.type_at("Groups").unwrap();
        let id = ResourceId::new(partners.as_str());
        let wanted = Wanted { dialect: &strict(), kind, id: &id, if_match: &IfMatch::Absent, view: &View::default() };
        let renamed = provision::replace(&house.services, &house.idp, wanted, json!({"schemas": [GROUP], "displayName": "Ours"}));
        assert_eq!(related(&renamed.await.unwrap()), [(ada.clone(), "User")].into(), "members are left out, not taken away");
        house.join(&partners, &ada).await.expect("is there already");
        house.leave(&partners, &bob).await.expect("is not there");
        assert!(house.join(&partners, &bob).await.is_err());
        house.leave(&partners, &ada).await.expect_err("rules put her there");
    }

    async fn who_was_stored_before_the_rules_and_is_given_by_none_can_be_taken_out(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let [bob, cleo, dan] = [house.user("bob", json!({})).await, house.user("cleo", json!({})).await, house.user("dan", json!({})).await];
        let partners = house.group("Partners", &[&ada, &bob, &cleo]).await;
        house.grant((SubjectKind::Group, &partners), "analyst", "all").await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &bob, &cleo]));
        house.leave(&partners, &ada).await.expect_err("a rule gives her, too");
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &bob, &cleo]));
        house.leave(&partners, &bob).await.expect("no rule gives him");
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &cleo]));
        assert!(!house.may(&bob, "data.act", "all").await);
        house.join(&partners, &bob).await.expect_err("nobody comes back by hand");
        let kind = house.services.type_at("Groups").unwrap();
        let id = ResourceId::new(partners.as_str());
        let put = async |members: Value| {
            let wanted = Wanted { dialect: &strict(), kind, id: &id, if_match: &IfMatch::Absent, view: &View::default() };
            let body = json!({"schemas": [GROUP], "displayName": "Partners", "members": members});
            provision::replace(&house.services, &house.idp, wanted, body).await
        };
        put(json!([{"value": ada}, {"value": dan}])).await.expect_err("dan was not there");
        assert_eq!(house.members_shown(&partners).await, set(&[&ada, &cleo]));
        let left = put(json!([{"value": ada}])).await.unwrap();
        assert_eq!(related(&left), [(ada.clone(), "User")].into());
        assert!(!house.may(&cleo, "data.act", "all").await);
    }

    async fn a_rule_begins_and_ends_by_itself(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let partners = house.group("Partners", &[]).await;
        house.grant((SubjectKind::Group, &partners), "analyst", "all").await;
        let mut new = new_rule("Fill", "userType eq \"partner\"", &[joins(&partners)]);
        let second = |n| START.plus(Duration::from_secs(n));
        new.validity = Validity { from: Some(second(10)), to: Some(second(20)) };
        rules::create(&house.services, &house.root, &new).await.unwrap();
        let mut seen = Vec::new();
        for at in [second(9), second(10), second(19), second(20)] {
            house.clock.set(at);
            let member = house.members_shown(&partners).await.contains(&ada);
            let listed = !house.groups_shown(&ada).await.is_empty();
            let found = !house.ids("Users", &format!("groups.value eq \"{partners}\"")).await.is_empty();
            let may = house.may(&ada, "data.act", "all").await;
            assert!([member, listed, found].iter().all(|one| *one == may), "{at}: {member} {listed} {found} {may}");
            seen.push(may);
        }
        assert_eq!(seen, [false, true, true, false]);
    }

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

/// Says how long reads of a smart group of many take.
pub async fn measure(house: &AccessHouse, group: &str, user: &str) {
    let timed = async |what: &str, filter: Option<(&str, String)>| {
        let begun = Instant::now();
        let count = match filter {
            Some((endpoint, filter)) => {
                let types = [house.services.type_at(endpoint).unwrap().clone()];
                let asked = Query {
                    filter: Some(filter),
                    excluded: Some(vec!["members".to_owned()]),
                    ..Query::default()
                };
                let found = provision::query(&house.services, &house.idp, &strict(), &types, &asked).await;
                usize::try_from(found.unwrap().total).unwrap()
            }
            None => house.members_shown(group).await.len(),
        };
        println!("  {what}: {count} in {:?}", begun.elapsed());
    };
    timed("members of the group", None).await;
    timed(
        "users in the group",
        Some(("Users", format!("groups.value eq \"{group}\""))),
    )
    .await;
    let one = format!("userName eq \"ada\" and groups.value eq \"{group}\"");
    timed("one user in the group", Some(("Users", one))).await;
    timed(
        "groups of a member",
        Some(("Groups", format!("members.value eq \"{user}\""))),
    )
    .await;
    let begun = Instant::now();
    let groups = house.groups_shown(user).await.len();
    println!("  a user with groups: {groups} in {:?}", begun.elapsed());
}
