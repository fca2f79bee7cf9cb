//! `/Entitlements`: the permissions that roles are made of.
//!
//! None is `supported`: a grant carries a role, so no permission can be given by itself.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::made;
use crate::scim::schema::ResourceType;
use crate::service::access::roles::{PermissionShown, catalogue};
use crate::service::context::Services;
use crate::service::provision::shown::{Relations, Shown};

/// All of them, in the order of the catalogue.
pub(super) fn all(services: &Services, kind: &Arc<ResourceType>) -> Vec<Shown> {
    let shown = |permission: &PermissionShown| {
        made::shown(
            kind,
            &permission.key,
            attributes(permission),
            Relations::Unread,
            [None, None],
        )
    };
    catalogue(services).iter().map(shown).collect()
}

fn attributes(permission: &PermissionShown) -> Map<String, Value> {
    let members = [
        ("value", json!(permission.key)),
        ("display", json!(permission.label)),
        ("type", json!(permission.level)),
        ("supported", json!(false)),
        ("limitedAssignmentsPermitted", json!(false)),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}
