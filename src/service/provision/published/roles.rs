//! `/Roles`: what `roles` of a user can name.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

use super::made;
use crate::access::Role;
use crate::access::permission::Predefined;
use crate::base::clock::Timestamp;
use crate::base::id::RoleKey;
use crate::scim::schema::ResourceType;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::provision::roles::may_give;
use crate::service::provision::shown::{Relations, Shown};

/// The roles of the organisation, predefined ones first, then its own, oldest first. Without the owner's: nobody can
/// give it.
pub(super) async fn all(services: &Services, caller: &Caller, kind: &Arc<ResourceType>) -> Result<Vec<Shown>> {
    let book = policy::current(services, caller).await?;
    // All of them are in memory already; only their times are not.
    let rows = services.read(caller).roles().list(RoleKey(0), u32::MAX).await?;
    let times: HashMap<RoleKey, [Timestamp; 2]> = rows
        .into_iter()
        .map(|row| (row.key, [row.created, row.modified]))
        .collect();
    let roles = book.rulebook.policy().roles.iter();
    let published: Vec<&Role> = roles
        .filter(|role| role.predefined() != Some(Predefined::Owner))
        .collect();
    let shown = |role: &&Role| {
        let times = times.get(&role.key).map_or([None; 2], |times| times.map(Some));
        made::shown(
            kind,
            &role.id,
            attributes(&book, role, &published),
            Relations::Unread,
            times,
        )
    };
    Ok(published.iter().map(shown).collect())
}

fn attributes(book: &Book, role: &Role, all: &[&Role]) -> Map<String, Value> {
    let related = |is: &dyn Fn(&Role) -> bool| -> Value {
        let names = all.iter().filter(|other| is(other)).map(|other| other.name.as_str());
        names.collect::<Vec<_>>().into()
    };
    let kind = if role.is_predefined() { "predefined" } else { "custom" };
    let members = [
        ("value", json!(role.name)),
        ("display", json!(role.name)),
        ("type", json!(kind)),
        ("supported", json!(may_give(book, role).is_ok())),
        ("limitedAssignmentsPermitted", json!(false)),
        ("containedBy", related(&|other| allows_more(other, role))),
        ("contains", related(&|other| allows_more(role, other))),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// Whether one role allows all that the other does, and more. Of two that allow the same neither contains the other.
fn allows_more(one: &Role, other: &Role) -> bool {
    one.permissions != other.permissions && other.permissions.difference(one.permissions).is_empty()
}
