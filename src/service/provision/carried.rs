//! Whom an administrator keeps out stays out, also when provisioning deletes them and creates them again: what held the
//! one who was deleted holds the new one.

use serde_json::json;

use crate::access::lifecycle::Status;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;
use crate::service::keys::Person;
use crate::service::ledger::{self, What};
use crate::service::lifecycle::status::{self, Turned};
use crate::store::lifecycle::held::HeldWhenDeleted;
use crate::store::lifecycle::schedules::{Action, NewSchedule, Source};
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::{self, Kind, Unit};

/// What holds somebody who comes again.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    found: HeldWhenDeleted,
    /// Whether provisioning takes them for active.
    says: bool,
}

impl Carried {
    /// What holds whoever is meant by this name, or by what the connection calls them; `None` when nothing does.
    pub(super) async fn find(
        services: &Services,
        caller: &Caller,
        (name_key, external_id): (&str, Option<&str>),
        says: bool,
    ) -> Result<Option<Self>> {
        let external = (caller.connection_id(), external_id);
        let reader = services.read(caller);
        let found = reader
            .statuses()
            .of_deleted(name_key, external, services.clock().now())
            .await?;
        Ok(found.map(|found| Self { found, says }))
    }

    /// Whether they hold who had this id.
    pub(super) fn is_of(&self, id: &ResourceId) -> bool {
        self.found.id == *id
    }

    /// Whether provisioning takes somebody for active who stays out.
    pub(super) const fn is_refused(&self) -> bool {
        self.says
    }

    /// Has it hold the new user, and says so in the log. A leave ends for them when it would have ended.
    pub(super) async fn keep(
        &self,
        services: &Services,
        caller: &Caller,
        unit: &mut Unit,
        (user, id, person): (Pk, &ResourceId, Option<&Person>),
        now: Timestamp,
    ) -> store::Result<()> {
        let held = StoredHold {
            source_active: self.says,
            // A suspension as a whole may hold them longer than their leave.
            until: self.found.held.until.filter(|until| *until > now),
            ..self.found.held.clone()
        };
        let turned = Turned {
            from: Status::of(self.says, None),
            to: Status::of(false, Some(held.hold)),
            until: held.until,
        };
        let said = (held.reason.as_deref(), person);
        status::tell_carried(
            unit,
            caller,
            now,
            (user, id),
            (turned, Version(1)),
            (&self.found.id, said),
        );
        if self.is_refused() {
            status::tell_refused(unit, caller, now, (user, id), turned.to);
        }
        let back = held.until.map(|until| self.back(services, user, until, now));
        unit.statuses().set(user, held);
        if let Some(back) = back {
            let due = back.due;
            let schedule = unit.schedules().set(back).await?;
            let data = json!({ "schedule": schedule, "action": Action::Return.as_str(), "due": due.rfc3339() });
            ledger::note(
                unit,
                caller,
                now,
                (What::ScheduleSet, ledger::resource(Kind::User, user, id)),
                &data,
            );
        }
        Ok(())
    }

    /// The end of a leave, as whoever planned it has planned it.
    fn back(&self, services: &Services, user: Pk, due: Timestamp, now: Timestamp) -> NewSchedule {
        let StoredHold {
            reason,
            actor_kind,
            actor_id,
            ..
        } = self.found.held.clone();
        NewSchedule {
            uid: services.ids().next().into_string(),
            user,
            action: Action::Return,
            source: Source::Leave,
            due,
            reason,
            actor_kind,
            actor_id,
            created: now,
        }
    }
}
