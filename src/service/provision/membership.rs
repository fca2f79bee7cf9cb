//! Members of groups and groups of users, between the protocol and the store.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

use super::shown::{Related, Relations};
use crate::base::id::{Pk, ResourceId};
use crate::scim;
use crate::scim::document::{MemberKind, MemberRef};
use crate::scim::filter::matches_element;
use crate::scim::patch::MemberOp;
use crate::service::error::Result;
use crate::store::document::GroupOf;
use crate::store::members::{ByRule, Change, Member};
use crate::store::{self, Cause, Kind, Reader, Unit};

/// Who joined and who left, over all operations of a request.
#[derive(Debug, Default)]
pub(super) struct Moved {
    added: BTreeMap<Pk, ResourceId>,
    removed: BTreeMap<Pk, ResourceId>,
    /// Which operations moved somebody.
    by: Vec<bool>,
}

impl Moved {
    /// Whether the operation at this place moved somebody.
    pub(super) fn by(&self, operation: usize) -> bool {
        self.by.get(operation).copied().unwrap_or_default()
    }

    /// Whether the memberships are as they were.
    pub(super) fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Ids of who joined.
    pub(super) fn added(&self) -> Vec<ResourceId> {
        self.added.values().cloned().collect()
    }

    /// Ids of who left.
    pub(super) fn removed(&self) -> Vec<ResourceId> {
        self.removed.values().cloned().collect()
    }

    /// Row numbers of who joined.
    pub(super) fn joined(&self) -> Vec<Pk> {
        self.added.keys().copied().collect()
    }

    /// Row numbers of who left.
    pub(super) fn left(&self) -> Vec<Pk> {
        self.removed.keys().copied().collect()
    }

    /// Takes a change in; who leaves and comes back in one request did neither.
    fn note(&mut self, change: Change) {
        self.by.push(!change.added.is_empty() || !change.removed.is_empty());
        settle(change.added, &mut self.added, &mut self.removed);
        settle(change.removed, &mut self.removed, &mut self.added);
    }
}

fn settle(
    moved: Vec<store::members::Moved>,
    here: &mut BTreeMap<Pk, ResourceId>,
    there: &mut BTreeMap<Pk, ResourceId>,
) {
    for store::members::Moved { id, pk, .. } in moved {
        if there.remove(&pk).is_none() {
            here.insert(pk, id);
        }
    }
}

/// Carries member operations out, in order.
///
/// # Errors
/// `invalidValue` for a member that does not exist, is of another kind than said, or is the group itself.
pub(super) async fn apply(unit: &mut Unit, group: Pk, operations: &[MemberOp], cause: Cause<'_>) -> Result<Moved> {
    let mut moved = Moved::default();
    for operation in operations {
        let mut members = unit.members();
        let change = match operation {
            MemberOp::Add(refs) => members.add(group, &named(refs), cause).await?,
            MemberOp::RemoveValues(ids) => members.remove_values(group, ids).await?,
            MemberOp::RemoveWhere(filter) => members.remove_where(group, filter).await?,
            MemberOp::ReplaceAll(refs) => members.replace_all(group, &named(refs), cause).await?,
            MemberOp::Clear => members.clear(group).await?,
        };
        refuse(&change)?;
        moved.note(change);
    }
    Ok(moved)
}

/// What the operations come to for a smart group: rules say who is in it, and so it gets nobody by them. Who was stored
/// before there were rules, and is given by none, may go: else nobody could ever take them out. A client that sends back
/// what it read, or adds who is there, asks for nothing. None for operations that ask for more.
pub(super) async fn apply_to_smart(
    unit: &mut Unit,
    group: Pk,
    operations: &[MemberOp],
    by_rule: &ByRule,
) -> Result<Option<Moved>> {
    let shown = unit.members().list(group, None, by_rule).await?;
    let there: HashSet<&ResourceId> = shown.iter().map(|member| &member.id).collect();
    let are_there = |refs: &[MemberRef]| refs.iter().all(|member| there.contains(&member.value));
    let adds = |operation: &MemberOp| matches!(operation, MemberOp::Add(refs) | MemberOp::ReplaceAll(refs) if !are_there(refs));
    if operations.iter().any(adds) {
        return Ok(None);
    }
    let leaving: Vec<ResourceId> = shown
        .iter()
        .filter(|member| {
            operations
                .iter()
                .fold(false, |gone, operation| is_gone_after(gone, member, operation))
        })
        .map(|member| member.id.clone())
        .collect();
    let mut moved = Moved::default();
    if leaving.is_empty() {
        return Ok(Some(moved));
    }
    moved.note(unit.members().remove_values(group, &leaving).await?);
    // Who is there still is there by a rule.
    let left = unit.members().list(group, None, by_rule).await?;
    // All of them together have taken somebody out.
    moved.by = vec![true; operations.len()];
    Ok((left.len() + leaving.len() == shown.len()).then_some(moved))
}

