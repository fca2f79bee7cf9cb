//! Webhooks: who is told of what happens.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query, unusable};
use super::wire::{self, Instant, Segments};
use crate::api::body::Given;
use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::{Parameter, Route};
use crate::service::Caller;
use crate::service::access::authority::INTEGRATIONS;
use crate::service::delivery::webhooks::{self, Asked};
use crate::service::delivery::{self, Again, Family, Turn};

/// Parameters of the list of deliveries.
pub const DELIVERIES: &[Parameter] = &[
    Parameter {
        name: "state",
        says: "Only deliveries in this state: `waiting`, `behind` or `dead`",
        kind: "string",
    },
    Parameter {
        name: "after",
        says: "A position (`seq`): only deliveries after it",
        kind: "integer",
    },
    Parameter {
        name: "limit",
        says: "Most items of the page, 1 to 500; 100 when absent",
        kind: "integer",
    },
];

/// The routes of webhooks.
#[must_use]
pub fn routes() -> Vec<Route> {
    let needs = &[INTEGRATIONS];
    vec![
        Route::get("/api/v1/webhooks", list)
            .says("Who is told of what happens, oldest first")
            .one_of(needs)
            .asks(PAGING)
            .gives::<Page<Webhook>>(200),
        Route::post("/api/v1/webhooks", create)
            .says("Has a URL be sent what happens from now on. Its secret is shown this once")
            .one_of(needs)
            .takes::<NewWebhook>()
            .gives::<MadeWebhook>(201),
        Route::get("/api/v1/webhooks/{id}", read)
            .says("A webhook, and how it goes with it")
            .one_of(needs)
            .gives::<Webhook>(200),
        Route::patch("/api/v1/webhooks/{id}", change)
            .says("Changes what is named; the rest stays")
            .one_of(needs)
            .takes::<WebhookChange>()
            .gives::<Webhook>(200),
        Route::delete("/api/v1/webhooks/{id}", delete)
            .says("Removes a webhook, and what waits for it")
            .one_of(needs),
        Route::post("/api/v1/webhooks/{id}/pause", pause)
            .says("Sends nothing more until it is resumed; what happens waits")
            .one_of(needs),
        Route::post("/api/v1/webhooks/{id}/resume", resume)
            .says("Sends again, what waits first")
            .one_of(needs),
        Route::post("/api/v1/webhooks/{id}/test", test)
            .says("Sends an event `receiver.tested`, to this webhook alone")
            .one_of(needs),
        Route::post("/api/v1/webhooks/{id}/secrets", add_secret)
            .says("Makes a new secret, shown this once. What is sent is signed with the old one, too, for 24 hours")
            .one_of(needs)
            .gives::<WebhookSecret>(201),
        Route::delete("/api/v1/webhooks/{id}/secrets/{secret}", end_secret)
            .says("Ends a secret that has a successor, at once")
            .one_of(needs),
        Route::get("/api/v1/webhooks/{id}/deliveries", deliveries)
            .says("Deliveries that did not get through, yet or for good, in the order of the log")
            .one_of(needs)
            .asks(DELIVERIES)
            .gives::<Page<Delivery>>(200),
        Route::post("/api/v1/webhooks/{id}/replay", replay)
            .says("Sends again what was given up, or everything from a position on, with the ids that it had")
            .one_of(needs)
            .takes::<Replay>(),
    ]
}

/// Somebody who is told of what happens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// A UUID.
    id: String,
    /// Unique in the organisation.
    name: String,
    /// Where events are posted to.
    url: String,
    /// Kinds of events, such as `user.created` or `user.*`; all of them when empty.
    kinds: Vec<String>,
    /// `active`, `failing` (nothing gets through: it is tried with one delivery at a time) or `paused`.
    state: &'static str,
    /// Why it is paused: `asked`, `gone` (it answered 410) or `failing` (for five days).
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Since when nothing gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Instant>,
    /// When it is tried next, where nothing gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try: Option<Instant>,
    /// When something last got through.
    last_success: Option<Instant>,
    /// Every event up to this position was sent, or is counted in `deliveries`.
    position: i64,
    /// What did not get through.
    deliveries: Counts,
    /// Secrets that count, without the secrets themselves.
    secrets: Vec<SecretShown>,
    /// When it was made.
    created: Instant,
}

