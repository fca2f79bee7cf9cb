//! Changes of an organisation, made by the use cases in the database and in the list of facts.

use std::time::Duration;

use muster::service::access::preview::{self, Asked, Preview, What};
use muster::service::access::roles::{self, RoleChange};
use muster::service::access::rules::{self, Rule, RuleChange};
use muster::service::access::scopes::{self, ScopeChange};
use muster::service::access::{Paging, State, grants, records};
use serde_json::json;

use super::ENTERPRISE_USER;
use super::change::Change;
use super::drawn::world::{Law, World};
use super::town::Town;
use super::words::{instant, keys, rule_name, shown, validity};

/// More than there are grants, or rules.
const AT_MOST: u32 = 200;
/// Between two looks at what is coming into force.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// One by one.
impl Town {
    /// Makes a change in the database and in the list of facts.
    pub async fn make(&mut self, world: &mut World, change: &Change) {
        change.make(world);
        match change {
            Change::Time(now) => self.set_time(*now),
            Change::Active(person, active) => self.set(*person, json!({"active": active})).await,
            Change::Profile(person, title, department) => {
                let values = json!({"title": title, ENTERPRISE_USER: {"department": department}});
                self.set(*person, values).await;
            }
            Change::Join(person, team) => self.join(*team, &[&self.people[*person]]).await,
            Change::Leave(person, team) => self.leave(*team, &self.people[*person]).await,
            Change::Nest(inner, outer) => self.join(*outer, &[&self.teams[*inner]]).await,
            Change::Unnest(inner, outer) => self.leave(*outer, &self.teams[*inner]).await,
            Change::Move(..) | Change::Dates(..) => self.make_place(change).await,
            Change::Put(record, place) => {
                let records = [shown(*record)];
                let place = &self.places[*place];
                let put = records::put(&self.services, &self.caller, place, &records).await;
                put.unwrap();
            }
            Change::TakeOut(record, place) => {
                let records = [shown(*record)];
                let place = &self.places[*place];
                let out = records::remove(&self.services, &self.caller, place, &records).await;
                assert_eq!(out.unwrap(), 1);
            }
            Change::Role(role, permissions) => {
                let change = RoleChange {
                    name: None,
                    permissions: Some(keys(permissions)),
                };
                let role = &self.roles[*role];
                roles::change(&self.services, &self.caller, role, &change)
                    .await
                    .unwrap();
            }
            Change::Give(..) | Change::GiftSpan(..) | Change::Take(_) => self.make_gift(change).await,
            Change::Enact(law) => self.enact(world, law).await,
            Change::LawSpan(number, span) => {
                let change = RuleChange {
                    valid_from: Some(validity(*span).from),
                    valid_to: Some(validity(*span).to),
                    ..RuleChange::default()
                };
                self.amend(world, *number, &change).await;
            }
            Change::LawState(number, state) => self.amend(world, *number, &to(*state)).await,
            Change::Rewrite(number, when) => {
                let change = RuleChange {
                    when: Some(when.text(&|team| self.teams[team].clone())),
                    ..RuleChange::default()
                };
                self.amend(world, *number, &change).await;
            }
            Change::Repeal(number) => {
                let id = self.laws.remove(number).unwrap();
                rules::delete(&self.services, &self.caller, &id).await.unwrap();
            }
        }
    }

    async fn make_place(&self, change: &Change) {
        let (place, change) = match change {
            Change::Move(place, parent) => {
                let parent = parent.map(|parent| self.places[parent].clone());
                let change = ScopeChange {
                    parent: Some(parent),
                    ..ScopeChange::default()
                };
                (*place, change)
            }
            Change::Dates(place, (starts, ends)) => {
                let change = ScopeChange {
                    starts: Some(starts.map(instant)),
                    ends: Some(ends.map(instant)),
                    ..ScopeChange::default()
                };
                (*place, change)
            }
            other => panic!("{other:?}"),
        };
        let place = &self.places[place];
        scopes::change(&self.services, &self.caller, place, &change)
            .await
            .unwrap();
    }

