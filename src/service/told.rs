//! How the log is told of grants, roles, scopes and rules: each as a whole, by public ids, wherever it is changed from.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

use super::context::Caller;
use super::error::Result;
use super::ledger::{self, Thing, What};
use crate::access::permission::Predefined;
use crate::access::{Origin, Outcome, Scope, Subject, Validity};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, RoleKey, RuleKey, ScopeKey};
use crate::event::image::{GrantImage, Place, RoleImage, RuleImage, ScopeImage};
use crate::store::access::roles::StoredRole;
use crate::store::access::rules::StoredRule;
use crate::store::access::told::ToldGrant;
use crate::store::{Kind, Unit};

/// Who holds a grant, as the subject of an event.
pub(super) fn holder(subject: Subject, id: &ResourceId) -> crate::event::Subject {
    match subject {
        Subject::User(pk) => ledger::resource(Kind::User, pk, id),
        Subject::Group(pk) => ledger::resource(Kind::Group, pk, id),
    }
}

/// A grant that was given.
pub(super) fn given(unit: &mut Unit, caller: &Caller, now: Timestamp, told: &ToldGrant) {
    grant(unit, caller, now, (What::GrantCreated, told), &told.image.data());
}

/// A grant that is changed.
pub(super) fn changed(unit: &mut Unit, caller: &Caller, now: Timestamp, before: &GrantImage, told: &ToldGrant) {
    let data = told.image.data_after(before);
    grant(unit, caller, now, (What::GrantUpdated, told), &data);
}

/// Grants that are taken, or go with something.
pub(super) fn taken(unit: &mut Unit, caller: &Caller, now: Timestamp, told: &[ToldGrant]) {
    for told in told {
        grant(unit, caller, now, (What::GrantDeleted, told), &told.image.data());
    }
}

fn grant(unit: &mut Unit, caller: &Caller, now: Timestamp, (what, told): (What, &ToldGrant), data: &Value) {
    let subject = holder(told.subject, &told.subject_id);
    ledger::note(unit, caller, now, (what, subject), data);
}

/// A role that provisioning gives to a user, or takes from them.
pub(super) fn provided((user, id): (Pk, &ResourceId), grant: &str, role: &str) -> ToldGrant {
    ToldGrant {
        subject: Subject::User(user),
        subject_id: id.clone(),
        image: GrantImage {
            grant: grant.to_owned(),
            role: role.to_owned(),
            place: Place::all(),
            valid_from: None,
            valid_to: None,
            restrict: BTreeMap::new(),
            origin: Origin::Provisioned.as_str().to_owned(),
        },
    }
}

/// A role as it is kept.
pub(super) async fn role(unit: &mut Unit, row: &StoredRole) -> Result<RoleImage> {
    let copy_of = match row.origin {
        Some(origin) => role_id(unit, origin).await?,
        None => None,
    };
    Ok(RoleImage {
        name: row.name.clone(),
        permissions: row.permissions.clone(),
        copy_of,
    })
}

/// Id of a role; none where it is gone.
pub(super) async fn role_id(unit: &mut Unit, key: RoleKey) -> Result<Option<String>> {
    if let Some(predefined) = Predefined::from_key(key) {
        return Ok(Some(predefined.id().to_owned()));
    }
    Ok(unit.roles().get(key).await?.map(|row| row.id))
}

/// Ids of scopes that others lie in.
pub(super) type Parents = HashMap<ScopeKey, String>;

/// A scope as it is kept, or as it will be; the parent must be known.
pub(super) fn scope(scope: &Scope, parents: &Parents) -> ScopeImage {
    ScopeImage {
        kind: scope.kind.as_str().to_owned(),
        name: scope.name.clone(),
        parent: scope.parent.and_then(|parent| parents.get(&parent).cloned()),
        starts: scope.starts,
        ends: scope.ends,
    }
}

/// Rules that something else has changed: each as it is now.
pub(super) async fn rules(unit: &mut Unit, caller: &Caller, now: Timestamp, keys: &[RuleKey]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows = unit.rules().of(keys).await?;
    let outcomes: Vec<Outcome> = rows.iter().flat_map(|row| row.then.iter().cloned()).collect();
    let names = unit.rules().names(&outcomes).await?;
    for row in rows {
        let image = RuleImage {
            then: names.images(&row.then),
            ..without_outcomes(&row)
        };
        let subject = ledger::thing(Thing::Rule, &row.id);
        ledger::note(unit, caller, now, (What::RuleUpdated, subject), &image.data());
    }
    Ok(())
}

/// A rule as it is kept.
pub(super) async fn rule(unit: &mut Unit, row: &StoredRule) -> Result<RuleImage> {
    let names = unit.rules().names(&row.then).await?;
    Ok(RuleImage {
        then: names.images(&row.then),
        ..without_outcomes(row)
    })
}

/// A version of a rule that is being prepared.
pub(super) async fn preparing(
    unit: &mut Unit,
    version: i64,
    (name, when): (&str, &str),
    (then, validity): (&[Outcome], Validity),
) -> Result<RuleImage> {
    let names = unit.rules().names(then).await?;
    Ok(RuleImage {
        version,
        name: name.to_owned(),
        state: RuleImage::PREPARING.to_owned(),
        when: when.to_owned(),
        then: names.images(then),
        valid_from: validity.from,
        valid_to: validity.to,
    })
}

fn without_outcomes(row: &StoredRule) -> RuleImage {
    RuleImage {
        version: row.version,
        name: row.name.clone(),
        state: row.state.as_str().to_owned(),
        when: row.when.clone(),
        then: Vec::new(),
        valid_from: row.validity.from,
        valid_to: row.validity.to,
    }
}