/// How many deliveries did not get through.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryCounts)]
pub struct Counts {
    /// To be tried when they are due.
    waiting: i64,
    /// Behind one of these about the same subject.
    behind: i64,
    /// Given up.
    dead: i64,
}

/// A secret, without the secret itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecretShown)]
pub struct SecretShown {
    /// A UUID.
    id: String,
    /// When it was made.
    created: Instant,
    /// When it does not sign any more.
    ends: Option<Instant>,
}

/// A webhook to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Unique in the organisation.
    name: String,
    /// Where events are posted to: `https`, and a public address unless the operator allows others.
    url: String,
    /// Kinds of events, such as `user.created` or `user.*`; all of them when absent or empty.
    #[serde(default)]
    kinds: Vec<String>,
}

/// What a webhook is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Unique in the organisation.
    #[serde(default)]
    name: Option<String>,
    /// Where events are posted to.
    #[serde(default)]
    url: Option<String>,
    /// Kinds of events; all of them when empty.
    #[serde(default)]
    kinds: Option<Vec<String>>,
}

/// A webhook that was just made.
#[derive(Serialize, ToSchema)]
pub struct MadeWebhook {
    #[serde(flatten)]
    webhook: Webhook,
    /// What signatures are checked with, never to be seen again: `whsec_…` (Standard Webhooks).
    secret: String,
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecret {
    /// A UUID.
    id: String,
    /// `whsec_…`, never to be seen again.
    secret: String,
}

/// A delivery that did not get through.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// Position of the event.
    seq: i64,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<About>,
    /// `waiting`, `behind` (an earlier one about the same subject waits) or `dead`.
    state: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Instant>,
    /// What was answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// `status`, `redirect`, `timeout`, `address`, `connection` or `gone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was first tried, or found an earlier one waiting.
    since: Instant,
}

/// What a delivery is about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliverySubject)]
pub struct About {
    /// `user`, `group`, `role` …
    kind: String,
    /// Its id.
    id: String,
}

/// What is to be sent again: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// `true`: what was given up.
    #[serde(default)]
    dead: Option<bool>,
    /// Every event from this position on.
    #[serde(default)]
    from: Option<i64>,
}

const ONE_OF_TWO: Code = Code {
    name: "invalid-value",
    title: "A value cannot be used",
};

impl Counts {
    /// So many of each.
    #[must_use]
    pub const fn new(waiting: i64, behind: i64, dead: i64) -> Self {
        Self { waiting, behind, dead }
    }
}

impl Replay {
    /// Which of the two.
    ///
    /// # Errors
    /// 400 where it is neither, or both.
    pub fn again(&self) -> Result<Again, Problem> {
        match (self.dead, self.from) {
            (Some(true), None) => Ok(Again::Dead),
            (None, Some(seq)) => Ok(Again::From(seq)),
            _ => {
                let text = "either `dead` with `true`, or `from` with a position belongs here";
                Err(Problem::new(StatusCode::BAD_REQUEST, text).coded(ONE_OF_TWO).at(""))
            }
        }
    }
}

impl From<webhooks::Webhook> for Webhook {
    fn from(webhook: webhooks::Webhook) -> Self {
        let (waiting, behind, dead) = webhook.deliveries;
        let secret = |(id, created, ends)| SecretShown {
            id,
            created: Instant(created),
            ends: wire::at(ends),
        };
        Self {
            id: webhook.id,
            name: webhook.name,
            url: webhook.url,
            kinds: webhook.kinds,
            state: webhook.state,
            reason: webhook.reason,
            failing_since: wire::at(webhook.failing_since),
            next_try: wire::at(webhook.next_try),
            last_success: wire::at(webhook.last_success),
            position: webhook.position,
            deliveries: Counts::new(waiting, behind, dead),
            secrets: webhook.secrets.into_iter().map(secret).collect(),
            created: Instant(webhook.created),
        }
    }
}

