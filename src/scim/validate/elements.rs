//! Elements of multi-valued attributes: which are the same, and which is primary (RFC 7643 §2.4).

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::scim::Error;
use crate::scim::filter::Kind;
use crate::scim::schema::{Attribute, Mutability, Returned};

/// Most elements of one attribute; group members live elsewhere and have no such limit.
pub const MAX_ELEMENTS: usize = 1000;

/// Makes equal elements one and checks that at most one is primary.
///
/// Equal are simple values that compare equal, of which the first stays, and complex ones with the same value and type: such a
/// pair should not be returned twice (RFC 7643 §2.4). What the later one says about the other sub-attributes holds.
///
/// # Errors
/// `invalidValue` for a second primary value, and for too many values.
pub(in crate::scim) fn tidy(attribute: &Attribute, path: &str, elements: Vec<Value>) -> Result<Vec<Value>, Error> {
    let mut known: HashMap<String, usize> = HashMap::with_capacity(elements.len());
    let mut clean: Vec<Value> = Vec::with_capacity(elements.len());
    for element in elements {
        let key = identity(attribute, path, &element);
        match (known.get(&key).and_then(|index| clean.get_mut(*index)), element) {
            (None, element) => {
                known.insert(key, clean.len());
                clean.push(element);
            }
            (Some(Value::Object(first)), Value::Object(later)) => {
                let told = later
                    .into_iter()
                    .filter(|(name, value)| first.contains_key(name) || !is_default(name, value));
                first.extend(told.collect::<Vec<_>>());
            }
            (Some(_), _) => {}
        }
    }
    if clean.iter().filter(|element| is_primary(element)).count() > 1 {
        return Err(Error::invalid_value(format!(
            "`{path}` has more than one primary value"
        )));
    }
    if clean.len() > MAX_ELEMENTS {
        return Err(Error::invalid_value(format!(
            "`{path}` has more than {MAX_ELEMENTS} values"
        )));
    }
    Ok(clean)
}

/// What makes an element the one it is: what is shown of it, where anything is. An absent `primary` is false (RFC 7643 §2.4), and which one is primary does not
/// make another element.
fn identity(attribute: &Attribute, path: &str, element: &Value) -> String {
    let Value::Object(members) = element else {
        let compared = Kind::of(attribute, path).fold(path, element);
        return compared.unwrap_or_else(|| element.to_string());
    };
    let paired = attribute.sub("value").is_some() && attribute.sub("type").is_some();
    if let Some(value) = members.get("value").filter(|_| paired) {
        return format!("{value} {}", members.get("type").unwrap_or(&Value::Null));
    }
    let is_shown = |name: &str| attribute.sub(name).is_none_or(|sub| sub.returned != Returned::Never);
    let mut parts: Vec<_> = members.iter().filter(|(name, _)| *name != "primary").collect();
    // Else a second element beside the first would tell a wrong guess from a right one.
    if parts.iter().any(|(name, _)| is_shown(name)) {
        parts.retain(|(name, _)| is_shown(name));
    }
    parts.sort_unstable_by_key(|(name, _)| *name);
    parts
        .into_iter()
        .fold(String::new(), |key, (name, value)| key + &format!("{name} {value} "))
}

/// Whether a sub-attribute says no more than its absence would.
fn is_default(name: &str, value: &Value) -> bool {
    name == "primary" && *value == Value::Bool(false)
}

/// Whether the element says it is the primary one.
pub(in crate::scim) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Makes the primary one among the written elements the only one (RFC 7644 §3.5.2); nothing is promoted.
///
/// # Errors
/// `invalidValue` when several of those written are primary.
pub(in crate::scim) fn clear_other_primaries(
    path: &str,
    elements: &mut [Value],
    written: impl Fn(usize) -> bool,
) -> Result<(), Error> {
    let chosen = elements
        .iter()
        .enumerate()
        .filter(|(index, element)| written(*index) && is_primary(element))
        .count();
    if chosen > 1 {
        return Err(Error::invalid_value(format!(
            "`{path}` has more than one primary value"
        )));
    }
    if chosen == 0 {
        return Ok(());
    }
    for (index, element) in elements.iter_mut().enumerate() {
        if !written(index) && is_primary(element) {
            element["primary"] = Value::Bool(false);
        }
    }
    Ok(())
}

