//! A resource's new whole (RFC 7644 §3.5.1).

use serde_json::Value;
use std::sync::Arc;

use super::aside;
use super::attempt::attempts;
use super::brought;
use super::draft;
use super::hold;
use super::parked::{Asked, Verb, told};
use super::refuse;
use super::shown::Shown;
use super::write::{self, Next, Says, Target, Wanted};
use crate::scim::patch::MemberOp;
use crate::scim::{Document, validate};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::tolerances;

/// Replaces a resource by the body of a PUT; an unknown id is not created.
///
/// # Errors
/// `NotFound`, `Stale` by `If-Match`, and what a create refuses.
pub async fn replace(services: &Services, caller: &Caller, wanted: Wanted<'_>, body: Value) -> Result<Shown> {
    let (body, applied) = wanted.dialect.replace(wanted.kind, body);
    tolerances::note(services, caller, *wanted.dialect, &applied);
    let body = Arc::new(body);
    let outcome = apply(services, caller, wanted, &body).await;
    let mut shown = told(services, caller, &Asked::of(Verb::Put, &wanted, &body), outcome).await?;
    shown.tolerated = applied;
    Ok(shown)
}

/// The same of a body in clean form; a violation is told as such.
pub(super) async fn apply(
    services: &Services,
    caller: &Caller,
    wanted: Wanted<'_>,
    body: &Arc<Value>,
) -> Result<Shown> {
    let mut target = Target::new(services, caller, &wanted)?;
    target.replaces = true;
    let plan = Arc::new((target, Arc::clone(body)));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move {
            let (target, body) = &*plan;
            write::attempt(target, |stored, _| next(target, body, stored)).await
        }
    })
    .await
}

fn next(target: &Target, body: &Value, stored: &Document) -> Result<Next> {
    let incoming = validate::replace(&target.kind, body, stored)?;
    refuse::unless_defined(target.dialect, &incoming.ignored)?;
    refuse::unless_plausible(target.dialect, &target.kind, &incoming.document, Some(stored))?;
    let says_members = incoming.members.is_some();
    let members = match incoming.members {
        Some(members) if !members.is_empty() => vec![MemberOp::ReplaceAll(members)],
        _ if target.kind.name() == "Group" => vec![MemberOp::Clear],
        _ => Vec::new(),
    };
    let mut aside = aside::of_body(target.dialect, &target.caller, &target.kind, body);
    aside.extend(brought::of_body(&target.caller, &target.kind, body));
    Ok(Next {
        changed: incoming.document != *stored,
        names: draft::differences(stored, &incoming.document),
        says: Says {
            whole: true,
            name: true,
            active: says_active(body),
            roles: true,
            members: says_members,
        },
        document: incoming.document,
        external_id: incoming.external_id,
        members,
        password: incoming.password,
        secrets: incoming.secrets,
        ended: Vec::new(),
        asked_for: incoming.asked_for,
        unknown: incoming.ignored.len(),
        ignored: incoming.ignored,
        aside,
    })
}

/// Whether a body has `active`, in whatever spelling: what it leaves out stays as it is, and is not said again.
pub(super) fn says_active(body: &Value) -> bool {
    let mut names = body.as_object().into_iter().flat_map(serde_json::Map::keys);
    names.any(|name| name.eq_ignore_ascii_case(hold::ATTRIBUTE))
}
