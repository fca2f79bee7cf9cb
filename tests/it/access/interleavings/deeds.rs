//! What is done to an organisation that has administrators.

use std::time::Duration;

use muster::service::Error;
use muster::service::access::grants::{self, Filter};
use muster::service::access::pending;
use muster::service::access::preview::{self, Asked, What};
use muster::service::access::rules::{self, RuleChange};
use muster::service::access::settings::{self, SettingsChange};
use muster::service::access::{Paging, State, Validity, WhenRefused, ownership, roles, scopes};
use serde_json::json;

use super::losing;
use super::world::{TITLES, World};
use crate::access::house::{AccessHouse, gives, joins, new_grant, new_rule};
use crate::support::dice::Dice;

pub type Outcome = Result<(), Error>;

/// One thing that somebody does.
pub async fn deed(world: World, mut dice: Dice) -> Outcome {
    let world = &world;
    match dice.below(12) {
        0..5 => provisioning(world, &mut dice).await,
        5..8 => giving(world, &mut dice).await,
        8 => {
            let group = world.group(&mut dice);
            ruling(world, &group, &mut dice).await
        }
        9 | 10 => deciding(world, &mut dice).await,
        _ => owning(world, &mut dice).await,
    }
}

/// What an identity provider sends.
async fn provisioning(world: &World, dice: &mut Dice) -> Outcome {
    let house = &world.house;
    let (user, group) = (world.user(dice), world.group(dice));
    match dice.below(17) {
        0..3 => house.set(&user, "active", json!(false)).await,
        3 => house.set(&user, "active", json!(true)).await,
        4 => house.delete("Users", &user).await,
        5 => house.set(&user, "title", json!(dice.pick(&TITLES))).await,
        6 => house.delete("Groups", &group).await,
        7 => house.join(&group, &user).await,
        8 | 10 => {
            let (group, member) = world.membership(dice);
            house.leave(&group, &member).await
        }
        9 => house.join(&group, &world.group(dice)).await,
        11 => {
            let members = json!([{"value": user}]);
            let replace = json!([{"op": "replace", "path": "members", "value": members}]);
            house.patch("Groups", &group, replace).await
        }
        12 => {
            let body = json!({"displayName": "A new whole", "members": [{"value": user}]});
            house.put("Groups", &group, body).await
        }
        13 | 14 => {
            // Who is not in the list any more comes back by another name.
            let known = world.users.iter().find(|(id, _)| *id == user);
            let name = known.map_or_else(|| format!("user-{:x}", dice.throw()), |(_, name)| name.clone());
            let body = json!({"userName": name, "active": dice.below(2) == 0, "title": dice.pick(&TITLES)});
            house.put("Users", &user, body).await
        }
        15 => {
            let add = json!([{"op": "add", "path": "roles", "value": [{"value": "Admin"}]}]);
            house.patch("Users", &user, add).await
        }
        _ => {
            let remove = json!([{"op": "remove", "path": "roles"}]);
            house.patch("Users", &user, remove).await
        }
    }
}

/// Until some time from now.
pub fn for_a_while(house: &AccessHouse, dice: &mut Dice) -> Validity {
    let now = house.services.clock().now();
    Validity {
        from: None,
        to: Some(now.plus(Duration::from_secs(1 + dice.below(9000) as u64))),
    }
}

fn validity(house: &AccessHouse, dice: &mut Dice) -> Validity {
    match dice.below(4) {
        0 => for_a_while(house, dice),
        1 => Validity {
            from: for_a_while(house, dice).to,
            to: None,
        },
        _ => Validity::ALWAYS,
    }
}

/// Some grant.
pub async fn grant(world: &World, dice: &mut Dice) -> Result<String, Error> {
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

/// Rules that give Admin, or put users into a group.
pub async fn ruling(world: &World, group: &str, dice: &mut Dice) -> Outcome {
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
        joins(group)
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
        2 => losing::relying(world.clone(), dice.clone()).await,
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
    let to = world.user(dice);
    let caller = world.caller(dice).await;
    let reason = (dice.below(2) == 0).then_some("a test");
    ownership::transfer(services, &caller, &to, reason).await.map(drop)
}
