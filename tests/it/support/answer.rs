//! An answer, and the assertions that every test makes of one.

use axum::http::HeaderMap;
use serde_json::Value;

/// What came back. `json` is `Null` when the body is empty or not JSON.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// From the parts on the wire.
    pub fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            text,
            json,
        }
    }

    /// The same answer, which must have this status.
    #[track_caller]
    pub fn status(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "body: {}", self.text);
        self
    }

    /// 204 and nothing else.
    #[track_caller]
    pub fn no_content(self) {
        assert_eq!(self.status(204).text, "");
    }

    /// A SCIM error body with this status and `scimType`; answers its `detail`.
    #[track_caller]
    pub fn error(self, status: u16, scim_type: Option<&str>) -> String {
        let answer = self.status(status);
        let body = &answer.json;
        assert_eq!(
            body["schemas"],
            serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
        assert_eq!(body["status"], status.to_string(), "body: {}", answer.text);
        assert_eq!(
            body.get("scimType").and_then(Value::as_str),
            scim_type,
            "body: {}",
            answer.text
        );
        body["detail"].as_str().unwrap_or_default().to_owned()
    }

    /// The text of a header, or `""`.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The `id` of the resource in the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {}", self.text))
            .to_owned()
    }

    /// The ids of a list response, in its order.
    #[track_caller]
    pub fn ids(&self) -> Vec<String> {
        let found = self.json["Resources"]
            .as_array()
            .unwrap_or_else(|| panic!("no list: {}", self.text));
        found
            .iter()
            .filter_map(|one| one["id"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// `totalResults` of a list response.
    #[track_caller]
    pub fn total(&self) -> u64 {
        self.json["totalResults"]
            .as_u64()
            .unwrap_or_else(|| panic!("no list: {}", self.text))
    }

    /// The `value`s of a multi-valued attribute, sorted.
    pub fn values_of(&self, attribute: &str) -> Vec<String> {
        let values = self.json[attribute].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut values: Vec<_> = values
            .iter()
            .filter_map(|one| one["value"].as_str())
            .map(str::to_owned)
            .collect();
        values.sort();
        values
    }
}
