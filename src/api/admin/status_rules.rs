//! Rules about who may come in: whom they keep out, and whom others would.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{self, Instant, Named};
use crate::api::body::Given;
use crate::api::problem::Problem;
use crate::api::state::Edge;
use crate::api::table::Route;
use crate::service::Caller;
use crate::service::access::authority::{GIVE, SETTINGS, VIEW};
use crate::service::lifecycle::status_rules::{self, InForce, Preview, Work};
use crate::service::lifecycle::{Keeps, StatusRule};

/// The routes of rules of status; they are given with the settings.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/status-rules", read)
            .says("The rules that keep users out, whom each keeps out, and how far their last change is")
            .one_of(&[VIEW, GIVE, SETTINGS])
            .gives::<StatusRules>(200),
        Route::post("/api/v1/status-rules/preview", preview)
            .says("Whom rules would keep out and let in again, in the place of those there are; nothing is changed")
            .one_of(&[GIVE])
            .takes::<StatusRulesAsked>()
            .gives::<StatusRulesPreview>(200),
    ]
}

/// What becomes of those for whom a rule holds, as long as it does.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeptOutAs {
    /// They are suspended.
    Suspended,
    /// They are deactivated.
    Deactivated,
}

impl From<KeptOutAs> for Keeps {
    fn from(status: KeptOutAs) -> Self {
        match status {
            KeptOutAs::Suspended => Self::Suspended,
            KeptOutAs::Deactivated => Self::Deactivated,
        }
    }
}

impl From<Keeps> for KeptOutAs {
    fn from(keeps: Keeps) -> Self {
        match keeps {
            Keeps::Suspended => Self::Suspended,
            Keeps::Deactivated => Self::Deactivated,
        }
    }
}

/// A rule that keeps users out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleOfStatus {
    /// Unique among them in any letter case, at most 100 characters; the log names it.
    name: String,
    /// For whom: a SCIM filter over users, without `groups`, `active`, `meta` and `externalId`.
    when: String,
    /// What becomes of them.
    status: KeptOutAs,
}

impl From<RuleOfStatus> for StatusRule {
    fn from(given: RuleOfStatus) -> Self {
        Self {
            name: given.name,
            when: given.when,
            keeps: given.status.into(),
        }
    }
}

impl From<StatusRule> for RuleOfStatus {
    fn from(rule: StatusRule) -> Self {
        Self {
            name: rule.name,
            when: rule.when,
            status: rule.keeps.into(),
        }
    }
}

/// The rules that keep users out.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusRules {
    /// Each of them, in the order in which they were given.
    items: Vec<StatusRuleInForce>,
    /// What their last change came to for those who were there; absent where they were never changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<StatusRulesChange>,
}

/// A rule, and whom it keeps out.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusRuleInForce {
    /// Its name.
    name: String,
    /// For whom.
    when: String,
    /// What becomes of them.
    status: KeptOutAs,
    /// How many users it keeps out; whom another one keeps out is that one's.
    held: u64,
}

/// A change of the rules on its way to everybody.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusRulesChange {
    /// `running` or `done`.
    state: &'static str,
    /// How many users were changed so far.
    turned: u64,
    /// How many had to stay so far: the owner, the last administrators, break-glass accounts.
    stayed: u64,
    /// How many could not be changed so far because of a fault of ours, which the program's log tells of.
    failed: u64,
    /// When it began.
    created: Instant,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<Instant>,
}

impl From<InForce> for StatusRuleInForce {
    fn from(shown: InForce) -> Self {
        Self {
            name: shown.rule.name,
            when: shown.rule.when,
            status: shown.rule.keeps.into(),
            held: shown.held,
        }
    }
}

impl From<Work> for StatusRulesChange {
    fn from(work: Work) -> Self {
        Self {
            state: work.state,
            turned: work.turned,
            stayed: work.stayed,
            failed: work.failed,
            created: Instant(work.created),
            finished: wire::at(work.finished),
        }
    }
}

/// Rules that are only thought of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusRulesAsked {
    /// All of them, at most 20.
    status_rules: Vec<RuleOfStatus>,
}

/// What rules would come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusRulesPreview {
    /// How many users they would keep out who come in now; those who must stay are among them.
    out: u64,
    /// The first 20 of them.
    first_out: Vec<WouldBeOut>,
    /// How many users would come in again whom a rule keeps out now.
    back: u64,
    /// The first 20 of them.
    first_back: Vec<Named>,
}

/// Somebody who would be kept out.
#[derive(Debug, Serialize, ToSchema)]
pub struct WouldBeOut {
    /// Who.
    user: Named,
    /// Name of the rule.
    rule: String,
    /// What they would be.
    status: KeptOutAs,
}

impl From<Preview> for StatusRulesPreview {
    fn from(preview: Preview) -> Self {
        let out = preview.first_out.into_iter().map(|kept| WouldBeOut {
            user: kept.user.into(),
            rule: kept.rule,
            status: kept.keeps.into(),
        });
        Self {
            out: preview.out,
            first_out: out.collect(),
            back: preview.back,
            first_back: preview.first_back.into_iter().map(Named::from).collect(),
        }
    }
}

async fn read(caller: Caller, State(edge): State<Edge>) -> Result<Json<StatusRules>, Problem> {
    let shown = status_rules::find(edge.services(), &caller).await?;
    Ok(Json(StatusRules {
        items: shown.rules.into_iter().map(StatusRuleInForce::from).collect(),
        change: shown.last.map(StatusRulesChange::from),
    }))
}

async fn preview(
    caller: Caller,
    State(edge): State<Edge>,
    Given(asked): Given<StatusRulesAsked>,
) -> Result<Json<StatusRulesPreview>, Problem> {
    let rules = asked.status_rules.into_iter().map(StatusRule::from).collect();
    let preview = status_rules::preview(edge.services(), &caller, rules).await?;
    Ok(Json(preview.into()))
}
