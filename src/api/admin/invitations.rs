//! Asking people to come, and their coming.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::wire::{self, Instant, Named, Segments};
use crate::api::body::Given;
use crate::api::middleware::RequestId;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::{Needs, Route};
use crate::service::Caller;
use crate::service::access::authority::{GIVE, VIEW};
use crate::service::invitations::{self, Asked};

/// The routes of invitations, for who invites.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/invitations", list)
            .says("Who was asked to come, in the order of time, and what has become of it")
            .one_of(&[VIEW, GIVE])
            .asks(PAGING)
            .gives::<Page<Invitation>>(200),
        Route::post("/api/v1/invitations", invite)
            .says(
                "Asks several people to come: an account that waits, a role and a mail for each; one result an address",
            )
            .one_of(&[GIVE])
            .takes::<NewInvitations>()
            .gives::<Page<Invited>>(200),
        Route::post("/api/v1/invitations/{id}/resend", resend)
            .says("Sends an invitation again; the token before is dead")
            .one_of(&[GIVE])
            .gives::<Invitation>(200),
        Route::post("/api/v1/invitations/{id}/revoke", revoke)
            .says("Takes an invitation back, with the account that it made if nobody has changed that since")
            .one_of(&[GIVE]),
    ]
}

/// The route of invitations for who is invited: the token of the mail is all they have.
#[must_use]
pub fn open_routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/invitations/accept", accept)
            .says("Lets in whoever has the token of an invitation, once")
            .needs(Needs::Nothing)
            .takes::<Acceptance>()
            .gives::<Accepted>(200),
    ]
}

/// Who is asked to come, and to what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitations {
    /// Addresses with commas, semicolons or line ends between them, at most 500.
    emails: String,
    /// Id of the role that each of them gets.
    role: String,
    /// Id of the scope where it counts; `all` when absent.
    #[serde(default)]
    scope: Option<String>,
}

/// An address and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The address, in small letters.
    address: String,
    /// `invited`, `invited_again`, `already_active`, `invalid` or `refused`.
    result: &'static str,
    /// Id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Id of the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// A UUID.
    id: String,
    /// Who is asked to come; `null` when they are gone.
    user: Option<Named>,
    /// Id of the role they get.
    role: String,
    /// Id of the scope where it counts.
    scope: String,
    /// `waiting`, `accepted`, `revoked`, `expired`, or `overtaken` when the user does not wait any more.
    state: &'static str,
    /// When it was made.
    created: Instant,
    /// When it ends.
    expires: Instant,
    /// When it was accepted or revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<Instant>,
    /// `admin`, `user` or `operator`.
    by_kind: String,
    /// Which of them.
    by: String,
}

/// What the mail says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The token of the link.
    token: String,
}

/// Who came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// Who they are.
    user: Named,
    /// Short name of their organisation.
    tenant: String,
}

impl From<invitations::Told> for Invited {
    fn from(told: invitations::Told) -> Self {
        Self {
            address: told.address,
            result: told.came.as_str(),
            user: told.user,
            invitation: told.invitation,
            reason: told.reason,
        }
    }
}

impl From<invitations::Invitation> for Invitation {
    fn from(found: invitations::Invitation) -> Self {
        Self {
            id: found.id,
            user: found.user.map(Named::from),
            role: found.role,
            scope: found.scope,
            state: found.state.as_str(),
            created: Instant(found.created),
            expires: Instant(found.expires),
            settled: wire::at(found.settled),
            by_kind: found.by_kind,
            by: found.by,
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Invitation>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = invitations::list(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn invite(
    caller: Caller,
    State(edge): State<Edge>,
    Given(new): Given<NewInvitations>,
) -> Result<Json<Page<Invited>>, Problem> {
    let asked = Asked {
        emails: new.emails,
        role: new.role,
        scope: new.scope,
    };
    let told = invitations::invite(edge.services(), &caller, &asked).await?;
    Ok(Json(Page::whole(told)))
}

async fn resend(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Invitation>, Problem> {
    let sent = invitations::resend(edge.services(), &caller, path.id()).await?;
    Ok(Json(sent.into()))
}

async fn revoke(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    invitations::revoke(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn accept(
    State(edge): State<Edge>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Option<Extension<RequestId>>,
    Given(acceptance): Given<Acceptance>,
) -> Result<Json<Accepted>, Problem> {
    let RequestId(request) = request.map(|Extension(id)| id).unwrap_or_default();
    if let Some(accepted) = invitations::accept(edge.services(), &acceptance.token, request).await? {
        let (id, name) = (accepted.user, accepted.name);
        let user = Named { id, name };
        return Ok(Json(Accepted {
            user,
            tenant: accepted.tenant,
        }));
    }
    // Whoever guesses has the budget of wrong tokens.
    match edge.note_stranger(edge.client_address(peer, &headers)) {
        Ok(()) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "there is no invitation with this token: it was used, taken back or sent anew, or never was",
        )),
        Err(wait) => {
            metrics::counter!("muster_throttled_total", "reason" => "strangers").increment(1);
            Err(Problem::too_many_requests(
                wait,
                "too many requests with a wrong token from this address",
            ))
        }
    }
}
