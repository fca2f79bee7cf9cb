//! What becomes of a request of provisioning that goes against what must hold: it is told what to do, kept where an
//! administrator has to decide, and made again when they have.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

use super::precondition::IfMatch;
use super::unsaid::without_secrets;
use super::write::Wanted;
use super::{delete, patch, replace};
use crate::access::WhenRefused;
use crate::access::invariant::Violation;
use crate::base::id::{ConnectionId, ResourceId};
use crate::scim;
use crate::scim::dialect::{Client, Dialect};
use crate::scim::json;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::service::access::pending::{self, Matter};
use crate::service::context::{Authority, Caller, Services};
use crate::service::credentials::hex;
use crate::service::error::{Error, Fused, Result};
use crate::service::fuse::{self, Over};

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Verb {
    Put,
    Patch,
    Delete,
}

/// A request on its way.
pub(super) struct Asked<'a> {
    pub(super) verb: Verb,
    pub(super) client: Client,
    pub(super) kind: &'a ResourceType,
    pub(super) id: &'a ResourceId,
    pub(super) if_match: &'a IfMatch,
    /// In clean form.
    pub(super) body: Option<&'a Value>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(verb: Verb, wanted: &Wanted<'a>, body: &'a Value) -> Self {
        Self {
            verb,
            client: wanted.dialect.client(),
            kind: wanted.kind,
            id: wanted.id,
            if_match: wanted.if_match,
            body: Some(body),
        }
    }
}

/// A request as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::service) struct Kept {
    connection: i64,
    request_id: String,
    client: String,
    method: Verb,
    /// E.g. `Users`.
    endpoint: String,
    id: String,
    /// Versions that may be changed; any where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    if_match: Option<Vec<i64>>,
    /// Versions that may not be changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    if_none_match: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "json::whole")]
    body: Option<Value>,
}

impl Kept {
    /// Its method.
    pub(super) const fn verb(&self) -> Verb {
        self.method
    }

    /// Its body, in clean form.
    pub(super) const fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    /// Whether the resource is to be deleted.
    pub(in crate::service) const fn deletes(&self) -> bool {
        matches!(self.method, Verb::Delete)
    }

    fn of(caller: &Caller, connection: ConnectionId, asked: &Asked<'_>) -> Self {
        let (if_match, if_none_match) = asked.if_match.lists();
        Self {
            connection: connection.0,
            request_id: caller.request_id().to_owned(),
            client: asked.client.name().to_owned(),
            method: asked.verb,
            endpoint: asked.kind.endpoint().trim_start_matches('/').to_owned(),
            id: asked.id.as_str().to_owned(),
            if_match,
            if_none_match,
            body: asked
                .body
                .cloned()
                .map(|body| without_secrets(asked.kind, without_password(body))),
        }
    }

    /// What tells it apart from another request about the same resource: everything but when it came.
    fn digest(&self) -> String {
        let Self {
            connection,
            client: _,
            request_id: _,
            method,
            endpoint,
            id: _,
            if_match,
            if_none_match,
            body,
        } = self;
        let mut told = vec![
            json!(connection),
            json!(method),
            json!(endpoint),
            json!(if_match),
            json!(body),
        ];
        // Only where there is such a condition: what was kept before has the same digest as ever.
        if !if_none_match.is_empty() {
            told.push(json!(if_none_match));
        }
        let told = Value::Array(told);
        hex(&Sha256::digest(told.to_string()))
    }

    /// The connection that sent it.
    pub(in crate::service) const fn connection(&self) -> ConnectionId {
        ConnectionId(self.connection)
    }

    /// Id of the request it came by.
    pub(in crate::service) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// What it asks for, as a client sends it: method, path below the base URL, body.
    pub(in crate::service) fn shown(&self) -> (String, String, Option<Value>) {
        let method = serde_json::json!(self.method);
        let method = method.as_str().unwrap_or_default().to_owned();
        (method, format!("/{}/{}", self.endpoint, self.id), self.body.clone())
    }
}

pub(super) const PASSWORD: &str = "password";

/// The name of an attribute without the schema and the attribute before it.
fn bare(name: &str) -> &str {
    name.rsplit([':', '.']).next().unwrap_or(name)
}

