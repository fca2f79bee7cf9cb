//! Enforcers: who has to end what a person has open, when their account ends.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::query::{PAGING, Query};
use super::wire::{self, Instant, Segments};
use crate::api::body::Given;
use crate::api::problem::{Code, Problem};
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::INTEGRATIONS;
use crate::service::offboarding::enforcers::{self, Asked, Probing, Turn};

/// The routes of enforcers.
#[must_use]
pub fn routes() -> Vec<Route> {
    let needs = &[INTEGRATIONS];
    vec![
        Route::get("/api/v1/enforcers", list)
            .says("Who has to end what a person has open, oldest first")
            .one_of(needs)
            .asks(PAGING)
            .gives::<Page<Enforcer>>(200),
        Route::post("/api/v1/enforcers", create)
            .says("Has an enforcer take part in every run that is opened from now on. Its secret is shown this once")
            .one_of(needs)
            .takes::<NewEnforcer>()
            .gives::<MadeEnforcer>(201),
        Route::get("/api/v1/enforcers/{id}", read)
            .says("An enforcer, and what came of trying it")
            .one_of(needs)
            .gives::<Enforcer>(200),
        Route::patch("/api/v1/enforcers/{id}", change)
            .says("Changes what is named; the rest stays. What waits for it is asked for where it is now")
            .one_of(needs)
            .takes::<EnforcerChange>()
            .gives::<Enforcer>(200),
        Route::delete("/api/v1/enforcers/{id}", delete)
            .says("Removes an enforcer, from the runs under way, too; their certificates say so")
            .one_of(needs),
        Route::post("/api/v1/enforcers/{id}/pause", pause)
            .says("Calls it no more until it is resumed. New runs go without it, those under way wait for it")
            .one_of(needs),
        Route::post("/api/v1/enforcers/{id}/resume", resume)
            .says("Calls it again, at once for everything that waits")
            .one_of(needs),
        Route::post("/api/v1/enforcers/{id}/test", test)
            .says("Has it called with `offboarding.test`, which ends nothing. A moment later `tested` says what came of it")
            .one_of(needs),
        Route::post("/api/v1/enforcers/{id}/secrets", add_secret)
            .says("Makes a new secret, shown this once. Requests are signed with the old one, too, for 24 hours")
            .one_of(needs)
            .gives::<EnforcerSecret>(201),
        Route::delete("/api/v1/enforcers/{id}/secrets/{secret}", end_secret)
            .says("Ends a secret that has a successor, at once")
            .one_of(needs),
    ]
}

/// What makes a step of an enforcer confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmsBy {
    /// It is asked what is still open, and answers: nothing.
    Probe,
    /// It takes the request, and is believed. The certificate says so.
    Acknowledgement,
}

/// Who has to end what a person has open.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enforcer {
    /// A UUID.
    id: String,
    /// Unique in the organisation; the name of its steps in runs and certificates.
    name: String,
    /// Where `offboarding.end` is posted to.
    url: String,
    /// Where `offboarding.probe` is posted to; `null` where it is believed.
    probe: Option<String>,
    /// What makes its steps confirmed.
    confirms_by: ConfirmsBy,
    /// How long it is given, in seconds; `null` where it is the `offboarding_deadline_s` of the settings.
    deadline_s: Option<u64>,
    /// `active`, or `paused`: it is not called.
    state: &'static str,
    /// Steps of runs under way that wait for it.
    waiting: i64,
    /// Whether it is about to be tried.
    testing: bool,
    /// What came of the last trial; `null` when there was none.
    tested: Option<Tested>,
    /// Secrets that count, without the secrets themselves.
    secrets: Vec<SecretShown>,
    /// When it was made.
    created: Instant,
}

/// What came of trying an enforcer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnforcerTested)]
pub struct Tested {
    /// When.
    at: Instant,
    /// At its URL.
    hook: Said,
    /// At its probe; `null` where it has none.
    probe: Option<Said>,
}

/// What an enforcer said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnforcerSaid)]
pub struct Said {
    /// Whether it is what it has to say.
    ok: bool,
    /// In words.
    says: String,
}

/// A secret, without the secret itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnforcerSecretShown)]
pub struct SecretShown {
    /// A UUID.
    id: String,
    /// When it was made.
    created: Instant,
    /// When it does not sign any more.
    ends: Option<Instant>,
}

/// An enforcer to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnforcer {
    /// Unique in the organisation.
    name: String,
    /// Where `offboarding.end` is posted to: `https`, and a public address unless the operator allows others.
    url: String,
    /// Where `offboarding.probe` is posted to, and answered with `{"open": n}`. It may be the same URL.
    #[serde(default)]
    probe: Option<String>,
    /// `probe` when absent; only with `acknowledgement` can `probe` be left out.
    #[serde(default)]
    confirms_by: Option<ConfirmsBy>,
    /// 60 to 604800 seconds in which it has to confirm; the `offboarding_deadline_s` of the settings when absent.
    #[serde(default)]
    deadline_s: Option<u64>,
}

/// What an enforcer is to be.
#[expect(clippy::option_option, reason = "absent, null and a value are three things to say")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnforcerChange {
    /// Unique in the organisation.
    #[serde(default)]
    name: Option<String>,
    /// Where `offboarding.end` is posted to.
    #[serde(default)]
    url: Option<String>,
    /// Where `offboarding.probe` is posted to.
    #[serde(default)]
    probe: Option<String>,
    /// `acknowledgement` takes the probe away.
    #[serde(default)]
    confirms_by: Option<ConfirmsBy>,
    /// 60 to 604800 seconds, for runs that are opened from now on; null: as long as the settings say.
    #[serde(default, deserialize_with = "wire::nullable")]
    deadline_s: Option<Option<u64>>,
}

