//! A leave, and the suspension of a connection or of the organisation: each holds somebody as long as it lasts, whatever
//! becomes of the other.

use super::turn::Turning;
use crate::access::lifecycle::{Ask, By, Hold};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::store::Unit;
use crate::store::lifecycle::statuses::StoredHold;

/// Lets one of the two begin or end beside the other. Whether that is all that becomes of the user: what holds them is
/// written then, and their status stays. `closing` is the suspension that is about to begin or to end, if it is one.
pub(super) fn stays(
    unit: &mut Unit,
    (user, held): (Pk, Option<&StoredHold>),
    (turning, closing): (&Turning, Option<i64>),
    now: Timestamp,
) -> bool {
    let Some(held) = held.filter(|held| held.hold == Hold::Suspended) else {
        return false;
    };
    let (until, closing) = match (turning.ask, closing) {
        // A leave whose return was cancelled lasts until somebody lets them in, whatever was suspended before.
        (Ask::Suspend, None) if turning.by == By::Schedule && held.closing.is_some() => {
            (turning.until, held.closing.filter(|_| turning.until.is_some()))
        }
        (Ask::Suspend, Some(closing)) if held.closing.is_none() && held.until.is_some() => (held.until, Some(closing)),
        (Ask::Return { .. }, None) if held.closing.is_some() && held.until.is_some() => (None, held.closing),
        (Ask::Return { .. }, Some(_)) if held.until.is_some_and(|until| until > now) => (held.until, None),
        _ => return false,
    };
    unit.statuses().hold_by(user, until, closing);
    true
}
