//! What a filter means: evaluation over the representation of one resource.

use serde_json::Value;

use super::check::{Checked, Match, Node, Test};
use super::value::Kind;

/// Whether a resource satisfies a filter. The resource is the whole representation in canonical spelling: with `id`,
/// `meta`, `schemas`, and `groups` or `members` where the filter names them.
#[must_use]
pub fn eval(filter: &Checked, resource: &Value) -> bool {
    holds(filter.root(), Scope::Resource(resource))
}

/// Whether one element of a multi-valued attribute satisfies a value path. Of other filters it is never true.
#[must_use]
pub fn matches_element(value_path: &Checked, element: &Value) -> bool {
    match value_path.root() {
        Node::Some { path, node } => counts(element) && holds(node, Scope::Element { path, element }),
        _ => false,
    }
}

/// What the paths of tests start from.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a Value),
    Element { path: &'a str, element: &'a Value },
}

fn holds(node: &Node, scope: Scope<'_>) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| holds(part, scope)),
        Node::Or(parts) => parts.iter().any(|part| holds(part, scope)),
        Node::Not(part) => !holds(part, scope),
        Node::Constant(constant) => *constant,
        Node::Test(test) => values(scope, &test.path).iter().any(|value| passes(test, value)),
        Node::Some { path, node } => values(scope, path)
            .iter()
            .any(|element| counts(element) && holds(node, Scope::Element { path, element })),
    }
}

/// All values at a path; the elements, where there are many.
fn values<'a>(scope: Scope<'a>, path: &str) -> &'a [Value] {
    let found = match scope {
        Scope::Resource(resource) => in_resource(resource, path),
        Scope::Element { path: outer, element } => match path.strip_prefix(outer) {
            Some("") => Some(element),
            Some(sub) => element.get(sub.trim_start_matches('.')),
            None => None,
        },
    };
    match found {
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

fn in_resource<'a>(resource: &'a Value, path: &str) -> Option<&'a Value> {
    let (home, local) = match path.rsplit_once(':') {
        Some((urn, local)) => (resource.get(urn)?, local),
        None => (resource, path),
    };
    match local.split_once('.') {
        Some((name, sub)) => home.get(name)?.get(sub),
        None => home.get(local),
    }
}

/// Null and objects without a value are no elements (RFC 7643 §2.5).
fn counts(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(members) => members.values().any(counts),
        Value::Array(values) => values.iter().any(counts),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn passes(test: &Test, value: &Value) -> bool {
    if test.kind == Kind::Complex {
        return counts(value);
    }
    let Some(value) = test.kind.fold(&test.path, value) else {
        return false;
    };
    match &test.check {
        Match::Present => !value.is_empty(),
        Match::Equal(operand) => value == *operand,
        Match::Contains(operand) => value.contains(operand),
        Match::StartsWith(operand) => value.starts_with(operand),
        Match::EndsWith(operand) => value.ends_with(operand),
        Match::Less(operand) => value < *operand,
        Match::AtMost(operand) => value <= *operand,
        Match::Greater(operand) => value > *operand,
        Match::AtLeast(operand) => value >= *operand,
    }
}
