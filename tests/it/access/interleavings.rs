//! Random work of provisioning, administrators, rules and time, at once: whatever is committed, what must hold holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster::service::access::grants::{self, Filter, SubjectKind};
use muster::service::access::pending;
use muster::service::access::preview::{self, Asked, What};
use muster::service::access::rules::{self, RuleChange};
use muster::service::access::settings::{self, SettingsChange};
use muster::service::access::{Paging, State, Validity, WhenRefused, ownership, roles, scopes};
use muster::service::{Caller, Error};
use serde_json::json;
use tokio::task::JoinSet;

use super::census::{Census, Sworn};
use super::house::{AccessHouse, gives, joins, new_grant, new_rule};
use crate::support::dice::{self, Dice};

/// Rounds of a run; what is done in one is done at once.
const ROUNDS: usize = 90;
/// Most deeds of a round: enough to meet, few enough that what is refused is not all.
const AT_ONCE: usize = 6;
/// Users and groups there are at first.
const USERS: usize = 7;
const GROUPS: usize = 4;

const TITLES: [&str; 3] = ["chief", "clerk", "cook"];

/// Who and what there is to do something to: ids that may have become stale.
#[derive(Clone)]
struct World {
    house: AccessHouse,
    users: Vec<String>,
    groups: Vec<String>,
}

type Outcome = Result<(), Error>;

each_database! {
    async fn whatever_happens_at_once_what_must_hold_is_never_broken(house: AccessHouse) {
        let seed = dice::seed();
        let mut dice = Dice::new(seed, 0);
        let mut world = furnished(&house, &mut dice).await;
        let mut sworn = Sworn::default();
        let (mut done, mut refused) = (0, 0);
        for round in 0..ROUNDS {
            let mut work = JoinSet::new();
            for one in 0..=dice.below(AT_ONCE) {
                let (world, dice) = (world.clone(), Dice::new(seed, round * AT_ONCE + one + 1));
                work.spawn(async move { deed(&world, dice).await });
            }
            sworn = watched(&house, sworn, async {
                while let Some(outcome) = work.join_next().await {
                    match outcome.unwrap() {
                        Ok(()) => done += 1,
                        Err(Error::Internal(fault)) => panic!("{fault:?}"),
                        Err(_) => refused += 1,
                    }
                }
            })
            .await;
            house.clock.advance(Duration::from_secs(dice.below(4000) as u64));
            sworn.check(&Census::take(&house.database).await, house.services.clock().now());
            world.refresh(&mut dice).await;
        }
        println!("{done} deeds done, {refused} refused");
        assert!(done > ROUNDS / 2 && refused > ROUNDS / 4, "{done} done, {refused} refused: not much of a test");
    }
}

/// Does work, and looks at what is committed meanwhile again and again, and once more when it is done.
async fn watched(house: &AccessHouse, mut sworn: Sworn, work: impl Future<Output = ()>) -> Sworn {
    let over = Arc::new(AtomicBool::new(false));
    let (looking, place) = (Arc::clone(&over), house.clone());
    let looker = tokio::spawn(async move {
        loop {
            let last = looking.load(Ordering::SeqCst);
            sworn.check(&Census::take(&place.database).await, place.services.clock().now());
            if last {
                return sworn;
            }
        }
    });
    work.await;
    over.store(true, Ordering::SeqCst);
    looker.await.unwrap()
}

async fn furnished(house: &AccessHouse, dice: &mut Dice) -> World {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for number in 0..USERS {
        let title = dice.pick(&TITLES);
        users.push(
            house
                .user(&format!("user-{number}"), json!({"active": true, "title": title}))
                .await,
        );
    }
    for number in 0..GROUPS {
        groups.push(
            house
                .group(&format!("Group {number}"), &[dice.pick(&users).as_str()])
                .await,
        );
    }
    World {
        house: house.clone(),
        users,
        groups,
    }
}

