//! A resource is made what it was, as far as that is said: attributes, what a connection calls it, members.

use serde_json::Value;
use std::sync::Arc;

use super::attempt::attempts;
use super::draft;
use super::hold;
use super::roles;
use super::write::{self, Next, Says, Target, Wanted};
use crate::base::id::{ResourceId, Version};
use crate::event::Changes;
use crate::scim::Document;
use crate::scim::document::MemberRef;
use crate::scim::patch::MemberOp;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};

/// What becomes of the name that a connection has for a resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::service) enum Called {
    /// It stays.
    #[default]
    AsItIs,
    /// It is this again, or there is none again.
    Again(Option<String>),
}

/// What is put back of one resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::service) struct Back {
    /// Attributes of its document: each `after` becomes its `before`, where nobody was faster.
    pub(in crate::service) changes: Changes,
    /// What provisioning took the account for, of a user whom something else keeps out.
    pub(in crate::service) says: Option<bool>,
    /// What the caller's connection called it.
    pub(in crate::service) called: Called,
    /// Who is to be in it again.
    pub(in crate::service) join: Vec<ResourceId>,
    /// Who is not.
    pub(in crate::service) leave: Vec<ResourceId>,
}

/// Puts it back in one unit, by the rules that hold for every change; gives the version that it has then.
///
/// # Errors
/// `NotFound`, `Stale` by `wanted.if_match`, and whatever a PATCH that says the same would be refused for.
pub(in crate::service) async fn put_back(
    services: &Services,
    caller: &Caller,
    wanted: &Wanted<'_>,
    back: Back,
) -> Result<Version> {
    let mut target = Target::new(services, caller, wanted)?;
    target.large_answers_allowed = false;
    target.only_members = back.changes.is_empty() && back.says.is_none() && back.called == Called::AsItIs;
    let plan = Arc::new((target, back));
    let shown = attempts(|| {
        let plan = Arc::clone(&plan);
        async move {
            let (target, back) = &*plan;
            write::attempt(target, |stored, external| next(back, stored, external)).await
        }
    })
    .await?;
    Ok(Version(shown.version))
}

fn next(back: &Back, stored: &Document, external: Option<&str>) -> Result<Next> {
    let mut members = stored.as_map().clone();
    back.changes.backward_where_still_so(&mut members);
    let text = Value::Object(members).to_string();
    let mut document = Document::from_stored(&text).map_err(|fault| Error::Internal(Box::new(fault)))?;
    if let Some(says) = back.says {
        document = document.with_active(says);
    }
    let names = draft::differences(stored, &document);
    let speaks_of = |attribute: &str| names.iter().any(|name| name == attribute);
    let refs = |ids: &[ResourceId]| {
        ids.iter()
            .map(|id| MemberRef {
                value: id.clone(),
                kind: None,
            })
            .collect()
    };
    let joining = (!back.join.is_empty()).then(|| MemberOp::Add(refs(&back.join)));
    let leaving = (!back.leave.is_empty()).then(|| MemberOp::RemoveValues(back.leave.clone()));
    Ok(Next {
        changed: document != *stored,
        says: Says {
            whole: false,
            name: speaks_of("userName") || speaks_of("displayName"),
            active: back.says.is_some() || speaks_of(hold::ATTRIBUTE),
            roles: speaks_of(roles::ATTRIBUTE),
            members: true,
        },
        names,
        document,
        external_id: match &back.called {
            Called::Again(before) => before.clone(),
            Called::AsItIs => external.map(str::to_owned),
        },
        members: joining.into_iter().chain(leaving).collect(),
        password: None,
        secrets: Vec::new(),
        ended: Vec::new(),
        asked_for: Vec::new(),
        unknown: 0,
        ignored: Vec::new(),
        aside: Vec::new(),
    })
}
