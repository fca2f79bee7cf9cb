//! Every value of a document a filter can ask about, in the form it is compared in.

use serde_json::{Map, Value};

use super::value::Kind;
use crate::scim::schema::{Attribute, Field, ResourceType, Returned, Type};

/// One value. A complex value that has any gives one more leaf at its own path, with the text `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Canonical path, as in [`super::Test`].
    pub path: &'a str,
    /// Position of the element in a multi-valued attribute; 0 in others.
    pub elem: u32,
    /// Comparison text.
    pub fold: String,
}

/// Comparison text of the leaf that stands for a complex value.
const MARKER: &str = "*";

/// Gives every leaf of a document to the sink: of a stored document, or of the whole representation. Absent values,
/// null, `[]`, `{}` and values of another type give nothing; attributes that are never returned are skipped.
pub fn leaves<'a>(doc: &Map<String, Value>, ty: &'a ResourceType, sink: &mut impl FnMut(Leaf<'a>)) {
    for field in ty.fields() {
        let home = match field.extension() {
            None => Some(doc),
            Some(urn) => doc.get(urn).and_then(Value::as_object),
        };
        if let Some(value) = home.and_then(|home| home.get(&field.attribute().name)) {
            top(field, value, sink);
        }
    }
}

fn top<'a>(field: &'a Field, value: &Value, sink: &mut impl FnMut(Leaf<'a>)) {
    let attribute = field.attribute();
    if attribute.returned == Returned::Never {
        return;
    }
    if attribute.kind != Type::Complex {
        return simple(attribute, field.path(), value, None, sink);
    }
    match value {
        Value::Array(elements) => {
            for (element, elem) in elements.iter().zip(0..) {
                complex(field, element, elem, sink);
            }
        }
        one => complex(field, one, 0, sink),
    }
}

fn complex<'a>(field: &'a Field, value: &Value, elem: u32, sink: &mut impl FnMut(Leaf<'a>)) {
    let Some(object) = value.as_object() else {
        return;
    };
    let mut any = false;
    for (sub, path) in field.subs() {
        if let Some(value) = object.get(&sub.name).filter(|_| sub.returned != Returned::Never) {
            simple(sub, path, value, Some(elem), &mut |leaf| {
                any = true;
                sink(leaf);
            });
        }
    }
    if any {
        sink(Leaf {
            path: field.path(),
            elem,
            fold: MARKER.to_owned(),
        });
    }
}

/// Values below an element all carry its position.
fn simple<'a>(
    attribute: &Attribute,
    path: &'a str,
    value: &Value,
    element: Option<u32>,
    sink: &mut impl FnMut(Leaf<'a>),
) {
    let kind = Kind::of(attribute, path);
    let values = match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    for (value, position) in values.iter().zip(0..) {
        if let Some(fold) = kind.fold(path, value) {
            sink(Leaf {
                path,
                elem: element.unwrap_or(position),
                fold,
            });
        }
    }
}
