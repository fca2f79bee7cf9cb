//! Refusals that need a look around before they can be explained.

use super::carried::Carried;
use super::create::{Came, Plan};
use crate::base::id::Pk;
use crate::scim::dialect::Dialect;
use crate::scim::schema::ResourceType;
use crate::scim::{self, Document};
use crate::service::context::{Caller, Services};
use crate::service::derive;
use crate::service::error::{Error, Result};
use crate::store::document::Content;
use crate::store::error::Unique;
use crate::store::filter::Claims;
use crate::store::{self, Unit};

/// The name attribute of a type, which is unique in the tenant.
pub(super) fn name_attribute(kind: &ResourceType) -> &'static str {
    if kind.name() == "User" {
        "userName"
    } else {
        "displayName"
    }
}

/// What a resource wants to have that no other may have.
#[derive(Debug, Default)]
pub(super) struct Wants {
    /// What its name compares as.
    name_key: String,
    /// Values that its schemas say must be unique.
    claims: Claims,
    /// Its row, where it is there already.
    own: Option<Pk>,
}

impl Wants {
    /// Those of this content.
    pub(super) fn of(content: &Content) -> Self {
        Self {
            name_key: content.name_key.clone(),
            claims: content.leaves.claims().clone(),
            own: None,
        }
    }

    /// The same of a resource that is there.
    pub(super) fn by(self, own: Pk) -> Self {
        Self { own: Some(own), ..self }
    }
}

/// Turns a name or value that is taken into a 409 that says which situation this is; other failures pass. The unit that
/// failed must have ended.
///
/// The other connection is not named: connections of a tenant can belong to different people.
pub(super) async fn explain(
    services: &Services,
    caller: &Caller,
    (kind, wants): (&ResourceType, &Wants),
    error: store::Error,
) -> Error {
    match error {
        store::Error::Taken(Unique::Name) => match holder_is_elsewhere(services, caller, (kind, wants)).await {
            Ok(elsewhere) => taken(kind, elsewhere).into(),
            Err(error) => error,
        },
        store::Error::Taken(Unique::Value) => match collisions(services, caller, wants).await {
            Ok(keys) => collides(kind, &wants.claims, &keys).into(),
            Err(error) => error.into(),
        },
        other => other.into(),
    }
}

/// Under which keys others have the values. In a unit, as the holder may be in a batch that is not on disk yet; the answer
/// waits until it is.
async fn collisions(services: &Services, caller: &Caller, wants: &Wants) -> store::Result<Vec<String>> {
    let mut unit = Unit::begin(services.db(), caller.tenant()).await?.silent();
    let found = unit.resources().collisions(&wants.claims, wants.own).await;
    unit.dismiss().await?;
    found
}

/// The same in a unit that has yet to write them.
///
/// # Errors
/// 409 where another resource has one of the values.
pub(in crate::service) async fn unless_claimed(unit: &mut Unit, kind: &ResourceType, content: &Content) -> Result<()> {
    let claims = content.leaves.claims();
    let keys = unit.resources().collisions(claims, None).await?;
    if keys.is_empty() {
        Ok(())
    } else {
        Err(collides(kind, claims, &keys).into())
    }
}

/// Names the attributes, and not who has their values. Where nobody has them any more, or only something that was to be
/// made with it, it is one of those that it has itself.
fn collides(kind: &ResourceType, claims: &Claims, keys: &[String]) -> scim::Error {
    let claimed = claims.keys();
    let is_meant = |key: &str| match keys {
        [] => claimed.contains(&key),
        keys => keys.iter().any(|known| known == key),
    };
    let paths = kind
        .unique_paths()
        .filter(|path| kind.unique_key(path).is_some_and(is_meant));
    let paths: Vec<&str> = paths.collect();
    // What an extension says is unique over all types that have it.
    let who = if paths.iter().any(|path| path.starts_with("urn:")) {
        "resource".to_owned()
    } else {
        format!("`{}`", kind.name())
    };
    let between = if keys.is_empty() { "` or `" } else { "`, `" };
    scim::Error::uniqueness(format!("another {who} has the same value of `{}`", paths.join(between)))
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
        return Err(explain(services, caller, (&plan.kind, &Wants::of(content)), error).await);
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

/// Whether another connection has whoever has the name. To a caller who is no connection everybody is somebody else's,
/// which says nothing.
async fn holder_is_elsewhere(
    services: &Services,
    caller: &Caller,
    (kind, wants): (&ResourceType, &Wants),
) -> Result<bool> {
    if caller.connection_id().is_none() {
        return Ok(false);
    }
    let kind = super::draft::store_kind(kind)?;
    let holder = services
        .read(caller)
        .resources()
        .who_holds(kind, &wants.name_key)
        .await?;
    Ok(holder.is_some_and(|connection| connection != caller.connection_id()))
}

/// Refuses a country that is no code and a reference that is no URI, unless the connection's dialect takes them as they are
/// sent. References that were there before are not asked about.
pub(super) fn unless_plausible(
    dialect: Dialect,
    kind: &ResourceType,
    document: &Document,
    before: Option<&Document>,
) -> Result<()> {
    if dialect.is_strict() {
        scim::validate::countries(document)?;
        scim::validate::uris(kind, document, before)?;
    }
    Ok(())
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
