//! A resource's attributes in their one clean form, as they are stored.

use serde_json::{Map, Value};

use crate::base::id::ResourceId;
use crate::scim::schema::ResourceType;

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

    /// The same document without what the type does not have: schemas may have been changed since it was stored.
    #[must_use]
    pub fn known_to(mut self, ty: &ResourceType) -> Self {
        let known = |name: &str, value: &mut Value| match (ty.extension(name), value) {
            (Some(_), Value::Object(inner)) => {
                inner.retain(|member, _| ty.field(Some(name), member).is_some());
                !inner.is_empty()
            }
            (Some(_), _) => false,
            (None, _) => ty.field(None, name).is_some(),
        };
        self.0.retain(|name, value| known(name, value));
        let extensions: Vec<String> = self.0.keys().cloned().collect();
        if let Some(Value::Array(urns)) = self.0.get_mut("schemas") {
            let is_there = |urn: &str| urn == ty.schema().id || extensions.iter().any(|name| name == urn);
            urns.retain(|urn| urn.as_str().is_some_and(is_there));
        }
        self
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
    use serde_json::json;

    #[test]
    fn a_document_survives_storage_in_its_order() {
        let text = r#"{"schemas":["a"],"userName":"ada","active":true,"emails":[{"value":"é"}]}"#;
        let document = Document::from_stored(text).unwrap();
        assert_eq!(document.to_text(), text);
        assert_eq!(document.as_map()["active"], json!(true));
        assert!(Document::from_stored("[]").is_err());
    }
}
