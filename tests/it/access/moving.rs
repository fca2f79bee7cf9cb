//! What happens while a preview is being made, and whether it changes what that comes to.

use muster::service::Error;
use muster::service::access::grants::{self, NewGrant, SubjectKind, Where};
use muster::service::access::preview::{self, Asked, What};
use muster::service::access::records::{self, RecordShown};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

use super::activation::crowd;
use super::house::{AccessHouse, gives, new_grant, new_rule};

/// Users enough for working it out to take a while.
const CROWD: i64 = 8_000;
/// When something happens: after the first users were looked at, and long before the last.
const PAUSE: Duration = Duration::from_millis(40);
/// The same, as a part of the time that looking at all of them takes.
const PART: u32 = 4;
/// Members of a group that comes while a preview is made: two such are more than one unit looks at.
const MEMBERS: usize = 300;
/// Previews that are made while others provision.
const PREVIEWS: usize = 4;
/// Users whom one event moves, more than are looked at again.
const TOO_MANY: usize = 2_500;

/// A rule for users of a type that is its name.
fn rule_for(kind: &str) -> Asked {
    let when = format!("userType eq \"{kind}\"");
    Asked::Rule(new_rule(kind, &when, &[gives("analyst", "all")]))
}

fn crowd_members(many: usize) -> Vec<String> {
    (1..=many).map(|number| format!("crowd-{number}")).collect()
}

/// Where a word stands in a list; behind its end where it does not.
fn place(kinds: &[String], wanted: &str) -> usize {
    kinds.iter().position(|kind| kind == wanted).unwrap_or(kinds.len())
}

impl AccessHouse {
    async fn of_kind(&self, name: &str, kind: &str) -> String {
        self.user(name, json!({"userType": kind})).await
    }

    async fn group_of(&self, name: &str, members: &[String]) -> String {
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        self.group(name, &members).await
    }

    /// Makes changes by their preview while something happens that makes them come to something else, and fails where
    /// they are made although it happened first. Whether it did. One of the changes must be a new rule.
    async fn refuses<F>(&self, asked: &[Asked], kind: &str, other: F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        // Once for what is read for the first time.
        preview::preview(&self.services, &self.root, asked, "[]").await.unwrap();
        let began = Instant::now();
        let told = preview::preview(&self.services, &self.root, asked, "[]").await.unwrap();
        // It is worked out again when it is made, which takes as long.
        let pause = began.elapsed() / PART;
        let before = self.kinds().await.len();
        let happening = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            other.await;
        });
        let made = preview::apply(&self.services, &self.root, &told.id, asked).await;
        happening.await.unwrap();
        let kinds = self.kinds().await;
        let happened_first = place(&kinds[before..], kind) < place(&kinds[before..], "rule.created");
        match made {
            Err(Error::Conflict(_)) => assert!(happened_first, "{kind}: {asked:?}"),
            Ok(()) => assert!(!happened_first, "{kind}: {asked:?}"),
            other => panic!("{kind}: {other:?}"),
        }
        happened_first
    }

    /// Provisioning that goes on until it is told to stop, and changes nothing for users of another type than `guest`.
    fn provisioning(&self, number: usize, stop: &Arc<AtomicBool>) -> JoinHandle<()> {
        let (house, stop) = (self.clone(), Arc::clone(stop));
        tokio::spawn(async move {
            let guest = house.of_kind(&format!("guest-{number}"), "guest").await;
            for turn in 0.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let name = format!("{number}-{turn}");
                house.set(&guest, "title", json!(name)).await.unwrap();
                let another = house.of_kind(&format!("another-{name}"), "guest").await;
                match number {
                    0 => drop(house.group_of(&format!("Many {name}"), &crowd_members(MEMBERS)).await),
                    1 => {
                        let group = house.group(&format!("Few {name}"), &[&guest]).await;
                        house.join(&group, &another).await.unwrap();
                        house.leave(&group, &guest).await.unwrap();
                    }
                    _ => {
                        let grant = house.grant((SubjectKind::User, &another), "analyst", "all").await;
                        grants::delete(&house.services, &house.root, &grant).await.unwrap();
                        house.delete("Users", &another).await.unwrap();
                    }
                }
            }
        })
    }
}

