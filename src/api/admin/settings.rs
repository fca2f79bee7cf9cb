//! What the organisation has decided about its access for all of it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::SETTINGS;
use crate::service::access::{WhenRefused, settings};

/// The routes of settings.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/settings", read)
            .says("What the organisation has decided for all of it")
            .one_of(&[SETTINGS])
            .gives::<Settings>(200),
        Route::patch("/api/v1/settings", change)
            .says("Decides anew; what is absent stays")
            .one_of(&[SETTINGS])
            .takes::<SettingsChange>()
            .gives::<Settings>(200),
    ]
}

/// What becomes of a request of provisioning that would leave too few administrators.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Refused {
    /// It is refused, and that is all.
    Refuse,
    /// It is refused and kept: an administrator can have it made later.
    Park,
}

impl From<Refused> for WhenRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Refuse => Self::Refuse,
            Refused::Park => Self::Park,
        }
    }
}

impl From<WhenRefused> for Refused {
    fn from(when: WhenRefused) -> Self {
        match when {
            WhenRefused::Refuse => Self::Refuse,
            WhenRefused::Park => Self::Park,
        }
    }
}

/// What the organisation has decided for all of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settings {
    /// Whether provisioning may give Admin, and roles with which one could make oneself one; Owner never.
    provisioning_may_give_admin: bool,
    /// How many administrators there must be whose access neither ends by itself nor hangs on a rule.
    least_admins: u64,
    /// `userName` of each account that must stay such an administrator.
    break_glass: Vec<String>,
    /// What becomes of requests of provisioning that go against the two above.
    when_refused: Refused,
    /// Whether a manager sees (read only) what those see who report to them.
    managers_see_reports: bool,
}

/// What is to be decided anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// Whether provisioning may give Admin; only for who has all that Admin has.
    #[serde(default)]
    provisioning_may_give_admin: Option<bool>,
    /// 1 to 100, and not more than there are; only for who manages users.
    #[serde(default)]
    least_admins: Option<u64>,
    /// All of them, at most 20: each an active administrator; only for who manages users.
    #[serde(default)]
    break_glass: Option<Vec<String>>,
    /// What becomes of requests of provisioning that go against the two above; only for who manages users.
    #[serde(default)]
    when_refused: Option<Refused>,
    /// Whether a manager sees (read only) what those see who report to them.
    #[serde(default)]
    managers_see_reports: Option<bool>,
}

impl From<settings::Settings> for Settings {
    fn from(settings: settings::Settings) -> Self {
        Self {
            provisioning_may_give_admin: settings.provisioning_may_give_admin,
            least_admins: settings.least_admins,
            break_glass: settings.break_glass,
            when_refused: settings.when_refused.into(),
            managers_see_reports: settings.managers_see_reports,
        }
    }
}

impl From<SettingsChange> for settings::SettingsChange {
    fn from(change: SettingsChange) -> Self {
        Self {
            provisioning_may_give_admin: change.provisioning_may_give_admin,
            least_admins: change.least_admins,
            break_glass: change.break_glass,
            when_refused: change.when_refused.map(WhenRefused::from),
            managers_see_reports: change.managers_see_reports,
        }
    }
}

async fn read(caller: Caller, State(edge): State<Edge>) -> Result<Json<Settings>, Problem> {
    Ok(Json(settings::find(edge.services(), &caller).await?.into()))
}

async fn change(
    caller: Caller,
    State(edge): State<Edge>,
    Given(change): Given<SettingsChange>,
) -> Result<Json<Settings>, Problem> {
    Ok(Json(
        settings::change(edge.services(), &caller, &change.into()).await?.into(),
    ))
}