/// Whether a member is gone after an operation, given whether it was before.
fn is_gone_after(gone: bool, member: &Member, operation: &MemberOp) -> bool {
    let is_named = |refs: &[MemberRef]| refs.iter().any(|named| named.value == member.id);
    match operation {
        MemberOp::Add(refs) => gone && !is_named(refs),
        MemberOp::ReplaceAll(refs) => !is_named(refs),
        MemberOp::RemoveValues(ids) => gone || ids.contains(&member.id),
        MemberOp::RemoveWhere(filter) => gone || matches_element(filter, &element(member)),
        MemberOp::Clear => true,
    }
}

/// A member as value paths see it.
fn element(member: &Member) -> Value {
    json!({
        "value": member.id.as_str(),
        "type": member.kind.name(),
        "display": member.display,
        "$ref": format!("{}/{}", member.kind.endpoint(), member.id),
    })
}

fn named(refs: &[MemberRef]) -> Vec<(ResourceId, Option<Kind>)> {
    let kind = |kind| match kind {
        MemberKind::User => Kind::User,
        MemberKind::Group => Kind::Group,
    };
    refs.iter()
        .map(|member| (member.value.clone(), member.kind.map(kind)))
        .collect()
}

/// Most ids that a refusal repeats.
const MAX_NAMED: usize = 5;

fn refuse(change: &Change) -> std::result::Result<(), scim::Error> {
    let list = |ids: &[ResourceId]| {
        let more = if ids.len() > MAX_NAMED {
            format!(" and {} more", ids.len() - MAX_NAMED)
        } else {
            String::new()
        };
        let ids: Vec<String> = ids
            .iter()
            .take(MAX_NAMED)
            .map(|id| format!("`{}`", clipped(id.as_str())))
            .collect();
        format!("{}{more}", ids.join(", "))
    };
    if change.itself {
        return Err(scim::Error::invalid_value("a group cannot be a member of itself"));
    }
    if !change.unknown.is_empty() {
        return Err(scim::Error::invalid_value(format!(
            "no user or group has the id {}",
            list(&change.unknown)
        )));
    }
    if !change.mistaken.is_empty() {
        let detail = format!(
            "the member {} is of another `type` than the request says",
            list(&change.mistaken)
        );
        return Err(scim::Error::invalid_value(detail));
    }
    Ok(())
}

/// Ids are short; what is not may be anything, an e-mail address for one.
fn clipped(id: &str) -> &str {
    const LONGEST: usize = 40;
    id.char_indices().nth(LONGEST).map_or(id, |(at, _)| &id[..at])
}

/// All direct members of a group.
pub(super) async fn of_group(reader: &Reader, group: Pk, by_rule: &ByRule) -> Result<Relations> {
    Ok(Relations::Members(
        reader
            .members()
            .list(group, None, by_rule)
            .await?
            .into_iter()
            .map(member)
            .collect(),
    ))
}

/// The same as the unit sees it; `TooMany` when there are more than `most`.
pub(super) async fn in_unit(
    unit: &mut Unit,
    group: Pk,
    most: Option<usize>,
    by_rule: &ByRule,
) -> store::Result<Relations> {
    let members = unit.members().list(group, most.map(|most| most + 1), by_rule).await?;
    if most.is_some_and(|most| members.len() > most) {
        return Ok(Relations::TooMany);
    }
    Ok(Relations::Members(members.into_iter().map(member).collect()))
}

/// A stored member as it is shown.
pub(super) fn member(member: Member) -> Related {
    Related {
        id: member.id.into_string(),
        endpoint: member.kind.endpoint(),
        kind: member.kind.name(),
        display: member.display,
    }
}

/// The groups of a user as they are shown.
pub(super) fn groups(groups: Vec<GroupOf>) -> Relations {
    let related = |group: GroupOf| Related {
        id: group.id.into_string(),
        endpoint: Kind::Group.endpoint(),
        kind: if group.direct { "direct" } else { "indirect" },
        display: group.display,
    };
    Relations::Groups(groups.into_iter().map(related).collect())
}