each_database! {
    async fn provisioning_that_changes_nothing_does_not_keep_a_preview_from_being_made(house: AccessHouse) {
        crowd(&house, CROWD).await;
        let ada = house.of_kind("ada", "kind-0").await;
        let stop = Arc::new(AtomicBool::new(false));
        let going_on: Vec<_> = (0..3).map(|number| house.provisioning(number, &stop)).collect();
        for number in 0..PREVIEWS {
            let asked = [rule_for(&format!("kind-{number}"))];
            let before = house.kinds().await.len();
            let told = preview::preview(&house.services, &house.root, &asked, "[]").await.unwrap();
            while house.kinds().await.len() <= before + 5 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            preview::apply(&house.services, &house.root, &told.id, &asked).await.unwrap();
            let kinds = house.kinds().await;
            assert!(place(&kinds[before..], "rule.created") > 5, "others wrote meanwhile");
        }
        stop.store(true, Ordering::SeqCst);
        for one in going_on {
            one.await.unwrap();
        }
        assert!(house.may(&ada, "data.act", "all").await);
    }

    async fn what_moves_too_many_has_it_worked_out_again(house: AccessHouse) {
        crowd(&house, CROWD).await;
        let asked = [rule_for("kind")];
        let told = preview::preview(&house.services, &house.root, &asked, "[]").await.unwrap();
        let (other, gone) = (house.clone(), house.group("Gone", &[]).await);
        let happening = tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            other.group_of("Everybody", &crowd_members(TOO_MANY)).await;
            other.delete("Groups", &gone).await.unwrap();
        });
        preview::apply(&house.services, &house.root, &told.id, &asked).await.unwrap();
        happening.await.unwrap();
    }

    async fn a_profile_that_moves_what_it_comes_to_stops_it(house: AccessHouse) {
        let comes = house.of_kind("comes", "guest").await;
        let goes = house.of_kind("goes", "goes").await;
        let ends = house.of_kind("ends", "ends").await;
        crowd(&house, CROWD).await;
        let mut first = 0;
        let other = house.clone();
        let coming = async move { other.set(&comes, "userType", json!("comes")).await.unwrap() };
        first += usize::from(house.refuses(&[rule_for("comes")], "user.updated", Box::pin(coming)).await);
        let other = house.clone();
        let going = async move { other.set(&goes, "userType", json!("guest")).await.unwrap() };
        first += usize::from(house.refuses(&[rule_for("goes")], "user.updated", Box::pin(going)).await);
        let other = house.clone();
        let ending = async move { other.delete("Users", &ends).await.unwrap() };
        first += usize::from(house.refuses(&[rule_for("ends")], "user.deleted", Box::pin(ending)).await);
        let other = house.clone();
        let new = async move { drop(other.of_kind("new", "new").await) };
        first += usize::from(house.refuses(&[rule_for("new")], "user.created", Box::pin(new)).await);
        assert!(first > 0, "{first} of 4 happened before it was made");
    }

    async fn a_group_that_moves_what_it_comes_to_stops_it(house: AccessHouse) {
        let mut people = Vec::new();
        for name in ["bob", "cid", "dan", "eve"] {
            people.push(house.user(name, json!({})).await);
        }
        let held = house.group("Held", &[&people[3]]).await;
        let inner = house.group("Inner", &[&people[1]]).await;
        let innermost = house.group("Innermost", &[&people[2]]).await;
        let middle = house.group("Middle", &[&innermost]).await;
        crowd(&house, CROWD).await;
        let mut scopes = Vec::new();
        for name in ["one", "two", "three", "four", "five"] {
            scopes.push((name, house.scope(name, None).await));
        }
        // Each of its own: one that is made takes nothing from what the next comes to.
        let asked = |name: &str| [
            Asked::Grant(new_grant((SubjectKind::Group, &held), "analyst", &scopes.iter().find(|(of, _)| *of == name).unwrap().1)),
            Asked::Rule(new_rule(name, &format!("groups.display eq \"Leaders {name}\""), &[gives("manager", "all")])),
        ];
        let mut first = 0;
        let (other, group, bob) = (house.clone(), held.clone(), people[0].clone());
        let joining = async move { other.join(&group, &bob).await.unwrap() };
        first += usize::from(house.refuses(&asked("one"), "group.updated", Box::pin(joining)).await);
        let (other, group, eve) = (house.clone(), held.clone(), people[3].clone());
        let leaving = async move { other.leave(&group, &eve).await.unwrap() };
        first += usize::from(house.refuses(&asked("two"), "group.updated", Box::pin(leaving)).await);
        let (other, group) = (house.clone(), held.clone());
        let nesting = async move { other.join(&group, &inner).await.unwrap() };
        first += usize::from(house.refuses(&asked("three"), "group.updated", Box::pin(nesting)).await);
        let other = house.clone();
        let renaming = async move {
            let replace = json!([{"op": "replace", "path": "displayName", "value": "Leaders four"}]);
            other.patch("Groups", &middle, replace).await.unwrap();
        };
        first += usize::from(house.refuses(&asked("four"), "group.updated", Box::pin(renaming)).await);
        let (other, eve) = (house.clone(), people[3].clone());
        let making = async move { drop(other.group("Leaders five", &[&eve]).await) };
        first += usize::from(house.refuses(&asked("five"), "group.created", Box::pin(making)).await);
        assert!(first > 0, "{first} of 5 happened before it was made");
    }

    async fn who_holds_what_and_where_records_lie_stop_it(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let fay = house.of_kind("fay", "given").await;
        let gus = house.of_kind("gus", "taken").await;
        let hal = house.user("hal", json!({})).await;
        let held = house.grant((SubjectKind::User, &gus), "manager", "all").await;
        let scope = house.scope("EMEA", None).await;
        house.grant((SubjectKind::User, &hal), "analyst", &scope).await;
        let on_record = NewGrant {
            place: Where::Record { kind: "survey".to_owned(), id: "1".to_owned() },
            ..new_grant((SubjectKind::User, &hal), "analyst", "all")
        };
        let on_record = grants::create(services, root, &on_record).await.unwrap().id;
        crowd(&house, CROWD).await;
        let mut first = 0;
        let other = house.clone();
        let giving = async move { drop(other.grant((SubjectKind::User, &fay), "manager", "all").await) };
        first += usize::from(house.refuses(&[rule_for("given")], "grant.created", Box::pin(giving)).await);
        let other = house.clone();
        let taking = async move { grants::delete(&other.services, &other.root, &held).await.unwrap() };
        first += usize::from(house.refuses(&[rule_for("taken")], "grant.deleted", Box::pin(taking)).await);
        let other = house.clone();
        let placing = async move {
            let record = RecordShown { kind: "survey".to_owned(), id: "1".to_owned() };
            records::put(&other.services, &other.root, &scope, &[record]).await.unwrap();
        };
        let asked = [rule_for("record"), Asked::Delete(What::Grant, on_record)];
        first += usize::from(house.refuses(&asked, "records.added", Box::pin(placing)).await);
        assert!(first > 0, "{first} of 3 happened before it was made");
    }
}
