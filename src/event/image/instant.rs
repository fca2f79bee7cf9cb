//! Instants as text, to the microsecond.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::base::clock::Timestamp;
use crate::base::instant::parse_instant;

#[expect(clippy::ref_option, reason = "the form that serde asks for")]
pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.serialize_str(&at.rfc3339()),
        None => to.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let at = parse_instant(&text).ok_or_else(|| D::Error::custom("no instant"))?;
    Ok(Some(at))
}
