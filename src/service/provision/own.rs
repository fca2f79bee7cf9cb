//! What users may do to their own account by provisioning's door (RFC 7644 §3.11).

use crate::service::access::authority::{GIVE, require};
use crate::service::context::{Caller, Services};
use crate::service::error::Result;

/// Lets pass who may change accounts, their own among them. Everybody may read their own; what a user may change without
/// being an administrator is not provisioning's to say: a client that writes here writes every attribute.
///
/// # Errors
/// `Forbidden`, with the permission that is needed.
pub async fn may_change(services: &Services, caller: &Caller) -> Result<()> {
    require(services, caller, &[GIVE]).await.map(drop)
}
