//! An event as a webhook carries it, signed as Standard Webhooks 1.0 says.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::Error;
use super::numbered::{Event, Seq};
use crate::base::clock::Timestamp;
use crate::base::secret::Secret;

/// What a secret begins with as text, so that it is known for what it is.
const PREFIX: &str = "whsec_";

/// Bytes of a secret that is made here; the standard asks for 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// What a receiver checks signatures with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret(Secret<[u8; SECRET_BYTES]>);

impl WebhookSecret {
    /// Of bytes that were drawn for it.
    #[must_use]
    pub const fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Secret::new(bytes))
    }

    /// `whsec_` and base64: what the receiver is given.
    #[must_use]
    pub fn text(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(self.0.expose())))
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// [`Error::NotASecret`] for any other.
    pub fn read(text: &str) -> Result<Self, Error> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.and_then(|bytes| <[u8; SECRET_BYTES]>::try_from(bytes).ok());
        bytes.map(Self::new).ok_or(Error::NotASecret)
    }

    /// `v1,` and base64 of the HMAC-SHA256 of `id.timestamp.body`.
    fn signature(&self, signed: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed)))
    }
}

/// `webhook-id`: the same whenever and wherever this event is sent, so that a receiver knows what it has seen already.
#[must_use]
pub fn message_id(tenant: &str, seq: Seq) -> String {
    format!("evt_{tenant}_{seq}")
}

/// Headers of one attempt: id, seconds of the attempt, and one signature for each secret that counts then.
#[must_use]
pub fn headers(id: &str, at: Timestamp, body: &str, secrets: &[WebhookSecret]) -> [(&'static str, String); 3] {
    let seconds = at.0.div_euclid(1_000_000);
    let mut signed = String::with_capacity(id.len() + body.len() + 24);
    // Writing to a String cannot fail.
    let _ = write!(signed, "{id}.{seconds}.{body}");
    let signatures: Vec<String> = secrets.iter().map(|one| one.signature(signed.as_bytes())).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

/// The body: a function of the event alone, so that every attempt sends the same bytes.
///
/// It has what the log says in clear, which is no personal value.
///
/// # Errors
/// [`Error::Unreadable`] when the event is damaged.
pub fn body(tenant: &str, event: &Event) -> Result<String, Error> {
    let raw = |text: &str| {
        let read: Result<Box<RawValue>, _> = serde_json::from_str(text);
        read.map_err(|_| Error::Unreadable("event"))
    };
    let subject = event.subject_kind.as_deref().zip(event.subject_id.as_deref());
    let subject = subject.map_or(Value::Null, |(kind, id)| json!({ "kind": kind, "id": id }));
    let body = Body {
        kind: &event.kind,
        timestamp: event.at.rfc3339(),
        data: Data {
            seq: event.seq.0,
            tenant,
            txn: &event.txn,
            actor: json!({ "kind": event.actor_kind, "id": event.actor_id }),
            connection: event.connection.as_deref(),
            request_id: event.request_id.as_deref(),
            subject,
            cause: raw(&event.cause)?,
            details: raw(&event.data)?,
        },
    };
    serde_json::to_string(&body).map_err(|_| Error::Unreadable("event"))
}

#[derive(serde::Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(serde::Serialize)]
struct Data<'a> {
    seq: i64,
    tenant: &'a str,
    txn: &'a str,
    actor: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    subject: Value,
    cause: Box<RawValue>,
    details: Box<RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            seq: Seq(7),
            at: Timestamp(1_767_225_600_000_000),
            txn: "t".to_owned(),
            part: 0,
            kind: "user.updated".to_owned(),
            actor_kind: "connection".to_owned(),
            actor_id: "okta".to_owned(),
            connection: Some("okta".to_owned()),
            request_id: None,
            subject_kind: Some("user".to_owned()),
            subject_id: Some("u1".to_owned()),
            cause: r#"{"by":"scim"}"#.to_owned(),
            data: r#"{"attributes":["title"],"version":2}"#.to_owned(),
            sealed: Some("c2VhbGVk".to_owned()),
        }
    }

    #[test]
    fn the_body_says_what_the_log_says_in_clear() {
        assert_eq!(
            body("acme-uid", &event()).unwrap(),
            r#"{"type":"user.updated","timestamp":"2026-01-01T00:00:00.000000Z","data":{"seq":7,"tenant":"acme-uid","txn":"t","actor":{"kind":"connection","id":"okta"},"connection":"okta","subject":{"kind":"user","id":"u1"},"cause":{"by":"scim"},"details":{"attributes":["title"],"version":2}}}"#
        );
        let damaged = Event {
            data: "{".to_owned(),
            ..event()
        };
        assert!(body("acme-uid", &damaged).is_err());
    }

    /// The vector of the standard's libraries, whose secret has 24 bytes: the signature is made by hand from its bytes.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = hmac::Key::new(
            hmac::HMAC_SHA256,
            &STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
        );
        let signed = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(
            STANDARD.encode(hmac::sign(&key, signed)),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        let secret = WebhookSecret::new([7; SECRET_BYTES]);
        let again = WebhookSecret::read(secret.text().expose()).unwrap();
        assert_eq!(again, secret);
        let sent = headers("evt_a_1", Timestamp(1_999_999), "{}", &[secret.clone(), again]);
        let own = hmac::Key::new(hmac::HMAC_SHA256, &[7; SECRET_BYTES]);
        let signature = format!("v1,{}", STANDARD.encode(hmac::sign(&own, b"evt_a_1.1.{}")));
        assert_eq!(sent[1].1, "1");
        assert_eq!(sent[2].1, format!("{signature} {signature}"));
        for wrong in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(WebhookSecret::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(
            format!("{:?}", WebhookSecret::new([7; SECRET_BYTES])),
            "WebhookSecret([redacted])"
        );
    }
}
