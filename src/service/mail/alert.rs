//! Administrators are told that something needs them.

use serde_json::Value;
use std::time::Duration;

use super::template::Template;
use crate::base::clock::Timestamp;
use crate::service::access::desk::Desk;
use crate::service::access::invariants::ADMINS;
use crate::service::error::Result;
use crate::store::mail::NewMail;

/// Alerts of one kind are this far apart: who is told of the first looks at all of them.
const APART: Duration = Duration::from_mins(10);
/// Most administrators who are told, those first who are there longest.
const MOST: u32 = 20;

/// Posts an alert to the lasting administrators in the unit of the desk, unless one of its kind was posted just before.
pub(in crate::service) async fn alert(desk: &mut Desk, template: Template, data: &Value) -> Result<()> {
    let apart = i64::try_from(APART.as_micros()).unwrap_or(i64::MAX);
    let since = Timestamp(desk.now.0.saturating_sub(apart));
    let admins = desk.unit.grants().lasting_holders(&ADMINS, desk.now, MOST).await?;
    if admins.is_empty() || !desk.unit.mails().alert(template.as_str(), since, desk.now).await? {
        return Ok(());
    }
    let mail = |to| NewMail {
        id: desk.services.ids().next().into_string(),
        to,
    };
    let mails: Vec<NewMail> = admins.into_iter().map(mail).collect();
    desk.unit
        .mails()
        .post(&mails, template.as_str(), &data.to_string(), desk.now);
    Ok(())
}
