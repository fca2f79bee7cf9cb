//! `roles` of a user: a value that names a role of the organisation gives it, on everything, for as long as it stands
//! there. Made, kept and taken in the unit that writes the user.
//!
//! Values that name no role are data (RFC 7643 §4.1.2 leaves their vocabulary open): kept, reported, without effect.

use serde_json::Value;
use std::collections::BTreeSet;

use super::guard::{Locked, Need};
use crate::access::invariant::{self, Violation};
use crate::access::{Origin, Role};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{GrantKey, Pk, ResourceId, RoleKey};
use crate::scim::{self, Document};
use crate::service::access::invariants;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::Author;
use crate::service::told;
use crate::store::Unit;
use crate::store::access::grants::{Provided, StoredGrant, Wanted};

/// The attribute.
pub(super) const ATTRIBUTE: &str = "roles";
/// What an answer reports when a value of it gives nothing.
pub(super) const LEFT_OUT: &str = "roles.value";
/// Most roles that a refusal names.
const MAX_NAMED: usize = 20;

/// The values of `roles`, in their order; a group has none.
pub(super) fn values(document: &Document) -> Vec<String> {
    let listed = document.as_map().get(ATTRIBUTE).and_then(Value::as_array);
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let values = listed.iter().filter_map(|role| role.get("value")?.as_str());
    values.map(str::to_owned).collect()
}

/// The roles that a user is to have by provisioning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Those it may give.
    give: BTreeSet<RoleKey>,
    /// Those it may not give any more, which stay with whoever has them: the value was there before.
    keep: BTreeSet<RoleKey>,
    /// Id or number of each role that grants are told by in the ledger.
    names: Vec<(RoleKey, String)>,
    left_out: bool,
}

/// Finds out what the values ask for; `None` when there are none, and were none.
///
/// # Errors
/// `invalidValue` for a role that exists and that provisioning may not give, unless the value was there before: a role
/// that somebody has made stronger must not stand in the way of every other change, the end of the account for one.
/// `Busy` when the policy is another by now.
pub(super) async fn ask(
    services: &Services,
    caller: &Caller,
    book: &Book,
    before: &[String],
    after: &[String],
) -> Result<Option<Asked>> {
    if before.is_empty() && after.is_empty() {
        return Ok(None);
    }
    let asked = read(book, before, after);
    // A save finds out by itself that the policy is another. A refusal saves nothing, and what names no role may not
    // change a thing: these must not rest on a policy of yesterday.
    if !asked.as_ref().is_ok_and(|asked| !asked.left_out) {
        let now = policy::current(services, caller).await?;
        if now.rulebook.version() != book.rulebook.version() {
            return Err(Error::Busy);
        }
    }
    Ok(Some(asked?))
}

fn read(book: &Book, before: &[String], after: &[String]) -> std::result::Result<Asked, scim::Error> {
    let policy = book.rulebook.policy();
    let found = |value: &String| role_of(&policy.roles, value);
    let known: BTreeSet<RoleKey> = before.iter().filter_map(found).map(|role| role.key).collect();
    let mut asked = Asked {
        give: BTreeSet::new(),
        keep: BTreeSet::new(),
        names: policy.roles.iter().map(|role| (role.key, role.id.clone())).collect(),
        left_out: false,
    };
    for value in after {
        let Some(role) = found(value) else {
            asked.left_out = true;
            continue;
        };
        match may_give(book, role) {
            Ok(()) => asked.give.insert(role.key),
            Err(_) if known.contains(&role.key) => {
                asked.left_out = true;
                asked.keep.insert(role.key)
            }
            Err(violation) => return Err(refusal(book, &violation)),
        };
    }
    Ok(asked)
}

/// The role that a value names, by its published name in any letter case or by its id.
fn role_of<'b>(roles: &'b [Role], value: &str) -> Option<&'b Role> {
    let value = fold(value.trim());
    roles
        .iter()
        .find(|role| fold(&role.id) == value)
        .or_else(|| roles.iter().find(|role| fold(&role.name) == value))
}

/// Whether provisioning may give a role in this organisation.
pub(super) fn may_give(book: &Book, role: &Role) -> std::result::Result<(), Violation> {
    let policy = book.rulebook.policy();
    invariant::given(role, Origin::Provisioned, policy.settings.cap, &policy.catalogue)
}

