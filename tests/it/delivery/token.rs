//! Security event tokens as a receiver reads them: proved by the keys that the server publishes, and by nothing of its code.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::admin::desk::Desk;
use crate::support::TestHouse;

/// What SCIM's events of provisioning begin with.
pub const PROV: &str = "urn:ietf:params:scim:event:prov:";

/// A token that was proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    pub header: Value,
    pub claims: Value,
}

impl Set {
    /// URIs of its events.
    pub fn events(&self) -> Vec<&str> {
        let events = self.claims["events"].as_object().unwrap();
        events.keys().map(String::as_str).collect()
    }

    /// What its one event says.
    pub fn payload(&self) -> &Value {
        let events = self.claims["events"].as_object().unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        events.values().next().unwrap()
    }

    pub fn jti(&self) -> &str {
        self.claims["jti"].as_str().unwrap()
    }
}

/// The keys that are published.
pub async fn keys(house: &TestHouse) -> Vec<Value> {
    let nobody = Desk::nobody(house);
    let set = nobody
        .ask(Method::GET, "/.well-known/jwks.json", None, &[])
        .await
        .status(200)
        .json;
    set["keys"].as_array().unwrap().clone()
}

/// Reads a token, which one of the published keys must have signed.
pub async fn read(house: &TestHouse, token: &str) -> Set {
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let json = |part: &str| serde_json::from_slice::<Value>(&decoded(part)).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let (header, claims) = (json(header), json(claims));
    let keys = keys(house).await;
    let key = keys
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("the key is published");
    let part = |name: &str| decoded(key[name].as_str().unwrap());
    let point = [vec![4], part("x"), part("y")].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(input.as_bytes(), &decoded(signature))
        .expect("it is signed by that key");
    Set { header, claims }
}