/// An enforcer that was just made.
#[derive(Serialize, ToSchema)]
pub struct MadeEnforcer {
    #[serde(flatten)]
    enforcer: Enforcer,
    /// What signatures are checked with, never to be seen again: `whsec_…` (Standard Webhooks).
    secret: String,
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
pub struct EnforcerSecret {
    /// A UUID.
    id: String,
    /// `whsec_…`, never to be seen again.
    secret: String,
}

const UNFOUNDED: Code = Code {
    name: "invalid-value",
    title: "A value cannot be used",
};

/// What was said about the probe; none where nothing was.
fn probing(probe: Option<String>, by: Option<ConfirmsBy>) -> Result<Option<Probing>, Problem> {
    match (probe, by) {
        (Some(_), Some(ConfirmsBy::Acknowledgement)) => {
            let text = "an enforcer that is believed (`acknowledgement`) has no `probe`";
            Err(Problem::new(StatusCode::BAD_REQUEST, text)
                .coded(UNFOUNDED)
                .at("/probe"))
        }
        (None, Some(ConfirmsBy::Acknowledgement)) => Ok(Some(Probing::Believed)),
        (probe, _) => Ok(probe.map(Probing::At)),
    }
}

fn confirms_by(probe: Option<&str>) -> ConfirmsBy {
    probe.map_or(ConfirmsBy::Acknowledgement, |_| ConfirmsBy::Probe)
}

impl From<enforcers::Enforcer> for Enforcer {
    fn from(enforcer: enforcers::Enforcer) -> Self {
        let secret = |(id, created, ends)| SecretShown {
            id,
            created: Instant(created),
            ends: wire::at(ends),
        };
        Self {
            id: enforcer.id,
            name: enforcer.name,
            url: enforcer.url,
            confirms_by: confirms_by(enforcer.probe.as_deref()),
            probe: enforcer.probe,
            deadline_s: enforcer.deadline_s,
            state: enforcer.state,
            waiting: enforcer.waiting,
            testing: enforcer.is_testing,
            tested: enforcer.tested.map(Tested::from),
            secrets: enforcer.secrets.into_iter().map(secret).collect(),
            created: Instant(enforcer.created),
        }
    }
}

impl From<enforcers::Tested> for Tested {
    fn from(tested: enforcers::Tested) -> Self {
        Self {
            at: Instant(tested.when()),
            hook: tested.hook.into(),
            probe: tested.probe.map(Said::from),
        }
    }
}

impl From<enforcers::Said> for Said {
    fn from(said: enforcers::Said) -> Self {
        Self {
            ok: said.ok,
            says: said.says,
        }
    }
}

/// Nobody keeps a secret on its way: no proxy, and not the answers of keyed requests either.
fn unkept(mut response: Response) -> Response {
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

async fn list(caller: Caller, query: Query, State(edge): State<Edge>) -> Result<Json<Page<Enforcer>>, Problem> {
    let query = query.only(&[PAGING])?;
    let page = enforcers::list(edge.services(), &caller, &query.paging()?).await?;
    Ok(Json(page.into()))
}

async fn create(caller: Caller, State(edge): State<Edge>, Given(new): Given<NewEnforcer>) -> Result<Response, Problem> {
    let probing = probing(new.probe, new.confirms_by)?.ok_or_else(|| {
        let text =
            "an enforcer is asked what is still open (`probe`), or is believed (`confirms_by`: `acknowledgement`)";
        Problem::new(StatusCode::BAD_REQUEST, text)
            .coded(UNFOUNDED)
            .at("/probe")
    })?;
    let new = enforcers::NewEnforcer {
        name: new.name,
        url: new.url,
        probing,
        deadline_s: new.deadline_s,
    };
    let (made, secret) = enforcers::create(edge.services(), &caller, new).await?;
    let location = format!("/api/v1/enforcers/{}", made.id);
    let body = MadeEnforcer {
        enforcer: made.into(),
        secret: secret.secret.into_exposed(),
    };
    Ok(unkept(wire::created(&location, body)))
}

async fn read(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Json<Enforcer>, Problem> {
    Ok(Json(enforcers::find(edge.services(), &caller, path.id()).await?.into()))
}

async fn change(
    caller: Caller,
    path: Segments,
    State(edge): State<Edge>,
    Given(change): Given<EnforcerChange>,
) -> Result<Json<Enforcer>, Problem> {
    let asked = Asked {
        name: change.name,
        url: change.url,
        probing: probing(change.probe, change.confirms_by)?,
        deadline_s: change.deadline_s,
    };
    let changed = enforcers::change(edge.services(), &caller, path.id(), asked).await?;
    Ok(Json(changed.into()))
}

async fn turn(caller: Caller, path: Segments, edge: Edge, turn: Turn) -> Result<StatusCode, Problem> {
    enforcers::turn(edge.services(), &caller, path.id(), turn).await?;
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
    turn(caller, path, edge, Turn::Test).await
}

async fn add_secret(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<Response, Problem> {
    let made = enforcers::add_secret(edge.services(), &caller, path.id()).await?;
    let body = EnforcerSecret {
        id: made.id,
        secret: made.secret.into_exposed(),
    };
    Ok(unkept((StatusCode::CREATED, Json(body)).into_response()))
}

async fn end_secret(caller: Caller, path: Segments, State(edge): State<Edge>) -> Result<StatusCode, Problem> {
    enforcers::end_secret(edge.services(), &caller, path.id(), path.get("secret")).await?;
    Ok(StatusCode::NO_CONTENT)
}
