//! Whether the house can work.

use super::context::Services;
use super::error::Result;

/// Succeeds when the database answers.
///
/// # Errors
/// A database that does not.
pub async fn ready(services: &Services) -> Result<()> {
    services.db().ping().await?;
    Ok(())
}
