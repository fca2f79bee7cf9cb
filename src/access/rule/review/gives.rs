//! Whether one outcome gives what another does.

use crate::access::permission::Permissions;
use crate::access::policy::Policy;
use crate::access::rule::Outcome;
use crate::access::scope::{Reach, ScopeKind};
use crate::base::id::{RoleKey, ScopeKey};

/// Whether whoever has the first has no need of the second: the same or a larger role, there or further up; the same
/// membership.
pub(super) fn gives(outcome: &Outcome, needed: &Outcome, policy: &Policy) -> bool {
    match (outcome, needed) {
        (
            Outcome::Role { role, reach },
            Outcome::Role {
                role: less,
                reach: within,
            },
        ) => covers(reach, within, policy) && (role == less || has_all(policy, *role, *less)),
        (one, other) => one == other,
    }
}

fn has_all(policy: &Policy, role: RoleKey, less: RoleKey) -> bool {
    let permissions = |key| -> Option<Permissions> {
        policy
            .roles
            .iter()
            .find(|role| role.key == key)
            .map(|role| role.permissions)
    };
    match (permissions(role), permissions(less)) {
        (Some(all), Some(some)) => all.contains_all(some),
        _ => false,
    }
}

/// Whether what is held with one reach is held all over another, whatever the time.
fn covers(wide: &Reach, narrow: &Reach, policy: &Policy) -> bool {
    match (wide, narrow) {
        (Reach::All, _) => true,
        (Reach::Scope(wide), Reach::Scope(narrow)) => always_lies_in(*narrow, *wide, policy),
        (wide, narrow) => wide == narrow,
    }
}

/// Whether a scope is another or lies below it, without a program in between or at the top: one that does not run
/// would keep what is held on the upper scope from the lower one.
fn always_lies_in(scope: ScopeKey, top: ScopeKey, policy: &Policy) -> bool {
    let above = |key| {
        policy
            .scopes
            .iter()
            .find(|known| known.key == key)
            .and_then(|known| known.parent)
    };
    let is_program = |key| {
        policy
            .scopes
            .iter()
            .any(|known| known.key == key && known.kind == ScopeKind::Program)
    };
    let mut here = scope;
    // As many steps as there are scopes: a circle, which the store refuses, ends, too.
    for _ in 0..=policy.scopes.len() {
        if here == top {
            return true;
        }
        match above(here) {
            Some(next) if !is_program(next) => here = next,
            _ => return false,
        }
    }
    false
}
