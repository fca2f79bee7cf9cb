//! What an organisation has decided, as a JSON object in the row of its policy. A member that is not there has its
//! default, so a later build can add one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::access::invariant::{Cap, Demands};
use crate::access::lifecycle::{Joining, Keeps, Leaving, Rehire};
use crate::access::{Retention, Settings, StatusRule, WhenRefused};
use crate::base::zone::OfDay;
use crate::store::error::{Error, Result};

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is decided by itself, whatever the others"
)]
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Written {
    may_provision_admins: bool,
    least_admins: u64,
    break_glass: BTreeSet<String>,
    park_what_is_refused: bool,
    managers_see_reports: bool,
    invitation_link: Link,
    offboarding_deadline_s: u64,
    retention_days: Option<u32>,
    leaving: Vec<WrittenLeaving>,
    status_rules: Vec<WrittenStatusRule>,
    rehire: String,
    rehire_grants: bool,
}

#[derive(Serialize, Deserialize)]
struct WrittenLeaving {
    path: String,
    zone: String,
    start_of_day: bool,
}

impl From<&Leaving> for WrittenLeaving {
    fn from(leaving: &Leaving) -> Self {
        Self {
            path: leaving.path.clone(),
            zone: leaving.zone.clone(),
            start_of_day: leaving.at == OfDay::Start,
        }
    }
}

impl From<WrittenLeaving> for Leaving {
    fn from(written: WrittenLeaving) -> Self {
        Self {
            path: written.path,
            zone: written.zone,
            at: if written.start_of_day { OfDay::Start } else { OfDay::End },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct WrittenStatusRule {
    name: String,
    when: String,
    status: String,
}

impl From<&StatusRule> for WrittenStatusRule {
    fn from(rule: &StatusRule) -> Self {
        Self {
            name: rule.name.clone(),
            when: rule.when.clone(),
            status: rule.keeps.as_str().to_owned(),
        }
    }
}

impl WrittenStatusRule {
    fn read(self) -> Result<StatusRule> {
        Ok(StatusRule {
            keeps: Keeps::parse(&self.status).ok_or(Error::Damaged("policy.settings"))?,
            name: self.name,
            when: self.when,
        })
    }
}

/// What becomes of who is invited, as the API says it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Link {
    Refuse,
    Join,
}

impl Default for Written {
    fn default() -> Self {
        Self::from(&Settings::default())
    }
}

impl From<&Settings> for Written {
    fn from(settings: &Settings) -> Self {
        Self {
            may_provision_admins: settings.cap == Cap::Admin,
            least_admins: settings.demands.least_admins,
            break_glass: settings.demands.break_glass.clone(),
            park_what_is_refused: settings.when_refused == WhenRefused::Park,
            managers_see_reports: settings.managers_see_reports,
            invitation_link: match settings.joining {
                Joining::Accepts => Link::Refuse,
                Joining::Joins => Link::Join,
            },
            offboarding_deadline_s: settings.offboarding_deadline.as_secs(),
            retention_days: settings.retention.days(),
            leaving: settings.leaving.iter().map(WrittenLeaving::from).collect(),
            status_rules: settings.status_rules.iter().map(WrittenStatusRule::from).collect(),
            rehire: settings.rehire.as_str().to_owned(),
            rehire_grants: settings.rehire_grants,
        }
    }
}

pub(super) fn write(settings: &Settings) -> String {
    serde_json::json!(Written::from(settings)).to_string()
}

/// Nothing is decided where nothing is written.
pub(super) fn read(text: Option<&str>) -> Result<Settings> {
    let Some(text) = text else {
        return Ok(Settings::default());
    };
    let written: Written = serde_json::from_str(text).map_err(|_| Error::Damaged("policy.settings"))?;
    Ok(Settings {
        cap: if written.may_provision_admins {
            Cap::Admin
        } else {
            Cap::BelowAdmin
        },
        demands: Demands {
            least_admins: written.least_admins,
            break_glass: written.break_glass,
        },
        when_refused: if written.park_what_is_refused {
            WhenRefused::Park
        } else {
            WhenRefused::Refuse
        },
        joining: match written.invitation_link {
            Link::Refuse => Joining::Accepts,
            Link::Join => Joining::Joins,
        },
        leaving: written.leaving.into_iter().map(Leaving::from).collect(),
        status_rules: written
            .status_rules
            .into_iter()
            .map(WrittenStatusRule::read)
            .collect::<Result<_>>()?,
        rehire: Rehire::parse(&written.rehire).ok_or(Error::Damaged("policy.settings"))?,
        rehire_grants: written.rehire_grants,
        managers_see_reports: written.managers_see_reports,
        offboarding_deadline: Duration::from_secs(written.offboarding_deadline_s),
        retention: Retention::of(written.retention_days),
    })
}
