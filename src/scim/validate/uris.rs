//! References to anything: what is written there has to be a URI.

use std::collections::HashSet;

use serde_json::Value;

use crate::base::uri::is_reference;
use crate::scim::schema::{Attribute, ResourceType};
use crate::scim::{Document, Error};

/// Checks that what a document has beyond the one before it are URI references (RFC 7643 §2.3.7, RFC 3986 §4.1), wherever
/// an attribute leads to anything but a resource.
///
/// Apart from the other checks, because many directories hold free text there: the caller decides whether to insist. What
/// was there before is not held against a change of something else.
///
/// # Errors
/// `invalidValue` naming the attribute.
pub fn uris(ty: &ResourceType, document: &Document, before: Option<&Document>) -> Result<(), Error> {
    let known: HashSet<_> = before
        .map(|before| odd(ty, before))
        .unwrap_or_default()
        .into_iter()
        .collect();
    match odd(ty, document).into_iter().find(|fault| !known.contains(fault)) {
        Some((path, _)) => Err(Error::invalid_value(format!(
            "`{path}` must be a URI such as `https://example.com/ada`, with spaces and other letters written as `%20`"
        ))),
        None => Ok(()),
    }
}

/// Paths and texts that are no references.
fn odd<'a>(ty: &'a ResourceType, document: &'a Document) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    for field in ty.fields() {
        let attribute = field.attribute();
        if !attribute.holds_uris() && !attribute.sub_attributes.iter().any(Attribute::holds_uris) {
            continue;
        }
        let home = match field.extension() {
            None => Some(document.as_map()),
            Some(urn) => document.as_map().get(urn).and_then(Value::as_object),
        };
        let Some(value) = home.and_then(|home| home.get(&attribute.name)) else {
            continue;
        };
        if attribute.holds_uris() {
            found.extend(texts(value).map(|text| (field.path(), text)));
        }
        for (sub, path) in field.subs().filter(|(sub, _)| sub.holds_uris()) {
            let parts = listed(value).iter().filter_map(|element| element.get(&sub.name));
            found.extend(parts.flat_map(texts).map(|text| (path, text)));
        }
    }
    found.retain(|(_, text)| !is_reference(text));
    found
}

fn listed(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        one => std::slice::from_ref(one),
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    listed(value).iter().filter_map(Value::as_str)
}
