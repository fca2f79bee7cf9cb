//! What is done to administrators of whom nearly all are needed, and who needs them.

use muster::service::Error;
use muster::service::access::Paging;
use muster::service::access::grants::{self, Filter, Grant};
use muster::service::access::settings::{self, SettingsChange};
use serde_json::json;

use super::deeds::{Outcome, for_a_while};
use super::world::World;
use crate::support::dice::Dice;

/// Somebody who is an administrator shall be none, by one of the ways there are.
pub async fn deed(world: World, user: String, mut dice: Dice) -> Outcome {
    let house = &world.house;
    match dice.below(8) {
        0 => house.set(&user, "active", json!(false)).await,
        1 => house.delete("Users", &user).await,
        2 => {
            let body = json!({"userName": format!("user-{:x}", dice.throw()), "active": false});
            house.put("Users", &user, body).await
        }
        3 | 4 if let Some(group) = world.groups_of(&user).next() => house.leave(group, &user).await,
        _ => losing_the_role(&world, &user, &mut dice).await,
    }
}

/// More is asked of the administrators, in the next moment perhaps more than there is.
pub async fn relying(world: World, mut dice: Dice) -> Outcome {
    let (house, there) = (&world.house, world.admins.len() as u64);
    let mut change = SettingsChange::default();
    match dice.below(5) {
        0 => change.least_admins = Some(there + 1),
        1 => change.least_admins = Some(there.max(1)),
        2 => change.break_glass = Some(Vec::new()),
        _ => change.break_glass = Some(vec![world.name(&mut dice)]),
    }
    settings::change(&house.services, &house.root, &change).await.map(drop)
}

/// The grant that makes them one ends or goes, in the way in which it came where provisioning gave it.
async fn losing_the_role(world: &World, user: &str, dice: &mut Dice) -> Outcome {
    let (house, services, root) = (&world.house, &world.house.services, &world.house.root);
    let grant = lasting_grant(world, user).await?;
    match (grant.origin, dice.below(4)) {
        ("provisioned", 0) => {
            let body = json!({"userName": format!("user-{:x}", dice.throw()), "active": true});
            house.put("Users", user, body).await
        }
        ("provisioned", 1 | 2) => {
            let remove = json!([{"op": "remove", "path": "roles"}]);
            house.patch("Users", user, remove).await
        }
        (_, 0 | 1) => grants::delete(services, root, &grant.id).await,
        _ => {
            let validity = for_a_while(house, dice);
            grants::change(services, root, &grant.id, validity).await.map(drop)
        }
    }
}

/// A grant without an end that makes a user an administrator: their own, or that of a group they are in.
async fn lasting_grant(world: &World, user: &str) -> Result<Grant, Error> {
    let house = &world.house;
    let filter = Filter {
        role: Some("admin".to_owned()),
        ..Filter::default()
    };
    let page = grants::list(&house.services, &house.root, &filter, &Paging::default()).await?;
    let theirs = |grant: &Grant| {
        let mut groups = world.groups_of(user);
        grant.subject.id == user || groups.any(|group| grant.subject.id == group)
    };
    let mut lasting = page.items.into_iter().filter(|grant| grant.validity.to.is_none());
    lasting.find(theirs).ok_or(Error::NotFound)
}