impl From<delivery::Delivery> for Delivery {
    fn from(delivery: delivery::Delivery) -> Self {
        Self {
            seq: delivery.seq,
            subject: delivery.subject.map(|(kind, id)| About { kind, id }),
            state: delivery.state,
            attempts: delivery.attempts,
            due: wire::at(delivery.due),
            status: delivery.status,
            error: delivery.error,
            since: Instant(delivery.since),
        }
    }
}

/// Nobody keeps a secret on its way: no proxy, and not the answers of keyed requests either.
pub fn unkept(mut response: Response) -> Response {
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Webhook>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = webhooks::list(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, State(edge): State<Edge>, Given(new): Given<NewWebhook>) -> Result<Response, Problem> {
    let asked = Asked {
        name: Some(new.name),
        url: Some(new.url),
        kinds: Some(new.kinds),
    };
    let (made, secret) = webhooks::create(edge.services(), &caller, asked).await?;
    let location = format!("/api/v1/webhooks/{}", made.id);
    let body = MadeWebhook {
        webhook: made.into(),
        secret: secret.secret.into_exposed(),
    };
    Ok(unkept(wire::created(&location, body)))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(change): Given<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    let asked = Asked {
        name: change.name,
        url: change.url,
        kinds: change.kinds,
    };
    let changed = webhooks::change(edge.services(), &caller, path.id(), asked).await?;
    Ok(Json(changed.into()))
}

async fn turn(caller: Caller, path: Segments, edge: Edge, turn: Turn) -> Result<StatusCode, Problem> {
    delivery::turn(edge.services(), &caller, (Family::Webhooks, path.id()), turn).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Delete).await
}

async fn pause(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Pause).await
}

async fn resume(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Resume).await
}

async fn test(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    turn(caller, path, edge, Turn::Test(None)).await
}

async fn add_secret(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Response, Problem> {
    let made = webhooks::add_secret(edge.services(), &caller, path.id()).await?;
    let body = WebhookSecret {
        id: made.id,
        secret: made.secret.into_exposed(),
    };
    Ok(unkept((StatusCode::CREATED, Json(body)).into_response()))
}

async fn end_secret(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    webhooks::end_secret(edge.services(), &caller, path.id(), path.get("secret")).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn deliveries(
    caller: Caller,
    path: Segments,
    query: Query,
    State(edge): State<Edge>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let query = query.only(&[DELIVERIES])?;
    let wanted = wanted_deliveries(&query)?;
    let found = delivery::deliveries(edge.services(), &caller, (Family::Webhooks, path.id()), wanted).await?;
    Ok(Json(found.into()))
}

/// Which deliveries are asked for: state, position, most items.
///
/// # Errors
/// 400 for a position that is none.
pub fn wanted_deliveries(query: &Query) -> Result<(Option<&str>, i64, Option<u32>), Problem> {
    let unusable = || {
        unusable(
            "after",
            "a position belongs here: a whole number, as `seq` of a delivery",
        )
    };
    let after = query.text("after");
    let after = after.map(|text| text.parse().ok().filter(|seq| *seq >= 0).ok_or_else(unusable));
    Ok((query.text("state"), after.transpose()?.unwrap_or(0), query.limit()?))
}

impl From<(Vec<delivery::Delivery>, Option<i64>)> for Page<Delivery> {
    fn from((items, next): (Vec<delivery::Delivery>, Option<i64>)) -> Self {
        Self {
            items: items.into_iter().map(Delivery::from).collect(),
            next: next.map(|seq| seq.to_string()),
        }
    }
}

async fn replay(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(replay): Given<Replay>,
) -> Result<StatusCode, Problem> {
    delivery::replay(edge.services(), &caller, (Family::Webhooks, path.id()), replay.again()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