    async fn make_gift(&mut self, change: &Change) {
        let (services, caller) = (&self.services, &self.caller);
        match change {
            Change::Give(gift) => {
                let made = grants::create(services, caller, &self.new_grant(gift)).await.unwrap();
                self.gifts.insert(gift.number, made.id);
            }
            Change::GiftSpan(number, span) => {
                let changed = grants::change(services, caller, &self.gifts[number], validity(*span)).await;
                changed.unwrap();
            }
            Change::Take(number) => {
                let id = self.gifts.remove(number).unwrap();
                grants::delete(services, caller, &id).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }

    /// No new rule is retired, so it is a draft first.
    async fn enact(&mut self, world: &mut World, law: &Law) {
        let made = rules::create(&self.services, &self.caller, &self.new_rule(law)).await;
        let made = made.unwrap_or_else(|fault| panic!("{fault:?}: {law:?}"));
        self.laws.insert(law.number, made.id.clone());
        if law.state == State::Retired {
            self.amend(world, law.number, &to(State::Retired)).await;
        } else {
            renumber(world, law.number, self.in_force(made).await.version);
        }
    }

    async fn amend(&self, world: &mut World, number: i64, change: &RuleChange) {
        let changed = rules::change(&self.services, &self.caller, &self.laws[&number], change).await;
        let changed = changed.unwrap_or_else(|fault| panic!("{fault:?}: {change:?}"));
        renumber(world, number, self.in_force(changed).await.version);
    }

    /// A rule when it has come into force: where the disk is slow, that is after its answer.
    async fn in_force(&self, mut rule: Rule) -> Rule {
        while rule.progress.is_some() {
            tokio::time::sleep(LOOK_AGAIN).await;
            rule = rules::find(&self.services, &self.caller, &rule.id).await.unwrap();
        }
        rule
    }
}

/// Together.
impl Town {
    /// Previews changes, makes them by the preview, and gives what it had told.
    pub async fn make_together(&mut self, world: &mut World, changes: &[Change]) -> Preview {
        let asked: Vec<Asked> = changes.iter().map(|change| self.asked(change)).collect();
        let told = preview::preview(&self.services, &self.caller, &asked, "[]").await;
        let told = told.unwrap_or_else(|fault| panic!("{fault:?}: {changes:?}"));
        let applied = preview::apply(&self.services, &self.caller, &told.id, &asked).await;
        applied.unwrap_or_else(|fault| panic!("{fault:?}: {changes:?}"));
        for change in changes {
            change.make(world);
            match change {
                Change::Take(number) => drop(self.gifts.remove(number)),
                Change::Repeal(number) => drop(self.laws.remove(number)),
                _ => {}
            }
        }
        self.learn_gifts(changes).await;
        self.learn_laws(world, changes).await;
        told
    }

    fn asked(&self, change: &Change) -> Asked {
        match change {
            Change::Give(gift) => Asked::Grant(self.new_grant(gift)),
            Change::Enact(law) => Asked::Rule(self.new_rule(law)),
            Change::Take(number) => Asked::Delete(What::Grant, self.gifts[number].clone()),
            Change::Repeal(number) => Asked::Delete(What::Rule, self.laws[number].clone()),
            other => panic!("{other:?}"),
        }
    }

    /// The ids that new grants were given: they are listed in the order of the changes.
    async fn learn_gifts(&mut self, changes: &[Change]) {
        let given = |change: &Change| match change {
            Change::Give(gift) => Some(gift.number),
            _ => None,
        };
        let numbers: Vec<i64> = changes.iter().filter_map(given).collect();
        if numbers.is_empty() {
            return;
        }
        let all = Paging {
            limit: Some(AT_MOST),
            ..Paging::default()
        };
        let page = grants::list(&self.services, &self.caller, &grants::Filter::default(), &all).await;
        let ids = page.unwrap().items.into_iter().map(|grant| grant.id);
        let new: Vec<String> = ids.filter(|id| !self.gifts.values().any(|known| known == id)).collect();
        assert_eq!(new.len(), numbers.len());
        self.gifts.extend(numbers.into_iter().zip(new));
    }

    /// The ids and versions that new rules were given, when all of them are in force.
    async fn learn_laws(&mut self, world: &mut World, changes: &[Change]) {
        let all = Paging {
            limit: Some(AT_MOST),
            ..Paging::default()
        };
        let enacted = |change: &Change| match change {
            Change::Enact(law) => Some(law.number),
            _ => None,
        };
        let numbers: Vec<i64> = changes.iter().filter_map(enacted).collect();
        while !numbers.is_empty() {
            let page = rules::list(&self.services, &self.caller, None, &all).await.unwrap();
            if page.items.iter().any(|rule| rule.progress.is_some()) {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            for number in numbers {
                let name = rule_name(number);
                let rule = page.items.iter().find(|rule| rule.name == name).unwrap();
                self.laws.insert(number, rule.id.clone());
                renumber(world, number, rule.version);
            }
            return;
        }
    }
}

fn renumber(world: &mut World, number: i64, version: i64) {
    let law = world.laws.iter_mut().find(|law| law.number == number);
    law.unwrap().version = version;
}

fn to(state: State) -> RuleChange {
    RuleChange {
        state: Some(state),
        ..RuleChange::default()
    }
}
