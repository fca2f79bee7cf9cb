//! Extensions that no schema declares.

use serde_json::{Map, Value};

use super::Rule;
use super::lookup::{member_mut, parse};
use crate::scim::path::PatchPath;
use crate::scim::schema::ResourceType;

/// `"urn:…:acme:2.0:User": {…}` in a body, in a PATCH value or as its path: attributes that an administrator has mapped
/// and nobody has declared here. Group descriptions of Okta, attributes of Grouper and of `PingFederate`.
///
/// In clean form they stand at the top of a resource, or of the value of an operation without a path, under the name
/// that was sent. Validation and PATCH pass over them; whoever stores resources keeps them beside those.
/// Departs from RFC 7643 §6: a resource has the extensions that its type declares.
pub(super) const UNDECLARED_EXTENSION_KEPT: Rule = Rule {
    name: "undeclared-extension-kept",
    clients: "Okta templates, Grouper, PingFederate, Entra ID mappings",
    does: "keeps attributes of an extension that no schema declares aside of the resource",
    departs: "RFC 7643 §3.3, §6",
};

/// Longest name of an extension or of an attribute in it, in bytes.
const MAX_NAME: usize = 200;

/// What is no extension whoever names it: a name that is misspelled is to be told as such.
const RESERVED: [&str; 2] = ["urn:ietf:params:scim:schemas:core:", "urn:ietf:params:scim:api:"];

/// Whether a member name, or a path, stands for an extension that the type does not have, or for something in it.
#[must_use]
pub fn is_undeclared(ty: &ResourceType, name: &str) -> bool {
    let starts = |start: &str| {
        name.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.:$".contains(&letter);
    if !starts("urn:") || name.len() > MAX_NAME || !name.bytes().all(plain) || RESERVED.into_iter().any(starts) {
        return false;
    }
    let Some(path) = parse(name) else { return false };
    let known = |urn: &str| ty.schema().id.eq_ignore_ascii_case(urn) || ty.extension(urn).is_some();
    // `urn:acme` is no name of anything: a URN has two parts behind it.
    let whole = |urn: &str| urn.contains(':') && !known(urn);
    path.urn.as_deref().is_some_and(whole) && ty.resolve(&path).is_none()
}

/// Counts the members of a resource, or of a value without a path, that speak of such extensions.
pub(super) fn count(ty: &ResourceType, members: &Map<String, Value>) -> u32 {
    let spoken = members.keys().filter(|name| is_undeclared(ty, name)).count();
    u32::try_from(spoken).unwrap_or(u32::MAX)
}

/// Turns an operation whose path leads into such an extension into one without a path.
///
/// Not where the path has a filter, and not what takes values away one by one: what they are is not known.
pub(super) fn drop_path(ty: &ResourceType, operation: &mut Map<String, Value>, path: &PatchPath) -> u32 {
    let name = path.attr.to_string();
    if path.filter.is_some() || path.sub.is_some() || !is_undeclared(ty, &name) {
        return 0;
    }
    let verb = member_mut(operation, "op").and_then(|verb| verb.as_str().map(str::to_owned));
    let value = member_mut(operation, "value").map(Value::take);
    let (verb, value) = match (verb.as_deref(), value) {
        (Some("remove"), None | Some(Value::Null)) => ("replace", Value::Null),
        (Some("replace"), Some(value)) => ("replace", value),
        (Some("add"), Some(value)) if !value.is_null() => ("add", value),
        (_, value) => {
            if let (Some(slot), Some(value)) = (member_mut(operation, "value"), value) {
                *slot = value;
            }
            return 0;
        }
    };
    operation.retain(|name, _| {
        !["op", "path", "value"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    });
    operation.insert("op".to_owned(), verb.into());
    operation.insert("value".to_owned(), Value::Object(Map::from_iter([(name, value)])));
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::{ENTERPRISE_USER, Registry, USER};

    #[test]
    fn only_names_of_extensions_that_the_type_lacks_are_undeclared() {
        let registry = Registry::builtin();
        let user = registry.resource_type("User").unwrap();
        for name in [
            "urn:example:acme:2.0:User",
            "URN:Example:acme:2.0:User:shoe",
            "urn:example:acme:2.0:User:shoe.size",
            "urn:ietf:params:scim:schemas:extension:acme:2.0:User",
            "urn:okta:acme:1.0",
        ] {
            assert!(is_undeclared(user, name), "{name}");
        }
        let known = [
            USER.to_owned(),
            ENTERPRISE_USER.to_owned(),
            format!("{ENTERPRISE_USER}:department"),
            format!("{ENTERPRISE_USER}:shoe"),
            "urn:ietf:params:scim:schemas:core:2.0:Usr".to_owned(),
            "urn:ietf:params:scim:api:messages:2.0:PatchOp".to_owned(),
        ];
        let others = [
            "shoe",
            "name.shoe",
            "urn:acme",
            "urn:",
            "urn:example:a b",
            "http://acme.example/User",
            "urn:é:a:b",
        ];
        for name in known.iter().map(String::as_str).chain(others) {
            assert!(!is_undeclared(user, name), "{name}");
        }
        assert!(!is_undeclared(user, &format!("urn:example:{}", "x".repeat(MAX_NAME))));
    }
}