impl World {
    /// Newcomers in place of who may be gone.
    async fn refresh(&mut self, dice: &mut Dice) {
        if dice.below(3) == 0 {
            let at = dice.below(self.users.len());
            let name = format!("user-{:x}", dice.throw());
            let title = dice.pick(&TITLES);
            self.users[at] = self.house.user(&name, json!({"active": true, "title": title})).await;
        }
        if dice.below(8) == 0 {
            let at = dice.below(self.groups.len());
            let member = dice.pick(&self.users).clone();
            let group = self
                .house
                .try_group(&format!("Group {:x}", dice.throw()), &member)
                .await;
            self.groups[at] = group.unwrap_or_else(|_| self.groups[at].clone());
        }
    }

    fn subject(&self, dice: &mut Dice) -> (SubjectKind, String) {
        if dice.below(3) == 0 {
            (SubjectKind::Group, dice.pick(&self.groups).clone())
        } else {
            (SubjectKind::User, dice.pick(&self.users).clone())
        }
    }

    /// Mostly the operator; sometimes one of the users, with what they may do.
    async fn caller(&self, dice: &mut Dice) -> Caller {
        if dice.below(4) > 0 {
            return self.house.root.clone();
        }
        match self.house.try_user(dice.pick(&self.users).as_str()).await {
            Some(user) => user,
            None => self.house.root.clone(),
        }
    }
}

/// One thing that somebody does.
async fn deed(world: &World, mut dice: Dice) -> Outcome {
    match dice.below(10) {
        0..4 => provisioning(world, &mut dice).await,
        4..7 => giving(world, &mut dice).await,
        7 => ruling(world, &mut dice).await,
        8 => deciding(world, &mut dice).await,
        _ => owning(world, &mut dice).await,
    }
}

/// What an identity provider sends.
async fn provisioning(world: &World, dice: &mut Dice) -> Outcome {
    let house = &world.house;
    let (user, group) = (dice.pick(&world.users), dice.pick(&world.groups));
    match dice.below(12) {
        0..3 => house.set(user, "active", json!(false)).await,
        3 => house.set(user, "active", json!(true)).await,
        4 => house.delete("Users", user).await,
        5 => house.set(user, "title", json!(dice.pick(&TITLES))).await,
        6 => house.delete("Groups", group).await,
        7 => house.join(group, user).await,
        8 => house.leave(group, user).await,
        9 => house.join(group, dice.pick(&world.groups).as_str()).await,
        10 => house.leave(group, dice.pick(&world.groups).as_str()).await,
        _ => {
            let members = json!([{"value": user}]);
            let replace = json!([{"op": "replace", "path": "members", "value": members}]);
            house.patch("Groups", group, replace).await
        }
    }
}

fn validity(house: &AccessHouse, dice: &mut Dice) -> Validity {
    let now = house.services.clock().now();
    let after = |dice: &mut Dice| now.plus(Duration::from_secs(1 + dice.below(9000) as u64));
    match dice.below(4) {
        0 => Validity {
            from: None,
            to: Some(after(dice)),
        },
        1 => Validity {
            from: Some(after(dice)),
            to: None,
        },
        _ => Validity::ALWAYS,
    }
}

/// Some grant.
async fn grant(world: &World, dice: &mut Dice) -> Result<String, Error> {
    let house = &world.house;
    let filter = Filter {
        role: Some("admin".to_owned()),
        ..Filter::default()
    };
    let page = grants::list(&house.services, &house.root, &filter, &Paging::default()).await?;
    if page.items.is_empty() {
        return Err(Error::NotFound);
    }
    Ok(dice.pick(&page.items).id.clone())
}

