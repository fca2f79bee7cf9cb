//! The part of a document that another one can have, too.

use serde_json::{Map, Value};

use crate::scim::Document;
use crate::scim::schema::{Attribute, ResourceType, Uniqueness};

/// Attributes of a user that name or reach that one person, whatever the schema says of their uniqueness.
const PERSONAL: [&str; 7] = [
    "userName",
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "x509Certificates",
    "employeeNumber",
];

/// Attributes of the core schema by which people call that one person, or where they live.
const NAMES: [&str; 5] = ["name", "displayName", "nickName", "profileUrl", "addresses"];

/// What a new resource has of the profile of this one: everything but what is one person's, may occur once, or is shown to
/// nobody.
pub(super) fn of(kind: &ResourceType, source: &Document) -> Map<String, Value> {
    let shared = |extension: Option<&str>, name: &str| {
        let unique = |attribute: &Attribute| {
            attribute.uniqueness != Uniqueness::None
                || attribute
                    .sub_attributes
                    .iter()
                    .any(|sub| sub.uniqueness != Uniqueness::None)
        };
        let field = kind.field(extension, name);
        let own = PERSONAL.contains(&name) || extension.is_none() && NAMES.contains(&name);
        !own && !field.is_some_and(|field| unique(field.attribute()))
    };
    let mut profile = Map::new();
    for (name, value) in source.told(kind).iter() {
        match (kind.extension(name), value) {
            (Some(_), Value::Object(inner)) => {
                let inner: Map<String, Value> = inner
                    .iter()
                    .filter(|(member, _)| shared(Some(name), member))
                    .map(|(member, value)| (member.clone(), value.clone()))
                    .collect();
                profile.insert(name.clone(), inner.into());
            }
            _ if shared(None, name) => drop(profile.insert(name.clone(), value.clone())),
            _ => {}
        }
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::{Registry, Schema};
    use serde_json::json;

    #[test]
    fn a_profile_has_nothing_that_is_one_persons_or_may_occur_once() {
        let badge = json!({
            "id": "urn:acme:Badge",
            "name": "Badge",
            "attributes": [
                {"name": "serial", "type": "string", "multiValued": false, "uniqueness": "server"},
                {"name": "colour", "type": "string", "multiValued": false},
            ],
        });
        let registry = Registry::builtin()
            .with_extension("User", Schema::parse(&badge).unwrap())
            .unwrap();
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let document = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:acme:Badge", enterprise],
            "userName": "ada",
            "title": "Chief",
            "displayName": "Ada",
            "name": {"givenName": "Ada"},
            "nickName": "A",
            "profileUrl": "https://acme.test/ada",
            "addresses": [{"locality": "London"}],
            "emails": [{"value": "ada@acme.test"}],
            "urn:acme:Badge": {"serial": "7", "colour": "red"},
            enterprise: {"employeeNumber": "12", "department": "Sales"},
        });
        let document = Document::from_stored(&document.to_string()).unwrap();
        let profile = of(registry.resource_type("User").unwrap(), &document);
        assert_eq!(
            Value::Object(profile),
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:acme:Badge", enterprise],
                "title": "Chief",
                "urn:acme:Badge": {"colour": "red"},
                enterprise: {"department": "Sales"},
            })
        );
    }
}
