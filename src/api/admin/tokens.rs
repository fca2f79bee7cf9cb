//! Bearer tokens, and the connections that hold some of them.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::wire::{self, Instant, Segments};
use crate::api::body::Given;
use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::scim::dialect::Setting;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, INTEGRATIONS};
use crate::service::access::{sources, tokens};
use crate::service::connections;
use crate::service::credentials::{Holder, Issued};

/// The routes of connections and tokens.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/connections", list_connections)
            .says("Who provisions the organisation")
            .one_of(&[INTEGRATIONS, GIVE])
            .gives::<Page<Connection>>(200),
        Route::post("/api/v1/connections", create_connection)
            .says("Makes a connection; it can do nothing until it has a token")
            .one_of(&[INTEGRATIONS])
            .takes::<NewConnection>()
            .gives::<Connection>(201),
        Route::get("/api/v1/tokens", list)
            .says("Tokens, oldest first, ended ones too; never the secrets")
            .one_of(&[INTEGRATIONS, GIVE])
            .asks(PAGING)
            .gives::<Page<Token>>(200),
        Route::post("/api/v1/tokens", create)
            .says("Makes a token, for who can do all that it could; a user's for that user. Its secret is shown this once")
            .takes::<NewToken>()
            .gives::<NewSecret>(201),
        Route::delete("/api/v1/tokens/{id}", revoke)
            .says("Ends a token, for who could make it; when this answers, no server accepts it any more"),
    ]
}

/// A provisioning source.
#[derive(Debug, Serialize, ToSchema)]
pub struct Connection {
    /// A UUID.
    id: String,
    /// Unique in the organisation.
    name: String,
    /// `auto`, `strict`, or the client it is expected to be.
    dialect: String,
    /// `active`, or `suspended`: then its tokens do not work.
    state: &'static str,
    /// What a client is pointed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
}

/// A provisioning source to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConnection {
    /// Unique in the organisation.
    name: String,
    /// `auto` (recognises the client, and is what is taken when absent), `strict`, or the name of a client.
    #[serde(default)]
    dialect: Option<String>,
}

/// A token as it is listed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// A UUID.
    id: String,
    /// Whose it is.
    #[serde(flatten)]
    holder: HolderShown,
    /// When it was made.
    created: Instant,
    /// When it stops working.
    expires: Option<Instant>,
    /// When it was last used, to within a few seconds.
    last_used: Option<Instant>,
    /// When it was or will be revoked.
    revoked: Option<Instant>,
}

/// Whose a token is: exactly one of the three.
#[derive(Debug, Serialize, ToSchema)]
pub struct HolderShown {
    /// Name of a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// `true` for one of the admin API.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<bool>,
    /// Id of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// A token to be: of a connection, of the admin API, or of a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Name of a connection.
    #[serde(default)]
    connection: Option<String>,
    /// `true` for one of the admin API.
    #[serde(default)]
    admin: Option<bool>,
    /// Id of a user.
    #[serde(default)]
    user: Option<String>,
    /// When it stops working; no later than the token it is made with, and when absent at the same time as that.
    #[serde(default)]
    expires: Option<Instant>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub struct NewSecret {
    /// A UUID; under it the token is ended.
    id: String,
    /// The token itself, never to be seen again.
    token: String,
    /// When it stops working.
    expires: Option<Instant>,
}

const NO_HOLDER: Code = Code {
    name: "missing-field",
    title: "The body lacks a field",
};

const TWO_HOLDERS: Code = Code {
    name: "invalid-value",
    title: "A value cannot be used",
};

impl NewToken {
    fn holder(self) -> Result<Holder, Problem> {
        match (self.connection, self.admin.unwrap_or(false), self.user) {
            (Some(name), false, None) => Ok(Holder::Connection(name)),
            (None, true, None) => Ok(Holder::Admin),
            (None, false, Some(id)) => Ok(Holder::User(id)),
            (None, false, None) => {
                let text = "a token has a holder: `connection`, `user`, or `admin` with `true`";
                Err(Problem::new(StatusCode::BAD_REQUEST, text).coded(NO_HOLDER).at(""))
            }
            _ => {
                let text = "a token has one holder: `connection`, `user`, or `admin` with `true`";
                Err(Problem::new(StatusCode::BAD_REQUEST, text).coded(TWO_HOLDERS).at(""))
            }
        }
    }
}

impl From<Holder> for HolderShown {
    fn from(holder: Holder) -> Self {
        let mut shown = Self {
            connection: None,
            admin: None,
            user: None,
        };
        match holder {
            Holder::Connection(name) => shown.connection = Some(name),
            Holder::Admin => shown.admin = Some(true),
            Holder::User(id) => shown.user = Some(id),
        }
        shown
    }
}

impl From<tokens::Token> for Token {
    fn from(token: tokens::Token) -> Self {
        Self {
            id: token.id,
            holder: token.holder.into(),
            created: Instant(token.created),
            expires: wire::at(token.expires),
            last_used: wire::at(token.last_used),
            revoked: wire::at(token.revoked),
        }
    }
}

impl From<Issued> for NewSecret {
    fn from(issued: Issued) -> Self {
        Self {
            id: issued.id,
            token: issued.token.into_exposed(),
            expires: wire::at(issued.expires),
        }
    }
}

impl From<connections::Connection> for Connection {
    fn from(connection: connections::Connection) -> Self {
        Self {
            id: connection.id,
            name: connection.name,
            dialect: connection.dialect,
            state: connection.state,
            base_url: None,
        }
    }
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Token>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = tokens::list(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, State(edge): State<Edge>, Given(new): Given<NewToken>) -> Result<Response, Problem> {
    let expires = wire::given(new.expires);
    let issued = tokens::create(edge.services(), &caller, &new.holder()?, expires).await?;
    let location = format!("/api/v1/tokens/{}", issued.id);
    let mut response = wire::created(&location, NewSecret::from(issued));
    // Nobody keeps the secret on its way: no proxy, and not the answers of keyed requests either.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn revoke(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    tokens::revoke(edge.services(), &caller, path.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a client of a tenant is pointed at.
pub(super) fn base_url(edge: &Edge, caller: &Caller, peer: SocketAddr, headers: &HeaderMap) -> String {
    format!("{}/t/{}/scim/v2", edge.origin(peer, headers), caller.tenant_slug())
}

async fn list_connections(
    caller: Caller,
    query: Query,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
) -> Result<Json<Page<Connection>>, Problem> {
    query.only(&[])?;
    let url = base_url(&edge, &caller, peer, &headers);
    let mut page: Page<Connection> = Page::whole(sources::list(edge.services(), &caller).await?);
    page.items.iter_mut().for_each(|one| one.base_url = Some(url.clone()));
    Ok(Json(page))
}

async fn create_connection(
    caller: Caller,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    State(edge): State<Edge>,
    Given(new): Given<NewConnection>,
) -> Result<Response, Problem> {
    let dialect = new.dialect.as_deref().map(str::parse::<Setting>).transpose();
    let dialect =
        dialect.map_err(|unknown| Problem::new(StatusCode::BAD_REQUEST, unknown.to_string()).at("/dialect"))?;
    let made = sources::create(edge.services(), &caller, &new.name, &dialect.unwrap_or_default()).await?;
    let mut made = Connection::from(made);
    made.base_url = Some(base_url(&edge, &caller, peer, &headers));
    Ok(wire::created("/api/v1/connections", made))
}
