//! What is planned for people: the end of an account, a leave of absence.

use std::sync::Arc;

use serde_json::json;

use super::turn::checked;
use crate::access::invariant::Deed;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::invariants;
use crate::service::access::names::Named;
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Author, Thing, What};
use crate::service::provision::attempt::attempts;
use crate::store::document::Stored;
use crate::store::lifecycle::schedules::{NewSchedule, Schedule as Row, Wanted};
use crate::store::resources::Groups;
use crate::store::{Kind, Unit};

pub use crate::store::lifecycle::schedules::{Action, Source, State};

/// Something that is planned, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// For whom; none when they are gone.
    pub user: Option<Named>,
    /// What.
    pub action: Action,
    /// When.
    pub due: Timestamp,
    /// What has become of it.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
    /// When it was planned.
    pub created: Timestamp,
}

impl From<Row> for Schedule {
    fn from(row: Row) -> Self {
        Self {
            id: row.uid,
            user: row.user.map(|(id, name)| Named {
                id: id.into_string(),
                name,
            }),
            action: row.action,
            due: row.due,
            state: row.state,
            reason: row.reason,
            created: row.created,
        }
    }
}

/// Which plans are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// What has become of them; those that wait where nobody says so.
    pub state: Option<State>,
    /// Only this action.
    pub action: Option<Action>,
    /// Due then or later.
    pub from: Option<Timestamp>,
    /// Due before then.
    pub to: Option<Timestamp>,
}

/// A page of what is planned, in the order in which it is due.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, filter: &Filter, paging: &Paging) -> Result<Page<Schedule>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let wanted = Wanted {
        state: filter.state.unwrap_or(State::Waiting),
        action: filter.action,
        from: filter.from.unwrap_or(Timestamp(i64::MIN)),
        to: filter.to.unwrap_or(Timestamp(i64::MAX)),
    };
    let text = paging.after_text()?;
    let after = match text.split_once('.').map(|(due, number)| (due.parse(), number.parse())) {
        None if text.is_empty() => (Timestamp(i64::MIN), 0),
        Some((Ok(due), Ok(number))) => (Timestamp(due), number),
        _ => return Err(Error::invalid("/after", "`after` is not the `next` of a page")),
    };
    let rows = services
        .read(caller)
        .schedules()
        .list(&wanted, after, paging.rows())
        .await?;
    let page = paging.cut_text(rows, |row| format!("{}.{}", row.due.0, row.number));
    Ok(page.map(Schedule::from))
}

/// Decides against what is planned.
///
/// # Errors
/// `Forbidden`, `NotFound`, also for what does not wait any more.
pub async fn cancel(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let found = services
        .read(caller)
        .schedules()
        .find(id)
        .await?
        .ok_or(Error::NotFound)?;
    let mut unit = services.begin(caller).await?;
    let now = services.clock().now();
    // The user before what is planned for them, as whoever changes their status.
    let user = match &found.user {
        Some((user, _)) => {
            let mut resources = unit.resources();
            resources
                .find_for_update(Kind::User, user, None, Groups::LeftOut)
                .await?
        }
        None => None,
    };
    if !unit.schedules().settle(id, None, State::Cancelled, now).await? {
        unit.dismiss().await?;
        return Err(Error::NotFound);
    }
    if let (Action::Return, Some(user)) = (found.action, user) {
        // Whoever is on leave stays away until somebody lets them in.
        unit.statuses().move_end(user.pk, None);
    }
    tell(&mut unit, caller, now, What::ScheduleCancelled, id);
    unit.save().await?;
    Ok(())
}

/// Decides against the end of an account.
///
/// # Errors
/// `Forbidden`, `NotFound`, also where none is planned.
pub async fn cancel_end(services: &Services, caller: &Caller, user: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let mut unit = services.begin(caller).await?;
    let now = services.clock().now();
    let id = ResourceId::new(user);
    let found = unit
        .resources()
        .find_for_update(Kind::User, &id, None, Groups::LeftOut)
        .await?;
    let cancelled = match found {
        Some(stored) => unit.schedules().cancel(stored.pk, Source::Api, now).await?,
        None => Vec::new(),
    };
    if cancelled.is_empty() {
        unit.dismiss().await?;
        return Err(Error::NotFound);
    }
    for schedule in &cancelled {
        tell(&mut unit, caller, now, What::ScheduleCancelled, schedule);
    }
    unit.save().await?;
    Ok(())
}

/// Plans the end of an account, in the place of what was planned before.
///
/// # Errors
/// `Forbidden`, `NotFound`, an instant that has passed; the owner, the last administrators and break-glass accounts
/// stay.
pub async fn end(
    services: &Services,
    caller: &Caller,
    user: &str,
    at: Timestamp,
    reason: Option<&str>,
) -> Result<Schedule> {
    let at = to_come("/deactivate_at", at, services.clock().now())?;
    let steps = vec![(Action::Deactivate, Source::Api, at)];
    // A step gives a plan.
    plan(services, caller, user, steps, reason)
        .await?
        .pop()
        .ok_or(Error::Busy)
}

