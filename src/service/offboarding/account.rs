//! What Muster itself keeps of a person: the tokens of their account.
//!
//! They are revoked, not only refused while the account is off, and counted a moment later: by then no node remembers one
//! of them as valid.

use serde_json::json;

use super::pass::NAME;
use super::settle::{hold, settle};
use crate::base::clock::Timestamp;
use crate::event::certificate::Proof;
use crate::service::context::{Caller, Services};
use crate::service::credentials::REMEMBERED_FOR;
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::Unit;
use crate::store::runs::due::Due;
use crate::store::runs::step::{Held, Outcome};

/// Name of the step.
pub const ACCOUNT_TOKENS: &str = "account-tokens";

/// Tries the step; false when there was nothing to do any more.
pub(super) async fn attempt(services: &Services, due: &Due) -> Result<bool> {
    let caller = Caller::system(services, due.tenant, &due.slug, NAME);
    let mut unit = services.begin(&caller).await?;
    let Some(held) = hold(&mut unit, due).await? else {
        unit.dismiss().await?;
        return Ok(false);
    };
    let now = services.clock().now();
    let outcome = outcome(&mut unit, &caller, (due, &held), now).await?;
    if settle(services, &mut unit, &caller, (due, &held), &outcome, now).await? {
        unit.save().await?;
        return Ok(true);
    }
    unit.dismiss().await?;
    Ok(false)
}

async fn outcome(unit: &mut Unit, caller: &Caller, (due, held): (&Due, &Held), now: Timestamp) -> Result<Outcome> {
    let user = held.user.0;
    let revoked = unit.tokens().revoke_of(user, now).await?;
    for id in &revoked {
        let subject = ledger::thing(Thing::Token, id);
        ledger::note(
            unit,
            caller,
            now,
            (What::TokenRevoked, subject),
            &json!({ "token": id }),
        );
    }
    let ask = now.plus(REMEMBERED_FOR);
    Ok(match due.acknowledged {
        None => Outcome::Acknowledged { ask },
        Some(_) if !revoked.is_empty() => Outcome::Again {
            at: ask,
            trouble: format!("{} tokens were made meanwhile", revoked.len()),
        },
        Some(_) => {
            let proof = Proof::BuiltIn {
                tokens: unit.tokens().count_of(user).await?,
            };
            let proof = serde_json::to_string(&proof).map_err(|fault| Error::Internal(Box::new(fault)))?;
            Outcome::Confirmed { proof }
        }
    })
}
