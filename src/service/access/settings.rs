//! What an organisation has decided about its access for all of it.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

use super::authority::{GIVE, Held, SETTINGS, require};
use super::desk::{Change, Desk, perform};
use super::invariants::{self, ADMINS};
use crate::access::invariant::{Cap, Demands};
use crate::access::lifecycle::{Joining, Leaving, Rehire};
use crate::access::permission::{Permissions, Predefined};
use crate::access::{self, Retention, StatusRule, WhenRefused};
use crate::base::fold;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::lifecycle::{leaving, status_rules};

/// Most accounts that can be break-glass accounts: each is looked at by every change that could end one.
const MAX_BREAK_GLASS: usize = 20;
/// Longest time that those who were deleted are kept for, if it ends at all.
const MAX_RETENTION_DAYS: u32 = 3650;
/// Most administrators that can be asked for: so many are counted by every change that could end one.
const MAX_LEAST_ADMINS: u64 = 100;

/// Shortest time that enforcers can be given, in seconds: longer than one call of each of them may take.
const SHORTEST_DEADLINE_S: u64 = 60;
/// Longest one: a week.
const LONGEST_DEADLINE_S: u64 = 7 * 24 * 60 * 60;

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
    /// Whether provisioning takes in whom an invitation waits for.
    pub joining: Joining,
    /// Where provisioning says when somebody leaves.
    pub leaving: Vec<Leaving>,
    /// Who is kept out because of what is known of them.
    pub status_rules: Vec<StatusRule>,
    /// What becomes of somebody new who may be somebody who was deleted.
    pub rehire: Rehire,
    /// Whether who is linked so has their grants again.
    pub rehire_grants: bool,
    /// Whether a manager sees (read only) what those see who report to them.
    pub managers_see_reports: bool,
    /// How long enforcers have to confirm that somebody whose account ended has nothing open, in seconds.
    pub offboarding_deadline_s: u64,
    /// For how many days those who were deleted can be restored; for ever where there is no number.
    pub retention_days: Option<u32>,
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
    /// See [`Settings::joining`].
    pub joining: Option<Joining>,
    /// See [`Settings::leaving`]: all of it.
    pub leaving: Option<Vec<Leaving>>,
    /// See [`Settings::status_rules`]: all of them, for everybody who is there, too.
    pub status_rules: Option<Vec<StatusRule>>,
    /// See [`Settings::rehire`].
    pub rehire: Option<Rehire>,
    /// See [`Settings::rehire_grants`].
    pub rehire_grants: Option<bool>,
    /// See [`Settings::managers_see_reports`].
    pub managers_see_reports: Option<bool>,
    /// See [`Settings::offboarding_deadline_s`]: for runs that are opened from now on.
    pub offboarding_deadline_s: Option<u64>,
    /// See [`Settings::retention_days`].
    pub retention_days: Option<Option<u32>>,
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
        joining: kept.joining,
        leaving: kept.leaving,
        status_rules: kept.status_rules,
        rehire: kept.rehire,
        rehire_grants: kept.rehire_grants,
        managers_see_reports: kept.managers_see_reports,
        offboarding_deadline_s: kept.offboarding_deadline.as_secs(),
        retention_days: kept.retention.days(),
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
    let mut change = change.clone();
    if let Some(paths) = change.leaving.take() {
        change.leaving = Some(leaving::checked(caller, paths)?);
    }
    if let Some(rules) = change.status_rules.take() {
        change.status_rules = Some(status_rules::checked(caller, rules)?);
    }
    perform(services, caller, Deciding(change)).await?;
    read(services, caller).await
}

/// Nobody decides that others may have what they have not.
fn admit(services: &Services, held: Held, change: &SettingsChange) -> Result<()> {
    let catalogue = services.catalogue();
    let mut wanted = Permissions::NONE;
    // What was given to somebody once may be anything.
    if change.provisioning_may_give_admin == Some(true) || change.rehire_grants == Some(true) {
        wanted |= catalogue.held_by(Predefined::Admin);
    }
    let about_people = change.least_admins.is_some()
        || change.break_glass.is_some()
        || change.retention_days.is_some()
        || change.when_refused.is_some()
        || change.joining.is_some()
        || change.leaving.is_some()
        || change.status_rules.is_some()
        || change.rehire.is_some()
        || change.rehire_grants.is_some();
    if about_people {
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
    if let Some(lasts) = change.offboarding_deadline_s {
        check_deadline("/offboarding_deadline_s", lasts)?;
    }
    if let Some(Some(days)) = change.retention_days
        && !(1..=MAX_RETENTION_DAYS).contains(&days)
    {
        let reason = format!("a number of days from 1 to {MAX_RETENTION_DAYS} belongs here, or null: for ever");
        return Err(Error::invalid("/retention_days", reason));
    }
    Ok(())
}

/// Refuses what no enforcer can be given.
///
/// # Errors
/// Fewer or more seconds.
pub(in crate::service) fn check_deadline(pointer: &str, lasts: u64) -> Result<()> {
    if (SHORTEST_DEADLINE_S..=LONGEST_DEADLINE_S).contains(&lasts) {
        return Ok(());
    }
    let reason = format!("enforcers are given {SHORTEST_DEADLINE_S} to {LONGEST_DEADLINE_S} seconds");
    Err(Error::invalid(pointer, reason))
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
            joining: change.joining.unwrap_or(before.joining),
            leaving: change.leaving.clone().unwrap_or_else(|| before.leaving.clone()),
            status_rules: change
                .status_rules
                .clone()
                .unwrap_or_else(|| before.status_rules.clone()),
            rehire: change.rehire.unwrap_or(before.rehire),
            rehire_grants: change.rehire_grants.unwrap_or(before.rehire_grants),
            managers_see_reports: change.managers_see_reports.unwrap_or(before.managers_see_reports),
            offboarding_deadline: change
                .offboarding_deadline_s
                .map_or(before.offboarding_deadline, Duration::from_secs),
            retention: change.retention_days.map_or(before.retention, Retention::of),
        };
        if after != before {
            desk.unit.policy().decide(&after);
            let tenant = ledger::thing(Thing::Tenant, desk.services.tenant_uid(&desk.caller).await?);
            let data = json!({ "before": said(&before), "after": said(&after) });
            desk.note(What::SettingsUpdated, tenant, &data);
            let who_must_stay = after.demands != before.demands && !after.status_rules.is_empty();
            if after.status_rules != before.status_rules || who_must_stay {
                // Whoever is there already is looked at by a work that follows.
                let id = desk.services.ids().next().into_string();
                desk.unit.rulings().begin(&id, desk.now);
            }
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
        "invitation_link": link(settings.joining),
        "leaving": settings.leaving.iter().map(leaving::said).collect::<Vec<_>>(),
        "status_rules": settings.status_rules.iter().map(status_rules::said).collect::<Vec<_>>(),
        "rehire": settings.rehire.as_str(),
        "rehire_grants": settings.rehire_grants,
        "managers_see_reports": settings.managers_see_reports,
        "offboarding_deadline_s": settings.offboarding_deadline.as_secs(),
        "retention_days": settings.retention.days(),
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

/// `refuse` or `join`, as it stands in JSON.
#[must_use]
pub const fn link(joining: Joining) -> &'static str {
    match joining {
        Joining::Accepts => "refuse",
        Joining::Joins => "join",
    }
}
