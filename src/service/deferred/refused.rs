//! What is told where a request was not done: what it was refused for, or that nobody is there any more who may ask for it.

use crate::base::id::{ConnectionId, ResourceId};
use crate::scim;
use crate::service::error::{Error, Fused, ReadAs};
use crate::store::Unit;

/// Who asked may not any more.
pub(super) const SHUT: u16 = 403;
/// What it is about is gone for good.
const GONE: u16 = 404;

/// Has nothing be done of what waits of a connection, or of all of the tenant where none is named: in the unit that
/// suspends or deletes it.
pub(in crate::service) fn refuse(unit: &mut Unit, connection: Option<ConnectionId>) {
    unit.deferred().refuse(connection, SHUT);
}

/// Forgets what waits about somebody who is purged, and why requests of the tenant were refused.
pub(in crate::service) fn forget(unit: &mut Unit, user: &ResourceId) {
    unit.deferred().refuse_about(user, GONE);
    unit.deferred().forget_reasons();
}

/// Why a request was refused without being tried, by what was written of it.
pub(super) fn untried(status: Option<u16>) -> scim::Error {
    match status {
        Some(GONE) => scim::Error::plain(GONE, "there is no such resource"),
        _ => scim::Error::plain(
            SHUT,
            "the connection that sent the request, or its organisation, was suspended or deleted before it was done",
        ),
    }
}

/// A failure in the words of the protocol, as whoever waits would be told it.
pub(super) fn told(error: &Error) -> scim::Error {
    let plain = |status: u16, detail: String| scim::Error::plain(status, detail);
    match error {
        Error::Protocol(fault) => fault.clone(),
        Error::NotFound => plain(404, "there is no such resource".to_owned()),
        Error::Stale => plain(
            412,
            "the resource is of a version that the conditions of the request do not allow: it may have changed meanwhile".to_owned(),
        ),
        Error::Forbidden(detail) => plain(403, detail.clone()),
        Error::Invalid(refusal) => match refusal.read_as {
            ReadAs::Value => scim::Error::invalid_value(refusal.reason.as_str()),
            ReadAs::Filter => scim::Error::invalid_filter(refusal.reason.as_str()),
        },
        Error::Conflict(refusal) => plain(409, refusal.reason.clone()),
        Error::Violated(violation) => plain(409, violation.to_string()),
        // Accepted, and not done: an administrator decides.
        Error::Fused(held @ Fused::Held(_)) => plain(202, held.to_string()),
        Error::Fused(Fused::Refused { detail, .. }) | Error::Full(detail) => plain(429, detail.clone()),
        Error::Fused(over) => plain(409, over.to_string()),
        Error::Busy | Error::Crowded => plain(503, "the server is busy, try again".to_owned()),
        Error::Internal(_) => plain(500, "internal error".to_owned()),
    }
}