/// The immutable sub-attribute, if any, that an element would get another value of, where the whole list is written anew.
///
/// An element is the same as the one before with the same `value`, whatever else is said of it; one without a `value` is
/// told by all that it says, and one that is not there any more has nothing that could change.
pub(in crate::scim) fn changed_for_good<'a>(
    attribute: &'a Attribute,
    old: &[Value],
    new: &[Value],
) -> Option<&'a Attribute> {
    let subs = fixed_subs(attribute);
    if subs.is_empty() {
        return None;
    }
    let known = by_value(old);
    new.iter().find_map(|element| {
        let before = known.get(&element.get("value")?.to_string())?;
        let kept = |sub: &&&Attribute| {
            let same = |before: &&Value| {
                before
                    .get(&sub.name)
                    .is_none_or(|was| element.get(&sub.name) == Some(was))
            };
            !before.iter().any(same)
        };
        subs.iter().find(kept).copied()
    })
}

/// Gives elements the immutable sub-attributes that they leave out and had before, as a PUT does that leaves them out. Says
/// whether there were any.
pub(in crate::scim) fn carry_fixed(attribute: &Attribute, old: &[Value], new: &mut [Value]) -> bool {
    let subs = fixed_subs(attribute);
    if subs.is_empty() {
        return false;
    }
    let known = by_value(old);
    let mut carried = false;
    for element in new {
        let before = element.get("value").and_then(|value| known.get(&value.to_string()));
        let (Some([before]), Value::Object(parts)) = (before.map(Vec::as_slice), element) else {
            continue;
        };
        for sub in &subs {
            if let (Some(was), false) = (before.get(&sub.name), parts.contains_key(&sub.name)) {
                parts.insert(sub.name.clone(), was.clone());
                carried = true;
            }
        }
    }
    carried
}

/// None where the value is never returned: what becomes of an element would tell whether a value was guessed right.
fn fixed_subs(attribute: &Attribute) -> Vec<&Attribute> {
    if attribute
        .sub("value")
        .is_none_or(|value| value.returned == Returned::Never)
    {
        return Vec::new();
    }
    let fixed = |sub: &&Attribute| sub.mutability == Mutability::Immutable && sub.name != "value";
    attribute.sub_attributes.iter().filter(fixed).collect()
}

fn by_value(elements: &[Value]) -> HashMap<String, Vec<&Value>> {
    let mut known: HashMap<String, Vec<&Value>> = HashMap::with_capacity(elements.len());
    for element in elements {
        if let Some(value) = element.get("value") {
            known.entry(value.to_string()).or_default().push(element);
        }
    }
    known
}

/// Adds elements, or what they say to those that are there already; gives the positions written to.
///
/// # Errors
/// `mutability` when one would change an immutable sub-attribute.
pub(in crate::scim) fn join(
    attribute: &Attribute,
    path: &str,
    mut elements: Vec<Value>,
    added: Vec<Value>,
) -> Result<(Vec<Value>, HashSet<usize>), Error> {
    let keyed = elements
        .iter()
        .enumerate()
        .map(|(index, element)| (identity(attribute, path, element), index));
    let known: HashMap<String, usize> = keyed.collect();
    let mut written = HashSet::with_capacity(added.len());
    for element in added {
        let Some(index) = known.get(&identity(attribute, path, &element)).copied() else {
            written.insert(elements.len());
            elements.push(element);
            continue;
        };
        if let (Value::Object(before), Value::Object(parts)) = (&mut elements[index], element) {
            merge_element(attribute, path, before, parts)?;
        }
        written.insert(index);
    }
    Ok((elements, written))
}

/// Writes sub-attributes into an element. `primary` false on one that has none changes nothing.
///
/// # Errors
/// `mutability` when an immutable sub-attribute has another value.
pub(in crate::scim) fn merge_element(
    attribute: &Attribute,
    path: &str,
    known: &mut Map<String, Value>,
    added: Map<String, Value>,
) -> Result<(), Error> {
    for (name, value) in added {
        let before = known.get(&name);
        if before.is_none() && is_default(&name, &value) {
            continue;
        }
        let immutable = attribute
            .sub(&name)
            .is_some_and(|sub| sub.mutability == Mutability::Immutable);
        if immutable && before.is_some_and(|before| *before != value) {
            return Err(Error::mutability(format!(
                "`{path}.{name}` has a value and is immutable"
            )));
        }
        known.insert(name, value);
    }
    Ok(())
}
