//! A resource's attributes in their one clean form, as they are stored.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::base::id::ResourceId;
use crate::scim::schema::{Field, ResourceType, Returned};

/// Attributes of a resource as the client may set them: names and URNs in canonical spelling, `schemas` first, no
/// `null`, `[]` or `{}`.
///
/// What lives elsewhere is not inside: `id`, `meta`, `groups`, `members`, `password` and `externalId`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document(Map<String, Value>);

impl Document {
    /// Wraps what validation has cleaned.
    pub(in crate::scim) const fn clean(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Reads a document that [`Document::to_text`] wrote; its content is trusted.
    ///
    /// # Errors
    /// When the text is not a JSON object: the store is damaged.
    pub fn from_stored(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    /// The text to store.
    #[must_use]
    pub fn to_text(&self) -> String {
        // `Value`'s own printing cannot fail, and a map has none: borrow it as one without a copy.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// What may be told of it to anybody: all but what is never returned (RFC 7643 §7).
    #[must_use]
    pub fn told(&self, ty: &ResourceType) -> Cow<'_, Map<String, Value>> {
        if !ty.is_secretive() {
            return Cow::Borrowed(&self.0);
        }
        let mut told = self.0.clone();
        ty.fields().iter().for_each(|field| hide(&mut told, field));
        Cow::Owned(told)
    }

    /// The attributes, extension containers and `schemas`.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same document of a user that says whether the account is active.
    #[must_use]
    pub fn with_active(mut self, active: bool) -> Self {
        self.0.insert("active".to_owned(), active.into());
        self
    }

    /// The attributes, extension containers and `schemas`.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// Takes out of a document what is never returned of an attribute; what is empty then goes, too.
fn hide(document: &mut Map<String, Value>, field: &Field) {
    match field.extension() {
        None => hide_in(document, field),
        Some(urn) => {
            if let Some(Value::Object(inner)) = document.get_mut(urn) {
                hide_in(inner, field);
                if inner.is_empty() {
                    document.shift_remove(urn);
                }
            }
        }
    }
}

fn hide_in(home: &mut Map<String, Value>, field: &Field) {
    let attribute = field.attribute();
    let name = &attribute.name;
    if attribute.returned == Returned::Never {
        home.shift_remove(name);
        return;
    }
    let subs = attribute.sub_attributes.iter();
    let hidden: Vec<&str> = subs
        .filter(|sub| sub.returned == Returned::Never)
        .map(|sub| sub.name.as_str())
        .collect();
    let Some(value) = home.get_mut(name).filter(|_| !hidden.is_empty()) else {
        return;
    };
    let keeps_some = |part: &mut Value| {
        let Value::Object(parts) = part else { return true };
        parts.retain(|part, _| !hidden.contains(&part.as_str()));
        !parts.is_empty()
    };
    let some = match value {
        Value::Array(items) => {
            items.retain_mut(keeps_some);
            !items.is_empty()
        }
        lone => keeps_some(lone),
    };
    if !some {
        home.shift_remove(name);
    }
}

/// What kind of resource a group member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberKind {
    /// A person.
    User,
    /// A nested group.
    Group,
}

impl MemberKind {
    /// The name as it stands in `members.type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }
}

/// A member as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRef {
    /// Id of the member.
    pub value: ResourceId,
    /// What the client says it is; the store knows better.
    pub kind: Option<MemberKind>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::{Registry, Schema};
    use serde_json::json;

    #[test]
    fn what_is_never_returned_is_not_told_and_leaves_nothing_empty_behind() {
        let never =
            |name: &str| json!({"name": name, "type": "string", "mutability": "writeOnly", "returned": "never"});
        let schema = json!({"id": "urn:example:vault:1.0:User", "name": "Vault", "attributes": [
            never("pin"),
            {"name": "vpn", "type": "complex", "subAttributes": [{"name": "login", "type": "string"}, never("password")]},
            {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value", "type": "string"}, never("code")]},
        ]});
        let registry = Registry::builtin()
            .with_extension("User", Schema::parse(&schema).unwrap())
            .unwrap();
        let ty = registry.resource_type("User").unwrap();
        let of = |inner: Value| {
            let text = json!({"userName": "ada", "urn:example:vault:1.0:User": inner}).to_string();
            Value::Object(Document::from_stored(&text).unwrap().told(ty).into_owned())
        };
        let all = json!({"pin": "1", "vpn": {"login": "a", "password": "2"}, "keys": [{"value": "k", "code": "3"}, {"code": "4"}]});
        let told = json!({"vpn": {"login": "a"}, "keys": [{"value": "k"}]});
        assert_eq!(of(all), json!({"userName": "ada", "urn:example:vault:1.0:User": told}));
        let secret = json!({"pin": "1", "vpn": {"password": "2"}, "keys": [{"code": "4"}]});
        assert_eq!(of(secret), json!({"userName": "ada"}));
        assert!(!Registry::builtin().resource_type("User").unwrap().is_secretive());
    }

    #[test]
    fn a_document_survives_storage_in_its_order() {
        let text = r#"{"schemas":["a"],"userName":"ada","active":true,"emails":[{"value":"é"}]}"#;
        let document = Document::from_stored(text).unwrap();
        assert_eq!(document.to_text(), text);
        assert_eq!(document.as_map()["active"], json!(true));
        assert!(Document::from_stored("[]").is_err());
    }
}