/// Grants, one by one and as what-if.
async fn giving(world: &World, dice: &mut Dice) -> Outcome {
    let services = &world.house.services;
    let (kind, subject) = world.subject(dice);
    let role = ["admin", "admin", "admin", "analyst", "owner"][dice.below(5)];
    let mut new = new_grant((kind, &subject), role, "all");
    new.validity = validity(&world.house, dice);
    match dice.below(8) {
        0..3 => {
            let caller = world.caller(dice).await;
            grants::create(services, &caller, &new).await.map(drop)
        }
        3..6 => {
            let (id, caller) = (grant(world, dice).await?, world.caller(dice).await);
            grants::delete(services, &caller, &id).await
        }
        6 => {
            let id = grant(world, dice).await?;
            let validity = validity(&world.house, dice);
            grants::change(services, &world.house.root, &id, validity)
                .await
                .map(drop)
        }
        _ => {
            let mut asked = vec![Asked::Delete(What::Grant, grant(world, dice).await?), Asked::Grant(new)];
            if dice.below(2) == 0 {
                asked.push(Asked::Delete(What::Grant, grant(world, dice).await?));
            }
            let root = &world.house.root;
            let told = preview::preview(services, root, &asked, "[]").await?;
            preview::apply(services, root, &told.id, &asked).await
        }
    }
}

/// Rules that give Admin, or put users into groups.
async fn ruling(world: &World, dice: &mut Dice) -> Outcome {
    let (services, root) = (&world.house.services, &world.house.root);
    let existing = rules::list(services, root, None, &Paging::default()).await?.items;
    if !existing.is_empty() && dice.below(2) == 0 {
        let rule = dice.pick(&existing);
        if dice.below(2) == 0 {
            return rules::delete(services, root, &rule.id).await;
        }
        let state = if rule.state == State::Active {
            State::Retired
        } else {
            State::Active
        };
        let change = RuleChange {
            state: Some(state),
            ..RuleChange::default()
        };
        return rules::change(services, root, &rule.id, &change).await.map(drop);
    }
    let when = format!("title eq \"{}\"", dice.pick(&TITLES));
    let then = [if dice.below(2) == 0 {
        gives("admin", "all")
    } else {
        joins(dice.pick(&world.groups).as_str())
    }];
    let rule = new_rule(&format!("Rule {:x}", dice.throw()), &when, &then);
    rules::create(services, root, &rule).await.map(drop)
}

/// Settings, what waits, roles, scopes.
async fn deciding(world: &World, dice: &mut Dice) -> Outcome {
    let (services, root) = (&world.house.services, &world.house.root);
    match dice.below(6) {
        0 | 1 => {
            let change = SettingsChange {
                least_admins: Some(1 + dice.below(3) as u64),
                when_refused: Some(*dice.pick(&[WhenRefused::Refuse, WhenRefused::Park])),
                ..SettingsChange::default()
            };
            settings::change(services, root, &change).await.map(drop)
        }
        2 => {
            let named = (0..dice.below(2))
                .map(|_| format!("user-{}", dice.below(USERS)))
                .collect();
            let change = SettingsChange {
                break_glass: Some(named),
                ..SettingsChange::default()
            };
            settings::change(services, root, &change).await.map(drop)
        }
        3 | 4 => {
            let waiting = pending::list(services, root, &Paging::default()).await?.items;
            if waiting.is_empty() {
                return Err(Error::NotFound);
            }
            let one = dice.pick(&waiting);
            if dice.below(4) == 0 {
                pending::dismiss(services, root, &one.id).await
            } else {
                pending::apply(services, root, &one.id).await
            }
        }
        _ => {
            let name = format!("Role {:x}", dice.throw());
            roles::copy(services, root, "admin", &name).await?;
            let scope = world.house.scope(&format!("Scope {:x}", dice.throw()), None).await;
            scopes::delete(services, root, &scope, roles::Holding::Detach).await
        }
    }
}

/// Ownership, by the owner and by force.
async fn owning(world: &World, dice: &mut Dice) -> Outcome {
    let services = &world.house.services;
    let to = dice.pick(&world.users);
    let caller = world.caller(dice).await;
    let reason = (dice.below(2) == 0).then_some("a test");
    ownership::transfer(services, &caller, to, reason).await.map(drop)
}
