//! Who and what there is to do something to.

use muster::service::Caller;
use muster::service::access::grants::SubjectKind;
use muster::service::access::settings::{self, SettingsChange};
use serde_json::json;

use crate::access::census::Census;
use crate::access::house::AccessHouse;
use crate::support::dice::Dice;

/// Users and groups there are at first.
const USERS: usize = 7;
const GROUPS: usize = 4;
/// Administrators that there shall be, if chance has left fewer.
const FEW: usize = 4;

pub const TITLES: [&str; 3] = ["chief", "clerk", "cook"];

/// Ids, of which some may have become stale.
#[derive(Clone)]
pub struct World {
    pub house: AccessHouse,
    /// With their names.
    pub users: Vec<(String, String)>,
    pub groups: Vec<String>,
    /// Two groups without members at first.
    pub empty: [String; 2],
    /// Who was an administrator for good when the round began.
    pub admins: Vec<String>,
    /// Their names.
    names: Vec<String>,
    /// Groups that can make somebody so, and who is stored in them.
    of_admins: Vec<String>,
    in_them: Vec<(String, String)>,
}

impl World {
    pub async fn furnished(house: &AccessHouse, dice: &mut Dice) -> Self {
        let may = SettingsChange {
            provisioning_may_give_admin: Some(true),
            ..SettingsChange::default()
        };
        settings::change(&house.services, &house.root, &may).await.unwrap();
        let mut world = Self {
            house: house.clone(),
            users: Vec::new(),
            groups: Vec::new(),
            empty: [house.group("Outer", &[]).await, house.group("Inner", &[]).await],
            admins: Vec::new(),
            names: Vec::new(),
            of_admins: Vec::new(),
            in_them: Vec::new(),
        };
        for number in 0..USERS {
            let user = world.newcomer(format!("user-{number}"), dice).await;
            world.users.push(user);
        }
        for number in 0..GROUPS {
            let member = &dice.pick(&world.users).0;
            let group = house.group(&format!("Group {number}"), &[member.as_str()]).await;
            world.groups.push(group);
        }
        world
    }

    async fn newcomer(&self, name: String, dice: &mut Dice) -> (String, String) {
        let title = dice.pick(&TITLES);
        let id = self.house.user(&name, json!({"active": true, "title": title})).await;
        (id, name)
    }

    /// Newcomers in place of who may be gone, and who is an administrator by now.
    pub async fn refresh(&mut self, census: &Census, dice: &mut Dice) {
        if dice.below(3) == 0 {
            let at = dice.below(self.users.len());
            self.users[at] = self.newcomer(format!("user-{:x}", dice.throw()), dice).await;
        }
        if dice.below(8) == 0 {
            let at = dice.below(self.groups.len());
            let member = self.user(dice);
            let name = format!("Group {:x}", dice.throw());
            let group = self.house.try_group(&name, &member).await;
            self.groups[at] = group.unwrap_or_else(|_| self.groups[at].clone());
        }
        let now = self.house.services.clock().now();
        (self.admins, self.of_admins) = (census.administrators(now), census.groups_of_administrators(now));
        self.names = census.names(&self.admins);
        self.in_them = census.memberships(&self.of_admins);
    }

    /// Makes another administrator where there are few: without any to lose nothing can go wrong. Most are so by a group.
    pub async fn reinforce(&self, dice: &mut Dice) {
        if self.admins.len() >= FEW {
            return;
        }
        let name = format!("admin-{:x}", dice.throw());
        let way = dice.below(4);
        if way == 0 {
            let roles = json!({"active": true, "roles": [{"value": "Admin"}]});
            self.house.user(&name, roles).await;
            return;
        }
        let (user, _) = self.newcomer(name, dice).await;
        if way == 1 {
            self.house.grant((SubjectKind::User, &user), "admin", "all").await;
        } else {
            let name = format!("Admins {:x}", dice.throw());
            let group = self.house.group(&name, &[user.as_str()]).await;
            self.house.grant((SubjectKind::Group, &group), "admin", "all").await;
        }
    }

    /// Asks for as many administrators as there are, but for so many: no more of them can go.
    pub async fn spare(&self, few: usize) {
        let least = self.admins.len().saturating_sub(few).max(1);
        let change = SettingsChange {
            least_admins: Some(least as u64),
            ..SettingsChange::default()
        };
        let house = &self.house;
        settings::change(&house.services, &house.root, &change).await.unwrap();
    }

    /// Some user; in half of all cases one whom the organisation may need.
    pub fn user(&self, dice: &mut Dice) -> String {
        if dice.below(2) == 0 && !self.admins.is_empty() {
            return dice.pick(&self.admins).clone();
        }
        dice.pick(&self.users).0.clone()
    }

    /// The name of some user, chosen like that.
    pub fn name(&self, dice: &mut Dice) -> String {
        if dice.below(2) == 0 && !self.names.is_empty() {
            return dice.pick(&self.names).clone();
        }
        dice.pick(&self.users).1.clone()
    }

    /// Some group, chosen like that.
    pub fn group(&self, dice: &mut Dice) -> String {
        if dice.below(2) == 0 && !self.of_admins.is_empty() {
            return dice.pick(&self.of_admins).clone();
        }
        dice.pick(&self.groups).clone()
    }

    /// A group, and a user or group that may be in it; in half of all cases one that can make administrators, and one
    /// that is.
    pub fn membership(&self, dice: &mut Dice) -> (String, String) {
        if dice.below(2) == 0 && !self.in_them.is_empty() {
            return dice.pick(&self.in_them).clone();
        }
        (self.group(dice), self.user(dice))
    }

    /// Of the groups that can make somebody an administrator, those in which a user is stored.
    pub fn groups_of<'w>(&'w self, user: &'w str) -> impl Iterator<Item = &'w str> {
        let theirs = self.in_them.iter().filter(move |(_, member)| member == user);
        theirs.map(|(group, _)| group.as_str())
    }

    pub fn subject(&self, dice: &mut Dice) -> (SubjectKind, String) {
        if dice.below(2) == 0 {
            (SubjectKind::Group, dice.pick(&self.groups).clone())
        } else {
            (SubjectKind::User, dice.pick(&self.users).0.clone())
        }
    }

    /// Mostly the operator; sometimes one of the users, with what they may do.
    pub async fn caller(&self, dice: &mut Dice) -> Caller {
        let root = self.house.root.clone();
        if dice.below(4) > 0 {
            return root;
        }
        self.house.try_user(&self.user(dice)).await.unwrap_or(root)
    }
}