/// The same without passwords, which are kept nowhere: in a resource, in the value of an operation, or as its path.
pub(super) fn without_password(mut body: Value) -> Value {
    match &mut body {
        Value::Object(members) => {
            members.retain(|name, _| !bare(name).eq_ignore_ascii_case(PASSWORD));
            members
                .values_mut()
                .for_each(|value| *value = without_password(value.take()));
        }
        Value::Array(items) => {
            let path = |item: &Value| item["path"].as_str().map(|path| bare(path).to_owned());
            items.retain(|item| !path(item).is_some_and(|path| path.eq_ignore_ascii_case(PASSWORD)));
            for item in items.iter_mut() {
                *item = without_password(item.take());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    body
}

/// What a request came to, as its client is told it.
pub(super) async fn told<T>(services: &Services, caller: &Caller, asked: &Asked<'_>, outcome: Result<T>) -> Result<T> {
    let violation = match outcome {
        Err(Error::Violated(violation)) => violation,
        Err(Error::Fused(Fused::Over(over))) => return Err(tripped(services, caller, asked, over).await),
        other => return other,
    };
    let detail = detail(services, caller, asked, &violation).await?;
    Err(scim::Error::plain(409, detail).into())
}

/// What a request beyond a budget comes to. Only connections have budgets.
async fn tripped(services: &Services, caller: &Caller, asked: &Asked<'_>, over: Over) -> Error {
    let Authority::Connection(connection) = caller.authority() else {
        return Error::Fused(Fused::Over(over));
    };
    let kept = Kept::of(caller, connection.id, asked);
    let digest = kept.digest();
    fuse::trip(services, caller, connection, over, (asked.id, &kept, &digest)).await
}

/// What the administrator of the client has to do, and what has been done here.
async fn detail(services: &Services, caller: &Caller, asked: &Asked<'_>, violation: &Violation) -> Result<String> {
    let connection = caller.connection_id();
    match violation {
        Violation::OwnerStays(_) => {
            let marked = match connection {
                Some(connection) => {
                    let kept = Kept::of(caller, connection, asked);
                    pending::keep(services, caller, Matter::LeavingOwner, asked.id, &kept, "", violation).await?
                }
                None => None,
            };
            let marked = marked.map_or_else(String::new, |id| {
                format!(", where they are marked as leaving (`/api/v1/pending/{id}`)")
            });
            Ok(format!(
                "{violation}. An administrator of the organisation does this in Muster, or by `POST /api/v1/ownership`{marked}; the identity provider can then send this request again"
            ))
        }
        Violation::TooFewAdmins { .. } | Violation::AdminsWouldEnd { .. } | Violation::BreakGlass(_) => {
            let advice = advice(violation);
            let Some(connection) = connection else {
                return Ok(advice);
            };
            if services.read(caller).policy().settings().await?.when_refused == WhenRefused::Refuse {
                return Ok(advice);
            }
            let kept = Kept::of(caller, connection, asked);
            let digest = kept.digest();
            let parked = pending::keep(services, caller, Matter::Parked, asked.id, &kept, &digest, violation).await?;
            Ok(match parked {
                Some(id) => format!(
                    "parked as pending `{id}`, and nothing is done until an administrator of the organisation decides: {advice}"
                ),
                None => advice,
            })
        }
        other => Ok(other.to_string()),
    }
}

fn advice(violation: &Violation) -> String {
    match violation {
        Violation::BreakGlass(_) => {
            format!("{violation}. It can be taken off the list in the settings of the organisation first")
        }
        _ => format!(
            "{violation}: this request would end the last one. Make somebody else an administrator first, then this can be repeated"
        ),
    }
}

/// Makes a kept request, as the connection that sent it.
///
/// # Errors
/// Whatever the request is refused for, now; a violation is told as such.
pub(in crate::service) async fn again(services: &Services, connection: &Caller, kept: &Kept) -> Result<()> {
    let kind = connection.type_at(&kept.endpoint).ok_or(Error::NotFound)?;
    let id = ResourceId::new(kept.id.as_str());
    let if_match = IfMatch::of_lists(kept.if_match.as_deref(), &kept.if_none_match);
    let client = Client::ALL.iter().find(|client| client.name() == kept.client);
    let dialect = Dialect::remembered(*connection.dialect(), client.copied().unwrap_or(Client::Generic));
    let wanted = Wanted {
        dialect: &dialect,
        kind,
        id: &id,
        if_match: &if_match,
        view: &View::default(),
    };
    let body = kept.body.clone().unwrap_or_default();
    match kept.method {
        Verb::Put => replace::apply(services, connection, wanted, &Arc::new(body))
            .await
            .map(drop),
        Verb::Patch => patch::apply(services, connection, wanted, &body).await.map(drop),
        Verb::Delete => delete::apply(services, connection, kind, &id, &if_match).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kept_request_has_no_password_wherever_it_was() {
        let put = json!({"userName": "ada", "Password": "x", "active": false});
        assert_eq!(without_password(put), json!({"userName": "ada", "active": false}));
        let patch = json!({"Operations": [
            {"op": "replace", "path": "password", "value": "x"},
            {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:PASSWORD", "value": "x"},
            {"op": "replace", "value": {"password": "x", "active": false}},
            {"op": "replace", "value": {"urn:ietf:params:scim:schemas:core:2.0:User:password": "x"}},
        ]});
        let left =
            json!({"Operations": [{"op": "replace", "value": {"active": false}}, {"op": "replace", "value": {}}]});
        assert_eq!(without_password(patch), left);
    }
}
