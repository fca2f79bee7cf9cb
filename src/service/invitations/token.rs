//! What an invited person proves themselves by: in the mail once, here only as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

use crate::base::id::{Pk, ResourceId};
use crate::base::secret::Secret;
use crate::service::access::desk::Desk;
use crate::service::access::names::ALL;
use crate::service::credentials::hex;
use crate::service::error::Result;
use crate::service::ledger::{self, Author, What};
use crate::service::mail::{self, Letter, Template};
use crate::store::Kind;
use crate::store::invitations::NewInvitation;

/// Random bytes of a token: 256 bits, so that guessing is hopeless and a fast hash is enough to store it.
const BYTES: usize = 32;
/// What tokens start with, so that scanners for leaked secrets can find them.
const PREFIX: &str = "msi_";
/// How long an invitation can be accepted: longer than a holiday.
const LASTS: Duration = Duration::from_hours(24 * 14);

/// As it is stored.
pub(super) fn hash(token: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    hex(&digest)
}

fn fresh() -> Secret<String> {
    let bytes: [u8; BYTES] = rand::random();
    Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Whom an invitation is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct For<'a> {
    /// Row number and id of the user who waits.
    pub(super) user: (Pk, &'a ResourceId),
    /// The address that was invited. The token goes there and nowhere else, whatever address the user gets meanwhile: others
    /// than who invites may write it. Where nobody knows it, as of invitations of before, to that of the user.
    pub(super) address: Option<&'a str>,
}

/// What an invitation is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct To {
    pub(super) role: String,
    pub(super) scope: String,
}

impl To {
    pub(super) fn new(role: &str, scope: Option<&str>) -> Self {
        Self {
            role: role.to_owned(),
            scope: scope.unwrap_or(ALL).to_owned(),
        }
    }
}

/// Gives a user who waits a new token, and posts it: the one before is dead. Gives the id of the invitation.
pub(super) async fn send(desk: &mut Desk, whom: For<'_>, to: &To, grant: &str) -> Result<String> {
    let (user, id) = whom.user;
    let token = fresh();
    let expires = desk.now.plus(LASTS);
    let author = Author::of(&desk.caller);
    let (actor_kind, actor_id) = author.who();
    let new = NewInvitation {
        uid: desk.services.ids().next().into_string(),
        user,
        token_hash: hash(token.expose()),
        grant: grant.to_owned(),
        role: to.role.clone(),
        scope: to.scope.clone(),
        address: whom.address.map(str::to_owned),
        created: desk.now,
        expires,
        actor_kind: actor_kind.to_owned(),
        actor_id: actor_id.to_owned(),
    };
    let uid = desk.unit.invitations().set(new).await?;
    let mail = (desk.services.ids().next().into_string(), user);
    let words = json!({ "role": to.role, "expires": expires.rfc3339() });
    let letter = Letter {
        to: whom.address.map(str::to_owned),
        token,
    };
    mail::post_secret(desk, mail, Template::Invitation, &words, &letter).await?;
    let data = json!({ "invitation": uid, "role": to.role, "scope": to.scope, "expires": expires.rfc3339() });
    desk.note(What::InvitationSent, ledger::resource(Kind::User, user, id), &data);
    Ok(uid)
}
