//! The keys that receivers of security event tokens need.

use std::time::Duration;

use super::signing::{Purpose, list, public};
use crate::event::Keys;
use crate::service::context::Services;
use crate::service::error::Result;

/// How long a key stays known to receivers after another took its place: what it signed may be on its way that long.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// The public halves of the keys that sign security event tokens, or did until lately.
///
/// # Errors
/// A database that does not answer, a key that is damaged.
pub async fn published(services: &Services) -> Result<Keys> {
    let now = services.clock().now();
    let listed = list(services).await?;
    let old = |kid: &str| {
        let key = listed.iter().find(|key| key.kid == kid);
        key.and_then(|key| key.retired).is_some_and(|at| at.plus(KEPT) <= now)
    };
    let keys = public(services, Purpose::Set).await?;
    Ok(keys.iter().filter(|key| !old(key.kid())).cloned().collect())
}
