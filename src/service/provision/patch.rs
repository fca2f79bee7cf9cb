//! A list of changes, all or none (RFC 7644 §3.5.2).

use serde_json::Value;
use std::sync::Arc;

use super::aside;
use super::attempt::attempts;
use super::brought;
use super::draft;
use super::hold;
use super::parked::{Asked, Verb, told};
use super::refuse;
use super::roles;
use super::shown::Shown;
use super::write::{self, Next, Says, Target, Wanted};
use crate::scim::Document;
use crate::scim::patch::{self, PatchRequest};
use crate::scim::profile;
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::tolerances;

/// Applies the body of a PATCH to a resource.
///
/// # Errors
/// `NotFound`, `Stale` by `If-Match`, and whatever an operation breaks: then nothing of the request is done.
pub async fn patch(services: &Services, caller: &Caller, wanted: Wanted<'_>, body: Value) -> Result<Shown> {
    let (body, applied) = wanted.dialect.patch(wanted.kind, body);
    tolerances::note(services, caller, *wanted.dialect, &applied);
    let outcome = apply(services, caller, wanted, &body).await;
    let mut shown = told(services, caller, &Asked::of(Verb::Patch, &wanted, &body), outcome).await?;
    shown.tolerated = applied;
    Ok(shown)
}

/// The same of a body in clean form; a violation is told as such.
pub(super) async fn apply(services: &Services, caller: &Caller, wanted: Wanted<'_>, body: &Value) -> Result<Shown> {
    let mut request = patch::parse(body)?;
    request.lenient = !wanted.dialect.is_strict();
    if wanted.dialect.is_interop_profile() {
        profile::patch(&request)?;
    }
    let mut said = aside::out_of(*wanted.dialect, caller, wanted.kind, &mut request);
    said.extend(brought::of_patch(caller, wanted.kind, &request));
    let mut target = Target::new(services, caller, &wanted)?;
    target.large_answers_allowed = !wanted.view.is_plain();
    target.only_members = request.mentions_only("members");
    let request = Arc::new(request);
    target.request = Some(Arc::clone(&request));
    let plan = Arc::new((target, request, said));
    attempts(|| {
        let plan = Arc::clone(&plan);
        async move {
            let (target, request, said) = &*plan;
            write::attempt(target, |stored, external_id| {
                let next = next(target, request, stored, external_id)?;
                let aside = said.clone();
                Ok(Next { aside, ..next })
            })
            .await
        }
    })
    .await
}

fn next(target: &Target, request: &PatchRequest, stored: &Document, external_id: Option<&str>) -> Result<Next> {
    let patched = patch::apply(&target.kind, request, stored, external_id)?;
    refuse::unless_defined(target.dialect, &patched.ignored)?;
    if patched.changed {
        refuse::unless_plausible(target.dialect, &target.kind, &patched.document, Some(stored))?;
    }
    let names = draft::differences(stored, &patched.document);
    Ok(Next {
        changed: patched.document != *stored,
        says: Says {
            whole: false,
            name: request.mentions(refuse::name_attribute(&target.kind)),
            active: request.gives(hold::ATTRIBUTE),
            roles: request.mentions(roles::ATTRIBUTE) || names.iter().any(|name| name == roles::ATTRIBUTE),
            members: true,
        },
        names,
        document: patched.document,
        external_id: patched.external_id,
        members: patched.members,
        password: patched.password,
        secrets: patched.secrets,
        ended: patched.ended,
        asked_for: patched.asked_for,
        unknown: patched.ignored.len(),
        ignored: patched.ignored,
        aside: Vec::new(),
    })
}
