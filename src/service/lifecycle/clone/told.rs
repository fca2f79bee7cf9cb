//! What both kinds of copies need: the groups, the name, and what the log says of them.

use serde_json::{Map, Value};

use crate::access::{Permissions, PolicyGroup};
use crate::base::id::{Pk, ResourceId};
use crate::service::access::desk::Desk;
use crate::service::access::policy::Book;
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, What};
use crate::store::Kind;
use crate::store::document::Content;

/// Everything that being in these groups can come to permit.
pub(super) async fn reached(desk: &mut Desk, book: &Book, groups: &[Pk]) -> Result<Permissions> {
    let mut policy = book.rulebook.policy().clone();
    policy.groups.extend(desk.unit.policy().groups(groups).await?);
    Ok(policy.reachable(groups))
}

/// Everything that being in a group that is being made can come to permit: rules may read the name that it was given.
pub(super) async fn reached_by(desk: &mut Desk, book: &Book, group: PolicyGroup) -> Result<Permissions> {
    let mut policy = book.rulebook.policy().clone();
    policy.groups.extend(desk.unit.policy().groups(&group.parents).await?);
    let pk = group.pk;
    policy.groups.push(group);
    Ok(policy.reachable(&[pk]))
}

/// Refuses a name that somebody else has.
pub(super) async fn is_free(desk: &mut Desk, kind: Kind, content: &Content) -> Result<()> {
    let Some(holder) = desk.unit.resources().holder(kind, &content.name_key).await? else {
        return Ok(());
    };
    let (what, pointer) = match kind {
        Kind::User => ("user", "/userName"),
        Kind::Group | Kind::Own(_) => ("group", "/displayName"),
    };
    let reason = format!("the {what} {holder} has this name");
    Err(Error::Conflict(Refusal::new(reason).at(pointer)))
}

/// Says in the log that it joined groups.
pub(super) fn entered(desk: &mut Desk, (pk, id): (Pk, &ResourceId), groups: &[(Pk, ResourceId)]) {
    for (group, group_id) in groups {
        let entry = ledger::Entry {
            what: What::GroupUpdated,
            subject: (Kind::Group, *group, group_id),
            about: ledger::moves(*group, &[pk], &[]),
            data: ledger::changes(&[], None, std::slice::from_ref(id), &[]),
            changes: None,
            reason: None,
            person: None,
        };
        ledger::record(&mut desk.unit, &desk.caller, desk.now, entry);
    }
}

/// A body as provisioning would send it: the profile, and in its place what is given.
pub(super) fn body(mut profile: Map<String, Value>, given: Vec<(&str, Option<Value>)>) -> Value {
    for (name, value) in given {
        if let Some(value) = value {
            profile.insert(name.to_owned(), value);
        }
    }
    profile.into()
}
