//! Operations on the members of a group. They name members and never touch the document.

use serde_json::Value;

use super::apply::OpOutcome;
use super::draft::Draft;
use super::request::Verb;
use crate::base::id::ResourceId;
use crate::scim::Error;
use crate::scim::document::MemberRef;
use crate::scim::filter::{Checked, Filter, Literal, Op, check};
use crate::scim::path::PatchPath;
use crate::scim::schema::Place;
use crate::scim::validate::member_refs;

/// What the store is to do with the members of a group.
#[derive(Debug, Clone)]
pub enum MemberOp {
    /// Adds those who are not members yet.
    Add(Vec<MemberRef>),
    /// Removes these, as far as they are members.
    RemoveValues(Vec<ResourceId>),
    /// Removes the members that satisfy the filter: a `Node::Some` over `members`, its tests naming `members.type` and
    /// so on.
    RemoveWhere(Checked),
    /// Makes these the only members; never empty.
    ReplaceAll(Vec<MemberRef>),
    /// Removes all members.
    Clear,
}

/// An operation on `members` without a filter.
pub(super) fn whole(
    draft: &mut Draft<'_>,
    verb: Verb,
    place: Place<'_>,
    value: Option<&Value>,
) -> Result<OpOutcome, Error> {
    if place.sub().is_some() {
        return Err(fixed(place.path()));
    }
    let listed = value.filter(|value| verb != Verb::Remove || !value.is_null());
    let members = listed
        .map(|value| member_refs(&mut draft.cleaner, place.top(), value))
        .transpose()?;
    let operation = match (verb, members) {
        (Verb::Add, Some(members)) if !members.is_empty() => MemberOp::Add(members),
        (Verb::Replace, Some(members)) if !members.is_empty() => MemberOp::ReplaceAll(members),
        (Verb::Remove, Some(members)) if !members.is_empty() => {
            MemberOp::RemoveValues(members.into_iter().map(|member| member.value).collect())
        }
        (Verb::Add, _) | (Verb::Remove, Some(_)) => return Ok(OpOutcome::AlreadyTrue),
        (Verb::Remove | Verb::Replace, _) => MemberOp::Clear,
    };
    draft.member_ops.push(operation);
    Ok(OpOutcome::AskStore)
}

/// An operation on `members[…]`.
pub(super) fn select(
    draft: &mut Draft<'_>,
    verb: Verb,
    sub: Option<Place<'_>>,
    path: &PatchPath,
) -> Result<OpOutcome, Error> {
    let Some(filter) = path.value_path() else {
        return Err(Error::invalid_path("`members` needs a filter here"));
    };
    let checked = check(&filter, &[draft.ty])?;
    if let Some(sub) = sub {
        return Err(fixed(sub.path()));
    }
    if verb != Verb::Remove {
        return Err(fixed("members"));
    }
    let mut values = Vec::new();
    let named = path.filter.as_ref().is_some_and(|filter| collect(filter, &mut values));
    draft.member_ops.push(if named {
        MemberOp::RemoveValues(values)
    } else {
        MemberOp::RemoveWhere(checked)
    });
    Ok(OpOutcome::AskStore)
}

/// Whether the filter just names members: `value eq "x" or value eq "y"`.
fn collect(filter: &Filter, values: &mut Vec<ResourceId>) -> bool {
    match filter {
        Filter::Or(parts) => parts.iter().all(|part| collect(part, values)),
        Filter::Compare {
            path,
            op: Op::Eq,
            value: Literal::Text(id),
        } => {
            let is_value = path.urn.is_none() && path.sub.is_none() && path.name.eq_ignore_ascii_case("value");
            if is_value {
                values.push(ResourceId::new(id.as_str()));
            }
            is_value
        }
        _ => false,
    }
}

fn fixed(path: &str) -> Error {
    Error::mutability(format!("`{path}`: members are added or removed, not edited"))
}