/// Plans a leave of absence, in the place of what was planned before: at once where nobody says when it begins. Gives
/// its beginning and its end.
///
/// # Errors
/// As [`end`]; a leave that ends before it begins.
pub async fn leave(
    services: &Services,
    caller: &Caller,
    user: &str,
    (from, until): (Option<Timestamp>, Timestamp),
    reason: Option<&str>,
) -> Result<Vec<Schedule>> {
    let now = services.clock().now();
    let from = match from {
        Some(from) => to_come("/from", from, now)?,
        None => now,
    };
    let until = to_come("/until", until, now)?;
    if until <= from {
        return Err(Error::invalid("/until", "a leave ends after it begins"));
    }
    let steps = vec![
        (Action::Suspend, Source::Leave, from),
        (Action::Return, Source::Leave, until),
    ];
    plan(services, caller, user, steps, reason).await
}

fn to_come(pointer: &str, at: Timestamp, now: Timestamp) -> Result<Timestamp> {
    if at > now {
        Ok(at)
    } else {
        Err(Error::invalid(pointer, "this instant has passed"))
    }
}

/// What is done when.
type Steps = Vec<(Action, Source, Timestamp)>;

async fn plan(
    services: &Services,
    caller: &Caller,
    user: &str,
    steps: Steps,
    reason: Option<&str>,
) -> Result<Vec<Schedule>> {
    require(services, caller, &[GIVE]).await?;
    let reason = checked(reason)?;
    let planning = Arc::new((services.clone(), caller.clone(), ResourceId::new(user), steps, reason));
    attempts(|| {
        let planning = Arc::clone(&planning);
        async move {
            attempt(
                &planning.0,
                &planning.1,
                &planning.2,
                &planning.3,
                planning.4.as_deref(),
            )
            .await
        }
    })
    .await
}

async fn attempt(
    services: &Services,
    caller: &Caller,
    id: &ResourceId,
    steps: &Steps,
    reason: Option<&str>,
) -> Result<Vec<Schedule>> {
    let mut unit = services.begin(caller).await?;
    match make(services, caller, &mut unit, id, steps, reason).await {
        Ok(planned) => {
            unit.save().await?;
            Ok(planned)
        }
        // What a refusal rests on must be on disk before it is told.
        Err(error) => match unit.dismiss().await {
            Ok(()) => Err(error),
            Err(fault) => Err(fault.into()),
        },
    }
}

async fn make(
    services: &Services,
    caller: &Caller,
    unit: &mut Unit,
    id: &ResourceId,
    steps: &Steps,
    reason: Option<&str>,
) -> Result<Vec<Schedule>> {
    let (_, settings) = unit.policy().hold_settings().await?;
    let found = unit
        .resources()
        .find_for_update(Kind::User, id, None, Groups::LeftOut)
        .await?;
    let Stored { pk, label, .. } = found.ok_or(Error::NotFound)?;
    let now = services.clock().now();
    invariants::may_end(unit, &settings.demands, (pk, Deed::ScheduleEnd), now).await??;
    let author = Author::of(caller);
    let (actor_kind, actor_id) = author.who();
    let mut planned = Vec::new();
    // Two at most.
    for (action, source, due) in steps {
        let new = NewSchedule {
            uid: services.ids().next().into_string(),
            user: pk,
            action: *action,
            source: *source,
            due: *due,
            reason: reason.map(str::to_owned),
            actor_kind: actor_kind.to_owned(),
            actor_id: actor_id.to_owned(),
            created: now,
        };
        let uid = unit.schedules().set(new).await?;
        if *action == Action::Return {
            // Whoever is on leave is so until then.
            unit.statuses().move_end(pk, Some(*due));
        }
        let data = json!({ "schedule": uid, "action": action.as_str(), "due": due.rfc3339() });
        ledger::note(
            unit,
            caller,
            now,
            (What::ScheduleSet, ledger::resource(Kind::User, pk, id)),
            &data,
        );
        planned.push(Schedule {
            id: uid,
            user: Some(Named {
                id: id.as_str().to_owned(),
                name: label.clone(),
            }),
            action: *action,
            due: *due,
            state: State::Waiting,
            reason: reason.map(str::to_owned),
            created: now,
        });
    }
    Ok(planned)
}

/// Has what was planned for somebody, and was due while they were deleted, wait again: it is done at once.
pub(in crate::service) async fn wait_again(
    unit: &mut Unit,
    caller: &Caller,
    (user, id): (Pk, &ResourceId),
    deleted: Timestamp,
    now: Timestamp,
) -> Result<()> {
    for (schedule, action, due) in unit.schedules().wait_again(user, deleted).await? {
        let data = json!({ "schedule": schedule, "action": action.as_str(), "due": due.rfc3339() });
        let subject = ledger::resource(Kind::User, user, id);
        ledger::note(unit, caller, now, (What::ScheduleSet, subject), &data);
    }
    Ok(())
}

/// Says in the log what has become of a plan.
pub(in crate::service) fn tell(unit: &mut Unit, caller: &Caller, now: Timestamp, what: What, schedule: &str) {
    let subject = ledger::thing(Thing::Schedule, schedule);
    ledger::note(unit, caller, now, (what, subject), &json!({ "schedule": schedule }));
}
