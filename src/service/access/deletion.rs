//! How the deletion of a role or a scope is told: to the log, or to who is refused it.

use std::sync::Arc;

use super::authority::{GIVE, Held};
use super::desk::Desk;
use super::names;
use super::policy::{self, Book};
use crate::base::id::RuleKey;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, HeldBy, HoldingGrant, Refusal, Result};
use crate::service::told;
use crate::store::Kind;
use crate::store::access::hanging::{Hanging, HangingGrant, Holding, Removal};
use crate::store::access::told::{Telling, ToldGrant};

/// A deletion that is asked for.
pub(super) struct Ending {
    /// Id of what is to go.
    pub(super) id: String,
    /// What becomes of what hangs on it.
    pub(super) holding: Holding,
    /// Names what a refusal names.
    pub(super) book: Arc<Book>,
    /// What the caller holds.
    pub(super) held: Held,
}

impl Ending {
    pub(super) async fn of(
        services: &Services,
        caller: &Caller,
        (id, holding): (&str, Holding),
        held: Held,
    ) -> Result<Self> {
        Ok(Self {
            id: id.to_owned(),
            holding,
            book: policy::current(services, caller).await?,
            held,
        })
    }

    /// The grants that would go with it, as the log tells them.
    pub(super) async fn grants(&self, desk: &mut Desk, which: Telling<'_>) -> Result<Vec<ToldGrant>> {
        match self.holding {
            Holding::Refuse => Ok(Vec::new()),
            Holding::Detach => Ok(desk.unit.grants().told(which).await?),
        }
    }

    /// Who cannot give what hangs on it cannot take it along.
    fn may_take(&self, services: &Services, hanging: &Hanging) -> Result<()> {
        if hanging.grants.is_empty() && hanging.rules.is_empty() {
            return Ok(());
        }
        let roles = hanging
            .grants
            .iter()
            .map(|grant| self.book.rulebook.permissions(grant.role));
        let given = roles.fold(services.catalogue().known([GIVE]), |all, role| all | role);
        self.held.covers(services, given)
    }
}

/// What went with a deletion; whoever may not take it along, or did not ask for it, is refused.
pub(super) fn removed(services: &Services, ending: &Ending, what: &str, removal: Removal) -> Result<Hanging> {
    let Ending { book, .. } = ending;
    match removal {
        Removal::Absent => Err(Error::NotFound),
        Removal::Held(hanging) => {
            let held_by = held_by(book, hanging);
            let reason = format!(
                "the {what} is still used: {}; `?force` takes along what hangs on it",
                used(&held_by)
            );
            Err(Error::Conflict(Refusal {
                held_by: Some(Box::new(held_by)),
                ..Refusal::new(reason)
            }))
        }
        Removal::Gone(hanging) => {
            ending.may_take(services, &hanging)?;
            Ok(hanging)
        }
    }
}

/// Says in the log what went with a role or a scope: each grant, and what is left of each rule.
pub(super) async fn tell_what_went(desk: &mut Desk, grants: &[ToldGrant], went: &Hanging) -> Result<()> {
    told::taken(&mut desk.unit, &desk.caller, desk.now, grants);
    let rules: Vec<RuleKey> = went.rules.iter().map(|(key, ..)| *key).collect();
    told::rules(&mut desk.unit, &desk.caller, desk.now, &rules).await
}

fn held_by(book: &Book, hanging: Hanging) -> HeldBy {
    let grant = |grant: HangingGrant| {
        let role = names::role(book, grant.role);
        HoldingGrant {
            id: grant.id,
            subject_kind: match grant.kind {
                Kind::User => "user",
                Kind::Group => "group",
                Kind::Own(_) => "resource",
            },
            subject: grant.subject,
            subject_name: grant.subject_name,
            role: role.id,
            role_name: role.name,
        }
    };
    HeldBy {
        grants: hanging.grants.into_iter().map(grant).collect(),
        more_grants: hanging.more_grants,
        rules: hanging.rules.into_iter().map(|(_, id, name)| (id, name)).collect(),
        scopes: hanging.scopes.into_iter().map(|(_, id, name)| (id, name)).collect(),
    }
}

/// Grants that a sentence names one by one.
const MOST_TOLD: usize = 3;

/// What hangs on something, in words.
fn used(held_by: &HeldBy) -> String {
    let told = held_by.grants.iter().take(MOST_TOLD).map(|grant| {
        let HoldingGrant {
            id,
            subject_kind,
            subject_name,
            role_name,
            ..
        } = grant;
        format!("grant {id} of {role_name} to {subject_kind} `{subject_name}`")
    });
    let mut parts: Vec<String> = told.collect();
    match held_by.grants.len().saturating_sub(MOST_TOLD) as u64 + held_by.more_grants {
        0 => {}
        1 => parts.push("1 more grant".to_owned()),
        n => parts.push(format!("{n} more grants")),
    }
    parts.extend(held_by.rules.iter().map(|(_, name)| format!("rule `{name}`")));
    parts.extend(
        held_by
            .scopes
            .iter()
            .map(|(_, name)| format!("scope `{name}` below it")),
    );
    parts.join(", ")
}
