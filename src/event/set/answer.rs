//! What came of a request whose client did not wait for it, as one result of a bulk request (RFC 9967 §2.5.1.3, RFC 7644
//! §3.7).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::uris::SetEvent;
use crate::base::clock::Timestamp;
use crate::event::kind::Kind;
use crate::event::numbered::Event;

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What came of a request: particulars of an event, so nothing in it is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Endpoint of the type, with the slash.
    pub endpoint: String,
    /// The status that the request would have been answered with.
    pub status: u16,
    /// Id of what it was about, or made; none where nothing was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The version after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// The keyword of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
}

impl Answer {
    /// What an event tells; none of another kind, or where its particulars are damaged.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        if event.kind() != Some(Kind::RequestAnswered) {
            return None;
        }
        serde_json::from_str(&event.data).ok()
    }

    /// As an event says it.
    #[must_use]
    pub fn data(&self) -> Value {
        json!(self)
    }

    /// Where the resource is below the base URL; the endpoint where there is none.
    #[must_use]
    pub fn uri(&self) -> String {
        match &self.resource {
            Some(id) => format!("{}/{id}", self.endpoint),
            None => self.endpoint.clone(),
        }
    }

    /// The result, with locations below a base URL. A refusal says why where that is given.
    #[must_use]
    pub fn payload(&self, base: &str, detail: Option<&str>) -> Value {
        let status = self.status.to_string();
        let mut payload = json!({ "method": self.method, "status": status });
        if let Some(version) = self.version {
            payload["version"] = format!("W/\"{version}\"").into();
        }
        if self.resource.is_some() {
            payload["location"] = format!("{base}{}", self.uri()).into();
        }
        if self.status >= 400 {
            let mut response = json!({ "schemas": [ERROR] });
            if let Some(keyword) = &self.scim_type {
                response["scimType"] = keyword.as_str().into();
            }
            if let Some(detail) = detail {
                response["detail"] = detail.into();
            }
            response["status"] = status.into();
            payload["response"] = response;
        }
        payload
    }

    /// The claims of a token about it for whoever sent the request of this id, which asks below a base URL.
    #[must_use]
    pub fn claims(&self, txn: &str, at: Timestamp, (issuer, base): (&str, &str), detail: Option<&str>) -> Value {
        let seconds = at.0.div_euclid(1_000_000);
        json!({
            "iss": issuer,
            "aud": [base],
            "iat": seconds,
            "jti": txn,
            "txn": txn,
            "toe": seconds,
            "sub_id": { "format": "scim", "uri": self.uri() },
            "events": { SetEvent::AsyncResponse.uri(): self.payload(base, detail) },
        })
    }
}
