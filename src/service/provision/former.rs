//! Whom somebody new may be: who was deleted and was called the same by the same connection, or had the same employee
//! number. What becomes of it is for the organisation to decide, and for its administrators.

use serde_json::json;

use super::create::Plan;
use crate::access::lifecycle::Rehire;
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{Pk, ResourceId};
use crate::scim::Document;
use crate::scim::schema::ENTERPRISE_USER;
use crate::service::derive::Derived;
use crate::service::error::Result;
use crate::service::ledger::{self, What};
use crate::store::lifecycle::rehires::Former;
use crate::store::{Kind, Unit};

/// Characters of an employee number by which somebody is found: what is longer is none that a person has.
const MOST_CHARACTERS: usize = 256;

/// Whom somebody new may be.
#[derive(Debug, Default)]
pub(super) struct Formers {
    found: Vec<Former>,
    links: bool,
}

/// Keeps with somebody who is deleted the employee number by which they may be found again.
pub(super) fn keep_number(unit: &mut Unit, (kind, pk): (Kind, Pk), document: &Document) {
    if let Some(number) = employee(document).filter(|_| kind == Kind::User) {
        unit.tombstones().be_numbered(pk, &number);
    }
}

/// The employee number of a user, as it is compared.
fn employee(document: &Document) -> Option<String> {
    let enterprise = document.as_map().get(ENTERPRISE_USER)?;
    let number = fold(enterprise.get("employeeNumber")?.as_str()?.trim());
    (!number.is_empty() && number.chars().count() <= MOST_CHARACTERS).then_some(number)
}

impl Formers {
    /// Who may be meant. Only provisioning speaks of people whom others know by another id.
    pub(super) async fn of(plan: &Plan, derived: Option<&Derived>) -> Result<Self> {
        let (Some(derived), Some(connection)) = (derived, plan.caller.connection_id()) else {
            return Ok(Self::default());
        };
        let settings = &derived.book().rulebook.policy().settings;
        let external = plan.incoming.external_id.as_deref();
        let employee = employee(&plan.incoming.document);
        if settings.rehire == Rehire::Off || external.is_none() && employee.is_none() {
            return Ok(Self::default());
        }
        let reader = plan.services.read(&plan.caller);
        let since = settings.retention.since(plan.services.clock().now());
        let called = (connection, external);
        let found = reader.rehires().formers(called, employee.as_deref(), since).await?;
        let links = settings.rehire == Rehire::Link && plan.carried.is_none();
        Ok(Self { found, links })
    }

    /// Who they are, where there is no doubt.
    pub(super) fn linked(&self) -> Option<&Former> {
        match &self.found[..] {
            [former] if self.links => Some(former),
            _ => None,
        }
    }

    /// Shows administrators whom somebody new may be, in the unit that makes them.
    pub(super) fn offer(self, plan: &Plan, unit: &mut Unit, (pk, id): (Pk, &ResourceId), now: Timestamp) {
        let ids = || plan.services.ids().next().into_string();
        let offers: Vec<(String, Former)> = self.found.into_iter().map(|former| (ids(), former)).collect();
        unit.rehires().offer(pk, &offers, now);
        for (uid, former) in &offers {
            let data = json!({ "rehire": uid, "former": former.id.as_str(), "matched": former.matched.as_str() });
            let subject = ledger::resource(Kind::User, pk, id);
            ledger::note(unit, &plan.caller, now, (What::RehireOffered, subject), &data);
        }
    }
}
