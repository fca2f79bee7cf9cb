//! What a rule gives, in words.

use crate::access::rule::Outcome;
use crate::access::rule::names::Names;
use crate::access::scope::{Reach, ScopeKind};
use crate::access::wording::{name, quoted};
use crate::base::id::ScopeKey;

/// One outcome as it stands in the sentence: `is Manager in Germany`, `belongs to the record group "eu-leads"`, `is a
/// member of the group "Partners"`.
#[must_use]
pub fn phrase(outcome: &Outcome, names: &dyn Names) -> String {
    match outcome {
        Outcome::Role { role, reach } => {
            let role = names
                .role(*role)
                .map_or_else(|| format!("role {role}"), |role| name(role.name));
            format!("is {role} {}", place(reach, names))
        }
        Outcome::Member(scope) => match kind_and_name(*scope, names) {
            (ScopeKind::Program, known) => format!("takes part in the program {known}"),
            (ScopeKind::Territory, known) => format!("belongs to the territory {known}"),
            (ScopeKind::RecordGroup, known) => format!("belongs to the record group {known}"),
        },
        Outcome::Group(group) => {
            let group = names
                .group(*group)
                .map_or_else(|| group.to_string(), |group| quoted(group.name));
            format!("is a member of the group {group}")
        }
    }
}

/// `everywhere`, `in Germany`, `in the program "spring"`, `for the record group Leads`, `on the record "lead:7"`.
fn place(reach: &Reach, names: &dyn Names) -> String {
    match reach {
        Reach::All => "everywhere".to_owned(),
        Reach::Scope(scope) => match kind_and_name(*scope, names) {
            (ScopeKind::Territory, known) => format!("in {known}"),
            (ScopeKind::Program, known) => format!("in the program {known}"),
            (ScopeKind::RecordGroup, known) => format!("for the record group {known}"),
        },
        Reach::Record(record) => format!("on the record {}", quoted(&record.to_string())),
    }
}

fn kind_and_name(scope: ScopeKey, names: &dyn Names) -> (ScopeKind, String) {
    names.scope(scope).map_or_else(
        || (ScopeKind::Territory, format!("scope {scope}")),
        |(known, kind)| (kind, name(known.name)),
    )
}
