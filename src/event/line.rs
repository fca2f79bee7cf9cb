//! A line of an export, written member by member: one value has one text.

use serde_json::Value;

use super::error::Error;
use super::flaw::Flaw;
use super::jwk::{self, Keys};
use super::sign::SigningKey;

/// Stands before what is signed of a line, so that the signature is good for nothing else.
const SIGNED: &[u8] = b"muster.line.1\n";

/// An object on one line, without spaces, in the order in which its members are given.
pub(super) struct Line(String);

impl Line {
    /// `{"NAME":NUMBER`: the first member says what kind of line it is.
    pub(super) fn begin(name: &str, number: i64) -> Self {
        Self("{".to_owned()).number(name, number)
    }

    /// `{"NAME":"TEXT"`.
    pub(super) fn begin_text(name: &str, text: &str) -> Self {
        Self("{".to_owned()).text(name, text)
    }

    pub(super) fn number(self, name: &str, number: i64) -> Self {
        self.raw(name, &number.to_string())
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.raw(name, &quoted(text))
    }

    /// The text, or `null`.
    pub(super) fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    /// JSON that is already text.
    pub(super) fn raw(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// A signature over what there is of the line, as base64url.
    pub(super) fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        Ok(jwk::encoded(&key.sign(&self.message())?))
    }

    /// Whether such a signature is by the key of this id.
    pub(super) fn proven(&self, keys: &Keys, kid: &str, signature: &str) -> Result<(), Flaw> {
        let key = keys.find(kid).ok_or_else(|| Flaw::UnknownKey(kid.to_owned()))?;
        let signature = jwk::decoded(signature).ok_or(Flaw::Signature)?;
        let holds = key.verify(&self.message(), &signature);
        holds.then_some(()).ok_or(Flaw::Signature)
    }

    fn message(&self) -> Vec<u8> {
        [SIGNED, self.0.as_bytes()].concat()
    }

    /// Closes the object and ends the line.
    pub(super) fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}

/// A string of JSON with the escapes that `serde_json` writes: `"`, `\` and control characters, nothing else.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
