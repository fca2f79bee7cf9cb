//! A leave, and the suspension of a connection or of the organisation: each holds somebody as long as it lasts, whatever
//! becomes of the other.

use super::status::{self, Turned};
use super::turn::Turning;
use crate::access::lifecycle::{Ask, By, Hold, Status};
use crate::base::clock::Timestamp;
use crate::service::context::Caller;
use crate::store::Unit;
use crate::store::document::Stored;
use crate::store::lifecycle::statuses::StoredHold;
use crate::store::resources::External;

/// Lets one of the two begin or end beside the other. Whether that is all that becomes of the user: what holds them is
/// written then, and told with until when, and their status stays. `closing` is the suspension that is about to begin or to
/// end, if it is one.
pub(super) fn stays(
    unit: &mut Unit,
    caller: &Caller,
    (user, held): (&Stored, Option<&StoredHold>),
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
    unit.statuses().hold_by(user.pk, until, closing);
    let version = unit.resources().rename(user.pk, user.version, External::Keep, now);
    let turned = Turned {
        from: Status::Suspended,
        to: Status::Suspended,
        until,
    };
    status::tell(unit, caller, now, (user.pk, &user.id), (turned, version), (None, None));
    true
}
