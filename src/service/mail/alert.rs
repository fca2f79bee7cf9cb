//! Administrators are told that something needs them.

use serde_json::Value;
use std::time::Duration;

use super::template::Template;
use crate::base::clock::Timestamp;
use crate::service::access::desk::Desk;
use crate::service::access::invariants::ADMINS;
use crate::service::context::Services;
use crate::service::error::Result;
use crate::store::Unit;
use crate::store::mail::NewMail;

/// Alerts of one kind are this far apart: who is told of the first looks at all of them.
const APART: Duration = Duration::from_mins(10);
/// The same of what does not end until somebody has mended it.
const FAR_APART: Duration = Duration::from_hours(24);
/// Most administrators who are told, those first who are there longest.
const MOST: u32 = 20;

/// Posts an alert to the lasting administrators in the unit of the desk, unless one of its kind was posted just before.
pub(in crate::service) async fn alert(desk: &mut Desk, template: Template, data: &Value) -> Result<()> {
    let services = desk.services.clone();
    alert_in(&services, &mut desk.unit, desk.now, (template, data)).await
}

/// The same in any unit.
pub(in crate::service) async fn alert_in(
    services: &Services,
    unit: &mut Unit,
    now: Timestamp,
    (template, data): (Template, &Value),
) -> Result<()> {
    let apart = match template {
        Template::LogStopped => FAR_APART,
        _ => APART,
    };
    let apart = i64::try_from(apart.as_micros()).unwrap_or(i64::MAX);
    let since = Timestamp(now.0.saturating_sub(apart));
    let admins = unit.grants().lasting_holders(&ADMINS, now, MOST).await?;
    if admins.is_empty() || !unit.mails().alert(template.as_str(), since, now).await? {
        return Ok(());
    }
    let mail = |to| NewMail {
        id: services.ids().next().into_string(),
        to,
        secret: None,
    };
    let mails: Vec<NewMail> = admins.into_iter().map(mail).collect();
    unit.mails().post(&mails, template.as_str(), &data.to_string(), now);
    Ok(())
}
