//! Whoever has the token comes in, once.

use serde_json::json;
use std::sync::Arc;

use super::token;
use crate::access::lifecycle::{Ask, By, Verdict};
use crate::base::id::ResourceId;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::policy;
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::service::lifecycle::turn::{self, Turning};
use crate::store::Kind;
use crate::store::invitations::{self, State};
use crate::store::resources::Groups;

/// Who came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Their id.
    pub user: String,
    /// Their name.
    pub name: String,
    /// Short name of their organisation.
    pub tenant: String,
}

/// Lets whoever has this token in; `None` for one that is unknown, used, revoked or replaced, which are not told apart.
///
/// # Errors
/// An invitation that has expired, or of somebody whom an administrator keeps out by now.
pub async fn accept(services: &Services, token: &str, request_id: Arc<str>) -> Result<Option<Accepted>> {
    let hash = token::hash(token);
    let Some(known) = invitations::by_token(services.db(), &hash).await? else {
        return Ok(None);
    };
    if known.expires <= services.clock().now() {
        return Err(Error::conflict("this invitation has expired: ask for another one"));
    }
    let slug: Arc<str> = Arc::from(known.slug.as_str());
    let authority = Authority::User(known.user.as_str().to_owned());
    let words = services.vocabulary(known.tenant).await?;
    let caller = Caller::new((known.tenant, slug), words, authority, request_id);
    let accepting = Accepting {
        user: known.user,
        uid: known.uid,
        hash,
    };
    let accepted = perform(services, &caller, accepting).await?;
    let (user, name) = accepted;
    Ok(Some(Accepted {
        user,
        name,
        tenant: known.slug,
    }))
}

struct Accepting {
    user: ResourceId,
    uid: String,
    hash: String,
}

impl Change for Accepting {
    /// Id and name of the user.
    type Made = (String, String);

    async fn make(&self, desk: &mut Desk) -> Result<Self::Made> {
        // What the change of the status rests on is the policy that the unit has locked.
        let version = desk.unit.policy().share().await?;
        let book = policy::locked_at(&desk.services, &desk.caller, version).await?;
        if book.rulebook.policy().closed {
            return Err(Error::conflict(
                "this organisation is suspended: nobody can come in now",
            ));
        }
        let turning = Turning {
            ask: Ask::Accept,
            by: By::Administrator,
            reason: None,
            until: None,
            closing: None,
        };
        let came = turn::in_unit(&desk.services, &desk.caller, &mut desk.unit, &self.user, &turning).await?;
        if !matches!(came, Verdict::Turns(_)) {
            return Err(Error::conflict("this invitation is not open any more"));
        }
        let hash = Some(self.hash.as_str());
        let mut invitations = desk.unit.invitations();
        if !invitations.settle(&self.uid, hash, State::Accepted, desk.now).await? {
            return Err(Error::conflict("this invitation is not open any more"));
        }
        let mut resources = desk.unit.resources();
        let stored = resources.find(Kind::User, &self.user, None, Groups::LeftOut).await?;
        let stored = stored.ok_or(Error::NotFound)?;
        let subject = ledger::resource(Kind::User, stored.pk, &stored.id);
        desk.note(What::InvitationAccepted, subject, &json!({ "invitation": self.uid }));
        Ok((stored.id.into_string(), stored.label))
    }
}
