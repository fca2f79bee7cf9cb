//! What resources have of an extension is taken from them, so that its schema can go.

use serde_json::json;

use super::change::{Purpose, change};
use super::edit::Asked;
use super::shown::Preview;
use crate::scim::message::PATCH_OP;
use crate::scim::project::View;
use crate::scim::schema::{Among, Demand, Holds};
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
    for kind in Kind::ALL {
        of_kind(services, caller, (kind, urn)).await?;
    }
    change(services, caller, Asked::NoSchema(urn), Purpose::Make).await
}

async fn of_kind(services: &Services, caller: &Caller, (kind, urn): (Kind, &str)) -> Result<()> {
    let ty = caller
        .type_at(kind.endpoint().trim_start_matches('/'))
        .ok_or(Error::NotFound)?;
    let Some(extension) = ty.extension(urn) else {
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
