//! A document made ready to be written, before a unit of work begins.

use crate::base::fold;
use crate::scim::schema::{Attribute, ResourceType, Returned, Type};
use crate::scim::{Document, dialect::Dialect};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::document::{Content, Uniqueness};
use crate::store::filter::Leaves;

/// The store's word for a resource type.
///
/// # Errors
/// A type that the store has no rows for.
pub(super) fn store_kind(kind: &ResourceType) -> Result<Kind> {
    Kind::of(kind).ok_or_else(|| Error::Internal(format!("resource type {} is not stored", kind.name()).into()))
}

/// Everything the store writes for a document.
pub(in crate::service) fn content(kind: &ResourceType, dialect: Dialect, document: &Document) -> Content {
    if kind.is_own() {
        return own_content(kind, document);
    }
    let members = document.as_map();
    let text = |name: &str| members.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let is_user = kind.name() == "User";
    let name = text(super::refuse::name_attribute(kind));
    let display = text("displayName");
    // The RFC lets groups share a name; identity providers match by it, so only a strict connection may repeat one.
    let unique = if is_user || !dialect.is_strict() {
        Uniqueness::Enforced
    } else {
        Uniqueness::Free
    };
    Content {
        name_key: name_key(kind, document),
        unique,
        label: if display.is_empty() {
            name.to_owned()
        } else {
            display.to_owned()
        },
        active: members.get("active").and_then(serde_json::Value::as_bool),
        document: document.to_text(),
        leaves: leaves(kind, document),
    }
}

/// Longest display name of what is neither a user nor a group, in characters.
const MAX_LABEL: usize = 256;

/// The same of what is neither a user nor a group: its name is like any value, and it has no status.
fn own_content(kind: &ResourceType, document: &Document) -> Content {
    let members = document.as_map();
    let is_shown = |attribute: &&Attribute| attribute.kind == Type::String && attribute.returned != Returned::Never;
    let required = kind.schema().attributes.iter().filter(|attribute| attribute.required);
    let named = ["displayName", "name"]
        .iter()
        .filter_map(|name| kind.schema().attribute(name));
    let mut named = named.chain(required).filter(is_shown);
    let label = named.find_map(|attribute| members.get(&attribute.name)?.as_str());
    let label: String = label.unwrap_or_default().chars().take(MAX_LABEL).collect();
    Content {
        name_key: fold::fold(&label),
        unique: Uniqueness::Free,
        label,
        active: None,
        document: document.to_text(),
        leaves: leaves(kind, document),
    }
}

/// What the name of a resource compares as.
pub(super) fn name_key(kind: &ResourceType, document: &Document) -> String {
    let name = document.as_map().get(super::refuse::name_attribute(kind));
    let name = name.and_then(|name| name.as_str()).unwrap_or_default();
    if kind.name() == "User" {
        fold::user_name_key(name)
    } else {
        fold::fold(name)
    }
}

/// What filters can find of a document.
pub(in crate::service) fn leaves(kind: &ResourceType, document: &Document) -> Leaves {
    Leaves::of(document.as_map(), kind)
}

/// The names of the attributes in which two documents differ; those of an extension with its URN.
pub(in crate::service) fn differences(before: &Document, after: &Document) -> Vec<String> {
    let (before, after) = (before.as_map(), after.as_map());
    let mut names: Vec<String> = Vec::new();
    for name in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new || name == "schemas" || names.iter().any(|known| known == name) {
            continue;
        }
        match (
            name.starts_with("urn:"),
            old.and_then(|v| v.as_object()),
            new.and_then(|v| v.as_object()),
        ) {
            (true, old, new) => {
                let mut inner: Vec<String> = old
                    .into_iter()
                    .chain(new)
                    .flat_map(|map| map.keys())
                    .filter(|key| old.and_then(|map| map.get(*key)) != new.and_then(|map| map.get(*key)))
                    .map(|key| format!("{name}:{key}"))
                    .collect();
                inner.sort_unstable();
                inner.dedup();
                names.extend(
                    inner
                        .into_iter()
                        .filter(|name| !names.contains(name))
                        .collect::<Vec<_>>(),
                );
            }
            _ => names.push(name.clone()),
        }
    }
    names
}
