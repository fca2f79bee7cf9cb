//! What is put back of one user or group, taken apart: what stands in the way of one part does not keep the others.

use serde_json::Value;
use std::slice;

use super::names::name_of;
use super::walk::{ACTIVE, EXTERNAL_ID};
use crate::base::id::ResourceId;
use crate::event::Changes;
use crate::service::provision::{Back, Called};
use crate::store::Kind;

/// What a user was given by the connection: it may be for others to give by now.
const ROLES: &str = "roles";

/// The parts, each with what it is about: an attribute, `externalId`, a member, or nothing for all other attributes.
pub(super) fn parts(kind: Kind, back: &Back) -> Vec<(String, Back)> {
    let apart = [ROLES, ACTIVE, name_of(kind)];
    let mut parts = vec![(String::new(), of(back, |path| !apart.contains(&path)))];
    for name in apart {
        let mut part = of(back, |path| path == name);
        if name == ACTIVE {
            part.says = back.says;
        }
        parts.push((name.to_owned(), part));
    }
    parts.push((
        EXTERNAL_ID.to_owned(),
        Back {
            called: back.called.clone(),
            ..Back::default()
        },
    ));
    let member = |id: &ResourceId| format!("members.{id}");
    parts.extend(back.join.iter().map(|id| {
        let join = slice::from_ref(id).to_vec();
        (
            member(id),
            Back {
                join,
                ..Back::default()
            },
        )
    }));
    parts.extend(back.leave.iter().map(|id| {
        let leave = slice::from_ref(id).to_vec();
        (
            member(id),
            Back {
                leave,
                ..Back::default()
            },
        )
    }));
    parts.retain(|(_, part)| *part != Back::default());
    parts
}

/// Whether other work on the same may not come in between: members, names of a connection and what it says of an account
/// have no value to compare with.
pub(super) fn needs_version(back: &Back) -> bool {
    back.called != Called::AsItIs || back.says.is_some() || !back.join.is_empty() || !back.leave.is_empty()
}

/// The attributes of which this holds.
fn of(back: &Back, holds: impl Fn(&str) -> bool) -> Back {
    let mut value = back.changes.value();
    for side in ["before", "after"] {
        if let Some(Value::Object(side)) = value.get_mut(side) {
            side.retain(|path, _| holds(path));
        }
    }
    Back {
        changes: Changes::read(&value).unwrap_or_default(),
        ..Back::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_thing_that_may_stand_in_the_way_is_a_part() {
        let value = json!({
            "before": {"userName": "ada", "title": "Chief", "active": true},
            "after": {"userName": "x", "active": false, "nickName": "A"},
        });
        let back = Back {
            changes: Changes::read(&value).unwrap(),
            called: Called::Again(None),
            join: vec![ResourceId::new("u-1"), ResourceId::new("u-2")],
            leave: vec![ResourceId::new("u-3")],
            says: None,
        };
        let parts = parts(Kind::User, &back);
        let whats: Vec<&str> = parts.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(
            whats,
            [
                "",
                "active",
                "userName",
                "externalId",
                "members.u-1",
                "members.u-2",
                "members.u-3"
            ]
        );
        let rest = json!({"before": {"title": "Chief"}, "after": {"nickName": "A"}});
        assert_eq!(parts[0].1.changes.value(), rest);
        let guarded: Vec<bool> = parts.iter().map(|(_, part)| needs_version(part)).collect();
        assert_eq!(guarded, [false, false, false, true, true, true, true]);
        assert!(super::parts(Kind::User, &Back::default()).is_empty());
    }
}
