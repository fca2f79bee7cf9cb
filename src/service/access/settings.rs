//! What an organisation has decided about its access for all of it.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::authority::{GIVE, Held, SETTINGS, require};
use super::desk::{Change, Desk, perform};
use super::invariants::{self, ADMINS};
use crate::access::invariant::{Cap, Demands};
use crate::access::permission::{Permissions, Predefined};
use crate::access::{self, WhenRefused};
use crate::base::fold;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};

/// Most accounts that can be break-glass accounts: each is looked at by every change that could end one.
const MAX_BREAK_GLASS: usize = 20;
/// Most administrators that can be asked for: so many are counted by every change that could end one.
const MAX_LEAST_ADMINS: u64 = 100;

/// Decisions that hold for everybody in the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether provisioning may give Admin, and roles with which one could make oneself one. Never Owner.
    pub provisioning_may_give_admin: bool,
    /// How many lasting administrators there must be.
    pub least_admins: u64,
    /// `userName` of each account that must stay a lasting administrator, in the order of the ids.
    pub break_glass: Vec<String>,
    /// What becomes of requests of provisioning that go against the two above.
    pub when_refused: WhenRefused,
    /// Whether a manager sees (read only) what those see who report to them.
    pub managers_see_reports: bool,
}

/// What is to be decided anew; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// See [`Settings::provisioning_may_give_admin`].
    pub provisioning_may_give_admin: Option<bool>,
    /// See [`Settings::least_admins`].
    pub least_admins: Option<u64>,
    /// See [`Settings::break_glass`]: all of them.
    pub break_glass: Option<Vec<String>>,
    /// See [`Settings::when_refused`].
    pub when_refused: Option<WhenRefused>,
    /// See [`Settings::managers_see_reports`].
    pub managers_see_reports: Option<bool>,
}

/// What is decided now.
///
/// # Errors
/// `Forbidden`.
pub async fn find(services: &Services, caller: &Caller) -> Result<Settings> {
    require(services, caller, &[SETTINGS]).await?;
    read(services, caller).await
}

async fn read(services: &Services, caller: &Caller) -> Result<Settings> {
    let reader = services.read(caller);
    let kept = reader.policy().settings().await?;
    let accounts = reader.accounts().of(&kept.demands.break_glass).await?;
    Ok(Settings {
        provisioning_may_give_admin: kept.cap == Cap::Admin,
        least_admins: kept.demands.least_admins,
        break_glass: accounts.into_iter().map(|account| account.user_name).collect(),
        when_refused: kept.when_refused,
        managers_see_reports: kept.managers_see_reports,
    })
}

/// Decides anew.
///
/// # Errors
/// `Forbidden`: what is said about administrators is for who manages users, who lets provisioning give Admin must have
/// all that Admin has, and who lets managers see what their reports see must see everything and manage users. More administrators than there are, a break-glass account that is no lasting one.
pub async fn change(services: &Services, caller: &Caller, change: &SettingsChange) -> Result<Settings> {
    let held = require(services, caller, &[SETTINGS]).await?;
    admit(services, held, change)?;
    check(change)?;
    perform(services, caller, Deciding(change.clone())).await?;
    read(services, caller).await
}

/// Nobody decides that others may have what they have not.
fn admit(services: &Services, held: Held, change: &SettingsChange) -> Result<()> {
    let catalogue = services.catalogue();
    let mut wanted = Permissions::NONE;
    if change.provisioning_may_give_admin == Some(true) {
        wanted |= catalogue.held_by(Predefined::Admin);
    }
    if change.least_admins.is_some() || change.break_glass.is_some() || change.when_refused.is_some() {
        wanted |= catalogue.known([GIVE]);
    }
    if change.managers_see_reports == Some(true) {
        // It gives every manager what their reports look at, and whoever asks may be one.
        wanted |= catalogue.viewing() | catalogue.known([GIVE]);
    }
    held.covers(services, wanted)
}

