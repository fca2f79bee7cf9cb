//! What an organisation has decided, as a JSON object in the row of its policy. A member that is not there has its
//! default, so a later build can add one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::access::invariant::{Cap, Demands};
use crate::access::{Settings, WhenRefused};
use crate::store::error::{Error, Result};

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Written {
    may_provision_admins: bool,
    least_admins: u64,
    break_glass: BTreeSet<String>,
    park_what_is_refused: bool,
    managers_see_reports: bool,
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
        managers_see_reports: written.managers_see_reports,
    })
}