fn refusal(book: &Book, violation: &Violation) -> scim::Error {
    let roles = book.rulebook.policy().roles.iter();
    let given: Vec<_> = roles.filter(|role| may_give(book, role).is_ok()).collect();
    let named = given.iter().take(MAX_NAMED).map(|role| format!("`{}`", role.name));
    let mut named = named.collect::<Vec<_>>().join(", ");
    if given.len() > MAX_NAMED {
        named.push_str(" and others");
    }
    scim::Error::invalid_value(format!(
        "`roles`: {violation}; roles that provisioning can give, as `/Roles` lists them: {named}"
    ))
}

impl Asked {
    /// Whether a value gives nothing.
    pub(super) fn leaves_out(&self) -> bool {
        self.left_out
    }

    /// Gives a user that is new in this unit what is asked for.
    pub(super) fn give_first(
        &self,
        services: &Services,
        caller: &Caller,
        unit: &mut Unit,
        user: (Pk, &ResourceId),
        now: Timestamp,
    ) {
        self.give(
            services,
            caller,
            unit,
            user,
            now,
            &self.give.iter().copied().collect::<Vec<_>>(),
        );
    }

    /// Makes what the user has by provisioning what is asked for; what they have otherwise stays. Gives whether that
    /// changed anything; `None`, and nothing is done, where it takes an administrator and the policy is shared only.
    ///
    /// # Errors
    /// 409 when the last administrator would be none.
    pub(super) async fn settle(
        &self,
        services: &Services,
        caller: &Caller,
        (unit, locked): (&mut Unit, &Locked),
        user: (Pk, &ResourceId),
        now: Timestamp,
    ) -> Result<Option<bool>> {
        let provisioned = Wanted {
            subject: Some(user.0),
            origin: Some(Origin::Provisioned),
            ..Wanted::default()
        };
        let held = unit.grants().list(provisioned, GrantKey(0), u32::MAX).await?;
        let has = |role: RoleKey| held.iter().any(|held| held.grant.role == role);
        let missing: Vec<RoleKey> = self.give.iter().copied().filter(|role| !has(*role)).collect();
        let stays = |role: &RoleKey| self.give.contains(role) || self.keep.contains(role);
        let excess: Vec<&StoredGrant> = held.iter().filter(|held| !stays(&held.grant.role)).collect();
        if missing.is_empty() && excess.is_empty() {
            return Ok(Some(false));
        }
        let takes_admin = excess.iter().any(|held| invariant::makes_admins(&held.grant));
        if takes_admin && !locked.is_enough(Need::Hold) {
            return Ok(None);
        }
        let admins = if takes_admin {
            Some(invariants::admins(unit, now).await?)
        } else {
            None
        };
        self.take(caller, unit, user, now, &excess);
        self.give(services, caller, unit, user, now, &missing);
        if let Some(admins) = admins {
            let stay = admins.stay(unit, now).await?;
            stay.map_err(Error::Violated)?;
        }
        Ok(Some(true))
    }

    fn give(
        &self,
        services: &Services,
        caller: &Caller,
        unit: &mut Unit,
        (pk, id): (Pk, &ResourceId),
        now: Timestamp,
        roles: &[RoleKey],
    ) {
        let new: Vec<Provided> = roles
            .iter()
            .map(|role| (services.ids().next().into_string(), *role))
            .collect();
        unit.grants().provide(pk, &new, Author::of(caller).at(now));
        for (grant, role) in &new {
            let told = told::provided((pk, id), grant, &self.id(*role));
            told::given(unit, caller, now, &told);
        }
    }

    fn take(
        &self,
        caller: &Caller,
        unit: &mut Unit,
        (pk, id): (Pk, &ResourceId),
        now: Timestamp,
        grants: &[&StoredGrant],
    ) {
        let keys: Vec<GrantKey> = grants.iter().map(|held| held.grant.key).collect();
        unit.grants().withdraw(&keys);
        let told = grants
            .iter()
            .map(|held| told::provided((pk, id), &held.grant.id, &self.id(held.grant.role)));
        told::taken(unit, caller, now, &told.collect::<Vec<_>>());
    }

    /// Id of a role of the policy that the unit shares.
    fn id(&self, role: RoleKey) -> String {
        let known = self.names.iter().find(|(key, _)| *key == role);
        known.map_or_else(|| role.to_string(), |(_, id)| id.clone())
    }
}
