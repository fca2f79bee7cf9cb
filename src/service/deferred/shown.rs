//! What came of a request, as its connection asks for it: the same event that streams are told, and why it was refused.

use super::kept::Of;
use crate::event::jws;
use crate::event::set::{self, Answer};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::store::deferred::State;

/// The security event token about a request that the caller's connection sent; none while it waits. URLs of this server
/// begin with the issuer, and what the connection asks for with its base.
///
/// # Errors
/// `NotFound`, also for one of another connection, or that ended longer ago than results are kept.
pub async fn find(
    services: &Services,
    caller: &Caller,
    id: &str,
    (issuer, base): (&str, &str),
) -> Result<Option<String>> {
    let connection = caller.connection_id().ok_or(Error::NotFound)?;
    // PostgreSQL knows no such text.
    if id.contains('\0') {
        return Err(Error::NotFound);
    }
    let found = services.read(caller).deferred().find(connection, id).await?;
    let found = found.ok_or(Error::NotFound)?;
    let (State::Done, Some(at), Some(status)) = (found.state, found.finished, found.status) else {
        return Ok(None);
    };
    let tenant = services.tenant_uid(caller).await?;
    let of = Of {
        tenant: &tenant,
        request: id,
    };
    let reason = found.sealed.as_deref().and_then(|sealed| of.reason(services, sealed));
    let answer = Answer {
        method: found.method,
        endpoint: found.endpoint,
        status,
        resource: found.resource,
        version: found.version,
        scim_type: found.scim_type,
    };
    let claims = answer.claims(id, at, (issuer, base), reason.as_deref());
    let signer = keys::signer(services, Purpose::Set).await?;
    let token = jws::sign(&signer, set::TYPE, claims.to_string().as_bytes());
    token.map(Some).map_err(|fault| Error::Internal(Box::new(fault)))
}
