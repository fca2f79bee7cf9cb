//! Refusals that need a look around before they can be explained.

use super::carried::Carried;
use super::create::{Came, Plan};
use crate::scim::dialect::Dialect;
use crate::scim::schema::ResourceType;
use crate::scim::{self, Document};
use crate::service::context::{Caller, Services};
use crate::service::derive;
use crate::service::error::{Error, Result};
use crate::store;

/// The name attribute of a type, which is unique in the tenant.
pub(super) fn name_attribute(kind: &ResourceType) -> &'static str {
    if kind.name() == "User" {
        "userName"
    } else {
        "displayName"
    }
}

/// Turns a name that is taken into a 409 that says which situation this is; other failures pass.
///
/// The other connection is not named: connections of a tenant can belong to different people.
pub(super) async fn explain(
    services: &Services,
    caller: &Caller,
    kind: &ResourceType,
    key: &str,
    error: store::Error,
) -> Error {
    match error {
        store::Error::Taken(store::error::Unique::Name) => {}
        store::Error::Taken(store::error::Unique::Value) => {
            let paths = kind.unique_paths().collect::<Vec<_>>().join("`, `");
            let what = kind.name().to_lowercase();
            return scim::Error::uniqueness(format!("another {what} has the same value of `{paths}`")).into();
        }
        other => return other.into(),
    }
    match holder_is_elsewhere(services, caller, kind, key).await {
        Ok(elsewhere) => taken(kind, elsewhere).into(),
        Err(error) => error,
    }
}

/// Why the store did not take what is to be made. What it finds stale is the policy: then the whole is done again, by the one there is.
/// Or whoever is meant is held.
pub(super) async fn creation(plan: &Plan, error: store::Error) -> Result<Came> {
    let Plan {
        services,
        caller,
        content,
        incoming,
        ..
    } = plan;
    if !matches!(error, store::Error::Stale) {
        return Err(explain(services, caller, &plan.kind, &content.name_key, error).await);
    }
    // The statement that found it stale may have been before the save, which says so.
    if let Some(connection) = caller.connection_id()
        && !services.read(caller).connections().works(connection).await?
    {
        return Err(store::Error::Shut.into());
    }
    if plan.may_mean_held() {
        let named = (content.name_key.as_str(), incoming.external_id.as_deref());
        if let Some(carried) = Carried::find(services, caller, named, plan.says).await? {
            return Ok(Came::Held(carried));
        }
    }
    derive::forget(services, caller);
    Err(Error::Busy)
}

async fn holder_is_elsewhere(services: &Services, caller: &Caller, kind: &ResourceType, key: &str) -> Result<bool> {
    let kind = super::draft::store_kind(kind)?;
    let holder = services.read(caller).resources().who_holds(kind, key).await?;
    Ok(holder.is_some_and(|connection| connection != caller.connection_id()))
}

/// Refuses a country that is no code, unless the connection's dialect takes it as it is sent.
pub(super) fn unless_countries(dialect: Dialect, document: &Document) -> Result<()> {
    if dialect.is_strict() {
        Ok(scim::validate::countries(document)?)
    } else {
        Ok(())
    }
}

/// Refuses attributes that no schema defines, where the connection wants it so.
pub(super) fn unless_defined(dialect: Dialect, ignored: &[String]) -> Result<()> {
    if dialect.is_interop_profile() {
        scim::profile::defined(ignored)?;
    }
    Ok(())
}

fn taken(kind: &ResourceType, elsewhere: bool) -> scim::Error {
    let attribute = name_attribute(kind);
    let what = kind.name().to_lowercase();
    let detail = if elsewhere {
        format!(
            "the `{attribute}` is already used by a {what} that another source of this organisation provisions; match that {what} instead of creating it, or choose another `{attribute}`"
        )
    } else {
        format!("the `{attribute}` is already used by another {what}; letter case makes no difference")
    };
    scim::Error::uniqueness(detail)
}
