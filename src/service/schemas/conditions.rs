//! Conditions of an organisation that read what would not be there any more.

use crate::access::status_rule::condition;
use crate::access::{Condition, StatusRule};
use crate::scim::path::AttrPath;
use crate::scim::schema::{ResourceType, Target};
use crate::store::access::policy::Shared;

/// What reads an attribute of users, in words, as far as it could before and could not after.
pub(super) fn broken(shared: &Shared, before: &ResourceType, after: &ResourceType) -> Vec<String> {
    let mut broken = Vec::new();
    for rule in shared.rules.iter().chain(&shared.preparing) {
        let reads = |ty: &ResourceType| Condition::compile(&rule.when, ty).is_ok();
        if reads(before) && !reads(after) {
            broken.push(format!("the rule `{}` reads it", rule.name));
        }
    }
    let reads = |rule: &StatusRule, ty: &ResourceType| condition(&rule.when, ty).is_ok();
    for rule in &shared.settings.status_rules {
        if reads(rule, before) && !reads(rule, after) {
            broken.push(format!("the rule of status `{}` reads it", rule.name));
        }
    }
    for leaving in &shared.settings.leaving {
        if leads(&leaving.path, before) && !leads(&leaving.path, after) {
            broken.push(format!("`{}` says when somebody leaves", leaving.path));
        }
    }
    broken.dedup();
    broken
}

fn leads(path: &str, ty: &ResourceType) -> bool {
    let path = AttrPath::parse(path).ok();
    path.is_some_and(|path| matches!(ty.resolve(&path), Some(Target::Attribute(_))))
}
