//! What may stand in a file of rules, before names have a meaning; everything knows where it stands.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;
use toml::value::Datetime;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub rule: Vec<Spanned<RawRule>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub name: Spanned<String>,
    pub state: Option<Spanned<String>>,
    pub when: Spanned<String>,
    pub from: Option<Spanned<Datetime>>,
    pub to: Option<Spanned<Datetime>>,
    #[serde(default)]
    pub then: Vec<Spanned<RawOutcome>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutcome {
    pub role: Option<Spanned<Reference>>,
    pub scope: Option<Spanned<Reference>>,
    pub record: Option<Spanned<String>>,
    pub group: Option<Spanned<Reference>>,
}

/// `"Germany"` or `{ id = "0190…" }`.
#[derive(Debug)]
pub(super) enum Reference {
    Name(String),
    Id(String),
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReferenceVisitor)
    }
}

struct ReferenceVisitor;

impl<'de> Visitor<'de> for ReferenceVisitor {
    type Value = Reference;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name, or `{ id = \"…\" }`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Reference, E> {
        Ok(Reference::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Reference, A::Error> {
        match (members.next_entry::<String, String>()?, members.next_key::<String>()?) {
            (Some((name, id)), None) if name == "id" => Ok(Reference::Id(id)),
            _ => Err(A::Error::custom("expected a name, or `{ id = \"…\" }`")),
        }
    }
}