fn check(change: &SettingsChange) -> Result<()> {
    if change
        .least_admins
        .is_some_and(|least| !(1..=MAX_LEAST_ADMINS).contains(&least))
    {
        let reason = format!("there is at least one administrator, and at most {MAX_LEAST_ADMINS} can be asked for");
        return Err(Error::invalid("/least_admins", reason));
    }
    if change
        .break_glass
        .as_ref()
        .is_some_and(|names| names.len() > MAX_BREAK_GLASS)
    {
        let reason = format!("there are at most {MAX_BREAK_GLASS} break-glass accounts");
        return Err(Error::invalid("/break_glass", reason));
    }
    Ok(())
}

struct Deciding(SettingsChange);

impl Change for Deciding {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let change = &self.0;
        let (_, before) = desk.unit.policy().hold_settings().await?;
        if let Some(least) = change.least_admins {
            enough(desk, least).await?;
        }
        let break_glass = match &change.break_glass {
            Some(names) => accounts(desk, names).await?,
            None => before.demands.break_glass.clone(),
        };
        let cap = change
            .provisioning_may_give_admin
            .map(|may| if may { Cap::Admin } else { Cap::BelowAdmin });
        let after = access::Settings {
            cap: cap.unwrap_or(before.cap),
            demands: Demands {
                least_admins: change.least_admins.unwrap_or(before.demands.least_admins),
                break_glass,
            },
            when_refused: change.when_refused.unwrap_or(before.when_refused),
            managers_see_reports: change.managers_see_reports.unwrap_or(before.managers_see_reports),
        };
        if after != before {
            desk.unit.policy().decide(&after);
            let tenant = ledger::thing(Thing::Tenant, desk.services.tenant_uid(&desk.caller).await?);
            let data = json!({ "before": said(&before), "after": said(&after) });
            desk.note(What::SettingsUpdated, tenant, &data);
        }
        Ok(())
    }
}

/// Whether there are so many lasting administrators.
async fn enough(desk: &mut Desk, least: u64) -> Result<()> {
    let limit = u32::try_from(least).unwrap_or(u32::MAX);
    let holders = desk.unit.grants().lasting_holders(&ADMINS, desk.now, limit).await?;
    let there = holders.len() as u64;
    // An organisation without one can ask for the one that everybody is asked for.
    if there < least && least > 1 {
        let reason = format!(
            "there are {there} active administrators whose access neither ends by itself nor hangs on a rule: make more first"
        );
        return Err(Error::invalid("/least_admins", reason));
    }
    Ok(())
}

/// Ids of the accounts of these names.
async fn accounts(desk: &mut Desk, names: &[String]) -> Result<BTreeSet<String>> {
    let found = desk.unit.accounts().named(names).await?;
    let ids: BTreeSet<String> = found.iter().map(|account| account.id.as_str().to_owned()).collect();
    let lasting = invariants::lasting_among(&mut desk.unit, desk.now, &ids).await?;
    for (at, name) in names.iter().enumerate() {
        let key = fold::user_name_key(name);
        let pointer = format!("/break_glass/{at}");
        let account = found
            .iter()
            .find(|account| fold::user_name_key(&account.user_name) == key)
            .ok_or_else(|| Error::invalid(pointer.as_str(), "there is no user of this `userName`"))?;
        if !lasting.contains(account.id.as_str()) {
            let reason = "a break-glass account is an active administrator, by a grant that neither ends nor hangs on a rule: give them Admin on everything first";
            return Err(Error::invalid(pointer, reason));
        }
    }
    Ok(ids)
}

/// All of them; accounts by their ids.
fn said(settings: &access::Settings) -> Value {
    json!({
        "provisioning_may_give_admin": settings.cap == Cap::Admin,
        "least_admins": settings.demands.least_admins,
        "break_glass": settings.demands.break_glass,
        "when_refused": word(settings.when_refused),
        "managers_see_reports": settings.managers_see_reports,
    })
}

/// `refuse` or `park`, as it stands in JSON.
#[must_use]
pub const fn word(when: WhenRefused) -> &'static str {
    match when {
        WhenRefused::Refuse => "refuse",
        WhenRefused::Park => "park",
    }
}
