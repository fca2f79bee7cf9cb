//! What an identity provider reads of users and groups.

use muster::base::id::ResourceId;
use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::message::Query;
use muster::scim::project::View;
use muster::service::Error;
use muster::service::access::State;
use muster::service::access::rules::{self, RuleChange};
use muster::service::provision::{self, Relations, Shown};
use std::collections::BTreeSet;

use crate::access::house::AccessHouse;

pub fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}

/// Ids of members, or of groups with their type.
pub fn related(shown: &Shown) -> BTreeSet<(String, &'static str)> {
    match &shown.relations {
        Relations::Groups(groups) => groups.iter().map(|group| (group.id.clone(), group.kind)).collect(),
        Relations::Members(members) => members.iter().map(|member| (member.id.clone(), member.kind)).collect(),
        Relations::Unread | Relations::TooMany | Relations::Assigned(_) => panic!("{shown:?}"),
    }
}

/// What an identity provider reads.
impl AccessHouse {
    pub async fn shown(&self, endpoint: &str, id: &str) -> Shown {
        let kind = self.idp.type_at(endpoint).unwrap();
        let (id, view) = (ResourceId::new(id), View::default());
        let read = provision::read(&self.services, &self.idp, kind, &id, &view).await;
        read.unwrap()
    }

    /// Ids of the groups of a user, and whether it is `direct` or `indirect`.
    pub async fn groups_shown(&self, user: &str) -> BTreeSet<(String, &'static str)> {
        related(&self.shown("Users", user).await)
    }

    pub async fn members_shown(&self, group: &str) -> BTreeSet<String> {
        let members = related(&self.shown("Groups", group).await);
        members.into_iter().map(|(id, _)| id).collect()
    }

    /// What a filter finds, and what each is shown with.
    pub async fn filtered(&self, endpoint: &str, filter: &str) -> Vec<Shown> {
        let types = [self.idp.type_at(endpoint).unwrap().clone()];
        let asked = Query {
            filter: Some(filter.to_owned()),
            ..Query::default()
        };
        let found = provision::query(&self.services, &self.idp, &strict(), &types, &asked).await;
        let found = found.unwrap_or_else(|error| panic!("{filter}: {error:?}"));
        assert_eq!(found.total, found.items.len() as u64, "{filter}");
        found.items
    }

    pub async fn ids(&self, endpoint: &str, filter: &str) -> BTreeSet<String> {
        let found = self.filtered(endpoint, filter).await;
        found.into_iter().map(|shown| shown.id.into_string()).collect()
    }

    pub async fn change_rule(&self, id: &str, change: RuleChange) -> Result<rules::Rule, Error> {
        rules::change(&self.services, &self.root, id, &change).await
    }
}

pub fn to(state: State) -> RuleChange {
    RuleChange {
        state: Some(state),
        ..RuleChange::default()
    }
}

pub fn set(ids: &[&String]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).clone()).collect()
}
