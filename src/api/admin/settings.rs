//! What the organisation has decided about its access for all of it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::status_rules::RuleOfStatus;
use super::wire;
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::base::zone;
use crate::service::Caller;
use crate::service::access::authority::SETTINGS;
use crate::service::access::{WhenRefused, settings};
use crate::service::lifecycle::{Joining, Leaving, Rehire, StatusRule};

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

/// What becomes of somebody who was invited and has not come, when provisioning creates them or takes them for active.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// They stay invited: they come themselves.
    Refuse,
    /// They are provisioned from now on, and active.
    Join,
}

impl From<Link> for Joining {
    fn from(link: Link) -> Self {
        match link {
            Link::Refuse => Self::Accepts,
            Link::Join => Self::Joins,
        }
    }
}

impl From<Joining> for Link {
    fn from(joining: Joining) -> Self {
        match joining {
            Joining::Accepts => Self::Refuse,
            Joining::Joins => Self::Join,
        }
    }
}

/// What becomes of somebody whom provisioning creates and who is called as somebody who was deleted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rehiring {
    /// They are somebody new, and that is all.
    Off,
    /// They are somebody new, and `/rehires` shows whom they may be.
    Offer,
    /// They are who was deleted, with the same id and memberships; where several could be meant it is offered.
    Link,
}

impl From<Rehiring> for Rehire {
    fn from(rehiring: Rehiring) -> Self {
        match rehiring {
            Rehiring::Off => Self::Off,
            Rehiring::Offer => Self::Offer,
            Rehiring::Link => Self::Link,
        }
    }
}

impl From<Rehire> for Rehiring {
    fn from(rehire: Rehire) -> Self {
        match rehire {
            Rehire::Off => Self::Off,
            Rehire::Offer => Self::Offer,
            Rehire::Link => Self::Link,
        }
    }
}

/// An attribute in which provisioning says when somebody leaves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeavingBy {
    /// Path of a user's attribute that has one text: of an extension with its URN.
    path: String,
    /// Time zone of dates, and of times that name none: `Europe/Berlin`; `UTC` when absent.
    #[serde(default = "utc")]
    zone: String,
    /// When a date has come that says no time of day.
    #[serde(default)]
    at: OfDay,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// When a date has come that says no time of day.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OfDay {
    /// With its first second.
    StartOfDay,
    /// With its last second.
    #[default]
    EndOfDay,
}

impl From<LeavingBy> for Leaving {
    fn from(given: LeavingBy) -> Self {
        Self {
            path: given.path,
            zone: given.zone,
            at: match given.at {
                OfDay::StartOfDay => zone::OfDay::Start,
                OfDay::EndOfDay => zone::OfDay::End,
            },
        }
    }
}

impl From<Leaving> for LeavingBy {
    fn from(leaving: Leaving) -> Self {
        Self {
            path: leaving.path,
            zone: leaving.zone,
            at: match leaving.at {
                zone::OfDay::Start => OfDay::StartOfDay,
                zone::OfDay::End => OfDay::EndOfDay,
            },
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
    /// What becomes of somebody who was invited when provisioning speaks of them.
    invitation_link: Link,
    /// In which attributes provisioning says when somebody leaves; of several dates the first counts.
    leaving: Vec<LeavingBy>,
    /// Who is kept out because of what is known of them; of several rules the strongest counts.
    status_rules: Vec<RuleOfStatus>,
    /// What becomes of somebody whom provisioning creates and who is called as somebody who was deleted.
    rehire: Rehiring,
    /// Whether who is linked to somebody who was deleted has their grants again, as far as provisioning may give them.
    rehire_grants: bool,
    /// Whether a manager sees (read only) what those see who report to them.
    managers_see_reports: bool,
    /// How long enforcers have to confirm that somebody whose account ended has nothing open, in seconds.
    offboarding_deadline_s: u64,
    /// For how many days those who were deleted can be restored, before they are purged; null: for ever.
    retention_days: Option<u32>,
}

/// What is to be decided anew.
#[expect(clippy::option_option, reason = "absent, null and a value are three things to say")]
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
    /// What becomes of somebody who was invited when provisioning speaks of them; only for who manages users.
    #[serde(default)]
    invitation_link: Option<Link>,
    /// In which attributes provisioning says when somebody leaves, at most 10: all of them; only for who manages users.
    #[serde(default)]
    leaving: Option<Vec<LeavingBy>>,
    /// Who is kept out because of what is known of them, at most 20 rules: all of them; only for who manages users.
    /// `/status-rules/preview` tells whom it would be about.
    #[serde(default)]
    status_rules: Option<Vec<RuleOfStatus>>,
    /// What becomes of somebody whom provisioning creates and who is called as somebody who was deleted; only for who
    /// manages users.
    #[serde(default)]
    rehire: Option<Rehiring>,
    /// Whether who is linked to somebody who was deleted has their grants again; only for who has all that Admin has.
    #[serde(default)]
    rehire_grants: Option<bool>,
    /// Whether a manager sees (read only) what those see who report to them.
    #[serde(default)]
    managers_see_reports: Option<bool>,
    /// 60 to 604800 seconds, for runs that are opened from now on.
    #[serde(default)]
    offboarding_deadline_s: Option<u64>,
    /// 1 to 3650 days after which those who were deleted are purged, or null: never; only for who manages users.
    #[serde(default, deserialize_with = "wire::nullable")]
    retention_days: Option<Option<u32>>,
}

impl From<settings::Settings> for Settings {
    fn from(settings: settings::Settings) -> Self {
        Self {
            provisioning_may_give_admin: settings.provisioning_may_give_admin,
            least_admins: settings.least_admins,
            break_glass: settings.break_glass,
            when_refused: settings.when_refused.into(),
            invitation_link: settings.joining.into(),
            leaving: settings.leaving.into_iter().map(LeavingBy::from).collect(),
            status_rules: settings.status_rules.into_iter().map(RuleOfStatus::from).collect(),
            rehire: settings.rehire.into(),
            rehire_grants: settings.rehire_grants,
            managers_see_reports: settings.managers_see_reports,
            offboarding_deadline_s: settings.offboarding_deadline_s,
            retention_days: settings.retention_days,
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
            joining: change.invitation_link.map(Joining::from),
            leaving: change
                .leaving
                .map(|given| given.into_iter().map(Leaving::from).collect()),
            status_rules: change
                .status_rules
                .map(|given| given.into_iter().map(StatusRule::from).collect()),
            rehire: change.rehire.map(Rehire::from),
            rehire_grants: change.rehire_grants,
            managers_see_reports: change.managers_see_reports,
            offboarding_deadline_s: change.offboarding_deadline_s,
            retention_days: change.retention_days,
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
