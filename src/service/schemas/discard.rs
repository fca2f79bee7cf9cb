//! What resources have of an extension, or all resources of a type, are taken away, so that its definition can go.

use serde_json::json;
use std::sync::Arc;

use super::change::{Purpose, change};
use super::edit::Asked;
use super::shown::Preview;
use crate::base::id::Pk;
use crate::scim::message::PATCH_OP;
use crate::scim::project::View;
use crate::scim::schema::{Among, Demand, Holds, ResourceType};
use crate::service::access::authority::{GIVE, SETTINGS, require};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::lifecycle::turn::plain;
use crate::service::provision::{self, IfMatch, Wanted};
use crate::store::Kind;

/// Resources that are looked up together.
const TOGETHER: u32 = 50;

/// Removes a schema with all that resources have of it: first from each resource, as a change of it that the log tells, then
/// the schema. What stops in between goes on when it is asked for again.
///
/// # Errors
/// As [`change`]; `Forbidden` also for who does not manage users; a value that cannot be taken away, because it is
/// immutable or required.
pub async fn discard(services: &Services, caller: &Caller, urn: &str) -> Result<Preview> {
    require(services, caller, &[SETTINGS]).await?;
    require(services, caller, &[GIVE]).await?;
    super::shown::schema(services, caller, urn).await?;
    possible(services, caller, Asked::NoSchema(urn)).await?;
    for ty in caller.types() {
        of_extension(services, caller, (ty, urn)).await?;
    }
    change(services, caller, Asked::NoSchema(urn), Purpose::Make).await
}

/// Removes what the organisation says of a resource type, in the same way: of one that it has defined itself every resource,
/// of another one what its resources have of the extensions.
///
/// # Errors
/// As [`discard`].
pub async fn discard_type(services: &Services, caller: &Caller, name: &str) -> Result<Preview> {
    require(services, caller, &[SETTINGS]).await?;
    require(services, caller, &[GIVE]).await?;
    let own = super::shown::resource_type(services, caller, name).await?;
    possible(services, caller, Asked::NoType(name)).await?;
    let stays = services.vocabularies().base().resource_type(name);
    let ty = caller.types().iter().find(|ty| ty.name() == name);
    match (ty, stays) {
        (Some(ty), Some(stays)) => {
            let extensions = own["schemaExtensions"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let named = extensions.iter().filter_map(|extension| extension["schema"].as_str());
            // What the type has anyway may be named as well, and is not the organisation's to take away.
            for urn in named.filter(|urn| stays.extension(urn).is_none()) {
                of_extension(services, caller, (ty, urn)).await?;
            }
        }
        (Some(ty), None) => all(services, caller, ty).await?,
        // Where the operator's files are in the way of the type, it is not served, and what was made of it is there.
        (None, _) => {
            if let Some(ty) = super::shown::unserved(services, caller, name).await? {
                all(services, caller, &Arc::new(ty)).await?;
            }
        }
    }
    change(services, caller, Asked::NoType(name), Purpose::Make).await
}

/// Whether nothing but what is about to be taken away stands in the way: nothing is taken away in vain.
async fn possible(services: &Services, caller: &Caller, asked: Asked<'_>) -> Result<()> {
    let preview = change(services, caller, asked, Purpose::Preview).await?;
    let still = Preview {
        in_the_way: Vec::new(),
        ..preview
    };
    still.first().map_or(Ok(()), |first| Err(Error::conflict(first)))
}

/// Deletes all resources of a type, each by itself.
async fn all(services: &Services, caller: &Caller, ty: &Arc<ResourceType>) -> Result<()> {
    let Some(kind) = Kind::of(ty) else { return Ok(()) };
    loop {
        let reader = services.read(caller);
        let rows = reader.resources().after(kind, Pk(0), TOGETHER).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            match provision::delete(services, caller, ty, &row.id, &IfMatch::Absent).await {
                // Somebody was faster.
                Ok(()) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

async fn of_extension(services: &Services, caller: &Caller, (ty, urn): (&Arc<ResourceType>, &str)) -> Result<()> {
    let (Some(extension), Some(kind)) = (ty.extension(urn), Kind::of(ty)) else {
        return Ok(());
    };
    let demand = Demand {
        path: extension.schema.id.clone(),
        holds: Holds::Nobody(Among::Extended(extension.schema.id.clone())),
        why: "",
    };
    loop {
        let reader = services.read(caller);
        let (left, rows) = reader.schemas().in_the_way(kind, &demand, TOGETHER).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let asked = rows.len() as u64;
        for row in rows {
            let body = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "remove", "path": demand.path }] });
            let wanted = Wanted {
                dialect: &plain(),
                kind: ty,
                id: &row.id,
                if_match: &IfMatch::Absent,
                view: &View::default(),
            };
            match provision::patch(services, caller, wanted, body).await {
                // Somebody was faster.
                Ok(_) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let (now, _) = reader.schemas().in_the_way(kind, &demand, 1).await?;
        if now >= left && asked > 0 {
            return Err(Error::conflict(format!(
                "{now} resources of the type `{}` keep what they have of `{}`: it is immutable or only read",
                ty.name(),
                demand.path
            )));
        }
    }
}
