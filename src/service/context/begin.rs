//! Where the store is entered: units of work, and reads.

use super::{Authority, Caller, Keeping, Services};
use crate::service::deferred::Errand;
use crate::service::error::{Error, Result};
use crate::store::{Reader, Unit};

impl Services {
    /// Opens the unit of work of a caller: its tenant, and one transaction, which may have several parts.
    pub(in crate::service) async fn begin(&self, caller: &Caller) -> Result<Unit> {
        match &caller.0.together {
            None => self.open(caller).await,
            // A part of it was refused, and so nobody has to come again.
            Some(together) => {
                // In a box: few units are parts of anything, and all of them would be as large.
                let part = Box::pin(together.enter(self.open(caller)));
                part.await.unwrap_or(Err(Error::Crowded))
            }
        }
    }

    /// The same for what writes a document: it is saved only as long as the schemas are those that the caller knows.
    pub(in crate::service) async fn begin_writing(&self, caller: &Caller) -> Result<Unit> {
        let mut unit = self.begin(caller).await?;
        caller.holds_to_schemas(&mut unit);
        Ok(unit)
    }

    async fn open(&self, caller: &Caller) -> Result<Unit> {
        let mut unit = Unit::begin(self.db(), caller.tenant()).await?;
        unit = match self.0.keeping {
            Keeping::Everything => unit.named(caller.errand().map_or_else(|| self.ids().next_unit(), Errand::name)),
            Keeping::Nothing => unit.silent(),
        };
        if let (Authority::Connection(connection), false) = (caller.authority(), caller.0.tells) {
            unit = unit.sent_by(connection.id, caller.vocabulary().version());
        }
        if let Some(claim) = caller.claim() {
            unit.replays().take_effect(claim);
        }
        if let Some(settlement) = &caller.0.settlement {
            settlement.enter(&mut unit, self.clock().now());
        }
        Ok(unit)
    }

    /// Reads of the caller's tenant.
    pub(in crate::service) fn read(&self, caller: &Caller) -> Reader {
        Reader::new(self.db().clone(), caller.tenant())
    }
}
